"""What containers are made by, without an engine: it agrees with the project, and holds all that the app needs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from fnmatch import fnmatch
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.__main__ import COMMANDS
from core.config import scheduler_address, settings
from tests.visitors import come_and_go
from tests.waiting import answers, free_port, until

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
STAGES = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: one for name, one in COMPOSE["services"].items() if one["image"] == "landlike"}
PAGES = [path for path in ("Dockerfile", "compose.yaml", "SERVING.md", "README.md") if (ROOT / path).exists()]


class Asked(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, **held: str) -> None:
        super().__init__(held)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def instructions(stage: str, name: str) -> list[str]:
    return re.findall(rf"^{name}\s+(.+)", stage, re.MULTILINE)


def variables() -> dict[str, str]:
    """What the environment of the image holds."""
    return dict(re.findall(r"([A-Z_]+)=(\S+)", " ".join(instructions(STAGES[-1], "ENV"))))


def let_in() -> list[str]:
    """Paths of this project that .dockerignore lets into the image, by its rules: the last that matches counts."""
    rules = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.strip()]
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    tracked = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [path for path in tracked if (ROOT / path).is_file() and _lets_in(path, rules)]


def _lets_in(path: str, rules: list[str]) -> bool:
    parts, inside = path.split("/"), True
    beginnings = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    for rule in rules:
        if rule.startswith("#"):
            continue
        pattern = rule.removeprefix("!").removeprefix("**/")
        anywhere = "**/" in rule
        there = any(
            fnmatch(part, pattern) if anywhere else part.count("/") == pattern.count("/") and fnmatch(part, pattern)
            for part in (parts if anywhere else beginnings)
        )
        inside = rule.startswith("!") if there else inside
    return inside


def test_settings_that_containers_name_are_those_that_are_read() -> None:
    asked = Asked(LANDLIKE_DATA="s3://land/data")
    settings(asked)
    for page in PAGES:
        named = set(re.findall(r"\bLANDLIKE_[A-Z_]+", (ROOT / page).read_text(encoding="utf-8")))
        assert named <= asked.names, page
    assert settings(variables()).root == Path(instructions(STAGES[-1], "VOLUME")[0])


def test_the_image_has_what_the_app_runs_on_and_no_tools() -> None:
    installed = re.findall(r"-r (\S+)", STAGES[0])
    assert installed == ["requirements.txt", "sample.txt"]
    assert "--only-binary :all: -r requirements.txt -c constraints.txt" in STAGES[0]
    assert "tests" not in [word for line in instructions(STAGES[0], "COPY") for word in re.split(r"[\s/]", line)]
    assert re.findall(r"apt-get install \S+ --no-install-recommends (.+?) &&", STAGES[-1]) == ["libexpat1"]
    for stage in STAGES:
        sources = [
            source for line in instructions(stage, "COPY") if "--from" not in line for source in line.split()[:-1]
        ]
        assert all((ROOT / source).exists() for source in sources)
    (user,) = instructions(STAGES[-1], "USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), "Kubernetes looks for a number that is not 0"


def test_the_image_is_built_from_the_app_alone() -> None:
    paths = let_in()
    assert {path.split("/")[0] for path in paths} == {
        "app.py", "pyproject.toml", "LICENSE", "requirements.txt", "constraints.txt", ".streamlit", "core", "pages",
    }  # fmt: skip
    asleep = [path for path in paths if re.search(r"(^|/)(tests?|\.git\w*|__pycache__)(/|$)|\.pyc$", path)]
    assert asleep == []


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The project as the image has it, with what Python has compiled of it here."""
    for path in let_in():
        (tmp_path / "app" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, tmp_path / "app" / path)
        compiled = Path(cache_from_source(str(ROOT / path))) if path.endswith(".py") else None
        if compiled is not None and compiled.is_file():
            target = Path(cache_from_source(str(tmp_path / "app" / path)))
            target.parent.mkdir(exist_ok=True)
            shutil.copy2(compiled, target)
    return tmp_path / "app"


