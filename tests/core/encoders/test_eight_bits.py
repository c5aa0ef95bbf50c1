"""The 8-bit form of a model: when it is used, what it is told apart by, and how it is tried."""

from __future__ import annotations

import re
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from core.bands import FloatArray
from core.cli.encoders import EncodersCommand
from core.config import Config
from core.encoders.base import EncoderSpec
from core.encoders.eight_bits import (
    Trial,
    _lines,
    has_form,
    keep,
    load_land,
    neighbours_kept,
    remembered,
    save_land,
    try_beside,
)
from core.encoders.files import EIGHT_BITS, EIGHT_BITS_WEIGHTS
from core.encoders.openvino import has_bf16, processor_key
from core.encoders.registry import ENTRIES, FORMER, describe, is_untried, matching_backend, try_forms
from core.encoders.spectral import spectral_spec
from core.errors import EncoderError
from core.progress import silent
from tests import trials

LAND = np.random.default_rng(0).uniform(0, 0.6, (16, 64, 64, 13)).astype(np.float32)


@pytest.fixture
def formed(tmp_path: Path) -> Path:
    """A whole model beside files that are called as an 8-bit form is; there is nothing in them."""
    directory = tmp_path / "formed"
    shutil.copytree(ENTRIES[FORMER].reference, directory)
    for name in (EIGHT_BITS, EIGHT_BITS_WEIGHTS):
        (directory / name).write_bytes(b"nothing")
    save_land(directory, LAND)
    return directory


def told(config: Config, directory: Path, *, bf16: bool, trial: Trial | None = None) -> None:
    """Leave word of what this processor can do, and of how the form was found to do here."""
    config.model_cache.mkdir(parents=True, exist_ok=True)
    (config.model_cache / f"bf16-{processor_key()}").write_text("yes" if bf16 else "no")
    has_bf16.cache_clear()
    if trial is not None:
        keep(trial, directory, config.model_cache)


def test_a_page_does_not_look_up_the_processor_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    known = processor_key()
    assert re.fullmatch("[0-9a-f]{32}", known)

    def looked_up(package: str) -> str:
        raise AssertionError(package)

    monkeypatch.setattr("core.encoders.openvino.version", looked_up)
    assert processor_key() == known


def test_a_form_changes_nothing_of_the_model_beside_it(formed: Path, config: Config) -> None:
    plain = ENTRIES[FORMER].reference
    for backend in ("openvino-f32", "tensorflow"):
        assert describe(str(formed), config, backend).fingerprint == describe(plain, config, backend).fingerprint
    form = describe(str(formed), config, "openvino-int8")
    assert (form.backend, form.precision) == ("openvino-int8", "int8")
    assert form.fingerprint != describe(plain, config, "openvino-f32").fingerprint
    (formed / EIGHT_BITS_WEIGHTS).write_bytes(b"other")
    assert describe(str(formed), config, "openvino-int8").fingerprint != form.fingerprint


def test_it_cannot_be_asked_of_a_model_without_one(config: Config) -> None:
    asked = "there is no backend “openvino-int8”; choose one of openvino, openvino-f32, tensorflow"
    with pytest.raises(EncoderError, match=asked):
        describe(FORMER, config, "openvino-int8")


@pytest.mark.parametrize(
    ("trial", "precision"),
    [
        (Trial(faster=1.3, agreeing=0.95), "int8"),
        (Trial(faster=1.29, agreeing=1.0), "f32"),
        (Trial(faster=3.0, agreeing=0.949), "f32"),
    ],
)
def test_it_is_used_where_it_is_faster_and_finds_the_same(
    formed: Path, config: Config, trial: Trial, precision: str
) -> None:
    told(config, formed, bf16=False, trial=trial)
    spec = describe(str(formed), config)
    assert (spec.backend, spec.precision) == ("openvino", precision)
    assert remembered(formed, config.model_cache) == trial
    for backend in ("openvino-f32", "openvino-int8"):
        one = describe(str(formed), config, backend)
        found = matching_backend(str(formed), one.fingerprint, config)
        assert found is not None, "features of either are known again"
        assert describe(str(formed), config, found).precision == one.precision


@pytest.mark.parametrize(
    ("trial", "precision"),
    [
        (Trial(faster=0.8, agreeing=0.95, beside="bf16"), "int8"),
        (Trial(faster=0.79, agreeing=1.0, beside="bf16"), "bf16"),
        (Trial(faster=2.0, agreeing=0.949, beside="bf16"), "bf16"),
    ],
)
def test_where_there_is_bf16_about_as_fast_is_enough(
    formed: Path, config: Config, trial: Trial, precision: str
) -> None:
    told(config, formed, bf16=True, trial=trial)
    assert describe(str(formed), config).precision == precision
    short = describe(str(formed), config, "openvino-bf16")
    assert matching_backend(str(formed), short.fingerprint, config) is not None, "features of before are known again"


def test_where_there_is_bf16_the_form_is_tried_beside_it() -> None:
    exact, usual, form = (Timed(lambda means: means, work) for work in (1, 40, 1))
    usual.spec = replace(usual.spec, precision="bf16")
    found = try_beside(exact, form, LAND, usual=usual)
    assert found.beside == "bf16"
    assert found.faster > 2


