"""The map of classes of a scene as files for a GIS, as it is shown on the Classify page."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from core.classification.heads import Head, land_classes
from core.classification.maps.files import map_facts, write_map
from core.classification.scene_scheme import scheme_of_scene
from core.classification.schemes import SCHEMES, LandClass
from core.engine.class_map import MappedSource, cut_of_map, head_in_words, head_or_none, map_cells_of
from core.engine.exports.order import ExportOrder
from core.engine.exports.packed import packed
from core.errors import StoreError
from core.scenes.patches import patch_grid
from core.values.classes import colours_of
from core.values.named.predicted import predicted_colours


def classified_zip(source: MappedSource, order: ExportOrder) -> bytes:
    """Return a zip of the GeoTIFF of the map, finer and smoothed where it is wanted so, and what lies beside it.

    Raises:
        StoreError: when there is no map, or it cannot be written.
        SettingsError: when it is not known where it lies.
    """
    head, cells, cut = head_or_none(source), map_cells_of(source), cut_of_map(source)
    if finer := cells is not None and cut is not None:
        grid = patch_grid(source.scene, cut)
    else:
        cells, grid = map_cells_of(replace(source, choice=replace(source.choice, parts=1))), source.grid
    if cells is None or head is None:
        raise StoreError("Writing a map", "there is no map of this scene", "label patches of two classes first")
    with tempfile.TemporaryDirectory(prefix="landlike-map-") as folder:
        path = Path(folder) / f"{order.stem}.tif"
        about = map_about(source, finer=finer)
        return packed(write_map(path, cells, grid, map_classes(source, head), source.choice.below, about=about))


def map_classes(source: MappedSource, head: Head) -> list[LandClass]:
    """Return the classes in the order of the head's, with codes and colours as the Classify page shows them.

    Where labels teach the head they are those of the scene's scheme, or of one that holds all its classes.
    """
    colours = predicted_colours(source.labels, head.names)
    named = [replace(one, colour=colour) for one, colour in zip(head.classes, colours, strict=True)]
    given = source.labels.given
    if not source.choice.by_labels or given is None:
        return named
    holding = (one for one in SCHEMES.values() if set(given.classes) <= set(one.names))
    scheme = scheme_of_scene(source.scene) or next(holding, None)
    names = tuple(dict.fromkeys([*(() if scheme is None else scheme.names), *given.classes]))
    shown = source.labels.shown
    stated = {} if shown is None else dict(
        zip(shown.classes, colours_of(source.labels, shown.classes), strict=True)
    )  # fmt: skip
    offered = {one.name: replace(one, colour=stated.get(one.name, one.colour)) for one in land_classes(names, scheme)}
    return [offered.get(one.name) or one for one in named]


def map_about(source: MappedSource, *, finer: bool) -> Mapping[str, str]:
    """Return how the map was made, for files; of its finer cells or of patches."""
    cut = cut_of_map(source) if finer else None
    grid = source.grid if cut is None else patch_grid(source.scene, cut)
    return map_facts(source.choice, grid, head_in_words(source))
