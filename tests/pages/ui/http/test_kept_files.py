"""What a download button gives can be fetched while other pages run, and is gone in the end."""

from __future__ import annotations

import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from pages.ui.http.kept_files import keep_files
from tests.clock import Clock

SECONDS = 30.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """That of files kept for ``SECONDS``; twice asked for, as by two servers of one process."""
    for name in ("_get_inactive_file_ids", "_remove_orphaned_deferred_callables"):
        kept = getattr(MediaFileManager, name)
        monkeypatch.setattr(MediaFileManager, name, getattr(kept, "__wrapped__", kept))
    clock = Clock()
    for _ in range(2):
        keep_files(SECONDS, clock)
    return clock


def made(manager: MediaFileManager, text: str, place: str = "button") -> str:
    """Draw a download button; what Streamlit calls that which makes its file."""
    return manager.add_deferred(lambda: text, "text/csv", place, f"{text}.csv", element_id=place)


def fetched(manager: MediaFileManager, url: str) -> bytes:
    found = manager.read_file(url.rsplit("/", 1)[-1].partition(".")[0])
    assert found is not None, "it is gone"
    return found.content


def ends(manager: MediaFileManager, times: int = 3) -> None:
    """Let so many runs end."""
    for _ in range(times):
        manager.remove_orphaned_files()


def test_a_file_that_was_made_is_fetched_though_runs_end_before(clock: Clock) -> None:
    manager = MediaFileManager(MemoryMediaFileStorage("/media"))
    url = manager.execute_deferred(made(manager, "found"))
    ends(manager)
    clock.now += SECONDS
    ends(manager)
    assert fetched(manager, url) == b"found"
    clock.now += 1
    ends(manager)
    assert not manager._file_metadata


def test_a_button_that_is_drawn_anew_meanwhile_still_gives_what_it_gave(clock: Clock) -> None:
    manager = MediaFileManager(MemoryMediaFileStorage("/media"))
    pressed, drawn = made(manager, "before"), made(manager, "after")
    ends(manager)
    assert fetched(manager, manager.execute_deferred(pressed)) == b"before"
    assert fetched(manager, manager.execute_deferred(drawn)) == b"after"
    clock.now += SECONDS + 1
    ends(manager)
    with pytest.raises(MediaFileStorageError, match="not found"):
        manager.execute_deferred(pressed)
    assert fetched(manager, manager.execute_deferred(drawn)) == b"after", "it is shown, however long ago it was drawn"


def test_what_a_visitor_left_goes_too(clock: Clock) -> None:
    manager = MediaFileManager(MemoryMediaFileStorage("/media"))
    made(manager, "left")
    manager.clear_session_refs("dontcare")
    ends(manager)
    clock.now += SECONDS + 1
    ends(manager)
    assert not manager._deferred_callables
