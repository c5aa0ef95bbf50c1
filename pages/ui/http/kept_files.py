"""Files that are downloaded stay until a browser has had the time to fetch them."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from weakref import WeakKeyDictionary

from streamlit.runtime.media_file_manager import MediaFileKind, MediaFileManager

FETCH_SECONDS = 30.0


def keep_files(seconds: float = FETCH_SECONDS, now: Callable[[], float] = time.monotonic) -> None:
    """Have Streamlit keep what a download button gives for a while; asking twice is as asking once.

    A press of such a button makes the file, and the browser fetches it then. Streamlit 1.67 removes files that no page
    shows at the end of each run of anybody's page, and this is one from the beginning: where two runs ended before the
    browser came, there was nothing to fetch. What makes the file goes as fast once the button is drawn anew, so a press
    while the page runs found nothing either. With people on a server somebody's run ends many times a second.

    Args:
        seconds: for which both stay, from the first run that ends without them.
        now: gives the time, in seconds.
    """
    unused, remove = MediaFileManager._get_inactive_file_ids, MediaFileManager._remove_orphaned_deferred_callables
    if hasattr(unused, "__wrapped__"):
        return
    left: WeakKeyDictionary[MediaFileManager, dict[str, float]] = WeakKeyDictionary()

    def is_over(manager: MediaFileManager, name: str) -> bool:
        return now() - left.setdefault(manager, {}).setdefault(name, now()) > seconds

    @wraps(unused)
    def long_unused(manager: MediaFileManager) -> set[str]:
        known = left.setdefault(manager, {})
        for name in known.keys() - manager._file_metadata.keys() - manager._deferred_callables.keys():
            del known[name]
        kinds = {name: manager._file_metadata[name].kind for name in unused(manager)}
        return {name for name, kind in kinds.items() if kind is MediaFileKind.MEDIA or is_over(manager, name)}

    @wraps(remove)
    def remove_callables(manager: MediaFileManager) -> None:
        shown = {name for names in manager._files_by_session_and_coord.values() for name in names.values()}
        for name in manager._deferred_callables.keys() - shown:
            if is_over(manager, name):
                manager._drop_deferred_id(name)

    MediaFileManager._get_inactive_file_ids = long_unused  # type: ignore[method-assign]
    MediaFileManager._remove_orphaned_deferred_callables = remove_callables  # type: ignore[method-assign]
