"""The library lists, renames and deletes scenes, and never shows half of one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import SceneError
from core.files import write_atomically
from core.scenes.library import Library
from core.scenes.quality import load_quality
from core.scenes.scene import Series
from tests.scenes import add_scene


def test_scenes_are_listed_newest_first_and_damaged_ones_left_out(tmp_path: Path) -> None:
    library = Library(tmp_path)
    add_scene(library, "t-1")
    add_scene(library, "t-2")
    broken = add_scene(library, "t-3")
    (broken.directory / "scene.json").write_text("{")
    assert {scene.id for scene in library.scenes()} == {"t-1", "t-2"}


def test_unfinished_scenes_do_not_show(tmp_path: Path) -> None:
    library = Library(tmp_path)
    with library.staged() as staged:
        assert staged.parent == library.root
        assert library.scenes() == []
    assert not staged.exists()


def test_adding_the_same_scene_twice_keeps_the_first(tmp_path: Path) -> None:
    library = Library(tmp_path)
    add_scene(library, name="first")
    assert add_scene(library, name="second").name == "first"
    assert len(library.scenes()) == 1
    assert [path.name for path in library.root.iterdir()] == ["t-1"]


@pytest.mark.parametrize("name", ["Fields <b>", "`${x}`", "  two   words "])
def test_a_new_name_is_kept_as_typed_but_for_spaces(tmp_path: Path, name: str) -> None:
    library = Library(tmp_path)
    add_scene(library)
    library.rename("t-1", name)
    assert library.get("t-1").name == " ".join(name.split())


def test_an_empty_name_is_refused(tmp_path: Path) -> None:
    library = Library(tmp_path)
    add_scene(library)
    with pytest.raises(SceneError, match="the new name is empty"):
        library.rename("t-1", "   ")


def test_a_deleted_scene_is_gone_with_its_files(tmp_path: Path) -> None:
    library = Library(tmp_path)
    scene = add_scene(library)
    assert library.disk_bytes("t-1") > 50_000
    library.delete("t-1")
    assert not scene.directory.exists()
    assert list(library.root.iterdir()) == []
    with pytest.raises(SceneError, match="not in the library"):
        library.get("t-1")


@pytest.mark.parametrize("scene_id", ["..", "../t-1", "/etc", "A", "", "a/b", "a" * 65, ".staging-x"])
def test_ids_that_are_no_ids_reach_no_file(tmp_path: Path, scene_id: str) -> None:
    with pytest.raises(SceneError, match="no scene's id"):
        Library(tmp_path).directory(scene_id)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_the_quality_record_comes_back(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path))
    record = load_quality(scene.directory)
    assert record.findings[0].value == "made for a test"
    assert record.warnings() == ()
    (scene.directory / "quality.json").unlink()
    with pytest.raises(SceneError, match="missing or damaged"):
        load_quality(scene.directory)


def test_the_scenes_of_a_series_follow_each_other_and_are_called_together(tmp_path: Path) -> None:
    library = Library(tmp_path)
    add_scene(library, "t-9")
    for index in (2, 0, 1):
        scene = add_scene(library, f"t-{index}", name=f"field, 2020-0{index + 1}-01" if index else "My own")
        dated = replace(scene, series=Series(id="series-1", name="field", index=index, count=3))
        write_atomically(scene.directory / "scene.json", dated.to_json().encode())
    assert [scene.id for scene in library.series("series-1")] == ["t-0", "t-1", "t-2"]
    library.rename_series("series-1", " My  field ")
    assert {scene.series and scene.series.name for scene in library.scenes()} == {"My field", None}
    called = [scene.name for scene in library.series("series-1")]
    assert called == ["My own", "My field, 2020-02-01", "My field, 2020-03-01"]
    with pytest.raises(SceneError, match="the new name is empty"):
        library.rename_series("series-1", " ")


def test_files_that_scenes_share_are_counted_once(tmp_path: Path) -> None:
    library = Library(tmp_path)
    (tmp_path / "all.zip").write_bytes(bytes(600_000))
    alone = [add_scene(library, f"t-{n}") and library.disk_bytes(f"t-{n}") for n in range(2)]
    for n in range(2):
        library.keep_origin(f"t-{n}", [tmp_path / "all.zip"])
    (tmp_path / "all.zip").unlink()
    notes = [(library.directory(f"t-{n}") / "origin.json").stat().st_size for n in range(2)]
    sizes = [size + note + 300_000 for size, note in zip(alone, notes, strict=True)]
    assert [library.disk_bytes(f"t-{n}") for n in range(2)] == sizes


def test_what_a_scene_was_made_from_is_kept_once_and_goes_with_it(tmp_path: Path) -> None:
    library = Library(tmp_path)
    scene = add_scene(library)
    (tmp_path / "B02.tif").write_bytes(b"first")
    library.keep_origin("t-1", [tmp_path / "B02.tif"])
    (tmp_path / "other.tif").write_bytes(b"second")
    library.keep_origin("t-1", [tmp_path / "other.tif"])
    assert [path.read_bytes() for path in library.origin("t-1")] == [b"first"]
    library.delete("t-1")
    assert not scene.directory.exists()
    assert (tmp_path / "B02.tif").exists()


def test_files_of_somebodys_own_are_read_again_where_they_lie_as_long_as_they_are_the_same(tmp_path: Path) -> None:
    library = Library(tmp_path / "data")
    add_scene(library)
    folder = tmp_path / "product"
    (folder / "bands").mkdir(parents=True)
    (folder / "bands" / "B02.tif").write_bytes(b"first")
    library.note_origin("t-1", [folder])
    assert library.origin("t-1") == [folder]
    (folder / "bands" / "B02.tif").write_bytes(b"another")
    assert library.origin("t-1") == [], "other files would give another scene"
    library.note_origin("t-1", [folder])
    assert library.origin("t-1") == [folder]
    (folder / "bands" / "B02.tif").unlink()
    assert library.origin("t-1") == []
    library.delete("t-1")
    assert folder.exists()
