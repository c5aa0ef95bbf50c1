"""Uploads on disk: the route that takes files in Streamlit's place, and what pages find of them.

Streamlit 1.67 keeps each file as bytes in this process until the visitor leaves. Here its record of a file (
``UploadedFileRec.data``) holds a stand-in for the bytes: as long as they are, but empty. So its widget, its rules for
names, and its ways to forget files stay as they are; and a file is gone from the disk when its record is. Whatever
of Streamlit's own is leant on is in this module.
"""

from __future__ import annotations

import asyncio
import io
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol, Self, cast

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send
from streamlit import config
from streamlit.runtime import Runtime, get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.web.server.server_util import is_xsrf_enabled
from streamlit.web.server.starlette.starlette_app_utils import validate_xsrf_token
from streamlit.web.server.starlette.starlette_routes import BASE_ROUTE_UPLOAD_FILE
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME

from core.engine.arrivals import ArrivedFile
from core.errors import StoreError
from core.files import disk_full, reason
from core.ingest.messages import clean_name
from pages.ui.state.engine import engine

_ADDRESS = re.compile(rf"/{BASE_ROUTE_UPLOAD_FILE}/([\w-]{{1,100}})/([\w-]{{1,100}})")
_BLOCK = 2**20
"""Bytes that are handed to the disk at once."""
_FRAME = 2**20
"""Bytes that a body may have beside the file: boundaries, and the header of the part."""
_PATIENCE, _MOMENT_SECONDS = 120, 0.25
"""A visitor whose connection is lost while a file arrives has so many moments to come back."""


class Upload(Protocol):
    """What ``st.file_uploader`` gives."""

    name: str
    size: int

    def getbuffer(self) -> memoryview:
        """Return all bytes of the file, where they are in memory."""


class StandIn(bytes):
    """Stands for the bytes of an upload in Streamlit's record: empty, but as long as they are.

    Attributes:
        file: where they are; None = they did not arrive.
        found: why they did not.
        remedy: what to do about it.
    """

    file: ArrivedFile | None
    found: str
    remedy: str
    _length: int

    def __new__(cls, length: int, file: ArrivedFile | None, found: str = "", remedy: str = "") -> Self:
        """Make one for ``length`` bytes."""
        made = super().__new__(cls)
        made._length, made.file, made.found, made.remedy = length, file, found, remedy
        return made

    def __len__(self) -> int:
        return self._length


def stored(upload: Upload) -> ArrivedFile | None:
    """Return where an upload lies; None where its bytes are in memory, as tests of pages give them.

    Raises:
        StoreError: when it did not arrive, or is no longer there.
    """
    if len(upload.getbuffer()) == upload.size:
        return None
    content = _content(upload)
    asked = f"Adding “{clean_name(upload.name, 80)}”"
    if not isinstance(content, StandIn):
        raise StoreError(asked, "it is no longer here", "choose it again")
    if content.file is None:
        raise StoreError(asked, content.found, content.remedy)
    return content.file


def opened(upload: Upload) -> BinaryIO:
    """Open an upload to be read.

    Raises:
        StoreError: as of ``stored``, and when it cannot be read.
    """
    held = stored(upload)
    if held is None:
        return io.BytesIO(upload.getbuffer())
    try:
        return held.path.open("rb")
    except OSError as error:
        asked = f"Reading “{clean_name(upload.name, 80)}”"
        raise StoreError(asked, reason(error), "choose it again") from error


def upload_content(upload: Upload, most: int = -1) -> bytes:
    """Return the bytes of a small upload, or the first of them. Errors of ``opened``."""
    with opened(upload) as file:
        return file.read(most)


def put_upload(upload: Upload, path: Path) -> None:
    """Have an upload under a name of ours, without reading it.

    Raises:
        StoreError: as of ``stored``.
        OSError: when it cannot be written.
    """
    held = stored(upload)
    if held is None:
        path.write_bytes(upload.getbuffer())
    else:
        held.put(path)


def let_go(upload: Upload) -> None:
    """Forget an upload that was taken over; harmless where Streamlit keeps its bytes."""
    context = get_script_run_ctx()
    if context is not None and isinstance(_content(upload), StandIn):
        _keeper(context.uploaded_file_mgr).remove_file(context.session_id, _file_id(upload))


def _content(upload: Upload) -> bytes | None:
    """Return what Streamlit's record of an upload holds for its bytes; None when it has none."""
    context = get_script_run_ctx()
    if context is None:
        return None
    records = context.uploaded_file_mgr.get_files(context.session_id, [_file_id(upload)])
    return records[0].data if records else None


def _file_id(upload: Upload) -> str:
    return str(getattr(upload, "file_id", ""))


def _keeper(manager: object) -> MemoryUploadedFileManager:
    return cast(MemoryUploadedFileManager, manager)


