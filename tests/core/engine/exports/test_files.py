"""What can be taken away: the page, a job, a command and a script give the same file, and others can read it."""

from __future__ import annotations

import io
import json
import shlex
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
from PIL import Image

from core.__main__ import main
from core.classification.areas.judgements import sample_of, save_sample
from core.classification.heads import teach
from core.classification.maps.choice import MapChoice, save_choice
from core.classification.numbers.regression import teach_values
from core.classification.numbers.store import LearnedNumber
from core.clusters.changes import choose_settings
from core.config import Config
from core.engine.exports.files import export_bytes, export_is_latest, export_path, export_task, submit_export
from core.engine.exports.order import CONTENTS, FORMS_OF_PATCHES, ExportOrder
from core.engine.land_areas import measured_patches
from core.engine.library_source import LibrarySource, library_source
from core.engine.operations import Engine
from core.engine.snippets import command_of, script_of
from core.engine.views import SearchView
from core.errors import SettingsError
from core.evaluation.benchmark import BASELINE
from core.export.geoparquet import read_geoparquet
from core.jobs.lanes import Lane
from core.progress import silent
from core.scenes.cut import Cut
from core.scenes.labels import give_label
from core.scenes.library import Library
from core.scenes.patches import PatchRef, patch_grid
from core.search.conditions import RangeCondition
from core.search.examples import Evidence
from core.search.filters import Filters
from core.similarity.clusters import ClusterSettings
from tests.fakes import ThreadWorker
from tests.scenes import add_scene
from tests.teaching import taught_once
from tests.waiting import until

CUT = Cut.of(32, 32)
EACH = [(what, forms[at % len(forms)]) for at, (what, forms) in enumerate(CONTENTS.items())]
"""Each content in one form, those of patches in another each."""
EVIL = "=cmd|' /C calc'!A0 <script>alert(1)</script>"


@pytest.fixture(scope="module", autouse=True)
def _heads() -> Iterator[None]:
    with taught_once():
        yield


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("exports")
    rng = np.random.default_rng(1)
    pixels = rng.integers(300, 4000, (13, 6, 8)).repeat(32, axis=1).repeat(32, axis=2)
    noisy = pixels + rng.integers(0, 200, (13, 192, 256))
    scene = add_scene(Library(found), "it-1", height=192, width=256, pixels=noisy.astype(np.uint16))
    grid = patch_grid(scene, CUT)
    give_label(scene, grid, list(range(20)), EVIL)
    give_label(scene, grid, list(range(28, 48)), "Wälder & “Wiesen”")
    return found


@pytest.fixture(scope="module")
def source(root: Path) -> LibrarySource:
    engine = Engine(Config(root=root, model_cache=root / "models"), lanes={})
    recipe = engine.recipe(engine.library.get("it-1"), BASELINE, cut=CUT)
    engine.encode_now(engine.library.get("it-1"), recipe)
    return library_source(engine, recipe)


def wanted(source: LibrarySource, what: str, form: str) -> ExportOrder:
    evidence = Evidence.of([PatchRef("it-1", 3), PatchRef("it-1", 9)], [PatchRef("it-1", 30)])
    filters = Filters(conditions=(RangeCondition(value="valid", low=0.5),))
    view = SearchView(recipe=source.recipe, evidence=evidence, filters=filters, count=7, apart=True)
    colour = "ndvi" if what in {"map", "plot", "report"} else ""
    return ExportOrder(what=what, form=form, view=view, patches=(2, 4, 5), colour=colour)


def comparable(content: bytes, form: str) -> object:
    """Return what of a file does not depend on the moment it was made."""
    if form == "gpkg":
        with tempfile.NamedTemporaryFile(suffix=".gpkg") as file:
            Path(file.name).write_bytes(content)
            return geopandas.read_file(file.name).to_json()
    if form == "zip":
        with zipfile.ZipFile(io.BytesIO(content)) as held:
            return {name: held.read(name) for name in held.namelist()}
    return content


