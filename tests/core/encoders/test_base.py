"""What is written of an encoder, now and by the version before."""

from __future__ import annotations

import json

from core.encoders.base import EncoderSpec

BEFORE = {
    "name": "landlike-1", "title": "Landlike 1", "fingerprint": "e2" * 32, "bands": ["B02", "B03"], "input_size": 64,
    "gain": None, "dimension": 160, "backend": "openvino", "origin": "model file landlike-1", "precision": "bf16",
}  # fmt: skip


def test_a_specification_written_by_the_version_before_can_be_read() -> None:
    spec = EncoderSpec(**BEFORE | {"bands": ("B02", "B03")})
    assert (spec.trainable, spec.mean, spec.deviation) == (False, {}, {})


def test_what_is_written_now_says_all_that_was_written_then() -> None:
    spec = EncoderSpec(**BEFORE | {"bands": ("B02", "B03"), "trainable": True, "mean": {"B02": 0.1, "B03": 0.2}})
    written = json.loads(spec.to_json())
    assert written.items() >= BEFORE.items()
    assert EncoderSpec(**written | {"bands": tuple(written["bands"])}) == spec
    assert len({spec, spec}) == 1
