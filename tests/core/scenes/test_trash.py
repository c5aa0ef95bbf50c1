"""A deletion can be undone for a day; after that nothing is left, and until then its name is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import SceneError
from core.scenes.library import Library
from core.scenes.trash import KEEP_SECONDS, Trash
from tests.clock import Clock
from tests.scenes import add_scene


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def library(tmp_path: Path, clock: Clock) -> Library:
    made = Library(tmp_path)
    made.trash = Trash(tmp_path / "trash", clock=clock)
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_deleted_scene_comes_back_as_it_was(library: Library) -> None:
    scene = add_scene(library, name="Fields")
    (scene.directory / "labels.json").write_text("{}")
    before = contents(scene.directory)
    library.set_aside(scene.id)
    assert scene.id not in library
    assert library.scenes() == []
    gone = library.trash.find(scene.id)
    assert gone is not None
    assert (gone.name, gone.whole, gone.until - gone.at) == ("Fields", True, KEEP_SECONDS)
    assert library.trash.disk_bytes(scene.id) > sum(map(len, before.values()))
    assert library.bring_back(scene.id)
    assert contents(scene.directory) == before
    assert library.trash.scenes() == []
    assert not library.bring_back(scene.id)


def test_who_opens_a_deleted_scene_is_told_its_name_and_a_way_on(library: Library, clock: Clock) -> None:
    add_scene(library, name="Fields")
    library.set_aside("t-1")
    with pytest.raises(SceneError, match=r"Opening “Fields”: it was deleted .*; bring it back on the Scenes page"):
        library.get("t-1")
    library.trash.remove("t-1")
    with pytest.raises(SceneError, match=r"Opening “Fields”: it was deleted .*; choose a scene from the list"):
        library.get("t-1")
    assert [path.name for path in (library.trash.root / "t-1").iterdir()] == ["deleted.json"]
    assert library.trash.scenes() == []
    clock.now += KEEP_SECONDS
    library.trash.remove("t-1")
    with pytest.raises(SceneError, match="Opening the scene t-1"):
        library.get("t-1")
    assert list(library.trash.root.iterdir()) == []


def test_the_day_ends_for_each_scene_by_itself(library: Library, clock: Clock) -> None:
    for number in (1, 2):
        add_scene(library, f"t-{number}")
        library.set_aside(f"t-{number}")
        clock.now += KEEP_SECONDS / 2
    assert [gone.id for gone in library.trash.scenes()] == ["t-2", "t-1"]
    assert [gone.id for gone in library.trash.expired()] == ["t-1"]


def test_a_scene_deleted_twice_is_kept_as_it_was_the_second_time(library: Library) -> None:
    add_scene(library, name="First")
    library.set_aside("t-1")
    library.trash.remove("t-1")
    add_scene(library, name="Second")
    library.set_aside("t-1", successor="t-2")
    gone = library.trash.find("t-1")
    assert gone is not None
    assert (gone.name, gone.successor) == ("Second", "t-2")
    assert library.bring_back("t-1")
    assert library.get("t-1").name == "Second"


def test_adding_what_was_deleted_brings_it_back(library: Library) -> None:
    add_scene(library, name="With labels")
    library.set_aside("t-1")
    assert add_scene(library, name="Fresh").name == "With labels"
    assert library.trash.find("t-1") is None


def test_a_damaged_note_counts_as_nothing_deleted(library: Library) -> None:
    add_scene(library)
    library.set_aside("t-1")
    (library.trash.root / "t-1" / "deleted.json").write_text("{")
    assert library.trash.scenes() == []
    assert not library.bring_back("t-1")


def test_only_a_scene_that_is_there_is_deleted(library: Library) -> None:
    with pytest.raises(SceneError, match="not in the library"):
        library.set_aside("t-9")
    assert not library.trash.root.exists()


@pytest.mark.parametrize("asked", ["../scenes/t-1", "..", "", "t-1/../t-1", "t-1\0"])
def test_only_what_looks_like_an_id_is_looked_for(library: Library, asked: str) -> None:
    add_scene(library, name="Fields")
    library.set_aside("t-1")
    library.bring_back("t-1")
    (library.root / "t-1" / "deleted.json").write_text('{"name": "Elsewhere", "at": 1, "successor": null}')
    assert library.trash.find(asked) is None
