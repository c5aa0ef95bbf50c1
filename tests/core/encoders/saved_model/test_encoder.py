"""Hub modules: both backends against a plain hub.load, what specs say, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.bands import EUROSAT_ORDER
from core.config import Config
from core.encoders import openvino as hub_openvino
from core.encoders.preprocessing import resized, scaled
from core.encoders.registry import describe, load_encoder
from core.errors import EncoderError
from tests import modules
from tests.core.encoders.conftest import patches

Model = Callable[[str], Path]
BATCHES = {
    "tiny": ("tiny", patches(6)),
    "tiny-large": ("tiny", patches(2, size=304, seed=1)),
    "tiny-fixed": ("tiny-fixed", patches(3, seed=2)),
    "tiny-3": ("tiny-3", patches(5, bands=3, seed=3)),
    "tf2": ("tf2", patches(3, seed=4)),
}
REAL = {"resnet": ("resnet", patches(6))}


@pytest.fixture(scope="module")
def reference(model: Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, np.ndarray]]:
    """Outputs of TensorFlow for all ``BATCHES`` and the real architecture, computed in another process."""
    jobs = {name: (model(kind), batch) for name, (kind, batch) in (BATCHES | REAL).items()}
    return modules.outputs(jobs, tmp_path_factory.mktemp("outputs"))


def difference(given: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, as a share of the largest number expected."""
    assert given.shape == expected.shape
    return float(np.abs(given - expected).max() / np.abs(expected).max())


def worst_cosine(given: np.ndarray, expected: np.ndarray) -> float:
    norms = np.linalg.norm(given, axis=1) * np.linalg.norm(expected, axis=1)
    return float(((given * expected).sum(axis=1) / norms).min())


@pytest.mark.parametrize("name", BATCHES)
def test_both_backends_agree_with_plain_hub_load(
    name: str, model: Model, reference: dict[str, dict[str, np.ndarray]], config: Config
) -> None:
    kind, batch = BATCHES[name]
    expected = reference[name]
    spec = describe(str(model(kind)), config)
    images = resized(scaled(batch, spec.gain), spec.input_size or 0)
    np.testing.assert_allclose(images, expected["images"], atol=1e-5)  # TensorFlow's own weights are float32
    assert difference(expected["ours"], expected["plain"]) <= 1e-5
    encoder = load_encoder(str(model(kind)), config, "openvino-f32")
    assert difference(encoder.encode(batch), expected["plain"]) <= 1e-5


@pytest.mark.model
def test_real_architecture(model: Model, reference: dict[str, dict[str, np.ndarray]], config: Config) -> None:
    directory, batch = model("resnet"), REAL["resnet"][1]
    expected = reference["resnet"]
    spec = describe(str(directory), config)
    assert (spec.dimension, spec.input_size, spec.bands) == (2048, 224, EUROSAT_ORDER)
    plain = expected["plain"]
    assert plain.std(axis=0).mean() > 0.05 * plain.mean()  # or agreement would say nothing
    assert np.linalg.matrix_rank(plain) == len(batch)
    assert difference(expected["ours"], plain) <= 1e-5
    assert difference(load_encoder(str(directory), config, "openvino-f32").encode(batch), plain) <= 1e-5
    if hub_openvino.has_bf16():
        assert worst_cosine(load_encoder(str(directory), config, "openvino").encode(batch), plain) >= 0.9999


@pytest.mark.model
def test_bf16_is_close_and_has_its_own_fingerprint(model: Model, config: Config) -> None:
    if not hub_openvino.has_bf16():
        pytest.skip("this processor does not compute in bfloat16")
    directory, batch = str(model("resnet")), patches(6)
    fast, exact = (load_encoder(directory, config, backend) for backend in ("openvino", "openvino-f32"))
    assert (fast.spec.precision, exact.spec.precision) == ("bf16", "f32")
    assert fast.spec.fingerprint != exact.spec.fingerprint
    assert worst_cosine(fast.encode(batch), exact.encode(batch)) >= 0.9999


def test_random_weights_tell_patches_apart(model: Model, config: Config) -> None:
    features = load_encoder(str(model("tiny")), config).encode(patches(30))
    assert np.linalg.matrix_rank(features) >= 20
    assert (features.std(axis=0) > 0.02 * np.abs(features).max()).mean() > 0.5


