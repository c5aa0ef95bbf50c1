"""Files of the web: fetched whole, with the patience that servers ask for, and refused without telling addresses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import SourceError
from core.storage.bucket import Patience
from core.storage.web import fetch_web, web_state
from tests.buckets import Asked, Bucket, Fault, serving

QUICK = Patience(seconds=2.5, longest=0.2, request=1)


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    with serving() as bucket:
        yield bucket


@pytest.fixture
def address(server: Bucket) -> str:
    server.objects["public/a.tif"] = b"pixels"
    server.objects.written["public/a.tif"] = 1795780800
    return f"http://127.0.0.1:{server.port}/land/public/a.tif"


def test_a_file_is_fetched_with_its_time(address: str, server: Bucket, tmp_path: Path) -> None:
    fetch_web(address, tmp_path / "a.tif", 6, QUICK)
    assert (tmp_path / "a.tif").read_bytes() == b"pixels"
    assert (tmp_path / "a.tif").stat().st_mtime == 1795780800
    before = web_state(address, QUICK)
    assert before
    server.objects["public/a.tif"] = b"others"
    assert web_state(address, QUICK) != before


def test_a_busy_server_is_left_alone_as_long_as_it_asks(address: str, server: Bucket, tmp_path: Path) -> None:
    met: list[Asked] = []

    def choose(asked: Asked) -> Fault | None:
        met.append(asked)
        return Fault(status=503, headers={"Retry-After": "1"}) if len(met) == 1 else None

    began = time.monotonic()
    with server.faulty(choose):
        fetch_web(address, tmp_path / "a.tif", 6, QUICK)
    assert time.monotonic() - began >= 1
    assert len(met) == 2


@pytest.mark.parametrize(
    ("fault", "path", "most", "found"),
    [
        (None, "b.tif", 9, "there is no such file"),
        (Fault(status=403), "a.tif", 9, "it may not be read"),
        (Fault(status=503, headers={"Retry-After": "3600"}), "a.tif", 9, "its server answers 503"),
        (Fault(status=200, headers={"Content_Length": "9"}, body="half", drop=False), "a.tif", 9, "cannot be reached"),
        (None, "a.tif", 5, "it takes more than"),
    ],
    ids=["absent", "denied", "busy", "cut off", "large"],
)  # fmt: skip
def test_what_cannot_be_had_is_said_without_the_address(
    fault: Fault | None, path: str, most: int, found: str, address: str, server: Bucket, tmp_path: Path
) -> None:
    asked = f"{address.rpartition('/')[0]}/{path}?signature=word"
    quick = Patience(seconds=0.5, longest=0.2, request=0.2)
    with server.faulty(lambda _asked: fault), pytest.raises(SourceError, match=found) as error:
        fetch_web(asked, tmp_path / "copy", most, quick)
    assert "word" not in str(error.value)
    assert "127.0.0.1" not in str(error.value)


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="its server cannot be reached"):
        fetch_web("http://127.0.0.1:9/a.tif", tmp_path / "copy", 9, Patience(seconds=0.1))
