"""NumPy arrays as a source: the header is checked first, nothing is unpickled, and pixels are mapped, not read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import BandsError, SeveralDatesError, SourceError, SourceTooLargeError
from core.ingest.bands.assign import MIN_BANDS
from core.ingest.bands.names import parse_band
from core.ingest.files import RASTER_SUFFIXES, Member, SourceFiles
from core.ingest.findings import finding, series_said
from core.ingest.formats.arrays.eopatch import mask_beside, missing_in, place_beside
from core.ingest.formats.arrays.keys import array_of_scene, dates_beside, fields_of, names_beside
from core.ingest.formats.arrays.numpy_header import read_header
from core.ingest.formats.geotiff import check_size, read_head
from core.ingest.formats.kind import SceneLayers
from core.ingest.formats.product_metadata import Hint, date_in, read_hints, unsure_days_in
from core.ingest.grid.resample import Bools
from core.ingest.grid.stack import Scaling, layers_of
from core.ingest.messages import damaged, errors_about
from core.ingest.sandbox.limits import MAX_ARRAY_BYTES, MAX_BANDS, MAX_DATES
from core.scenes.geobox import UNPLACED, GeoBox
from core.scenes.quality import Basis

ARRAY_SUFFIXES = frozenset({".npy"})
_SIGNATURE = b"\x93NUMPY"
_MOST_ARRAYS = 200
_ALONE = "open one array at a time"
_REMEDY = "save float reflectance or uint16 numbers of shape (dates, height, width, bands) or (height, width, bands)"


@dataclass(frozen=True, kw_only=True)
class ArrayFile:
    """A NumPy file that passed every check, one date of it.

    Attributes:
        name: what people call it.
        pixels: shape (bands, height, width), mapped from the file.
        times: number of dates in the file.
        layout: its axes in words.
        shape_text: the shape of the whole file in words.
        texts: text of each band as another array states it; empty = none does.
        place: where its pixels lie as a file beside it states it, or None.
        mask: shape (height, width), 0 = no data, as another array states it, or None.
    """

    name: str
    pixels: NDArray[Any]
    times: int
    layout: str
    shape_text: str
    texts: tuple[str, ...] = ()
    place: GeoBox | None = None
    mask: NDArray[Any] | None = None

    @property
    def count(self) -> int:
        """Number of bands."""
        return len(self.pixels)

    @property
    def geobox(self) -> GeoBox:
        """Where its pixels lie: arrays themselves have no place."""
        if self.place is not None:
            return self.place
        _, height, width = self.pixels.shape
        return GeoBox(crs=None, transform=UNPLACED, height=height, width=width)

    @property
    def dtypes(self) -> tuple[str, ...]:
        """NumPy type of each band."""
        return (str(self.pixels.dtype),) * self.count

    @property
    def descriptions(self) -> tuple[str, ...]:
        """Text of each band: arrays hold none themselves."""
        return self.texts or ("",) * self.count

    @property
    def nodata(self) -> tuple[float | None, ...]:
        """Declared no-data value of each band: arrays declare none."""
        return (None,) * self.count

    @property
    def scaling(self) -> tuple[Scaling | None, ...]:
        """What tags state of each band's numbers: arrays hold no tags."""
        return (None,) * self.count

    @property
    def block(self) -> tuple[int, int]:
        """(height, width) of what one step of reading gives: a row."""
        return 1, self.pixels.shape[2]

    def read(self, indexes: list[int], window: tuple[int, int, int, int]) -> NDArray[Any]:
        """Read numbers of shape (bands, height, width) of 1-based bands in a window (row, col, height, width)."""
        row, col, height, width = window
        part = self.pixels[[index - 1 for index in indexes], row : row + height, col : col + width]
        return np.ascontiguousarray(part).astype(part.dtype.newbyteorder("="), copy=False)

    def read_missing(self, window: tuple[int, int, int, int]) -> Bools | None:
        """Return where another array says that there is nothing; None where none does."""
        return None if self.mask is None else missing_in(self.mask, window)


def open_array(path: Path, name: str, time: int) -> ArrayFile:
    """Map one date of a NumPy file.

    Args:
        path: numbered path of ours.
        name: what people call it.
        time: which date, counted from 0.

    Raises:
        SourceError: for a damaged file, or a shape or type that is no scene.
        SourceTooLargeError: when it exceeds a limit.
    """
    shape, fortran, dtype, start = read_header(path)
    if dtype.hasobject or dtype.kind not in "iuf" or dtype.itemsize == 1:
        found = f"its numbers are of type {'of several fields' if dtype.names else dtype.name[:20]}"
        raise SourceError(found=found, remedy=_REMEDY)
    if not (len(shape) in (3, 4) or (len(shape) == 2 and parse_band(name.rsplit(".", 1)[0]))) or any(
        length <= 0 for length in shape
    ):
        raise SourceError(found=f"its shape is {_text(shape)}", remedy=_REMEDY)
    return arranged(_mapped(path, shape, dtype, start, fortran=fortran), name, time)


