"""Builds models for tests in the formats of TF-Hub: random weights, real architecture. Nothing here is shipped.

``python -m tests.modules`` is TensorFlow in a process of its own, so that it stays out of the tests' process;
``tensorflow`` starts it once, and it does all that it is asked for: its start takes longer than most of that. ``build``
has it build all kinds but one together, once for a whole session. ``outputs`` has it compute what TensorFlow makes of
reflectance, once by a plain ``hub.load(...)`` and once by our encoder.

Kinds: ``resnet50`` is ResNet-50 v2 of 13 channels in TF1-Hub format, as google/remote_sensing/eurosat-ms-resnet50 is:
tag sets {} and {"train"}, signatures ``default`` and ``image_feature_vector``, 2048 features, images of any size. It is
built where it is asked for by name only. ``resnet`` is the same with fewer units, one or more of each of its kinds.
``tiny`` is the same format around one unit; ``tiny-3`` and ``tiny-5`` have as many channels; ``tiny-fixed`` takes
images of 32 × 32 only; ``tf2`` is a TF2 SavedModel of 13 channels.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import subprocess
import sys
import tempfile
import traceback
import warnings
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
Shape = tuple[int, ...]

RESNET50 = {"widths": (64, 128, 256, 512), "units": (3, 4, 6, 3), "stem": 64}
TINY = {"widths": (8,), "units": (1,), "stem": 8}
RESNET = {**RESNET50, "units": (2, 3, 1, 1)}
KINDS: dict[str, dict[str, Any]] = {
    "resnet50": {**RESNET50, "channels": 13, "size": None},
    "resnet": {**RESNET, "channels": 13, "size": None},
    "tiny": {**TINY, "channels": 13, "size": None},
    "tiny-3": {**TINY, "channels": 3, "size": None},
    "tiny-5": {**TINY, "channels": 5, "size": None},
    "tiny-fixed": {**TINY, "channels": 13, "size": 32},
}
ALL = (*[kind for kind in KINDS if kind != "resnet50"], "tf2")


MARK = b"heard"
"""What the process of TensorFlow writes to standard error when TensorFlow is there."""


def run(*arguments: str, timeout: float = 600) -> str:
    """Run ``python -m`` of something in the checkout; gives what it printed."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    result = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    if result.returncode:
        raise RuntimeError(f"{arguments} failed:\n{result.stdout}\n{result.stderr[-4000:]}")
    return result.stdout


class TensorFlow:
    """A process that has TensorFlow, and does one thing after the other."""

    def __init__(self) -> None:
        self._errors = tempfile.NamedTemporaryFile()  # noqa: SIM115  Closed by ``end``.
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
        environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # Landlike has to set it by itself.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.modules"],
            cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip
        self._answer()

    def do(self, module: str, *arguments: str) -> str:
        """What ``asked`` of a module of the tests gives of arguments there."""
        assert self._process.stdin is not None
        print(json.dumps([module, *arguments]), file=self._process.stdin, flush=True)
        return self._answer()

    def errors(self) -> bytes:
        """What it wrote to standard error until now."""
        return Path(self._errors.name).read_bytes()

    def end(self) -> None:
        """End the process; nothing where it has ended."""
        self._process.communicate()
        self._errors.close()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        late = Timer(600, self._process.kill)
        late.start()
        line = self._process.stdout.readline()
        late.cancel()
        found = json.loads(line) if line else {"error": "it ended"}
        if "error" in found:
            raise RuntimeError(f"{found['error']}\n{self.errors().decode(errors='replace')[-4000:]}")
        return str(found["given"])


@cache
def tensorflow() -> TensorFlow:
    """The process that has TensorFlow, started when it is first asked for."""
    process = TensorFlow()
    atexit.register(process.end)
    return process


def without_tensorflow() -> None:
    """End the process that has TensorFlow, for the memory it has; who asks for it later gets another one."""
    process = tensorflow()
    tensorflow.cache_clear()
    atexit.unregister(process.end)
    process.end()


def _serve() -> None:
    """Import TensorFlow as Landlike does, then do what each line asks for, and answer by a line."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    from core.encoders.saved_model.tensorflow import import_tensorflow

    import_tensorflow()
    import tensorflow as tf

    tf.constant(1) + 1
    os.write(2, MARK)
    warnings.simplefilter("ignore")
    quick_graphs()
    print(json.dumps({"given": ""}), file=answers, flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            answer = {"given": import_module(name).asked(*arguments)}
        except Exception:  # noqa: BLE001  Told to who asked.
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


def build(kind: str, root: Path) -> Path:
    """The directory of a model below ``root``, built by whichever process asks first."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "building.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / kind).is_dir():
            tensorflow().do("tests.modules", "build", str(root), *(ALL if kind in ALL else [kind]))
    return root / kind


