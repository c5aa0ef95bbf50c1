"""What models are fed: bands and gains pinned, sidecars checked, resampling exact."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.bands import EUROSAT_ORDER
from core.encoders.preprocessing import resized, scaled
from core.encoders.saved_model.encoder import saved_model_preprocessing
from core.encoders.saved_model.signature import Signature, Tensor
from core.errors import EncoderError


def signature(channels: int | None = 13, size: int | None = None) -> Signature:
    images = Tensor(key="images", tensor="images:0", dtype=1, shape=(None, size, size, channels))
    features = Tensor(key="default", tensor="f:0", dtype=1, shape=(None, 8))
    return Signature(
        name="default", tags=frozenset(), images=images, features=features,
        input_size=size, channels=channels, dimension=8,
    )  # fmt: skip


def test_thirteen_bands_come_in_eurosat_order_as_reflectance(tmp_path: Path) -> None:
    wanted = saved_model_preprocessing(tmp_path, signature())
    assert wanted.bands == EUROSAT_ORDER
    assert wanted.bands[-1] == "B8A"
    assert (wanted.gain, wanted.input_size) == (1.0, 224)


def test_three_bands_are_the_colours_of_eurosat_pictures(tmp_path: Path) -> None:
    wanted = saved_model_preprocessing(tmp_path, signature(3))
    assert wanted.bands == ("B04", "B03", "B02")
    assert wanted.gain == pytest.approx(10_000 / 2_750)
    assert scaled(np.full((1, 1, 1, 3), 0.275, np.float32), wanted.gain) == pytest.approx(1)


@pytest.mark.parametrize("channels", [1, 4, 10, 12, None])
def test_other_channels_need_a_list_of_bands(channels: int | None, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"not stated; put a landlike.json"):
        saved_model_preprocessing(tmp_path, signature(channels))


def test_sidecar_states_everything(tmp_path: Path) -> None:
    stated = {"bands": ["B02", "B08"], "gain": 2.5, "input_size": 96, "title": "Two bands"}
    (tmp_path / "landlike.json").write_text(json.dumps(stated))
    wanted = saved_model_preprocessing(tmp_path, signature(2))
    assert (wanted.bands, wanted.gain, wanted.input_size, wanted.title) == (("B02", "B08"), 2.5, 96, "Two bands")
    (tmp_path / "landlike.json").write_text('{"bands": ["B02", "B08"], "gain": null}')
    assert saved_model_preprocessing(tmp_path, signature(2)).gain is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "no JSON"),
        ("[]", "no object"),
        ('{"bands": ["B02", "B99"]}', "no list of names"),
        ('{"bands": []}', "no list of names"),
        ('{"gain": -1}', "gain"),
        ('{"gain": true}', "gain"),
        ('{"input_size": 4}', "input_size"),
        ('{"title": 7}', "title"),
        ('{"mean": {"B02": 1}}', "mean in landlike.json is of B02, the bands are B01"),
        ('{"mean": {"B02": NaN}}', "mean is no object with a number for each band"),
        ('{"deviation": {"B02": 0}}', "deviation is no object with a positive number"),
        ('{"gain": 1, "scale": 1}', "gain and scale are both given"),
        ('{"bands": ["B02"]}', "lists 1 bands, the model's input has the shape"),
        ('{"input_size": 64}', "says 64 pixels a side, the model takes 96"),
    ],
)
def test_bad_sidecars_are_explained(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "landlike.json").write_text(text)
    with pytest.raises(EncoderError, match=sentence):
        saved_model_preprocessing(tmp_path, signature(13, 96))


@settings(max_examples=30, deadline=None)
@given(old=st.integers(1, 70), new=st.integers(1, 70))
def test_resizing_keeps_constants_and_enlarges_ramps_exactly(old: int, new: int) -> None:
    flat = np.full((2, old, old, 3), 0.37, np.float32)
    np.testing.assert_allclose(resized(flat, new), 0.37, rtol=1e-5)
    if new < old:
        return
    ramp = np.broadcast_to(((np.arange(old) + 0.5) / old)[None, :, None, None], (1, old, old, 1)).astype(np.float32)
    result = resized(ramp, new)
    assert result.shape == (1, new, new, 1)
    middle = (np.arange(new) + 0.5) / new
    inner = (middle >= 0.5 / old) & (middle <= 1 - 0.5 / old)
    np.testing.assert_allclose(result[0, inner, 0, 0], middle[inner], atol=1e-5)


def test_resizing_keeps_axes_apart() -> None:
    batch = np.zeros((1, 4, 4, 2), np.float32)
    batch[0, 1, :, 0], batch[0, :, 2, 1] = 1, 1
    result = resized(batch, 8)
    assert result[0, 2, :, 0].min() == result[0, 2, :, 0].max() > 0
    assert result[0, :, 4, 1].min() == result[0, :, 4, 1].max() > 0
    assert result[0, 7, :, 0].max() == 0
    assert result[0, :, 1, 1].max() == 0


def test_means_and_deviations_belong_to_bands_by_name(tmp_path: Path) -> None:
    stated = {"bands": ["B08", "B02"], "scale": 100, "mean": {"B02": 5, "B08": 20}, "deviation": {"B02": 2, "B08": 10}}
    (tmp_path / "landlike.json").write_text(json.dumps(stated))
    wanted = saved_model_preprocessing(tmp_path, signature(2))
    assert (wanted.normalises, wanted.clips) == (True, False)
    batch = np.array([[[[0.4, 0.1], [1.5, 0.0]]]], np.float32)
    np.testing.assert_allclose(wanted.scaled(batch), [[[[2, 2.5], [13, -2.5]]]], rtol=1e-6)


def test_scaling_clips() -> None:
    batch = np.array([[[[-0.1, 0.2, 0.6]]]], np.float32)
    np.testing.assert_allclose(scaled(batch, 2), [[[[0, 0.4, 1]]]])
    np.testing.assert_array_equal(scaled(batch, None), batch)
