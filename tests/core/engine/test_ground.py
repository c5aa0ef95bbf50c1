"""Hectares of a scene with a known hole: pixels that hold data, the same on pages, in files and by commands."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from core.__main__ import main
from core.classification.areas.class_map import read_classified
from core.classification.areas.ground import areas_of
from core.config import Config
from core.engine.exports.files import export_bytes, write_export
from core.engine.exports.order import ExportOrder
from core.engine.exports.printed import view_report
from core.engine.land_areas import classified_patches, land_areas
from core.engine.library_source import LibrarySource, library_source
from core.engine.operations import Engine
from core.engine.views import SearchView
from core.evaluation.benchmark import BASELINE
from core.progress import silent
from core.scenes.cut import WHOLE_AT_EDGE, Cut
from core.scenes.labels import give_label
from core.scenes.library import Library
from core.scenes.patches import corners_lonlat, patch_grid
from core.scenes.regions.map_region import region_of
from core.scenes.regions.of_interest import keep_area
from core.search.examples import Evidence
from core.values.named.unsure import sure_patches, why_unsure
from tests.scenes import add_scene

HOLE = (slice(20, 52), slice(40, 150))


def holed(root: Path, cut: Cut) -> tuple[LibrarySource, np.ndarray]:
    """A scene of 192 × 256 pixels of 10 m with a hole, half dark and half bright; and which pixels hold data."""
    rng = np.random.default_rng(2)
    pixels = rng.integers(300, 400, (13, 192, 256)).astype(np.uint16)
    pixels[:, 96:] += 3000
    pixels[:, *HOLE] = 0
    mask = np.ones((192, 256), bool)
    mask[HOLE] = False
    scene = add_scene(Library(root), "holed-1", height=192, width=256, pixels=pixels)
    grid = patch_grid(scene, cut)
    half = grid.count // 2
    give_label(scene, grid, list(range(0, half, 2)), "Dark")
    give_label(scene, grid, list(range(half + 1, grid.count, 2)), "Bright")
    engine = Engine(Config(root=root, model_cache=root / "models"), lanes={})
    recipe = engine.recipe(scene, BASELINE, cut=cut)
    engine.encode_now(scene, recipe)
    return library_source(engine, recipe), mask


@pytest.mark.parametrize("cut", [Cut.of(32), Cut.of(32, 16)], ids=["side by side", "overlapping"])
def test_all_hectares_are_those_of_pixels_that_hold_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cut: Cut
) -> None:
    source, mask = holed(tmp_path, cut)
    ids, areas, each = source.table.patch_ids, source.areas(), source.hectares()
    assert areas is not None
    assert each is not None
    pixel = float(areas.whole(ids)[0]) / 32**2 / 1e4
    windows = [source.grid.window(patch) for patch in ids.tolist()]
    np.testing.assert_allclose(
        each, [mask[top : top + 32, left : left + 32].sum() * pixel for top, left, _, _ in windows], rtol=1e-4
    )
    seen = np.zeros_like(mask)
    for top, left, _, _ in windows:
        seen[top : top + 32, left : left + 32] = True
    whole = (seen & mask).sum() * pixel
    assert source.ground(ids) == pytest.approx(whole, rel=1e-4)
    standing = source.standing_hectares()
    assert standing is not None
    assert standing.sum() == pytest.approx(whole, rel=1e-4 if cut.stride == 32 else 0.01)

    said = land_areas(source).to_dict()["said"]
    assert any("Hectares are those of pixels that hold data" in sentence for sentence in said)
    assert ("Ground that several patches show counts once" in said[0]) == (cut.stride == 16)

    path = tmp_path / "c.parquet"
    order = ExportOrder(what="classes", form="parquet", view=SearchView(recipe=source.recipe, evidence=Evidence()))
    write_export(source.engine, order, path)
    table = pq.read_table(path)
    by_id = dict(zip(table["patch_id"].to_pylist(), table["area_ha"].to_pylist(), strict=True))
    np.testing.assert_allclose([by_id[patch] for patch in ids.tolist()], each, rtol=1e-3, atol=1e-4)
    assert main(["sample-design", str(path), "--size", "8", "--out", str(tmp_path / "s.csv"), "--areas",
                 str(tmp_path / "a.csv")]) == 0  # fmt: skip
    assert "Hectares are those of pixels that hold data" in capsys.readouterr().err
    found = source.classified()
    assert found is not None
    assert why_unsure(source, found) is why_unsure(source, found)  # a click asks for each of its pictures
    surer = replace(found, sure_from=0.0, strange=True, heard=None)
    assert (why_unsure(source, surer) == -1).all()
    names = np.where(sure_patches(source, found), np.array(found.classes, object)[found.index], "abstained")
    with (tmp_path / "a.csv").open(newline="") as file:
        written = {row["class"]: float(row["hectares"]) for row in csv.DictReader(file)}
    shown = {name: float(standing[names == name].sum()) for name in sorted(set(names.tolist()))}
    assert written == pytest.approx(shown, rel=1e-3)
    assert {one.name: one.hectares for one in areas_of(read_classified(path))} == pytest.approx(written, abs=1e-3)


def test_a_report_says_what_its_hectares_are_of(tmp_path: Path) -> None:
    source, _ = holed(tmp_path, Cut.of(32))
    order = ExportOrder(what="report", form="html", view=SearchView(recipe=source.recipe, evidence=Evidence()))
    assert "Hectares are those of pixels that hold data" in export_bytes(source, order).decode()


def test_a_scene_cut_by_an_area_has_its_ground_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = Cut.of(48, 32)
    whole, mask = holed(tmp_path, cut)
    scene, engine = whole.scene, whole.engine
    corners = corners_lonlat(scene, whole.grid, np.array([0, whole.grid.count - whole.grid.n_cols + 3]))
    assert corners is not None
    # Some columns of patches: the last one is inside in part.
    (west, north), (east, south) = corners[0, 0], corners[1, 2]
    key = keep_area(scene, region_of(shapely.box(west + 1e-5, south, east - 1e-3, north)))
    recipe = engine.recipe(scene, BASELINE, cut=replace(cut, area=key))
    engine.encode_now(scene, recipe)
    source = library_source(engine, recipe)
    ids = source.table.patch_ids
    assert 0 < len(ids) < len(whole.table)
    each, of_whole = source.hectares(), whole.hectares()
    assert each is not None
    assert of_whole is not None
    np.testing.assert_allclose(each, of_whole[whole.table.positions(ids)])
    seen = np.zeros_like(mask)
    for top, left, size, _ in map(source.grid.window, ids.tolist()):
        seen[top : top + size, left : left + size] = True
    areas = whole.areas()
    assert areas is not None
    pixel = float(areas.whole(whole.table.patch_ids)[0]) / cut.size**2 / 1e4
    ground, standing = (seen & mask).sum() * pixel, source.standing_hectares()
    assert source.ground(ids) == pytest.approx(ground, rel=1e-4)
    assert standing is not None
    assert standing.sum() == pytest.approx(ground, rel=0.03)

    words = ["--encoder", BASELINE, "--patch", str(cut.size), "--step", str(cut.stride), "--only", key]
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path))
    capsys.readouterr()
    assert main(["areas", scene.id, *words]) == 0
    told = json.loads(capsys.readouterr().out)["mapped"]
    assert told == pytest.approx(land_areas(source).mapped)
    assert sum(told.values()) == pytest.approx(standing.sum())
    assert WHOLE_AT_EDGE in land_areas(source).said
    assert WHOLE_AT_EDGE not in land_areas(whole).said
    order = ExportOrder(what="report", form="html", view=SearchView(recipe=recipe, evidence=Evidence()))
    contents = view_report(source, order, progress=silent)
    part = contents.classes
    assert part is not None
    assert WHOLE_AT_EDGE in contents.method
    assert sum(WHOLE_AT_EDGE in note for note in part.notes) == 1
    assert {row[0]: (int(row[1]), row[2]) for row in part.sheet.rows} == {
        name: (count, f"{told[name]:,.0f}") for name, count in counts_of(source).items()
    }


def test_the_mean_of_a_learned_number_is_over_land(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _ = holed(tmp_path, Cut.of(32, 16))
    ids, standing = source.table.patch_ids, source.standing_hectares()
    assert standing is not None
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path))
    path, given, out = (tmp_path / name for name in ("f.parquet", "v.csv", "r.csv"))
    words = ["--encoder", BASELINE, "--patch", "32", "--step", "16", "--out", str(path)]
    assert main(["embed", source.scene.id, *words]) == 0
    # The hole lies in the dark half, whose patches stand for less land.
    dark = source.grid.first_pixels(ids)[:, 0] < 80
    lines = (f"{one},{10 if low else 1}" for one, low in zip(ids.tolist(), dark.tolist(), strict=True))
    given.write_text("\n".join(["patch_id,yield", *lines]) + "\n")
    capsys.readouterr()
    assert main(["regress", str(path), "--values", str(given), "--out", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)["predicted"]
    with out.open(newline="") as file:
        predicted = {int(row["patch_id"]): float(row["predicted"]) for row in csv.DictReader(file)}
    numbers = np.array([predicted[patch] for patch in ids.tolist()])
    assert said["mean_over"] == "hectares"
    assert said["mean_of_all"] == pytest.approx(np.average(numbers, weights=standing), rel=5e-4)
    assert said["mean_of_all"] != pytest.approx(numbers.mean(), rel=0.01)


def counts_of(source: LibrarySource) -> dict[str, int]:
    """How many patches each class of the map has."""
    patches = classified_patches(source)
    assert patches is not None
    return {name: len(rows) for name, rows in patches.strata.items()}
