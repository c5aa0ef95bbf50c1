"""Many scenes at once: done once, done anew when they change, and never harmed by another run or an end of any kind."""

from __future__ import annotations

import json
import os
import shutil
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from core.__main__ import main
from core.config import Config, settings
from core.engine.batch import work
from core.engine.batch.inputs import batch_inputs
from core.engine.batch.run import BatchStep, run_batch
from core.engine.batch.wish import BatchWish, fingerprint_of
from core.errors import StoreError
from core.features.given import given_recipe, store_given
from core.features.store import FeatureStore
from core.ingest.boundary import ingest
from core.scenes.cut import GroundLength
from core.scenes.library import Library
from core.storage.folder import FolderStorage
from tests.buckets import KEY_ID, SECRET, Asked, Bucket, Fault
from tests.tiles import write_tile

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path / "data"))
    return settings()


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """A folder of three scenes, one of them zipped, and of what is none."""
    folder = tmp_path / "in"
    write_tile(folder / "T31UFS_20240601.tif", 1)
    write_tile(folder / "T31UFS_20240615.tif", 2)
    with zipfile.ZipFile(folder / "third.zip", "w") as file:
        file.write(write_tile(tmp_path / "T31UFS_20240701.tif", 3), "T31UFS_20240701.tif")
    (folder / "read me.txt").write_text("what is in here")
    (folder / ".hidden").write_text("nothing")
    (folder / "empty").mkdir()
    return folder


def embed(source: Path | str, out: Path | str, *more: str) -> int:
    return main(["embed", str(source), "--encoder", "spectral", "--out", str(out), *more])


def steps(source: Path, out: Path | str, config: Config) -> list[BatchStep]:
    wish = BatchWish(encoder="spectral", fingerprint=fingerprint_of("spectral", None, config))
    return list(run_batch(batch_inputs(str(source), str(out)), wish, str(out), config))


def states(source: Path, out: Path | str, config: Config) -> dict[str, str]:
    return {step.record.input: step.state for step in steps(source, out, config)}


