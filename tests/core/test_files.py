"""Files whole or not at all, folders by one rename, locks that die with their holder, and the words for a full disk."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import JobCancelledError, StoreError
from core.files import FileLock, disk_errors, disk_full, locked, reason, replacing, staged_folder, write_atomically

ROOT = Path(__file__).resolve().parents[2]
HOLD = "import sys, time; from pathlib import Path; from core.files import FileLock\n"
HOLD += "lock = FileLock(Path(sys.argv[1])); print(lock.take(), flush=True); time.sleep(60)"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_the_old_one_or_the_new(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o077 == 0
    write_atomically(path, b"for all", private=False)
    (tmp_path / "b").touch()
    assert path.stat().st_mode == (tmp_path / "b").stat().st_mode, "as any new file"
    (tmp_path / "b").unlink()
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("durable", [True, False])
def test_what_breaks_off_replaces_nothing(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), replacing(path, durable=durable) as fresh:
        fresh.write_bytes(b"half" + path)  # type: ignore[operator]
    with pytest.raises(FileNotFoundError), replacing(path, durable=durable):
        pass
    assert path.read_bytes() == b"old"
    with replacing(path, durable=durable) as fresh:
        fresh.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a.bin"]


def test_a_folder_appears_by_one_rename_or_not(tmp_path: Path) -> None:
    parent = tmp_path / "made" / "here"
    with staged_folder(parent, ".new-") as staged:
        (staged / "a").write_bytes(b"a")
        staged.rename(parent / "whole")
    with pytest.raises(OSError, match="not empty"), staged_folder(parent, ".new-") as staged:
        staged.joinpath("a").write_bytes(b"a") and staged.rename(parent / "whole")
    assert names(parent) == ["whole"]


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (OSError(errno.EFBIG, "File too large"), True),
        (RuntimeError("lance error: StorageFull"), True),
        (OSError("[Errno 28] Error writing bytes. Detail: [errno 28] No space left on device"), True),
        (PermissionError(errno.EACCES, "Permission denied"), False),
        (ValueError("no"), False),
    ],
)
def test_a_full_disk_is_known_by_number_or_words(error: BaseException, full: bool) -> None:
    assert disk_full(error) is full


def test_a_failure_of_the_disk_is_told_in_one_sentence() -> None:
    with pytest.raises(StoreError) as caught, disk_errors("Writing “a”", full="make room", other="look"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(caught.value) == "Writing “a”: the disk is full; make room."
    with pytest.raises(StoreError) as caught, disk_errors("Writing “a”", full="make room", other="look"):
        raise OSError("Failed to open: [errno 13] Permission denied")
    assert str(caught.value) == "Writing “a”: permission denied; look."
    assert reason(OSError("odd.\nand more")) == "odd"


def test_a_lock_excludes_others_and_names_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a.lock"
    first, second = FileLock(path), FileLock(path)
    assert first.take()
    assert not second.take()
    assert not first.take()
    assert second.holder() == str(os.getpid())
    second.release()
    assert not second.take()
    first.release()
    assert second.take()
    second.release()


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "True\n"
    mine = FileLock(path)
    assert not mine.take()
    assert mine.holder() == str(child.pid)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert mine.take()
    mine.release()


def test_a_lock_of_the_version_before_excludes_and_is_excluded(tmp_path: Path) -> None:
    """The version before held ``flock`` on the same file and wrote its process id into it."""
    path = tmp_path / "a.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.pwrite(descriptor, b"4711", 0)
    lock = FileLock(path)
    assert not lock.take()
    assert lock.holder() == "4711"
    os.close(descriptor)
    assert lock.take()
    descriptor = os.open(path, os.O_RDWR)
    with pytest.raises(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)
    lock.release()


def test_waiting_for_a_lock_hears_a_cancellation(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with locked(path), pytest.raises(JobCancelledError), locked(path, lambda: True):
        raise AssertionError("two held it at once")
    with locked(path):
        assert not FileLock(path).take()


def test_a_lock_in_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="choose another folder"):
        FileLock(tmp_path / "file" / "a.lock").take()
