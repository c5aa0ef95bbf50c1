"""Labelled patches as something to learn from: read from scenes, joined, and refused where they teach nothing.

Which of them are held out is ``core.training.split``; how a network is fitted to them, ``core.training.keras``.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES, FloatArray, fill_source
from core.encoders.atmosphere import brought_to
from core.encoders.preprocessing import resized
from core.errors import TrainingError
from core.evaluation.band_statistics import statistics_of_pixels
from core.features.batches import iter_patches
from core.features.vector_table import NO_PIXELS
from core.progress import Progress, part_of, silent
from core.scenes.cut import DEFAULT_CUT, Cut
from core.scenes.given.cut import cut_of_labels
from core.scenes.labels import By, LabelSet, needed_labels, origin_of
from core.scenes.library import Library
from core.scenes.patches import IntArray, centres_lonlat, patch_grid
from core.scenes.places import source_names
from core.scenes.scene import REFLECTANCE_SCALE, Scene
from core.training.request import TrainingRequest

_ASKED = "Learning from labelled patches"


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Labelled patches of one size.

    Attributes:
        classes: class names, sorted.
        bands: in product order.
        pixels: uint16 reflectance × 10 000 of shape (N, side, side, bands); 0 where not measured.
        labels: int64 of shape (N,), indices into ``classes``.
        names: of each patch, from its file where it had one.
        lonlat: float64 of shape (N, 2), EPSG:4326; NaN where the place is unknown.
        title: where they come from, as people call it.
        repeats: how many patches were left out because they were copies of others.
        statistics: those of their bands (``core.evaluation.band_statistics``), float32 of shape (N, 2 · bands), where
            ``pixels`` are no longer those of the scene; None = of ``pixels``.
        level: product level of ``pixels``, ``L1C`` or ``L2A``; None = unknown, or several.
    """

    classes: tuple[str, ...]
    bands: tuple[str, ...]
    pixels: NDArray[np.uint16]
    labels: IntArray
    names: tuple[str, ...]
    lonlat: NDArray[np.float64]
    title: str = ""
    repeats: int = 0
    statistics: FloatArray | None = None
    level: str | None = None

    def __len__(self) -> int:
        """Return how many patches there are."""
        return len(self.labels)

    def take(self, chosen: NDArray[np.bool_] | IntArray) -> Labelled:
        """Return some of the patches, by a mask of shape (N,) or by their indices."""
        rows = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        names = tuple(self.names[row] for row in rows.tolist())
        return replace(
            self, pixels=self.pixels[rows], labels=self.labels[rows], names=names, lonlat=self.lonlat[rows],
            statistics=None if self.statistics is None else self.statistics[rows],
        )  # fmt: skip

    def of_its_classes(self) -> Labelled:
        """Return the same patches without classes that none of them has; a scene's map may name many such."""
        there, labels = np.unique(self.labels, return_inverse=True)
        return replace(self, classes=tuple(self.classes[number] for number in there.tolist()), labels=labels)

    def on(self, bands: Sequence[str]) -> Labelled:
        """Return the same patches in some of the bands, in product order."""
        kept = [place for place, name in enumerate(self.bands) if name in bands]
        if len(kept) == len(self.bands):
            return self
        columns = [*kept, *(place + len(self.bands) for place in kept)]
        return replace(
            self, bands=tuple(self.bands[place] for place in kept), pixels=self.pixels[..., kept],
            statistics=None if self.statistics is None else self.statistics[:, columns],
        )  # fmt: skip

    def images(self, bands: Sequence[str], rows: slice) -> FloatArray:
        """Return reflectance of some of the patches, float32 of shape (N, H, W, bands), missing bands as in scenes."""
        pixels = self.pixels[rows]
        found = np.zeros((*pixels.shape[:3], len(bands)), np.float32)
        for place, name in enumerate(fill_source(name, self.bands) for name in bands):
            if name is not None:
                found[..., place] = pixels[..., self.bands.index(name)] / np.float32(REFLECTANCE_SCALE)
        return found

    def band_statistics(self) -> FloatArray:
        """Return those of the patches as they lie in their scene, float32 of shape (N, 2 · bands)."""
        return statistics_of_pixels(self.pixels) if self.statistics is None else self.statistics

    def counts(self) -> dict[str, int]:
        """Return how many patches each class has."""
        found = np.bincount(self.labels, minlength=len(self.classes))
        return dict(zip(self.classes, found.tolist(), strict=True))

    def digest(self) -> str:
        """Return what tells these patches from any others, in hexadecimal."""
        state = hashlib.blake2b(json.dumps([self.classes, self.bands, self.names]).encode(), digest_size=16)
        state.update(np.ascontiguousarray(self.labels).data)
        for patch in self.pixels:
            state.update(np.ascontiguousarray(patch).data)
        return state.hexdigest()

    def groups(self) -> IntArray:
        """Return a number of shape (N,) that patches of one place share: those of one class and one file name.

        Where most files of a class have a name that others have too, names say nothing, and each is by itself.
        """
        keys = list(zip(self.labels.tolist(), stems(self.names), strict=True))
        often = Counter(keys)
        places = Counter(label for label, _ in often)
        patches = Counter(label for label, _ in keys)
        telling = {label for label in patches if places[label] > 1 and 2 * places[label] >= patches[label]}
        numbers: dict[tuple[object, ...], int] = {}
        found = [numbers.setdefault(key if key[0] in telling else (row,), len(numbers)) for row, key in enumerate(keys)]
        return np.array(found, np.int64)


