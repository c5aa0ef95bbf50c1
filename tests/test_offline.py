"""Tests reach this computer only: the tests' own process, and those they start."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

ELSEWHERE = "192.0.2.1"
"""An address of documentation (RFC 5737): nobody has it."""

CHILD = f"""
import socket, urllib.request
for host in ({ELSEWHERE!r}, "example.com"):
    try:
        socket.create_connection((host, 80), timeout=5)
    except OSError as error:
        assert "beyond this computer" in str(error), error
    else:
        raise SystemExit("connected")
try:
    urllib.request.urlopen("http://example.com", timeout=5)
except OSError as error:
    print("held")
"""


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def test_this_process_is_held() -> None:
    with (
        socket.socket() as one,
        pytest.warns(UserWarning, match="tried to use"),
        pytest.raises(RuntimeError, match=f'with host "{ELSEWHERE}"'),
    ):
        one.connect((ELSEWHERE, 80))


def test_processes_that_tests_start_are_held() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "held"), done.stderr


def test_this_computer_is_in_reach() -> None:
    server = HTTPServer(("127.0.0.1", 0), _Hello)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        for host in ("127.0.0.1", "localhost"):
            with urllib.request.urlopen(f"http://{host}:{server.server_port}", timeout=5) as answer:
                assert answer.read() == b"hello"
        code = f"import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:{server.server_port}').read())"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.stdout.strip() == "b'hello'", done.stderr
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
