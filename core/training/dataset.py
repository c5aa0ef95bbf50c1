"""Labelled patches as something to learn from, read from scenes that have a truth.

How they are split is ``core.evaluation.splits``; how a network is fitted to them, ``core.training.keras.loop``.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES, FloatArray
from core.errors import TrainingError
from core.evaluation.band_statistics import light_of_pixels
from core.progress import Progress, silent
from core.scenes.labels import By, needed_labels
from core.scenes.patches import IntArray, centres_lonlat, iter_patches, patch_grid, source_names
from core.scenes.scene import REFLECTANCE_SCALE, Scene


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
        repeats: how many patches were left out because they were copies of others.
        lit: their light (``band_statistics``) where ``pixels`` are no longer those of the scene; None = of ``pixels``.
    """

    classes: tuple[str, ...]
    bands: tuple[str, ...]
    pixels: NDArray[np.uint16]
    labels: IntArray
    names: tuple[str, ...]
    lonlat: NDArray[np.float64]
    repeats: int = 0
    lit: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: NDArray[np.bool_] | IntArray) -> Labelled:
        """Some of the patches."""
        rows = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        names = tuple(self.names[row] for row in rows.tolist())
        return replace(
            self, pixels=self.pixels[rows], labels=self.labels[rows], names=names, lonlat=self.lonlat[rows],
            lit=None if self.lit is None else self.lit[rows],
        )  # fmt: skip

    def light(self) -> FloatArray:
        """The light of the patches as they lie in their scene, float32 of shape (N, 2 · bands)."""
        return light_of_pixels(self.pixels) if self.lit is None else self.lit

    def counts(self) -> dict[str, int]:
        """Patches a class."""
        found = np.bincount(self.labels, minlength=len(self.classes))
        return dict(zip(self.classes, found.tolist(), strict=True))

    def digest(self) -> str:
        """What tells these patches from any others, in hexadecimal."""
        state = hashlib.blake2b(json.dumps([self.classes, self.bands, self.names]).encode(), digest_size=16)
        state.update(np.ascontiguousarray(self.labels).data)
        for patch in self.pixels:
            state.update(np.ascontiguousarray(patch).data)
        return state.hexdigest()

    def kin(self) -> IntArray:
        """A number of shape (N,) that patches of one place share: those of one class and one file name.

        Where most files of a class have a name that others have too, names say nothing, and each is by itself.
        """
        keys = list(zip(self.labels.tolist(), stems(self.names), strict=True))
        often = Counter(keys)
        places = Counter(label for label, _ in often)
        patches = Counter(label for label, _ in keys)
        telling = {label for label in patches if places[label] > 1 and 2 * places[label] >= patches[label]}
        numbers: dict[tuple[object, ...], int] = {}
        for row, key in enumerate(keys):
            numbers.setdefault(key if key[0] in telling else (row,), len(numbers))
        found = [numbers[key if key[0] in telling else (row,)] for row, key in enumerate(keys)]
        return np.array(found, np.int64)


def labelled(scene: Scene, patch_size: int = 64, *, by: By | None = None, progress: Progress = silent) -> Labelled:
    """The labelled patches of a scene: by its truth those that one class fills, or those that people gave a class.

    Args:
        scene: a scene or a collection.
        patch_size: pixels a side; a collection has its own.
        by: where classes come from; None = from the truth if there is one, else by hand.
        progress: told how many patches of all are read.

    Raises:
        TrainingError: when the scene has no labels.
        PatchError: when patches of that size do not fit.
    """
    grid = patch_grid(scene, patch_size)
    truth = needed_labels(f"Learning from “{scene.name}”", scene, grid, by)
    wanted = truth.pure >= 0
    bands = tuple(name for name in BAND_NAMES if name in scene.bands)
    skip = frozenset(np.flatnonzero(~wanted).tolist())
    pixels = np.empty((int(wanted.sum()), grid.size, grid.size, len(bands)), np.uint16)
    place = 0
    for batch in iter_patches(scene, grid, bands, skip=skip):
        block = pixels[place : place + len(batch.ids)]
        np.rint(batch.pixels * REFLECTANCE_SCALE, out=block, casting="unsafe")
        place += len(batch.ids)
        progress(place, len(pixels))
    ids = np.flatnonzero(wanted)
    centres = centres_lonlat(scene, grid, ids)
    files = source_names(scene)
    return Labelled(
        classes=truth.classes,
        bands=bands,
        pixels=pixels,
        labels=truth.index[ids].astype(np.int64),
        names=tuple(files[row] if files else f"{scene.id}-{row}" for row in ids.tolist()),
        lonlat=np.full((len(ids), 2), np.nan) if centres is None else centres,
    )


def stems(names: Sequence[str]) -> list[str]:
    """Names without folders and endings: patches of one stem show one place, whatever set they come from."""
    return [name.rsplit("/", 1)[-1].rsplit(".", 1)[0] for name in names]


def contradictions(whole: Labelled) -> list[str]:
    """Patches that stand for two classes, each as ``name (class, class)``: of the same pixels, or of one file name.

    Where half the names of a class or more occur in another, files are numbered anew in each folder, and their names
    say nothing. Patches all of one value look alike without being the same land.
    """
    by_pixels: dict[str, set[int]] = {}
    by_name: dict[str, set[int]] = {}
    labels = whole.labels.tolist()
    keys = _pixel_keys(whole)
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


def without_copies(whole: Labelled) -> Labelled:
    """One patch of each that are the same, pixel for pixel: a copy that is held out measures nothing."""
    _, first = np.unique(_pixel_keys(whole), return_index=True)
    kept = whole.take(np.sort(first))
    return replace(kept, repeats=whole.repeats + len(whole) - len(kept))


def _pixel_keys(whole: Labelled) -> list[str]:
    return [hashlib.sha256(np.ascontiguousarray(patch).data).hexdigest() for patch in whole.pixels]


def joined(sets: Sequence[Labelled], bands: Sequence[str] | None = None) -> Labelled:
    """Several sets as one, on the bands they share; classes of one name are one class.

    Args:
        sets: at least one.
        bands: which bands to keep; None = all they share.

    Raises:
        TrainingError: when their patches differ in size, or they share no band, or one lacks a wanted band.
    """
    asked = "Learning from labelled patches"
    sides = sorted({one.pixels.shape[1] for one in sets})
    if len(sides) > 1:
        found = f"they come in sizes of {' and '.join(str(side) for side in sides)} pixels"
        raise TrainingError(asked, found, "give patches of one size")
    shared = [name for name in BAND_NAMES if all(name in one.bands for one in sets)]
    wanted = shared if bands is None else [name for name in BAND_NAMES if name in bands]
    missing = [name for name in bands or () if name not in shared]
    if missing or not wanted:
        found = f"they share the bands {', '.join(shared) or 'none'}"
        if bands is not None:
            found += f", and {', '.join(missing) or 'no band'} was asked for"
        raise TrainingError(asked, found, "choose among these" if shared else "give sets with the same bands")
    classes = tuple(sorted({name for one in sets for name in one.classes}))
    numbers = [np.array([classes.index(name) for name in one.classes], np.int64) for one in sets]
    columns = [[one.bands.index(name) for name in wanted] for one in sets]
    return Labelled(
        classes=classes,
        bands=tuple(wanted),
        pixels=np.concatenate([one.pixels[..., column] for one, column in zip(sets, columns, strict=True)]),
        labels=np.concatenate([number[one.labels] for one, number in zip(sets, numbers, strict=True)]),
        names=tuple(name for one in sets for name in one.names),
        lonlat=np.concatenate([one.lonlat for one in sets]),
    )