class UploadRoute(BaseRoute):
    """Takes the files that browsers send, at Streamlit's address for them; what else is asked there is Streamlit's."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return a full match for a file that comes."""
        ours = scope["type"] == "http" and scope["method"] == "PUT" and _ADDRESS.fullmatch(str(scope["path"]))
        return (Match.FULL if ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the file to disk, and have Streamlit's records name it."""
        try:
            await take_upload(Request(scope, receive), get_instance())
        except ClientDisconnect:
            return  # Nobody is there any more to be answered.
        await Response(status_code=204)(scope, receive, send)


async def take_upload(request: Request, runtime: Runtime) -> None:
    """Stream the file of a request to disk, with the checks that Streamlit makes.

    A file that the disk refuses is kept as one that did not arrive, so that the page says why.

    Raises:
        HTTPException: when it may not be sent, is too large, or is no form of one file.
        ClientDisconnect: when the visitor left before its end.
    """
    _check_token(request)
    found = _ADDRESS.fullmatch(str(request.scope["path"]))
    if found is None:
        raise HTTPException(404)
    session_id, file_id = found.groups()
    if not runtime.is_active_session(session_id):
        raise HTTPException(400, "Invalid session_id.")
    record = await _received(request, file_id, int(config.get_option("server.maxUploadSize")) * 2**20)
    for _ in range(_PATIENCE):  # Nobody would take away what comes for a session that has ended.
        if runtime.is_active_session(session_id):
            _keeper(runtime.uploaded_file_mgr).add_file(session_id, record)
            return
        await asyncio.sleep(_MOMENT_SECONDS)
    raise HTTPException(400, "Invalid session_id.")


def _check_token(request: Request) -> None:
    sent, kept = request.headers.get("X-Xsrftoken"), request.cookies.get(XSRF_COOKIE_NAME)
    if is_xsrf_enabled() and not validate_xsrf_token(sent, kept):
        raise HTTPException(403, "XSRF token missing or invalid")


async def _received(request: Request, file_id: str, most: int) -> UploadedFileRec:
    """Return the record of the file that a request brings, once all of it is there."""
    form = FormFile(request.headers.get("content-type", ""), _stated_length(request, most))
    try:
        async for block in _blocks(request, most + _FRAME):
            await asyncio.to_thread(form.write, block)
        content = await asyncio.to_thread(form.close)
    except FormParserError as error:
        raise HTTPException(400, "The body is no form of one file.") from error
    finally:
        form.discard()
    if len(content) > most:
        raise HTTPException(413, "File too large")
    return UploadedFileRec(file_id=file_id, name=form.name, type=form.media_type, data=content)


def _stated_length(request: Request, most: int) -> int:
    """Return the bytes that a request is said to have; 0 where nothing is said."""
    stated = request.headers.get("content-length", "0")
    if not re.fullmatch(r"[0-9]{1,18}", stated):
        raise HTTPException(400, "Invalid Content-Length header")
    if int(stated) > most:
        raise HTTPException(413, "File too large")
    return int(stated)


async def _blocks(request: Request, most: int) -> AsyncIterator[bytes]:
    """Give the body of a request in blocks worth a visit to the disk."""
    came, waiting = 0, bytearray()
    async for chunk in request.stream():
        came += len(chunk)
        if came > most:
            raise HTTPException(413, "File too large")
        waiting += chunk
        if len(waiting) >= _BLOCK:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


class FormFile:
    """The one file of a form (RFC 7578), written to disk as the form comes.

    Attributes:
        name: of the file, as the browser says it.
        media_type: of the file, as the browser says it.
    """

    def __init__(self, content_type: str, expected: int) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise HTTPException(400, "The body is no form.")
        self.name, self.media_type = "", "application/octet-stream"
        self._expected, self._files, self._whole, self._in_file, self._size = expected, 0, False, False, 0
        self._field, self._value, self._headers = bytearray(), bytearray(), dict[bytes, bytes]()
        self._file: io.FileIO | None = None
        self._place: Path | None = None
        self._failed: OSError | None = None
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._header,
                "on_headers_finished": self._part,
                "on_part_data": self._data,
                "on_end": self._ended,
            },
        )

    def write(self, block: bytes) -> None:
        """Take the next bytes of the form; what the disk refuses is told by ``close``.

        Raises:
            FormParserError: when they are no form.
        """
        self._parser.write(block)

    def close(self) -> StandIn:
        """Return what stands for the file, now that all has come.

        Raises:
            HTTPException: when the form ended early, or has not one file.
        """
        if not self._whole or self._files != 1:
            raise HTTPException(400, f"Expected 1 file, but got {self._files}")
        try:
            if self._file is not None:
                self._file.close()
        except OSError as error:
            self._failed = self._failed or error
        if self._failed is not None or self._place is None:
            return self._refused(self._failed)
        arrived, self._place = ArrivedFile(self._place), None
        return StandIn(arrived.size, arrived)

    def discard(self) -> None:
        """Remove what nobody will take; harmless after ``close`` gave a file."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        if self._place is not None:
            shutil.rmtree(self._place.parent, ignore_errors=True)
            self._place = None

    def _refused(self, error: OSError | None) -> StandIn:
        length = max(self._size, 1)  # A stand-in without length could not be told from an empty file.
        if error is None or disk_full(error):
            return StandIn(length, None, "the disk is full", "free some space and choose it again")
        return StandIn(length, None, reason(error), "check the folder of the data and choose it again")

    def _header(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _part(self) -> None:
        """Begin to write, where the part that comes now is a file."""
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"filename")
        self._in_file = name is not None
        if name is None:
            return
        self._files += 1
        self.name = name.decode("utf-8", "replace")
        self.media_type = self._headers.get(b"content-type", b"").decode("latin-1") or self.media_type
        if self._files == 1:
            try:
                self._place = engine().arrivals.place(self._expected)
                self._file = self._place.open("wb", buffering=0)
            except OSError as error:
                self._failed = error

    def _data(self, data: bytes, start: int, end: int) -> None:
        if not self._in_file or self._files != 1:
            return
        self._size += end - start
        if self._file is None or self._failed is not None:
            return
        rest = memoryview(data)[start:end]
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._failed = error
            with suppress(OSError):
                self._file.truncate(0)  # The rest of the system needs the room at once.

    def _ended(self) -> None:
        self._whole = True
