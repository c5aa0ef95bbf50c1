"""Trying the 8-bit form of a model on this processor, as a program: ``python -m core.encoders.trial MODEL MEMORY``.

It prints how far it is, and in the last line what ``core.encoders.eight_bits`` keeps of it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from core.encoders.base import LocalModel
from core.encoders.eight_bits import Trial, load_land, try_beside
from core.encoders.openvino import has_bf16
from core.encoders.saved_model.encoder import SavedModelKind
from core.progress import Progress, silent


def try_both(directory: Path, memory: Path, progress: Progress = silent) -> Trial:
    """Run a model as it is and in its 8-bit form on the land that comes with it; ``progress`` is told steps.

    Raises:
        EncoderError: when the model or its form is damaged.
        OSError: when the land cannot be read.
        KeyError: when there is none in its file.
        ValueError: when its file is damaged.
    """
    kind, model = SavedModelKind(), LocalModel(name="model", title="", origin="", directory=directory)
    exact, form = (kind.load(model, backend, memory) for backend in ("openvino-f32", "openvino-int8"))
    usual = kind.load(model, "openvino-bf16", memory) if has_bf16(memory) else None
    return try_beside(exact, form, load_land(directory, exact.spec.input_size or 64), usual=usual, progress=progress)


def tell(done: int, total: int) -> None:
    """Print how far it is, at once."""
    sys.stdout.write(f"{done} {total}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(try_both(Path(sys.argv[1]), Path(sys.argv[2]), tell))))
