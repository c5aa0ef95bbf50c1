"""Files of a scene without pixels: all that can be made of vectors, places and columns; the rest is refused."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from core.config import Config
from core.engine.exports.files import export_bytes
from core.engine.exports.order import BUNDLE, EVERY, FEATURES, MAP, PLOT, REPORT, ExportOrder
from core.engine.exports.printed import view_report
from core.engine.land_areas import land_areas
from core.engine.library_source import LibrarySource, library_source
from core.engine.operations import Engine
from core.engine.views import SearchView
from core.errors import SettingsError
from core.features.given import given_recipe
from core.ingest.boundary import ingest
from core.progress import silent
from core.scenes.labels import give_labels
from core.scenes.outline_areas import outline_hectares
from core.scenes.patches import PatchRef, patch_grid
from core.search.conditions import ClassCondition, RangeCondition
from core.search.examples import Evidence
from core.search.filters import Filters
from tests.conftest import ingest_here
from tests.embeddings import ROWS, centre, plain, squares

pytestmark = pytest.mark.usefixtures("here")
CONDITIONS = (
    RangeCondition(value="filednumbera", low=1), ClassCondition(value="filedclassa", classes=("dry",)),
)  # fmt: skip


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> LibrarySource:
    root = tmp_path_factory.mktemp("vectors")
    engine = Engine(Config(root=root / "data", model_cache=root / "models"), lanes={})
    path = plain(root / "f.parquet", height=np.arange(ROWS) % 7 + 0.5, biome=["dry", "wet"] * (ROWS // 2))
    with ingest_here():
        scene = ingest([path], engine.library)
    recipe = given_recipe(scene)
    engine.encode_now(scene, recipe)
    return library_source(engine, recipe)


def order(source: LibrarySource, what: str, form: str, *, colour: str = "") -> ExportOrder:
    view = SearchView(
        recipe=source.recipe, evidence=Evidence.of([PatchRef(source.scene.id, 5)], []), count=5,
        filters=Filters(conditions=CONDITIONS),
    )  # fmt: skip
    return ExportOrder(what=what, form=form, view=view, colour=colour)


def test_tables_have_the_columns_of_the_file(source: LibrarySource) -> None:
    text = export_bytes(source, order(source, EVERY, "csv")).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [float(row["height"]) for row in rows] == (np.arange(ROWS) % 7 + 0.5).tolist()
    assert [row["biome"] for row in rows] == ["dry", "wet"] * (ROWS // 2)
    outlines = json.loads(export_bytes(source, order(source, EVERY, "geojson")))
    assert {one["geometry"]["type"] for one in outlines["features"]} == {"Polygon"}


@pytest.mark.parametrize(("what", "form"), [(FEATURES, "zip"), (MAP, "png"), (PLOT, "svg"), (BUNDLE, "zip")])
def test_what_needs_no_pixels_is_made(source: LibrarySource, what: str, form: str) -> None:
    assert len(export_bytes(source, order(source, what, form, colour="filednumbera"))) > 1000


def test_what_needs_pixels_is_refused(source: LibrarySource) -> None:
    with pytest.raises(SettingsError, match="collection"):
        export_bytes(source, order(source, MAP, "zip", colour="filednumbera"))


def test_conditions_are_told_by_the_names_of_the_columns(source: LibrarySource) -> None:
    assert Filters(conditions=CONDITIONS).told(source) == "height at least 1; biome dry"


def test_a_report_shows_where_what_was_found_lies_and_what_coloured_it(source: LibrarySource) -> None:
    said = view_report(source, order(source, REPORT, "html", colour="filednumbera"), progress=silent)
    assert said.search is not None
    assert said.search.picture is not None
    assert "Ground: Natural Earth" in said.search.picture.caption
    assert said.coloured is not None
    steps = [words.split()[0] for words, _ in said.search.legend]
    assert len(set(steps)) == len(steps), "scores that differ look so"


@pytest.mark.parametrize(("kind", "hectares"), [("points", None), ("one unknown", ROWS - 1)])
def test_a_report_measures_no_land_of_points_nor_of_unknown_places(
    tmp_path: Path, kind: str, hectares: int | None
) -> None:
    engine = Engine(Config(root=tmp_path / "data", model_cache=tmp_path / "models"), lanes={})
    shapes: list[shapely.Geometry | None] = [*squares()]
    if kind == "points":
        shapes = [shapely.Point(*centre(row)) for row in range(ROWS)]
    elif kind == "one unknown":
        shapes[ROWS - 1] = None
    scene = ingest([plain(tmp_path / "f.parquet", shapes=shapes)], engine.library)
    recipe = given_recipe(scene)
    engine.encode_now(scene, recipe)
    give_labels(scene, patch_grid(scene), {row: "low" if row < 15 else "high" for row in range(0, ROWS, 2)})
    source = library_source(engine, recipe)
    wanted = ExportOrder(what=REPORT, form="html", view=SearchView(recipe=recipe, evidence=Evidence()))
    part = view_report(source, wanted, progress=silent).classes
    assert part is not None
    assert part.picture is not None, "a dot where each patch lies"
    assert [name for name, _ in part.legend] == ["high", "low"]
    counts, told = ({row[0]: row[at] for row in part.sheet.rows} for at in (1, 2))
    assert sum(int(said) for said in counts.values()) == (hectares or ROWS)
    if hectares is None:
        assert set(told.values()) == {"not known"}
        return
    mapped = land_areas(source).mapped
    assert told == {name: f"{each:,.0f}" for name, each in mapped.items()}
    expected = outline_hectares(np.array(squares()[:hectares], dtype=object)).sum()
    assert sum(mapped.values()) == pytest.approx(float(expected), rel=1e-6)
    assert any("The place of 1 patch is not known" in note for note in part.notes) == (kind == "one unknown")
