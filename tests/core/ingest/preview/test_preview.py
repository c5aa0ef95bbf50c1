"""A picture shows the whole of a source as it would lie, whatever kind of input it is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from core.bands import BAND_NAMES
from core.errors import SourceError
from core.ingest.preview.protocol import (
    PICTURE_FILE,
    PREVIEW_SIDE,
    PreviewRequest,
    preview_request_from_dict,
    preview_result_from_dict,
)
from core.ingest.preview.reader import read_preview
from core.ingest.sandbox.protocol import IngestRequest
from core.ingest.settings import IngestSettings
from tests.core.ingest.rasters import NORTH_UP, land, write_tif


def picture(tmp_path: Path, paths: list[Path]) -> NDArray[np.uint8]:
    for folder in ("out", "scratch"):
        (tmp_path / folder).mkdir()
    source = IngestRequest(
        name="x", paths=tuple(paths), names=tuple(path.name for path in paths), settings=IngestSettings(),
        directory=tmp_path / "out", scratch=tmp_path / "scratch",
    )  # fmt: skip
    request = preview_request_from_dict(json.loads(PreviewRequest(source=source).to_json()))
    found = preview_result_from_dict(json.loads(json.dumps(read_preview(request).to_dict())))
    pixels = np.frombuffer((tmp_path / "out" / PICTURE_FILE).read_bytes(), dtype=np.uint8)
    return pixels.reshape(found.rows, found.cols, 3)


def quarter(
    corner: tuple[slice, slice], height: int = 64, width: int = 80
) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint16]]:
    """Land of which one quarter holds nothing."""
    pixels = land(height=height, width=width)
    pixels[(slice(None), *corner)] = 0
    return pixels


def test_a_picture_has_all_of_a_scene(tmp_path: Path) -> None:
    path = write_tif(tmp_path / "a.tif", quarter((slice(0, 32), slice(0, 40))), BAND_NAMES)
    shown = picture(tmp_path, [path])
    assert shown.shape == (64, 80, 3)
    assert (shown[:32, :40] == 0).all()
    assert (shown[32:] > 0).all()


def test_a_picture_is_small_and_north_up(tmp_path: Path) -> None:
    upside_down = rasterio.Affine(10, 0, 400_000, 0, 10, 5_000_000)
    pixels = quarter((slice(0, 800), slice(0, 40)), height=1600, width=80)
    path = write_tif(tmp_path / "a.tif", pixels[:4], BAND_NAMES[:4], transform=upside_down)
    shown = picture(tmp_path, [path])
    assert shown.shape[0] <= PREVIEW_SIDE
    half = shown.shape[0] // 2
    assert (shown[half + 1 :, : shown.shape[1] // 2] == 0).all()
    assert (shown[:half] > 0).all()


def test_a_part_is_counted_in_pixels_of_bands_and_not_of_what_is_finer_beside_them(tmp_path: Path) -> None:
    stack = write_tif(tmp_path / "stack.tif", land(height=64, width=80), BAND_NAMES)
    finer, pixels = NORTH_UP @ rasterio.Affine.scale(0.5), land(BAND_NAMES[:3], height=128, width=160)
    trees = write_tif(tmp_path / "trees.tif", pixels, ["oak", "ash", "elm"], transform=finer)
    assert picture(tmp_path, [stack, trees]).shape == (64, 80, 3)


def test_no_picture_of_what_has_no_common_ground(tmp_path: Path) -> None:
    turned = NORTH_UP @ rasterio.Affine.rotation(20)
    path = write_tif(tmp_path / "a.tif", land(), BAND_NAMES, transform=turned)
    with pytest.raises(SourceError, match="do not run along the axes"):
        picture(tmp_path, [path])


@pytest.mark.parametrize("fields", [{"rows": 0}, {"cols": PREVIEW_SIDE + 1}, {"height": "7"}, {"width": True}])
def test_answers_that_make_no_sense(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(fields))):
        preview_result_from_dict({"height": 64, "width": 64, "rows": 8, "cols": 8, **fields})
