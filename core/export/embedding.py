"""What vectors are, in the words of others: the footer ``emb`` of Earth Index, whose parts STAC items use too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_FIRST_LANDSAT = "1972-07-23T00:00:00Z"
"""When the first satellite of this kind of picture flew: what can be said of the time of a scene without a date."""


def embedding_footer(about: Mapping[str, Any], dimension: int) -> dict[str, Any]:
    """Return what goes under the key ``emb`` of a GeoParquet file.

    The form is version 0.0.1 of Earth Index (cloudnativegeo/geo-embeddings-survey, data/earth_index/schema.json).

    Args:
        about: ``encoder`` and ``scene`` as the key ``landlike`` has them.
        dimension: numbers of a vector.
    """
    scene = about.get("scene", {})
    first, last = scene_span(scene)
    return {
        "version": "0.0.1",
        "model": model_of(about["encoder"]),
        "providers": [],
        "datetime": scene_time(scene),
        "start_datetime": first,
        "end_datetime": last,
        "datasets": [_dataset(scene)],
        "source_datasets": [_dataset(scene)],
        "embedding_dim": dimension,
        "embedding_quantization": "None",
    }


def model_of(encoder: Mapping[str, Any]) -> dict[str, str]:
    """Return an encoder in their words; its fingerprint stands for an address, which models here have none of."""
    settings = ("bands", "input_size", "gain", "precision", "level", "mean", "deviation")
    return {
        "id": encoder.get("name", ""),
        "version": encoder.get("fingerprint", ""),
        "name": encoder.get("title", ""),
        "description": encoder.get("origin", ""),
        "config": json.dumps({key: encoder[key] for key in settings if encoder.get(key)}),
        "source": f"urn:sha256:{encoder.get('fingerprint', '')}",
    }


def _dataset(scene: Mapping[str, Any]) -> dict[str, str]:
    name = scene.get("name", "")
    return {
        "dataset_id": scene.get("id", ""),
        "dataset_source": f"urn:landlike:{scene.get('id', '')}",
        "dataset_name": name,
    }


def scene_time(scene: Mapping[str, Any]) -> str | None:
    """Return the day of a scene as STAC writes times, or None."""
    return f"{scene['date']}T00:00:00Z" if scene.get("date") else None


def scene_span(scene: Mapping[str, Any]) -> tuple[str, str]:
    """Return between which times the scene was taken: its day, or since there are such satellites."""
    if scene.get("date"):
        return f"{scene['date']}T00:00:00Z", f"{scene['date']}T23:59:59Z"
    return _FIRST_LANDSAT, scene.get("created") or _FIRST_LANDSAT
