"""Hectares of the classes of a file of classified patches; ``core.scenes.areas`` measures the patches."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from core.classification.areas.class_map import ClassifiedPatches
from core.classification.areas.estimation import AreaStratum
from core.errors import ClassificationError
from core.export.geometry import Shapes
from core.scenes.areas import partial_words
from core.scenes.outline_areas import crossing, outlines_overlap, patch_hectares
from core.scenes.patches import IntArray

WHOLE_OUTLINES = "It is not known which share of each patch holds data, so patches count as whole."

_CROSSED = "Outlines that cross themselves, of which all land that they go round counts: {count:,}."


def areas_of(patches: ClassifiedPatches) -> list[AreaStratum]:
    """Return hectares with data and number of patches of each class, and of the land that has none.

    Where the file does not say which share of a patch holds data, whole outlines count.

    Raises:
        ClassificationError: when the place of a patch is not known.
    """
    unknown = int((shapely.get_dimensions(patches.shapes) != 2).sum())
    if unknown:
        found = f"the place of {'all' if unknown == len(patches.ids) else unknown} of its patches is not known"
        remedy = "measure the hectares of each class in another way"
        raise ClassificationError(f"Measuring the land of “{patches.name}”", found, remedy)
    return strata_of(patches.strata, patch_hectares(patches.shapes, patches.valid))


def strata_of(rows: Mapping[str, IntArray], areas: NDArray[np.float64]) -> list[AreaStratum]:
    """Return strata by their rows and the hectares of all rows."""
    return [AreaStratum(name=name, hectares=float(areas[at].sum()), units=len(at)) for name, at in rows.items()]


def counted_words(patches: ClassifiedPatches) -> str:
    """Return in a sentence or two what counts as the land of patches; empty where all hold data everywhere."""
    return counted_ground(patches.shapes, patches.valid)


def counted_ground(shapes: Shapes, valid: NDArray[np.float64] | None) -> str:
    """Return the same of outlines, all known, and the share of each that holds data; None = that is not known."""
    crossed = int(crossing(shapes).sum())
    told = [_CROSSED.format(count=crossed)] if crossed else []
    some = 0 if valid is None else int((valid < 1).sum())
    if valid is None:
        told.append(WHOLE_OUTLINES)
    elif some:
        told.append(partial_words(some, overlapping=outlines_overlap(shapes)))
    return " ".join(told)
