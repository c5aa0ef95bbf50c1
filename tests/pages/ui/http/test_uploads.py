"""Files that browsers send lie on disk while Streamlit's own manager and widget believe to hold their bytes."""

from __future__ import annotations

import asyncio
import re
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
from streamlit.web.server.starlette.starlette_routes import create_upload_routes

from core.engine.arrivals import Arrivals
from core.errors import StoreError
from core.export.bundle import is_bundle
from pages.ui.http import uploads
from pages.ui.http.uploads import StandIn, UploadRoute, let_go, opened, put_upload, upload_content
from pages.ui.scenes.upload import spool
from pages.ui.state.engine import replace_engine

ROOT = Path(__file__).resolve().parents[4]
ADDRESS = "/_stcore/upload_file/"
TOKEN = generate_xsrf_token_string()
EDGE = b"----WebKitFormBoundary7"


class Site:
    """The routes of a server with one visitor, whose session is ``visitor``."""

    def __init__(self, root: Path) -> None:
        self.root, self.active = root, True
        self.uploaded_file_mgr = MemoryUploadedFileManager(ADDRESS.rstrip("/"))
        self.app = Starlette(routes=[UploadRoute(), *create_upload_routes(self, self.uploaded_file_mgr, "")])  # type: ignore[arg-type]
        self.context = SimpleNamespace(session_id="visitor", uploaded_file_mgr=self.uploaded_file_mgr)

    def is_active_session(self, session_id: str) -> bool:
        return self.active and session_id == "visitor"

    def send(
        self, *chunks: bytes, file_id: str = "1", method: str = "PUT", session: str = "visitor", **headers: str
    ) -> int:
        """Send a body in pieces; gives the status, 0 = none because the visitor left before an empty piece."""
        sent = {
            "content-type": f"multipart/form-data; boundary={EDGE.decode()}", "x-xsrftoken": TOKEN,
            "cookie": f"_streamlit_xsrf={TOKEN}", **{name.replace("_", "-"): value for name, value in headers.items()},
        }  # fmt: skip
        path = f"{ADDRESS}{session}/{file_id}"
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "scheme": "http",
            "query_string": b"", "root_path": "", "server": ("test", 80), "http_version": "1.1",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items() if value],
        }  # fmt: skip
        pieces, answers = iter(chunks), []

        async def receive() -> dict[str, Any]:
            piece = next(pieces, None)
            if piece is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": piece, "more_body": piece != b""}

        async def answer(message: Any) -> None:
            answers.append(message)

        with ThreadPoolExecutor(1) as thread:
            thread.submit(lambda: asyncio.run(self.app(scope, receive, answer))).result()  # type: ignore[arg-type]
        return int(answers[0]["status"]) if answers else 0

    def upload(self, file_id: str = "1") -> UploadedFile:
        """The file as Streamlit's widget gives it to a page."""
        [record] = self.uploaded_file_mgr.get_files("visitor", [file_id])
        return UploadedFile(record, FileURLs())

    def lying(self) -> list[Path]:
        return [path for path in (self.root / "uploads").rglob("*") if path.is_file()]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    made = Site(tmp_path)
    monkeypatch.setattr(uploads, "get_instance", lambda: made)
    monkeypatch.setattr(uploads, "get_script_run_ctx", lambda: made.context)
    replace_engine(SimpleNamespace(arrivals=Arrivals(tmp_path), close=lambda: None))  # type: ignore[arg-type]
    yield made
    replace_engine(None)


def form(content: bytes, name: str = "S2A.zip", before: bytes = b"") -> bytes:
    """A form of one file as browsers write it."""
    head = f'Content-Disposition: form-data; name="{name}"; filename="{name}"\r\nContent-Type: application/zip\r\n\r\n'
    return before + b"--" + EDGE + b"\r\n" + head.encode() + content + b"\r\n--" + EDGE + b"--\r\n"


def pieces(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)] + [b""]


def test_a_file_comes_whole_however_its_body_is_cut(site: Site) -> None:
    content = b"PK" + bytes(range(256)) * 9 + b"\r\n--" + EDGE[:5] + b"\r\n"
    for size in (1, 7, 64, 5000):
        assert site.send(*pieces(form(content), size), file_id=f"f{size}") == 204
        upload = site.upload(f"f{size}")
        assert (upload.name, upload.type, upload.size) == ("S2A.zip", "application/zip", len(content))
        assert upload_content(upload) == content
        assert upload_content(upload, 2) == b"PK"


