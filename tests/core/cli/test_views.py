"""A view as a command, as Python and as a bundle: each gives the same, here and elsewhere."""

from __future__ import annotations

import csv
import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.__main__ import main
from core.classification.areas.judgements import sample_of, save_sample
from core.clusters.changes import CLUSTERS_FILE, choose_settings, merge_clusters
from core.config import Config
from core.encoders.registry import ENTRIES, default_encoder, describe
from core.engine.bundles import (
    KEPT_CLUSTERS,
    OTHER_CLUSTERS,
    OTHER_NUMBERS,
    bundle_of,
    open_bundle,
    take_clusters,
    take_labels,
)
from core.engine.class_tasks import regress_task
from core.engine.exports.order import CLASSES, FOUND, ExportOrder
from core.engine.land_areas import measured_patches
from core.engine.library_source import library_source
from core.engine.operations import Engine
from core.engine.snippets import (
    areas_command,
    areas_script,
    clusters_command,
    clusters_script,
    command_of,
    comparison_command,
    comparison_script,
    numbers_command,
    numbers_script,
    script_of,
    trust_command,
    trust_script,
)
from core.engine.views import SearchView, answer
from core.errors import SettingsError, StoreError
from core.evaluation.benchmark import BASELINE
from core.export.bundle import Bundle, parse_bundle, read_bundle, write_bundle
from core.export.tables import csv_text
from core.jobs.files import JobFiles
from core.jobs.worker import Work
from core.scenes.cut import Cut
from core.scenes.labels import give_label, given_windows
from core.scenes.library import Library
from core.scenes.patches import PatchRef, patch_grid
from core.scenes.regions.map_region import polygon_region
from core.scenes.scene import Scene
from core.search.conditions import ClassCondition, RangeCondition
from core.search.examples import AreaExample, Evidence, VectorExample
from core.search.filters import Filters
from core.similarity.clusters import ClusterSettings, FoundClusters
from tests.scenes import add_scene

CUT = Cut.of(32, 16)
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path / "here"))
    return tmp_path / "here"


def small(root: Path) -> Scene:
    rng = np.random.default_rng(1)
    pixels = rng.integers(300, 4000, (13, 3, 4)).repeat(32, axis=1).repeat(32, axis=2)
    noise = rng.integers(0, 200, (13, 96, 128))
    library = Library(root)
    return add_scene(library, "t-1", height=96, width=128, pixels=(pixels + noise).astype(np.uint16))


@pytest.fixture
def engine(root: Path) -> Engine:
    small(root)
    return Engine(Config(root=root, model_cache=root / "models"), lanes={})


@pytest.fixture
def view(engine: Engine) -> SearchView:
    scene = engine.library.get("t-1")
    recipe = engine.recipe(scene, BASELINE, cut=CUT)
    evidence = Evidence.of([PatchRef("t-1", 0), PatchRef("t-1", 1)], [PatchRef("t-1", 20)])
    filters = Filters(conditions=(RangeCondition(value="ndvi", low=-0.5),))
    return SearchView(recipe=recipe, evidence=evidence, filters=filters, count=5, apart=True)


def found_command(view: SearchView, out: str) -> str:
    return command_of(ExportOrder(what=FOUND, form="csv", view=view), out)


def other_kinds(view: SearchView) -> SearchView:
    area = AreaExample(
        area=polygon_region([(4.44, 51.43), (4.445, 51.43), (4.445, 51.442), (4.44, 51.442)]), title="It's"
    )
    picture = VectorExample(vector=(0.5,) * 32, fingerprint=view.recipe.fingerprint, good=False)
    return replace(view, evidence=view.evidence.mark(area).mark(picture), least=-0.25, count=None, filters=Filters())