@pytest.mark.parametrize(("what", "form"), EACH)
def test_page_command_and_script_give_the_same_file(
    what: str, form: str, source: LibrarySource, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDLIKE_DATA", str(root))
    monkeypatch.chdir(tmp_path)
    if what in {"classes", "class-map"}:  # Command and script teach a head each, and it is that of the page.
        monkeypatch.setattr("core.engine.class_map.teach", teach)
    order = wanted(source, what, form)
    expected = export_bytes(source, order)
    assert expected
    words = shlex.split(command_of(order, f"it's one.{form}"))
    assert words[:3] == ["python", "-m", "core"]
    assert main(words[3:]) == 0
    made = (tmp_path / f"it's one.{form}").read_bytes()
    assert comparable(made, form) == comparable(expected, form)
    exec(compile(script_of(order, f"script.{form}"), "snippet", "exec"), {})
    assert comparable((tmp_path / f"script.{form}").read_bytes(), form) == comparable(expected, form)


@pytest.mark.parametrize("what", sorted(FORMS_OF_PATCHES))
def test_patches_say_the_same_in_every_format_and_run_nothing(what: str, source: LibrarySource, tmp_path: Path) -> None:
    """Oracle: pyogrio and geopandas read what was written."""
    count = {"found": 7, "selected": 3, "labelled": 40, "classes": 48, "patches": 48}[what]
    for form in CONTENTS[what]:
        content = export_bytes(source, wanted(source, what, form))
        path = tmp_path / f"{what}.{form}"
        path.write_bytes(content)
        if form == "csv":
            lines = content.decode().splitlines()
            assert len(lines) == count + 1
            assert {"patch_id", "lon", "lat", "area_ha", "encoder", "scene", "ndvi"} <= set(lines[0].split(","))
            assert ",=cmd" not in content.decode()
            assert "\n=cmd" not in content.decode()
            continue
        frame = geopandas.read_parquet(path) if form == "parquet" else geopandas.read_file(path)
        assert len(frame) == count, form
        assert {"patch_id", "area_ha", "encoder", "scene", "ndvi"} <= set(frame.columns), form
        assert frame.geometry.is_valid.all()
        if form == "kml":
            assert "<script" not in content.decode()
        elif what == "labelled":
            assert set(frame["label"]) == {EVIL, "Wälder & “Wiesen”"}, form
        if what == "classes":
            assert {"class", "probability", "abstained", "why_abstained"} <= set(frame.columns)


def test_geoparquet_is_by_the_rules_of_the_field(source: LibrarySource, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(export_bytes(source, wanted(source, "features", "zip")))) as held:
        assert held.namelist() == ["features-it-1.parquet", "features-it-1.stac.json"]
        held.extractall(tmp_path)
    file = pq.ParquetFile(tmp_path / "features-it-1.parquet")
    group = file.metadata.row_group(0)
    assert {group.column(at).compression for at in range(group.num_columns)} == {"ZSTD"}
    footer = {
        key.decode(): json.loads(value) for key, value in file.metadata.metadata.items() if key != b"ARROW:schema"
    }
    assert footer["emb"]["embedding_dim"] == source.table.unit.shape[1]
    assert footer["geo"]["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    frame = geopandas.read_parquet(tmp_path / "features-it-1.parquet")
    along = frame.geometry.hilbert_distance().to_numpy()
    assert (np.diff(along.astype(np.int64)) >= 0).all()
    item = json.loads((tmp_path / "features-it-1.stac.json").read_text())
    assert any("embeddings" in one for one in item["stac_extensions"])
    assert item["assets"]["embeddings"]["href"] == "./features-it-1.parquet"


def test_a_file_of_features_states_the_encoder_that_ran(
    source: LibrarySource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stated the one that would run now: where that computes in other numbers, other vectors than those in it."""
    ran = source.engine.spec(source.recipe.encoder)
    other = replace(ran, fingerprint="0" * 64, precision="int8")
    monkeypatch.setattr(Engine, "spec", lambda *_, **__: other)
    with zipfile.ZipFile(io.BytesIO(export_bytes(source, wanted(source, "features", "zip")))) as held:
        held.extractall(tmp_path)
    stated = read_geoparquet(tmp_path / "features-it-1.parquet").spec
    assert (stated["fingerprint"], stated["precision"]) == (source.recipe.fingerprint, ran.precision)


def test_maps_are_read_by_rasterio_and_pictures_by_pillow(source: LibrarySource, tmp_path: Path) -> None:
    for what in ("map", "class-map"):
        with zipfile.ZipFile(io.BytesIO(export_bytes(source, wanted(source, what, "zip")))) as held:
            held.extractall(tmp_path)
            assert any(name.endswith(".qml") for name in held.namelist())
            (tif,) = [name for name in held.namelist() if name.endswith(".tif")]
        with rasterio.open(tmp_path / tif) as data:
            assert data.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert data.crs is not None
            assert (data.height, data.width) == (6, 8)
    for what in ("map", "plot"):
        with Image.open(io.BytesIO(export_bytes(source, wanted(source, what, "png")))) as picture:
            assert min(picture.size) > 100
        assert b"<svg" in export_bytes(source, wanted(source, what, "svg"))
    assert export_bytes(source, wanted(source, "plot", "svg")).count(b"<circle") == 48


def test_a_report_says_what_was_looked_for_and_escapes_names(source: LibrarySource) -> None:
    page = export_bytes(source, wanted(source, "report", "html")).decode()
    assert "Land like 2 good examples and unlike 1 bad." in page
    assert "Found: 7 of 48 patches" in page
    assert "Good examples" in page
    assert ". Clouds were not looked for: no map of them came with the scene.\n<ul" in page
    assert "The scene coloured by NDVI" in page
    assert "<script" not in page
    assert "Mapped area" in page


def test_a_job_makes_the_same_file_and_is_shared(root: Path, source: LibrarySource) -> None:
    lanes = {"export": Lane(executor=ThreadWorker)}
    engine = Engine(Config(root=root, model_cache=root / "models"), lanes=lanes)
    engine.jobs.start()
    try:
        order = wanted(source, "found", "csv")
        job = submit_export(engine, order, source)
        assert submit_export(engine, order, source).id == job.id
        until(lambda: (found := engine.jobs.get(job.id)) is not None and not found.active)
        now = engine.jobs.get(job.id)
        assert now is not None
        assert now.state == "done", now.message
        path = export_path(engine.config, now)
        assert path is not None
        assert path.name == "found-it-1-3.csv"
        assert path.read_bytes() == export_bytes(source, order)
    finally:
        engine.close()


def test_a_file_is_offered_only_of_what_is_known_now(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path), "it-1", height=128, width=256)
    config = Config(root=tmp_path, model_cache=tmp_path / "models")
    engine = Engine(config, lanes={})
    recipe = engine.recipe(scene, BASELINE, cut=CUT)
    engine.encode_now(scene, recipe)
    grid = patch_grid(scene, CUT)

    def now() -> LibrarySource:
        return library_source(engine, recipe)

    def made() -> Path:
        payload = wanted(now(), "patches", "csv").payload(engine)
        return tmp_path / export_task(config, SimpleNamespace(doing=str, progress=silent, made=[]), payload)  # type: ignore[arg-type]

    def cluster(count: int) -> None:
        settings = ClusterSettings(count=count)
        engine.find_clusters_now(recipe, settings)
        choose_settings(scene, recipe, settings)

    def number() -> None:
        model = teach_values(now().table.unit, now().table.patch_ids, {at: float(at) for at in range(12)})
        engine.classifications.numbers.put(recipe, LearnedNumber(title="t", source="t.csv", model=model))

    def sample() -> None:
        patches, ground = measured_patches(now()) or (None, None)
        assert patches is not None
        assert ground is not None
        save_sample(scene, sample_of(patches, ground.tolist(), size=8, seed=1, cut=CUT.key, map_version="m"))

    changes: list[Callable[[], object]] = [
        lambda: give_label(scene, grid, [0, 1, 2], "water"),
        lambda: give_label(scene, grid, [9, 10], "wood"),
        lambda: give_label(scene, grid, [9], "water"),
        lambda: save_choice(scene, MapChoice(below=0.7)),
        sample, lambda: cluster(3), lambda: cluster(4), number,
    ]  # fmt: skip
    for change in changes:
        path = made()
        assert export_is_latest(path, now())
        change()
        assert not export_is_latest(path, now())
    assert not export_is_latest(tmp_path / "exports" / "tmpab12" / "patches.csv", now())  # by a version before


def test_a_file_made_while_labels_changed_is_of_neither(root: Path, source: LibrarySource, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "data")
    config = Config(root=tmp_path / "data", model_cache=tmp_path / "models")
    engine = Engine(config, lanes={})
    scene = engine.library.get("it-1")

    def label(_done: int, _total: int) -> None:
        give_label(scene, patch_grid(scene, CUT), [47], "late")

    work: Any = SimpleNamespace(doing=str, progress=label, made=[])
    path = config.root / export_task(config, work, wanted(source, "report", "html").payload(engine))
    assert path.is_file()
    assert not export_is_latest(path, library_source(engine, source.recipe))


@pytest.mark.parametrize(
    ("change", "said"),
    [({"what": "all"}, "choose of found"), ({"form": "doc"}, "choose of geojson"), ({"colour": "x"}, "colour by one")],
)
def test_what_cannot_be_made_is_refused_in_a_sentence(change: dict[str, str], said: str, source: LibrarySource) -> None:
    with pytest.raises(SettingsError, match=said):
        ExportOrder(**{"what": "found", "form": "csv", "view": wanted(source, "found", "csv").view, **change})