def outputs(jobs: dict[str, tuple[Path, np.ndarray]], folder: Path) -> dict[str, dict[str, np.ndarray]]:
    """What TensorFlow makes of reflectance, by the name of the job.

    Gives ``plain`` (features by a plain ``hub.load``), ``ours`` (by our TensorFlow backend) and ``images`` (what
    ``tf.image.resize`` feeds the former).
    """
    for name, (_, batch) in jobs.items():
        np.save(folder / f"{name}.npy", batch)
    models = [f"{name}={model}" for name, (model, _) in jobs.items()]
    tensorflow().do("tests.modules", "outputs", str(folder), *models)
    results = {}
    for name in jobs:
        with np.load(folder / f"{name}.npz") as arrays:
            results[name] = dict(arrays)
    return results


def quick_graphs() -> None:
    """Run graphs as they are: each is run a few times only, and TensorFlow's making them faster takes longer."""
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def write_outputs(folder: Path, name: str, model: Path) -> None:
    """Write beside ``name.npy`` what ``outputs`` gives of it; for a process that TensorFlow may be in."""
    import tensorflow as tf

    encoder, call = _both_ways(model, folder / "cache")
    spec, batch = encoder.spec, np.load(folder / f"{name}.npy")
    shrinks = batch.shape[1] > spec.input_size
    scaled = batch if spec.gain is None else np.clip(batch * spec.gain, 0, 1)
    images = tf.image.resize(scaled, (spec.input_size,) * 2, antialias=shrinks)
    (key,) = call.structured_input_signature[1]
    (plain,) = call(**{key: tf.cast(images, tf.float32)}).values()
    np.savez(folder / f"{name}.npz", plain=plain.numpy(), ours=encoder.encode(batch), images=images.numpy())


@cache
def _both_ways(model: Path, folder: Path) -> tuple[Any, Any]:
    """Our encoder of a model by TensorFlow, and the function by a plain ``hub.load``."""
    import tensorflow_hub as hub

    from core.config import Config
    from core.encoders.registry import load_encoder

    encoder = load_encoder(str(model), Config(root=folder, model_cache=folder), "tensorflow")
    signatures = hub.load(str(model)).signatures
    return encoder, signatures["default"] if "default" in signatures else signatures["serving_default"]


