"""A map of classes as files for a GIS: a cloud-optimised GeoTIFF with its style and names, for pages and commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core.classification.cells import ChanceCells, cut_to_patches
from core.classification.maps.choice import SMOOTHING_WORDS, MapChoice
from core.classification.schemes import LandClass
from core.errors import SettingsError
from core.export.qgis import MapClass
from core.export.raster import NO_DATA_CODE, UNSURE_CODE, write_class_map
from core.scenes.patches import PatchGrid


def write_map(
    path: Path,
    cells: ChanceCells,
    grid: PatchGrid,
    classes: Sequence[LandClass],
    below: float,
    *,
    about: Mapping[str, str],
) -> list[Path]:
    """Write a map with its style and its table of names, and return these files.

    Args:
        path: of the GeoTIFF.
        cells: probabilities, smoothed where that is wished.
        grid: the patches they are of.
        classes: in the order of the probabilities.
        below: probability below which a cell is left unsure.
        about: how the map was made, as of ``map_facts``.

    Raises:
        SettingsError: when it is not known where the cells lie.
        StoreError: when a file cannot be written.
    """
    if cells.place is None:
        found = "it is not known where the patches lie on a grid on Earth"
        raise SettingsError("Writing a map", found, "write the patches, or encode a scene with a place on Earth")
    codes = np.array([one.code for one in classes])[cells.index]
    codes = np.where(cells.known, np.where(cells.abstained(below), UNSURE_CODE, codes), NO_DATA_CODE)
    named = [MapClass(code=one.code, name=one.title, colour=one.colour) for one in classes]
    place, (codes, confidence) = cut_to_patches(cells.place, grid, [codes, cells.confidence])
    return write_class_map(path, codes, place, named, confidence, about=about)


def map_facts(choice: MapChoice, grid: PatchGrid, head: str) -> dict[str, str]:
    """Return how a map was made, for the file and those who read it.

    Args:
        choice: how it was wanted.
        grid: the patches that its cells are of.
        head: what named them, in words.
    """
    size, stride = grid.cut.size, grid.cut.stride
    cells = "a cell is a patch" if stride >= size else "a cell has the mean probability of all patches over it"
    strange = "named too" if choice.strange else "left unsure"
    return {
        "classes by": head,
        "patches": f"{size} pixels a side, one every {stride}; {cells}",
        "smoothing": SMOOTHING_WORDS[choice.smoothing],
        "unsure below": f"{100 * choice.below:g} %",
        "unfamiliar land": strange,
    }
