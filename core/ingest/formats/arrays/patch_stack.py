"""Patches in one array, a patch by its first axis, as people keep what a network learns from: ``X`` and ``y``.

An array of four axes may hold dates of one place as well. It holds patches where another array names a class of each,
or where what follows each other shows different places and nothing states dates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import SourceError, SourceTooLargeError
from core.ingest.files import Member, SourceFiles
from core.ingest.findings import finding
from core.ingest.formats.arrays.keys import dates_beside, may_be_scene, names_beside
from core.ingest.formats.arrays.numpy_file import ArrayFile, arrays_of, open_array
from core.ingest.formats.arrays.numpy_header import read_header
from core.ingest.formats.geotiff import RasterFile
from core.ingest.formats.kind import PatchFiles
from core.ingest.grid.resample import Bools, PixelWindow
from core.ingest.messages import clean_name
from core.ingest.sandbox.limits import MAX_CLASSES, MAX_COLLECTION_FILES, PATCH_SIDES
from core.scenes.quality import Finding

_NAMED = frozenset({"y", "label", "labels", "class", "classes", "target", "targets", "category", "categories"})
_FEWEST, _PAIRS, _COARSE = 8, 64, 8
_ALIKE = 0.25
"""Below this correlation of what follows each other, at the median, an array shows different places."""
_MOST_BYTES = 2**26


@dataclass(frozen=True, kw_only=True)
class _Labels:
    """Classes of patches.

    Attributes:
        names: of each patch.
        files: that state them.
    """

    names: tuple[str, ...]
    files: tuple[Member, ...]


@dataclass(frozen=True, kw_only=True)
class _Stack:
    """An array of patches.

    Attributes:
        array: its file.
        count: how many patches it holds.
        labels: their classes, or None.
    """

    array: Member
    count: int
    labels: _Labels | None


class PatchStacks:
    """One array of square patches, and perhaps arrays that name their classes."""

    own_files: frozenset[str] = frozenset()

    def recognises(self, files: SourceFiles) -> bool:
        """Tell whether there is such an array."""
        return files.settings.time is None and files.wanted_time is None and _stack(files) is not None

    def layers(self, files: SourceFiles, _opened: ExitStack) -> PatchFiles:
        """Return the patches, each known by its position in the array, and their classes."""
        stack = _stack(files)
        if stack is None:
            raise SourceError(found="it holds no array of patches", remedy="open one array at a time")
        if stack.count > MAX_COLLECTION_FILES:
            found = f"it holds {stack.count:,} patches, more than the {MAX_COLLECTION_FILES:,} allowed"
            raise SourceTooLargeError(found=found, remedy="split it")
        array, labels = stack.array, stack.labels
        one = open_array(files.shelf.path(array), array.name, 0)
        texts = names_beside(files, array, one.count)
        patches = patch_members(array.stem, stack.count, array.size)
        named = labels.names if labels is not None else (None,) * stack.count
        return PatchFiles(
            patches=patches,
            labels={patch.number: name for patch, name in zip(patches, named, strict=True)},
            named_by="" if labels is None else f"“{labels.files[0].base}”",
            opens=_opener(files, stack, () if texts is None else texts[0]),
            used=(array, *(() if labels is None else labels.files), *(() if texts is None else texts[1:])),
            findings=tuple(_said(one, stack)),
        )


def _said(one: ArrayFile, stack: _Stack) -> list[Finding]:
    layout = one.layout.replace("dates", "patches")
    lines = [finding("axes", layout, "assumed", f"its shape is {one.shape_text}")]
    if stack.labels is None:
        because = "nothing states dates, and what follows each other shows different places"
        lines.append(finding("patches", f"{stack.count:,}", "decided", because, "time"))
    return lines


def _stack(files: SourceFiles) -> _Stack | None:
    """Return the array of patches of a source; None where there is none, or several may be it."""
    arrays = arrays_of(files)
    found = [member for member in arrays if may_be_scene(files.shelf.path(member))]
    if len(found) != 1:
        return None
    array = found[0]
    shape = read_header(files.shelf.path(array))[0]
    if len(shape) != 4 or not _square(files, array) or dates_beside(files, array, shape[0]) is not None:
        return None
    labels = _labels(files, [member for member in arrays if member is not array], shape[0])
    path = files.shelf.path(array)
    if labels is None and not of_many_places(lambda place: open_array(path, array.name, place), shape[0]):
        return None
    return _Stack(array=array, count=shape[0], labels=labels)


def _square(files: SourceFiles, array: Member) -> bool:
    try:
        one = open_array(files.shelf.path(array), array.name, 0)
    except SourceError:
        return False
    _, height, width = one.pixels.shape
    return height == width and height in PATCH_SIDES


def of_many_places(open_patch: Callable[[int], ArrayFile], count: int) -> bool:
    """Tell whether patches that follow each other have nothing in common but chance, in the means of coarse cells.

    Args:
        open_patch: opens a patch, counted from 0.
        count: how many there are; a few tell nothing.
    """
    if count < _FEWEST:
        return False
    found = []
    for place in np.unique(np.linspace(0, count - 2, min(_PAIRS, count - 1)).astype(int)).tolist():
        first, second = (_coarse(open_patch(place + step)) for step in (0, 1))
        if first.std() > 0 and second.std() > 0:
            found.append(abs(float(np.corrcoef(first, second)[0, 1])))
    return bool(found) and float(np.median(found)) < _ALIKE


def _coarse(one: ArrayFile) -> NDArray[np.float64]:
    """Return means of cells of a patch, bands by themselves and without their own means, in a row."""
    pixels = np.nan_to_num(np.asarray(one.pixels, np.float64))
    step = max(1, pixels.shape[1] // _COARSE)
    side = step * (pixels.shape[1] // step)
    cells = pixels[:, :side, :side].reshape(len(pixels), side // step, step, side // step, step).mean(axis=(2, 4))
    flat = cells.reshape(len(cells), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray((flat / np.maximum(flat.std(axis=1, keepdims=True), 1e-9)).ravel())


def _labels(files: SourceFiles, others: Sequence[Member], count: int) -> _Labels | None:
    """Return the classes that an array names, the best called one first."""
    for member in sorted(others, key=lambda one: one.stem.lower() not in _NAMED):
        values = _values(files, member)
        if values is None or len(values) != count:
            continue
        if values.dtype.kind in "US":
            return _Labels(names=tuple(clean_name(text, 120) for text in class_texts(values)), files=(member,))
        numbers = class_codes(values)
        if numbers is not None:
            named = _class_names(files, others, int(numbers.max()) + 1)
            names = {} if named is None else dict(enumerate(named[0]))
            used = (member,) if named is None else (member, named[1])
            return _Labels(names=tuple(names.get(code, str(code)) for code in numbers.tolist()), files=used)
    return None


def _values(files: SourceFiles, member: Member) -> NDArray[np.generic] | None:
    """Return a small array of texts or numbers; None for any other. Nothing is unpickled."""
    path = files.shelf.path(member)
    try:
        shape, _, dtype, _ = read_header(path)
        if dtype.hasobject or dtype.kind not in "USiufb" or len(shape) not in (1, 2) or member.size > _MOST_BYTES:
            return None
        values: NDArray[np.generic] = np.load(path, allow_pickle=False)
    except (SourceError, ValueError, OSError):
        return None
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def class_codes(values: NDArray[np.generic]) -> NDArray[np.int64] | None:
    """Return codes of classes: whole numbers, or the place of the one of each row that is 1; None for any other.

    Args:
        values: of shape (patches,), or (patches, classes).
    """
    if values.ndim == 2:
        ones = (values == 1).sum(axis=1)
        apart = bool((ones == 1).all() and ((values == 0) | (values == 1)).all())
        return values.argmax(axis=1).astype(np.int64) if apart else None
    if values.dtype.kind not in "iu" or not len(values):
        return None
    codes = values.astype(np.int64)
    return codes if codes.min() >= 0 and len(np.unique(codes)) <= min(MAX_CLASSES, max(2, len(codes) // 2)) else None


def _class_names(files: SourceFiles, others: Sequence[Member], count: int) -> tuple[list[str], Member] | None:
    """Return names of so many classes or more that an array of texts lists, and that array."""
    for member in others:
        values = _values(files, member)
        if values is not None and values.ndim == 1 and values.dtype.kind in "US" and len(values) >= count:
            return [clean_name(text, 120) for text in class_texts(values)], member
    return None


def class_texts(values: NDArray[np.generic]) -> list[str]:
    """Return an array of texts as such."""
    plain = np.char.decode(values.astype(np.bytes_), "utf-8", "replace") if values.dtype.kind == "S" else values
    return [str(text) for text in plain.tolist()]


@dataclass(frozen=True, kw_only=True)
class ArrayPatch(RasterFile):
    """One patch of an array as a raster.

    Attributes:
        array: the patch.
    """

    array: ArrayFile

    def read(self, indexes: list[int], window: PixelWindow) -> NDArray[np.generic]:
        """Read as a raster of a file."""
        return self.array.read(indexes, window)

    def read_missing(self, _window: PixelWindow) -> Bools | None:
        """Return None: arrays hold no mask."""
        return None

    def close(self) -> None:
        """Let the file go: nothing is held."""


def _opener(files: SourceFiles, stack: _Stack, texts: tuple[str, ...]) -> Callable[[Member], RasterFile]:
    """Return what opens a patch by its number."""
    path = files.shelf.path(stack.array)
    return lambda patch: array_patch(replace(open_array(path, stack.array.name, -1 - patch.number), texts=texts), patch)


def array_patch(array: ArrayFile, patch: Member) -> ArrayPatch:
    """Return an array of one patch as a raster called as the patch."""
    return ArrayPatch(
        array=array, name=patch.name, data=None, geobox=array.geobox, count=array.count, dtypes=array.dtypes,
        descriptions=array.descriptions, nodata=array.nodata, scaling=array.scaling, alpha=(), tags={},
        block=array.block, masked=False,
    )  # fmt: skip


def patch_members(stem: str, count: int, size: int) -> tuple[Member, ...]:
    """Return patches that are no files of their own, as members with numbers below 0.

    Args:
        stem: what each is called, before its number.
        count: how many there are.
        size: bytes of all of them.
    """
    digits = len(str(count - 1))
    return tuple(
        Member(number=-1 - place, name=f"{stem}_{place:0{digits}d}", size=size // count) for place in range(count)
    )
