"""Running SavedModels and ONNX models by OpenVINO, on processors; it reads their files itself.

Scaling and enlarging are part of the compiled graph, so that patches travel to it in their own size. The graph is
compiled for groups of patches, several of which are under way at once; the last group of a call is filled up, so a
patch's features do not depend on how many others came with it.
"""

from __future__ import annotations

import hashlib
import platform
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from core.bands import FloatArray
from core.encoders.preprocessing import Preprocessing, resized, scaled
from core.errors import EncoderError
from core.files import write_atomically

GROUP_SIZE = 4


def runtime() -> Any:  # noqa: ANN401 - openvino has no types
    """Import OpenVINO and return it, without the package by which it would tell its makers of each import.

    That package sends whenever OpenVINO is imported, from a process that it forks, and writes into the home folder.
    OpenVINO does without it where it is not there.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None = it cannot be imported
    import openvino

    return openvino


@cache
def has_bf16(memory: Path | None = None) -> bool:
    """Tell whether OpenVINO says that this processor computes in bfloat16.

    Args:
        memory: a directory in which to remember the answer for this processor and this OpenVINO, because importing it
            takes half a second that a page would wait for. None = ask.
    """
    if memory is None:
        return "BF16" in runtime().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    known = known_bf16(memory)
    if known is not None:
        return known
    note, answer = memory / f"bf16-{processor_key()}", has_bf16()
    with suppress(OSError):  # Remembering only saves time.
        memory.mkdir(parents=True, exist_ok=True)
        write_atomically(note, b"yes" if answer else b"no")
    return answer


def known_bf16(memory: Path) -> bool | None:
    """Return what ``has_bf16`` remembers; None when it was not asked yet."""
    try:
        return (memory / f"bf16-{processor_key()}").read_text(encoding="ascii") == "yes"
    except (OSError, ValueError):
        return None


@cache
def processor_key() -> str:
    """Return a name of this processor and this OpenVINO; looked up once, because a page asks for it again and again."""
    try:
        about = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        known = sorted({line for line in about.splitlines() if line.startswith(("model name", "flags", "Features"))})
    except OSError:
        known = [platform.processor(), platform.node()]
    return hashlib.sha256("\n".join([version("openvino"), *known]).encode()).hexdigest()[:32]


@cache
def installed() -> bool:
    """Tell whether OpenVINO is installed; looked up without importing it, which takes half a second."""
    return find_spec("openvino") is not None


@dataclass(frozen=True, kw_only=True)
class GraphInput:
    """How images go into a model.

    Attributes:
        channels_first: True = as (N, bands, height, width); False = as (N, height, width, bands).
        group: images that go in at once.
    """

    channels_first: bool = False
    group: int = GROUP_SIZE

    def shape(self, height: int, width: int, channels: int) -> tuple[int, int, int, int]:
        """Return the shape of a batch of images."""
        if self.channels_first:
            return self.group, channels, height, width
        return self.group, height, width, channels


NHWC = GraphInput()
"""What SavedModels take."""


class OpenVinoRunner:
    """A model compiled for the processor, for the size of patch that came last."""

    def __init__(
        self,
        path: Path,
        outputs: Sequence[str],
        wanted: Preprocessing,
        precision: str,
        *,
        takes: GraphInput = NHWC,
        remedy: str = "get the model again",
    ) -> None:
        """Read a model.

        Args:
            path: the file, or the directory of a SavedModel.
            outputs: names by which the features may go in the graph.
            wanted: its preprocessing.
            precision: ``f32`` or ``bf16``; of what is in 8-bit integers already, of the rest.
            takes: how images go in.
            remedy: what people can do when OpenVINO refuses it.

        Raises:
            EncoderError: when OpenVINO cannot read it, or the features are not in it.
        """
        self._wanted, self._precision, self._takes, self._remedy = wanted, precision, takes, remedy
        named = path if path.is_dir() else path.parent
        self._asked = f"Loading the model “{named.name}” by OpenVINO"
        self._compiled: tuple[tuple[int, ...], Any] = ((), None)
        self._lock = threading.Lock()
        try:
            self._model = feature_model(path, outputs)
        except RuntimeError as error:
            raise self._refused(error) from error
        if self._model is None:
            found = f"the output {outputs[0]} is not in the graph it reads"
            raise EncoderError(self._asked, found, remedy)

    def prepare(self, batch: FloatArray) -> FloatArray:
        """Return patches as they are; larger ones than the model's input are shrunk here, after what clips them."""
        size = self._wanted.input_size
        if max(batch.shape[1:3]) <= size:
            return np.ascontiguousarray(batch, dtype=np.float32)
        if not self._wanted.clips:
            return resized(batch, size)
        # The graph scales again, so what goes in is divided by the gain; 1 leaves it alone.
        gain = self._wanted.gain
        shrunk = resized(scaled(batch, gain), size)
        return shrunk if gain in (None, 1) else shrunk / np.float32(gain)

    def run(self, prepared: FloatArray) -> FloatArray:
        """Return what the model gives, as it comes."""
        group_size = self._takes.group
        queue = self._queue(prepared.shape[1:3])
        parts: list[FloatArray] = [np.empty(0, np.float32)] * -(-len(prepared) // group_size)

        def keep(request: Any, number: int) -> None:  # noqa: ANN401 - openvino has no types
            parts[number] = request.get_output_tensor(0).data.copy()

        queue.set_callback(keep)
        for number in range(len(parts)):
            group = prepared[number * group_size : (number + 1) * group_size]
            if len(group) < group_size:
                group = np.concatenate([group, np.zeros((group_size - len(group), *group.shape[1:]), np.float32)])
            queue.start_async({0: group}, number)
        queue.wait_all()
        return np.concatenate(parts)[: len(prepared)]

    def _queue(self, shape: tuple[int, ...]) -> Any:  # noqa: ANN401
        with self._lock:
            if self._compiled[0] != shape:
                self._compiled = (shape, self._compile(shape))
            return self._compiled[1]

    def _compile(self, shape: tuple[int, ...]) -> Any:  # noqa: ANN401
        openvino = runtime()
        settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": self._precision}
        size, channels = self._wanted.input_size, len(self._wanted.bands)
        try:
            model = self._model.clone()
            model.reshape(list(self._takes.shape(size, size, channels)))
            given = (self._takes.group, *shape, channels)
            model = _with_preprocessing(model, given, self._wanted, channels_first=self._takes.channels_first)
            return openvino.AsyncInferQueue(openvino.Core().compile_model(model, "CPU", settings))
        except RuntimeError as error:
            raise self._refused(error) from error

    def _refused(self, error: RuntimeError) -> EncoderError:
        last = str(error).strip().rpartition("\n")[2][:200]
        return EncoderError(self._asked, f"it was refused ({last})", self._remedy)


def output_dimension(path: Path, outputs: Sequence[str], wanted: Preprocessing) -> int | None:
    """Return the number of features of a SavedModel that does not state it, by propagating shapes.

    None = still unknown. Arguments as of ``OpenVinoRunner``.
    """
    try:
        model = feature_model(path, outputs)
        if model is None:
            return None
        model.reshape([1, wanted.input_size, wanted.input_size, len(wanted.bands)])
        shape = model.outputs[0].get_partial_shape()
        last = shape[-1] if not shape.rank.is_dynamic and len(shape) else None
        return None if last is None or last.is_dynamic else int(last.get_length())
    except RuntimeError:
        return None


def feature_model(path: Path, outputs: Sequence[str]) -> Any:  # noqa: ANN401
    """Return the part of a model that leads to its features; None when they are not found in it."""
    openvino = runtime()
    model, wanted = openvino.Core().read_model(str(path)), set(outputs)
    for output in model.outputs:
        if wanted & output.get_names():
            return openvino.Model([output.get_node().input_value(0)], model.get_parameters())
    for node in model.get_ordered_ops():
        for output in node.outputs():
            if wanted & output.get_names():
                return openvino.Model([output], model.get_parameters())
    return None


def save_graph(model: Any, path: Path) -> None:  # noqa: ANN401
    """Write a model in OpenVINO's own format: an ``.xml``, and its numbers as they are in a ``.bin`` beside."""
    runtime().save_model(model, str(path), compress_to_fp16=False)


def _with_preprocessing(
    model: Any,  # noqa: ANN401
    shape: tuple[int, ...],
    wanted: Preprocessing,
    *,
    channels_first: bool,
) -> Any:  # noqa: ANN401
    """Return the model taking reflectance (N, H, W, bands) of another size, scaled, then enlarged bilinearly."""
    openvino = runtime()
    from openvino import opset13 as ops

    given = ops.parameter(shape, np.float32, "reflectance")
    node = _scaled_node(given, wanted)
    enlarges = shape[1:3] != (wanted.input_size, wanted.input_size)
    if enlarges or channels_first:
        node = ops.transpose(node, np.array([0, 3, 1, 2], np.int64))
    if enlarges:
        target = np.array([wanted.input_size, wanted.input_size], np.int64)
        node = ops.interpolate(node, target, "linear_onnx", "sizes", axes=np.array([2, 3], np.int64))
    if enlarges and not channels_first:
        node = ops.transpose(node, np.array([0, 2, 3, 1], np.int64))
    parameter = model.get_parameters()[0]
    parameter.output(0).replace(node.output(0))
    return openvino.Model(model.get_results(), [given])


def _scaled_node(node: Any, wanted: Preprocessing) -> Any:  # noqa: ANN401
    """``Preprocessing.scaled`` as operations."""
    from openvino import opset13 as ops

    if wanted.gain is not None and wanted.gain != 1:
        node = ops.multiply(node, np.float32(wanted.gain))
    if wanted.clips:
        node = ops.clamp(node, 0.0, 1.0)
    if wanted.mean:
        node = ops.subtract(node, wanted.in_order(wanted.mean, 0))
    if wanted.deviation:
        node = ops.divide(node, wanted.in_order(wanted.deviation, 1))
    return node
