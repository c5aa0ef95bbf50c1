"""TensorFlow is imported without a word of its own, and failures are still heard."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests import modules

ROOT = Path(__file__).resolve().parents[4]


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_importing_it_says_nothing_and_what_comes_after_is_heard() -> None:
    """In the process of ``tests.modules``, which imports it as Landlike does, uses it, and then writes its mark."""
    assert modules.tensorflow().errors().startswith(modules.MARK)


def test_an_import_that_fails_is_told() -> None:
    done = run(
        "import sys\nsys.modules['tensorflow._api'] = None\n"
        "from core.encoders.saved_model.tensorflow import import_tensorflow\n"
        "import_tensorflow()"
    )
    assert done.returncode == 1
    assert "ImportError" in done.stderr or "ModuleNotFoundError" in done.stderr
