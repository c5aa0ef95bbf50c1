"""All kinds of storage do the same; a bucket also when its server is busy, deaf, slow or strict."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import JobCancelledError, StoreError
from core.storage.address import open_storage
from core.storage.base import Storage, StoredObject
from core.storage.bucket import PART_BYTES, Patience
from core.storage.folder import FolderStorage
from tests.buckets import KEY_ID, SECRET, Asked, Bucket, Fault
from tests.emulators import Emulator

QUICK = Patience(seconds=4, longest=0.2, request=0.5)
PATIENT = Patience(seconds=10, longest=0.2, request=10)
SOON = Patience(seconds=0.8, longest=0.2, request=0.5)
"""Where nothing comes of waiting."""


@pytest.fixture(params=["folder", "s3", "az", "gs"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return open_storage(str(tmp_path / "out"))
    if request.param == "s3":
        request.getfixturevalue("bucket")
        return open_storage("s3://land/some/prefix", QUICK)
    request.getfixturevalue("emulator")(request.param)
    return open_storage(f"{request.param}://land/{tmp_path.name}", PATIENT)


def test_what_is_written_is_read_listed_and_removed(storage: Storage, tmp_path: Path) -> None:
    assert storage.get("a/b.txt") is None
    assert storage.head("a/b.txt") is None
    assert list(storage.list()) == []
    written = storage.put("a/b.txt", b"one")
    for number in range(4):
        storage.put(f"c/{number}", b"x" * number)
    there = storage.get("a/b.txt")
    assert there is not None
    assert (there.data, there.info, storage.head("a/b.txt")) == (b"one", written, written)
    listed = {one.key: one for one in storage.list()}
    assert {key: one.size for key, one in listed.items()} == {"a/b.txt": 3, "c/0": 0, "c/1": 1, "c/2": 2, "c/3": 3}
    assert all(listed[key].etag == storage.head(key).etag for key in listed), "it is the same as lists have it"  # type: ignore[union-attr]
    assert sorted(one.key for one in storage.list("c")) == ["c/0", "c/1", "c/2", "c/3"]
    assert list(storage.list("d")) == []
    assert storage.put("a/b.txt", b"two").etag != written.etag
    assert storage.fetch("a/b.txt", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"two"
    assert not storage.fetch("none", tmp_path / "copy")
    copied = storage.copy("a/b.txt", "d/e")
    assert copied is not None
    assert (storage.get("d/e"), storage.copy("none", "d/f")) == (StoredObject(data=b"two", info=copied), None)
    storage.delete("a/b.txt")
    storage.delete("a/b.txt")
    assert storage.head("a/b.txt") is None


def test_an_object_is_written_only_where_there_is_none(storage: Storage) -> None:
    assert storage.put_if_absent("a", b"mine") == storage.head("a")
    assert storage.put_if_absent("a", b"theirs") is None
    assert storage.put_if_absent("a", b"mine") == storage.head("a"), "it is what was wanted"
    there = storage.get("a")
    assert there is not None
    assert there.data == b"mine"


def test_an_object_is_written_anew_only_as_it_was_found(storage: Storage) -> None:
    first = storage.put_if_absent("a", b"1111")
    assert first is not None
    second = storage.replace_if(first, b"2222")
    assert second == storage.head("a") != first
    assert storage.replace_if(first, b"3333") is None
    assert storage.replace_if(first, b"2222") == second, "it is what was wanted"
    storage.delete("a")
    assert second is not None
    assert storage.replace_if(second, b"4444") is None
    assert storage.head("a") is None


def test_what_a_list_found_is_written_anew_too(storage: Storage) -> None:
    storage.put("a", b"1111")
    [found] = storage.list()
    storage.put("a", b"2222")
    assert storage.replace_if(found, b"3333") is None
    [found] = storage.list()
    assert storage.replace_if(found, b"3333") == storage.head("a")


def test_many_at_once_lose_nothing(storage: Storage) -> None:
    storage.put_if_absent("all", b"")

    def add(name: str) -> None:
        while True:
            there = storage.get("all")
            assert there is not None
            if storage.replace_if(there.info, there.data + name.encode()) is not None:
                return

    threads = [threading.Thread(target=add, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    there = storage.get("all")
    assert there is not None
    assert sorted(there.data.decode()) == list("abcdefgh")


@pytest.mark.parametrize("storage", ["s3", "az", "gs"], indirect=True)
def test_a_large_file_that_is_unwanted_leaves_nothing(
    storage: Storage, bucket: Bucket, emulator: Callable[[str], Emulator], tmp_path: Path
) -> None:
    path, asked = tmp_path / "large", iter([False, False, True])
    path.write_bytes(b"x" * (2 * PART_BYTES + 5))
    with pytest.raises(JobCancelledError, match="it was cancelled"):
        storage.put_file("large", path, lambda: next(asked))
    assert (storage.head("large"), list(storage.list())) == (None, [])
    assert bucket.parts == emulator("gs").parts == {}, "parts are paid for until they are taken back"


def test_a_large_file_goes_in_parts(bucket: Bucket, tmp_path: Path) -> None:
    storage, path = open_storage("s3://land/p"), tmp_path / "large"
    path.write_bytes(os.urandom(PART_BYTES + 5))
    written = storage.put_file("large", path)
    assert bucket.calls("POST", "p/large") == 2
    assert (written.size, storage.head("large")) == (PART_BYTES + 5, written)
    assert storage.fetch("large", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", ".hidden", "a\\b"])
def test_no_key_leads_out(storage: Storage, key: str) -> None:
    with pytest.raises(StoreError, match="is no key"):
        storage.put(key, b"")


def test_a_folder_without_hard_links_keeps_its_promise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("core.storage.folder.os.link", refuse)
    storage = FolderStorage(tmp_path)
    assert storage.put_if_absent("a", b"mine") == storage.head("a")
    assert storage.put_if_absent("a", b"theirs") is None
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] != ".") == ["a"]


def busy(times: int, method: str, fault: Fault) -> tuple[list[Asked], object]:
    met: list[Asked] = []

    def choose(asked: Asked) -> Fault | None:
        if asked.method == method and len(met) < times:
            met.append(asked)
            return fault
        return None

    return met, choose


@pytest.mark.parametrize(
    "fault",
    [Fault(status=503, headers={"Retry-After": "1"}, body="<Error><Code>SlowDown</Code></Error>"), Fault(drop=True),
     Fault(drop=True, after=True), Fault(delay=0.7), Fault(status=500)],
    ids=["busy", "dropped", "dropped when done", "slow", "broken"],
)  # fmt: skip
def test_what_passes_is_tried_again(bucket: Bucket, fault: Fault) -> None:
    storage = open_storage("s3://land/p", QUICK)
    met, choose = busy(2, "PUT", fault)
    with bucket.faulty(choose):  # type: ignore[arg-type]
        assert storage.put_if_absent("a", b"mine") is not None
    assert len(met) == (1 if fault.after else 2) or fault.after
    assert bucket.objects == {"p/a": b"mine"}
    met, choose = busy(2, "GET", fault if not fault.after else Fault(drop=True))
    with bucket.faulty(choose):  # type: ignore[arg-type]
        there = storage.get("a")
        assert [one.key for one in storage.list()] == ["a"]
    assert len(met) == 2
    assert there is not None
    assert there.data == b"mine"


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(drop=True)], ids=["busy", "dropped"])
def test_a_list_that_breaks_off_goes_on_and_is_never_taken_for_the_whole(bucket: Bucket, fault: Fault) -> None:
    storage = open_storage("s3://land/p", QUICK)
    keys = [f"some/{number:02}" for number in range(11)]
    bucket.objects |= {f"p/{key}": b"x" for key in keys} | {"p/other": b"x"}
    for page in (1, 2, 4):
        asked = iter(range(1, 99))
        with bucket.faulty(lambda _asked, asked=asked, page=page: fault if next(asked) == page else None):  # type: ignore[misc]
            assert sorted(one.key for one in storage.list("some")) == keys
    impatient = open_storage("s3://land/p", SOON)
    with bucket.faulty(lambda _asked: fault), pytest.raises(StoreError):
        list(impatient.list("some"))


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault(status=403, body="<Error><Code>AccessDenied</Code></Error>"),
         "Writing s3://land/p/a: the bucket refuses it; give these credentials the right to list, read and write "
         "there."),
        (Fault(status=503, headers={"Retry-After": "60"}),
         "Writing s3://land/p/a: the bucket is too busy (it answers 503); start again later, what is stored so far is "
         "kept."),
        (Fault(delay=0.6, drop=True),
         "Writing s3://land/p/a: the bucket does not answer in time; check the network, then start again."),
        (Fault(status=501, body="<Error><Code>NotImplemented</Code></Error>"),
         "Writing s3://land/p/a: the bucket lacks what is asked of it (it answers 501); use one that has "
         "conditional writes."),
    ],
    ids=["denied", "busy", "slow", "without conditions"],
)  # fmt: skip
def test_what_stays_is_one_sentence(bucket: Bucket, fault: Fault, sentence: str) -> None:
    storage = open_storage("s3://land/p", SOON)
    began = time.monotonic()
    with bucket.faulty(lambda asked: fault if asked.method == "PUT" else None), pytest.raises(StoreError) as error:
        storage.put_if_absent("a", b"mine")
    assert str(error.value) == sentence
    assert time.monotonic() - began < 3
    assert bucket.objects == {}


def test_a_bucket_that_is_not_there_is_said(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for request in (lambda one: one.put("a", b""), lambda one: one.get("a"), lambda one: list(one.list())):
        with pytest.raises(StoreError, match="there is no such bucket; check its name"):
            request(open_storage("s3://other/p"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match="the bucket cannot be reached; check its endpoint"):
        open_storage("s3://land/p", Patience(seconds=0.3)).get("a")
    assert bucket.asked


def test_no_credential_is_ever_told(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    told = []
    for key_id, secret in ((KEY_ID, SECRET), ("SOMEBODYELSESKEY", SECRET)):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        monkeypatch.setenv("AWS_SESSION_TOKEN", "another-secret-word")
        storage = open_storage("s3://land/p", Patience(seconds=0.3))
        told.append(repr(storage))
        with (
            bucket.faulty(lambda asked: Fault(status=403, body=f"{asked} {KEY_ID} {SECRET}")),
            pytest.raises(StoreError) as error,
        ):
            storage.get("a")
        told += [str(error.value), repr(error.value), repr(error.value.__cause__), *capfd.readouterr()]
    assert len(told) == 12
    assert not [one for one in told for word in (KEY_ID, "SOMEBODYELSESKEY", SECRET, "another-secret") if word in one]
