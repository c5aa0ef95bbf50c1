"""What a cube holds, variable by variable: bands, maps of classes, masks, and what is neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.errors import BandsError, SourceError
from core.ingest.bands.assign import MIN_BANDS, NO_BAND
from core.ingest.bands.names import (
    TOP_BESIDE_SURFACE,
    bands_by_wavelength,
    names_positions,
    parse_band,
    product_names,
    top_beside_surface,
)
from core.ingest.formats.classification import names_classes
from core.ingest.formats.cubes.axes import Axes, axes_of
from core.ingest.formats.cubes.bands import in_other_group, says_of_a_band, texts_of_axis, texts_of_variables
from core.ingest.formats.cubes.containers import Container, CubeGroup
from core.ingest.formats.cubes.dates import Times, times_of
from core.ingest.formats.cubes.limits import numeric
from core.ingest.formats.extra_samples import is_mask_name
from core.ingest.messages import clean_name

if TYPE_CHECKING:
    import xarray as xr

_LAYERS = "they are layers of quality, masks or angles, and no bands"
_FLAT, _SLOPED = "nbar_", "nbart_"
"""Two ways of processing in one file of Digital Earth Australia's; ACOLITE's are told by ``top_beside_surface``."""
_MEANINGS = frozenset({"long_name", "description", "comment", "classes", "interpretation", "flag_meanings", "legend"})
"""Attributes in which files say, in small letters, what the numbers of a mask mean."""
_SHOWN = 4
_OPEN_ONE = "open a cube that holds one of them"


_UNASKED = Times(dates=(None,), where="")


@dataclass(frozen=True, kw_only=True, eq=False)
class PixelVariable:
    """A variable of pixels.

    Attributes:
        group: that it lies in.
        name: of the variable.
        variable: read when it is indexed.
        axes: which of its dimensions is what.
        texts: what each of its bands is called, one where it has no axis of bands.
        times: its dates; none until they are asked for, which is of bands alone.
    """

    group: CubeGroup
    name: str
    variable: xr.Variable
    axes: Axes
    texts: tuple[str, ...]
    times: Times = _UNASKED

    @property
    def title(self) -> str:
        """The variable, and its group where it has one, in words."""
        return f"{self.group.path}/{self.name}" if self.group.path else self.name


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What one file or Zarr holds.

    Attributes:
        container: the file.
        bands: variables of bands, in its order.
        classes: maps of classes.
        masks: variables that are named as masks of where there is data.
        left_out: names of others by the reason, a clause.
        times: the dates of its bands; one where there is no axis of time.
        nameless: True = nothing says what its bands are.
    """

    container: Container
    bands: tuple[PixelVariable, ...]
    classes: tuple[PixelVariable, ...]
    masks: tuple[PixelVariable, ...]
    left_out: Mapping[str, list[str]]
    times: Times
    nameless: bool = False


@dataclass(kw_only=True)
class _Sorted:
    """Variables as they are sorted: those with an axis of bands apart from those of one band each."""

    single: list[PixelVariable] = field(default_factory=list)
    several: list[PixelVariable] = field(default_factory=list)
    classes: list[PixelVariable] = field(default_factory=list)
    masks: list[PixelVariable] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave(self, because: str, name: str) -> None:
        """Leave a variable out."""
        self.left_out.setdefault(because, []).append(name)


def surveyed(container: Container, chosen: tuple[str, ...] | None) -> Survey:
    """Return what a file holds.

    Args:
        container: the file.
        chosen: a person's names of its bands, or None.

    Raises:
        BandsError: when no variable of it is named as a band, or several may be the scene.
        SourceError: when those that are cannot be read.
    """
    found = _Sorted()
    for group in container.groups:
        _sort(group, found)
    bands, nameless = _bands(container, found, chosen)
    bands = [replace(one, times=times_of_variable(one)) for one in bands]
    times = _times(bands)
    return Survey(
        container=container, bands=tuple(bands), classes=tuple(found.classes), masks=tuple(found.masks),
        left_out=found.left_out, times=times, nameless=nameless,
    )  # fmt: skip


