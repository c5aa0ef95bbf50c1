"""Classes of patches: by the truth of a scene, and those that people gave to patches by hand.

The truth is a raster (``core.scenes.truth``), so that patches of any size have classes. What was given by hand belongs
to the patches it was given to, as windows of the scene, and is kept beside it in ``labels.json``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import PatchError, TrainingError
from core.scenes.given.annotations import Annotations, LabelFact, Window, annotations_version, now_utc, read_annotations
from core.scenes.given.classes import clean_class
from core.scenes.given.history import change_annotations
from core.scenes.patches import PatchGrid
from core.scenes.regions.of_interest import inside_area
from core.scenes.scene import Scene
from core.scenes.truth import LEAST_COVERED, OWN, own_truth, pixel_counts, truth_of

By = Literal["truth", "hand"]
"""Where classes come from: the truth of the scene, or people."""

MIN_PURITY = 0.8
"""A patch of a scene counts for a class when at least this share of its pixels lies in it."""


@dataclass(frozen=True, kw_only=True)
class LabelSet:
    """Labelled patches to learn from, by name.

    Attributes:
        scene_id: the scene.
        by: where its classes come from.
    """

    scene_id: str
    by: By


@dataclass(frozen=True, kw_only=True)
class PatchLabels:
    """The truth of patches.

    Attributes:
        classes: class names.
        index: int16 of shape (N,), the commonest class of each patch by patch_id, −1 = none.
        purity: float32 of shape (N,), the share of the patch's pixels in that class, 0 to 1.
        colours: of the classes as a map gives them, ``#rrggbb`` or empty; empty when it gives none.
    """

    classes: tuple[str, ...]
    index: NDArray[np.int16]
    purity: NDArray[np.float32]
    colours: tuple[str, ...] = ()

    @property
    def pure(self) -> NDArray[np.int64]:
        """Classes of shape (N,) as ``index``, −1 also where less than ``MIN_PURITY`` of the patch is of one class."""
        return np.where(self.purity >= MIN_PURITY, self.index, -1).astype(np.int64)


def patch_labels(scene: Scene, grid: PatchGrid, *, own: bool = False) -> PatchLabels | None:
    """Return labels of all patches by the scene's truth; None when it has none.

    Patches of which less than ``LEAST_COVERED`` has a class have no label, nor do those outside the area of a cut.

    Args:
        scene: the scene.
        grid: its patches.
        own: True = by what came with the scene, even where a map was added.

    Raises:
        SceneError: when the truth cannot be read.
    """
    truth = truth_of(scene) if not own else own_truth(scene)
    if truth is None:
        return None
    counts = pixel_counts(truth, grid)
    known = counts[:, 1:].sum(axis=1)
    best = counts[:, 1:].argmax(axis=1)
    most = counts[np.arange(grid.count), best + 1]
    index = np.where((known >= LEAST_COVERED * grid.size**2) & patches_there(scene, grid), best, -1).astype(np.int16)
    purity = (most / grid.size**2).astype(np.float32)
    return PatchLabels(classes=truth.classes, index=index, purity=purity, colours=truth.colours)


def patches_there(scene: Scene, grid: PatchGrid) -> NDArray[np.bool_]:
    """Return which patches of a grid are cut, bool of shape (count,): those of its area, where it has one."""
    try:
        inside = inside_area(scene, grid)
    except PatchError:  # The area is not kept any more: what is encoded already stays as it is.
        inside = None
    return np.ones(grid.count, np.bool_) if inside is None else inside


def hand_labels(scene: Scene, grid: PatchGrid) -> PatchLabels | None:
    """Return classes given by hand to just these patches, of a cut by an area to those inside; None without any."""
    known = read_annotations(scene)
    there = patches_there(scene, grid) if known.classes else np.zeros(0, np.bool_)
    found = {
        name: [
            patch_id
            for patch_id in (grid.patch_of_window(*window) for window in given)
            if patch_id is not None and there[patch_id]
        ]
        for name, given in known.classes.items()
    }
    classes = tuple(sorted(name for name, ids in found.items() if ids))
    if not classes:
        return None
    index = np.full(grid.count, -1, np.int16)
    for number, name in enumerate(classes):
        index[found[name]] = number
    colours = tuple(known.colours.get(name, "") for name in classes)
    purity = (index >= 0).astype(np.float32)
    return PatchLabels(classes=classes, index=index, purity=purity, colours=colours if any(colours) else ())


def labels_elsewhere(scene: Scene, grid: PatchGrid) -> int:
    """Return how many labels people gave to windows that are no patches of a grid."""
    windows = [window for given in given_windows(scene).values() for window in given]
    return sum(grid.patch_of_window(*window) is None for window in windows)


def covered_by_labels(scene: Scene, grid: PatchGrid) -> dict[str, list[int]]:
    """Return patches without a label of their own that labels given to other windows cover, by class.

    A patch has a class when windows of it cover at least ``MIN_PURITY`` of the patch; of several, the most.
    """
    given = given_windows(scene)
    own = {grid.patch_of_window(*window) for windows in given.values() for window in windows}
    shares: dict[int, dict[str, float]] = {}
    for name, windows in given.items():
        others = [window for window in sorted(windows) if grid.patch_of_window(*window) is None]
        for patch_id, near in _windows_of_patches(grid, others).items():
            if patch_id not in own:
                shares.setdefault(patch_id, {})[name] = _covered_share(grid.window(patch_id), near)
    found: dict[str, list[int]] = {}
    for patch_id, by_class in sorted(shares.items()):
        best = max(by_class, key=lambda name: by_class[name])
        if by_class[best] >= MIN_PURITY:
            found.setdefault(best, []).append(patch_id)
    return found


def _windows_of_patches(grid: PatchGrid, windows: Iterable[Window]) -> dict[int, list[Window]]:
    """Return which windows share pixels with a patch, by patch."""
    found: dict[int, list[Window]] = {}
    for top, left, side in windows:
        # One pixel of a patch inside the window is enough, so the square reaches almost a patch beyond it.
        beyond = grid.size - 1
        for patch_id in grid.reaching(top - beyond, left - beyond, side + 2 * beyond).tolist():
            found.setdefault(patch_id, []).append((top, left, side))
    return found


def _covered_share(patch: tuple[int, int, int, int], windows: Iterable[Window]) -> float:
    """Return the share of a patch's pixels that lie in at least one window."""
    row, col, height, width = patch
    covered = np.zeros((height, width), np.bool_)
    for top, left, side in windows:
        covered[max(0, top - row) : max(0, top + side - row), max(0, left - col) : max(0, left + side - col)] = True
    return float(covered.mean())


