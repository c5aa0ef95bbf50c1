"""The launcher: what starting it says, and that worker processes import nothing of it."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from core.config import Config
from core.engine.operations import Engine
from pages.ui.state.engine import replace_engine

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of modules as they were before the launcher, once the test is over."""
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.mark.usefixtures("folders")
def test_a_second_server_on_the_same_data_is_told_so_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path))
    monkeypatch.setattr(os, "_exit", sys.exit)
    first = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"), lanes={})
    first.start()
    replace_engine(None)
    launcher = runpy.run_path(str(ROOT / "app.py"))
    try:
        with pytest.raises(SystemExit) as ended:
            launcher["prepare"]()
    finally:
        replace_engine(None)
        first.close()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("Landlike did not start. ")


@pytest.mark.usefixtures("folders")
def test_a_port_that_is_none_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path))
    monkeypatch.setenv("LANDLIKE_PORT", "abc")
    with pytest.raises(SystemExit, match=r"^Landlike did not start\. Reading the settings: LANDLIKE_PORT is"):
        runpy.run_path(str(ROOT / "app.py"), run_name="__main__")


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


@pytest.mark.usefixtures("folders")
def test_the_pages_of_a_visitor_leave_the_folders_of_modules_as_they_are() -> None:
    """Else a thread that imports a module just then skips a folder of ``sys.path`` and does not find it."""
    from streamlit.runtime.scriptrunner.exec_code import modified_sys_path

    launcher = runpy.run_path(str(ROOT / "app.py"))
    before, pages = list(sys.path), sorted(launcher["PAGES"].glob("*.py"))
    assert "explore.py" in {page.name for page in pages}
    for page in pages:
        with modified_sys_path(str(page)):
            assert sys.path == before, page.name
