"""The map of classes of a scene as files for a GIS, as it is shown on the Classify page."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from core.classification.heads import Head
from core.classification.maps.choice import BY_ENCODER, SAVED
from core.classification.maps.files import map_facts, write_map
from core.classification.models import HEAD_KINDS
from core.classification.scene_scheme import scheme_of_scene
from core.classification.schemes import LandClass
from core.engine.class_map import MappedSource, cut_of_map, head_or_none, map_cells_of
from core.engine.exports.order import ExportOrder
from core.engine.exports.packed import packed
from core.errors import StoreError
from core.scenes.patches import patch_grid


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
        return packed(write_map(path, cells, grid, _classes(source, head), source.choice.below, about=about))


def _classes(source: MappedSource, head: Head) -> list[LandClass]:
    """Return the classes in the order of the head's; with codes and colours of the scene's scheme, if it has all."""
    scheme = scheme_of_scene(source.scene)
    known = {} if scheme is None else {one.name: one for one in scheme.classes}
    named = [known.get(one.name) for one in head.classes]
    whole = [one for one in named if one is not None]
    return whole if len(whole) == len(named) else list(head.classes)


def map_about(source: MappedSource, *, finer: bool) -> Mapping[str, str]:
    """Return how the map was made, for files; of its finer cells or of patches."""
    choice, head = source.choice, head_or_none(source)
    cut = cut_of_map(source) if finer else None
    grid = source.grid if cut is None else patch_grid(source.scene, cut)
    kind = "" if head is None else HEAD_KINDS[head.kind]
    by = {BY_ENCODER: f"the encoder’s own classes, {kind}"}.get(choice.head, f"{kind} on labels by hand")
    if choice.head.startswith(SAVED):
        by = f"{kind}, saved as {choice.head.removeprefix(SAVED)}"
    return map_facts(choice, grid, by)
