"""A picture of a source is made by a job, kept under the name that its message tells, and swept after a day."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from core.bands import BAND_NAMES
from core.config import Config
from core.engine.previews import made_preview, preview_task, sweep_previews
from core.ingest.settings import IngestSettings
from core.jobs.files import JobFiles
from core.jobs.worker import Work
from tests.core.ingest.rasters import land, write_tif


def test_a_picture_is_made_kept_and_swept(tmp_path: Path) -> None:
    config = Config(root=tmp_path / "data", model_cache=tmp_path / "models")
    (config.root / "jobs").mkdir(parents=True)
    path = write_tif(tmp_path / "a.tif", land(), BAND_NAMES)
    work = Work(JobFiles(config.root / "jobs"), "x", "Looking")
    payload = {"paths": [str(path)], "settings": IngestSettings().to_dict(), "key": "abc"}
    told = preview_task(config, work, payload)
    found = made_preview(config, told)
    assert found is not None
    assert (found.height, found.width) == (64, 80)
    with Image.open(io.BytesIO(found.png)) as image:
        assert image.size == (80, 64)
    sweep_previews(config, 3600)
    assert made_preview(config, told) is not None
    sweep_previews(config, -1)
    assert made_preview(config, told) is None
