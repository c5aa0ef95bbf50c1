"""Classes on the page: schemes chosen, classes added, keys, and that all of it survives a reload and is undone."""

from __future__ import annotations

from core.classification.scene_scheme import KeptSchemes, choose_scheme, scheme_of_scene
from core.classification.schemes import SCHEMES, LandClass, own_scheme
from core.engine.operations import Engine
from core.features.recipe import Recipe
from core.scenes.given.history import undo_labels
from core.scenes.labels import give_label
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from pages.ui.classify.acts import give_class, label_each
from pages.ui.classify.classes import keys
from pages.ui.classify.offered import offered
from pages.ui.state import cache
from pages.ui.state.session import Session
from tests.pages.ui.classify.conftest import opened, words


def names(scene: Scene, recipe: Recipe) -> list[str]:
    return [one.name for one in offered(cache.scene_view(recipe, scene))]


def test_a_scheme_and_a_class_more_are_there_after_a_reload_and_are_undone(recipe: Recipe, scene: Scene) -> None:
    app = opened(scene)
    app.selectbox(key="scheme").set_value("corine1").run()
    app.text_input(key="classify_new").set_value("  Peat   bog ").run()
    assert not app.exception
    assert "Class “Peat bog” is there" in words(app)
    assert app.text_input(key="classify_new").value == ""
    again = opened(scene)
    assert names(scene, recipe)[-2:] == ["Water bodies", "Peat bog"]
    assert again.selectbox(key="scheme").value == "here"
    again.button(key="classify_undo").click().run()
    assert names(scene, recipe)[-1] == "Water bodies"
    again.button(key="classify_undo").click().run()
    assert names(scene, recipe)[0] == "Water"
    again.button(key="classify_redo").click().run()
    assert names(scene, recipe)[0] == "Artificial surfaces"
    again.text_input(key="classify_new").set_value("water bodies").run()
    assert "there is a class “Water bodies” already" in words(again).replace("&#59;", ";")


def test_schemes_that_were_kept_are_on_offer_and_labels_of_others_stay(
    engine: Engine, recipe: Recipe, scene: Scene
) -> None:
    KeptSchemes(engine.config.root).save(own_scheme(["Fen", "<i>Bog</i>"], ["#112233", ""], title="Mires"))
    give_label(scene, patch_grid(scene), [1], "Trees")
    app = opened(scene)
    app.selectbox(key="scheme").set_value("kept-mires").run()
    assert not app.exception
    assert names(scene, recipe) == ["Fen", "<i>Bog</i>", "Trees"]
    assert offered(cache.scene_view(recipe, scene))[0].colour == "#112233"
    stored = scheme_of_scene(scene)
    assert stored is not None
    assert stored.title == "Mires"


def test_keys_are_those_of_the_scheme_and_else_free_ones() -> None:
    some = [("Fen", "f"), ("Bog", ""), ("Reed", "1"), ("Wood", "")]
    classes = tuple(LandClass(code=at, name=name, colour="#000000", key=key) for at, (name, key) in enumerate(some))
    assert keys(classes) == {"Fen": "f", "Bog": "2", "Reed": "1", "Wood": "3"}
    many = tuple(LandClass(code=at, name=str(at), colour="#000000") for at in range(30))
    assert len(keys(many)) == 20
    assert len(set(keys(many).values())) == 20


def test_the_dialog_of_classes_has_a_row_a_class(recipe: Recipe, scene: Scene) -> None:
    choose_scheme(scene, SCHEMES["dynamicworld"])
    give_label(scene, patch_grid(scene), [1], "Peat")
    app = opened(scene)
    app.button(key="classify_edit").click().run()
    assert not app.exception
    assert [app.text_input(key=f"scheme_name_{at}").value for at in (0, 9)] == ["Water", "Peat"]
    assert app.number_input(key="scheme_code_0").value == 0
    assert app.text_input(key="scheme_key_9").value == "0"


def test_classes_stay_in_their_places_when_labels_of_others_come(recipe: Recipe, scene: Scene) -> None:
    before, known = names(scene, recipe), cache.scene_view(recipe, scene)
    visitor = Session(scene_id=scene.id)
    assert label_each(visitor, known, {1: "Fen", 2: "Trees"}, offered(known), view="L.csv", said="")
    assert names(scene, recipe) == [*before, "Fen"]
    undo_labels(scene)
    assert scheme_of_scene(scene) is None
    assert give_class(visitor, known, [3], "Trees", offered(known), view="table")
    assert names(scene, recipe) == before