def labelled(scene: Scene, cut: Cut | None = None, *, by: By | None = None, progress: Progress = silent) -> Labelled:
    """Read the labelled patches of a scene: by its truth those that one class fills, or those people gave a class.

    Args:
        scene: a scene or a collection.
        cut: how the scene is cut; None = as it was when people labelled its patches, else the usual way. A collection
            has its own patch size.
        by: where classes come from; None = from the truth if there is one, else by hand.
        progress: told how many patches of all are read.

    Raises:
        TrainingError: when the scene has no labels.
        PatchError: when patches of that size do not fit.
    """
    if not scene.has_pixels:
        remedy = "choose a scene with pixels, or classify its patches on the Classify page"
        raise TrainingError(f"Learning from “{scene.name}”", NO_PIXELS, remedy)
    by = by or origin_of(scene)
    grid = patch_grid(scene, cut or cut_to_learn(scene, by))
    truth = needed_labels(f"Learning from “{scene.name}”", scene, grid, by)
    wanted = truth.pure >= 0
    bands = tuple(name for name in BAND_NAMES if name in scene.bands)
    ids, skip = np.flatnonzero(wanted), frozenset(np.flatnonzero(~wanted).tolist())
    pixels = np.empty((int(wanted.sum()), grid.size, grid.size, len(bands)), np.uint16)
    place = 0
    for batch in iter_patches(scene, grid, bands, skip=skip):
        pixels[np.searchsorted(ids, batch.ids)] = np.rint(batch.pixels * REFLECTANCE_SCALE)
        place += len(batch.ids)
        progress(place, len(pixels))
    centres = centres_lonlat(scene, grid, ids)
    files = source_names(scene)
    return Labelled(
        classes=truth.classes,
        bands=bands,
        pixels=pixels,
        labels=truth.index[ids].astype(np.int64),
        names=tuple(files[row] if files else f"{scene.id}-{row}" for row in ids.tolist()),
        lonlat=np.full((len(ids), 2), np.nan) if centres is None else centres,
        title=scene.name,
        level=scene.level,
    )


def cut_to_learn(scene: Scene, by: By) -> Cut:
    """Return how a scene is cut to learn from it, unless somebody says otherwise."""
    return cut_of_labels(scene) if by == "hand" else DEFAULT_CUT


ReadPatches = Callable[[LabelSet, Progress], Labelled]
"""Reads a set of labelled patches, telling how many of all are read; errors as of ``labelled`` and of the library."""


def reader_of(library: Library, cut: Callable[[Scene], Cut | None] = lambda _: None) -> ReadPatches:
    """Return what reads labelled patches from the scenes of a library, each cut as ``cut`` or ``labelled`` says."""

    def read(one: LabelSet, progress: Progress) -> Labelled:
        scene = library.get(one.scene_id)
        return labelled(scene, cut(scene), by=one.by, progress=progress)

    return read


