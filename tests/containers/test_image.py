"""The image as it was built: who runs it, what is in it, and that it explores its sample without a network.

``make image`` builds it and runs this; other tasks leave it alone, for building takes minutes.
"""

from __future__ import annotations

import pytest

from tests.containers.engine import ROOT, Engine, find
from tests.visitors import come_and_go
from tests.waiting import free_port, until

pytestmark = pytest.mark.container
VISITORS = (ROOT / "tests" / "visitors.py").read_text(encoding="utf-8")
ABSENT = "import shutil; print(*filter(shutil.which, ('cc', 'gcc', 'make', 'git', 'pytest', 'ruff')))"


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.config.option.markexpr != "container":
        pytest.skip("make image runs it")
    found = find()
    if isinstance(found, str):
        pytest.skip(f"no container engine: {found}")
    if found.image() is None:
        pytest.skip("the image was not built: make image")
    return found


def well(engine: Engine, container: str) -> bool:
    """Whether the image's own command says so."""
    asked = ["sh", "-c", '"$@" && echo well', "sh", *engine.health_command()]
    return engine.run("exec", container, *asked, check=False) == "well"


def explored(engine: Engine, container: str) -> bool:
    """Visit the page; whether the plot's layout is there."""
    come = f"{VISITORS}\ncome_and_go('http://127.0.0.1:8501', 1)"
    engine.run("exec", container, "python", "-c", come, seconds=120)
    return engine.run("exec", container, "sh", "-c", "ls /data/projections/*/*.npy | head -1") != ""


def test_it_explores_its_sample_as_an_ordinary_user_without_a_network(engine: Engine) -> None:
    with engine.container("--network=none") as container:
        until(lambda: well(engine, container), 60, "it did not become well")
        assert engine.run("exec", container, "id", "-u") == "10001"
        assert engine.run("exec", container, "stat", "-c", "%u %a", "/data") == "10001 750"
        assert engine.run("exec", container, "sh", "-c", "touch /srv/landlike/x || echo refused") == "refused"
        assert engine.run("exec", container, "python", "-c", ABSENT) == ""
        until(lambda: explored(engine, container), 300, "the sample was not arranged")
        engine.run("stop", "--time=30", container)
        assert engine.run("inspect", "--format", "{{.State.ExitCode}}", container) == "0", "it had to be killed"


def test_a_page_is_shown_below_a_path(engine: Engine) -> None:
    port = free_port()
    with engine.container(f"--publish=127.0.0.1:{port}:8501", "--env=LANDLIKE_BASE_PATH=/land") as container:
        until(lambda: well(engine, container), 60, "it did not become well")
        come_and_go(f"http://127.0.0.1:{port}/land", 3)
        assert "Traceback" not in engine.run("logs", container)
