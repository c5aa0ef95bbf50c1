"""What encoding costs: its rate against the encoder's own, and its memory on a full tile. Run by ``make bench``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.encoders.registry import default_encoder
from tests.modules import build

pytestmark = pytest.mark.bench
ROOT = Path(__file__).resolve().parents[2]
TILE = 10_980


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encode")


def run(*arguments: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.encode_once", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout) if done.stdout else {}


def tell(title: str, found: dict[str, Any]) -> None:
    numbers = ", ".join(f"{key} {value:,.4g}" for key, value in found.items() if key != "peak_bytes")
    sys.stdout.write(f"\n{title}: {numbers}, peak memory {found['peak_bytes'] / 1e9:.2f} GB\n")


def test_memory_does_not_grow_with_the_scene(data: Path) -> None:
    peaks = {}
    for size in (2560, TILE):
        run("write", data, size)
        found = run("plain", data, size, "spectral", "")
        tell(f"spectral, {size} × {size}", found)
        peaks[size] = found["peak_bytes"]
    assert peaks[TILE] <= 3e9
    # 18 times the pixels: caches and queues fill, nothing else grows.
    assert peaks[TILE] <= peaks[2560] + 0.7e9


def test_spectral_statistics_keep_up_with_reading(data: Path) -> None:
    run("write", data, 2560)
    found = run("rates", data, 2560, "spectral", "")
    tell("spectral", found)
    assert found["rate"] >= 0.4 * min(found["encode_rate"], found["reading_rate"])


def test_the_shipped_encoder_takes_a_full_tile(data: Path) -> None:
    run("write", data, TILE)
    found = run("plain", data, TILE, default_encoder(), "")
    tell(f"{default_encoder()}, {TILE} × {TILE}", found)
    assert found["peak_bytes"] <= 3e9


@pytest.mark.parametrize("backend", ["openvino", "openvino-f32"])
def test_resnet50_end_to_end_is_as_fast_as_the_encoder(data: Path, backend: str) -> None:
    run("write", data, 1024)
    found = run("rates", data, 1024, build("resnet50", data / "models"), backend)
    tell(f"ResNet-50, {backend}", found)
    # The share tells the same on a machine that is busy with other things, where rates tell little.
    assert found["rate"] >= 0.9 * found["encode_rate"] or found["own_processor_share"] >= 0.9
