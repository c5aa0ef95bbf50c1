"""Figures of land in a model's card: written beside what it says already, and read back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.encoders.files import CARD, CHECKSUMS, write_checksums
from core.errors import EncoderError
from core.evaluation.land import LandRetrieval, land_retrieval
from core.training.land_figures import land_in, note_land
from core.training.trained_models import read_card


def found(seed: int) -> LandRetrieval:
    generator = np.random.default_rng(seed)
    shares = generator.dirichlet(np.ones(3), 64)
    places = np.stack(np.divmod(np.arange(64), 8), axis=1) * 64
    noise = generator.normal(0, 0.05, (64, 3))
    plain = generator.normal(0, 1, (64, 4)).astype(np.float32)
    return land_retrieval((shares + noise).astype(np.float32), shares, places, reach=64, plain=plain, k=3)


def test_figures_of_land_stand_in_the_card_beside_what_it_says_already(tmp_path: Path) -> None:
    (tmp_path / CARD).write_text(json.dumps({"title": "Reed"}))
    (tmp_path / "saved_model.pb").write_bytes(b"w")
    write_checksums(tmp_path, whole=True)
    before = (tmp_path / CHECKSUMS).read_text()
    note_land(tmp_path, "Fen", found(1))
    note_land(tmp_path, "Coast", found(2), "Judged by a model.")
    note_land(tmp_path, "Fen", found(3))
    card = read_card(tmp_path / CARD)
    assert card["title"] == "Reed"
    coast, fen = land_in(card)
    assert (coast.scene, coast.remark, fen.scene, fen.remark) == ("Coast", "Judged by a model.", "Fen", "")
    third = found(3)
    assert fen.share == third.own.overlap.value
    assert third.plain is not None
    assert (fen.spectrum, fen.best, fen.chance) == (
        third.plain.overlap.value, third.best.overlap.value, third.chance.overlap.value,
    )  # fmt: skip
    assert (fen.patches, fen.k) == (third.asked, 3)
    after = (tmp_path / CHECKSUMS).read_text()
    assert after != before
    assert [line.split()[1] for line in after.splitlines()] == [line.split()[1] for line in before.splitlines()]


def test_a_model_without_a_card_gets_none(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="has no card"):
        note_land(tmp_path, "Fen", found(1))
    assert not (tmp_path / CARD).exists()


@pytest.mark.parametrize(
    "odd", [None, {}, [1], [{"scene": "Fen"}], [{"scene": "Fen", "patches": 1, "k": 1, "share": 7, "low": None,
                                                "high": None, "spectrum": None, "best": 1, "chance": 0}]]
)  # fmt: skip
def test_what_cannot_be_understood_is_passed_over(odd: object) -> None:
    assert land_in({"land": odd}) == ()
