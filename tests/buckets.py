"""A server of S3 for tests: objects in memory, conditions as AWS has them, and whatever fault a test asks for.

Its answers were held against those of moto's server, whose own dependencies exclude versions that ours need. It checks
that requests are signed by the key that it knows, and not the signature. What lies under ``public/`` anybody may read.
"""

from __future__ import annotations

import hashlib
import html
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4
from xml.sax.saxutils import escape

KEY_ID, SECRET = "LANDLIKETESTKEY", "a-word-that-nobody-may-ever-see"
PAGE = 3
"""Objects of one page of a listing; few, so that several pages are read."""


@dataclass(frozen=True)
class Asked:
    """A request: what a fault is chosen by."""

    method: str
    key: str
    query: dict[str, str]


@dataclass(frozen=True)
class Fault:
    """What is answered in place of the truth: a status, an end without answer, or the truth after a while.

    ``after`` = the request is carried out first, so that its answer alone is lost.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    drop: bool = False
    delay: float = 0.0
    after: bool = False


Choice = Callable[[Asked], "Fault | None"]


class Objects(dict[str, bytes]):
    """Objects by key; ``written`` has when each was, seconds since 1970."""

    def __init__(self) -> None:
        super().__init__()
        self.written: dict[str, float] = {}

    def __setitem__(self, key: str, data: bytes) -> None:
        super().__setitem__(key, data)
        self.written[key] = time.time()

    def modified(self, key: str) -> datetime:
        return datetime.fromtimestamp(self.written[key], UTC)

    def __ior__(self, others: Any) -> Objects:  # type: ignore[override, misc]  as dict does not tell what it sets
        for key, data in others.items():
            self[key] = data
        return self


class Bucket:
    """One bucket called ``land`` of a server that is up while the block lasts."""

    def __init__(self) -> None:
        self.objects = Objects()
        self.parts: dict[str, dict[int, bytes]] = {}
        self.asked: list[Asked] = []
        self.choose: Choice = lambda _asked: None
        self.lock = threading.RLock()
        self.keeps_matches = True
        self.port = 0

    def environment(self) -> dict[str, str]:
        """What a process needs to reach it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}", "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "eu-central-1",
        }  # fmt: skip

    def age(self, seconds: float) -> None:
        """Let all that is there be so much older."""
        for key in self.objects.written:
            self.objects.written[key] -= seconds

    @contextmanager
    def faulty(self, choose: Choice) -> Iterator[None]:
        """Answer by faults while the block lasts."""
        self.choose = choose
        try:
            yield
        finally:
            self.choose = lambda _asked: None

    def calls(self, method: str, beginning: str = "") -> int:
        """How many requests of a kind there were."""
        return sum(one.method == method and one.key.startswith(beginning) for one in self.asked)


def etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bucket: Bucket

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status: int, code: str) -> None:
        self.answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def go(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        parts = urlsplit(self.path)
        name, _, key = unquote(parts.path).lstrip("/").partition("/")
        query = {word: values[0] for word, values in parse_qs(parts.query, keep_blank_values=True).items()}
        asked, bucket = Asked(self.command, key, query), self.bucket
        with bucket.lock:
            bucket.asked.append(asked)
            fault = bucket.choose(asked)
        if fault is not None:
            time.sleep(fault.delay)
            if fault.after:
                with bucket.lock:
                    bucket.objects[key] = body
            if fault.drop:
                self.close_connection = True
                return
            if fault.status:
                self.answer(fault.status, fault.body.encode(), **fault.headers)
                return
        if not key.startswith("public/") and f"Credential={KEY_ID}/" not in (self.headers.get("Authorization") or ""):
            self.refuse(403, "AccessDenied")
        elif name != "land":
            self.refuse(404, "NoSuchBucket")
        else:
            with bucket.lock:
                {"GET": self.get, "HEAD": self.get, "PUT": self.put, "POST": self.post, "DELETE": self.remove}[
                    self.command
                ](key, query, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = go

    def get(self, key: str, query: dict[str, str], _body: bytes) -> None:
        if not key:
            self.listing(query)
        elif key not in self.bucket.objects:
            self.refuse(404, "NoSuchKey")
        else:
            data = self.bucket.objects[key]
            found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
            headers = {
                "ETag": etag(data),
                "Last_Modified": format_datetime(self.bucket.objects.modified(key), usegmt=True),
            }
            if found is None:
                self.answer(200, data, **headers, Content_Length=str(len(data)))
                return
            first, last = int(found[1]), int(found[2] or len(data) - 1)
            said = f"bytes {first}-{min(last, len(data) - 1)}/{len(data)}"
            self.answer(206, data[first : last + 1], **headers, Content_Range=said)

    def listing(self, query: dict[str, str]) -> None:
        after = query.get("continuation-token", query.get("start-after", ""))
        keys = sorted(key for key in self.bucket.objects if key.startswith(query.get("prefix", "")) and key > after)
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.bucket.objects[key])}</Size>"
            f"<ETag>{escape(etag(self.bucket.objects[key]))}</ETag>"
            f"<LastModified>{self.bucket.objects.modified(key):%Y-%m-%dT%H:%M:%S.000Z}</LastModified></Contents>"
            for key in keys[:PAGE]
        )
        more = f"<NextContinuationToken>{escape(keys[PAGE - 1])}</NextContinuationToken>" if keys[PAGE:] else ""
        whole = f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}{rows}"
        self.answer(200, f"<ListBucketResult><Name>land</Name>{whole}</ListBucketResult>".encode())

    def put(self, key: str, query: dict[str, str], body: bytes) -> None:
        if "uploadId" in query:
            if query["uploadId"] not in self.bucket.parts:  # It was given up meanwhile.
                self.refuse(404, "NoSuchUpload")
                return
            self.bucket.parts[query["uploadId"]][int(query["partNumber"])] = body
            self.answer(200, ETag=etag(body))
            return
        if (source := self.headers.get("x-amz-copy-source")) is not None:
            self.copied(key, unquote(source).lstrip("/").partition("/")[2])
            return
        there = self.bucket.objects.get(key)
        wanted = self.headers.get("If-Match") if self.bucket.keeps_matches else None
        if self.headers.get("If-None-Match") == "*" and there is not None:
            self.refuse(412, "PreconditionFailed")
        elif wanted is not None and there is None:
            self.refuse(404, "NoSuchKey")
        elif wanted is not None and wanted != etag(there or b""):
            self.refuse(412, "PreconditionFailed")
        else:
            self.bucket.objects[key] = body
            self.answer(200, ETag=etag(body))

    def copied(self, key: str, source: str) -> None:
        if source not in self.bucket.objects:
            self.refuse(404, "NoSuchKey")
            return
        data = self.bucket.objects[source]
        self.bucket.objects[key] = data
        inside = f"<ETag>{escape(etag(data))}</ETag><LastModified>2026-11-27T12:00:00.000Z</LastModified>"
        self.answer(200, f"<CopyObjectResult>{inside}</CopyObjectResult>".encode())

    def post(self, key: str, query: dict[str, str], body: bytes) -> None:
        if "uploads" in query:
            upload = uuid4().hex
            self.bucket.parts[upload] = {}
            inside = f"<Bucket>land</Bucket><Key>{escape(key)}</Key><UploadId>{upload}</UploadId>"
            self.answer(200, f"<InitiateMultipartUploadResult>{inside}</InitiateMultipartUploadResult>".encode())
        elif "uploadId" in query:
            given = self.bucket.parts.pop(query["uploadId"])
            self.bucket.objects[key] = b"".join(given[number] for number in sorted(given))
            mark = escape(etag(self.bucket.objects[key]))
            inside = f"<ETag>{mark}</ETag>"
            self.answer(200, f"<CompleteMultipartUploadResult>{inside}</CompleteMultipartUploadResult>".encode())
        else:
            names = list(map(html.unescape, re.findall(r"<Key>([^<]*)</Key>", body.decode())))
            for name in names:
                self.bucket.objects.pop(name, None)
            gone = "".join(f"<Deleted><Key>{escape(name)}</Key></Deleted>" for name in names)
            self.answer(200, f"<DeleteResult>{gone}</DeleteResult>".encode())

    def remove(self, key: str, query: dict[str, str], _body: bytes) -> None:
        if "uploadId" in query:
            self.bucket.parts.pop(query["uploadId"], None)
        else:
            self.bucket.objects.pop(key, None)
        self.answer(204)


@contextmanager
def serving() -> Iterator[Bucket]:
    """Give a bucket whose server is up while the block lasts."""
    bucket = Bucket()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Serving", (Handler,), {"bucket": bucket}))
    server.daemon_threads = True
    bucket.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