def carry_labels(scene: Scene, grid: PatchGrid) -> int:
    """Give the patches of ``covered_by_labels`` the classes of those; return how many. Errors as of ``give_label``."""
    found = covered_by_labels(scene, grid)
    for name, ids in found.items():
        give_label(scene, grid, ids, name)
    return sum(len(ids) for ids in found.values())


def labels_by(by: By | Literal["own"], scene: Scene, grid: PatchGrid) -> PatchLabels | None:
    """Return classes of one origin; ``own`` = the truth that came with the scene. None when there are none."""
    return hand_labels(scene, grid) if by == "hand" else patch_labels(scene, grid, own=by == "own")


def origin_of(scene: Scene) -> By:
    """Return where classes of a scene come from unless somebody says: from the truth if there is one, else by hand."""
    return "hand" if truth_of(scene) is None else "truth"


def needed_labels(asked: str, scene: Scene, grid: PatchGrid, by: By | None = None) -> PatchLabels:
    """Return classes for what cannot do without.

    Args:
        asked: what they are needed for, as an error says it.
        scene: the scene.
        grid: its patches.
        by: where classes come from; None = from the truth if there is one, else by hand.

    Raises:
        TrainingError: when there are none.
    """
    found = labels_by(by or origin_of(scene), scene, grid)
    if found is None:
        what = "nobody has labelled its patches by hand" if by == "hand" else "its patches have no labels"
        raise TrainingError(asked, what, "give patches in folders named by class, or label patches on the Explore page")
    return found