def read_sets(
    request: TrainingRequest, read: ReadPatches, progress: Progress, level: str | None = None
) -> tuple[list[Labelled], list[Labelled]]:
    """Read the sets to learn from and the test sets, each brought to a product level; errors as of ``ReadPatches``."""
    names = [*request.sets, *request.test_sets]
    ends = [1000 * number // max(1, len(names)) for number in range(len(names) + 1)]
    found = [read(one, part_of(progress, *ends[place : place + 2])) for place, one in enumerate(names)]
    found = [nominal(one, level) for one in found]
    return found[: len(request.sets)], found[len(request.sets) :]


def nominal(part: Labelled, level: str | None) -> Labelled:
    """Bring patches to a product level by a usual air, as scenes are; without a level on either side, leave them."""
    if level is None or part.level in (None, level):
        return part
    pixels = np.empty_like(part.pixels)
    for row, patch in enumerate(part.pixels):
        changed = brought_to(level, patch / np.float32(REFLECTANCE_SCALE), part.bands)
        held = np.clip(np.rint(changed * REFLECTANCE_SCALE), 0, np.iinfo(np.uint16).max)
        pixels[row] = np.where(patch.any(axis=-1, keepdims=True), held, 0)
    return replace(part, pixels=pixels, statistics=part.band_statistics(), level=level)


def stems(names: Sequence[str]) -> list[str]:
    """Return names without folders and endings: patches of one stem show one place, whatever set they come from."""
    return [name.rsplit("/", 1)[-1].rsplit(".", 1)[0] for name in names]


def conflicting(whole: Labelled, keys: Sequence[str] | None = None) -> list[str]:
    """Return patches that stand for two classes, each as ``name (class, class)``: of the same pixels or file name.

    Where half the names of a class or more occur in another, files are numbered anew in each folder, and their names
    say nothing. Patches all of one value look alike without being the same land. ``keys`` are those of their pixels,
    where they are known.
    """
    by_pixels: dict[str, set[int]] = {}
    by_name: dict[str, set[int]] = {}
    labels = whole.labels.tolist()
    keys = _pixel_keys(whole) if keys is None else keys
    for key, stem, label in zip(keys, stems(whole.names), labels, strict=True):
        by_pixels.setdefault(key, set()).add(label)
        by_name.setdefault(stem, set()).add(label)
    of_class = Counter(label for members in by_name.values() for label in members)
    shared = Counter(pair for members in by_name.values() for pair in combinations(sorted(members), 2))
    telling = {pair for pair, count in shared.items() if 2 * count < min(of_class[label] for label in pair)}
    found = {}
    for patch, key, name, stem in zip(whole.pixels, keys, whole.names, stems(whole.names), strict=True):
        members = by_pixels[key] if patch.min() < patch.max() else set[int]()
        if len(members) < 2:
            members = {label for pair in combinations(sorted(by_name[stem]), 2) if pair in telling for label in pair}
        if len(members) > 1:
            classes = ", ".join(whole.classes[label] for label in sorted(members))
            found[name.rsplit("/", 1)[-1]] = f"{name.rsplit('/', 1)[-1]} ({classes})"
    return list(found.values())


def drop_copies(whole: Labelled, keys: Sequence[str] | None = None) -> Labelled:
    """Return one patch of each that are the same, pixel for pixel: a copy that is held out measures nothing."""
    _, first = np.unique(_pixel_keys(whole) if keys is None else keys, return_index=True)
    kept = whole.take(np.sort(first))
    return replace(kept, repeats=whole.repeats + len(whole) - len(kept))


def _pixel_keys(whole: Labelled) -> list[str]:
    return [hashlib.sha256(np.ascontiguousarray(patch).data).hexdigest() for patch in whole.pixels]


def joined(sets: Sequence[Labelled], bands: Sequence[str] | None = None) -> Labelled:
    """Return several sets as one, on the bands they share; classes of one name are one class.

    Args:
        sets: at least one.
        bands: which bands to keep; None = all they share.

    Raises:
        TrainingError: when their patches differ in size, or they share no band, or one lacks a wanted band.
    """
    sides = sorted({one.pixels.shape[1] for one in sets})
    if len(sides) > 1:
        found = f"they come in sizes of {' and '.join(str(side) for side in sides)} pixels"
        raise TrainingError(_ASKED, found, "give patches of one size")
    shared = shared_bands(sets)
    wanted = list(shared) if bands is None else [name for name in BAND_NAMES if name in bands]
    missing = [name for name in bands or () if name not in shared]
    if missing or not wanted:
        found = f"they share the bands {', '.join(shared) or 'none'}"
        if bands is not None:
            found += f", and {', '.join(missing) or 'no band'} was asked for"
        raise TrainingError(_ASKED, found, "choose among these" if shared else "give sets with the same bands")
    classes = tuple(sorted({name for one in sets for name in one.classes}))
    numbers = [np.array([classes.index(name) for name in one.classes], np.int64) for one in sets]
    columns = [[one.bands.index(name) for name in wanted] for one in sets]
    levels = {one.level for one in sets}
    return Labelled(
        classes=classes,
        bands=tuple(wanted),
        pixels=np.concatenate([one.pixels[..., column] for one, column in zip(sets, columns, strict=True)]),
        labels=np.concatenate([number[one.labels] for one, number in zip(sets, numbers, strict=True)]),
        names=tuple(name for one in sets for name in one.names),
        lonlat=np.concatenate([one.lonlat for one in sets]),
        title=", ".join(one.title for one in sets if one.title),
        statistics=_joined_statistics(sets, columns),
        level=levels.pop() if len(levels) == 1 else None,
    )


def _joined_statistics(sets: Sequence[Labelled], columns: Sequence[Sequence[int]]) -> FloatArray | None:
    """Return band statistics of several sets where those of pixels are not those of the scenes, else None."""
    if all(one.statistics is None for one in sets):
        return None
    parts = [
        one.band_statistics()[:, [*chosen, *(len(one.bands) + number for number in chosen)]]
        for one, chosen in zip(sets, columns, strict=True)
    ]
    return np.concatenate(parts)


def gather(
    sets: Sequence[Labelled],
    *,
    test_sets: Sequence[Labelled] = (),
    bands: Sequence[str] | None = None,
    whole: bool = False,
) -> Labelled:
    """Return several sets as one, on the bands they share, less copies, and less what shows a place of a test set.

    Args:
        sets: what to learn from.
        test_sets: whose places are left out.
        bands: which bands to keep; None = all they share.
        whole: True = all shared bands are kept, and ``bands`` only decide which patches are copies of others.

    Raises:
        TrainingError: when nothing can be learned from them.
    """
    if not sets:
        raise TrainingError(_ASKED, "none were chosen", "choose a scene with classes, or label patches")
    shown = {stem for other in test_sets for stem in stems(other.names)}
    kept = [
        one.of_its_classes().take(np.array([stem not in shown for stem in stems(one.names)], dtype=bool))
        for one in sets
    ]
    every = joined(kept, bands)
    keys = _pixel_keys(every)
    kept_once, wrong = drop_copies(every, keys), conflicting(every, keys)
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        found = f"the same patch stands for several classes: {', '.join(wrong[:3])}{more}"
        raise TrainingError(_ASKED, found, "leave each patch in one class only")
    counts = kept_once.counts()
    few = [f"{name} ({count})" for name, count in counts.items() if count < 2]
    if len(counts) < 2 or few:
        found = (
            f"too few patches of {', '.join(few)}" if few else f"there is only the class {next(iter(counts), 'none')}"
        )
        gone = sum(map(len, sets)) - len(every)
        found += _missing(copies=kept_once.repeats, left_out=gone)
        raise TrainingError(_ASKED, found, "give two classes or more, two patches or more each")
    return drop_copies(joined(kept), keys) if whole else kept_once


def _missing(*, copies: int, left_out: int) -> str:
    """Say why fewer patches count than were given, as the end of a clause; empty when all count."""
    reasons = []
    if copies:
        reasons.append(f"{copies:,} {'is a copy' if copies == 1 else 'are copies'} of others, which count once")
    if left_out:
        reasons.append(
            f"{left_out:,} of the same names as the sets kept apart {'was' if left_out == 1 else 'were'} left out"
        )
    return "".join(f", and {reason}" for reason in reasons)


def shared_bands(sets: Sequence[Labelled]) -> tuple[str, ...]:
    """Return the bands that all sets have, in product order."""
    return tuple(name for name in BAND_NAMES if all(name in one.bands for one in sets))


def resize(whole: Labelled, side: int | None) -> Labelled:
    """Bring patches to the side that a base was trained on, by the same rule as when it encodes; None = as they are."""
    if side is None or whole.pixels.shape[1] == side:
        return whole
    pixels = np.empty((len(whole), side, side, len(whole.bands)), np.uint16)
    for row, patch in enumerate(whole.pixels):
        pixels[row] = np.rint(resized(patch[None].astype(np.float32), side)[0])
    return replace(whole, pixels=pixels, statistics=whole.band_statistics())