def weighted(view: SearchView) -> SearchView:
    heavy = {PatchRef("t-1", 0): 2.0, PatchRef("t-1", 20): 0.5}
    area = AreaExample(area=polygon_region([(4.44, 51.43), (4.445, 51.43), (4.445, 51.442)]), weight=3.0)
    evidence = Evidence.of([PatchRef("t-1", 0), PatchRef("t-1", 1)], [PatchRef("t-1", 20)], weights=heavy)
    return replace(view, evidence=evidence.mark(area))


def by_words(view: SearchView) -> SearchView:
    known = RangeCondition(value="valid", low=0.5)  # The file of features does not say it; the scene does.
    return replace(view, evidence=Evidence.of([]), words="bare soil", seen=(2, 3), filters=Filters(conditions=(known,)))


@pytest.mark.parametrize(
    "change",
    [lambda view: view, other_kinds, weighted, by_words],
    ids=["patches", "areas and pictures", "weights", "words"],
)
def test_command_and_script_give_what_the_view_gives(
    engine: Engine, view: SearchView, change: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: SearchView = change(view)  # type: ignore[operator]
    monkeypatch.chdir(tmp_path)
    expected = csv_text(answer(engine, asked))
    rows = list(csv.DictReader(expected.splitlines()))
    assert rows
    assert [int(row["rank"]) for row in rows] == list(range(1, len(rows) + 1))
    words = shlex.split(found_command(asked, "it's.csv"))
    assert words[:3] == ["python", "-m", "core"]
    assert main(words[3:]) == 0
    assert (tmp_path / "it's.csv").read_bytes().decode() == expected
    script = script_of(ExportOrder(what=FOUND, form="csv", view=asked), "python.csv")
    exec(compile(script, "snippet", "exec"), {})
    assert (tmp_path / "python.csv").read_bytes().decode() == expected


def test_command_and_script_of_trust_print_its_verdict(
    view: SearchView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in map(shlex.split, trust_command(view.recipe).split(" && ")):
        assert main(words[3:]) == 0
    printed = capsys.readouterr().out
    assert "Holds" in printed or "Do not rely" in printed
    exec(compile(trust_script(view.recipe), "snippet", "exec"), {})
    assert capsys.readouterr().out == printed


def run(command: str) -> None:
    """Run commands as a shell would, whose words are ours."""
    for words in map(shlex.split, command.split(" && ")):
        assert words[:3] == ["python", "-m", "core"]
        assert main(words[3:]) == 0


def test_command_and_script_of_areas_print_what_the_panel_shows(
    engine: Engine, view: SearchView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(areas_command(view.recipe))[3:]) == 1
    assert "it has no map of classes yet; label patches of two classes" in capsys.readouterr().err
    scene = engine.library.get("t-1")
    for name, ids in (("Wald", [0, 1, 2, 7]), ("Feld", [20, 21, 27, 28, 34])):
        give_label(scene, patch_grid(scene, CUT), ids, name)
    source = library_source(engine, view.recipe)
    measured = measured_patches(source)
    assert measured is not None
    patches, ground = measured
    sample = sample_of(
        patches, ground.tolist(), size=12, seed=3, cut=CUT.key, map_version=source.classified_version()
    )  # fmt: skip
    run(areas_command(view.recipe))
    assert json.loads(capsys.readouterr().out)["estimated"] is None
    for at, one in enumerate(sample.patches[:10]):
        sample = sample.with_reference(one.patch, "Feld" if at == 4 else str(one.mapped))
    save_sample(scene, sample)
    run(areas_command(view.recipe))
    printed = capsys.readouterr().out
    exec(compile(areas_script(view.recipe), "snippet", "exec"), {})
    assert capsys.readouterr().out == printed
    found = json.loads(printed)
    assert (found["sample"], found["judged"], found["map_changed_since"]) == (12, 10, False)
    run(command_of(ExportOrder(what=CLASSES, form="parquet", view=view), "C.parquet"))
    assert main(["sample-design", "C.parquet", "--size", "12", "--out", "unused.csv", "--areas", "A.csv"]) == 0
    rows = list(csv.DictReader((tmp_path / "A.csv").read_text().splitlines()))
    assert {row["class"]: float(row["hectares"]) for row in rows} == pytest.approx(found["mapped"], rel=5e-3)
    lines = [f"{one.mapped},{one.reference or ''}" for one in sample.patches]
    (tmp_path / "S.csv").write_text("\n".join(["map,reference", *lines]))
    capsys.readouterr()
    assert main(["accuracy", "S.csv", "--areas", "A.csv"]) == 0
    other = json.loads(capsys.readouterr().out)
    assert other["overall"]["low"] == pytest.approx(found["estimated"]["overall"]["low"], abs=5e-3)
    for name, area in other["areas"].items():
        assert area["high"] == pytest.approx(found["estimated"]["areas"][name]["high"], rel=1e-2)


def test_command_and_script_of_clusters_find_those_on_show(
    engine: Engine, view: SearchView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ClusterSettings(count=3, seed=5)
    monkeypatch.chdir(tmp_path)
    scene = engine.library.get("t-1")
    engine.encode_now(scene, view.recipe)
    choose_settings(scene, view.recipe, settings)
    engine.find_clusters_now(view.recipe, settings)
    known = library_source(engine, view.recipe).clusters()
    assert known is not None
    run(clusters_command(view.recipe, settings))
    exec(compile(clusters_script(view.recipe, settings, "python.csv"), "snippet", "exec"), {})
    for name in ("clusters.csv", "python.csv"):
        rows = list(csv.DictReader((tmp_path / name).read_text(encoding="utf-8").splitlines()))
        rows.sort(key=lambda row: int(row["patch_id"]))
        assert [int(row["cluster"]) - 1 for row in rows] == known.index.tolist()
        assert {row["cluster_name"] for row in rows} == set(known.names)


def test_command_and_script_of_a_number_predict_what_the_page_does(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scene = engine.library.get("t-1")
    recipe = engine.recipe(scene, BASELINE, cut=Cut.of(16))
    engine.encode_now(scene, recipe)
    source = library_source(engine, recipe)
    values = source.table.band_mean[:, 7] * 10
    path = tmp_path / "it's a=b.csv"
    path.write_text("\n".join(["patch_id,yield,other", *(f"{at},{values[at]:.4f},{at}" for at in range(40))]))
    upload = tmp_path / "upload" / path.name
    upload.parent.mkdir()
    shutil.copy(path, upload)
    payload = {"recipe": recipe.to_dict(), "paths": [str(upload)], "column": "yield"}
    regress_task(engine.config, Work(JobFiles(tmp_path / "jobs"), "x", "Learning"), payload)
    found = engine.classifications.numbers.get(recipe)
    assert found is not None
    wanted = found.model.predict(source.table.unit)
    run(numbers_command(recipe, found))
    exec(compile(numbers_script(recipe, found, "python.csv"), "snippet", "exec"), {})
    for name in ("numbers.csv", "python.csv"):
        rows = list(csv.DictReader((tmp_path / name).read_text(encoding="utf-8").splitlines()))
        rows.sort(key=lambda row: int(row["patch_id"]))
        np.testing.assert_allclose([float(row["predicted"]) for row in rows], wanted, rtol=1e-4)


def test_command_and_script_of_a_comparison_ask_all_encoders(
    view: SearchView, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = (view.recipe, [view.recipe.encoder, "landlike-2"], 3, 4)
    assert main(shlex.split(comparison_command(*asked))[3:]) == 0
    printed = capsys.readouterr().out
    answers = [json.loads(line) for line in printed.splitlines()]
    assert [one.get("encoder") for one in answers] == [view.recipe.encoder, "landlike-2", None]
    assert all(len(one["patch_ids"]) == 4 for one in answers[:2])
    exec(compile(comparison_script(*asked), "snippet", "exec"), {})
    assert capsys.readouterr().out == printed


def test_a_view_leaves_out_examples_and_what_touches_them_and_meets_its_filters(
    engine: Engine, view: SearchView
) -> None:
    grid = patch_grid(engine.library.get("t-1"), CUT)
    rows = answer(engine, view)
    found = rows.columns["patch_id"]
    assert len(found) == 5
    assert not set(found.tolist()) & {*grid.touching(0).tolist(), *grid.touching(1).tolist(), 20}
    assert (rows.columns["ndvi"] >= -0.5).all()
    assert (np.diff(rows.columns["similarity"]) <= 0).all()
    every = answer(engine, replace(view, least=-1.0, count=None, filters=Filters()))
    assert set(every.columns["patch_id"].tolist()) == set(range(grid.count)) - {20}


def test_a_bundle_gives_the_same_elsewhere(
    engine: Engine, view: SearchView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    scene = engine.library.get("t-1")
    give_label(scene, patch_grid(scene, CUT), [3, 4], "Wald")
    write_bundle(tmp_path / "b.zip", bundle_of(engine, view))
    assert main([*shlex.split(found_command(view, str(tmp_path / "c.zip")))[3:]]) == 0
    assert (tmp_path / "c.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()

    elsewhere = tmp_path / "elsewhere"
    small(elsewhere)
    monkeypatch.setenv("LANDLIKE_DATA", str(elsewhere))
    capsys.readouterr()
    assert main(["open-bundle", str(tmp_path / "b.zip"), "--labels", "--out", str(tmp_path / "r.csv")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["lacks"], said["same"], said["labels_taken"]) == ([], True, 2)
    assert (tmp_path / "r.csv").read_bytes() == read_bundle(tmp_path / "b.zip").tables["results"]
    assert set(given_windows(Library(elsewhere).get("t-1"))) == {"Wald"}
    assert main([*shlex.split(found_command(view, str(tmp_path / "d.zip")))[3:]]) == 0
    assert (tmp_path / "d.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_filter_by_cluster_finds_the_same_elsewhere(
    engine: Engine, view: SearchView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    asked = by_marsh(engine, view)
    bundle = bundle_of(engine, asked)
    assert bundle.view["clusters"]["names"] == {"0": "Salt marsh"}
    write_bundle(tmp_path / "b.zip", bundle)
    small(tmp_path / "elsewhere")
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path / "elsewhere"))
    assert main(["open-bundle", str(tmp_path / "b.zip"), "--out", str(tmp_path / "c.zip")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["lacks"], said["same"]) == ([], True)
    assert (tmp_path / "c.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    rows = list(csv.DictReader(bundle.tables["results"].decode().splitlines()))
    assert rows
    assert {row["cluster"] for row in rows} == {"Salt marsh"}
    assert main([*shlex.split(found_command(asked, str(tmp_path / "d.csv")))[3:]]) == 0
    assert (tmp_path / "d.csv").read_bytes() == bundle.tables["results"]


def by_marsh(engine: Engine, view: SearchView) -> SearchView:
    """The view among the patches of two of four clusters that were merged and named."""
    recipe, settings = view.recipe, ClusterSettings(count=4)
    scene = engine.library.get("t-1")
    engine.encode_now(scene, recipe)
    choose_settings(scene, recipe, settings)
    engine.find_clusters_now(recipe, settings)
    source = library_source(engine, recipe)
    origin, known = source.cluster_origin(), source.clusters()
    assert origin is not None
    assert known is not None
    merge_clusters(origin, known, [0, 2], "Salt marsh")
    filters = Filters(conditions=(*view.filters.conditions, ClassCondition(value="cluster", classes=("Salt marsh",))))
    return replace(view, filters=filters, apart=False)


def test_clusters_that_cannot_be_taken_over_are_told_and_their_filter_left_out(
    engine: Engine, view: SearchView, tmp_path: Path
) -> None:
    asked = by_marsh(engine, view)
    bundle = bundle_of(engine, asked)
    assert open_bundle(engine, bundle, "b.zip").lacking == (), "it is as it was"
    left = "Its filter “cluster Salt marsh” is left out."
    other = bundle.view | {"clusters": {**bundle.view["clusters"], "names": {"0": "Reed"}}}
    opened = open_bundle(engine, replace(bundle, view=other), "b.zip")
    assert opened.lacking == (f"{KEPT_CLUSTERS} {left}",)
    assert opened.view is not None
    assert opened.view.filters == view.filters
    elsewhere = Engine(Config(root=tmp_path / "elsewhere", model_cache=tmp_path), lanes={})
    small(elsewhere.config.root)
    opened = open_bundle(elsewhere, bundle, "b.zip")
    assert opened.to_find
    assert opened.shows_clusters
    elsewhere.encode_now(elsewhere.library.get("t-1"), view.recipe)
    elsewhere.clustered.keep(view.recipe, ClusterSettings(count=4), FoundClusters(index=np.arange(35, dtype=np.int16)))
    opened = open_bundle(elsewhere, bundle, "b.zip")
    assert opened.lacking == (f"{OTHER_CLUSTERS} {left}",)
    take_clusters(elsewhere, opened)
    assert not (elsewhere.library.get("t-1").directory / CLUSTERS_FILE).exists()


def test_clusters_that_are_found_here_alone_make_no_other_table(
    engine: Engine, view: SearchView, tmp_path: Path, capsys: Capture
) -> None:
    write_bundle(tmp_path / "b.zip", bundle_of(engine, view))
    engine.find_clusters_now(view.recipe, ClusterSettings())
    assert main(["open-bundle", str(tmp_path / "b.zip"), "--out", str(tmp_path / "r.csv")]) == 0
    assert json.loads(capsys.readouterr().out)["same"] is True


def test_a_bundle_of_before_says_nothing_of_clusters(engine: Engine, view: SearchView) -> None:
    bundle = bundle_of(engine, by_marsh(engine, view))
    before = replace(bundle, view={key: said for key, said in bundle.view.items() if key != "clusters"})
    opened = open_bundle(engine, before, "b.zip")
    assert opened.view is not None
    assert (opened.lacking, opened.clusters, len(opened.view.filters)) == ((), None, 2)


def test_what_a_bundle_lacks_is_told_and_nothing_is_changed(
    engine: Engine, view: SearchView, tmp_path: Path, capsys: Capture
) -> None:
    bundle = bundle_of(engine, view)
    empty = Engine(Config(root=tmp_path / "empty", model_cache=tmp_path), lanes={})
    opened = open_bundle(empty, bundle, "b.zip")
    assert opened.view is None
    assert opened.lacking == (
        f"The scene “Test scene” (t-1, checksum {bundle.scene['checksum'][:12]}) is not here; add the same file of "
        "2024-06-21 on the Scenes page, read by the same settings.",
    )
    with pytest.raises(StoreError, match="its scene or its encoder is not here"):
        take_labels(empty, opened, "b.zip")
    unknown = replace(bundle, recipe={**bundle.recipe, "fingerprint": "00" * 32, "encoder": "/etc/passwd"})
    (sentence,) = open_bundle(engine, unknown, "b.zip").lacking
    assert sentence.startswith("The encoder “/etc/passwd” (fingerprint 000000000000) is not here; ")
    edited = replace(bundle, scene={**bundle.scene, "checksum": "0" * 64})
    opened = open_bundle(engine, edited, "b.zip")
    assert opened.view == view
    assert opened.lacking[0].endswith("are others here; add the file that the bundle was made of.")
    write_bundle(tmp_path / "b.zip", unknown)
    assert main(["open-bundle", str(tmp_path / "b.zip"), "--out", str(tmp_path / "r.csv")]) == 0
    assert json.loads(capsys.readouterr().out)["lacks"] == [sentence]
    assert not (tmp_path / "r.csv").exists()


def test_features_of_other_numbers_than_this_computers_are_made_anew_and_that_is_said(
    engine: Engine, view: SearchView
) -> None:
    """It said to get the encoder, which was there."""
    bundle, shipped = bundle_of(engine, view), default_encoder()
    own = engine.spec(shipped).fingerprint
    ways = [describe(shipped, engine.config, backend).fingerprint for backend in ("openvino-f32", "openvino-int8")]
    other = next(one for one in ways if one != own)
    handed = replace(bundle, recipe={**bundle.recipe, "encoder": shipped, "fingerprint": other})
    opened = open_bundle(engine, handed, "b.zip")
    assert opened.lacking == (f"Landlike 2 {OTHER_NUMBERS}",)
    assert opened.view is not None
    assert opened.view.recipe == replace(view.recipe, encoder=shipped, fingerprint=own)


def test_an_encoder_is_looked_for_by_its_fingerprint_alone(engine: Engine, view: SearchView) -> None:
    bundle = bundle_of(engine, view)
    named = replace(bundle, recipe={**bundle.recipe, "encoder": "/somewhere/else"})
    opened = open_bundle(engine, named, "b.zip")
    assert opened.view is not None
    assert opened.view.recipe.encoder == BASELINE in ENTRIES


def test_parts_that_make_no_sense_are_one_sentence(engine: Engine, view: SearchView) -> None:
    whole = bundle_of(engine, view)
    changes: list[dict[str, Any]] = [
        {"recipe": {"encoder": "x", "fingerprint": "0", "patch_size": 3}},
        {"examples": {"examples": [{"good": "yes"}]}},
        {"examples": {"examples": [{"good": True, "scene": "../..", "window": [0, 0, 32]}]}},
        {"filters": {"version": 7}},
        {"view": {"count": "many"}},
        {"view": {"clusters": {"method": "kmeans", "count": 10**9, "seed": 0}}},
        {"view": {"clusters": ["kmeans"]}},
    ]
    for change in changes:
        with pytest.raises(StoreError, match=r"^Opening “b\.zip”: .+; .+\.$"):
            open_bundle(engine, replace(whole, **change), "b.zip")


@pytest.mark.parametrize("window", [[0, 0, 999], [-1, 0, 32], [0, 0]])
def test_labels_outside_the_scene_are_refused_whole(engine: Engine, view: SearchView, window: list[int]) -> None:
    labels = {"version": 1, "classes": {"Wald": [[0, 0, 32]], "See": [window]}}
    opened = open_bundle(engine, replace(bundle_of(engine, view), labels=labels), "b.zip")
    with pytest.raises(StoreError, match="they make no sense, or lie outside the scene"):
        take_labels(engine, opened, "b.zip")
    assert not given_windows(engine.library.get("t-1"))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--like", "x"], "“x” in --like is no patch"),
        (["--like", "0", "--filters", "["], "--filters is no JSON object"),
        (["--like", "0", "--examples", "[3]"], "--examples is not as searches keep them"),
        (["--like", "0", "-k", "0"], "0 were asked for"),
        (["--like", "99999"], "patch 99999 is not among"),
        ([], "example"),
    ],
)
def test_options_that_make_no_sense_are_one_sentence(
    engine: Engine, tmp_path: Path, capsys: Capture, words: list[str], found: str
) -> None:
    out = tmp_path / "r.csv"
    assert main(["view", "t-1", "--encoder", BASELINE, "--patch", "32", *words, "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert found in said
    assert len(said.splitlines()) == 1
    assert not out.exists()


def test_a_view_of_nothing_asked_is_refused(engine: Engine, view: SearchView) -> None:
    with pytest.raises(SettingsError):
        answer(engine, replace(view, evidence=Evidence()))


def test_bytes_of_a_bundle_are_read_as_the_file_is(engine: Engine, view: SearchView, tmp_path: Path) -> None:
    bundle: Bundle = bundle_of(engine, view, layout={"method": "fast"}, shown={"colour": "ndvi"})
    write_bundle(tmp_path / "b.zip", bundle)
    assert parse_bundle((tmp_path / "b.zip").read_bytes(), "b.zip") == bundle
