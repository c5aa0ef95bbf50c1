"""Checking and compiling the encoders that come with Landlike once for all tests of a process.

OpenVINO reads and compiles one for most of a second, and nearly each test that encodes has an engine of its own. Each
new data folder has them checked, byte by byte.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from core.encoders import files, openvino
from core.encoders.openvino import OpenVinoRunner
from core.encoders.registry import ENTRIES, SHIPPED

_MODELS = Path(ENTRIES[SHIPPED].reference).parent
"""Nothing in it is changed by a test; models elsewhere are read and compiled each time."""

_compiled: dict[tuple[str, tuple[int, ...]], Any] = {}


def compile_once(patch: pytest.MonkeyPatch) -> None:
    """Let runners of one of these models share what was read and compiled; requests are each runner's own."""
    read, begin, compiled = openvino.feature_model, OpenVinoRunner.__init__, OpenVinoRunner._compile
    read_once, check, check_once = cache(read), files.digest, cache(files.digest)

    def model(path: Path, outputs: Any) -> Any:
        return read_once(path, tuple(outputs)) if path.is_relative_to(_MODELS) else read(path, outputs)

    def initialise(self: Any, path: Path, outputs: Any, wanted: Any, precision: str, **more: Any) -> None:
        begin(self, path, outputs, wanted, precision, **more)
        self.known_by = repr((path, outputs, wanted, precision, more)) if path.is_relative_to(_MODELS) else ""

    def queue(self: Any, shape: tuple[int, ...]) -> Any:
        key = self.known_by, shape
        if not self.known_by:
            return compiled(self, shape)
        if key not in _compiled:
            made = compiled(self, shape)
            _compiled[key] = made[0].get_compiled_model()
            return made
        return openvino.runtime().AsyncInferQueue(_compiled[key])

    def digest(directory: Path, memory: Path | None = None) -> str:
        return check_once(directory) if directory.is_relative_to(_MODELS) else check(directory, memory)

    patch.setattr("core.encoders.saved_model.encoder.digest", digest)
    patch.setattr(openvino, "feature_model", model)
    patch.setattr(OpenVinoRunner, "__init__", initialise)
    patch.setattr(OpenVinoRunner, "_compile", queue)