def test_the_record_of_streamlit_holds_no_byte_and_the_page_gets_a_link(site: Site, tmp_path: Path) -> None:
    assert site.send(*pieces(form(b"x" * 5000, "a_B02.tif"), 900)) == 204
    upload, [lies] = site.upload(), site.lying()
    assert bytes(upload.getbuffer()) == b""
    [taken] = spool([upload], tmp_path / "uploads")
    assert taken.name == "a_B02.tif"
    assert taken.samefile(lies)
    put_upload(upload, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == b"x" * 5000
    with opened(upload) as file:
        assert not is_bundle(file)


def test_a_large_file_takes_no_memory(site: Site) -> None:
    block = bytes(2**20)
    head, tail = form(b"").split(b"\r\n\r\n", 1)
    tracemalloc.start()
    assert site.send(head + b"\r\n\r\n", *([block] * 48), tail, b"") == 204
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert site.upload().size == 48 * 2**20
    assert peak < 12 * 2**20


def test_a_file_goes_by_each_of_streamlits_ways(site: Site) -> None:
    ways: list[Callable[[], object]] = [
        lambda: site.send(b"", method="DELETE"),
        lambda: site.uploaded_file_mgr.remove_session_files("visitor"),
        lambda: let_go(site.upload()),
        lambda: site.send(*pieces(form(b""), 90)),  # An empty file of the same id in its place.
    ]
    for way in ways:
        assert site.send(*pieces(form(b"tile"), 90)) == 204
        assert [path.read_bytes() for path in site.lying()] == [b"tile"]
        way()
        assert [path.read_bytes() for path in site.lying() if path.stat().st_size] == []


def test_a_visitor_who_leaves_half_way_leaves_nothing(site: Site) -> None:
    assert site.send(form(b"x" * 3_000_000)[:2_500_000]) == 0
    assert site.lying() == []
    assert site.uploaded_file_mgr.get_files("visitor", ["1"]) == []


def test_a_session_that_ended_meanwhile_keeps_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_MOMENT_SECONDS", 0)
    asked = iter([True])
    monkeypatch.setattr(site, "is_active_session", lambda _: next(asked, False))
    assert site.send(*pieces(form(b"tile"), 90)) == 400
    assert site.lying() == []


def test_a_connection_that_comes_back_meanwhile_keeps_the_file(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = iter([True, False, False])
    monkeypatch.setattr(site, "is_active_session", lambda _: next(asked, True))
    assert site.send(*pieces(form(b"tile"), 90)) == 204
    assert upload_content(site.upload()) == b"tile"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"x_xsrftoken": ""}, 403),
        ({"x_xsrftoken": generate_xsrf_token_string()}, 403),
        ({"session": "other"}, 400),
        ({"content_type": "application/json"}, 400),
        ({"content_type": "multipart/form-data"}, 400),
        ({"content_type": "multipart/form-data; boundary=other"}, 400),
        ({"content_length": "1e3"}, 400),
        ({"content_length": str(2**43)}, 413),
    ],
)
def test_what_may_not_be_sent_is_refused_and_leaves_nothing(site: Site, change: dict[str, str], status: int) -> None:
    assert site.send(*pieces(form(b"tile"), 90), **change) == status
    assert site.lying() == []


def test_bodies_that_are_no_form_of_one_file_are_refused(site: Site) -> None:
    field = b"--" + EDGE + b'\r\nContent-Disposition: form-data; name="a"\r\n\r\nfield\r\n'
    whole = form(b"tile")
    two = whole.removesuffix(b"--\r\n") + b"\r\n" + whole
    for body in (b"", b"no form", whole[:-30], two, field + b"--" + EDGE + b"--\r\n"):
        assert site.send(*pieces(body, 64)) == 400, body
        assert site.lying() == []
    assert site.send(*pieces(form(b"tile", before=field), 64)) == 204, "a field beside the file does no harm"
    assert upload_content(site.upload()) == b"tile"


def test_more_than_is_allowed_is_refused_while_it_comes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads.config, "get_option", lambda name: 1 if name == "server.maxUploadSize" else True)
    assert site.send(*pieces(form(bytes(2**20)), 2**16)) == 204
    assert site.send(*pieces(form(bytes(2**20 + 1)), 2**16), file_id="2") == 413
    assert site.send(form(bytes(3 * 2**20)), file_id="3") == 413, "before its end"
    assert len(site.lying()) == 1


def test_a_full_disk_is_one_sentence_on_the_page(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "uploads" / "x" / "file"
    path.parent.mkdir(parents=True)
    path.symlink_to("/dev/full")
    monkeypatch.setattr(Arrivals, "place", lambda *_: path)
    assert site.send(*pieces(form(b"x" * 3_000_000), 2**16)) == 204, "else the browser shows a number"
    assert not path.parent.exists()
    for way in (lambda: upload_content(site.upload()), lambda: spool([site.upload()], tmp_path / "uploads")):
        with pytest.raises(StoreError, match=r"“S2A\.zip”: the disk is full; free some space and choose it again"):
            way()


def test_a_file_that_is_gone_is_one_sentence(site: Site) -> None:
    assert site.send(*pieces(form(b"tile"), 90)) == 204
    upload = site.upload()
    let_go(upload)
    with pytest.raises(StoreError, match="it is no longer here; choose it again"):
        upload_content(upload)


def test_names_are_kept_as_they_are_sent(site: Site) -> None:
    for number, name in enumerate(("Größe 2024 地.tif", "../../etc/passwd", "a%22b.zip")):
        assert site.send(*pieces(form(b"x", name), 33), file_id=str(number)) == 204
        assert site.upload(str(number)).name == name


def test_streamlit_keeps_files_as_this_way_of_ours_expects() -> None:
    manager = MemoryUploadedFileManager(ADDRESS.rstrip("/"))
    [urls] = manager.get_upload_urls("visitor", ["a.tif"])
    assert urls.upload_url == f"{ADDRESS}visitor/{urls.file_id}"
    assert uploads._ADDRESS.fullmatch(urls.upload_url)
    stand_in = StandIn(5, None)
    upload = UploadedFile(SimpleNamespace(file_id="1", name="a", type="b", data=stand_in), FileURLs())  # type: ignore[arg-type]
    assert (upload.size, upload.getvalue()) == (5, b"")
    assert {(method, route.path) for route in create_upload_routes(None, manager, "") for method in route.methods} == {  # type: ignore[arg-type, attr-defined]
        (method, f"{ADDRESS}{{session_id}}/{{file_id}}") for method in ("PUT", "DELETE", "OPTIONS")
    }


def test_pages_read_uploads_by_this_module_alone() -> None:
    """What Streamlit's own object holds is empty: reading it would be silently wrong."""
    reading = re.compile(r"(came|upload|given|file)\.(getvalue|getbuffer|read)\(")
    pages = [path for path in (ROOT / "pages").rglob("*.py") if path.name != "uploads.py"]
    found = [path.name for path in pages if reading.search(path.read_text(encoding="utf-8"))]
    assert found == []
