"""What a report says of a file of features and its scene."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from PIL import Image

from core.classification.areas.class_map import read_classified
from core.classification.areas.estimation import AreaStratum, JudgedUnit, estimate_accuracy
from core.classification.schemes import SCHEMES
from core.errors import ClassificationError
from core.evaluation.report.card import Section
from core.evaluation.report.file import FileReport, SceneOfFile
from core.evaluation.report.measure import NO_LABELS_IN_FILE
from core.evaluation.report.wording import unmeasured
from core.export.geoparquet import Embeddings, read_geoparquet, write_geoparquet
from core.features.recipe import Features, Recipe
from core.report.classes import MAPPED_ONLY
from core.report.contents import WITHOUT_SCENE, report_contents
from core.report.pictures import class_picture, dots_picture, unlike_rows
from core.scenes.cut import Cut
from core.scenes.labels import give_label
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from tests.core.classification.areas.patches import squares, write_classified
from tests.fakes import PlaceEncoder
from tests.scenes import add_scene

SECTION = Section(name="hubs", title="Hubs?", sentences=("None.",), figures={"skewness": 0.1})


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[Embeddings, FileReport]:
    root = tmp_path_factory.mktemp("data")
    scene, cut = add_scene(Library(root), height=128, width=192), Cut.of(32)
    grid = patch_grid(scene, cut)
    give_label(scene, grid, range(4), "Reeds")
    ids, spec = np.arange(grid.count), PlaceEncoder().spec
    light = np.tile(np.linspace(0.01, 0.2, 13, dtype=np.float32), (grid.count, 1))
    features = Features(
        recipe=Recipe(scene_id=scene.id, encoder="place", fingerprint=spec.fingerprint, cut=cut),
        patch_ids=ids, vectors=np.eye(grid.count, 4, dtype=np.float32) + 0.1,
        valid_fraction=np.ones(grid.count, np.float32), band_mean=light, band_std=light,
    )  # fmt: skip
    write_geoparquet(root / "f.parquet", scene, grid, features, spec)
    measured = FileReport(
        headline="f", home=SceneOfFile(scene, grid), sections=(SECTION,), unexamined=("Clouds were not looked for.",)
    )
    return read_geoparquet(root / "f.parquet"), measured


def test_a_report_says_what_is_known_of_scene_and_encoder(case: tuple[Embeddings, FileReport]) -> None:
    found = report_contents(*case, made="2026-01-02")
    facts = dict(found.scene)
    assert found.title == facts["Scene"] == "Test scene"
    assert facts["Date"] == "2024-06-21"
    assert facts["Size"] == "192 × 128 pixels of 10 m; 1.9 × 1.3 km"
    assert facts["Patches"] == "24, each 32 × 32 pixels"
    assert facts["Place"].endswith("° E")
    assert dict(found.encoder)["Encoder"] == "Places"
    assert found.findings[0].because == "the test says so"
    assert found.picture is not None
    assert len(found.examples) == 4
    assert {len(row.neighbours) for row in found.examples} == {5}
    assert found.bands is not None
    assert [bar.told for bar in found.bands.bars][::12] == ["0.010", "0.200"]
    assert found.notes == ()
    assert dict(found.versions).keys() >= {"Landlike", "Python", "numpy"}


def test_classes_of_the_file_have_mapped_areas(case: tuple[Embeddings, FileReport]) -> None:
    part = report_contents(*case, made="").classes
    assert part is not None
    assert part.notes == (MAPPED_ONLY,)
    assert part.sheet.rows == (("Reeds", "4", "41", "100.0%"),)  # four patches of 320 m
    assert part.legend[0][0] == "Reeds"


def test_a_judged_sample_gives_intervals(case: tuple[Embeddings, FileReport], tmp_path: Path) -> None:
    path = write_classified(tmp_path / "c.parquet", ["a"] * 12 + ["b"] * 12)
    strata = [AreaStratum(name="a", hectares=60), AreaStratum(name="b", hectares=40)]
    pairs = ["aa", "aa", "ab", "bb", "bb", "ba"]
    sample = [JudgedUnit(stratum=mapped, mapped=mapped, reference=ground) for mapped, ground in pairs]
    assessment = estimate_accuracy(sample, strata)
    part = report_contents(
        *case, made="", classified=read_classified(path), areas=strata, assessment=assessment
    ).classes
    assert part is not None
    assert part.sheet.rows[0] == ("a", "60", "53 (6–100)", "0.667 (0.013–1.000)", "0.750 (0.339–1.000)")
    assert part.notes[0].startswith("Overall accuracy 0.667 (")
    assert part.picture is not None
    image = np.asarray(Image.open(io.BytesIO(part.picture.jpeg)))
    assert image.shape[:2] == (800, 1200), "four rows of six patches"
    assert np.ptp(image[:380].reshape(-1, 3), axis=0).max() < 8, "rows 0 and 1 are all “a”"
    assert np.abs(image[100, 100].astype(int) - image[700, 100]).max() > 60


def test_classes_have_the_colours_of_the_map_else_those_of_their_scheme(
    case: tuple[Embeddings, FileReport], tmp_path: Path
) -> None:
    path = write_classified(tmp_path / "c.parquet", ["Water"] * 12 + ["Crops"] * 12)
    strata = [AreaStratum(name="Water", hectares=60, units=12), AreaStratum(name="Crops", hectares=40, units=12)]
    dynamic_world = {one.name: one.colour for one in SCHEMES["dynamicworld"].classes}
    for stated in ({}, {"Water": "#123456", "Crops": "#654321"}):
        part = report_contents(
            *case, made="", classified=read_classified(path), areas=strata, colours=stated
        ).classes  # fmt: skip
        assert part is not None
        assert part.figure is not None
        wanted = stated or {name: dynamic_world[name] for name in ("Water", "Crops")}
        assert dict(part.legend) == wanted
        assert {bar.label: bar.colour for bar in part.figure.bars} == wanted


def test_patches_that_lie_apart_are_dots_on_the_ground() -> None:
    places = np.array([[10.0, 47.0], [14.0, 47.0], [np.nan, np.nan]])
    shapes = np.array([shapely.box(x - 0.01, y - 0.01, x + 0.01, y + 0.01) for x, y in places[:2]] + [None], object)
    picture = dots_picture(shapes, places, ["#ff0000", "#0000ff", "#00ff00"])
    assert picture is not None
    image = np.asarray(Image.open(io.BytesIO(picture.jpeg))).astype(int)
    red, green, blue = (np.argwhere((np.abs(image - colour) < 60).all(axis=2)) for colour in np.eye(3) * 255)
    assert len(green) == 0, "a patch without a place is nowhere"
    assert red[:, 1].mean() < image.shape[1] / 2 < blue[:, 1].mean()
    assert red[:, 0].mean() == pytest.approx(blue[:, 0].mean(), abs=3)
    assert dots_picture(shapes[2:], places[2:], ["#00ff00"]) is None


def test_head_and_body_agree_on_classes_of_a_map(case: tuple[Embeddings, FileReport], tmp_path: Path) -> None:
    none = (unmeasured("labels", NO_LABELS_IN_FILE), Section(
        name="familiar", title="F?", sentences=("Few.",), figures={"novel": 0.0},
    ))  # fmt: skip
    measured = replace(case[1], sections=none)
    path = write_classified(tmp_path / "c.parquet", ["a"] * 12 + ["b"] * 12)
    found = report_contents(case[0], measured, made="", classified=read_classified(path))
    told = " ".join([found.verdict.because, *(words for *_, words in found.summary), *found.sections[0].sentences])
    assert "no classes" not in told
    assert found.summary[0][2].startswith("Not measured: the only classes here are those of a map, and a map is no tr")
    assert found.verdict.words == "Holds so far"
    assert "the patches have no classes" in "".join(measured.lines()), "where there is no map"


def test_a_map_or_a_sample_of_other_land_is_refused(case: tuple[Embeddings, FileReport], tmp_path: Path) -> None:
    right = write_classified(tmp_path / "c.parquet", ["a"] * 12 + ["b"] * 12)
    more = write_classified(tmp_path / "more.parquet", ["a", "b"] * 13)
    far = write_classified(tmp_path / "far.parquet", ["a", "b"] * 12, shapes=squares(6, 4, crs="EPSG:32633"))
    for path, told in ((more, "2 of its patches are not in the features, such as 24"), (far, "patch 0 lies elsewhere")):
        with pytest.raises(ClassificationError, match=f"^Reporting on “{path.name}”: {told}"):
            report_contents(*case, made="", classified=read_classified(path))
    forest = [AreaStratum(name="a", hectares=60), AreaStratum(name="deforestation", hectares=40)]
    with pytest.raises(ClassificationError, match="“deforestation” of the areas is no class of it; give"):
        report_contents(*case, made="", classified=read_classified(right), areas=forest)
    stale = [AreaStratum(name="a", hectares=60, units=11), AreaStratum(name="b", hectares=40, units=13)]
    with pytest.raises(ClassificationError, match="“a” has 11 patches by the areas and 12 on the map; give"):
        report_contents(*case, made="", classified=read_classified(right), areas=stale)


def test_a_file_whose_scene_is_gone_has_no_picture_and_says_so(case: tuple[Embeddings, FileReport]) -> None:
    found = report_contents(case[0], FileReport(headline="f", home=None, sections=(SECTION,)), made="")
    assert found.picture is None
    assert found.examples == found.findings == ()
    assert found.notes == (WITHOUT_SCENE,)
    assert "N, " in dict(found.scene)["Place"]


def test_examples_differ_and_the_largest_part_comes_first() -> None:
    rows = np.repeat(np.eye(3, dtype=np.float32), [5, 2, 9], axis=0)
    assert [np.argmax(rows[at]) for at in unlike_rows(rows, 3)] == [2, 0, 1]
    assert unlike_rows(np.ones((1, 2), np.float32), 4) == [0]


def test_a_map_shows_a_patch_where_it_lies() -> None:
    jpeg = class_picture(np.array([0, 1]), np.array([2, 0]), ["#ff0000", "#0000ff"]).jpeg
    image = np.asarray(Image.open(io.BytesIO(jpeg))).astype(int)
    assert image.shape == (800, 1200, 3)
    assert np.abs(image[200, 1000] - [254, 0, 0]).max() < 6
    assert np.abs(image[600, 200] - [0, 0, 254]).max() < 6
    assert image[600, 1000].min() > 200