def merged(given: PatchLabels | None, truth: PatchLabels | None) -> PatchLabels | None:
    """Return classes by hand where there are any, else those of the truth; the classes of the truth come first."""
    if given is None or truth is None:
        return given or truth
    classes = (*truth.classes, *(name for name in given.classes if name not in truth.classes))
    numbers = np.array([classes.index(name) for name in given.classes], np.int16)
    by_hand = given.index >= 0
    return PatchLabels(
        classes=classes,
        index=np.where(by_hand, numbers[given.index], truth.index),
        purity=np.where(by_hand, given.purity, truth.purity),
        colours=_joint_colours(classes, truth, given),
    )


def _joint_colours(classes: tuple[str, ...], truth: PatchLabels, given: PatchLabels) -> tuple[str, ...]:
    """Return the colours of classes: those that people chose before those of the truth; empty where nobody says any."""
    known = {
        name: colour for one in (truth, given) for name, colour in zip(one.classes, one.colours, strict=False) if colour
    }
    return tuple(known.get(name, "") for name in classes) if known else ()


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneLabels:
    """All classes of a scene's patches, as they are at one moment.

    Attributes:
        version: what tells the labels given by hand from any others; empty when there are none.
        truth: of the scene, or None.
        given: by hand, or None.
        shown: by hand where there are any, else of the truth; or None.
        map_version: what tells the map of classes that was added from any other; empty when none was.
    """

    version: str = ""
    map_version: str = ""
    truth: PatchLabels | None = None
    given: PatchLabels | None = None
    shown: PatchLabels | None = None

    @property
    def truth_version(self) -> str:
        """What tells the truth from any other; empty when there is none."""
        return self.map_version or ("" if self.truth is None else OWN)

    @property
    def state(self) -> str:
        """What tells all of these from any others; that of labels given by hand alone is their version."""
        return joint_version(self.version, self.map_version)


def joint_version(hand: str, added: str) -> str:
    """Return one version of labels given by hand and a map that was added: 16 small letters and digits, or empty."""
    return hashlib.blake2b(f"{hand}-{added}".encode(), digest_size=8).hexdigest() if added else hand


NO_LABELS = SceneLabels()


def scene_labels(
    scene: Scene, grid: PatchGrid, version: str, truth: PatchLabels | None, added: str = ""
) -> SceneLabels:
    """Return all classes of a scene's patches.

    Args:
        scene: the scene.
        grid: its patches.
        version: from ``hand_version``.
        truth: from ``patch_labels``, which takes long.
        added: from ``map_version``.
    """
    given = hand_labels(scene, grid) if version else None
    return SceneLabels(version=version, truth=truth, given=given, shown=merged(given, truth), map_version=added)


def give_label(
    scene: Scene,
    grid: PatchGrid,
    ids: Iterable[int],
    name: str | None,
    *,
    who: str = "",
    view: str = "",
    colour: str = "",
    scheme: str = "",
) -> None:
    """Give patches a class, in place of the one they were given before; None takes it away.

    Args:
        scene: the scene.
        grid: its patches.
        ids: of the patches.
        name: of the class.
        who: gives it, as they call themselves.
        view: what it is given from, such as ``map``.
        colour: ``#rrggbb`` of the class, where it has none yet; empty = the app's.
        scheme: that it is chosen from, as of ``Annotations``, which stays where none was chosen yet.

    Raises:
        SettingsError: for a name that cannot be used, or one class too many.
        PatchError: when there is no such patch.
        SceneError: when the labels cannot be written, or those there are cannot be read.
    """
    asked, chosen = f"Labelling patches of “{scene.name}”", set(_windows(grid, ids))
    clean = None if name is None else clean_class(asked, name)
    fact = LabelFact(who=who[:60], when=now_utc(), view=view[:120])
    patches = f"{len(chosen)} patch{'es' if len(chosen) != 1 else ''}"
    what = f"no class for {patches}" if clean is None else f"“{clean}” for {patches}"

    def change(known: Annotations) -> Annotations:
        labelled = known.with_class(chosen, clean, fact)
        first = {clean: colour} if colour and clean is not None else {}
        return replace(labelled, colours={**first, **labelled.colours}, scheme=labelled.scheme or scheme)

    change_annotations(scene, asked, change, what)


