"""The command that starts the app."""

from __future__ import annotations

import argparse
import importlib
import socket
import sys
from collections.abc import Iterable
from pathlib import Path

from core.config import Config
from core.errors import SettingsError, StoreError


class ServeCommand:
    """Start the app.

    It prints the address of its pages. One server works on one folder of data; LANDLIKE_DATA names the folder. Several
    share a bucket, s3://bucket/prefix, each with a working copy of its own below LANDLIKE_CACHE.
    """

    name = "serve"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the port."""
        parser.add_argument("--port", type=int, metavar="P", help="where to listen; default 8501, or LANDLIKE_PORT")

    def run(self, options: argparse.Namespace, config: Config) -> Iterable[str]:
        """Serve ``app.py``, which lies beside this package, until it is stopped."""
        from core.files import FileLock
        from core.mirror.opening import PAGE_PATIENCE, open_data

        port = config.port if options.port is None else options.port
        lock = FileLock(config.root / "jobs" / "server.lock")
        if not lock.take():
            found = f"another server works on the data in {config.root} (process {lock.holder()})"
            setting = "LANDLIKE_CACHE" if config.bucket else "LANDLIKE_DATA"
            raise StoreError("Starting the app", found, f"stop that one, or set {setting} to another folder")
        lock.release()
        _check_port(port)
        open_data(config, PAGE_PATIENCE)
        home = Path(__file__).resolve().parents[2]
        sys.path.insert(0, str(home))
        sys.argv = [str(home / "app.py")]
        # A stated address keeps Streamlit from asking a web service for the public one.
        given = {"server.port": port, "server.baseUrlPath": config.base_path, "browser.serverAddress": "localhost"}
        importlib.import_module("app").app.run(config=given)
        return ()


def _check_port(port: int) -> None:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("", port))
    except (OSError, OverflowError) as error:
        found = "another program listens there" if isinstance(error, OSError) else "ports go from 0 to 65535"
        if isinstance(error, PermissionError):
            found = "this user may not listen there"
        raise SettingsError(f"Listening on port {port}", found, "choose another with --port") from error
