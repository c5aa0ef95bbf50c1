"""Running a hub module by TensorFlow: the reference, and the way to use a graphics processor."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from core.bands import FloatArray
from core.config import hush
from core.encoders.preprocessing import Preprocessing, resized
from core.encoders.saved_model.signature import Signature
from core.errors import EncoderError


def import_tensorflow() -> None:
    """Import TensorFlow; what it says meanwhile of processors and graphics cards is dropped, failures are raised."""
    hush()
    if "tensorflow" not in sys.modules:
        with _without_stderr():
            import tensorflow  # noqa: F401


class TensorFlowRunner:
    """``hub.load(path).signatures[name]``, fed by NumPy."""

    def __init__(self, directory: Path, signature: Signature, wanted: Preprocessing) -> None:
        self._signature, self._wanted = signature, wanted
        self._module, self._call = _load(directory, signature)

    def prepare(self, batch: FloatArray) -> FloatArray:
        """Return scaled and resampled input, shape (N, size, size, bands)."""
        return resized(self._wanted.scaled(batch), self._wanted.input_size)

    def run(self, prepared: FloatArray) -> FloatArray:
        """Return what the signature gives, as it comes."""
        import tensorflow as tf

        given = self._call(**{self._signature.images.key: tf.constant(prepared)})
        return np.asarray(given[self._signature.features.key], dtype=np.float32)


def _load(directory: Path, signature: Signature) -> tuple[Any, Any]:
    """Return the module, which has to be kept alive, and its signature as a function."""
    asked = f"Loading the model “{directory.name}” by TensorFlow"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pkg_resources and protobuf announce their future at import
        try:
            import_tensorflow()
            import tensorflow as tf
            import tensorflow_hub as hub
        except ImportError as error:
            raise EncoderError(asked, "TensorFlow is not installed", "use the backend openvino") from error
        tf.get_logger().setLevel("ERROR")  # a TF1 module earns a warning for each of its variables
        tags = None if "serve" in signature.tags else sorted(signature.tags)
        try:
            module = hub.load(str(directory), tags=tags)
            return module, module.signatures[signature.name]
        except (ValueError, KeyError, OSError, RuntimeError, tf.errors.OpError) as error:
            first = str(error).partition("\n")[0][:200]
            raise EncoderError(asked, f"it was refused ({first})", "get the model again") from error


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Lead the process's standard error nowhere inside, for libraries in C too."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