class _Net:
    """ResNet v2 (He et al. 2016, pre-activation) in plain TF1 operations."""

    def __init__(self, tf: Any, *, training: bool, seed: int = 0) -> None:
        self.tf, self.v1, self.training = tf, tf.compat.v1, training
        self.random = np.random.default_rng(seed)
        self.updates: list[Any] = []
        self.values: list[tuple[Any, np.ndarray]] = []

    def variable(self, name: str, value: np.ndarray) -> Any:
        # Zero in the graph, set in the session: constants would swell saved_model.pb by the size of the weights.
        zeros = self.v1.zeros_initializer()
        variable = self.v1.get_variable(name, value.shape, self.tf.float32, zeros, use_resource=False)
        self.values.append((variable, value.astype(np.float32)))
        return variable

    def conv(self, x: Any, name: str, size: int, filters: int, stride: int = 1, gain: float = 1) -> Any:
        with self.v1.variable_scope(name):
            fan_in = size * size * x.shape[-1]
            shape = (size, size, x.shape[-1], filters)
            scale = gain * np.sqrt(2 / fan_in)
            weights = self.variable("weights", self.random.standard_normal(shape, np.float32) * scale)
            biases = self.variable("biases", self.random.standard_normal(filters, np.float32) * 0.05)
            return self.tf.nn.conv2d(x, weights, stride, "SAME") + biases

    def norm(self, x: Any, name: str) -> Any:
        with self.v1.variable_scope(name):
            n = x.shape[-1]
            gamma = self.variable("gamma", self.random.uniform(0.7, 1.3, n))
            beta = self.variable("beta", self.random.uniform(-0.3, 0.3, n))
            mean, variance = self.variable("moving_mean", np.zeros(n)), self.variable("moving_variance", np.ones(n))
            if self.training:
                y, m, v = self.v1.nn.fused_batch_norm(x, gamma, beta, epsilon=1e-5, is_training=True)
                self.updates += [mean.assign(m), variance.assign(v)]
            else:
                y, _, _ = self.v1.nn.fused_batch_norm(x, gamma, beta, mean, variance, epsilon=1e-5, is_training=False)
            return self.tf.nn.relu(y)

    def unit(self, x: Any, name: str, width: int, stride: int) -> Any:
        with self.v1.variable_scope(name):
            before = self.norm(x, "preact")
            if x.shape[-1] == 4 * width:
                shortcut = self.tf.nn.max_pool2d(x, 1, stride, "SAME") if stride > 1 else x
            else:
                shortcut = self.conv(before, "shortcut", 1, 4 * width, stride)
            y = self.norm(self.conv(before, "conv1", 1, width), "norm1")
            y = self.norm(self.conv(y, "conv2", 3, width, stride), "norm2")
            return shortcut + self.conv(y, "conv3", 1, 4 * width, gain=0.25)

    def features(self, images: Any, plan: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        ends: dict[str, Any] = {}
        with self.v1.variable_scope("resnet_v2"):
            x = self.conv(images, "conv1", 7, plan["stem"], 2)
            x = self.tf.nn.max_pool2d(x, 3, 2, "SAME")
            for block, (width, units) in enumerate(zip(plan["widths"], plan["units"], strict=True), start=1):
                last = block == len(plan["widths"])
                for unit in range(1, units + 1):
                    stride = 2 if unit == units and not last else 1
                    x = self.unit(x, f"block{block}_unit{unit}", width, stride)
                ends[f"resnet_v2/block{block}"] = x
            x = self.norm(x, "postnorm")
            return self.tf.reduce_mean(x, [1, 2], name="pool"), ends


def _graph(tf: Any, plan: dict[str, Any], *, training: bool) -> tuple[Any, Any, Any, dict[str, Any]]:
    v1 = tf.compat.v1
    graph = tf.Graph()
    with graph.as_default():
        images = v1.placeholder(tf.float32, (None, plan["size"], plan["size"], plan["channels"]), "images")
        net = _Net(tf, training=training)
        features, ends = net.features(images, plan)
        info = v1.saved_model.build_tensor_info
        inputs = {"images": info(images)}
        define = v1.saved_model.build_signature_def
        every = {"default": info(features)} | {name: info(end) for name, end in ends.items()}
        signatures = {
            "default": define(inputs, {"default": info(features)}, "default"),
            "image_feature_vector": define(inputs, every, "image_feature_vector"),
        }
    return graph, images, net, signatures


def _save_tf1(kind: str, out: Path) -> None:
    """Write a TF1-Hub module, its moving averages taken from one batch so that no layer is degenerate."""
    import tensorflow as tf

    v1, plan = tf.compat.v1, KINDS[kind]
    side = plan["size"] or 64
    random = np.random.default_rng(1)
    coarse = random.uniform(0, 0.6, (8, side // 8, side // 8, plan["channels"])).astype(np.float32)
    batch = coarse.repeat(8, axis=1).repeat(8, axis=2) + random.normal(0, 0.02, (8, side, side, plan["channels"]))
    builder = v1.saved_model.builder.SavedModelBuilder(str(out))
    graph, images, net, signatures = _graph(tf, plan, training=True)
    with graph.as_default(), v1.Session() as session:
        # All at once: for each step of its own a session goes over the whole graph.
        session.run(
            [one.initializer for one, _ in net.values], {one.initializer.inputs[1]: to for one, to in net.values}
        )
        session.run(net.updates, {images: batch})
        builder.add_meta_graph_and_variables(session, ["train"], signature_def_map=signatures, strip_default_attrs=True)
    graph, _, _, signatures = _graph(tf, plan, training=False)
    with graph.as_default():
        builder.add_meta_graph([], signature_def_map=signatures, strip_default_attrs=True)
    builder.save()
    # ModuleDef(format=FORMAT_V3) of tensorflow_hub/module_def.proto: what makes hub.load take the tag set {}.
    (out / "tfhub_module.pb").write_bytes(b"\x08\x03")


def _save_tf2(out: Path) -> None:
    import tensorflow as tf

    class Model(tf.Module):
        def __init__(self) -> None:
            random = np.random.default_rng(2)
            self.kernel = tf.Variable(random.normal(0, 0.2, (5, 5, 13, 24)).astype(np.float32))

        @tf.function(input_signature=[tf.TensorSpec((None, 48, 48, 13), tf.float32, name="image")])
        def features(self, image: Any) -> Any:
            return {"embedding": tf.reduce_mean(tf.nn.relu(tf.nn.conv2d(image, self.kernel, 2, "SAME")), [1, 2])}

    model = Model()
    tf.saved_model.save(model, str(out), signatures={"serving_default": model.features})


def _build(root: Path, kind: str) -> None:
    """Build one kind so that it appears complete or not at all."""
    part = root / f"{kind}.part"
    if kind == "tf2":
        _save_tf2(part)
    else:
        _save_tf1(kind, part)
    part.rename(root / kind)


def asked(task: str, folder: str, *arguments: str) -> str:
    """Do what ``build`` and ``outputs`` ask for."""
    for argument in arguments:
        if task == "build":
            _build(Path(folder), argument)
        else:
            name, _, model = argument.partition("=")
            write_outputs(Path(folder), name, Path(model))
    return ""


if __name__ == "__main__":
    _serve()
