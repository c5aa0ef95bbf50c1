"""HDF5, the container of NetCDF-4: looked through before any of its numbers is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import SourceTooLargeError, UnsafeSourceError
from core.ingest.formats.cubes.limits import MOST_OBJECTS, check_chunks, numeric
from core.ingest.messages import clean_name

_REMEDY = "save it again as one plain NetCDF file"
_DEEPEST = 20
"""Groups within groups; each is looked up from the outermost on."""
_FILTERS: Mapping[int, str] = {
    1: "deflate", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "n-bit", 6: "scale-offset", 32_000: "lzf",
}  # fmt: skip
"""Ways of packing that HDF5 itself and h5py bring (HDF5 documentation, registered filters); no others are loaded."""


@dataclass(frozen=True, kw_only=True)
class HdfContents:
    """What a file holds.

    Attributes:
        groups: paths of all groups, ``""`` first, then such as ``measurements/r10m``.
        unreadable: why a variable cannot be read, a clause, by its path.
    """

    groups: tuple[str, ...]
    unreadable: Mapping[str, str]


def look_through(path: Path) -> HdfContents:
    """Return the groups of a file, every variable of it checked; nothing outside of it is opened for that.

    Raises:
        UnsafeSourceError: when it takes numbers from other files, or its parts are linked to each other.
        SourceTooLargeError: when it has too many parts, or chunks beyond the limits.
        OSError: when it is damaged, and whatever else h5py raises.
    """
    import h5py

    groups: list[str] = []
    unreadable: dict[str, str] = {}
    seen: set[tuple[int, int]] = set()
    count = 0
    with h5py.File(path, "r") as file:
        waiting: list[tuple[str, Any]] = [("", file["/"])]
        while waiting:
            here, group = waiting.pop(0)
            if _again(group, seen):
                raise UnsafeSourceError(found="its groups hold each other in a circle", remedy=_REMEDY)
            if here.count("/") >= _DEEPEST:
                found = f"its groups lie more than {_DEEPEST} deep in each other"
                raise SourceTooLargeError(found=found, remedy=_REMEDY)
            groups.append(here)
            count += len(group)
            if count > MOST_OBJECTS:
                found = f"it holds more than {MOST_OBJECTS:,} variables"
                raise SourceTooLargeError(found=found, remedy="save only the bands")
            for name in group:
                inside = f"{here}/{name}" if here else str(name)
                _check_link(group.get(name, getlink=True), inside)
                part = group[name]
                if isinstance(part, h5py.Group):
                    waiting.append((inside, part))
                elif isinstance(part, h5py.Dataset) and (because := _unreadable(part, inside)):
                    unreadable[inside] = because
    return HdfContents(groups=tuple(groups), unreadable=unreadable)


def _again(group: Any, seen: set[tuple[int, int]]) -> bool:  # noqa: ANN401 (h5py has no types)
    """Tell whether a group was met before, under another name."""
    from h5py import h5o

    info = h5o.get_info(group.id)
    there = (int(info.fileno), int(info.addr))
    met = there in seen
    seen.add(there)
    return met


def _check_link(link: Any, name: str) -> None:  # noqa: ANN401 (h5py has no types)
    import h5py

    shown = f"“{clean_name(name, 60)}”"
    if isinstance(link, h5py.ExternalLink):
        raise UnsafeSourceError(found=f"its part {shown} is a link to another file", remedy=_REMEDY)
    if not isinstance(link, h5py.HardLink):
        found = f"its part {shown} is a link to another part, which NetCDF does not have"
        raise UnsafeSourceError(found=found, remedy=_REMEDY)


def _unreadable(dataset: Any, name: str) -> str | None:  # noqa: ANN401 (h5py has no types)
    """Return why a variable cannot be read, a clause, or None.

    Raises:
        UnsafeSourceError: when its numbers lie in other files.
        SourceTooLargeError: when its chunks are beyond the limits.
    """
    shown = f"“{clean_name(name, 60)}”"
    creation = dataset.id.get_create_plist()
    if dataset.is_virtual or creation.get_external_count():
        raise UnsafeSourceError(found=f"the numbers of {shown} lie in other files", remedy=_REMEDY)
    try:
        dtype = dataset.dtype
    except TypeError:
        return "its values are of a type that holds no numbers"
    if not numeric(dtype):
        return None if dtype.kind in "SU" or _is_text(dtype) else "its values are of a type that holds no numbers"
    if dataset.chunks is not None:
        check_chunks(clean_name(name, 60), dataset.shape, dataset.chunks, dtype.itemsize)
    packed = [creation.get_filter(number) for number in range(creation.get_nfilters())]
    foreign = [(code, title) for code, _, _, title in packed if code not in _FILTERS]
    if foreign:
        code, title = foreign[0]
        text = clean_name(title.decode("utf-8", "replace"), 40) or f"filter {code}"
        return f"it is packed by {text}, which Landlike does not unpack"
    return None


def _is_text(dtype: Any) -> bool:  # noqa: ANN401 (h5py has no types)
    import h5py

    return h5py.check_string_dtype(dtype) is not None