def test_rows_do_not_depend_on_their_batch(model: Model, config: Config) -> None:
    encoder, batch = load_encoder(str(model("tiny")), config), patches(11)
    together = encoder.encode(batch)
    for start, stop in ((0, 1), (1, 4), (4, 11)):
        np.testing.assert_array_equal(encoder.encode(batch[start:stop]), together[start:stop])
    assert encoder.encode(batch[:0]).shape == (0, 32)


def test_order_of_bands_and_orientation_matter(model: Model, config: Config) -> None:
    encoder, batch = load_encoder(str(model("tiny")), config), patches(2)
    plain = encoder.encode(batch)
    assert difference(encoder.encode(batch[..., ::-1]), plain) > 1e-2
    assert difference(encoder.encode(batch.swapaxes(1, 2)), plain) > 1e-3


def test_patch_sizes_can_change_and_threads_can_prepare(model: Model, config: Config) -> None:
    encoder = load_encoder(str(model("tiny")), config)
    small, large = patches(4, size=32), patches(4, size=128)
    first, second = encoder.encode(small), encoder.encode(large)
    np.testing.assert_array_equal(encoder.encode(small), first)
    with ThreadPoolExecutor(2) as pool:
        ready = list(pool.map(encoder.prepare, [large] * 4))
    for prepared in ready:
        np.testing.assert_array_equal(encoder.infer(prepared), second)


def test_specs_tell_backends_by_precision_only(model: Model, config: Config) -> None:
    path = str(model("tiny"))
    tensorflow, exact = describe(path, config, "tensorflow"), describe(path, config, "openvino-f32")
    assert (tensorflow.backend, exact.backend) == ("tensorflow", "openvino-f32")
    assert tensorflow.fingerprint == exact.fingerprint
    assert describe(path, config).backend == "openvino"
    assert load_encoder(path, config, "openvino-f32").spec == exact


def test_fingerprint_counts_weights_and_preprocessing(tiny: Path, config: Config) -> None:
    seen = {describe(str(tiny), config).fingerprint}
    for stated in ({"gain": 2}, {"input_size": 96}, {"bands": list(EUROSAT_ORDER[::-1])}):
        (tiny / "landlike.json").write_text(json.dumps(stated))
        seen.add(describe(str(tiny), config).fingerprint)
    assert len(seen) == 4
    (tiny / "landlike.json").write_text('{"title": "Another name"}')
    spec = describe(str(tiny), config)
    assert spec.title == "Another name"
    assert spec.fingerprint in seen


def test_sidecar_gives_bands_to_five_channels(model: Model, tmp_path: Path, config: Config) -> None:
    with pytest.raises(EncoderError, match=r"\(\?, \?, \?, 5\)"):
        describe(str(model("tiny-5")), config)
    copy = Path(shutil.copytree(model("tiny-5"), tmp_path / "five"))
    bands = ["B02", "B03", "B04", "B08", "B11"]
    (copy / "landlike.json").write_text(json.dumps({"bands": bands, "input_size": 64}))
    encoder = load_encoder(str(copy), config)
    assert encoder.spec.bands == tuple(bands)
    assert encoder.encode(patches(2, bands=5)).shape == (2, 32)


def test_means_and_deviations_of_a_module(tiny: Path, config: Config) -> None:
    (tiny / "landlike.json").write_text('{"gain": null, "input_size": 64}')
    plain = load_encoder(str(tiny), config, "openvino-f32")
    mean = {band: 0.1 + place / 50 for place, band in enumerate(EUROSAT_ORDER)}
    deviation = {band: 0.5 + place / 10 for place, band in enumerate(EUROSAT_ORDER)}
    (tiny / "landlike.json").write_text(json.dumps({"gain": 2, "input_size": 64, "mean": mean, "deviation": deviation}))
    encoder = load_encoder(str(tiny), config, "openvino-f32")
    assert (plain.spec.trainable, encoder.spec.trainable) == (True, False)
    for size in (48, 64, 96):
        batch = patches(3, size=size)
        ready = (batch * 2 - np.array(list(mean.values()))) / np.array(list(deviation.values()))
        assert difference(encoder.encode(batch), plain.encode(ready.astype(np.float32))) <= 1e-5


