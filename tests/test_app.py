"""The launcher: what starting it says, and that worker processes import nothing of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.config import Config
from core.engine.operations import Engine
from tests.waiting import free_port

ROOT = Path(__file__).resolve().parents[1]


def test_a_second_server_on_the_same_data_is_told_so_in_a_sentence(tmp_path: Path) -> None:
    first = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"), lanes={})
    first.start()
    try:
        environment = {**os.environ, "LANDLIKE_DATA": str(tmp_path), "LANDLIKE_PORT": str(free_port())}
        result = subprocess.run(
            [sys.executable, str(ROOT / "app.py")], cwd=tmp_path, env=environment, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
    finally:
        first.close()
    assert result.returncode == 1
    assert "Landlike did not start." in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_that_is_none_is_told_in_a_sentence(tmp_path: Path) -> None:
    environment = {**os.environ, "LANDLIKE_DATA": str(tmp_path), "LANDLIKE_PORT": "abc"}
    result = subprocess.run(
        [sys.executable, str(ROOT / "app.py")], cwd=tmp_path, env=environment, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("Landlike did not start. Reading the settings: LANDLIKE_PORT is")
    assert "Traceback" not in result.stderr


def test_worker_processes_do_not_load_the_pages(tmp_path: Path) -> None:
    code = (
        "import runpy, sys, multiprocessing\n"
        "multiprocessing.parent_process = lambda: object()\n"
        "names = runpy.run_path('app.py', run_name='__mp_main__')\n"
        "print('app' in names, 'streamlit' in sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "False"]


def test_streamlit_recognises_the_launcher() -> None:
    discovery = pytest.importorskip("streamlit.web.server.app_discovery")
    found = discovery.discover_asgi_app(ROOT / "app.py")
    assert found.is_asgi_app
    assert found.import_string == "app:app"


def test_the_pages_of_a_visitor_leave_the_folders_of_modules_as_they_are() -> None:
    """Else a thread that imports a module just then skips a folder of ``sys.path`` and does not find it."""
    code = (
        "import sys, app\n"
        "from streamlit.runtime.scriptrunner.exec_code import modified_sys_path\n"
        "before = list(sys.path)\n"
        "for page in sorted(app.PAGES.glob('*.py')):\n"
        "    with modified_sys_path(str(page)):\n"
        "        print(page.name, sys.path == before)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    kept = dict(line.split() for line in result.stdout.splitlines())
    assert "explore.py" in kept
    assert set(kept.values()) == {"True"}
