"""Files and Zarrs of a source as groups of variables, opened by xarray with nothing decoded but texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import SourceError
from core.ingest.files import Member, SourceFiles
from core.ingest.formats.cubes.hdf5 import look_through
from core.ingest.formats.cubes.limits import LONGEST_AXIS, MOST_OBJECTS, reading
from core.ingest.formats.cubes.zarr_names import zarrs_of
from core.ingest.formats.geotiff import read_head
from core.ingest.formats.product_metadata import date_in
from core.ingest.messages import clean_name, damaged

if TYPE_CHECKING:
    import xarray as xr

    from core.ingest.formats.cubes.zarr_store import ShelfStore

HDF5, CLASSIC, CDF5 = b"\x89HDF\r\n\x1a\n", (b"CDF\x01", b"CDF\x02"), b"CDF\x05"
CUBE_SUFFIXES = frozenset({".nc", ".nc4", ".nc3", ".cdf", ".netcdf", ".h5", ".hdf5", ".he5"})
_MOST_FILES = 400
_MOST_GROUPS = 500


@dataclass(frozen=True, kw_only=True)
class CubeGroup:
    """Variables that lie together in a file.

    Attributes:
        source: the file or Zarr, as people have it.
        path: the group inside of it, ``""`` = the outermost.
        variables: by name, read when they are indexed.
        attributes: of the group.
        around: the groups that it lies in, the nearest first.
        unreadable: why a variable of it cannot be read, a clause, by name.
        store: the Zarr; None = another file.
    """

    source: str
    path: str
    variables: Mapping[str, xr.Variable]
    attributes: Mapping[str, Any]
    around: tuple[CubeGroup, ...] = ()
    unreadable: Mapping[str, str]
    store: ShelfStore | None = None

    @property
    def title(self) -> str:
        """The file, and the group where it has several, in words."""
        return f"{self.source}/{self.path}" if self.path else self.source

    def lookup(self, name: str) -> xr.Variable | None:
        """Return a variable of this group or of one around it, as NetCDF-4 finds coordinates; None without."""
        name = name.rpartition("/")[2]
        return next((group.variables[name] for group in (self, *self.around) if name in group.variables), None)


@dataclass(frozen=True, kw_only=True)
class Container:
    """One file, or one Zarr.

    Attributes:
        name: as people have it.
        groups: with all that they hold, the outermost first.
    """

    name: str
    groups: tuple[CubeGroup, ...]


def cube_files(files: SourceFiles) -> list[Member]:
    """Return the files that are NetCDF or HDF5, by their first bytes; the only file may be called anything."""
    alone = len(files.members) == 1
    asked = [member for member in files.members if alone or member.suffix in CUBE_SUFFIXES]
    return [member for member in asked if read_head(files.shelf.path(member), 8).startswith((HDF5, *CLASSIC, CDF5))]


def open_containers(files: SourceFiles, opened: ExitStack) -> list[Container]:
    """Open every file and Zarr of a source.

    Args:
        files: the source.
        opened: closes them once the pixels are read.

    Raises:
        SourceError: when one is damaged, or of a form that is not read.
        UnsafeSourceError: when it takes numbers from elsewhere.
        SourceTooLargeError: when it is beyond the limits.
    """
    members, roots = cube_files(files), zarrs_of(files.shelf.members)
    if len(members) + len(roots) > _MOST_FILES:
        found = f"it holds {len(members) + len(roots):,} cubes, and no more than {_MOST_FILES} are opened together"
        raise SourceError(found=found, remedy="open fewer of them at a time")
    zarrs = [_of_zarr(files, folder, keys, opened) for folder, keys in roots.items()]
    whole = [*zarrs, *(_of_file(files, member, opened) for member in members)]
    return [part for container in whole for part in _by_date(container)]


def _by_date(container: Container) -> list[Container]:
    """Return the groups of each date as a file of its own, where their names state several."""
    dates: dict[str | None, list[CubeGroup]] = {}
    for group in container.groups:
        dates.setdefault(date_in(group.path), []).append(group)
    named = sorted(date for date in dates if date is not None)
    if len(named) < 2:
        return [container]
    return [Container(name=f"{container.name}/{date}", groups=tuple(dates[date])) for date in named]


def _of_file(files: SourceFiles, member: Member, opened: ExitStack) -> Container:
    path = files.shelf.path(member)
    head = read_head(path, 8)
    with reading(member.name):
        if head.startswith(CDF5):
            found = "it is a NetCDF file of the form CDF-5, which Landlike does not read"
            raise SourceError(found=found, remedy="save it again as NetCDF-4")
        if head.startswith(CLASSIC):
            opener = partial(_opened, path, "scipy", opened)
            return Container(name=member.name, groups=_groups(member.name, ("",), {}, opener))
        contents = look_through(path)
        opener = partial(_opened, path, "h5netcdf", opened)
        return Container(name=member.name, groups=_groups(member.name, contents.groups, contents.unreadable, opener))


def _of_zarr(files: SourceFiles, folder: str, keys: Mapping[str, Member], opened: ExitStack) -> Container:
    import zarr

    from core.ingest.formats.cubes.zarr_store import ShelfStore

    # A chunk is unpacked at a time: several of them together would take more memory than there is.
    opened.enter_context(zarr.config.set({"async.concurrency": 1, "threading.max_workers": 1}))
    name = folder or files.name
    with reading(name):
        store = ShelfStore(files.shelf, keys)
        if not store.groups:
            found = "it is a single array of Zarr, and nothing says which bands it holds"
            raise SourceError(found=found, remedy="choose the folder of the whole cube")
        opener = partial(_opened, store, "zarr", opened)
        return Container(name=name, groups=_groups(name, store.groups, store.unreadable, opener, store))


def _opened(
    source: Path | ShelfStore, engine: str, opened: ExitStack, group: str, without: Sequence[str]
) -> xr.Dataset:
    """Open a group; coordinates are not read for that."""
    import xarray as xr

    ways: dict[str, dict[str, Any]] = {
        "scipy": {}, "h5netcdf": {"phony_dims": "access"}, "zarr": {"consolidated": False},
    }  # fmt: skip
    options = ways[engine]
    if engine == "zarr":
        options["zarr_format"] = getattr(source, "version", None)
    if engine != "scipy":
        options["group"] = group or None
    dataset = xr.open_dataset(
        source,  # type: ignore[arg-type]
        engine=engine,
        mask_and_scale=False, decode_times=False, decode_timedelta=False, decode_coords=False, concat_characters=True,
        create_default_indexes=False, cache=False, drop_variables=list(without), **options,
    )  # fmt: skip
    opened.callback(dataset.close)
    return dataset


def _groups(
    source: str,
    paths: Sequence[str],
    unreadable: Mapping[str, str],
    opener: Callable[[str, Sequence[str]], xr.Dataset],
    store: ShelfStore | None = None,
) -> tuple[CubeGroup, ...]:
    """Return all groups with what they hold.

    Raises:
        SourceError: when there are too many of them.
    """
    if len(paths) > _MOST_GROUPS:
        found = f"it holds {len(paths):,} groups, more than the {_MOST_GROUPS} allowed"
        raise SourceError(found=found, remedy="save only the bands")
    groups: dict[str, CubeGroup] = {}
    for path in paths:
        reasons = {name.rpartition("/")[2]: why for name, why in unreadable.items() if name.rpartition("/")[0] == path}
        dataset = opener(path, list(reasons))
        if len(dataset.variables) > MOST_OBJECTS or any(size > 2**40 for size in dataset.sizes.values()):
            raise damaged()
        variables = {str(name): variable for name, variable in dataset.variables.items()}
        groups[path] = CubeGroup(
            source=source, path=path, variables=variables, attributes=dict(dataset.attrs),
            around=_around(path, groups), unreadable=reasons, store=store,
        )  # fmt: skip
    return tuple(groups.values())


def _around(path: str, found: Mapping[str, CubeGroup]) -> tuple[CubeGroup, ...]:
    outer = []
    while path:
        path = path.rpartition("/")[0]
        if path in found:
            outer.append(found[path])
    return tuple(outer)


def values_of(variable: xr.Variable, name: str) -> Any:  # noqa: ANN401 (of any type)
    """Return the values of a coordinate as an array; they are read once, however many variables lie along it.

    Raises:
        SourceError: when they are too many to be one, or cannot be read.
    """
    if variable.size > 2 * LONGEST_AXIS:
        found = f"its coordinate “{clean_name(name, 60)}” has {variable.size:,} values"
        raise SourceError(found=found, remedy="cut the area of interest out of it first")
    return variable.load().values
