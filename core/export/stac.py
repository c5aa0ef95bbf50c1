"""A STAC item that lies beside a file of features and says what it holds, by the extension for embeddings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj.exceptions import ProjError

from core.export.embedding import model_of, scene_span, scene_time
from core.export.geometry import Shapes, bounds, geojson_geometries, polygons
from core.export.geoparquet import Embeddings
from core.files import disk_errors, write_atomically
from core.scenes.geobox import GeoBox, outlines_lonlat

STAC_VERSION = "1.0.0"
EMBEDDING_EXTENSION = "https://stac-extensions.github.io/embeddings/v0.0.1/schema.json"
"""As the geo-embeddings sprint of March 2026 wrote it (geo-embeddings/embeddings-stac-specification)."""


def write_stac_item(path: Path, table: Embeddings) -> Path:
    """Write the item of a file of features beside it, ``f.stac.json`` for ``f.parquet``; return where.

    Raises:
        StoreError: when it cannot be written.
    """
    beside = path.with_suffix(".stac.json")
    text = json.dumps(stac_item(table, path.name), indent=1, ensure_ascii=False, allow_nan=False)
    with disk_errors(f"Writing “{beside.name}”", full="free some space", other="choose another place"):
        write_atomically(beside, f"{text}\n".encode(), private=False)
    return beside


def stac_item(table: Embeddings, href: str) -> dict[str, Any]:
    """Return the STAC item of a file of features.

    Args:
        table: the file.
        href: where it lies, seen from the item.
    """
    scene, model = table.scene, model_of(table.spec)
    shapes = _footprint(table)
    box = bounds(shapes)
    first, last = scene_span(scene)
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [EMBEDDING_EXTENSION],
        "id": f"{scene.get('id', 'scene')}-{model['id']}",
        "geometry": geojson_geometries(shapes)[0],
        "properties": {
            "title": f"{scene.get('name', '')}, {model['name']}",
            "datetime": scene_time(scene),
            "start_datetime": first,
            "end_datetime": last,
            "emb:runtime_parameters": _parameters(table),
            "emb:quantization": {"method": "none", "original_dtype": "float32"},
            "emb:fit_for_use": ["similarity_search", "classification"],
        },
        "links": [
            {"rel": "emb:model", "href": model["source"], "title": model["name"]},
            {"rel": "emb:source-data", "href": f"urn:landlike:{scene.get('id', '')}", "title": scene.get("name", "")},
        ],
        "assets": {
            "embeddings": {
                "href": f"./{href}",
                "type": "application/vnd.apache.parquet",
                "title": "One vector for each patch",
                "roles": ["data", "embeddings"],
            }
        },
    }
    return item if box is None else item | {"bbox": box}


def _parameters(table: Embeddings) -> dict[str, Any]:
    """Return what the vectors were made with, and their size, for which items have no field."""
    said = {key: table.spec[key] for key in ("bands", "input_size", "precision", "backend") if table.spec.get(key)}
    cut = {"chip_size": table.cut.get("size"), "stride": table.cut.get("stride"), "edge": table.cut.get("edge")}
    size = {"type": "chip", "dimensions": table.vectors.shape[1], "data_type": "float32", "chips": len(table)}
    return size | {key: value for key, value in cut.items() if value is not None} | said


def _footprint(table: Embeddings) -> Shapes:
    """Return the outline of the scene, of shape (1,); of a collection the box round its patches; None where unknown."""
    try:
        grid = GeoBox(**table.scene["grid"] | {"transform": tuple(table.scene["grid"]["transform"])})
        if grid.crs is not None and table.scene.get("kind") == "scene":
            corners = np.array(grid.corners(), dtype=np.float64)[None]
            return polygons(outlines_lonlat(grid.crs, corners[:, :, 0], corners[:, :, 1]))
    except (KeyError, TypeError, ValueError, ProjError):
        pass
    known = table.lonlat
    found: Shapes = np.full(1, None, dtype=object)
    if known is not None:
        found[0] = shapely.box(*np.nanmin(known, axis=0), *np.nanmax(known, axis=0))
    return found
