"""Running a hub module by OpenVINO, on processors; it reads the module's directory itself and needs no TensorFlow.

Scaling and enlarging are part of the compiled graph, so that patches travel to it in their own size. The graph is
compiled for groups of ``GROUP`` patches, several of which are under way at once; the last group of a call is filled up,
so a patch's features do not depend on how many others came with it.
"""

from __future__ import annotations

import hashlib
import platform
import threading
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from core.bands import FloatArray
from core.encoders.preprocessing import Preprocessing, resized, scaled
from core.encoders.saved_model.signature import Signature
from core.errors import EncoderError

GROUP = 4


@cache
def has_bf16(memory: Path | None = None) -> bool:
    """True when OpenVINO says that this processor computes in bfloat16.

    Args:
        memory: a directory in which to remember the answer for this processor and this OpenVINO, because importing it
            takes half a second that a page would wait for. None = ask.
    """
    if memory is None:
        import openvino

        return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    note = memory / f"bf16-{_processor()}"
    try:
        return note.read_text(encoding="ascii") == "yes"
    except (OSError, ValueError):
        answer = has_bf16()
    with suppress(OSError):  # Remembering only saves time.
        memory.mkdir(parents=True, exist_ok=True)
        note.write_text("yes" if answer else "no", encoding="ascii")
    return answer


def _processor() -> str:
    """A name of this processor and this OpenVINO."""
    try:
        about = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        known = sorted({line for line in about.splitlines() if line.startswith(("model name", "flags", "Features"))})
    except OSError:
        known = [platform.processor(), platform.node()]
    return hashlib.sha256("\n".join([version("openvino"), *known]).encode()).hexdigest()[:32]


@cache
def installed() -> bool:
    """True when OpenVINO is installed; looked up without importing it, which takes half a second."""
    return find_spec("openvino") is not None


class OpenVinoRunner:
    """A module compiled for the processor, for the size of patch that came last."""

    def __init__(self, directory: Path, signature: Signature, wanted: Preprocessing, precision: str) -> None:
        self._wanted, self._precision = wanted, precision
        self._asked = f"Loading the model “{directory.name}” by OpenVINO"
        self._compiled: tuple[tuple[int, ...], Any] = ((), None)
        self._lock = threading.Lock()
        try:
            self._model = _feature_model(directory, signature)
        except RuntimeError as error:
            raise self._refused(error) from error
        if self._model is None:
            found = f"the output {signature.features.key} is not in the graph it reads"
            raise EncoderError(self._asked, found, "use the backend tensorflow")

    def prepare(self, batch: FloatArray) -> FloatArray:
        """Patches as they are; larger ones than the model's input are scaled and shrunk here."""
        size = self._wanted.input_size
        if max(batch.shape[1:3]) <= size:
            return np.ascontiguousarray(batch, dtype=np.float32)
        # The graph scales again, so what goes in is divided by the gain; 1 and None leave it alone.
        gain = self._wanted.gain
        shrunk = resized(scaled(batch, gain), size)
        return shrunk if gain in (None, 1) else shrunk / np.float32(gain)

    def run(self, prepared: FloatArray) -> FloatArray:
        """What the signature gives, as it comes."""
        queue = self._queue(prepared.shape[1:3])
        parts: list[FloatArray] = [np.empty(0, np.float32)] * -(-len(prepared) // GROUP)

        def keep(request: Any, number: int) -> None:  # noqa: ANN401 - openvino has no types
            parts[number] = request.get_output_tensor(0).data.copy()

        queue.set_callback(keep)
        for number in range(len(parts)):
            group = prepared[number * GROUP : (number + 1) * GROUP]
            if len(group) < GROUP:
                group = np.concatenate([group, np.zeros((GROUP - len(group), *group.shape[1:]), np.float32)])
            queue.start_async({0: group}, number)
        queue.wait_all()
        return np.concatenate(parts)[: len(prepared)]

    def _queue(self, shape: tuple[int, ...]) -> Any:  # noqa: ANN401
        with self._lock:
            if self._compiled[0] != shape:
                self._compiled = (shape, self._compile(shape))
            return self._compiled[1]

    def _compile(self, shape: tuple[int, ...]) -> Any:  # noqa: ANN401
        import openvino

        settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": self._precision}
        size, channels = self._wanted.input_size, len(self._wanted.bands)
        try:
            model = self._model.clone()
            model.reshape([GROUP, size, size, channels])
            model = _with_preprocessing(model, (GROUP, *shape, channels), self._wanted)
            return openvino.AsyncInferQueue(openvino.Core().compile_model(model, "CPU", settings))
        except RuntimeError as error:
            raise self._refused(error) from error

    def _refused(self, error: RuntimeError) -> EncoderError:
        last = str(error).strip().rpartition("\n")[2][:200]
        return EncoderError(
            self._asked, f"it was refused ({last})", "use the backend tensorflow, or get the model again"
        )


def output_dimension(directory: Path, signature: Signature, wanted: Preprocessing) -> int | None:
    """Number of features of a model that does not state it, by propagating shapes; None = still unknown."""
    try:
        model = _feature_model(directory, signature)
        if model is None:
            return None
        model.reshape([1, wanted.input_size, wanted.input_size, len(wanted.bands)])
        shape = model.outputs[0].get_partial_shape()
        last = shape[-1] if not shape.rank.is_dynamic and len(shape) else None
        return None if last is None or last.is_dynamic else int(last.get_length())
    except RuntimeError:
        return None


def _feature_model(directory: Path, signature: Signature) -> Any:  # noqa: ANN401
    """The part of a model that leads to its features; None when they are not found in it."""
    import openvino

    model = openvino.Core().read_model(str(directory))
    wanted = {signature.features.tensor, signature.features.key}
    for output in model.outputs:
        if wanted & output.get_names():
            return openvino.Model([output.get_node().input_value(0)], model.get_parameters())
    for node in model.get_ordered_ops():
        for output in node.outputs():
            if signature.features.tensor in output.get_names():
                return openvino.Model([output], model.get_parameters())
    return None


def _with_preprocessing(model: Any, shape: tuple[int, ...], wanted: Preprocessing) -> Any:  # noqa: ANN401
    """The same model taking reflectance of patches of another size: scaled, clipped, then enlarged bilinearly."""
    import openvino
    from openvino import opset13 as ops

    given = ops.parameter(shape, np.float32, "reflectance")
    node = given
    if wanted.gain is not None:
        node = ops.multiply(node, np.float32(wanted.gain)) if wanted.gain != 1 else node
        node = ops.clamp(node, 0.0, 1.0)
    if shape[1:3] != (wanted.input_size, wanted.input_size):
        target = np.array([wanted.input_size, wanted.input_size], np.int64)
        planes = ops.transpose(node, np.array([0, 3, 1, 2], np.int64))
        planes = ops.interpolate(planes, target, "linear_onnx", "sizes", axes=np.array([2, 3], np.int64))
        node = ops.transpose(planes, np.array([0, 2, 3, 1], np.int64))
    parameter = model.get_parameters()[0]
    parameter.output(0).replace(node.output(0))
    return openvino.Model(model.get_results(), [given])
