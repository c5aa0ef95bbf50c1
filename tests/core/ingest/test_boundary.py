"""Ingest end to end on small rasters: ids, what is kept, cancelling, and a child that dies."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from core.bands import BAND_NAMES, EUROSAT_ORDER
from core.errors import JobCancelledError, SourceError
from core.ingest.boundary import ingest
from core.ingest.sandbox import process
from core.ingest.sandbox.limits import Limits
from core.ingest.sandbox.protocol import IngestRequest
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.scenes.quality import Finding, load_quality
from core.scenes.scene import Scene
from tests.conftest import ingest_here
from tests.core.ingest.rasters import NORTH_UP, UTM, land, read_scene, write_tif


def finding(scene: Scene, topic: str) -> Finding:
    found = [line for line in load_quality(scene.directory).findings if line.topic == topic]
    assert len(found) == 1, f"{len(found)} findings on {topic}"
    return found[0]


@dataclass(frozen=True)
class Taken:
    """What came of a small file that was taken in by the child, and what was told meanwhile."""

    path: Path
    library: Library
    scene: Scene
    told: list[tuple[int, int]]
    said: list[str]


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    folder, told, doing = tmp_path_factory.mktemp("taken"), list[tuple[int, int]](), list[str]()
    path, library = folder / "field", Library(folder / "data")
    path.mkdir()
    write_tif(path / "field.tif", land(EUROSAT_ORDER), EUROSAT_ORDER)
    # GDAL would read these as parts of the file that they lie beside.
    said = "<PAMDataset><Metadata><MDI key='date'>2020-01-01</MDI></Metadata></PAMDataset>"
    (path / "field.tif.aux.xml").write_text(said)
    (path / "field.tif.ovr").write_bytes(b"nonsense")
    (path / "field.tif.msk").write_bytes(b"nonsense")
    scene = ingest([path], library, progress=lambda done, total: told.append((done, total)), doing=doing.append)
    return Taken(path, library, scene, told, doing)


def test_named_bands_in_any_order(taken: Taken) -> None:
    scene = taken.scene
    assert scene.bands == BAND_NAMES
    np.testing.assert_array_equal(read_scene(scene.directory), land(BAND_NAMES))
    assert scene.grid.crs == UTM
    assert scene.grid.transform == tuple(NORTH_UP)[:6]
    assert (scene.name, scene.kind, scene.synthetic) == ("field", "scene", False)
    assert set(scene.stretch) >= {"true", "false", "swir"}
    assert scene.date is None, "siblings of a file are not looked at"
    assert finding(scene, "bands").basis == "read"
    assert finding(scene, "scale").override == "scale"


def test_second_time_at_once(taken: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_start", lambda _request: pytest.fail("the child was started again"))
    assert ingest([taken.path], taken.library) == taken.scene


def test_nothing_but_the_scene_is_kept(taken: Taken) -> None:
    assert {path.name for path in taken.scene.directory.iterdir()} == {"pixels.tif", "scene.json", "quality.json"}
    assert [path.name for path in taken.library.root.iterdir()] == [taken.scene.id]


def test_which_file_is_checked_and_opened_is_said(taken: Taken) -> None:
    count = len(list(taken.path.iterdir()))
    checked = [f"checking file {number} of {count}" for number in range(1, count + 1)]
    assert taken.said[:count] == checked
    assert taken.said[count].startswith("opening file 1 of ")


def test_progress_counts_up_to_the_rows(taken: Taken) -> None:
    assert taken.told[-1] == (64, 64)
    assert taken.told == sorted(taken.told)


@pytest.mark.usefixtures("here")
def test_id_comes_from_names_bytes_and_settings(tmp_path: Path, library: Library) -> None:
    path = write_tif(tmp_path / "field.tif", land(), BAND_NAMES)
    first = ingest([path], library)
    assert ingest([path], library, name="another name").id == first.id
    assert ingest([path], library, IngestSettings(date="2020-02-02")).id != first.id
    path.rename(tmp_path / "field_2021-03-04.tif")
    renamed = ingest([tmp_path / "field_2021-03-04.tif"], library)
    assert renamed.id != first.id
    assert renamed.date == "2021-03-04"


def test_cancelling(tmp_path: Path, library: Library) -> None:
    noise = np.random.default_rng(0).integers(1, 4000, (13, 256, 256)).astype(np.uint16)
    path = write_tif(tmp_path / "field.tif", noise, BAND_NAMES)
    started = time.monotonic()
    with pytest.raises(JobCancelledError):
        ingest([path], library, cancelled=lambda: time.monotonic() > started + 0.3)

    def stop(_done: int, _total: int) -> None:
        raise JobCancelledError("Opening a scene", "it was stopped", "start it again")

    with ingest_here(), pytest.raises(JobCancelledError, match="it was stopped"):
        ingest([path], library, progress=stop)
    assert list(library.root.iterdir()) == []


def test_dying_child_becomes_a_sentence(tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_tif(tmp_path / "field.tif", land(), BAND_NAMES)
    start = process._start

    def start_and_kill(asked: IngestRequest) -> subprocess.Popen[bytes]:
        child = start(asked)
        os.kill(child.pid, signal.SIGSEGV)
        return child

    monkeypatch.setattr(process, "_start", start_and_kill)
    with pytest.raises(SourceError, match="made-up files"):
        ingest([path], library)
    assert list(library.root.iterdir()) == []


@pytest.mark.parametrize(
    "said",
    [
        "nonsense",
        "[]",
        '{"result": {}}',
        '{"result": 3}',
        '{"error": 7}',
        '{"error": {"kind": "KeyError", "asked": 1}}',
        '{"progress": "much"}',
        "",
    ],
)
def test_child_that_speaks_nonsense(
    tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    def start(_request: IngestRequest) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-S", "-c", f"print({said!r})"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)

    monkeypatch.setattr(process, "_start", start)
    (tmp_path / "a.tif").write_bytes(b"anything")
    with pytest.raises(SourceError, match="Opening “a\\.tif”: reading it failed"):
        ingest([tmp_path / "a.tif"], library)
    assert list(library.root.iterdir()) == []


def test_child_ends_with_its_parent(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(1, 4000, (13, 1024, 1024)).astype(np.uint16)
    path = write_tif(tmp_path / "field.tif", noise, BAND_NAMES)
    asked = IngestRequest(
        name="a", paths=(path,), names=("a.tif",), settings=IngestSettings(), directory=tmp_path, scratch=tmp_path
    )
    with process._start(asked) as child:
        assert child.stdin is not None
        request = {"request": json.loads(asked.to_json()), "limits": Limits().to_dict()}
        child.stdin.write(json.dumps(request).encode() + b"\n")
        threading.Timer(0.2, child.stdin.close).start()
        assert child.wait(timeout=5) == 3


@pytest.mark.usefixtures("here")
def test_the_same_bytes_under_another_name_are_the_scene_that_is_there(tmp_path: Path, library: Library) -> None:
    """Unless the name states something else, such as a date, or a person wants them read otherwise."""
    scene = ingest([write_tif(tmp_path / "field.tif", land(), BAND_NAMES)], library)
    for name in ("field (1).tif", "copy of field.tif", "my farm.tif"):
        assert ingest([shutil.copy(tmp_path / "field.tif", tmp_path / name)], library).id == scene.id
    dated = ingest([shutil.copy(tmp_path / "field.tif", tmp_path / "field_20200102.tif")], library)
    assert (dated.id != scene.id, dated.date) == (True, "2020-01-02")
    assert ingest([tmp_path / "my farm.tif"], library, IngestSettings(level="L2A")).id != scene.id
    assert len(library.scenes()) == 3
    library.delete(scene.id)
    assert ingest([tmp_path / "my farm.tif"], library).name == "my farm"
