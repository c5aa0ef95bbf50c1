"""What killed servers left in a bucket goes after a day; what is whole, held or new stays."""

from __future__ import annotations

from core.files import locked
from core.mirror.opening import Refresher
from core.mirror.sweep import LEFT_SECONDS, sweep_bucket
from core.scenes.library import Library
from tests.buckets import Bucket
from tests.core.mirror.conftest import CopyAt
from tests.scenes import add_scene
from tests.waiting import until

PREFIX = "some/data/"


def test_a_scene_that_is_not_whole_and_leases_of_nobody_go_after_a_day(copy_at: CopyAt, bucket: Bucket) -> None:
    here = copy_at("here")
    library = Library(here.root)
    for name in ("t-1", "t-2", "t-3"):
        add_scene(library, name)
    for name in ("t-1", "t-2"):
        del bucket.objects[f"{PREFIX}files/scenes/{name}/scene.json"]  # Its server was killed before it came.
    with locked(here.root / "work" / "old.lock"):
        pass
    bucket.age(LEFT_SECONDS + 60)
    bucket.objects[f"{PREFIX}files/scenes/t-2/quality.json"] = b"{}"  # Somebody adds it again just now.
    here.refresh()
    with locked(here.root / "work" / "held.lock"):
        bucket.age(60)
        sweep_bucket(here)
        scenes = {key.split("/")[4] for key in bucket.objects if "/files/scenes/" in key}
        assert scenes == {"t-2", "t-3"}
        assert [key for key in bucket.objects if "/leases/" in key] == [f"{PREFIX}leases/work/held.lock"]
    assert not (here.root / "scenes" / "t-1").exists()
    assert [scene.id for scene in library.scenes()] == ["t-3"]
    assert library.get("t-3").pixels_path.is_file()


def test_a_server_sweeps_by_itself(copy_at: CopyAt, bucket: Bucket) -> None:
    here = copy_at("here")
    with locked(here.root / "work" / "old.lock"):
        pass
    bucket.age(LEFT_SECONDS + 60)
    refresher = Refresher(here, seconds=0.02)
    refresher.start()
    try:
        until(lambda: not [key for key in bucket.objects if "/leases/" in key], 20, "it was never swept")
        assert refresher.trouble == ""
    finally:
        refresher.close()
