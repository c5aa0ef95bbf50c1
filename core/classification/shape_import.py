"""Labels of patches from points and polygons that people bring, and what of these could not be used."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from core.classification.label_import import ClassNames, ImportedLabels, Tally, containing, placed_outlines
from core.errors import ClassificationError
from core.ingest.vectors.geojson import LabelShapes
from core.scenes.patches import IntArray

LEAST_COVER = 0.5
"""A polygon, or several of a class, labels a patch of which it covers at least so much."""

SLIVER = 1e-6
"""Share of a patch below which two polygons touch rather than overlap."""

_SHAPE_SENTENCES = {
    "no_label": "Shapes without a label were left out: {count}",
    "bad_label": "Labels that cannot be a class were left out: {count}",
    "outside": "Shapes outside of all patches were left out: {count}",
    "small": "Polygons that cover less than the least share of any patch were left out: {count}",
    "duplicate": "Points that repeat a label of a patch counted once: {count}",
    "contradicting": "Patches with two different labels were left out: {count}",
    "overlapping": "Patches that polygons of two classes overlap in; what both claim counted for neither: {count}",
    "other": "Lines, and features whose shape is missing or cannot be read, were left out: {count}",
}


def labels_of_shapes(
    found: LabelShapes,
    patch_ids: IntArray,
    outlines: NDArray[np.object_] | None,
    *,
    asked: str,
    least_share: float = LEAST_COVER,
    names: ClassNames | None = None,
) -> ImportedLabels:
    """Return labels of the patches that points lie in and polygons cover.

    A patch gets the class whose polygons cover at least the least share of it, land that two classes claim counted for
    neither. Where two classes claim that share it contradicts itself and is left out, as it is where points of two
    classes lie in it. A point beside polygons of another class contradicts them too.

    Args:
        found: points and polygons with their classes.
        patch_ids: that may be labelled, int64 of shape (N,).
        outlines: of these, as of ``labels_of_table``.
        asked: what was asked for, for sentences.
        least_share: of a patch, above 0, at most 1.
        names: as of ``labels_of_table``.

    Raises:
        ClassificationError: when no label can be used, or the share is out of range.
    """
    if not 0 < least_share <= 1:
        raise ClassificationError(asked, f"the least share is {least_share:g}", "choose above 0 and at most 1")
    tally, land = Tally(names), placed_outlines(asked, outlines)
    tally.said += found.said
    for number in found.other_numbers:
        tally.add("other", f"feature {number}")
    if not found.other_numbers and found.other:
        tally.add("other", f"{found.other:,} features", count=found.other)
    usable = [tally.usable(label, f"feature {found.number(row)}") for row, label in enumerate(found.labels)]
    known = np.flatnonzero([name is not None for name in usable])
    laid = _LaidOver(
        shapes=found.shapes[known], names=[str(usable[row]) for row in known.tolist()],
        numbers=[found.number(row) for row in known.tolist()], land=land, patch_ids=patch_ids, tally=tally,
    )  # fmt: skip
    laid.points()
    laid.polygons(least_share)
    by_id = {int(patch_ids[row]): counted for row, counted in laid.given.items()}
    return tally.result(asked, tally.decided(by_id), _SHAPE_SENTENCES)


@dataclass(frozen=True, kw_only=True, eq=False)
class _LaidOver:
    """Shapes with a name each, laid over patches.

    Attributes:
        shapes: points and polygons.
        names: of each.
        numbers: of each in its file.
        land: outlines of the patches.
        patch_ids: of these.
        tally: counts what could not be used.
        given: how often each name was given to a patch, by row of ``land``.
    """

    shapes: NDArray[np.object_]
    names: list[str]
    numbers: list[int]
    land: NDArray[np.object_]
    patch_ids: IntArray
    tally: Tally
    given: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def points(self) -> None:
        """Give patches the names of the points in them."""
        rows = np.flatnonzero(self._are_points)
        parts, owner = shapely.get_parts(self.shapes[rows], return_index=True)
        for patch, which in zip(containing(parts, self.land).tolist(), rows[owner].tolist(), strict=True):
            if patch < 0:
                self._left_out("outside", which)
            else:
                self.given[patch][self.names[which]] += 1

    def polygons(self, least_share: float) -> None:
        """Give patches the names of the polygons that cover enough of them."""
        rows = np.flatnonzero(~self._are_points)
        which, patches = shapely.STRtree(self.land).query(self.shapes[rows], predicate="intersects")
        which = rows[which]
        for row in np.setdiff1d(rows, which).tolist():
            self._left_out("outside", row)
        common = shapely.intersection(self.shapes[which], self.land[patches])
        parts: dict[int, dict[str, list[shapely.Geometry]]] = defaultdict(lambda: defaultdict(list))
        for at, patch, part in zip(which.tolist(), patches.tolist(), common.tolist(), strict=True):
            parts[patch][self.names[at]].append(part)
        used = {(patch, name) for patch, by_name in parts.items() for name in self._claims(patch, by_name, least_share)}
        helped = {
            at for at, patch in zip(which.tolist(), patches.tolist(), strict=True) if (patch, self.names[at]) in used
        }
        for row in sorted(set(which.tolist()) - helped):
            self._left_out("small", row)

    def _claims(self, patch: int, by_name: dict[str, list[shapely.Geometry]], least_share: float) -> list[str]:
        """Give a patch the name whose polygons cover enough of it, or the names that contradict; return these."""
        whole = self.land[patch].area
        # Polygons of one class may overlap: what two of them cover is covered once.
        joint = {name: some[0] if len(some) == 1 else shapely.union_all(some) for name, some in by_name.items()}
        enough = [name for name, shape in joint.items() if shape.area >= (least_share - 1e-9) * whole]
        disputed = shapely.union_all(
            [one.intersection(other) for at, one in enumerate(joint.values()) for other in list(joint.values())[:at]]
        )
        if disputed.area > SLIVER * whole:
            own = [name for name in enough if joint[name].difference(disputed).area >= (least_share - 1e-9) * whole]
            if len(own) == 1 or not enough:
                listed, patch_id = " and ".join(f"“{name}”" for name in sorted(joint)), int(self.patch_ids[patch])
                self.tally.add("overlapping", f"patch {patch_id}", label=listed, example=f"patch {patch_id}: {listed}")
                enough = own
            else:
                enough = sorted(joint) if len(enough) < 2 else enough
        for name in enough:
            self.given[patch][name] = max(1, self.given[patch][name])
        return enough

    def _left_out(self, reason: str, row: int) -> None:
        self.tally.add(reason, f"feature {self.numbers[row]}", label=self.names[row])

    @property
    def _are_points(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = np.isin(shapely.get_type_id(self.shapes), (0, 4))
        return found
