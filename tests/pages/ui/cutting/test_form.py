"""The form for cutting: what it says before anything begins, what it begins, and going from one cut to another."""

from __future__ import annotations

import html
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import shapely
from streamlit.testing.v1 import AppTest

from core.encoders.registry import default_encoder
from core.engine.operations import Engine
from core.features.recipe import Recipe
from core.scenes.cut import Cut
from core.scenes.labels import give_label, hand_labels
from core.scenes.location import bounds_lonlat
from core.scenes.patches import PatchGrid, patch_grid
from core.scenes.regions.map_region import MapRegion
from core.scenes.regions.of_interest import keep_area, kept_areas, patches_in_area
from core.scenes.scene import Scene
from core.search.conditions import AreaCondition
from core.search.filters import Filters
from pages.ui.common.cuts import area_words, cut_title, length
from pages.ui.cutting.form import UNASKED
from pages.ui.cutting.preview import edge_words, grid_svg
from pages.ui.state.cut_draft import METRES, PIXELS, CutDraft
from tests.pages.conftest import encode, small_scene, visit
from tests.scenes import add_scene

SVG = "{http://www.w3.org/2000/svg}"


def encode_by(engine: Engine, scene: Scene, cut: Cut) -> Recipe:
    return encode(engine, scene, cut=cut)


def said(app: AppTest) -> str:
    assert not app.exception
    kinds = (app.markdown, app.error, app.warning, app.info, app.caption)
    words = [element.value for kind in kinds for element in kind] + [element.proto.body for element in app.get("html")]
    return html.unescape("\n".join(words))


def form(app: AppTest) -> AppTest:
    return app.button(key="cut_open").click().run()


def encodings(engine: Engine) -> list[str]:
    return [job.kind for job in engine.jobs.jobs() if job.kind == "encode"]


