"""The container engine of this computer: docker or podman. As a program it builds the image, for ``make image``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "landlike"
HANDED_IN = {
    "pip.conf": (os.environ.get("PIP_CONFIG_FILE", ""), str(Path.home() / ".config/pip/pip.conf"), "/etc/pip.conf"),
    "certificates": (os.environ.get("PIP_CERT", ""), os.environ.get("SSL_CERT_FILE", "")),
}
"""What a build may read of this computer, by the names that Dockerfile gives: the first file that is there."""
RESTRICTED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")
"""How compose.yaml runs it, too."""


@dataclass(frozen=True)
class Engine:
    """An engine that answers; ``program`` is its command."""

    program: str

    def run(self, *arguments: str, seconds: float = 60, check: bool = True) -> str:
        """Return what a command of the engine printed.

        Raises:
            AssertionError: when it failed, with what it said.
        """
        done = subprocess.run(
            [self.program, *arguments], capture_output=True, text=True, timeout=seconds, check=False, cwd=ROOT
        )
        assert not check or done.returncode == 0, f"{' '.join(arguments[:2])}: {done.stderr.strip()[-2000:]}"
        return done.stdout.strip()

    def image(self) -> dict[str, Any] | None:
        """Return what the engine knows of the image; None when it was not built."""
        said = self.run("image", "inspect", IMAGE, check=False)
        found: list[dict[str, Any]] = json.loads(said) if said else []
        return found[0] if found else None

    def health_command(self) -> list[str]:
        """Return the command by which the image says that it is well."""
        image = self.image() or {}
        kept = image.get("Healthcheck") or image["Config"]["Healthcheck"]  # podman's place, docker's place
        kind, *command = kept["Test"]
        assert kind == "CMD"
        return [str(word) for word in command]

    @contextmanager
    def container(self, *options: str) -> Iterator[str]:
        """Give the id of a container of the image, which is gone in the end."""
        name = self.run("run", "--detach", *RESTRICTED, *options, IMAGE)
        try:
            yield name
        finally:
            self.run("rm", "--force", "--volumes", name, check=False)

    def build(self) -> int:
        """Build the image, with this computer's index of packages; gives the exit status."""
        handed = [
            f"--secret=id={name},src={next(path for path in paths if path and Path(path).is_file())}"
            for name, paths in HANDED_IN.items()
            if any(path and Path(path).is_file() for path in paths)
        ]
        base = [f"--build-arg=BASE_IMAGE={os.environ['BASE_IMAGE']}"] if os.environ.get("BASE_IMAGE") else []
        form = ["--format=docker"] if self.program == "podman" else []  # The other form has no check of health.
        asked = [self.program, "build", *form, *handed, *base, f"--tag={IMAGE}", "."]
        return subprocess.run(asked, cwd=ROOT, check=False).returncode


def find() -> Engine | str:
    """Return the engine, or why there is none."""
    wanted = os.environ.get("ENGINE")
    reasons = []
    for program in [wanted] if wanted else ["docker", "podman"]:
        if shutil.which(program) is None:
            reasons.append(f"{program} is not installed")
            continue
        asked = subprocess.run([program, "info"], capture_output=True, text=True, timeout=60, check=False)
        if asked.returncode == 0:
            return Engine(program)
        reasons.append(f"{program} does not answer: {asked.stderr.strip().splitlines()[-1][:200]}")
    return "; ".join(reasons)


if __name__ == "__main__":
    engine = find()
    sys.exit(f"No container engine: {engine}." if isinstance(engine, str) else engine.build())
