"""Two working copies of one bucket: what is written in one is in the other, nothing is lost, nothing half there."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from core.errors import ChangedMeanwhileError, StoreError
from core.files import discard, editing, locked, move_in, present, staged_folder, write_atomically
from core.mirror.copy import WorkingCopy
from core.scenes.cut import Cut
from core.scenes.given.history import redo_labels, undo_labels
from core.scenes.labels import give_label, given_windows
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.storage.base import ObjectInfo, Storage
from tests.buckets import KEY_ID, SECRET, Asked, Bucket, Fault
from tests.core.mirror.conftest import CopyAt
from tests.scenes import add_scene
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[3]


class Meanwhile:
    """A storage in which something happens once while it is listed."""

    def __init__(self, storage: Storage, step: Callable[[], None]) -> None:
        self._storage, self._step = storage, step

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        found = list(self._storage.list(prefix))
        self._step()
        yield from found


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_scene_appears_whole_and_its_pixels_come_when_they_are_read(copy_at: CopyAt, bucket: Bucket) -> None:
    here, there = copy_at("here"), copy_at("there")
    scene = add_scene(Library(here.root))
    put = [one.key for one in bucket.asked if one.method == "PUT"]
    assert put[-1].endswith("scenes/t-1/scene.json"), "what makes it a scene comes last"
    assert Library(there.root).scenes() == []
    there.refresh()
    directory = there.root / "scenes" / "t-1"
    assert names(directory) == ["quality.json", "scene.json"]
    [seen] = Library(there.root).scenes()
    assert (seen.name, seen.grid) == (scene.name, scene.grid)
    assert seen.pixels_path.read_bytes() == scene.pixels_path.read_bytes()
    fetched = bucket.calls("GET", "some/data/files/scenes/t-1/pixels.tif")
    assert seen.pixels_path.is_file()
    there.refresh()
    assert (fetched, bucket.calls("GET", "some/data/files/scenes/t-1/pixels.tif")) == (1, 1)


def test_both_label_rename_delete_and_undo(copy_at: CopyAt, bucket: Bucket) -> None:
    here, there = copy_at("here"), copy_at("there")
    ours, theirs = Library(here.root), Library(there.root)
    grid = patch_grid(add_scene(ours), Cut.of(64))
    there.refresh()
    give_label(ours.get("t-1"), grid, [0], "Water")
    give_label(theirs.get("t-1"), grid, [1], "Forest")
    give_label(ours.get("t-1"), grid, [2], "Crop")
    there.refresh()
    for library in (ours, theirs):
        assert sorted(given_windows(library.get("t-1"))) == ["Crop", "Forest", "Water"]
    assert undo_labels(theirs.get("t-1")).startswith("“Crop”")
    assert redo_labels(ours.get("t-1")).startswith("“Crop”"), (
        "a step is undone in one place and done again in the other"
    )
    theirs.rename("t-1", "Marsh")
    here.refresh()
    assert ours.get("t-1").name == "Marsh"
    ours.set_aside("t-1")
    there.refresh()
    assert (theirs.scenes(), [gone.name for gone in theirs.trash.scenes()]) == ([], ["Marsh"])
    assert theirs.bring_back("t-1")
    here.refresh()
    assert ours.get("t-1").pixels_path.read_bytes() == theirs.get("t-1").pixels_path.read_bytes()
    assert (ours.trash.find("t-1"), names(here.root / "trash")) == (None, [])
    theirs.delete("t-1")
    here.refresh()
    assert (ours.scenes(), names(here.root / "scenes")) == ([], [])
    assert [key for key in bucket.objects if "/scenes/" in key or "/trash/" in key] == []


def test_who_did_not_see_the_newest_is_told_and_sees_it(copy_at: CopyAt, bucket: Bucket) -> None:
    here, there = copy_at("here"), copy_at("there")
    for copy in (here, there):
        (copy.root / "schemes").mkdir()
    write_atomically(here.root / "schemes" / "a.json", b"first")
    with pytest.raises(ChangedMeanwhileError, match="somebody else changed it at the same moment; look at what is"):
        write_atomically(there.root / "schemes" / "a.json", b"mine")
    assert (there.root / "schemes" / "a.json").read_bytes() == b"first"
    write_atomically(there.root / "schemes" / "a.json", b"mine after all")
    with editing(here.root / "schemes" / "a.json", asked="Changing a scheme"):
        assert (here.root / "schemes" / "a.json").read_bytes() == b"mine after all"
        write_atomically(there.root / "schemes" / "a.json", b"between")
        here.refresh()
        with pytest.raises(ChangedMeanwhileError, match=r"^Writing a\.json: somebody else"):
            write_atomically(here.root / "schemes" / "a.json", b"lost otherwise")
    assert bucket.objects["some/data/files/schemes/a.json"] == b"between"


def test_a_refresh_never_takes_back_what_was_written_here_meanwhile(copy_at: CopyAt, bucket: Bucket) -> None:
    here, there = copy_at("here"), copy_at("there")
    path = here.root / "novelty" / "a.npy"
    for copy in (here, there):
        (copy.root / "novelty").mkdir()
    write_atomically(path, b"old")
    young = here.root / "novelty" / "b.npy"

    def meanwhile() -> None:
        write_atomically(path, b"new")
        write_atomically(young, b"young")

    write_atomically(there.root / "novelty" / "a.npy", b"theirs")
    WorkingCopy(here.root, cast(Storage, Meanwhile(here.storage, meanwhile))).refresh()
    assert (path.read_bytes(), young.read_bytes()) == (b"new", b"young")
    here.refresh()
    assert (path.read_bytes(), young.read_bytes()) == (b"new", b"young")


def test_a_process_killed_while_it_writes_leaves_nothing_half(copy_at: CopyAt, bucket: Bucket, tmp_path: Path) -> None:
    here = copy_at("here")
    library = Library(here.root)
    code = (
        "from pathlib import Path; import sys; from core.config import Config\n"
        "from core.mirror.opening import open_data\n"
        "from core.scenes.library import Library; from tests.scenes import add_scene\n"
        "root = Path(sys.argv[1]); open_data(Config(root=root, model_cache=root, bucket='s3://land/some/data'))\n"
        "print('open', flush=True); add_scene(Library(root))"
    )
    reached = threading.Event()

    def stuck(asked: Asked) -> Fault | None:
        if asked.method == "PUT" and asked.key.endswith("scene.json"):
            reached.set()
            return Fault(delay=5, drop=True)
        return None

    with bucket.faulty(stuck):
        child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "killed")], cwd=ROOT)
        assert reached.wait(30)
        child.send_signal(signal.SIGKILL)
        child.wait()
    here.refresh()
    assert library.scenes() == []
    assert any(key.endswith("pixels.tif") for key in bucket.objects)
    scene = add_scene(library)
    assert [one.name for one in library.scenes()] == [scene.name], "it is written again over what was left"


def test_a_lock_is_known_to_all_and_taken_over_from_the_dead(copy_at: CopyAt, bucket: Bucket) -> None:
    here, there = copy_at("here"), copy_at("there")
    held, free, told = threading.Event(), threading.Event(), list[str]()

    def hold() -> None:
        with locked(here.root / "work" / "a.lock"):
            held.set()
            assert free.wait(20)
            (here.root / "novelty").mkdir()
            write_atomically(here.root / "novelty" / "a.npy", b"done")

    def wait() -> None:
        with locked(there.root / "work" / "a.lock", waiting=told.append):
            told.append((there.root / "novelty" / "a.npy").read_bytes().decode())

    threads = [threading.Thread(target=hold), threading.Thread(target=wait)]
    threads[0].start()
    assert held.wait(20)
    threads[1].start()
    until(lambda: told == ["waiting for another server, which does the same"])
    free.set()
    for thread in threads:
        thread.join()
    assert told[1:] == ["", "done"], "who waited knows what was done"
    with locked(here.root / "work" / "c.lock"):
        bucket.choose = lambda _asked: Fault(status=503)
        until(lambda: sum("leases/work/c.lock" in one.key for one in bucket.asked) > 3)
    bucket.choose = lambda _asked: None
    with locked(there.root / "work" / "c.lock", waiting=told.append):
        assert told[3:] == ["waiting for another server, which does the same", ""], "it could not be given back"
    del told[3:]
    bucket.objects["some/data/leases/work/b.lock"] = b'{"holder": "a computer that lost its power", "word": "x"}'
    with locked(there.root / "work" / "b.lock", waiting=told.append):
        assert told[3:] == ["waiting for another server, which does the same", ""]


def test_large_files_leave_when_others_need_the_room(copy_at: CopyAt) -> None:
    here, there = copy_at("here"), copy_at("there", room=80_000)
    for name in ("t-1", "t-2"):
        add_scene(Library(here.root), name)
    there.refresh()
    library = Library(there.root)
    kept = [library.get(name).pixels_path.stat().st_size for name in ("t-1", "t-2")]
    assert sum(kept) > 80_000
    files = [there.root / "scenes" / name / "pixels.tif" for name in ("t-1", "t-2")]
    assert [path.is_file() for path in files] == [False, True]
    assert library.get("t-1").pixels_path.is_file(), "it comes again"
    assert [path.is_file() for path in files] == [True, False]


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (Fault(status=403, body="<Error><Code>AccessDenied</Code></Error>"), "the bucket refuses it; give these"),
        (Fault(status=404, body="<Error><Code>NoSuchBucket</Code></Error>"), "there is no such bucket; check its name"),
        (Fault(status=503, headers={"Retry-After": "1"}), r"the bucket is too busy \(it answers 503\)"),
        (Fault(drop=True), "the bucket cannot be reached"),
        (Fault(delay=2.5), "the bucket does not answer in time"),
    ],
)
def test_what_is_given_while_a_bucket_fails_is_refused_in_a_sentence(
    copy_at: CopyAt, bucket: Bucket, fault: Fault, found: str
) -> None:
    here = copy_at("here")
    library = Library(here.root)
    grid = patch_grid(add_scene(library), Cut.of(64))
    give_label(library.get("t-1"), grid, [0], "Water")
    files = {name: (here.root / name).read_bytes() for name in names(here.root) if not name.startswith(".bucket")}
    with bucket.faulty(lambda _asked: fault):
        wishes: dict[str, Callable[[], object]] = {
            "label": lambda: give_label(library.get("t-1"), grid, [1], "Forest"),
            "rename": lambda: library.rename("t-1", "Marsh"),
            "delete": lambda: library.set_aside("t-1"),
            "add": lambda: add_scene(library, "t-2"),
            "refresh": here.refresh,
        }
        for wish in ("label", "refresh") if fault.delay else wishes:
            with pytest.raises(StoreError, match=found) as error:
                wishes[wish]()
            acts = {"label": "Labelling patches of “Test scene”: ", "rename": "Renaming a scene: "}
            assert str(error.value).startswith(acts.get(wish, "")), "it names the act and no object"
            assert KEY_ID not in str(error.value)
            assert SECRET not in str(error.value)
    after = {name: (here.root / name).read_bytes() for name in names(here.root) if not name.startswith(".bucket")}
    assert after == files, "nothing is changed here that is not changed there"
    here.refresh()
    give_label(library.get("t-1"), grid, [1], "Forest")
    library.rename("t-1", "Marsh")


def test_a_busy_bucket_is_asked_again(copy_at: CopyAt, bucket: Bucket) -> None:
    here = copy_at("here")
    library, busy = Library(here.root), iter(range(3))
    add_scene(library)
    with bucket.faulty(lambda _asked: Fault(status=503, headers={"Retry-After": "1"}) if next(busy, None) else None):
        assert library.rename("t-1", "Marsh").name == "Marsh"


def test_a_folder_of_this_computer_alone_stays_its_own(copy_at: CopyAt, bucket: Bucket) -> None:
    here = copy_at("here")
    before = set(bucket.objects)
    for name in ("jobs", "uploads", "models", "trained/.a.1"):
        (here.root / name).mkdir(parents=True)
        write_atomically(here.root / name / "a.json", b"{}")
        with locked(here.root / name / "a.lock"):
            discard(here.root / name / "a.json")
    assert set(bucket.objects) == before


def test_files_of_any_name_come_and_go(copy_at: CopyAt, tmp_path: Path) -> None:
    here, there = copy_at("here"), copy_at("there")
    odd = [
        "Ä b#1.tif",
        "50%.tif",
        "%41.tif",
        "日本[1]+&=?.tif",
        "a:b*|<>'\"^`.tif",
        "tab\t.tif",
        "back\\slash.tif",
        ".x.tif",
    ]
    add_scene(Library(here.root))
    for name in odd:
        (tmp_path / name).write_bytes(name.encode())
    Library(here.root).keep_origin("t-1", [tmp_path / name for name in odd])
    there.refresh()
    found = Library(there.root).origin("t-1")
    assert [path.is_file() for path in found] == [False] * len(odd)
    assert {present(path).name: path.read_bytes() for path in found} == {name: name.encode() for name in odd}
    Library(there.root).delete("t-1")
    here.refresh()
    assert names(here.root / "scenes") == []


def test_objects_that_are_not_ours_are_left_alone_and_lead_nowhere(
    copy_at: CopyAt, bucket: Bucket, tmp_path: Path
) -> None:
    here, outside = copy_at("here"), tmp_path / "outside"
    add_scene(Library(here.root))
    foreign = ["%2E./outside", "%2e%2e/outside", str(outside).replace("/", "%2F"), "scenes/%2E./%2E./outside", "a%00b"]
    bucket.objects |= {f"some/data/files/{name}": b"evil" for name in (*foreign, "scenes/notes.txt")}
    there = copy_at("there")
    there.refresh()
    assert not outside.exists()
    assert [scene.id for scene in Library(there.root).scenes()] == ["t-1"]
    assert {f"some/data/files/{name}" for name in foreign} <= bucket.objects.keys()
    outside.write_bytes(b"somebody's")
    bucket.objects["some/data/files/scenes/t-1/%2E./%2E./%2E./outside"] = b"evil"
    Library(there.root).delete("t-1")
    assert outside.read_bytes() == b"somebody's"


def test_a_disk_that_is_full_keeps_nothing_half(copy_at: CopyAt) -> None:
    here, there = copy_at("here"), copy_at("there")
    scene = add_scene(Library(here.root), height=512, width=512)
    there.refresh()
    seen, limits = Library(there.root).get("t-1"), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, limits[1]))
    try:
        with pytest.raises(StoreError, match=r"Keeping a copy of \S*pixels\.tif: the disk is full; free some space"):
            _ = seen.pixels_path
        give_label(seen, patch_grid(seen, Cut.of(64)), [0], "Water")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in seen.directory.iterdir() if "pixels" in path.name] == []
    assert seen.pixels_path.read_bytes() == scene.pixels_path.read_bytes()


def test_a_damaged_list_is_made_anew(copy_at: CopyAt) -> None:
    here = copy_at("here")
    add_scene(Library(here.root))
    index = here.root / ".bucket" / "index.sqlite"
    for path in index.parent.glob("index.sqlite*"):
        path.unlink()
    index.write_bytes(os.urandom(5000))
    again = copy_at("here")
    again.refresh()
    assert Library(again.root).get("t-1").pixels_path.is_file()


def test_a_finished_folder_comes_once(copy_at: CopyAt) -> None:
    here, there = copy_at("here"), copy_at("there")
    for copy, content in ((here, b"first"), (there, b"second")):
        with staged_folder(copy.root / "trained", ".new-") as staged:
            write_atomically(staged / "model.onnx", content)
            write_atomically(staged / "card.json", content)
            if copy is here:
                move_in(staged, copy.root / "trained" / "a", whole="model.onnx")
            else:
                with pytest.raises(FileExistsError):
                    move_in(staged, copy.root / "trained" / "a", whole="model.onnx")
    assert (present(there.root / "trained" / "a") / "card.json").read_bytes() == b"first"