@pytest.mark.slow
def test_what_is_let_in_starts_and_shows_a_page_and_the_image_knows_that_it_is_well(copied: Path) -> None:
    port = free_port()
    kind, _, command = instructions(STAGES[-1], "HEALTHCHECK")[0].partition("CMD ")
    assert "--interval" in kind
    given = {"LANDLIKE_PORT": str(port), "LANDLIKE_DATA": str(copied.parent / "data"), "LANDLIKE_BASE_PATH": "land/"}
    environment = {**os.environ, **variables(), **given, "PATH": os.environ["PATH"], "HOME": str(copied.parent)}

    def well() -> bool:
        _, *asked = json.loads(command)
        return (
            subprocess.run([sys.executable, *asked], env=environment, capture_output=True, check=False).returncode == 0
        )

    assert not well()
    _, *serve = json.loads(instructions(STAGES[-1], "CMD")[-1])
    with (copied.parent / "log").open("w+") as log:
        process = subprocess.Popen([sys.executable, *serve], cwd=copied, env=environment, stdout=log, stderr=log)
        try:
            until(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/land/_stcore"), 60)
            until(lambda: process.poll() is not None or well(), 60, "it did not become well")
            come_and_go(f"http://127.0.0.1:{port}/land", 1)
        finally:
            process.terminate()
            process.wait(30)
        log.seek(0)
        assert "Traceback" not in log.read()


def test_compose_starts_the_app_alone_or_by_its_profile_a_cluster() -> None:
    services: Mapping[str, Any] = COMPOSE["services"]
    assert [name for name, one in services.items() if not one.get("profiles")] == ["app"]
    assert {name for name, one in services.items() if one.get("profiles") == ["cluster"]} == set(services) - {"app"}
    assert services["worker"] == services["worker-2"]
    assert set(services["cluster"]["depends_on"]) == {"scheduler", "worker", "worker-2", "s3"}
    port = instructions(STAGES[-1], "EXPOSE")[0]
    assert settings({}).port == int(port) == int(variables()["LANDLIKE_PORT"])
    for name in ("app", "cluster"):
        assert services[name]["ports"][0].endswith(f":{port}")
        assert "127.0.0.1" in services[name]["ports"][0], "nobody else reaches it unasked"
    for one in OURS.values():
        assert (one["read_only"], one["cap_drop"], one["init"]) == (True, ["ALL"], True)
        if one.get("command", [""])[:3] == ["python", "-m", "core"]:
            assert one["command"][3] in {command.name for command in COMMANDS}
        for volume in [*one.get("volumes", []), *[f"tmpfs:{place}" for place in one["tmpfs"]]]:
            kept, _, place = volume.partition(":")
            assert kept in {*COMPOSE["volumes"], "tmpfs"}
            assert place in {"/data", "/tmp"}
    assert all(re.search(r":v?\d", one["image"]) for name, one in services.items() if name not in OURS), "not pinned"
    address = services["worker"]["environment"]["LANDLIKE_SCHEDULER"]
    host = address.removeprefix("tcp://").split(":")[0]
    assert scheduler_address(address) == services["cluster"]["environment"]["LANDLIKE_SCHEDULER"]
    assert address.split(":")[-1] in services[host]["command"]
    working = services["worker"]["environment"]
    assert working == services["cluster"]["environment"]
    assert settings(working).bucket == "s3://landlike/data"
    assert settings(working).root.parent == Path("/data"), "the working copy lies in a volume"
    stored = services["s3"]
    assert working["AWS_ENDPOINT_URL"] == f"http://s3{stored['command'][1]}"
    assert working["AWS_REGION"] == stored["command"][stored["command"].index("--region") + 1]
    assert [working[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")] == list(
        stored["environment"].values()
    )
    assert services["bucket"]["entrypoint"][-1] == f"{stored['command'][-1]}/landlike"
    met = {name: set(one.get("networks", ["default"])) for name, one in services.items()}
    assert met["scheduler"] == met["worker"] == met["s3"] == {"work"}, "no way out, and none in"
    assert COMPOSE["networks"]["work"] == {"internal": True}
