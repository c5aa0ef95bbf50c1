"""Find Chromium for the browser tests; run as a script, install it where it is missing and that is possible."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """The path of a Chromium on this machine, or None."""
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if own and Path(own).exists() else None


def attempts() -> list[list[str]]:
    """Commands that might install it, in order: the system's package manager when allowed, else Playwright's own."""
    commands = []
    if shutil.which("apt-get") and os.geteuid() == 0:
        commands += [["apt-get", "update", "-q"], ["apt-get", "install", "-yq", "--no-install-recommends", "chromium"]]
    return [*commands, [sys.executable, "-m", "playwright", "install", "chromium"]]


def main() -> None:
    """Install Chromium unless it is there; never fails, the tests themselves say what is missing."""
    for command in attempts():
        if find():
            return
        print("Chromium is missing; trying:", " ".join(command), flush=True)
        subprocess.run(command, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if not find():
        print("Chromium could not be installed; browser tests will be skipped.")


if __name__ == "__main__":
    main()