def test_wrong_number_of_bands_is_refused(model: Model, config: Config) -> None:
    with pytest.raises(EncoderError, match=r"\(N, height, width, 13\)"):
        load_encoder(str(model("tiny")), config).encode(patches(2, bands=3))


def test_damage_after_describing_is_found_on_loading(tiny: Path, config: Config) -> None:
    describe(str(tiny), config)
    data = tiny / "variables" / "variables.data-00000-of-00001"
    raw = bytearray(data.read_bytes())
    raw[1000] ^= 4
    data.write_bytes(raw)
    for backend in (None, "tensorflow"):
        with pytest.raises(EncoderError, match=f"{data.name} is damaged"):
            load_encoder(str(tiny), config, backend)


def test_graph_that_openvino_cannot_read_is_one_sentence(tiny: Path, config: Config) -> None:
    graph = tiny / "saved_model.pb"
    graph.write_bytes(graph.read_bytes().replace(b"FusedBatchNormV3", b"FusedBatchNormX3"))
    with pytest.raises(EncoderError, match=r"^Loading the model “tiny” by OpenVINO: .*\.$"):
        load_encoder(str(tiny), config).encode(patches(1))


def test_unknown_backend_lists_the_known(model: Model, config: Config) -> None:
    with pytest.raises(EncoderError, match="openvino, openvino-f32, tensorflow"):
        describe(str(model("tiny")), config, "torch")


def test_describing_needs_no_tensorflow(model: Model, config: Config) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from core.config import Config\n"
        "from core.encoders.registry import describe, list_encoders, load_encoder\n"
        "assert not {'tensorflow', 'openvino'} & set(sys.modules)\n"
        "config = Config(root=Path(sys.argv[2]), model_cache=Path(sys.argv[2]), models=(sys.argv[1],))\n"
        "assert describe(sys.argv[1], config, 'tensorflow').dimension == 32\n"
        "assert [one.available for one in list_encoders(config)] == [True, True, False, True, True]\n"
        "load_encoder(sys.argv[1], config, 'openvino')\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    command = [sys.executable, "-c", code, str(model("tiny")), str(config.model_cache)]
    result = subprocess.run(command, cwd=modules.ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_loading_leaves_no_threads_waiting_for_nothing(model: Model, config: Config) -> None:
    before = threading.active_count()
    load_encoder(str(model("tiny")), config).encode(patches(2))
    assert threading.active_count() <= before


def test_what_the_processor_can_do_is_asked_once(tmp_path: Path) -> None:
    hub_openvino.has_bf16.cache_clear()
    answer = hub_openvino.has_bf16(tmp_path / "cache")
    (note,) = (tmp_path / "cache").iterdir()
    assert note.read_text() == ("yes" if answer else "no")
    note.write_text("no" if answer else "yes")
    hub_openvino.has_bf16.cache_clear()
    assert hub_openvino.has_bf16(tmp_path / "cache") != answer
    note.write_bytes(b"\xff")
    hub_openvino.has_bf16.cache_clear()
    assert hub_openvino.has_bf16(tmp_path / "cache") == answer
    hub_openvino.has_bf16.cache_clear()


def test_importing_openvino_tells_nobody(tmp_path: Path) -> None:
    """Imported by itself it leaves word in the home folder and forks a process that sends it; by us it does not."""
    code = (
        "import os, sys, threading; forks = []; os.register_at_fork(before=lambda: forks.append(1))\n"
        "from core.encoders.openvino import runtime; runtime()\n"
        "for thread in threading.enumerate():\n"
        "    thread is threading.current_thread() or thread.join(1)\n"
        "print(len(forks), sys.modules.get('openvino_telemetry') is not None)\n"
    )
    kept = ("PATH", "PYTHONPATH")  # Under a build server, which it knows by variables, it would not tell anything.
    environment = {name: os.environ[name] for name in kept if name in os.environ} | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=modules.ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", "False"]
    assert list(tmp_path.iterdir()) == []