def test_features_of_other_numbers_are_known_again_without_a_trial(formed: Path, config: Config) -> None:
    told(config, formed, bf16=True)
    for backend in ("openvino-bf16", "openvino-int8", "openvino-f32"):
        assert matching_backend(str(formed), describe(str(formed), config, backend).fingerprint, config) == backend
    assert remembered(formed, config.model_cache) is None


def test_a_trial_that_is_killed_says_nothing_of_the_form(
    formed: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(config, formed, bf16=False)
    died = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
    assert _lines(died, formed, silent) is None
    tries: list[object] = []
    monkeypatch.setattr("core.encoders.eight_bits._tried", trials.untouched)
    monkeypatch.setattr("core.encoders.eight_bits._lines", lambda *_: tries.append(None))
    for _ in range(2):
        assert describe(str(formed), config).precision == "f32"
    assert len(tries) == 1, "no page waits for it again"
    assert remembered(formed, config.model_cache) is None


def test_bf16_is_no_way_where_there_is_none(formed: Path, config: Config) -> None:
    told(config, formed, bf16=False)
    with pytest.raises(EncoderError, match="choose one of openvino, openvino-f32, tensorflow, openvino-int8"):
        describe(str(formed), config, "openvino-bf16")


def test_a_form_that_cannot_be_run_is_tried_once_and_left_alone(formed: Path, config: Config) -> None:
    told(config, formed, bf16=False)
    assert is_untried(str(formed), config)
    try_forms(str(formed), config)
    assert not is_untried(str(formed), config)
    assert describe(str(formed), config).precision == "f32"
    assert remembered(formed, config.model_cache) == Trial(faster=0, agreeing=0)
    assert "  precision      f32; int8 could not be tried here" in said(formed, config)


def test_the_list_of_encoders_says_what_was_measured(formed: Path, config: Config) -> None:
    told(config, formed, bf16=False, trial=Trial(faster=2.345, agreeing=0.9655))
    assert "  precision      int8; it is 2.35 × as fast as f32 here and finds 97 % of the neighbours of f32" in said(
        formed, config
    )


def test_a_list_waits_for_no_trial(formed: Path, config: Config) -> None:
    told(config, formed, bf16=False)
    assert "  precision      f32" in said(formed, config)
    assert remembered(formed, config.model_cache) is None


def said(directory: Path, config: Config) -> list[str]:
    """What the command that lists encoders says of one."""
    lines = list(EncodersCommand().run(Namespace(), replace(config, models=(str(directory),))))
    return lines[lines.index(directory.name) :]


def test_a_form_lacks_nothing(formed: Path) -> None:
    assert has_form(formed)
    (formed / EIGHT_BITS_WEIGHTS).unlink()
    assert not has_form(formed)


def test_land_is_kept_nearly_as_it_is(tmp_path: Path) -> None:
    fields = np.repeat(np.repeat(LAND[:, ::16, ::16], 16, axis=1), 16, axis=2)
    save_land(tmp_path, fields)
    found = load_land(tmp_path, 64)
    assert found.shape == fields.shape
    np.testing.assert_allclose(found[:, 8::16, 8::16], fields[:, 8::16, 8::16], atol=0.004)


def test_agreement_is_the_share_of_neighbours_that_both_find() -> None:
    random = np.random.default_rng(1)
    exact = random.standard_normal((60, 8)).astype(np.float32)
    other = (exact + 0.4 * random.standard_normal((60, 8))).astype(np.float32)
    lists = [
        NearestNeighbors(n_neighbors=10, metric="cosine").fit(one).kneighbors(return_distance=False)
        for one in (exact, other)
    ]
    shared = np.mean([len(set(one) & set(two)) / 10 for one, two in zip(*lists, strict=True)])
    assert neighbours_kept(exact, other) == pytest.approx(shared)
    assert neighbours_kept(exact, 3 * exact) == 1
    assert neighbours_kept(exact, random.permutation(exact)) < 0.5


class Timed:
    """An encoder whose features are what a function makes of means of bands, a moment or two later."""

    batch_size = 32
    spec: EncoderSpec = spectral_spec()

    def __init__(self, change: Callable[[FloatArray], FloatArray], work: int) -> None:
        self._change, self._work = change, work

    def prepare(self, batch: FloatArray) -> FloatArray:
        return batch

    def infer(self, prepared: FloatArray) -> FloatArray:
        for _ in range(self._work):
            found = self._change(prepared.mean(axis=(1, 2)))
        return found

    def encode(self, batch: FloatArray) -> FloatArray:
        return self.infer(self.prepare(batch))


def test_rates_and_neighbours_are_compared() -> None:
    steps: list[tuple[int, int]] = []
    exact, form = Timed(lambda means: means, 40), Timed(lambda means: means, 1)
    found = try_beside(exact, form, LAND, rounds=2, progress=lambda *step: steps.append(step))
    assert steps == [(done, 7) for done in range(7)]
    assert found.agreeing == 1
    assert found.faster > 2
    upset = try_beside(Timed(lambda means: means, 1), Timed(lambda means: means[::-1], 1), LAND)
    assert upset.agreeing < 1
    assert not upset.pays
