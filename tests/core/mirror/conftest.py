"""One bucket on a real server, and working copies of it as two computers have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.config import Config
from core.files import mirrored
from core.mirror.copy import WorkingCopy
from core.mirror.lease import LeaseTimes
from core.storage.address import open_storage
from core.storage.bucket import Patience
from tests.buckets import Bucket

ADDRESS = "s3://land/some/data"
QUICK = Patience(seconds=1.0, longest=0.2, request=2.0)
SHORT = LeaseTimes(beat=0.05, look=0.02, dead=0.3)

CopyAt = Callable[..., WorkingCopy]


@pytest.fixture
def copy_at(bucket: Bucket, tmp_path: Path) -> Iterator[CopyAt]:
    """Makes the working copy of a name; the files of its folder are shared while the test lasts."""
    made: list[Path] = []

    def make(name: str, room: int | None = None) -> WorkingCopy:
        root = tmp_path / name
        copy = WorkingCopy(root, open_storage(ADDRESS, QUICK), room=room, times=SHORT)
        mirrored(root, copy)
        made.append(root)
        return copy

    yield make
    for root in made:
        mirrored(root, None)


def config_of(root: Path) -> Config:
    return Config(root=root, model_cache=root / "models", bucket=ADDRESS)
