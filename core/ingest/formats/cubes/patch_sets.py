"""Patches in HDF5, a patch by the first axis of a dataset, with the class of each in another: So2Sat, and alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import SourceError, SourceTooLargeError
from core.ingest.bands.assign import MIN_BANDS
from core.ingest.files import Member, SourceFiles
from core.ingest.findings import finding, ignored
from core.ingest.formats.arrays.numpy_file import ArrayFile, arranged
from core.ingest.formats.arrays.patch_stack import array_patch, class_codes, class_texts, of_many_places, patch_members
from core.ingest.formats.cubes.containers import HDF5, cube_files
from core.ingest.formats.cubes.hdf5 import look_through
from core.ingest.formats.cubes.limits import reading
from core.ingest.formats.geotiff import RasterFile, read_head
from core.ingest.formats.kind import PatchFiles
from core.ingest.messages import clean_name
from core.ingest.sandbox.limits import MAX_BANDS, MAX_COLLECTION_FILES, PATCH_SIDES

_OPTICAL = ("sen2", "s2", "sentinel2", "sentinel_2", "sentinel-2", "optical", "msi")
"""What people call the dataset of optical patches beside those of radar, in small letters."""
_LABELS = ("label", "labels", "y", "class", "classes", "target", "targets", "lcz")
_SO2SAT = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
"""Bands of So2Sat LCZ42 in its order (Zhu et al. 2020, doi:10.1109/MGRS.2020.2964708)."""
_LOCAL_CLIMATE_ZONES = (
    "Compact high-rise", "Compact mid-rise", "Compact low-rise", "Open high-rise", "Open mid-rise", "Open low-rise",
    "Lightweight low-rise", "Large low-rise", "Sparsely built", "Heavy industry", "Dense trees", "Scattered trees",
    "Bush or scrub", "Low plants", "Bare rock or paved", "Bare soil or sand", "Water",
)  # fmt: skip
"""Its classes in the order of its labels: the zones 1 to 10 and A to G (Stewart and Oke 2012)."""
_MOST_LABELS = 2**26


@dataclass(frozen=True, kw_only=True)
class _PatchSet:
    """Where a file holds patches.

    Attributes:
        file: the file.
        pixels: path of the dataset of patches.
        shape: of it, patches first.
        labels: class of each patch, or None.
        labels_at: path of the dataset that names them, or None.
        others: paths of other datasets.
        so2sat: True = it has the datasets of So2Sat LCZ42.
    """

    file: Member
    pixels: str
    shape: tuple[int, ...]
    labels: tuple[str, ...] | None
    labels_at: str | None
    others: tuple[str, ...]
    so2sat: bool


class HdfPatches:
    """One HDF5 file of square patches, not of a cube, whose axes have names."""

    own_files: frozenset[str] = frozenset()

    def recognises(self, files: SourceFiles) -> bool:
        """Tell whether there is such a file, and nothing else of pixels."""
        if files.settings.time is not None or files.wanted_time is not None:
            return False
        try:
            return _patch_set(files) is not None
        except SourceError:  # Cubes say what is wrong with it.
            return False

    def layers(self, files: SourceFiles, opened: ExitStack) -> PatchFiles:
        """Return the patches, each known by its position in the dataset, and their classes."""
        found = _patch_set(files)
        if found is None:
            raise SourceError(found="it holds no patches", remedy="open one file at a time")
        count = found.shape[0]
        if count > MAX_COLLECTION_FILES:
            text = f"it holds {count:,} patches, more than the {MAX_COLLECTION_FILES:,} allowed"
            raise SourceTooLargeError(found=text, remedy="split it")
        patches = patch_members(found.pixels.rpartition("/")[2], count, found.file.size)
        dataset = _dataset(files, found, opened)
        texts = _SO2SAT if found.so2sat else ()

        def opens(patch: Member) -> RasterFile:
            with reading(found.file.name):
                return array_patch(replace(_patch(dataset, found.file, -1 - patch.number), texts=texts), patch)

        labels = found.labels or (None,) * count
        lines = [finding("axes", _layout(dataset, found), "assumed", f"its shape is {_text(found.shape)}")]
        if found.so2sat:
            because = "its datasets are those of So2Sat LCZ42, whose order of bands and of classes is published"
            lines.append(finding("product", "So2Sat LCZ42", "read", because))
        because = f"“{clean_name(found.pixels, 60)}” holds the patches"
        return PatchFiles(
            patches=patches,
            labels={patch.number: name for patch, name in zip(patches, labels, strict=True)},
            named_by=f"“{clean_name(found.labels_at or '', 60)}”",
            opens=opens,
            used=(found.file,),
            findings=(*lines, *ignored(found.others, because)),
        )


def _patch_set(files: SourceFiles) -> _PatchSet | None:
    """Return the patches of a source of one file; None where it holds none, or several datasets may be they.

    Raises:
        SourceError: when the file is damaged, or must not be read.
    """
    members = cube_files(files)
    if len(members) != 1 or len(files.members) != 1:
        return None
    path = files.shelf.path(members[0])
    if read_head(path, 8) != HDF5:
        return None
    with reading(members[0].name):
        contents = look_through(path)
        return _in_file(path, members[0], contents.groups, contents.unreadable)


def _in_file(path: Path, file: Member, groups: Sequence[str], unreadable: Mapping[str, str]) -> _PatchSet | None:
    import h5py

    with h5py.File(path, "r") as data:
        datasets = {
            f"{group}/{name}" if group else str(name): part
            for group in groups
            for name, part in data[group or "/"].items()
            if isinstance(part, h5py.Dataset)
        }
        datasets = {name: part for name, part in datasets.items() if name not in unreadable}
        pixels = [name for name, part in datasets.items() if _may_be_patches(part)]
        names = {name.rpartition("/")[2].lower() for name in pixels}
        optical = [name for name in pixels if name.rpartition("/")[2].lower() in _OPTICAL]
        chosen = optical or pixels
        if len(chosen) != 1 or not _square(datasets[chosen[0]], file):
            return None
        at = chosen[0]
        shape = tuple(int(length) for length in datasets[at].shape)
        so2sat = names == {"sen1", "sen2"} and shape[-1] == len(_SO2SAT)
        beside = [name for name in datasets if name not in pixels]
        called = [name for name in beside if name.rpartition("/")[2].lower() in _LABELS]
        labels_at, labels = _labels(datasets, called, shape[0])
        if labels is None and not so2sat:
            if not _apart(datasets[at], file):
                return None
            labels_at, labels = _labels(datasets, beside, shape[0])
        if so2sat and labels is not None and datasets[labels_at or ""].shape[1:] == (len(_LOCAL_CLIMATE_ZONES),):
            labels = tuple(_LOCAL_CLIMATE_ZONES[int(code)] for code in labels)
        return _PatchSet(
            file=file, pixels=at, shape=shape, labels=labels, labels_at=labels_at, so2sat=so2sat,
            others=tuple(name for name in datasets if name not in (at, labels_at)),
        )  # fmt: skip


def _may_be_patches(dataset: Any) -> bool:  # noqa: ANN401 (h5py has no types)
    """Tell whether a dataset has the axes of patches and none of them has a name or coordinates, as those of cubes."""
    shape, dtype = dataset.shape, dataset.dtype
    if len(shape) != 4 or dtype.kind not in "iuf" or not 1 < dtype.itemsize <= 8 or min(shape) < 1:
        return False
    if any(dim.label or len(dim) for dim in dataset.dims) or {"DIMENSION_LIST", "_Netcdf4Coordinates"} & set(
        dataset.attrs
    ):
        return False
    return any(MIN_BANDS <= length <= MAX_BANDS for length in (shape[1], shape[3]))


def _square(dataset: Any, file: Member) -> bool:  # noqa: ANN401 (h5py has no types)
    try:
        _, height, width = _patch(dataset, file, 0).pixels.shape
    except SourceError:
        return False
    return height == width and height in PATCH_SIDES


def _apart(dataset: Any, file: Member) -> bool:  # noqa: ANN401 (h5py has no types)
    return of_many_places(lambda place: _patch(dataset, file, place), int(dataset.shape[0]))


def _patch(dataset: Any, file: Member, place: int) -> ArrayFile:  # noqa: ANN401 (h5py has no types)
    numbers = np.asarray(dataset[place])
    return arranged(numbers.astype(numbers.dtype.newbyteorder("="), copy=False), file.name, 0)


def _labels(
    datasets: Mapping[str, Any], names: Sequence[str], count: int
) -> tuple[str, tuple[str, ...]] | tuple[None, None]:
    """Return the first dataset that names a class of each patch, and these."""
    for name in names:
        part = datasets[name]
        if len(part.shape) not in (1, 2) or part.shape[0] != count or part.size * 8 > _MOST_LABELS:
            continue
        values = np.asarray(part.asstr(errors="replace")[()] if part.dtype.kind == "O" else part[()])
        values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
        if values.dtype.kind in "OUS" and values.ndim == 1:
            return name, tuple(clean_name(text, 120) for text in class_texts(values.astype(str)))
        codes = class_codes(values) if values.dtype.kind in "iufb" else None
        if codes is not None:
            return name, tuple(str(code) for code in codes.tolist())
    return None, None


def _dataset(files: SourceFiles, found: _PatchSet, opened: ExitStack) -> Any:  # noqa: ANN401 (h5py has no types)
    import h5py

    with reading(found.file.name):
        return opened.enter_context(h5py.File(files.shelf.path(found.file), "r"))[found.pixels]


def _layout(dataset: Any, found: _PatchSet) -> str:  # noqa: ANN401 (h5py has no types)
    return _patch(dataset, found.file, 0).layout.replace("(", "(patches, ")


def _text(shape: Sequence[int]) -> str:
    return " × ".join(f"{length:,}" for length in shape)
