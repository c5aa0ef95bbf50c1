"""The map of classes of a scene: the head that makes it, what it gives each patch and cell; shared by all visitors.

How it is wanted is ``MappedSource.choice``. What takes longer than a click is a job of ``core.engine.class_tasks``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from core.classification.cells import ChanceCells, cells_place, chance_cells, commonest, smoothed_cells
from core.classification.heads import Head, Taught, reteach, taught_head, teach
from core.classification.labelled import LabelledPatches, labelled_scene
from core.classification.maps.choice import BY_ENCODER, SAVED, SMOOTHING_WORDS, MapChoice
from core.classification.maps.patches import head_key, named_patches
from core.classification.models import HEAD_KINDS, HeadKind, check_kind
from core.engine.answers import Answers
from core.engine.class_tasks import head_origin
from core.engine.operations import Engine
from core.errors import ClassificationError, EncoderError, LandlikeError
from core.evaluation.classifier import Named
from core.evaluation.novelty import NOVEL_ABOVE
from core.features.recipe import Recipe
from core.scenes.cut import Cut
from core.scenes.geobox import GeoBox
from core.scenes.overview import metres_of
from core.scenes.patches import PatchGrid, patch_grid
from core.values.source import FinerClasses, PatchSource, ValueCells

MOST_AT_ONCE = 100_000
"""Labels times numbers of a feature up to which a page cross-validates by itself: about a fifth of a second."""

NBSP = "\N{NO-BREAK SPACE}"

HEAD_WORDS = {kind: title.capitalize() for kind, title in HEAD_KINDS.items()} | {
    BY_ENCODER: "The encoder’s own classes"
}


@dataclass(frozen=True, kw_only=True, eq=False)
class MappedSource(PatchSource):
    """A scene of the library, its encoded patches, and how its map of classes is wanted.

    Attributes:
        recipe: how it was encoded.
        grid: the patches it was cut into.
        engine: what computes and keeps.
        answers: what was computed before.
        choice: how its map of classes is wanted.
    """

    recipe: Recipe
    grid: PatchGrid
    engine: Engine
    answers: Answers = field(default_factory=Answers)
    choice: MapChoice = field(default_factory=MapChoice)

    def kept(self, key: Hashable, make: Callable[[], Any]) -> Any:  # noqa: ANN401  as various as what is kept
        """Return what was kept under a key, else what ``make`` gives."""
        return self.answers.get(key, make)


def taught_kind(choice: MapChoice) -> HeadKind:
    """Return which kind of head the labels of a scene teach: that of the map, or else the usual one."""
    return check_kind(choice.head) if choice.by_labels else "logistic"


def labels_that_teach(view: MappedSource) -> LabelledPatches | None:
    """Return the patches that people gave a class; None where there are fewer than two classes."""
    given = view.labels.given
    if given is None or not view.labels.version:
        return None
    found: tuple[LabelledPatches | None] = view.answers.get(
        ("labelled", view.labels.version), lambda: (_labelled(view),)
    )
    return found[0]


def _labelled(view: MappedSource) -> LabelledPatches | None:
    given = view.labels.given
    try:
        table = view.table
        return None if given is None else labelled_scene(view.scene, view.grid, table.patch_ids, table.unit, given)
    except ClassificationError:
        return None


def taught_by_labels(view: MappedSource, kind: HeadKind) -> Taught | None:
    """Return the head of a kind that the labels teach, and how well such heads do; None while nothing teaches one.

    Of few labels it is cross-validated at once. Of many, a job does it: until then the head is taught anew by the
    settings found before, and measures are those of before. A forest stays that of the labels it was grown on.
    """
    known, version = labels_that_teach(view), view.labels.version
    if known is None:
        return None
    kept = view.engine.classifications.compared
    if kept.has(view.recipe, version, kind):
        return _kept(view, version, kind)
    if kind == "forest":
        return _kept(view, kept.latest(view.recipe, kind), kind)
    if at_once(view):
        origin = head_origin(view.scene, view.recipe)
        found: Taught = view.answers.get(("taught", kind, version), lambda: teach(known, kind, origin=origin))
        return found
    before = _kept(view, kept.latest(view.recipe, kind), kind)
    if before is None:
        return None
    again: Taught = view.answers.get(
        ("taught", kind, version), lambda: replace(before, head=reteach(before.head, known))
    )
    return again


def _kept(view: MappedSource, version: str, kind: HeadKind) -> Taught | None:
    found: Taught | None = view.answers.get(
        ("kept", kind, version), lambda: view.engine.classifications.compared.get(view.recipe, version, kind)
    )
    return found


def at_once(view: MappedSource) -> bool:
    """Return whether so few patches are labelled that a page cross-validates a head by itself; quick."""
    given = view.labels.given
    count = 0 if given is None else int((given.index[view.table.patch_ids] >= 0).sum())
    return bool(count * view.table.unit.shape[1] <= MOST_AT_ONCE)


def behind(view: MappedSource) -> bool:
    """Return whether a job has to teach or measure the head of the map before it is that of the labels as they are."""
    known, kind = labels_that_teach(view), taught_kind(view.choice)
    if known is None or view.engine.classifications.compared.has(view.recipe, view.labels.version, kind):
        return False
    return kind == "forest" or not at_once(view)


def chosen_head(view: MappedSource) -> Head | None:
    """Return the head that makes the map; None while there is none.

    Raises:
        EncoderError: one sentence on why the head that was chosen cannot be used here.
    """
    choice = view.choice
    if choice.by_labels:
        found = taught_by_labels(view, taught_kind(choice))
        return None if found is None else found.head
    if choice.head == BY_ENCODER:
        own: tuple[Head | None] = view.answers.get(
            "encoder_head", lambda: (taught_head(view.recipe, view.engine.config, view.scene.bands),)
        )
        return own[0]
    head = _saved(view, choice.head.removeprefix(SAVED))
    head.check_fits(view.recipe.fingerprint, view.table.unit.shape[1], view.scene.level or "")
    return head


def _saved(view: MappedSource, name: str) -> Head:
    kept = view.engine.classifications.saved
    head: Head = view.answers.get(("saved", name, kept.stamp(name)), lambda: kept.load(name))
    return head


def head_or_none(view: MappedSource) -> Head | None:
    """Return the head that makes the map; None where there is none, or it cannot be used here."""
    try:
        return chosen_head(view)
    except LandlikeError:
        return None


def version_of_map(view: MappedSource) -> str:
    """Return what tells the map from any other; empty while there is none."""
    choice, given = replace(view.choice, parts=1), view.labels.given
    if choice.by_labels and (given is None or len(given.classes) < 2):
        return ""
    if choice == MapChoice() and at_once(view):
        return view.labels.version
    head = head_or_none(view)
    if head is None:
        return ""
    state = repr((sorted(asdict(choice).items()), head_key(head)))
    return hashlib.blake2b(state.encode(), digest_size=8).hexdigest()


def named_on_map(view: MappedSource) -> Named | None:
    """Return the class of every patch on the map; None while there is none."""
    version = version_of_map(view)
    head = head_or_none(view) if version else None
    if head is None:
        return None
    found: Named = view.answers.get(("classified", version), lambda: _named(view, head, version))
    return found


def _named(view: MappedSource, head: Head, version: str) -> Named:
    grid = None if view.scene.is_collection else view.grid
    return named_patches(head, view.table.unit, view.choice, key=version, grid=grid, ids=view.table.patch_ids)


def cut_of_map(view: MappedSource) -> Cut | None:
    """Return the cut of the overlapping patches that the map is wanted of; None where it is of the patches."""
    return None if view.scene.is_collection else view.choice.finer_cut(view.recipe.cut)


def map_cells_of(view: MappedSource) -> ChanceCells | None:
    """Return the map on cells, finer and smoothed as wanted; None while there is none, or in a collection."""
    version = version_of_map(view)
    head = head_or_none(view) if version else None
    if head is None or view.scene.is_collection:
        return None
    cut, key = cut_of_map(view), head_key(head)
    if cut is not None and not view.engine.classifications.finer.has(replace(view.recipe, cut=cut), key):
        return None
    name = ("cells", version, None if cut is None else cut.key)
    found: ChanceCells | None = view.answers.get(name, lambda: _cells(view, head, cut, key))
    return found


def head_in_words(view: MappedSource) -> str:
    """Return which head makes the map, in words."""
    head, choice = head_or_none(view), view.choice
    kind = "" if head is None else HEAD_KINDS[head.kind]
    if choice.head.startswith(SAVED):
        return f"{kind}, saved as {choice.head.removeprefix(SAVED)}"
    return f"the encoder’s own classes, {kind}" if choice.head == BY_ENCODER else f"{kind} on labels by hand"


def finer_version_of(view: MappedSource) -> str:
    """Return what tells the map on finer cells from any other, letters and digits; empty while there is none."""
    cut = cut_of_map(view)
    version = "" if cut is None else version_of_map(view)
    head = head_or_none(view) if version else None
    if cut is None or head is None:
        return ""
    made = view.engine.classifications.finer.has(replace(view.recipe, cut=cut), head_key(head))
    return f"{version}x{view.choice.parts}" if made else ""


def finer_classes(view: MappedSource) -> FinerClasses | None:
    """Return the map on finer cells as a value for plot and map; None while there is none."""
    version, cut, head = finer_version_of(view), cut_of_map(view), head_or_none(view)
    cells = map_cells_of(view) if version else None
    if cells is None or cut is None or head is None:
        return None
    index = np.where(cells.abstained(view.choice.below), len(head.names), cells.index)
    fine, rows = patch_grid(view.scene, cut), view.grid.first_pixels(view.table.patch_ids)
    ends = (int(fine.tops[-1]) + fine.size, int(fine.lefts[-1]) + fine.size)
    values = np.where(index < 0, np.nan, index).astype(np.float32)
    return FinerClasses(
        classes=head.names, cells=ValueCells(values=values, side=cut.stride, ends=ends),
        patches=commonest(index, rows, view.grid.size, cut.stride), about=_about_finer(view, cut, head),
        version=version,
    )  # fmt: skip


def _about_finer(view: MappedSource, cut: Cut, head: Head) -> str:
    """Return in a sentence which head made the map on finer cells, and when."""
    metres = metres_of(view.scene)
    wide = f"{cut.stride} pixels" if metres is None else f"{cut.stride * metres:,.0f} m"
    made = view.engine.classifications.finer.made(replace(view.recipe, cut=cut), head_key(head))
    when = "" if made is None else f"; made on {made.day}{NBSP}{made:%B}{NBSP}{made.year}"
    smoothed = "" if view.choice.smoothing == "none" else f", {SMOOTHING_WORDS[view.choice.smoothing]}"
    return f"Cells of {wide}, by {head_in_words(view)}{smoothed}{when}"


def _cells(view: MappedSource, head: Head, cut: Cut | None, key: str) -> ChanceCells | None:
    if cut is None:
        found, strange = head.predict(view.table.unit), view.novelty()
        novel = found.novel if strange is None else found.novel | (strange > NOVEL_ABOVE)
        cells: ChanceCells | None = chance_cells(
            view.scene.grid, view.grid, view.table.patch_ids, found.chances, novel
        )  # fmt: skip
    else:
        cells = view.engine.classifications.finer_map(view.recipe, cut, key)
    if cells is None:
        return None
    cells = smoothed_cells(replace(cells, place=map_place(view, cut)), view.choice.smoothing)
    return replace(cells, novel=np.zeros_like(cells.novel)) if view.choice.strange else cells


def map_place(view: MappedSource, cut: Cut | None) -> GeoBox:
    """Return where the cells of a map lie: as wide as patches of a cut lie apart; None = as the scene is cut."""
    grid = view.grid if cut is None else patch_grid(view.scene, cut)
    return cells_place(view.scene.grid, grid)


def head_problem(view: MappedSource) -> str:
    """Return in a sentence why the head that was chosen cannot be used here; empty where it can."""
    try:
        chosen_head(view)
    except EncoderError as error:
        return str(error)
    return ""
