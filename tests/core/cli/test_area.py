"""The commands cut the patches of an area alone, given as a file or by the name it has from then on."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas
import pytest
import shapely

from core.__main__ import main
from core.config import settings
from core.scenes.library import Library
from core.scenes.regions.of_interest import kept_area, kept_areas
from tests.scenes import UTM31, add_scene


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path / "data"))


def area(path: Path, left: float, top: float, right: float, bottom: float) -> Path:
    """A file with the area of a window of pixels of the scene."""
    box = shapely.box(UTM31[2] + 10 * left, UTM31[5] - 10 * bottom, UTM31[2] + 10 * right, UTM31[5] - 10 * top)
    geopandas.GeoDataFrame(geometry=[box], crs=32631).to_file(path)
    return path


@pytest.mark.usefixtures("shapes_here")
def test_only_the_patches_of_an_area_are_in_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = add_scene(Library(settings().root))
    given, out = area(tmp_path / "A.gpkg", 70, 10, 130, 60), tmp_path / "F.parquet"
    words = ["embed", scene.id, "--encoder", "spectral", "--only"]
    assert main([*words, str(given), "--out", str(out)]) == 0, capsys.readouterr().err
    found = geopandas.read_parquet(out)
    assert found["patch_id"].tolist() == [1, 2]
    (key,) = kept_areas(scene)
    assert main([*words, key, "--out", str(tmp_path / "G.parquet")]) == 0
    assert geopandas.read_parquet(tmp_path / "G.parquet").equals(found)
    capsys.readouterr()
    listed = str(tmp_path / "R.csv")
    assert main(["view", scene.id, "--encoder", "spectral", "--only", key, "--like", "1", "--out", listed]) == 0
    assert capsys.readouterr().err == ""
    assert len((tmp_path / "R.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (json.dumps({"type": "Point", "coordinates": [1, 2]}), "give the outline of the area as a polygon"),
        (shapely.to_geojson(shapely.box(50, 50, 51, 51)), "and the scene at 4.4"),
    ],
)
@pytest.mark.usefixtures("shapes_here")
def test_what_is_no_area_of_the_scene_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, sentence: str
) -> None:
    scene = add_scene(Library(settings().root))
    (tmp_path / "A.geojson").write_text(content)
    words = ["embed", scene.id, "--encoder", "spectral", "--only", str(tmp_path / "A.geojson")]
    assert main([*words, "--out", str(tmp_path / "F.parquet")]) != 0
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert not (tmp_path / "F.parquet").exists()


def test_a_name_that_is_not_kept_is_a_file_that_is_not_there(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    scene = add_scene(Library(settings().root))
    assert (
        main(
            [
                "embed",
                scene.id,
                "--encoder",
                "spectral",
                "--only",
                "a0123456789ab",
                "--out",
                str(tmp_path / "F.parquet"),
            ]
        )
        != 0
    )
    assert "a0123456789ab" in capsys.readouterr().err


@pytest.mark.usefixtures("shapes_here")
def test_a_bundle_carries_its_area(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = add_scene(Library(settings().root))
    given, bundle = area(tmp_path / "A.geojson", 70, 10, 130, 60), str(tmp_path / "B.zip")
    written = json.loads(given.read_text())
    ring = written["features"][0]["geometry"]["coordinates"][0]
    ring[0], ring[1] = ring[1], ring[0]
    ring[-1] = ring[0]
    given.write_text(json.dumps(written))
    words = ["view", scene.id, "--encoder", "spectral", "--only", str(given), "--like", "1", "--out", bundle]
    assert main(words) == 0
    told = capsys.readouterr().err
    assert "A.geojson: Its outline crosses itself" in told
    (key,) = kept_areas(scene)
    said = kept_area(scene, key).said
    (scene.directory / "areas" / f"{key}.geojson").unlink()
    capsys.readouterr()
    assert main(["open-bundle", bundle]) == 0
    told = json.loads(capsys.readouterr().out)
    assert not told["lacks"], told
    assert kept_areas(scene) == [key]
    assert kept_area(scene, key).said == said != ()