def written(out: Path) -> dict[str, bytes]:
    """All that has to be equal whenever the same is asked for: not the records and the manifest, which hold times."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.parent.name != "records"
        and path.name != "manifest.json"
    }  # fmt: skip


def manifest(out: Path) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads((out / "manifest.json").read_text())
    return found


def test_a_folder_becomes_a_collection_of_the_same_numbers(
    scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert embed(scenes, out) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == f"{out}: 3 written, 0 there already, 0 failed"
    assert said[0].startswith("1/3 T31UFS_20240601.tif: 4 patches, 0.0 MB, ")
    assert main(["embed", str(scenes / "T31UFS_20240601.tif"), "--encoder", "spectral",
                 "--out", str(tmp_path / "one.parquet")]) == 0  # fmt: skip
    rows = manifest(out)["scenes"]
    assert [(row["input"], row["date"], row["patches"], row["encoder"]) for row in rows] == [
        ("T31UFS_20240601.tif", "2024-06-01", 4, "spectral"), ("T31UFS_20240615.tif", "2024-06-15", 4, "spectral"),
        ("third.zip", "2024-07-01", 4, "spectral"),
    ]  # fmt: skip
    one, same = pq.read_table(tmp_path / "one.parquet"), pq.read_table(out / str(rows[0]["file"]))
    assert one.equals(same)
    assert {b"geo", b"emb", b"landlike"} <= same.schema.metadata.keys()
    item = json.loads((out / str(rows[0]["item"])).read_text())
    assert (out / str(rows[0]["item"])).parent.joinpath(item["assets"]["embeddings"]["href"]).is_file()
    collection = json.loads((out / "collection.json").read_text())
    assert item["collection"] == collection["id"]
    linked = [link["href"] for link in collection["links"] if link["rel"] == "item"]
    assert [(out / href).is_file() for href in linked] == [True, True, True]
    assert collection["extent"]["temporal"]["interval"] == [["2024-06-01T00:00:00Z", "2024-07-01T23:59:59Z"]]
    west, south, east, north = collection["extent"]["spatial"]["bbox"][0]
    shapes = geopandas.read_parquet(out / str(rows[2]["file"])).geometry
    assert west <= shapes.total_bounds[0] <= shapes.total_bounds[2] <= east
    assert south <= shapes.total_bounds[1] <= shapes.total_bounds[3] <= north
    assert not list((tmp_path / "data" / "scratch").iterdir())
    assert list((tmp_path / "data" / "scenes").iterdir()) == [*(tmp_path / "data" / "scenes").glob("s-*")], "one"


def test_the_collection_opens_here_and_elsewhere(scenes: Path, tmp_path: Path, config: Config) -> None:
    out = tmp_path / "out"
    records = [step.record for step in steps(scenes, out, config)]
    folder = out / Path(records[0].scenes[0].data.key).parent
    table = ds.dataset(folder, format="parquet", exclude_invalid_files=True).to_table()
    assert table.num_rows == 12
    assert len(geopandas.read_parquet(out / records[0].scenes[0].data.key)) == 4
    library, store = Library(tmp_path / "app"), FeatureStore(tmp_path / "app")
    for record in records:
        path = out / record.scenes[0].data.key
        scene = ingest([path], library)
        recipe = given_recipe(scene)
        store_given(scene, recipe, store)
        mine = pq.read_table(path)
        order = np.argsort(mine["patch_id"].to_numpy())
        vectors = np.stack(mine["vector"].to_numpy())[order]
        assert (recipe.fingerprint, scene.date) == (record.scenes[0].fingerprint, record.scenes[0].date)
        assert np.array_equal(store.read(recipe).vectors, vectors)


def test_what_is_there_is_left_alone(scenes: Path, bucket: Bucket, config: Config) -> None:
    objects, out = bucket.objects, "s3://land/some/place"
    assert set(states(scenes, out, config).values()) == {"written"}
    before = dict(objects)
    assert set(states(scenes, out, config).values()) == {"there already"}
    assert objects == before
    write_tile(scenes / "T31UFS_20240615.tif", 7)
    os.utime(scenes / "T31UFS_20240601.tif", ns=(1, 10**18))
    write_tile(scenes / "new.tif", 8)
    assert states(scenes, out, config) == {
        "T31UFS_20240601.tif": "there already", "T31UFS_20240615.tif": "written", "new.tif": "written",
        "third.zip": "there already",
    }  # fmt: skip
    keys = [key for key in objects if key.endswith(".parquet")]
    assert len(keys) == 4, "what the changed one had been is gone"
    assert BatchWish(fingerprint="one").digest != BatchWish(fingerprint="two").digest
    for name in ("new.tif", "third.zip", "T31UFS_20240615.tif"):
        (scenes / name).unlink()
    finer = BatchWish(encoder="spectral", fingerprint=fingerprint_of("spectral", None, config), patch=GroundLength(32))
    again = list(run_batch(batch_inputs(str(scenes), out), finer, out, config))
    assert {(step.state, step.record.scenes[0].patches) for step in again} == {("written", 16)}
    assert set(states(scenes, out, config).values()) == {"there already"}


def test_what_was_damaged_is_done_again_and_what_moved_is_not(scenes: Path, tmp_path: Path, config: Config) -> None:
    out = tmp_path / "out"
    steps(scenes, out, config)
    before, rows = written(out), manifest(out)["scenes"]
    files = [out / str(row["file"]) for row in rows]
    files[0].write_bytes(files[0].read_bytes()[:-100])
    files[1].write_bytes(bytes([files[1].read_bytes()[0] ^ 1]) + files[1].read_bytes()[1:])
    assert states(scenes, out, config) == {
        "T31UFS_20240601.tif": "written", "T31UFS_20240615.tif": "written", "third.zip": "there already"
    }  # fmt: skip
    assert written(out) == before
    (out / str(rows[2]["item"])).unlink()
    assert states(scenes, out, config)["third.zip"] == "written"
    shutil.copytree(out, tmp_path / "copy")
    scenes.rename(tmp_path / "elsewhere")
    assert set(states(tmp_path / "elsewhere", tmp_path / "copy", config).values()) == {"there already"}
    assert written(tmp_path / "copy") == before
    next((out / "records").iterdir()).write_text("{")
    found = list(states(tmp_path / "elsewhere", out, config).values())
    assert sorted(found) in (["there already"] * 3, ["there already", "there already", "written"])
    assert written(out) == before


def test_failures_are_told_and_kept_and_do_not_stop_the_others(
    scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = scenes / "out"
    (scenes / "broken.tif").write_bytes(b"")
    write_tile(scenes / "small.tif", 5, side=32)
    assert embed(scenes, out) == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == f"{out}: 3 written, 0 there already, 2 failed"
    sentences = [line.partition(" ")[2] for line in said.err.splitlines() if "/5 " in line]
    assert len(sentences) == 2
    assert sentences[0].startswith("Opening “broken.tif”: ")
    assert "2 of 5 inputs could not be done; see failures.csv there" in said.err
    failures = manifest(out)["failures"]
    assert [row["input"] for row in failures] == ["broken.tif", "small.tif"]
    assert [f"{row['asked']}: {row['found']}; {row['remedy']}." for row in failures] == sentences
    assert (out / "failures.csv").read_text().splitlines()[0] == "input,asked,found,remedy"
    write_tile(scenes / "broken.tif", 6)
    (scenes / "small.tif").unlink()
    assert embed(scenes, out) == 0
    assert len(manifest(out)["scenes"]) == 4
    assert [row["input"] for row in manifest(out)["failures"]] == ["small.tif"]


class Killed(BaseException):
    """The end of a process, after which it writes nothing."""


def test_killed_at_any_moment_and_run_again_it_gives_the_same_bytes(
    scenes: Path, tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, done, left = tmp_path / "killed", list[str](), [0]
    (scenes / "third.zip").unlink()
    embedded = work._embedded

    def told(one: Any, *given: Any) -> Any:
        done.append(one.task.input.name)
        return embedded(one, *given)

    def counted(was: Callable[..., Any]) -> Callable[..., Any]:
        def write(*given: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return was(*given)

        return write

    with monkeypatch.context() as patch:
        patch.setattr(work, "_embedded", told)
        for name in ("put", "put_file", "put_if_absent", "replace_if"):
            patch.setattr(FolderStorage, name, counted(getattr(FolderStorage, name)))
        # Between data and item; before the second record; before what is said of the whole.
        for left[0] in (1, 5, 3):
            with pytest.raises(Killed):
                embed(scenes, out)
    assert not (out / "collection.json").exists()
    assert not [path for path in out.rglob("*.parquet") if pq.read_metadata(path).num_rows != 4]
    assert set(states(scenes, out, config).values()) == {"there already"}
    steps(scenes, tmp_path / "at once", config)
    assert written(out) == written(tmp_path / "at once")
    assert sorted(done) == ["T31UFS_20240601.tif"] * 2 + ["T31UFS_20240615.tif"] * 2, "in flight, and no other"


@pytest.mark.parametrize(
    ("names", "inputs"),
    [
        ([f"T31UFS_20240601_B{band:02d}.jp2" for band in range(1, 13)] + ["MTD.xml"],
         ["T31UFS_20240601_B01.jp2 and 12 more"]),
        (["T31UFS_20240601.tif", "T31UFS_20240611.tif", "T31UFS_20240601.tfw", "notes.csv", "collection.json"],
         ["T31UFS_20240601.tif and 1 more", "T31UFS_20240611.tif"]),
        ([f"tile-{number}.tif" for number in range(15)], [f"tile-{number}.tif" for number in range(15)]),
        (["S2A_MSIL1C_a.SAFE/x", "b/B02.tif", "c/", "out/collection.json", "out/records/a.json", "d.nc", "e.zip"],
         ["b", "S2A_MSIL1C_a.SAFE", "d.nc", "e.zip"]),
        (["export-0000000000-0000000000.tif", "export-0000000000-0000002560.tif"],
         ["export-0000000000-0000000000.tif and 1 more"]),
    ],
    ids=["bands", "dates", "many", "folders", "shards"],
)  # fmt: skip
def test_a_folder_is_parted_into_scenes_by_names(names: list[str], inputs: list[str], tmp_path: Path) -> None:
    for name in names:
        path = tmp_path / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_bytes(b"")
    assert [one.name for one in batch_inputs(str(tmp_path), "s3://land/a")] == inputs


def test_two_runs_at_once_do_not_harm_each_other(scenes: Path, tmp_path: Path, config: Config, bucket: Bucket) -> None:
    out = "s3://land/p"
    write_tile(scenes / "more.tif", 4)
    found: list[list[BatchStep]] = []

    def run(name: str) -> None:
        found.append(steps(scenes, out, Config(root=tmp_path / name, model_cache=config.model_cache)))

    threads = [threading.Thread(target=run, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(one) for one in found] == [4, 4]
    told = [step.state for one in found for step in one]
    # Who finds the very bytes that he was to write counts as their writer, too.
    assert set(told) <= {"written", "there already"}
    assert told.count("written") >= 4
    whole = json.loads(bucket.objects["p/manifest.json"])
    assert {row["file"] for row in whole["scenes"]} == {
        key.removeprefix("p/") for key in bucket.objects if key.endswith(".parquet")
    }
    assert len(whole["scenes"]) == 4


def test_a_list_names_files_folders_and_addresses(
    scenes: Path, tmp_path: Path, bucket: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.objects["in/a.tif"] = write_tile(tmp_path / "a.tif", 9).read_bytes()
    listed = scenes / "list.txt"
    listed.write_text(
        "# what is to be done\n\nT31UFS_20240601.tif\n  third.zip  \ns3://land/in/a.tif\nnot there.tif\n"
        "https://someone:word@127.0.0.1:9/b.tif?sig=word\nthird.zip\n"
    )
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.engine.batch.inputs.web_state", _unheard)
        assert embed(listed, out) == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == f"{out}: 3 written, 0 there already, 2 failed"
    assert "Opening “not there.tif”: there is no such file; check the name." in said.err
    assert "Opening “https://127.0.0.1:9/b.tif”: its server cannot be reached" in said.err
    kept = "".join(path.read_text() for path in out.rglob("*") if path.suffix in {".json", ".csv"})
    assert "word" not in said.out + said.err + kept


def _unheard(_url: str) -> str:
    from core.errors import SourceError

    raise SourceError(found="its server cannot be reached", remedy="check the address and the network")


def test_no_credential_is_written_or_told(
    scenes: Path, tmp_path: Path, bucket: Bucket, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("T31UFS_20240615.tif", "third.zip"):
        (scenes / name).unlink()
    assert embed(scenes, "s3://land/p") == 0
    denied = Fault(status=403, body=f"{KEY_ID} {SECRET}")
    with bucket.faulty(lambda asked: denied if asked.method == "PUT" else None):
        assert embed(scenes, "s3://land/other") == 1
    said = capfd.readouterr()
    assert "the bucket refuses it; give these credentials the right to list, read and write there" in said.err
    assert len(said.err.splitlines()) == 1
    told = said.out + said.err + "".join(data.decode("latin1") for data in bucket.objects.values())
    assert KEY_ID not in told
    assert SECRET not in told


def test_a_bucket_that_fails_half_way_loses_nothing(scenes: Path, bucket: Bucket, config: Config) -> None:
    seen: list[str] = []

    def choose(asked: Asked) -> Fault | None:
        if asked.method == "PUT" and asked.key.startswith("p/records/"):
            seen.append(asked.key)
        return Fault(status=403) if len(seen) > 1 and asked.method == "PUT" else None

    with bucket.faulty(choose), pytest.raises(StoreError, match="the bucket refuses it"):
        steps(scenes, "s3://land/p", config)
    assert sum(key.startswith("p/records/") for key in bucket.objects) == 1
    assert sorted(step.state for step in steps(scenes, "s3://land/p", config)) == [
        "there already", "written", "written"
    ]  # fmt: skip
    assert len(json.loads(bucket.objects["p/manifest.json"])["scenes"]) == 3


@pytest.mark.parametrize(
    ("source", "out", "sentence"),
    [
        (
            "none",
            "out",
            "there is no such file or folder; give a folder of scenes or a list of paths, or let --out end",
        ),
        ("in/empty", "out", "it holds no scenes"),
        ("in", "in", "results would go into the folder that is read; choose another one for --out"),
        ("in", "s3://land/a.parquet", "s3://land/a.parquet is one file in a bucket; give a folder there"),
        ("in", "ftp://land/a", "ftp:// is no storage that can be written"),
        ("ftp://land/a", "out", "ftp:// is no address of a file"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    source: str, out: str, sentence: str, scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = source if "://" in source else str(tmp_path / source)
    assert embed(given, out if "://" in out else tmp_path / out) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert scenes.is_dir()
    assert not (tmp_path / "out").exists()
