"""The sandbox, looked at from inside: drivers, environment, limits, and what the kernel takes away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio

import core
from core.ingest.files import list_files
from core.ingest.sandbox.limits import ALLOWED_DRIVERS, Limits, sandbox_environment
from core.ingest.sandbox.protocol import IngestRequest
from core.ingest.settings import IngestSettings
from tests.core.ingest.formats.cubes.made import SIX, cube, written
from tests.core.ingest.rasters import land, read_scene
from tests.tiles import write_tile

ROOT = Path(str(core.__file__)).resolve().parents[1]


def inside(tmp_path: Path, code: str) -> Any:
    """Run code in the child's environment; what it prints as JSON."""
    with rasterio.Env() as env:
        drivers = list(env.drivers())
    environment = sandbox_environment([*drivers, *pyogrio.list_drivers()], ROOT, tmp_path)
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, check=True)
    return json.loads(done.stdout)


def test_hdf5_loads_no_library_that_lies_about(tmp_path: Path) -> None:
    environment = sandbox_environment((), tmp_path, tmp_path)
    assert environment["HDF5_PLUGIN_PRELOAD"] == "::"
    assert not Path(environment["HDF5_PLUGIN_PATH"]).exists()


def test_only_the_allowed_drivers(tmp_path: Path) -> None:
    code = "import json, rasterio\nwith rasterio.Env() as env: print(json.dumps(sorted(env.drivers())))"
    assert {"GTiff", "JP2OpenJPEG", "PNG", "JPEG", "MEM"} <= set(inside(tmp_path, code)) <= ALLOWED_DRIVERS


@pytest.mark.parametrize("kind", ["scene", "cube"])
def test_it_imports_nothing_that_takes_long_and_is_not_needed(tmp_path: Path, kind: str) -> None:
    """It starts for every file: of geopandas, pandas and pyarrow each takes longer than reading a small one."""
    (tmp_path / "built").mkdir()
    source = write_tile(tmp_path / "a.tif", 1)
    if kind == "cube":  # Of many files, which are all that it may read; numbers, texts and dates come out all the same.
        source = written(tmp_path / "a.zarr", cube(dates=("2021-05-01",)), zarr_format=2)
    names, paths = zip(*list_files([source]), strict=True)
    request = IngestRequest(
        name="a", names=names, paths=paths, scratch=tmp_path / "built", directory=tmp_path / "built",
        settings=IngestSettings(),
    ).to_json()  # fmt: skip
    unwanted = ("dask", "scipy") if kind == "cube" else ("geopandas", "pandas", "pyarrow.parquet")
    code = f"""
import json, sys
from core.ingest.sandbox.child import _Speaker, _work
class Silent(_Speaker):
    def __call__(self, message): pass
answer = _work(json.loads({request!r}), Silent())
print(json.dumps([answer, [name for name in {unwanted!r} if sys.modules.get(name)]]))
"""
    answer, imported = inside(tmp_path, code)
    assert "result" in answer, answer
    assert imported == []
    if kind == "cube":
        assert (answer["result"]["date"], answer["result"]["grid"]["crs"]) == ("2021-05-01", "EPSG:32633")
        np.testing.assert_array_equal(read_scene(tmp_path / "built"), land(SIX))


def test_nothing_of_the_parents_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.setenv("GDAL_SKIP", "")
    names = inside(tmp_path, "import json, os; print(json.dumps(dict(os.environ)))")
    assert "SECRET_TOKEN" not in names
    assert "HOME" not in names
    assert "VRT" in names["GDAL_SKIP"].split(",")
    assert names["GDAL_DISABLE_READDIR_ON_OPEN"] == "EMPTY_DIR"


def test_limits(tmp_path: Path) -> None:
    limits = Limits(memory=2**30, cpu_seconds=7, file_bytes=1000, open_files=50)
    code = f"""
import json, resource
from core.ingest.sandbox.limits import apply_limits
apply_limits({limits.to_dict()!r})
print(json.dumps({{n: resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith("RLIMIT_")}}))
"""
    got = inside(tmp_path, code)
    assert got["RLIMIT_AS"] == [2**30, 2**30]
    assert got["RLIMIT_CPU"] == [7, 7]
    assert got["RLIMIT_FSIZE"] == [1000, 1000]
    assert got["RLIMIT_NOFILE"] == [50, 50]
    assert got["RLIMIT_CORE"] == [0, 0]


CONFINED = """
import json, os, socket, subprocess, sys
from pathlib import Path
from core.ingest.sandbox.landlock import lock_down

held = lock_down(read=[Path({given!r})], write=[Path({room!r})])

def tried(action):
    try:
        action()
    except PermissionError:
        return "refused"
    except OSError as error:
        return type(error).__name__
    return "done"

server = {server!r}
import rasterio, json.tool
print(json.dumps({{
    "held": held,
    "given": tried(lambda: open({given!r}).read()),
    "room": tried(lambda: open({room!r} + "/x", "w").write("x")),
    "other": tried(lambda: open({other!r}).read()),
    "beside": tried(lambda: os.listdir({beside!r})),
    "write": tried(lambda: open({given!r}, "w")),
    "start": tried(lambda: subprocess.run(["/bin/true"])),
    "connect": tried(lambda: socket.create_connection(("127.0.0.1", 9), 1)),
}}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock is Linux's")
def test_the_rest_of_the_system_is_out_of_reach(tmp_path: Path) -> None:
    given, other, room = tmp_path / "given", tmp_path / "other", tmp_path / "room"
    given.write_text("a")
    other.write_text("b")
    room.mkdir()
    code = CONFINED.format(given=str(given), other=str(other), room=str(room), beside=str(tmp_path), server=os.devnull)
    got = inside(tmp_path, code)
    if not got["held"]:
        pytest.skip("this kernel has no Landlock")
    assert got == {
        "held": True,
        "given": "done",
        "room": "done",
        "other": "refused",
        "beside": "refused",
        "write": "refused",
        "start": "refused",
        "connect": "refused",
    }
