"""A map of classes beside a scene of the library: kept through the sandbox, and lost by no map that is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from core.config import Config
from core.engine.tasks import truth_task
from core.errors import SourceError
from core.ingest.files import map_name
from core.ingest.truth.adding import add_map, with_files_beside
from core.jobs.files import JobFiles
from core.jobs.worker import Work
from core.scenes.library import Library
from core.scenes.truth import truth_of
from tests.core.ingest.rasters import write_tif
from tests.scenes import UTM31, add_scene

PLACE = Affine(*UTM31)


def test_an_upload_becomes_the_truth(tmp_path: Path) -> None:
    library = Library(tmp_path)
    scene = add_scene(library, height=64, width=64)
    uploads = tmp_path / "uploads" / "upload-1"
    uploads.mkdir(parents=True)
    codes = np.full((1, 64, 64), 2, np.uint8)
    codes[0, :16] = 1
    path = write_tif(uploads / "map.tif", codes, crs="EPSG:32631", transform=PLACE)
    table = uploads / "names.csv"
    table.write_text("code,name\n1,<b>Sea</b>\n2,Salt marsh\n")
    work = Work(JobFiles(tmp_path / "jobs"), "0" * 16, "Opening “map.tif”")
    config, payload = Config(root=tmp_path, model_cache=tmp_path), {"scene_id": scene.id, "classes": ""}
    assert truth_task(config, work, payload | {"paths": [str(path), str(table)]}) == scene.id
    assert not uploads.exists()
    truth = truth_of(scene)
    assert truth is not None
    assert truth.added is not None
    assert (truth.classes, truth.added.source, truth.added.covered) == (("<b>Sea</b>", "Salt marsh"), "map.tif", 1)
    assert sorted(path.name for path in library.root.iterdir()) == [scene.id]


@pytest.mark.usefixtures("maps_here")
def test_a_map_that_does_not_fit_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    library = Library(tmp_path)
    scene = add_scene(library, height=64, width=64)
    codes = np.full((1, 64, 64), 2, np.uint8)
    codes[0, :16] = 1
    kept = write_tif(tmp_path / "map.tif", codes, crs="EPSG:32631", transform=PLACE)
    add_map([kept], library, scene)
    truth = truth_of(scene)
    assert truth is not None
    far = write_tif(tmp_path / "far.tif", codes, crs="EPSG:32631", transform=Affine.translation(9e5, 0) @ PLACE)
    with pytest.raises(SourceError, match=r"^Opening “far.tif”: it lies nowhere on the ground of the scene; give"):
        add_map([far], library, scene)
    water = write_tif(tmp_path / "water.tif", np.ones((1, 64, 64), np.uint8), crs="EPSG:32631", transform=PLACE)
    with pytest.raises(SourceError, match=r"^Opening “water.tif”: all land of the scene is of one class; give a map"):
        add_map([water], library, scene, fewest=2)
    assert truth_of(scene) == truth


def test_what_is_no_map_at_all_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    library = Library(tmp_path)
    scene = add_scene(library, height=64, width=64)
    with pytest.raises(SourceError, match=r"Opening “gone.tif”: there is no such file"):
        add_map([tmp_path / "gone.tif"], library, scene)
    with pytest.raises(SourceError, match=r"no file was given"):
        add_map([], library, scene)


def test_files_beside_a_map_come_with_it(tmp_path: Path) -> None:
    for name in ("map.tif", "map.tif.aux.xml", "map.tfw", "other.tif"):
        (tmp_path / name).write_text("x")
    found = with_files_beside(tmp_path / "map.tif")
    assert [path.name for path in found] == ["map.tif", "map.tif.aux.xml", "map.tfw"]
    assert map_name(found) == "map.tif"
