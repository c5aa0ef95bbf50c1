"""What a file of vectors states of the model that made them, and how its numbers are to be read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.bands import BAND_NAMES
from core.ingest.json_text import json_object
from core.ingest.messages import clean_name

_SIGNED_SQUARE = re.compile(r"alpha ?earth|127\.5|signed.?square", re.IGNORECASE)
_FINGERPRINT = re.compile(r"[0-9a-f]{16,64}")
_MOST_TEXT = 2**20


@dataclass(frozen=True, kw_only=True)
class StatedModel:
    """What is known of the model.

    Attributes:
        name: as people type it.
        title: as pages show it.
        fingerprint: equal for files that state the same model; SHA-256.
        origin: who says so.
        stated: False = nobody does, and the vectors of the file are like those of no other.
        own: further fields of an ``EncoderSpec``, where this program wrote the file.
    """

    name: str
    title: str
    fingerprint: str
    origin: str
    stated: bool
    own: Mapping[str, Any]


def json_of(metadata: Mapping[bytes, bytes], key: bytes) -> dict[str, Any]:
    """Return an object that the footer holds under a key; empty where there is none, or it cannot be read."""
    text = metadata.get(key, b"")
    return (json_object(text) if len(text) <= _MOST_TEXT else None) or {}


def stated_model(
    metadata: Mapping[bytes, bytes], chosen: str | None, dimension: int, column: str, file: str
) -> StatedModel:
    """Return what made the vectors: as a person says, else as the footer states, else unknown.

    Args:
        metadata: of the file's footer.
        chosen: what a person says, or None.
        dimension: numbers of a vector.
        column: of the vectors.
        file: what identifies the file, for vectors whose model nobody states.
    """
    if chosen:
        return _named(chosen, dimension, "you named it")
    own = json_of(metadata, b"landlike").get("encoder")
    if isinstance(own, dict) and _FINGERPRINT.fullmatch(str(own.get("fingerprint", ""))):
        return _ours(own)
    model = json_of(metadata, b"emb").get("model")
    if isinstance(model, dict):
        parts = [str(model.get(key) or "").strip() for key in ("name", "id", "version")]
        title = clean_name(parts[0] or parts[1], 80)
        if title:
            told = _named(" ".join(dict.fromkeys(part for part in parts if part)), dimension, "the file's footer emb")
            return StatedModel(**{**told.__dict__, "title": title})
    for key in (b"model", b"model_name", b"model_id", b"encoder"):
        text = metadata.get(key, b"")
        if 0 < len(text) <= 200:
            return _named(text.decode("utf-8", "replace"), dimension, f"the file's footer {key.decode()}")
    digest = hashlib.sha256(f"given\n{file}\n{column}\n{dimension}".encode()).hexdigest()
    return StatedModel(
        name=f"given-{digest[:12]}", title="Vectors of the file", fingerprint=digest,
        origin="the file does not say which model made them", stated=False, own={},
    )  # fmt: skip


def _named(text: str, dimension: int, origin: str) -> StatedModel:
    """Return a model by what it is called; capitals and spaces tell no two apart."""
    title = clean_name(" ".join(text.split()), 80)
    same = re.sub(r"[\s_/-]+", "-", title.casefold())
    digest = hashlib.sha256(f"stated\n{same}\n{dimension}".encode()).hexdigest()
    return StatedModel(name=f"given-{digest[:12]}", title=title, fingerprint=digest, origin=origin, stated=True, own={})


def _ours(own: Mapping[str, Any]) -> StatedModel:
    kept: dict[str, Any] = {}
    bands = own.get("bands")
    if isinstance(bands, list):
        kept["bands"] = [name for name in BAND_NAMES if name in bands]
    if type(own.get("input_size")) is int:
        kept["input_size"] = own["input_size"]
    if own.get("level") in ("L1C", "L2A"):
        kept["level"] = own["level"]
    return StatedModel(
        name=clean_name(str(own.get("name") or "encoder"), 80),
        title=clean_name(str(own.get("title") or "Encoder"), 80),
        fingerprint=str(own["fingerprint"]), origin=clean_name(str(own.get("origin") or "this program"), 200),
        stated=True, own=kept,
    )  # fmt: skip


def signed_square(metadata: Mapping[bytes, bytes]) -> str:
    """Return where the file states that its bytes are signed squares, as AlphaEarth's are; empty = nowhere.

    A value v stands for (v / 127.5)² · sign(v), −128 for nothing (Earth Engine's guide to AlphaEarth Foundations on
    Cloud Storage).
    """
    footer = json_of(metadata, b"emb")
    stated = {"emb": footer.get("embedding_quantization")}
    stated |= {key.decode("utf-8", "replace"): metadata[key][:2000] for key in metadata if b"quanti" in key.lower()}
    for where, said in stated.items():
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else json.dumps(said)
        if _SIGNED_SQUARE.search(text):
            return f"the file's footer {clean_name(where, 40)}"
    return ""
