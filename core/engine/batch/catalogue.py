"""What a batch says of itself as a whole: a STAC collection, a manifest and a list of failures, made of its records."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from core.engine.batch.ledger import Ledger
from core.engine.batch.record import EmbeddedScene, InputRecord
from core.engine.batch.work import COLLECTION_ID, COLLECTION_KEY
from core.errors import StoreError
from core.export.stac import EMBEDDING_EXTENSION, STAC_VERSION
from core.storage.base import MOST_TRIES, Storage

MANIFEST_KEY = "manifest.json"
FAILURES_KEY = "failures.csv"


def publish(ledger: Ledger) -> None:
    """Write all that is said of the batch as a whole, as all records are now, whoever wrote them.

    Raises:
        StoreError: when the storage cannot be written.
    """
    for key, make in _MADE.items():
        _write(ledger, key, make)


def _write(ledger: Ledger, key: str, make: Any) -> None:  # noqa: ANN401  one of the functions below
    """Write an object that several runs write: it is read before the records are, so that none of them is lost."""
    storage: Storage = ledger.storage
    for _try in range(MOST_TRIES):
        before = storage.get(key)
        ledger.refresh()
        data = make(ledger.records)
        if before is None:
            if storage.put_if_absent(key, data) is not None:
                return
        elif before.data == data or storage.replace_if(before.info, data) is not None:
            return
    found = "it keeps being changed by others"
    raise StoreError(f"Writing {storage.title}/{key}", found, "let one run at a time write there")


def manifest(records: Sequence[InputRecord]) -> bytes:
    """Return the manifest as JSON: ``scenes``, a line each, and ``failures``."""
    rows = [_row(record, scene) for record in records for scene in record.scenes]
    failed = [_failure(record) for record in records if not record.done]
    parts = [f'"{name}": [{_lines(lines)}]' for name, lines in (("scenes", rows), ("failures", failed))]
    inside = ",\n".join(['"version": 1', *parts])
    return f"{{{inside}}}\n".encode()


def _lines(rows: Sequence[dict[str, Any]]) -> str:
    return "\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n" if rows else ""


def _row(record: InputRecord, scene: EmbeddedScene) -> dict[str, Any]:
    return {
        "input": record.input, "scene": scene.scene, "name": scene.name, "date": scene.date,
        "encoder": scene.encoder, "fingerprint": scene.fingerprint, "recipe": scene.recipe, "patches": scene.patches,
        "dimension": scene.dimension, "file": scene.data.key, "bytes": scene.data.size, "sha256": scene.data.sha256,
        "item": scene.item.key, "seconds": record.seconds, "warnings": list(scene.warnings),
    }  # fmt: skip


def _failure(record: InputRecord) -> dict[str, Any]:
    return dict(zip(("input", "asked", "found", "remedy"), (record.input, *record.failure), strict=True))


def failures(records: Sequence[InputRecord]) -> bytes:
    """Return the inputs that failed as CSV, with what was asked, found and to do."""
    failed = [_failure(record) for record in records if not record.done]
    text = io.StringIO()
    writer = csv.DictWriter(text, ("input", "asked", "found", "remedy"))
    writer.writeheader()
    writer.writerows(failed)
    return text.getvalue().encode()


def collection(records: Sequence[InputRecord]) -> bytes:
    """Return the STAC collection of all scenes that were written."""
    scenes = {scene.item.key: scene for record in records for scene in record.scenes}
    boxes = [scene.bbox for scene in scenes.values() if scene.bbox]
    whole = [min(one[0] for one in boxes), min(one[1] for one in boxes), max(one[2] for one in boxes),
             max(one[3] for one in boxes)] if boxes else [-180.0, -90.0, 180.0, 90.0]  # fmt: skip
    spans = [scene.span for scene in scenes.values()]
    span = [min(one[0] for one in spans), max(one[1] for one in spans)] if spans else [None, None]
    made: dict[str, Any] = {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "stac_extensions": [EMBEDDING_EXTENSION],
        "id": COLLECTION_ID,
        "title": "Embeddings of Sentinel-2 scenes",
        "description": "One file of GeoParquet for each scene, with one vector for each patch. Written by Landlike.",
        "license": "other",
        "extent": {"spatial": {"bbox": [whole]}, "temporal": {"interval": [span]}},
        "summaries": {
            "landlike:encoder": sorted({scene.encoder for scene in scenes.values()}),
            "landlike:fingerprint": sorted({scene.fingerprint for scene in scenes.values()}),
        },
        "item_assets": {"embeddings": {"type": "application/vnd.apache.parquet", "roles": ["data", "embeddings"]}},
        "links": [
            {"rel": "root", "href": f"./{COLLECTION_KEY}", "type": "application/json"},
            *({"rel": "item", "href": f"./{key}", "type": "application/geo+json"} for key in sorted(scenes)),
        ],
    }
    return f"{json.dumps(made, indent=1, ensure_ascii=False)}\n".encode()


_MADE = {COLLECTION_KEY: collection, FAILURES_KEY: failures, MANIFEST_KEY: manifest}
"""What is written, in this order: the manifest names what the others hold already."""
