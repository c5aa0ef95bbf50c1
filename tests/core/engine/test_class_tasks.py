"""Maps of classes by background jobs: heads compared, finer maps, numbers learned; as the engine asks for them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from numpy.typing import NDArray

from core.classification.cells import chance_cells
from core.classification.labelled import land_outlines
from core.classification.maps.choice import CLASS_MAP, MapChoice, load_choice, save_choice
from core.classification.maps.files import map_facts, write_map
from core.classification.maps.patches import head_key, named_patches
from core.classification.numbers.importing import read_numbers
from core.engine import class_tasks
from core.engine.class_map import chosen_head, map_cells_of, version_of_map
from core.engine.library_source import library_source
from core.engine.operations import Engine
from core.errors import EncoderError, SettingsError
from core.features.given import given_recipe
from core.features.recipe import Recipe
from core.imagery.overlay import tile_values
from core.ingest.boundary import ingest
from core.scenes.cut import Cut
from core.scenes.labels import PatchLabels, give_label, hand_labels, hand_version
from core.scenes.patches import PatchGrid, centres_lonlat, patch_grid
from core.scenes.scene import Scene
from core.scenes.webmercator import source_positions, tile_square
from core.values.base import NOTHING_ASKED
from core.values.named.finer import FINER
from core.values.registry import read_address
from tests.core.engine.test_operations import engine, scene
from tests.embeddings import ROWS, centre, plain
from tests.mapped import tile_at

__all__ = ["engine", "scene"]


@pytest.fixture
def recipe(engine: Engine, scene: Scene) -> Recipe:
    """A scene of 80 patches with labels of two classes, by brightness."""
    found = engine.recipe(scene, "spectral", cut=Cut.of(16))
    engine.encode_now(scene, found)
    features = engine.features(found)
    order = np.argsort(features.band_mean.mean(axis=1))
    grid = patch_grid(scene, found.cut)
    give_label(scene, grid, features.patch_ids[order[:20]].tolist(), "Dark")
    give_label(scene, grid, features.patch_ids[order[-20:]].tolist(), "Bright")
    return found


def test_heads_are_taught_measured_and_kept_until_the_labels_change(
    engine: Engine, scene: Scene, recipe: Recipe
) -> None:
    made, version = engine.classifications, hand_version(scene)
    job = engine.jobs.wait(made.submit_heads(recipe, ["knn", "logistic"]).id, 60)
    assert (job.state, job.message) == ("done", version)
    found = made.compared.get(recipe, version, "logistic")
    assert found is not None
    assert found.validation.accuracy.value > 0.8
    assert found.validation.classes == ("Bright", "Dark")
    assert found.head.origin.counts == {"Bright": 20, "Dark": 20}
    assert made.submit_heads(recipe, ["knn"]).state == "done", "what is taught is not taught again"
    given = library_source(engine, recipe).labels.given
    assert given is not None
    give_label(scene, patch_grid(scene, recipe.cut), [int(np.flatnonzero(given.index < 0)[0])], "Dark")
    assert made.compared.get(recipe, hand_version(scene), "knn") is None
    assert made.compared.latest(recipe, "knn") == version
    assert engine.jobs.wait(made.submit_heads(recipe, ["knn"]).id, 60).state == "done"
    assert made.compared.latest(recipe, "knn") == hand_version(scene)
    assert made.compared.latest(recipe, "logistic") == version, "heads of other kinds stay"
    assert engine.disk_bytes(scene.id) > made.compared.disk_bytes(scene.id) > 0


def test_a_label_that_is_given_meanwhile_is_taught_under_its_own_version(
    scene: Scene, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid, read = patch_grid(scene, recipe.cut), class_tasks.hand_labels
    free = np.flatnonzero(library_labels(scene, grid) < 0).tolist()

    def given_meanwhile(scene: Scene, grid: PatchGrid) -> PatchLabels | None:
        found = read(scene, grid)
        if len(free) > 38:
            give_label(scene, grid, [free.pop()], "Dark")
        return found

    monkeypatch.setattr(class_tasks, "hand_labels", given_meanwhile)
    version, given = class_tasks._labels_of_a_moment(scene, grid)
    assert given is not None
    assert version == hand_version(scene)
    np.testing.assert_array_equal(given.index, library_labels(scene, grid))


def library_labels(scene: Scene, grid: PatchGrid) -> NDArray[np.int16]:
    found = hand_labels(scene, grid)
    assert found is not None
    return found.index


def test_labels_of_one_class_are_refused_in_a_sentence(engine: Engine, scene: Scene) -> None:
    recipe = engine.recipe(scene, "spectral", cut=Cut.of(16))
    engine.encode_now(scene, recipe)
    give_label(scene, patch_grid(scene, recipe.cut), [0, 1], "Dark")
    job = engine.jobs.wait(engine.classifications.submit_heads(recipe, ["logistic"]).id, 60)
    assert job.state == "failed"
    assert "all labelled patches are of one class, “Dark”" in job.message


def test_a_finer_map_is_that_of_the_overlapping_patches_encoded_by_themselves(
    engine: Engine, scene: Scene, recipe: Recipe, tmp_path: Path
) -> None:
    save_choice(scene, MapChoice(parts=2, below=0.6, smoothing="majority", strange=True))
    view = library_source(engine, recipe)
    assert map_cells_of(view) is None, "it is made by a job"
    head = chosen_head(view)
    assert head is not None
    cut = view.choice.finer_cut(recipe.cut)
    assert cut == Cut.of(16, 8)
    encoding = engine.submit_encode(replace(recipe, cut=cut))
    job = engine.jobs.wait(engine.classifications.submit_finer(recipe, cut, head, encoding).id, 60)
    assert job.state == "done", job.message
    cells = map_cells_of(view)
    assert cells is not None
    features, grid = engine.features(replace(recipe, cut=cut)), patch_grid(scene, cut)
    plain = chance_cells(scene.grid, grid, features.patch_ids, head.chances(features.vectors))
    assert cells.place == plain.place
    kept = engine.classifications.finer_map(recipe, cut, head_key(head))
    assert kept is not None
    assert kept.chances == pytest.approx(plain.chances, abs=1e-3)
    path = tmp_path / "map.tif"
    write_map(path, cells, grid, head.classes, 0.6, about=map_facts(view.choice, grid, "labels"))
    with rasterio.open(path) as data:
        assert data.res == (80.0, 80.0)
        tags = data.tags()
    assert tags["SMOOTHING"].startswith("smoothed: the class that most")
    assert tags["UNSURE_BELOW"] == "60 %"
    assert tags["UNFAMILIAR_LAND"] == "named too"


def test_a_finer_map_colours_plot_and_map_and_says_who_made_it_when(
    engine: Engine, scene: Scene, recipe: Recipe
) -> None:
    save_choice(scene, MapChoice(parts=2, below=0.6, strange=True))
    view = library_source(engine, recipe)
    assert not FINER.available(view, NOTHING_ASKED), "it is made by a job"
    head, cut = chosen_head(view), view.choice.finer_cut(recipe.cut)
    assert head is not None
    assert cut is not None
    engine.encode_now(scene, replace(recipe, cut=cut))
    engine.jobs.wait(engine.classifications.submit_finer(recipe, cut, head, None).id, 60)
    assert FINER.available(view, NOTHING_ASKED)
    made, cells = map_cells_of(view), FINER.cells(view, NOTHING_ASKED)
    assert made is not None
    assert cells is not None
    assert (cells.side, cells.ends) == (8, (128, 160))
    wanted = np.where(made.abstained(0.6), len(head.names), made.index)
    np.testing.assert_array_equal(cells.values, wanted)
    values = view.values(FINER, NOTHING_ASKED)
    assert values is not None
    for row, patch in enumerate(view.table.patch_ids.tolist()):
        top, left, _, _ = view.grid.window(patch)
        here = np.bincount(wanted[top // 8 : top // 8 + 2, left // 8 : left // 8 + 2].ravel(), minlength=3)
        assert here[int(values[row])] == here.max()
    today = f"{datetime.now(UTC):%d\xa0%B\xa0%Y}".lstrip("0")
    assert FINER.about_of(view) == f"Cells of 80 m, by logistic regression on labels by hand; made on {today}"
    found = read_address(FINER.address(view, NOTHING_ASKED))
    assert found is not None
    assert FINER.cells(view, found[1]) is not None
    lon, lat = centres_lonlat(scene, view.grid, np.array([33]))[0]  # type: ignore[index]
    square = tile_square(15, *tile_at(lon, lat, 15))
    seen = tile_values(scene, square, cells.values, cells.side, cells.ends)
    assert seen is not None
    rows, cols = source_positions(scene.grid, *square.centres((0, 256, 0, 256)))
    inside = (rows >= 0) & (rows < 128) & (cols >= 0) & (cols < 160)
    assert inside.sum() > 1000
    np.testing.assert_array_equal(np.isfinite(seen), inside)
    np.testing.assert_array_equal(
        seen[inside], wanted[rows[inside].astype(int) // 8, cols[inside].astype(int) // 8]
    )  # fmt: skip
    save_choice(scene, MapChoice(below=0.6))
    assert not FINER.available(library_source(engine, recipe), NOTHING_ASKED)


def test_how_a_map_is_wanted_is_kept_with_the_scene_and_tells_its_version(
    engine: Engine, scene: Scene, recipe: Recipe
) -> None:
    assert load_choice(scene) == MapChoice()
    before = library_source(engine, recipe)
    assert version_of_map(before) == hand_version(scene), "as the version before called it"
    save_choice(scene, MapChoice(below=0.9))
    after = library_source(engine, recipe)
    assert version_of_map(after) not in {"", hand_version(scene)}
    first, second = before.classified(), after.classified()
    assert first is not None
    assert second is not None
    assert (first.index == second.index).all()
    assert second.sure.sum() < first.sure.sum()
    (scene.directory / CLASS_MAP).write_text('{"version": 1, "map": {"head": 3}}')
    assert load_choice(scene) == MapChoice()
    for wrong in ({"head": "magic"}, {"below": float("nan")}, {"parts": 3}, {"smoothing": "much"}):
        with pytest.raises(SettingsError):
            MapChoice(**wrong)  # type: ignore[arg-type]


def test_a_saved_head_maps_a_scene_without_labels_and_is_refused_where_it_does_not_fit(
    engine: Engine, scene: Scene, recipe: Recipe
) -> None:
    head = chosen_head(library_source(engine, recipe))
    assert head is not None
    name = engine.classifications.saved.save(head, "Two lands")
    save_choice(scene, MapChoice(head=f"saved-{name}"))
    known = library_source(engine, recipe)
    found = known.classified()
    assert found is not None
    table = known.table
    again = named_patches(head, table.unit, MapChoice(), key="", grid=known.grid, ids=table.patch_ids)
    assert (found.index == again.index).all()
    other = replace(head, origin=replace(head.origin, fingerprint="cd" * 32))
    save_choice(scene, MapChoice(head=f"saved-{engine.classifications.saved.save(other, 'Other')}"))
    elsewhere = library_source(engine, recipe)
    assert elsewhere.classified() is None
    with pytest.raises(EncoderError, match="these are of another encoder"):
        chosen_head(elsewhere)
    engine.classifications.saved.delete(name)
    save_choice(scene, MapChoice(head=f"saved-{name}"))
    assert library_source(engine, recipe).classified() is None


@pytest.mark.usefixtures("shapes_here")
def test_numbers_and_labels_of_vectors_of_points_are_those_of_the_command(engine: Engine, tmp_path: Path) -> None:
    points: list[shapely.Geometry] = [shapely.Point(*centre(row)) for row in range(ROWS)]
    scene = ingest([plain(tmp_path / "f.parquet", shapes=points)], engine.library)
    recipe = given_recipe(scene)
    engine.encode_now(scene, recipe)
    rows, ids = list(range(0, ROWS, 2)), engine.features(recipe).patch_ids
    # Each holds its point at its very edge, and little of what is drawn around it.
    land = [shapely.box(x - 1e-4, y - 1e-4, x + 1e-6, y + 1e-6) for x, y in (centre(row) for row in rows)]
    path = engine.config.root / "uploads" / "upload-p" / "V.geojson"
    path.parent.mkdir(parents=True)
    features = [
        {"type": "Feature", "properties": {"yield": row + 0.5}, "geometry": json.loads(shapely.to_geojson(shape))}
        for row, shape in zip(rows, land, strict=True)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    told = read_numbers(path, ids, np.array(points, dtype=object), column="yield")
    assert dict(told.values) == {row: row + 0.5 for row in rows}
    sharing = land_outlines(scene, patch_grid(scene), ids)
    assert shapely.distance(sharing, np.array(points, dtype=object)).max() < 1e-9
    job = engine.jobs.wait(engine.classifications.submit_numbers(recipe, path, "yield").id, 60)
    assert job.state == "done", job.message
    learned = engine.classifications.numbers.get(recipe)
    assert learned is not None
    assert dict(zip(learned.model.patch_ids.tolist(), learned.model.actual.tolist(), strict=True)) == told.values


def test_a_number_is_learned_from_an_upload_which_goes_and_a_wrong_one_loses_nothing(
    engine: Engine, scene: Scene, recipe: Recipe
) -> None:
    features = engine.features(recipe)
    bright = features.band_mean.mean(axis=1)

    def upload(name: str, lines: list[str]) -> Path:
        folder = engine.config.root / "uploads" / f"upload-{name}"
        folder.mkdir(parents=True)
        path = folder / "V.csv"
        path.write_text("patch_id,yield\n" + "\n".join(lines))
        return path

    lines = [f"{one},{10 * value:.6f}" for one, value in zip(features.patch_ids, bright, strict=True)][::2]
    path = upload("a", lines)
    job = engine.jobs.wait(engine.classifications.submit_numbers(recipe, path, "").id, 60)
    assert job.state == "done", job.message
    assert not path.exists()
    found = library_source(engine, recipe).learned()
    assert found is not None
    assert found.title == "yield"
    assert np.corrcoef(found.predicted, bright)[0, 1] > 0.7
    job = engine.jobs.wait(engine.classifications.submit_numbers(recipe, upload("b", lines[:5]), "").id, 60)
    assert job.state == "failed"
    assert "5 patches of the scene have a number" in job.message
    again = library_source(engine, recipe).learned()
    assert again is not None
    assert again.version == found.version
