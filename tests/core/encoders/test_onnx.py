"""ONNX models: small graphs written here, against NumPy; what they say of themselves, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, numpy_helper

from core.__main__ import main
from core.bands import BAND_NAMES
from core.config import Config
from core.encoders import openvino
from core.encoders.base import EncoderSpec
from core.encoders.files import write_checksums
from core.encoders.onnx import read_call
from core.encoders.preprocessing import resized
from core.encoders.registry import describe, fetch, list_encoders, load_encoder
from core.errors import EncoderError, EncoderUnavailableError, TrainingError
from core.export.geoparquet import read_geoparquet
from core.training.base_model import find_base
from tests.modules import ROOT
from tests.onnx_models import BANDS, FEATURES, KERNEL, OFFSETS, STATED, by_hand, graph, patches, write

VARIANTS: dict[str, dict[str, Any]] = {
    "bands first": {},
    "bands last": {"channels_first": False},
    "not flat": {"flat": False},
    "weights among inputs": {"old": True},
    "any size": {"shape": ("N", 3, "H", "W")},
    "nothing fixed": {"shape": ("N", "C", "H", "W")},
    "one image at a time": {"shape": (1, 3, 16, 16)},
    "three images at a time": {"shape": (3, 16, 16, 3), "channels_first": False},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_features_are_what_numpy_gives(variant: str, tmp_path: Path, config: Config) -> None:
    encoder = load_encoder(str(write(tmp_path, graph(**VARIANTS[variant]))), config, "openvino-f32")
    batch = patches(7)
    given = encoder.encode(batch)
    assert (given.dtype, given.shape) == (np.float32, (7, FEATURES))
    np.testing.assert_array_equal(given, by_hand(np.clip(batch, 0, 1)).astype(np.float32))
    assert encoder.encode(batch[:0]).shape == (0, FEATURES)
    np.testing.assert_array_equal(encoder.encode(batch[4:5]), given[4:5])


def test_the_order_of_bands_is_that_of_the_json(tmp_path: Path, config: Config) -> None:
    encoder = load_encoder(str(write(tmp_path)), config, "openvino-f32")
    assert encoder.spec.bands == BANDS
    batch = patches()
    turned = encoder.encode(batch[..., ::-1])
    np.testing.assert_array_equal(turned, by_hand(np.clip(batch[..., ::-1], 0, 1)).astype(np.float32))
    assert (turned != encoder.encode(batch)).any()


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"scale": 0.5}, lambda x: np.clip(x * 0.5, 0, 1)),
        ({"scale": 4}, lambda x: np.clip(x * 4, 0, 1)),
        ({"gain": 4}, lambda x: np.clip(x * 4, 0, 1)),
        ({"scale": None}, lambda x: x),
        (
            {"scale": 64, "mean": {"B02": 8, "B04": 16, "B08": 24}, "deviation": {"B08": 2, "B04": 4, "B02": 0.5}},
            lambda x: (x * 64 - np.array([24, 16, 8])) / np.array([2, 4, 0.5]),
        ),
        ({"scale": None, "mean": {"B02": 0.25, "B04": 0.5, "B08": 1}}, lambda x: x - np.array([1, 0.5, 0.25])),
    ],
)
@pytest.mark.parametrize("channels_first", [True, False])
def test_pixels_are_scaled_as_stated(
    stated: dict[str, Any], expected: Any, channels_first: bool, tmp_path: Path, config: Config
) -> None:
    fields = {key: value for key, value in STATED.items() if key != "scale"} | stated
    encoder = load_encoder(str(write(tmp_path, graph(channels_first=channels_first), fields)), config, "openvino-f32")
    batch = patches()
    np.testing.assert_array_equal(encoder.encode(batch), by_hand(expected(batch)).astype(np.float32))


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("channels_first", [True, False])
@pytest.mark.parametrize("size", [8, 13, 24, 40])
def test_patches_of_other_sizes_are_resampled(
    size: int, channels_first: bool, normalised: bool, tmp_path: Path, config: Config
) -> None:
    means = {"mean": dict.fromkeys(BANDS, 0.25), "deviation": dict.fromkeys(BANDS, 2.0)}
    stated = STATED | {"scale": 2} | (means if normalised else {})
    encoder = load_encoder(str(write(tmp_path, graph(channels_first=channels_first), stated)), config, "openvino-f32")
    batch = patches(5, size)
    values = (batch * 2 - 0.25) / 2 if normalised else np.clip(batch * 2, 0, 1)
    np.testing.assert_allclose(encoder.encode(batch), by_hand(resized(values, 16)), rtol=2e-5, atol=2e-5)


def test_what_it_is(tmp_path: Path, config: Config) -> None:
    directory = write(tmp_path, stated=STATED | {"name": "Tiny three"})
    spec = describe(str(directory), config, "openvino-f32")
    assert (spec.name, spec.title, spec.origin) == ("tiny", "Tiny three", "model file tiny")
    assert (spec.bands, spec.input_size, spec.gain, spec.dimension) == (BANDS, 16, 1, FEATURES)
    assert (spec.backend, spec.precision, spec.trainable) == ("openvino-f32", "f32", False)
    fields = json.loads(spec.to_json())
    assert EncoderSpec(**fields | {"bands": tuple(fields["bands"])}) == spec


def test_bf16_is_close_and_has_its_own_fingerprint(tmp_path: Path, config: Config) -> None:
    if not openvino.has_bf16():
        pytest.skip("this processor does not compute in bfloat16")
    directory = str(write(tmp_path))
    fast, exact = (load_encoder(directory, config, backend) for backend in (None, "openvino-f32"))
    assert (fast.spec.backend, fast.spec.precision) == ("openvino", "bf16")
    assert fast.spec.fingerprint != exact.spec.fingerprint
    np.testing.assert_allclose(fast.encode(patches()), exact.encode(patches()), rtol=0.03, atol=0.03)


def test_the_fingerprint_counts_files_and_preprocessing_but_not_the_title(tmp_path: Path, config: Config) -> None:
    directory = write(tmp_path)
    seen = [describe(str(directory), config).fingerprint]
    same = dict.fromkeys(BANDS, 0.5)
    for stated in ({"scale": 2}, {"bands": ["B02", "B04", "B08"]}, {"mean": same}, {"deviation": same}):
        (directory / "landlike.json").write_text(json.dumps(STATED | stated))
        seen.append(describe(str(directory), config).fingerprint)
    (directory / "landlike.json").write_text(json.dumps(STATED | {"title": "Another", "scale": 1}))
    assert describe(str(directory), config).fingerprint == seen[0]
    made = graph()
    made.graph.initializer[1].CopyFrom(numpy_helper.from_array(OFFSETS + 1, "offsets"))
    (directory / "model.onnx").write_bytes(made.SerializeToString())
    seen.append(describe(str(directory), config).fingerprint)
    assert len(set(seen)) == len(seen)


REFUSED: dict[str, tuple[dict[str, Any], Any, str]] = {
    "no json": ({}, None, "it has no landlike.json; put a landlike.json beside model.onnx"),
    "no bands": ({}, {"scale": 1}, "landlike.json lists no bands"),
    "unknown bands": ({}, STATED | {"bands": ["B02", "red", "B08"]}, "bands is no list of names out of B01, B02"),
    "too few bands": (
        {},
        STATED | {"bands": ["B02"]},
        r"lists 1 bands, the model's input has the shape \(\?, 3, 16, 16\)",
    ),
    "wrong size": ({}, STATED | {"input_size": 32}, "says 32 pixels a side, the model takes 16"),
    "size not stated": ({"shape": ("N", 3, "H", "W")}, {"bands": list(BANDS)}, "images of any size"),
    "mean of other bands": ({}, STATED | {"mean": {"B02": 1}}, "mean in landlike.json is of B02, the bands are B08"),
    "deviation of zero": ({}, STATED | {"deviation": dict.fromkeys(BANDS, 0)}, "with a positive number for each band"),
    "mean by place": ({}, STATED | {"mean": [1, 2, 3]}, "mean is no object with a number for each band"),
    "scale and gain": ({}, STATED | {"gain": 1}, "gain and scale are both given"),
    "two outputs": ({"outputs": ("features", "more")}, STATED, r"outputs are features \(\?, 5\), more \(\?, 5\)"),
    "maps": (
        {"outputs": ("maps",)},
        STATED,
        r"its output is maps \(\?, 5, 16, 16\); export it with one feature vector",
    ),
    "features not counted": ({"dimension": "D"}, STATED, r"features \(\?, \?\); export it with a fixed number"),
    "oblong images": ({"shape": ("N", 3, 16, 32)}, STATED, "square images"),
    "whole numbers": ({"dtype": TensorProto.UINT16}, STATED, "not 32-bit floats"),
    "no images": ({"shape": ("N", 3)}, STATED, r"its input has the shape \(\?, 3\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_one_sentence(case: str, tmp_path: Path, config: Config) -> None:
    changes, stated, sentence = REFUSED[case]
    directory = write(tmp_path, graph(**changes), stated)
    for action in (describe, load_encoder):
        with pytest.raises(EncoderError, match=sentence) as caught:
            action(str(directory), config)
        assert str(caught.value).endswith(".")
        assert "\n" not in str(caught.value)


def test_damaged_files_are_one_sentence(tmp_path: Path, config: Config) -> None:
    directory = write(tmp_path)
    whole = (directory / "model.onnx").read_bytes()
    for spoilt in (b"", b"no model at all", whole[: len(whole) // 2], whole[:-1], b"\x08\x08"):
        (directory / "model.onnx").write_bytes(spoilt)
        with pytest.raises(EncoderError, match=r"model.onnx is (damaged|empty)"):
            describe(str(directory), config)
    (directory / "model.onnx").write_bytes(whole.replace(b"GlobalAveragePool", b"GlobalAveragePull"))
    with pytest.raises(EncoderError, match=r"^Loading the model “tiny” by OpenVINO: it was refused"):
        load_encoder(str(directory), config).encode(patches())


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_damage_gives_a_call_or_an_encoder_error(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    raw = bytearray(graph().SerializeToString())
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= data.draw(st.integers(1, 255))
    (folder / "model.onnx").write_bytes(raw[: data.draw(st.integers(1, len(raw)))])
    call = None
    with suppress(EncoderError):
        call = read_call(folder, len(BANDS))
    assert call is None or call.dimension > 0


def test_checksums_find_a_flipped_weight_and_a_lost_file(tmp_path: Path, config: Config) -> None:
    directory = write(tmp_path)
    write_checksums(directory)
    path = directory / "model.onnx"
    whole = path.read_bytes()
    at = whole.index(KERNEL.tobytes()) + 2
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with pytest.raises(EncoderError, match=r"model.onnx is damaged \(its checksum"):
        load_encoder(str(directory), config)
    path.unlink()
    with pytest.raises(EncoderError, match=r"model.onnx is missing"):
        describe(str(directory), config)


def test_an_archive_of_one_is_as_good(tmp_path: Path, config: Config) -> None:
    directory = write(tmp_path)
    packed = tmp_path / "packed.tar.gz"
    subprocess.run(["tar", "-czf", str(packed), "-C", str(tmp_path), "tiny"], check=True)
    assert describe(str(packed), config).fingerprint == describe(str(directory), config).fingerprint


def test_configured_ones_are_on_offer_and_no_training_starts_from_them(tmp_path: Path, config: Config) -> None:
    whole, broken = write(tmp_path), write(tmp_path, stated=None, name="broken")
    empty = tmp_path / "empty"
    empty.mkdir()
    config = Config(root=config.root, model_cache=config.model_cache, models=tuple(map(str, (whole, broken, empty))))
    listed = {one.name: one for one in list_encoders(config)}
    assert (listed["tiny"].available, listed["tiny"].unfit) == (True, False)
    assert (listed["broken"].available, listed["broken"].unfit) == (False, True)
    assert "it has no landlike.json" in (listed["broken"].why_not or "")
    assert (listed["empty"].available, listed["empty"].unfit) == (False, False)
    fetch("tiny", config)
    with pytest.raises(EncoderUnavailableError, match=r"no saved_model.pb and no model.onnx"):
        describe("empty", config)
    with pytest.raises(TrainingError, match="no weights that can be trained"):
        find_base("tiny", config)


def test_describing_needs_no_openvino(tmp_path: Path, config: Config) -> None:
    openvino.has_bf16(config.model_cache)  # Its answer is remembered there.
    openvino.has_bf16.cache_clear()
    openvino.has_bf16(config.model_cache)
    code = (
        "import sys; from pathlib import Path\n"
        "from core.config import Config\n"
        "from core.encoders.registry import describe\n"
        "assert describe(sys.argv[1], Config(root=Path(sys.argv[2]), model_cache=Path(sys.argv[2]))).dimension == 5\n"
        "assert not {'tensorflow', 'openvino', 'onnx'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", code, str(write(tmp_path)), str(config.model_cache)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.usefixtures("here")
def test_the_command_line_encodes_with_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    pixels = np.random.default_rng(0).integers(0, 5_000, (64, 48, 13)).astype(np.uint16)
    np.save(tmp_path / "scene.npy", pixels)
    directory, out = write(tmp_path), tmp_path / "out.parquet"
    options = ["--encoder", str(directory), "--patch-size", "16", "--backend", "openvino-f32"]
    options += ["--bands", ",".join(BAND_NAMES), "--out", str(out)]
    assert main(["embed", str(tmp_path / "scene.npy"), *options]) == 0
    found = read_geoparquet(out)
    values = pixels[..., [BAND_NAMES.index(band) for band in BANDS]].astype(np.float32) / 10_000
    cut = values.reshape(4, 16, 3, 16, 3).swapaxes(1, 2).reshape(12, 16, 16, 3)
    np.testing.assert_allclose(found.vectors, by_hand(cut), rtol=1e-5, atol=1e-5)
    assert found.spec["bands"] == list(BANDS)
