"""Downloads, from a server of our own: progress, cut connections, absent servers, what is left behind."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.config import Config
from core.encoders.cache import archive_path, handle_directory
from core.encoders.download import download
from core.encoders.files import CHECKSUMS
from core.encoders.registry import describe, fetch, list_encoders, load_encoder
from core.errors import EncoderError, EncoderUnavailableError, JobCancelledError
from core.progress import silent
from tests.core.encoders.conftest import patches


class Hub(ThreadingHTTPServer):
    """Serves one archive the way hubs do, well or badly."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.content, self.mode = content, "well"
        self.asked: list[str] = []

    @property
    def handle(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/somebody/tiny/1"


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        hub = self.server
        hub.asked.append(self.path)
        if hub.mode == "absent":
            self.send_error(404)
            return
        self.send_response(200)
        if hub.mode != "unmeasured":
            self.send_header("Content-Length", str(len(hub.content)))
        self.end_headers()
        if hub.mode == "cut":
            self.wfile.write(hub.content[: len(hub.content) // 2])
        elif hub.mode == "stall":
            self.wfile.write(hub.content[:10])
            self.wfile.flush()
            time.sleep(1.5)
        else:
            self.wfile.write(hub.content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(archive: Path) -> Iterator[Hub]:
    server = Hub(archive.read_bytes())
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def kept(config: Config) -> list[str]:
    return sorted(path.name for path in config.model_cache.glob("*")) if config.model_cache.exists() else []


def test_fetch_makes_a_configured_handle_usable(hub: Hub, config: Config) -> None:
    config = Config(root=config.root, model_cache=config.model_cache, models=(hub.handle,))
    before = list_encoders(config)[3]
    assert (before.name, before.available, before.fetchable) == ("tiny", False, True)
    assert f"{hub.handle}?tf-hub-format=compressed" in (before.why_not or "")
    seen: list[tuple[int, int]] = []
    fetch("tiny", config, lambda done, total: seen.append((done, total)))
    size = len(hub.content)
    assert (seen[0], seen[-1]) == ((0, size), (size, size))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert list_encoders(config)[3].available
    assert describe("tiny", config).origin == hub.handle
    assert load_encoder(hub.handle, config).encode(patches(1)).shape == (1, 32)
    assert hub.asked == ["/somebody/tiny/1?tf-hub-format=compressed"]


def test_what_is_there_is_not_asked_for_again(hub: Hub, config: Config) -> None:
    for _ in range(2):
        fetch(hub.handle, config, silent)
    assert len(hub.asked) == 1


def test_later_damage_of_any_file_is_found(hub: Hub, config: Config) -> None:
    fetch(hub.handle, config, silent)
    directory = handle_directory(config.model_cache, hub.handle)
    assert (directory / CHECKSUMS).is_file()
    graph = directory / "saved_model.pb"
    raw = bytearray(graph.read_bytes())
    raw[len(raw) // 2] ^= 1
    graph.write_bytes(raw)
    with pytest.raises(EncoderError, match=r"saved_model.pb is damaged"):
        load_encoder(hub.handle, config)


def test_without_a_stated_length(hub: Hub, config: Config) -> None:
    hub.mode = "unmeasured"
    seen: list[tuple[int, int]] = []
    download(hub.handle, config, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(hub.content), 0)


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("cut", "connection was cut after [0-9,]+ (of [0-9,]+ )?bytes; check the connection and try again, or save "),
        ("stall", "connection was cut"),
        ("absent", "the server answered 404"),
    ],
)
def test_failing_downloads_say_so_and_leave_nothing(mode: str, sentence: str, hub: Hub, config: Config) -> None:
    hub.mode = mode
    with pytest.raises(EncoderUnavailableError, match=sentence):
        download(hub.handle, config, silent, timeout=0.3)
    assert kept(config) == []
    hub.mode = "well"
    download(hub.handle, config, silent)
    assert handle_directory(config.model_cache, hub.handle).is_dir()


def test_page_instead_of_an_archive(hub: Hub, config: Config) -> None:
    hub.content = b"<html>Please log in to the network</html>"
    with pytest.raises(EncoderError, match=r"^Unpacking the model http.*not a complete"):
        download(hub.handle, config, silent)
    assert kept(config) == []


def test_cancelling_leaves_nothing(hub: Hub, config: Config) -> None:
    def stop(done: int, _total: int) -> None:
        if done:
            raise JobCancelledError("Downloading", "it was stopped", "start it again")

    with pytest.raises(JobCancelledError):
        download(hub.handle, config, stop)
    assert kept(config) == []


def test_offline_says_what_cannot_be_reached_and_how_else(config: Config) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        handle = f"http://127.0.0.1:{free.getsockname()[1]}/somebody/tiny/1"
    with pytest.raises(EncoderUnavailableError) as caught:
        fetch(handle, config, silent)
    sentence = str(caught.value)
    assert "127.0.0.1" in caught.value.found
    assert "cannot be reached" in caught.value.found
    assert f"{handle_directory(config.model_cache, handle)}.tar.gz" in sentence
    assert kept(config) == []


def _left_half(config: Config, handle: str, files: tuple[str, ...]) -> Path:
    folder = handle_directory(config.model_cache, handle)
    (folder / "variables").mkdir(parents=True)
    for name in files:
        (folder / name).write_bytes(b"half")
    return folder


HALVES = [(), ("saved_model.pb",), ("variables/variables.index",)]


@pytest.mark.parametrize("files", HALVES)
def test_a_folder_left_half_is_absent_and_downloaded_again(hub: Hub, config: Config, files: tuple[str, ...]) -> None:
    folder = _left_half(config, hub.handle, files)
    with pytest.raises(EncoderUnavailableError, match="is not complete, as an interrupted download leaves it"):
        load_encoder(hub.handle, config)
    config = replace(config, models=(hub.handle,))
    assert [listing.fetchable for listing in list_encoders(config) if listing.reference == hub.handle] == [True]
    fetch(hub.handle, config)
    assert folder.name in kept(config)
    assert not any(name.startswith(".unpack") for name in kept(config))
    assert load_encoder(hub.handle, config).encode(patches()).shape[0] == len(patches())


@pytest.mark.parametrize("files", HALVES)
def test_a_good_archive_beside_a_folder_left_half_is_used(
    hub: Hub, config: Config, archive: Path, files: tuple[str, ...]
) -> None:
    _left_half(config, hub.handle, files)
    shutil.copy(archive, archive_path(config.model_cache, hub.handle))
    assert load_encoder(hub.handle, config).encode(patches()).shape[0] == len(patches())
    assert hub.asked == []


@pytest.mark.parametrize(
    "name", ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"]
)
@pytest.mark.parametrize("left", [0, 0.7, None])
@pytest.mark.parametrize("listed", [True, False])
def test_a_whole_folder_of_which_a_file_was_cut_or_lost(
    hub: Hub, config: Config, archive: Path, name: str, left: float | None, listed: bool
) -> None:
    fetch(hub.handle, config)
    folder = handle_directory(config.model_cache, hub.handle)
    if not listed:
        (folder / CHECKSUMS).unlink()
    path = folder / name
    whole = path.read_bytes()
    if left is None:
        path.unlink()
    else:
        path.write_bytes(whole[: int(left * len(whole))])
    with pytest.raises(EncoderUnavailableError, match=rf"interrupted download leaves it \(.*{name} "):
        load_encoder(hub.handle, config)
    shutil.copy(archive, archive_path(config.model_cache, hub.handle))
    assert describe(hub.handle, config).fingerprint
    assert path.read_bytes() == whole
    assert len(hub.asked) == 1


def test_a_failing_download_keeps_what_was_there(hub: Hub, config: Config) -> None:
    folder = _left_half(config, hub.handle, ("saved_model.pb",))
    hub.mode = "cut"
    with pytest.raises(EncoderUnavailableError):
        fetch(hub.handle, config)
    assert (folder / "saved_model.pb").read_bytes() == b"half"
