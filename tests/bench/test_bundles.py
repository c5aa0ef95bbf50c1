"""The largest bundles that are read: how long it takes and how much memory, each in a process of its own."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from core.export.bundle import MOST_JSON_BYTES, MOST_LISTS, MOST_VALUES, Bundle, bundle_bytes, read_bundle

pytestmark = pytest.mark.bench

MADE = random.Random(1)  # What repeats packs too well to be taken for a bundle.
CASES: dict[str, Any] = {
    "numbers": lambda: {"selected": [MADE.randrange(10) for _ in range(MOST_VALUES - 1000)]},
    "objects": lambda: {"selected": [{str(MADE.randrange(10)): 1} for _ in range(MOST_LISTS - 1000)]},
    "text": lambda: {"words": "\u00e9" + "".join(MADE.choices("abcdefghijklmnop", k=MOST_JSON_BYTES - 2000))},
}
SCENE = {"id": "s-1", "name": "S", "checksum": "0" * 64}
RECIPE = {"encoder": "e", "fingerprint": "0" * 64, "patch_size": 64}
MOST_SECONDS, MOST_MEMORY = 3.0, 400 * 2**20


@pytest.mark.parametrize("name", CASES)
def test_the_largest_that_is_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / "B.zip"
    path.write_bytes(bundle_bytes(Bundle(scene=SCENE, recipe=RECIPE, view=CASES[name]())))
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.test_bundles", str(path)], check=True, capture_output=True, text=True
    )
    found = json.loads(done.stdout)
    print(f"\n{name}: {found['seconds']:.2f} s, {found['bytes'] / 2**20:.0f} MB more memory")
    assert found["seconds"] <= MOST_SECONDS
    assert found["bytes"] <= MOST_MEMORY


def main(path: Path) -> None:
    """Read a bundle once; print seconds and how much the memory grew."""
    before, begun = peak(), time.perf_counter()
    read_bundle(path)
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - begun, "bytes": peak() - before}))


def peak() -> int:
    """Return the most memory that this program held, in bytes; not what the one before it in this process did."""
    words = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(words.split()[1]) * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