def _sort(group: CubeGroup, found: _Sorted) -> None:
    """Sort the variables of a group."""
    for name, because in group.unreadable.items():
        found.leave(because, f"{group.path}/{name}" if group.path else name)
    pixels: dict[str, tuple[xr.Variable, Axes]] = {}
    for name, variable in group.variables.items():
        if len(variable.dims) < 2 or not numeric(variable.dtype) or _is_coordinate(group, name):
            continue
        axes = axes_of(group, variable)
        if isinstance(axes, str):
            found.leave(axes, name)
        else:
            pixels[name] = variable, axes
    texts = texts_of_variables({name: variable for name, (variable, axes) in pixels.items() if axes.band is None})
    for name, (variable, axes) in pixels.items():
        several = axes.band is not None and not in_other_group(group) and not says_of_a_band(name)
        along = texts_of_axis(group, variable, axes.band) if several and axes.band is not None else None
        called = along or (texts.get(name, ""),)
        _put(PixelVariable(group=group, name=name, variable=variable, axes=axes, texts=called), found)


def _put(one: PixelVariable, found: _Sorted) -> None:
    """Put a variable of pixels where it belongs."""
    group, name, axes = one.group, one.name, one.axes
    if axes.band is not None and not in_other_group(group) and not says_of_a_band(name):
        found.several.append(one)
    elif axes.band is None and names_classes(name):
        found.classes.append(one)
    elif axes.band is None and is_mask_name(_said_of(name, one.variable)) and not in_other_group(group):
        found.masks.append(one)
    elif in_other_group(group) or says_of_a_band(name):
        found.leave(_LAYERS, one.title)
    else:
        found.single.append(one)


def _said_of(name: str, variable: xr.Variable) -> str:
    """Return what a mask is called, and what its attributes say of its numbers, by which it may be of other things."""
    said = [str(value)[:500] for key, value in variable.attrs.items() if str(key).lower() in _MEANINGS]
    return " ".join([name, *said]).replace("_", " ")


def times_of_variable(one: PixelVariable) -> Times:
    """Return the dates of a variable; errors are those of ``times_of``."""
    count = int(one.variable.sizes[one.axes.time]) if one.axes.time is not None else 1
    return times_of(one.group, one.axes, count)


def _is_coordinate(group: CubeGroup, name: str) -> bool:
    """Tell whether a variable of two axes says where each pixel lies, or holds the bounds of a coordinate."""
    variable = group.variables[name]
    standard = str(variable.attrs.get("standard_name", "")).lower()
    if standard in {"latitude", "longitude"} or name.lower() in {"lat", "lon", "latitude", "longitude"}:
        return True
    if 2 not in variable.shape:
        return False
    stated = any(str(other.attrs.get("bounds", "")) == name for other in group.variables.values())
    return stated or name.endswith(("_bnds", "_bounds"))


def _bands(container: Container, found: _Sorted, chosen: tuple[str, ...] | None) -> tuple[list[PixelVariable], bool]:
    """Return the variables that hold the bands, and whether nothing names these."""
    _leave_twins(found)
    named = [one for one in found.single if one.texts[0]]
    several = [one for one in found.several if _named(one.texts) >= MIN_BANDS]
    if chosen is not None and not several:
        return _by_hand(found, named, chosen), False
    if several and len({one.texts[0] for one in named}) < MIN_BANDS:
        one = _only(several)
        _rest(found, [one])
        return [one], False
    if named:
        _rest(found, named)
        return named, False
    if len(found.several) == 1:
        _rest(found, found.several)
        return found.several, True
    counted = names_positions([one.name for one in found.single])
    if counted and len(found.single) >= MIN_BANDS:
        _rest(found, found.single)
        return [_counted(one) for one in found.single], True
    if found.classes or found.masks:
        _rest(found, [])
        return [], False
    raise _none(container, found)


