"""Getting ready for the first visitor: what is imported for it is what the first page needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
NOT_NEEDED = ("fpdf", "fontTools", "requests", "core.ingest.boundary", "core.ingest.formats")
"""What a page needs once something is printed or added; half a second of a start."""
CODE = f"""
import sys
import app
from pages.ui.state import warm
from pages.ui.state.engine import engine

engine()
warm.import_first()
print([name for name in {NOT_NEEDED!r} if name in sys.modules])
"""


def test_nothing_is_imported_that_the_first_page_does_not_need(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True,
        env={"LANDLIKE_DATA": str(tmp_path), "PATH": ""},
    )  # fmt: skip
    assert done.stdout.strip().splitlines()[-1] == "[]"