def test_the_page_says_how_large_patches_are_and_the_form_what_there_is(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = visit()
    assert app.button(key="cut_open").label == "Patches 640 m"
    assert "cut" not in [radio.key for radio in app.radio], "one way of cutting is no choice"
    form(app)
    words = said(app)
    assert "Patches of Small scene" in words
    assert "**640 m** · 42 patches" in words
    assert "**42 patches**, encoded already" in words
    assert "640 m are 64 pixels." in words
    app.button(key="cut_back").click().run()
    assert "**42 patches** of Small scene" in said(app)


def test_count_time_and_disk_come_before_the_start(engine: Engine) -> None:
    scene = small_scene(engine)
    encode(engine, scene)
    app = form(visit())
    app.number_input(key="cut_size").set_value(325).run()
    words = said(app)
    assert "325 m become 32 pixels of 10 m, 320 m." in words
    assert "**168 patches**" in words
    assert "MB on disk" in words or "kB on disk" in words
    assert encodings(engine) == []
    app.button(key="cut_start").click().run()
    assert encodings(engine) == ["encode"]
    assert "**Small scene** is being read patch by patch" in said(app)
    assert app.query_params["cut"] == "32-32"


def test_encoding_that_was_stopped_goes_on_by_one_click(engine: Engine) -> None:
    scene = small_scene(engine)
    encode(engine, scene)
    key = engine.recipe(scene, default_encoder(), cut=Cut.of(32)).key
    app = form(visit())
    app.number_input(key="cut_size").set_value(320).run()
    app.button(key="cut_start").click().run()
    app.button(key=f"stop_{key}").click().run()
    app.run()
    assert [job.state for job in engine.jobs.jobs() if job.kind == "encode"] == ["cancelled"]
    assert "**Small scene** is not encoded yet." in said(app)
    assert "opens by itself" not in said(app)
    app.button(key=f"again_{key}").click().run()
    assert [job.state for job in engine.jobs.jobs() if job.kind == "encode"] == ["queued"]


def test_a_time_that_is_not_known_is_not_made_up(engine: Engine) -> None:
    small_scene(engine)
    encode(engine, small_scene(engine, "other-1"), "spectral")
    app = form(visit(scene="small-1"))
    assert "how long is not known yet, as Landlike 2 has encoded nothing here" in said(app)


@pytest.mark.slow
def test_a_link_leads_to_its_cut_and_begins_nothing_unasked(engine: Engine) -> None:
    scene = small_scene(engine)
    encode(engine, scene)
    asked = visit(scene=scene.id, cut="100-100c")
    assert UNASKED in said(asked)
    assert encodings(engine) == []
    assert [button for button in asked.button if button.key == "cut_back"] == [], "there is nothing to go back to"
    encode_by(engine, scene, Cut.of(100, edge="cover"))
    app = visit(scene=scene.id, cut="100-100c", q="3")
    assert "** most like patch 3 (" in said(app)
    assert ") of 20 · click another" in said(app)
    assert app.query_params["cut"] == "100-100c"
    assert app.button(key="cut_open").label == "Patches 1 km"


@pytest.mark.parametrize("cut", ["64-64", "64-65"])
def test_the_usual_cut_and_what_is_none_leave_links_as_they_were(engine: Engine, cut: str) -> None:
    encode(engine, small_scene(engine))
    app = visit(scene="small-1", cut=cut)
    assert "**42 patches** of Small scene" in said(app)
    assert "cut" not in app.query_params


@pytest.mark.slow
def test_one_click_goes_to_another_cut_and_the_query_stays_at_its_place(engine: Engine) -> None:
    scene = small_scene(engine)
    encode(engine, scene)
    encode_by(engine, scene, Cut.of(32))
    app = visit(scene=scene.id, q="16")
    assert app.radio(key="cut").options == ["640 m", "320 m"]
    app.radio(key="cut").set_value("32-32").run()
    # Patch 16 of 7 columns lies in row 2, column 2; its middle is where row 5, column 5 of 14 begins.
    assert f"most like patch {5 * 14 + 5}" in said(app)
    assert (app.query_params["cut"], app.query_params["q"]) == ("32-32", "75")
    app.radio(key="cut").set_value("64-64").run()
    assert "most like patch 16" in said(app)


@pytest.mark.slow
def test_a_cut_can_be_deleted(engine: Engine) -> None:
    scene = small_scene(engine)
    kept, gone = encode(engine, scene), encode_by(engine, scene, Cut.of(32))
    app = form(visit(scene=scene.id, cut="32-32"))
    app.button(key="cut_sure_32-32").click().run()
    assert engine.encoded(kept)
    assert not engine.encoded(gone)
    assert [job.kind for job in engine.jobs.jobs() if job.kind.startswith("delete")] == ["delete_features"]
    assert "320 m** ·" not in said(app)


def test_pictures_of_a_collection_are_not_cut(engine: Engine) -> None:
    scene = small_scene(engine)
    (scene.directory / "scene.json").write_text(
        replace(scene, kind="collection", patch_size=64, grid=replace(scene.grid, crs=None)).to_json()
    )
    app = visit()
    assert app.button(key="cut_open").label == "Patches 64 px"
    form(app)
    assert "64 pixels a side, as they came" in said(app)
    assert not app.number_input


def test_a_scene_without_a_place_is_cut_in_pixels(engine: Engine) -> None:
    small_scene(engine, crs=None)
    app = visit()
    assert app.button(key="cut_open").label == "Patches 64 px"
    form(app)
    assert "How large a pixel is on the ground is not known." in said(app)
    assert app.number_input(key="cut_size").label == "Size, pixels a side"
    app.number_input(key="cut_size").set_value(48).run()
    assert "**72 patches**" in said(app)
    app.number_input(key="cut_size").set_value(50).run()
    assert "Shaded: 48 px at the right edge and 34 px at the lower edge lie in no patch." in said(app)


def test_a_scene_smaller_than_a_patch_asks_for_smaller_ones(engine: Engine) -> None:
    add_scene(engine.library, "tiny-1", height=50, width=70, name="Tiny")
    app = visit(scene="tiny-1")
    assert "smaller than one patch of 64 × 64" in said(app)
    assert app.number_input(key="cut_size").value == 480
    assert "**1 patch**" in said(app)
    app.button(key="cut_start").click().run()
    assert encodings(engine) == ["encode"]


@pytest.mark.slow
def test_too_many_patches_are_refused_in_a_sentence(engine: Engine) -> None:
    add_scene(engine.library, "wide-1", height=640, width=640, bands=("B02", "B03", "B04"))
    app = form(visit(scene="wide-1"))
    app.number_input(key="cut_size").set_value(80).run()
    app.number_input(key="cut_step").set_value(10).run()
    assert "80 m are 8 pixels; 10 m are 1 pixel." in said(app)
    assert "400,689 patches are more than the 250,000 that can be explored at once" in said(app)
    assert not [button for button in app.button if button.key == "cut_start"]


def test_sizes_out_of_range_are_refused_in_a_sentence(engine: Engine) -> None:
    encode(engine, small_scene(engine))
    app = form(visit())
    app.number_input(key="cut_size").set_value(20).run()
    assert "Choose 8 to 512 pixels a side, here 80 m to 5.12 km; and a patch every" in said(app)
    assert "stride" not in said(app)


@pytest.mark.slow
def test_labels_of_another_cut_are_told_of_and_carried_over(engine: Engine) -> None:
    scene = small_scene(engine)
    encode(engine, scene)
    give_label(scene, patch_grid(scene), [0, 1], "Reed")
    encode_by(engine, scene, Cut.of(32))
    app = visit(scene=scene.id, cut="32-32")
    assert "2 labels of this scene are of patches cut otherwise." in said(app)
    app.button(key="label_carry").click().run()
    assert "8 patches labelled as those cut otherwise at the same place" in said(app)
    found = hand_labels(scene, patch_grid(scene, Cut.of(32)))
    assert found is not None
    assert (found.index >= 0).nonzero()[0].tolist() == [0, 1, 2, 3, 14, 15, 16, 17]


@pytest.mark.parametrize(
    ("cut", "title"),
    [(Cut.of(64), "640 m"), (Cut.of(64, 32), "640 m every 320 m"), (Cut.of(128, edge="cover"), "1.28 km, edge covered"),
     (Cut.of(64, least_valid=0.25), "640 m, 25 % valid")],
)  # fmt: skip
def test_cuts_have_titles(cut: Cut, title: str) -> None:
    assert cut_title(cut, 10.0) == title
    assert cut_title(Cut.of(64, 32), None) == "64 px every 32 px"
    assert length(8, 0.5) == "4.0 m"


def test_the_form_turns_from_metres_to_pixels_and_back() -> None:
    draft = CutDraft.of(Cut(50, 30, "cover", 0.25), 10.0, METRES)
    assert (draft.unit, draft.size, draft.step) == (METRES, 500, 300)
    draft.turn(PIXELS, 10.0)
    assert (draft.unit, draft.size, draft.step) == (PIXELS, 50, 30)
    draft.turn(METRES, 10.0)
    assert draft.cut(10.0) == Cut(50, 30, "cover", 0.25)


def test_patches_side_by_side_stay_so_when_they_grow() -> None:
    draft = CutDraft()
    draft.resize(100)
    assert (draft.size, draft.step) == (100, 100)
    draft.step = 50
    draft.resize(120)
    assert (draft.size, draft.step) == (120, 50)
    draft.resize(40)
    assert (draft.size, draft.step) == (40, 40)


def shapes(svg: str, name: str) -> list[tuple[int, int, int, int]]:
    found = [one for one in ElementTree.fromstring(svg).iter(f"{SVG}rect") if one.get("class") == name]
    return [tuple(int(one.get(side, "")) for side in ("x", "y", "width", "height")) for one in found]  # type: ignore[misc]


def test_the_preview_shades_just_what_no_patch_covers() -> None:
    grid = PatchGrid(height=200, width=300, cut=Cut.of(64))
    assert shapes(grid_svg(grid), "left-over") == [(256, 0, 44, 200), (0, 192, 256, 8)]
    assert edge_words(grid, 10.0) == "Shaded: 440 m at the right edge and 80 m at the lower edge lie in no patch."
    assert shapes(grid_svg(grid), "moved") == []
    assert shapes(grid_svg(grid), "example") == [(128, 64, 64, 64)]


def test_the_preview_tints_what_patches_moved_inwards_share() -> None:
    grid = PatchGrid(height=200, width=256, cut=Cut.of(64, edge="cover"))
    assert shapes(grid_svg(grid), "left-over") == []
    assert shapes(grid_svg(grid), "moved") == [(0, 136, 256, 56)]
    assert edge_words(grid, None) == "Tinted: the last row overlaps the one before by 56 px."


def test_the_preview_says_that_patches_across_the_edge_of_an_area_count_whole() -> None:
    grid = PatchGrid(height=200, width=256, cut=Cut.of(64, area="a0123456789ab"))
    assert edge_words(grid, 10.0).endswith("Patches that the edge of the area crosses are cut and counted whole.")


def test_an_area_drawn_to_search_by_can_be_cut(engine: Engine) -> None:
    scene = small_scene(engine)
    encode(engine, scene)
    west, south, east, north = bounds_lonlat(scene) or (0, 0, 0, 0)
    box = shapely.box(west, (south + north) / 2, (west + east) / 2, north)
    condition = AreaCondition(area=MapRegion(shape=box))
    app = form(visit(where=Filters().having(condition).link()))
    app.button(key="cut_drawn_1").click().run()
    (key,) = kept_areas(scene)
    assert app.selectbox(key="cut_area").value == key
    wanted = patches_in_area(scene, patch_grid(scene, Cut.of(64, area=key)))
    assert 0 < wanted < 42
    assert f"**{wanted} patches**" in said(app)
    keep_area(scene, MapRegion(shape=box, said=("Its outline crosses itself",)))
    assert "Its outline crosses itself" in " ".join(one.value for one in app.run().caption)
    app.button(key="cut_start").click().run()
    assert not app.session_state["landlike"].filters, "the area is what there is now"
    cuts = [engine.jobs.payload(job.id)["recipe"].get("area") for job in engine.jobs.jobs() if job.kind == "encode"]
    assert key in cuts


@pytest.mark.slow
def test_examples_outside_of_the_area_that_a_scene_is_cut_by_are_told_with_the_area(engine: Engine) -> None:
    scene = small_scene(engine)
    west, south, east, north = bounds_lonlat(scene) or (0, 0, 0, 0)
    area = MapRegion(shape=shapely.box(west, (south + north) / 2, east, north))
    cut = Cut.of(64, area=keep_area(scene, area))
    encode(engine, scene, cut=cut)
    app = visit(scene=scene.id, cut=cut.key, like="0.41", sel="1.40")
    told = " ".join(one.value for one in app.warning)
    where = f"are not in the area of {area_words(area)} that this scene is cut by or have too little data"
    assert f"1 of 2 examples {where}" in told
    assert f"1 of 2 selected patches {where}" in told
