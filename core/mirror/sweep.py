"""What killed servers leave in a bucket that nobody will ask for: scenes that are not whole, and leases of nobody."""

from __future__ import annotations

import time
from collections import defaultdict

from core.mirror.copy import LEASES, WorkingCopy
from core.storage.base import ObjectInfo

LEFT_SECONDS = 24 * 3600.0
"""What was not written for so long is nobody's: who adds a scene, or holds a lease, writes again and again."""

_FOLDERS, _WHOLE = ("files/scenes", "files/chips/scenes"), "scene.json"


def sweep_bucket(copy: WorkingCopy, seconds: float = LEFT_SECONDS) -> None:
    """Remove what was left so many seconds ago, or earlier, by the bucket's own clock.

    Args:
        copy: a working copy of the bucket.
        seconds: much longer than it takes to add a scene, and than two beats of a lease are apart.

    Raises:
        StoreError: when the bucket cannot be asked.
    """
    before = time.time() - seconds
    for info in list(copy.storage.list(LEASES)):
        if _left(info, before):
            copy.storage.delete(info.key)
    for folder in _FOLDERS:
        for name, infos in _by_name(copy, folder).items():
            whole = any(info.key == f"{name}/{_WHOLE}" for info in infos)
            if not whole and all(_left(info, before) for info in infos):
                _remove(copy, name, infos)


def _left(info: ObjectInfo, before: float) -> bool:
    return 0 < info.modified < before


def _by_name(copy: WorkingCopy, folder: str) -> dict[str, list[ObjectInfo]]:
    found: dict[str, list[ObjectInfo]] = defaultdict(list)
    for info in copy.storage.list(folder):
        found[f"{folder}/{info.key.removeprefix(f'{folder}/').split('/')[0]}"].append(info)
    return found


def _remove(copy: WorkingCopy, name: str, infos: list[ObjectInfo]) -> None:
    """Remove a scene that is not whole, unless it is by now."""
    if copy.storage.head(f"{name}/{_WHOLE}") is None:
        for info in infos:
            copy.storage.delete(info.key)
        copy.refresh(name)
