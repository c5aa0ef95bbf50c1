"""What files of features say in the words of others: the footer ``emb`` of Earth Index, and a STAC item beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

STAC_VERSION = "1.0.0"
EMBEDDING_EXTENSION = "https://stac-extensions.github.io/embeddings/v0.0.1/schema.json"
"""The extension for embeddings of the geo-embeddings sprint of March 2026; its JSON schema is what tests hold us to."""

_FIRST_LANDSAT = "1972-07-23T00:00:00Z"
"""When the first satellite of this kind of picture flew: what can be said of the time of a scene without a date."""


def embedding_footer(about: Mapping[str, Any], dimension: int) -> dict[str, Any]:
    """Return what goes under the key ``emb`` of a GeoParquet file.

    The form is version 0.0.1 of Earth Index (cloudnativegeo/geo-embeddings-survey, data/earth_index/schema.json).

    Args:
        about: ``encoder`` and ``scene`` as the key ``landlike`` has them.
        dimension: numbers of a vector.
    """
    encoder, scene = about["encoder"], about.get("scene", {})
    settings = ("bands", "input_size", "gain", "precision", "level", "mean", "deviation")
    first, last = _interval(scene)
    return {
        "version": "0.0.1",
        "model": {
            "id": encoder.get("name", ""),
            "version": encoder.get("fingerprint", ""),
            "name": encoder.get("title", ""),
            "description": encoder.get("origin", ""),
            "config": json.dumps({key: encoder[key] for key in settings if encoder.get(key)}),
            "source": f"urn:sha256:{encoder.get('fingerprint', '')}",
        },
        "providers": [],
        "datetime": _moment(scene),
        "start_datetime": first,
        "end_datetime": last,
        "datasets": [_dataset(scene)],
        "source_datasets": [_dataset(scene)],
        "embedding_dim": dimension,
        "embedding_quantization": "None",
    }


def _dataset(scene: Mapping[str, Any]) -> dict[str, str]:
    name = scene.get("name", "")
    return {
        "dataset_id": scene.get("id", ""),
        "dataset_source": f"urn:landlike:{scene.get('id', '')}",
        "dataset_name": name,
    }


def _moment(scene: Mapping[str, Any]) -> str | None:
    return f"{scene['date']}T00:00:00Z" if scene.get("date") else None


def _interval(scene: Mapping[str, Any]) -> tuple[str, str]:
    """Return between which times the scene was taken: its day, or since there are such satellites."""
    if scene.get("date"):
        return f"{scene['date']}T00:00:00Z", f"{scene['date']}T23:59:59Z"
    return _FIRST_LANDSAT, scene.get("created") or _FIRST_LANDSAT
