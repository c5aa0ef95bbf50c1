"""The Classify page without a browser: cold, with labels of one class and of two, judging, and files."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import rasterio
from streamlit.testing.v1 import AppTest

from core.__main__ import main
from core.classification.areas.judgements import load_sample, save_sample
from core.classification.maps.choice import MapChoice, load_choice, save_choice
from core.encoders.registry import SPECTRAL
from core.engine.class_map import head_or_none, taught_by_labels
from core.engine.exports.classified import classified_zip, map_classes
from core.engine.land_areas import sample_here
from core.engine.operations import Engine
from core.features.recipe import Recipe
from core.scenes.given.annotations import read_annotations
from core.scenes.labels import give_label, hand_labels
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from core.values.base import NOTHING_ASKED, Asked
from core.values.named.classified import CERTAINTY, CLASSIFIED
from pages.ui.classify.acts import leave, take, undo
from pages.ui.classify.files import class_order
from pages.ui.classify.labeller import SEEN, suggested, surroundings
from pages.ui.classify.offered import offered, usual_scheme
from pages.ui.classify.picture import classes_of_map
from pages.ui.state import cache
from pages.ui.state.session import Session
from tests.pages.conftest import encode, small_scene, visit
from tests.pages.ui.classify.conftest import opened, words


def label(scene: Scene, ids: list[int], name: str) -> None:
    give_label(scene, patch_grid(scene), ids, name)


def label_two(scene: Scene) -> None:
    """Dark columns are water, bright ones crops; the columns between have no label."""
    label(scene, [row * 7 + col for row in range(6) for col in (0, 1)], "Water")
    label(scene, [row * 7 + col for row in range(6) for col in (5, 6)], "Crops")


def data_of(app: AppTest, name: str) -> dict[str, object]:
    for element in app.get("bidi_component"):
        if element.proto.component_name == name:
            found: dict[str, object] = json.loads(element.proto.json)
            return found
    raise AssertionError(f"{name} is not on the page")


def test_a_scene_that_is_not_encoded_is_encoded_first(engine: Engine, scene: Scene) -> None:
    app = opened(scene)
    assert not app.exception
    assert [job.kind for job in engine.jobs.jobs()] == ["encode"]


def test_its_address_leads_to_the_same_scene_after_a_newer_one_came(
    engine: Engine, recipe: Recipe, scene: Scene
) -> None:
    app = opened(scene)
    small_scene(engine, "small-9", created="2099-01-01T00:00:00+00:00")
    address = {name: one[0] if isinstance(one, list) else one for name, one in app.query_params.items()}
    assert address["scene"] == scene.id
    for page in ("classify.py", "open.py", "models.py"):
        again = visit(**address).switch_page(page).run()
        assert again.query_params["scene"] in (scene.id, [scene.id])
        assert again.selectbox(key="scene").value == scene.id


def test_without_labels_it_asks_for_two_classes_of_a_scheme_of_the_field(recipe: Recipe, scene: Scene) -> None:
    app = opened(scene)
    assert not app.exception
    assert "at least two classes" in words(app)
    shown = data_of(app, "landlike_labeller")
    assert [one["title"] for one in shown["classes"]][:2] == ["Water", "Trees"]  # type: ignore[attr-defined]
    assert shown["patch"] is not None
    assert (len(shown["pictures"]), shown["words"]["title"]) == (9, SEEN)  # type: ignore[arg-type,index]
    label(scene, [0, 1], "Water")
    assert "at least two classes" in words(app.run())


def test_labels_of_two_classes_give_all_patches_one(recipe: Recipe, scene: Scene) -> None:
    label_two(scene)
    app = opened(scene)
    assert not app.exception
    assert not app.error
    assert app.metric[0].value == "24"
    known = cache.scene_view(recipe, scene)
    numbers = known.values(CLASSIFIED, NOTHING_ASKED)
    assert numbers is not None
    legend = CLASSIFIED.legend_of(known, numbers, NOTHING_ASKED)
    named = np.array(legend.names)[numbers.astype(int)].reshape(6, 7)
    assert (named[:, :2] == "Water").all()
    assert (named[:, 5:] == "Crops").all()
    assert known.values(CERTAINTY, NOTHING_ASKED) is not None
    address = CLASSIFIED.address(known, NOTHING_ASKED)
    assert CLASSIFIED.read(address.partition("-")[2]) == Asked(version=known.labels.version)
    old = Asked(version="0" * 16)
    assert CLASSIFIED.compute(known, old) is None, "labels of another version are no longer known"
    assert app.button(key="classify_show").label == "Show it on Explore"


def test_a_label_is_that_of_the_explore_page_with_its_colour_and_is_taken_back(recipe: Recipe, scene: Scene) -> None:
    visitor, known = Session(scene_id=scene.id), cache.scene_view(recipe, scene)
    take(visitor, known, 3, "Trees", offered(known))
    given = hand_labels(scene, patch_grid(scene))
    assert given is not None
    assert given.classes[given.index[3]] == "Trees"
    assert read_annotations(scene).colours == {"Trees": "#397D49"}
    now = cache.scene_view(recipe, scene)
    assert usual_scheme(now) == "dynamicworld"
    undo(now, visitor.tell)
    assert hand_labels(scene, patch_grid(scene)) is None
    assert "Taken back" in visitor.classified


def test_what_was_passed_over_or_labelled_is_not_asked_again(recipe: Recipe, scene: Scene) -> None:
    visitor, known = Session(scene_id=scene.id), cache.scene_view(recipe, scene)
    first = suggested(visitor, known)[0]
    leave(visitor, first)
    second = suggested(visitor, known)[0]
    assert second != first
    label(scene, [second], "Water")
    assert not {first, second} & set(suggested(visitor, cache.scene_view(recipe, scene)))
    visitor.desk.at_random = True
    assert not {first, second} & set(suggested(visitor, cache.scene_view(recipe, scene)))


def test_a_patch_is_shown_in_its_surroundings_which_end_with_the_scene(scene: Scene) -> None:
    grid = patch_grid(scene)
    assert surroundings(grid, 0, alone=False) == [None, None, None, None, 0, 1, None, 7, 8]
    assert surroundings(grid, 8, alone=True) == [None, None, None, None, 8, None, None, None, None]


def test_a_sample_is_drawn_judged_without_the_map_and_gives_areas_with_intervals(recipe: Recipe, scene: Scene) -> None:
    label_two(scene)
    app = opened(scene)
    assert "Mapped area, not an estimate" in words(app)
    app.selectbox(key="classify_size").set_value(50)
    app.button(key="classify_draw").click().run()
    assert not app.exception
    assert "What the map says is not shown" in words(app)
    asked = data_of(app, "landlike_labeller")
    assert all(one["count"] == 0 for one in asked["classes"])  # type: ignore[attr-defined]
    known = cache.scene_view(recipe, scene)
    sample = sample_here(known)
    assert sample is not None
    assert len(sample.patches) == 42, "a sample of more patches than there are is all of them"
    for one in sample.patches:
        sample = sample.with_reference(one.patch, "Water" if one.patch % 7 < 3 else "Crops")
    save_sample(scene, sample)
    app.run()
    assert "All patches of the sample are judged" in json.dumps(data_of(app, "landlike_labeller"))
    app.button(key="judge_back").click().run()
    assert "Overall accuracy" in words(app)
    label(scene, [2], "Water")
    assert "map changed since the sample was drawn" in words(app.run())
    app.button(key="classify_redraw").click().run()
    assert load_sample(scene, recipe.cut.key) is None


def test_the_map_opens_elsewhere_with_classes_colours_and_confidence(
    recipe: Recipe, scene: Scene, tmp_path: Path
) -> None:
    visitor = Session(scene_id=scene.id)
    empty = cache.scene_view(recipe, scene)
    for patch, name in ((0, "Water"), (6, "Crops")):
        take(visitor, empty, patch, name, offered(empty))
    label_two(scene)
    known = cache.scene_view(recipe, scene)
    classes = classes_of_map(known, offered(known))
    head = head_or_none(known)
    assert head is not None
    assert map_classes(known, head) == list(classes)
    with zipfile.ZipFile(io.BytesIO(classified_zip(known, class_order(known, "class-map", "zip")))) as archive:
        assert {Path(name).suffix for name in archive.namelist()} == {".tif", ".qml", ".xml"}
        archive.extractall(tmp_path / "out")
    with rasterio.open(tmp_path / "out" / f"class-map-{scene.id}.tif") as data:
        assert data.read(1)[0, 0] == 0, "water in Dynamic World"
        assert data.colormap(1)[0][:3] == (0x41, 0x9B, 0xDF)
        assert data.read(2)[0, 0] > 50


def test_the_truth_of_a_scene_stands_beside(engine: Engine) -> None:
    scene = small_scene(engine)
    encode(engine, scene, SPECTRAL)
    label(scene, [0, 7, 14, 21], "Forest")
    label(scene, [1, 8, 15, 22], "River")
    app = opened(scene)
    assert not app.exception
    assert "By the scene's own truth" in words(app).replace("&#39;", "'")


def test_the_map_follows_how_it_is_wanted_and_says_what_that_leaves(recipe: Recipe, scene: Scene) -> None:
    label_two(scene)
    app = opened(scene)
    assert "have a class" in words(app)
    app.slider(key="map_below").set_value(95).run()
    assert load_choice(scene) == MapChoice(below=0.95)
    known = cache.scene_view(recipe, scene)
    found = known.classified()
    assert found is not None
    assert f"{int((found.confidence < 0.95).sum())} below 95" in words(app).replace("&#37;", "%")
    app.segmented_control(key="map_smoothing").set_value("majority").run()
    assert "Smoothed: the class that most" in words(app)
    app.selectbox(key="map_head").set_value("knn").run()
    assert not app.exception
    assert load_choice(scene).head == "knn"
    assert CLASSIFIED.address(cache.scene_view(recipe, scene), NOTHING_ASKED) != f"classified-{known.labels.version}"


def test_a_head_that_is_gone_or_does_not_fit_is_told_and_labels_make_the_map_again(
    engine: Engine, recipe: Recipe, scene: Scene
) -> None:
    label_two(scene)
    taught = cache.scene_view(recipe, scene).taught()
    assert taught is not None
    other = replace(taught.head, origin=replace(taught.head.origin, fingerprint="0" * 64))
    name = engine.classifications.saved.save(other, "Elsewhere")
    save_choice(scene, MapChoice(head=f"saved-{name}"))
    app = opened(scene)
    assert "these are of another encoder" in app.error[0].value
    engine.classifications.saved.delete(name)
    assert "there is no elsewhere" in app.run().error[0].value
    app.selectbox(key="map_head").set_value("logistic").run()
    assert not app.error
    assert "have a class" in words(app)


def test_heads_are_compared_on_the_same_land_by_a_job(engine: Engine, recipe: Recipe, scene: Scene) -> None:
    label_two(scene)
    app = opened(scene)
    app.button(key="map_compare").click().run()
    assert [job.kind for job in engine.jobs.jobs()] == ["heads"]
    known = cache.scene_view(recipe, scene)
    for kind in ("logistic", "knn"):
        found = taught_by_labels(known, kind)  # type: ignore[arg-type]
        assert found is not None
        engine.classifications.compared.put(recipe, known.labels.version, found)
    table = "".join(one.proto.body for one in opened(scene).get("html"))
    assert "Nearest neighbours" in table
    assert "100 %" in table


def test_page_and_command_write_the_same_map(recipe: Recipe, scene: Scene, tmp_path: Path) -> None:
    label_two(scene)
    for patch, name, colour in ((0, "Water", "#419BDF"), (6, "Crops", "#E49635")):
        give_label(scene, patch_grid(scene), [patch], name, colour=colour)  # As the page gives them.
    save_choice(scene, MapChoice(below=0.6, smoothing="majority"))
    known = cache.scene_view(recipe, scene)
    with zipfile.ZipFile(io.BytesIO(classified_zip(known, class_order(known, "class-map", "zip")))) as archive:
        archive.extractall(tmp_path / "page")
    [made] = (tmp_path / "page").glob("*.tif")
    given = known.labels.given
    assert given is not None
    lines = [f"{patch},{given.classes[number]}" for patch, number in enumerate(given.index.tolist()) if number >= 0]
    (tmp_path / "L.csv").write_text("\n".join(["patch_id,label", *lines]))
    file, out = str(tmp_path / "F.parquet"), str(tmp_path / "C.tif")
    assert main(["embed", scene.id, "--encoder", SPECTRAL, "--out", file]) == 0
    asked = ["--labels", str(tmp_path / "L.csv"), "--abstain", "0.6", "--smooth", "majority", "--out", out]
    assert main(["classify", file, *asked]) == 0
    with rasterio.open(out) as ours, rasterio.open(made) as page:
        assert ours.profile == page.profile
        names = [{code: colour for code, colour in one.colormap(1).items() if code != 0} for one in (ours, page)]
        assert names[0] == names[1]
        assert (ours.read(1) == page.read(1)).all()
        assert np.abs(ours.read(2).astype(int) - page.read(2)).max() <= 1
        assert {**ours.tags(), "CLASSES_BY": ""} == {**page.tags(), "CLASSES_BY": ""}
