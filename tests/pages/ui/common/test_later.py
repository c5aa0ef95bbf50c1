"""A module that is imported late is the module itself to who uses it, and to who imports it meanwhile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
CODE = """
import sys
from pages.ui.common.later import later

with later("colorsys"):
    import colorsys as first
    assert sys.modules["colorsys"] is first
    {meanwhile}
assert sys.modules.get("colorsys") is not first
print("colorsys" in sys.modules)
assert first.rgb_to_hsv(1, 1, 1) == (0, 0, 1)
import colorsys
assert first.rgb_to_hsv is colorsys.rgb_to_hsv and sys.modules["colorsys"] is colorsys
assert not hasattr(first, "no_such_thing")
with later("colorsys"):
    import colorsys as again
assert again is colorsys and sys.modules["colorsys"] is colorsys
"""


def loaded(meanwhile: str) -> str:
    code = CODE.replace("{meanwhile}", meanwhile)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_module_is_imported_when_something_of_it_is_asked_for() -> None:
    assert loaded("pass") == "False"
    assert loaded("from colorsys import rgb_to_hsv") == "True", "who needs it at once gets it"