def _mapped(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], start: int, *, fortran: bool) -> NDArray[Any]:
    """Map the numbers of a file, read only; errors as of ``open_array``."""
    size = math.prod(shape) * dtype.itemsize
    if size > MAX_ARRAY_BYTES:
        found = f"it holds {size / 2**30:,.1f} GB, more than the {MAX_ARRAY_BYTES / 2**30:.1f} GB allowed for arrays"
        raise SourceTooLargeError(found=found, remedy="save it as a tiled GeoTIFF")
    if path.stat().st_size < start + size:
        raise damaged()
    return np.memmap(path, dtype=dtype, mode="r", offset=start, shape=shape, order="F" if fortran else "C")


def arranged(array: NDArray[Any], name: str, time: int) -> ArrayFile:
    """Return one date as (bands, height, width): the bands are the last axis when it can be one, else the first.

    Args:
        array: of two, three or four axes, dates the first of four.
        name: what people call it.
        time: which date, counted from 0.

    Raises:
        SourceError: when it has no axis of bands.
        SourceTooLargeError: when it exceeds a limit.
    """
    times = array.shape[0] if array.ndim == 4 else 1
    if time >= times:
        found = f"it holds {times} dates and date {time} was asked for"
        raise SourceError(found=found, remedy=f"choose 0 to {times - 1}")
    if array.ndim == 2:
        check_size(count=1, height=array.shape[0], width=array.shape[1])
        return ArrayFile(
            name=name, pixels=array[None], times=1, layout="(height, width)", shape_text=_text(array.shape)
        )
    one = array[time] if array.ndim == 4 else array
    lead = "dates, " if array.ndim == 4 else ""
    last, first = one.shape[-1], one.shape[0]
    if last <= MAX_BANDS and _likely_bands(last) >= (_likely_bands(first) if first <= MAX_BANDS else 0):
        pixels, layout = np.moveaxis(one, -1, 0), f"({lead}height, width, bands)"
    elif first <= MAX_BANDS:
        pixels, layout = one, f"({lead}bands, height, width)"
    else:
        raise SourceError(found=f"its shape is {_text(array.shape)}", remedy=_REMEDY)
    check_size(count=len(pixels), height=pixels.shape[1], width=pixels.shape[2])
    return ArrayFile(name=name, pixels=pixels, times=times, layout=layout, shape_text=_text(array.shape))


def _likely_bands(length: int) -> int:
    """Return how well a length fits the bands of Sentinel-2: all of them, or all but B10; some of them; or more."""
    return 2 if length in (12, 13) else 1 if 3 <= length <= 13 else 0