def _leave_twins(found: _Sorted) -> None:
    """Leave out bands of a lesser way of processing where the same are there of the better one."""
    titles, top = {one.title for one in found.single}, top_beside_surface([one.name for one in found.single])
    flat = {one.title for one in found.single if _FLAT in one.name and one.title.replace(_FLAT, _SLOPED) in titles}
    for one in found.single:
        if one.title in flat:
            found.leave("the same bands corrected for slopes (NBART) are there", one.title)
        elif one.name in top:
            found.leave(TOP_BESIDE_SURFACE, one.title)
    found.single = [one for one in found.single if one.title not in flat and one.name not in top]


def _named(texts: Sequence[str]) -> int:
    """Return how many texts of an axis name bands, by themselves or by their wavelengths."""
    meant = product_names(texts)
    named = sum(parse_band(text, meant) is not None for text in texts)
    return max(named, sum(band is not None for band in bands_by_wavelength(texts)))


def _counted(one: PixelVariable) -> PixelVariable:
    return replace(one, texts=(one.name,))


def _by_hand(found: _Sorted, named: list[PixelVariable], chosen: tuple[str, ...]) -> list[PixelVariable]:
    """Return the variables that names given by hand mean: those that name bands, all, or those on one axis."""
    bands = found.several if len(found.several) == 1 and len(found.several[0].texts) == len(chosen) else None
    bands = bands or (named if len(named) == len(chosen) else found.single) or found.several[:1]
    _rest(found, bands)
    return bands


def _rest(found: _Sorted, taken: Sequence[PixelVariable]) -> None:
    """Leave out what is not taken."""
    for one in (*found.single, *found.several):
        if one not in taken:
            found.leave(NO_BAND if one.axes.band is None else "the bands are in another variable", one.title)


def _only(several: Sequence[PixelVariable]) -> PixelVariable:
    """Return the one variable that holds several bands; of several the one that is called after reflectance.

    Raises:
        BandsError: naming two of them.
    """
    called = [one for one in several if "reflectance" in one.name.lower()]
    if len(several) == 1 or len(called) == 1:
        return called[0] if len(called) == 1 else several[0]
    shown = " and ".join(f"“{clean_name(one.title, 60)}”" for one in several[:2])
    raise BandsError(found=f"{shown} both hold bands, and nothing says which is the scene", remedy=_OPEN_ONE)


def _none(container: Container, found: _Sorted) -> SourceError:
    """Return why a file holds no bands."""
    if any(parse_band(name.rpartition("/")[2]) for names in found.left_out.values() for name in names):
        because, names = next(
            (why, names) for why, names in found.left_out.items() if parse_band(names[0].rpartition("/")[2])
        )
        text = f"its variable “{clean_name(names[0], 60)}” cannot be read: {because}"
        return SourceError(found=text, remedy="save it again as plain numbers of shape (time, y, x), packed by zlib")
    if len(found.several) > 1:
        shown = " and ".join(f"“{clean_name(one.title, 40)}”" for one in found.several[:2])
        return BandsError(found=f"{shown} may hold bands, and nothing names these", remedy=_OPEN_ONE)
    names = [one.title for one in found.single] or [
        name for group in container.groups for name, variable in group.variables.items() if len(variable.dims) > 1
    ]
    if not names:
        return SourceError(found="it holds no variable of pixels", remedy="choose a cube of Sentinel-2 bands")
    shown = ", ".join(clean_name(name, 40) for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    which = "variable is" if len(names) == 1 else "variables are"
    text = f"its {which} {shown}{more}, and none is named as a Sentinel-2 band"
    return BandsError(
        found=text, remedy="choose a cube of Sentinel-2 bands, or give the names of the bands in its order"
    )


def _times(bands: Sequence[PixelVariable]) -> Times:
    """Return the dates of variables, which are those of each that has an axis of time.

    Raises:
        BandsError: when these differ.
    """
    longest = max(bands, key=lambda one: len(one.times.dates), default=None)
    if longest is None:
        return Times(dates=(None,), where="")
    for one in bands:
        if one.axes.time is not None and one.times.dates not in (longest.times.dates, (None,)):
            names = f"“{clean_name(longest.title, 40)}” and “{clean_name(one.title, 40)}”"
            raise BandsError(found=f"its variables {names} are of different dates", remedy=_OPEN_ONE)
    return longest.times