def give_labels(
    scene: Scene,
    grid: PatchGrid,
    labels: Mapping[int, str],
    *,
    who: str = "",
    view: str = "",
    colours: Mapping[str, str] = MappingProxyType({}),
    scheme: str = "",
    keep: bool = False,
) -> None:
    """Give each of many patches its class, as one step to undo; arguments and errors as of ``give_label``.

    ``colours`` are those of classes that have none yet, by name. With ``keep`` patches that have a class by now, be it
    from another page, stay of it.
    """
    asked = f"Labelling patches of “{scene.name}”"
    fact = LabelFact(who=who[:60], when=now_utc(), view=view[:120])
    by_class: dict[str, set[Window]] = {}
    for patch_id, name in labels.items():
        by_class.setdefault(clean_class(asked, name), set()).update(_windows(grid, [patch_id]))

    def change(known: Annotations) -> Annotations:
        taken = known.of_window().keys() if keep else set[Window]()
        for name, windows in by_class.items():
            known = known.with_class(windows - taken, name, fact)
        first = {name: colours[name] for name in by_class if colours.get(name)}
        return replace(known, colours={**first, **known.colours}, scheme=known.scheme or scheme)

    change_annotations(scene, asked, change, f"labels for {len(labels)} patch{'es' if len(labels) != 1 else ''}")


def given_windows(scene: Scene) -> Mapping[str, set[Window]]:
    """Return all windows that people gave a class, by class; none when the file of labels is damaged."""
    return read_annotations(scene).classes


def add_windows(
    scene: Scene,
    added: Mapping[str, set[Window]],
    *,
    facts: Mapping[Window, LabelFact] = MappingProxyType({}),
    colours: Mapping[str, str] = MappingProxyType({}),
    confirmed: frozenset[Window] = frozenset(),
    scheme: str = "",
) -> None:
    """Give windows their classes, but those that have one, and classes their colours, but those that have one.

    Args:
        scene: the scene.
        added: windows by class.
        facts: what is known of some of these.
        colours: of some of the classes.
        confirmed: windows among these whose label somebody looked at again and kept.
        scheme: to choose labels from, where there is none yet.

    Raises:
        SettingsError: for one class too many.
        SceneError: when the labels cannot be written, or those there are cannot be read.
    """

    def change(known: Annotations) -> Annotations:
        taken = set().union(*known.classes.values())
        new = {name: windows - taken for name, windows in added.items()}
        fresh = set().union(*new.values())
        return replace(
            known,
            classes={**known.classes, **{name: known.classes.get(name, set()) | some for name, some in new.items()}},
            facts={**{window: fact for window, fact in facts.items() if window in fresh}, **known.facts},
            colours={**colours, **known.colours},
            confirmed=known.confirmed | (confirmed & fresh),
            scheme=known.scheme or scheme,
        )

    change_annotations(scene, f"Labelling patches of “{scene.name}”", change, "labels of another reading")


def hand_version(scene: Scene) -> str:
    """Return what tells the labels given by hand from any others, in hexadecimal; empty when there are none."""
    return annotations_version(scene)


def _windows(grid: PatchGrid, ids: Iterable[int]) -> list[Window]:
    return [grid.window(patch_id)[:3] for patch_id in ids]