def _text(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{length:,}" for length in shape[:8]) or "a single number"


class NumpyArray:
    """One array of one or several dates, or arrays of a date each; other files beside them are left out."""

    own_files = ARRAY_SUFFIXES | {".npz"}

    def recognises(self, files: SourceFiles) -> bool:
        """Tell whether a file is an array, or several are and nothing else is pixels.

        The only file of a source may be called anything.
        """
        arrays = arrays_of(files)
        return len(arrays) == 1 or (len(arrays) > 1 and not files.ending(RASTER_SUFFIXES))

    def layers(self, files: SourceFiles, _opened: ExitStack) -> SceneLayers:
        """Return the bands of the wanted date; of arrays that are named as bands, one each."""
        named = _named_bands(files)
        if len({parse_band(member.stem) for member in named}) >= MIN_BANDS:
            return _of_named_bands(files, named)
        dated = {date_in(member.name): member for member in array_of_scene(files, arrays_of(files))}
        if len(dated) == 1:
            return _of_array(files, next(iter(dated.values())))
        dates = sorted(str(date) for date in dated)
        if files.wanted_date not in dates:
            raise _several(len(dates), "its arrays are of", tuple(dates))
        date = str(files.wanted_date)
        found = _of_array(files, dated[date])
        if found.position is not None:
            raise BandsError(found=f"it holds arrays of {len(dates)} dates, each of several", remedy=_ALONE)
        line = series_said(dates, date, "its arrays are of")
        unsure = unsure_days_in(dated[date].name)
        hint = None if unsure else Hint(value=date, where="the name of its array says so")
        return replace(
            found,
            hints=replace(found.hints, date=hint),
            findings=(line, *found.findings),
            position=(dates.index(date), len(dates)),
        )


def _named_bands(files: SourceFiles) -> list[Member]:
    """Return the arrays that are one plane each and named as bands."""
    planes = [member for member in arrays_of(files) if parse_band(member.stem) is not None]
    return [member for member in planes if len(read_header(files.shelf.path(member))[0]) == 2]


def _of_named_bands(files: SourceFiles, named: Sequence[Member]) -> SceneLayers:
    """Return bands of arrays of one plane each, as their keys name them."""
    planes = []
    for member in named:
        with errors_about(member.name):
            planes.append(replace(open_array(files.shelf.path(member), member.name, 0), texts=(member.stem,)))
    shapes = sorted({plane.shape_text for plane in planes})
    line = finding("axes", "(height, width), an array a band", "read", f"their shapes are {' and '.join(shapes)}")
    return SceneLayers(
        layers=tuple(layer for plane in planes for layer in layers_of(plane)),
        hints=read_hints([files.name, *(member.name for member in named)], {}, []),
        findings=(line,),
        left_out=tuple(other.base for other in files.others(named)),
        left_out_because="the arrays that are named as bands are the scene",
    )


def _of_array(files: SourceFiles, member: Member) -> SceneLayers:
    """Return the bands of an array, whether they are one of its axes or fields of its pixels."""
    return _of_fields(files, member) if fields_of(files.shelf.path(member)) else _of_one_array(files, member)


def _of_fields(files: SourceFiles, member: Member) -> SceneLayers:
    """Return bands of an array whose pixels hold a field a band, as Earth Engine gives them.

    Raises:
        SourceError: for a damaged file.
        SourceTooLargeError: when it exceeds a limit.
    """
    path = files.shelf.path(member)
    with errors_about(member.name):
        shape, fortran, dtype, start = read_header(path)
        check_size(count=len(dtype.names or ()), height=shape[0], width=shape[1])
        mapped = _mapped(path, shape, dtype, start, fortran=fortran)
    planes = [
        ArrayFile(
            name=f"{member.name}/{field}", pixels=mapped[field][None], times=1, layout="(height, width)",
            shape_text=_text(shape), texts=(field,),
        )
        for field in fields_of(path)
    ]  # fmt: skip
    line = finding("axes", "(height, width), a field a band", "read", f"its shape is {_text(shape)}")
    return SceneLayers(
        layers=tuple(layer for plane in planes for layer in layers_of(plane)),
        hints=read_hints([files.name, member.name], {}, []),
        findings=(line,),
        left_out=tuple(other.base for other in files.others([member])),
        left_out_because=f"“{member.base}” is the scene",
    )


def _of_one_array(files: SourceFiles, member: Member) -> SceneLayers:
    """Return the bands of the wanted date of an array, with the names that another array states."""
    wanted = files.wanted_time
    time = wanted or 0
    with errors_about(member.name):
        array = open_array(files.shelf.path(member), member.name, time)
        if array.times > 1 and wanted is None:
            raise _several(array.times, "it holds", tuple(range(array.times)))
    used = [member]
    if (names := names_beside(files, member, array.count)) is not None:
        array = replace(array, texts=names[0])
        used.append(names[1])
    array, beside = _with_patch(files, member, array, time)
    used.extend(beside)
    lines = [finding("axes", array.layout, "assumed", f"its shape is {array.shape_text}")]
    if array.mask is not None:
        lines.append(finding("mask", beside[-1].base, "read", "it says where there is data"))
    hints = read_hints([files.name, member.name], {}, [])
    if array.times > 1:
        which_date = f"date {time} of {array.times}, counted from 0"
        basis: Basis = "chosen" if files.settings.time is not None else "read"
        lines.append(finding("time", which_date, basis, "each date is a scene of its own", "time"))
        stated = dates_beside(files, member, array.times)
        # The one date that a name holds cannot be that of each.
        hints = replace(hints, date=None)
        if stated is not None:
            used.append(stated[1])
            hints = replace(hints, date=Hint(value=stated[0][time], where=f"“{stated[1].base}” states the dates"))
    return SceneLayers(
        layers=layers_of(array),
        hints=hints,
        findings=tuple(lines),
        position=(time, array.times) if array.times > 1 else None,
        left_out=tuple(other.base for other in files.others(used)),
        left_out_because=f"“{member.base}” is the scene",
    )


def _with_patch(files: SourceFiles, member: Member, array: ArrayFile, time: int) -> tuple[ArrayFile, list[Member]]:
    """Return an array with its place and its mask where a patch of eo-learn states them, and the files that do."""
    _, height, width = array.pixels.shape
    used = []
    if (place := place_beside(files, member, height, width)) is not None:
        array = replace(array, place=place[0])
        used.append(place[1])
    if (mask := mask_beside(files, member, (array.times, height, width))) is not None:
        array = replace(array, mask=mask[0][time])
        used.append(mask[1])
    return array, used


def _several(count: int, what: str, parts: tuple[str | int, ...]) -> BandsError:
    """Return the error for several dates, none of which is wanted."""
    found = f"{what} {count} dates"
    if count > MAX_DATES:
        found = f"{found}, and no more than {MAX_DATES} are opened at once"
        return BandsError(found=found, remedy="split it, or choose one of its dates in the settings")
    return SeveralDatesError(found=found, remedy="choose one of them in the settings", parts=parts)


def arrays_of(files: SourceFiles) -> list[Member]:
    """Return the files of a source that are arrays, by their first bytes; the only one may be called anything."""
    alone = len(files.members) == 1
    asked = [member for member in files.members if alone or member.suffix in ARRAY_SUFFIXES]
    return [member for member in asked[:_MOST_ARRAYS] if read_head(files.shelf.path(member), 6) == _SIGNATURE]
