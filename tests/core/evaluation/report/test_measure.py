"""Report cards of scenes and files: what is measured, what is not and why, and that nothing is measured twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.__main__ import main
from core.config import Config
from core.encoders.base import Encoder
from core.encoders.registry import matching_encoder
from core.engine.operations import Engine
from core.errors import JobCancelledError, PatchError
from core.evaluation.benchmark import BASELINE, assess
from core.evaluation.grid_shift import cannot_shift, grid_shift
from core.evaluation.novelty import calibrate_novelty, novelty_reference
from core.evaluation.report import scene as pipeline_report_scene
from core.evaluation.report.card import Section
from core.evaluation.report.measure import case_of, hubs_part, labels_part, layout_part, no_labels_of, novelty_part
from core.evaluation.report.scene import _report_on_truth, report_on_scene
from core.evaluation.report.store import BY_TRUTH, FEATURES
from core.evaluation.report.verdict import verdict_on
from core.evaluation.report.wording import unmeasured
from core.evaluation.retrieval import Share
from core.evaluation.trustworthiness import trustworthiness
from core.features import recipe as features
from core.features.recipe import Features, Recipe
from core.progress import silent
from core.projection.labels import classes_of, labels_version
from core.projection.methods import arrange
from core.projection.settings import ProjectionSettings
from core.scenes.cut import Cut
from core.scenes.patches import patch_grid
from core.scenes.scene import Scene
from core.scenes.truth import TruthMap, add_truth_map, truth_of
from tests.fakes import PlaceEncoder, place_scene
from tests.pages.conftest import encode, small_scene
from tests.scenes import write_truth

Capture = pytest.CaptureFixture[str]
SETTINGS = ProjectionSettings()


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    root = tmp_path / "data"
    monkeypatch.setenv("LANDLIKE_DATA", str(root))
    monkeypatch.delenv("LANDLIKE_MODELS", raising=False)
    made = Engine(Config(root=root, model_cache=root / "models"), lanes={})
    yield made
    made.close()


@pytest.fixture
def recipe(engine: Engine) -> Recipe:
    return encode(engine, small_scene(engine), BASELINE)


def loader(engine: Engine, recipe: Recipe) -> Callable[[], Encoder]:
    return lambda: matching_encoder(recipe.encoder, recipe.fingerprint, engine.config)


class Meaner(PlaceEncoder):
    """Features: the place of the patch on a circle, so that a shift of 8 pixels turns it by a known angle."""

    def infer(self, prepared: np.ndarray) -> np.ndarray:
        rows = super().infer(prepared)
        angle = rows[:, :1] * 0.001 + rows[:, 1:2] * 0.01
        return np.concatenate([np.cos(angle), np.sin(angle), 0 * rows[:, 2:]], axis=1).astype(np.float32)


def placed(tmp_path: Path) -> tuple[Scene, Features]:
    scene, encoder = place_scene(tmp_path, height=96, width=160), Meaner()
    grid = patch_grid(scene, Cut.of(16))
    rows, cols = np.divmod(np.arange(grid.count), grid.n_cols)
    angle = rows * 16 * 0.001 + cols * 16 * 0.01
    vectors = np.zeros((grid.count, encoder.spec.dimension), np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(angle), np.sin(angle)
    recipe = Recipe(scene_id=scene.id, encoder="place", fingerprint=encoder.spec.fingerprint, cut=Cut.of(16))
    empty = np.ones((grid.count, 13), np.float32)
    return scene, Features(
        recipe=recipe, patch_ids=np.arange(grid.count), vectors=vectors, valid_fraction=empty[:, 0], band_mean=empty,
        band_std=empty,
    )  # fmt: skip


def test_shifted_patches_are_read_where_they_lie(tmp_path: Path) -> None:
    """A shift by 8 rows and 8 columns turns the feature by 8 × 0.001 ± 8 × 0.01."""
    scene, features = placed(tmp_path)
    log = tmp_path / "log"
    found = grid_shift(
        scene, patch_grid(scene, Cut.of(16)), Meaner(log=log), features.vectors, features.patch_ids, sample=1000
    )
    starts = {tuple(map(int, line.split())) for line in log.read_text().splitlines()}
    rows = {0: 8, 16: 24, 32: 40, 48: 56, 64: 72, 80: 72}
    cols = {start: start + 8 for start in range(0, 144, 16)} | {144: 136}
    assert starts == {(row, col) for row in rows.values() for col in cols.values()}
    assert found.itself.count == 60
    assert np.cos(0.088) - 1e-3 < found.similarity < np.cos(0.072) + 1e-3
    assert 0.3 < found.kept.value < 1
    assert sorted(found.ids.tolist()) == list(range(60))
    assert found.kept_each.mean() == pytest.approx(found.kept.value)


def test_an_encoder_that_minds_no_shift_keeps_everything(tmp_path: Path) -> None:
    scene, features = placed(tmp_path)

    class Deaf(PlaceEncoder):
        """Gives the feature of the patch that a shifted window came from."""

        def infer(self, prepared: np.ndarray) -> np.ndarray:
            rows = super().infer(prepared)
            down, right = (
                np.where(rows[:, axis] == last, last + 8, rows[:, axis] - 8) for axis, last in ((0, 72), (1, 136))
            )
            known = (down // 16 * 10 + right // 16).astype(int)
            return features.vectors[known]

    found = grid_shift(scene, patch_grid(scene, Cut.of(16)), Deaf(), features.vectors, features.patch_ids, sample=20)
    ours = found.itself.value, found.kept.value
    # Windows at the edges start where those before them do, moved the other way: chance tells them apart.
    assert ours[0] > 0.5
    assert ours[1] > 0.5
    assert found.itself.count == 20


def test_a_report_of_before_is_read_and_measured_again_for_its_figures(engine: Engine, recipe: Recipe) -> None:
    old = [Section(name="hubs", title="?", sentences=("No.",)), unmeasured("labels", "no")]
    engine.reports.put(recipe, FEATURES, old, {})
    assert engine.reports.get(recipe, FEATURES) == old
    assert not engine.reports.has(recipe, FEATURES)
    report_on_scene(engine.config.root, recipe, None, loader(engine, recipe))
    assert engine.reports.has(recipe, FEATURES)
    assert verdict_on(engine.reports.get(recipe, FEATURES) or []).grade is not None


def test_what_cannot_be_shifted_says_so(engine: Engine, tmp_path: Path) -> None:
    scene = small_scene(engine)
    assert cannot_shift(scene, patch_grid(scene)) is None
    assert "too small" in str(cannot_shift(scene, patch_grid(scene, Cut.of(320))))
    assert "single pictures" in str(cannot_shift(replace(scene, kind="collection"), patch_grid(scene)))
    with pytest.raises(PatchError, match="too small"):
        grid_shift(scene, patch_grid(scene, Cut.of(320)), PlaceEncoder(), np.ones((2, 15), np.float32), np.arange(2))


def test_a_scene_is_measured_once_for_features_and_once_for_each_layout(
    engine: Engine, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []
    positions = np.random.default_rng(0).random((42, 2)).astype(np.float32)
    engine.layouts.put(recipe, SETTINGS.key, positions)
    report_on_scene(
        engine.config.root,
        recipe,
        SETTINGS,
        loader(engine, recipe),
        progress=lambda done, total: told.append((done, total)),
    )
    sections = engine.reports.get(recipe, FEATURES)
    assert sections is not None
    assert [(one.name, one.measured) for one in sections] == [("labels", True), ("stability", True), ("hubs", True)]
    layout = engine.reports.get(recipe, SETTINGS.key)
    assert layout is not None
    assert [one.name for one in layout] == ["layout"]
    distortion = engine.reports.values(recipe, SETTINGS.key, "distortion")
    assert distortion is not None
    assert distortion.shape == (42,)
    assert sum(engine.reports.values(recipe, FEATURES, "counts")) == 420  # type: ignore[arg-type]
    kept = engine.reports.kept_under_shift(recipe)
    assert isinstance(kept, Share)
    assert f"{10 * kept.value:.1f} of its 10 nearest" in sections[1].sentences[0]
    assert told == sorted(told)
    assert told[-1] == (1000, 1000)
    monkeypatch.setattr(pipeline_report_scene, "labels_part", lambda _: pytest.fail("measured again"))
    report_on_scene(engine.config.root, recipe, SETTINGS, loader(engine, recipe))
    other = ProjectionSettings(n_neighbors=5)
    engine.layouts.put(recipe, other.key, positions)
    report_on_scene(engine.config.root, recipe, other, loader(engine, recipe))
    assert engine.reports.get(recipe, other.key) is not None


@pytest.mark.parametrize("method", ["umap", "densmap", "supervised"])
def test_a_layout_by_umap_learn_is_measured_like_any(engine: Engine, recipe: Recipe, method: str) -> None:
    scene, features = engine.library.get(recipe.scene_id), engine.features(recipe)
    version = labels_version(scene) if method == "supervised" else ""
    settings = ProjectionSettings(method=method, labels=version)
    classes = classes_of(scene, patch_grid(scene), features.patch_ids, version) if version else None
    layout = arrange(features.vectors, settings, labels=classes)
    engine.layouts.put(recipe, settings.key, layout)
    report_on_scene(engine.config.root, recipe, settings, loader(engine, recipe))
    sections = engine.reports.get(recipe, settings.key)
    assert sections is not None
    assert [(one.name, one.measured) for one in sections] == [("layout", True)]
    distortion = engine.reports.values(recipe, settings.key, "distortion")
    assert distortion is not None
    np.testing.assert_allclose(distortion, trustworthiness(features.vectors, layout, "cosine").distortion)
    scattered = np.random.default_rng(0).random(layout.shape).astype(np.float32)
    assert distortion.mean() < trustworthiness(features.vectors, scattered, "cosine").distortion.mean()


def test_a_report_of_before_without_the_figure_of_the_shift_is_measured_again(engine: Engine, recipe: Recipe) -> None:
    report_on_scene(engine.config.root, recipe, None, loader(engine, recipe))
    before, sections = engine.reports.kept_under_shift(recipe), engine.reports.get(recipe, FEATURES)
    engine.reports.put(recipe, FEATURES, sections or [], {})
    assert engine.reports.kept_under_shift(recipe) is None
    report_on_scene(engine.config.root, recipe, None, loader(engine, recipe))
    assert engine.reports.kept_under_shift(recipe) == before
    why = "Not measured: the scene is too small."
    small = Section(name="stability", title="", sentences=(why,), measured=False)
    engine.reports.put(recipe, FEATURES, [small], {})
    assert engine.reports.kept_under_shift(recipe) == why
    assert engine.reports.whole(recipe)


def test_measuring_can_be_stopped_and_leaves_nothing(engine: Engine, recipe: Recipe) -> None:
    def stop(_done: int, _total: int) -> None:
        raise JobCancelledError("Measuring", "it was cancelled", "start it again")

    with pytest.raises(JobCancelledError):
        report_on_scene(engine.config.root, recipe, None, loader(engine, recipe), progress=stop)
    assert engine.reports.get(recipe, FEATURES) is None


def test_reports_are_deleted_and_counted_with_their_scene_and_damage_is_none(engine: Engine, recipe: Recipe) -> None:
    before = engine.layouts.disk_bytes(recipe.scene_id)
    report_on_scene(engine.config.root, recipe, None, loader(engine, recipe))
    assert engine.layouts.disk_bytes(recipe.scene_id) > before + 1000
    for path in (engine.layouts.root / recipe.scene_id).glob("*trust*"):
        path.write_bytes(b"PK" if path.suffix == ".npz" else b"{")
    assert engine.reports.get(recipe, FEATURES) is None
    assert engine.reports.values(recipe, FEATURES, "counts") is None
    report_on_scene(engine.config.root, recipe, None, loader(engine, recipe))
    engine.layouts.delete_scene(recipe.scene_id)
    assert engine.reports.get(recipe, FEATURES) is None


def test_the_same_report_is_asked_for_once(engine: Engine, recipe: Recipe) -> None:
    first = engine.submit_trust(recipe, SETTINGS)
    assert first.kind == "trust"
    assert engine.submit_trust(recipe, SETTINGS).id == first.id
    assert engine.submit_trust(recipe, None).id != first.id
    engine.delete_scene(recipe.scene_id)
    assert [job.state for job in engine.jobs.jobs() if job.kind == "trust"] == ["cancelled", "cancelled"]


def test_what_an_encoder_was_trained_on_is_read_from_beside_its_model(
    engine: Engine, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = case_of(engine.library.get(recipe.scene_id), engine.features(recipe))
    config = engine.config
    assert novelty_reference(recipe, config) is None
    assert novelty_reference(replace(recipe, encoder="no such encoder"), config) is None
    assert novelty_part(case, recipe, config).sentences == ("It was not trained, so no land is unfamiliar to it.",)
    assert "is not known here" in novelty_part(case, replace(recipe, encoder="other"), config).sentences[0]
    path = tmp_path / "familiar.npz"
    monkeypatch.setattr(features, "companion", lambda *_: path)
    path.write_bytes(b"PK")
    assert "damaged" in novelty_part(case, recipe, config).sentences[0]
    random = np.random.default_rng(0)
    statistics = np.abs(random.standard_normal((400, 4))).astype(np.float32)
    calibrate_novelty(statistics, ["B03", "B04"]).save(path)
    assert novelty_part(case, recipe, config).measured
    assert "too few of the bands" in novelty_part(replace(case, bands=("B02",)), recipe, config).sentences[0]
    assert "no means" in novelty_part(replace(case, band_mean=None), recipe, config).sentences[0]
    other = replace(recipe, fingerprint="0" * 64)
    assert not novelty_part(case, other, config).measured, "a model of that name, but another one"


def test_few_patches_are_not_measured(engine: Engine, recipe: Recipe) -> None:
    case = case_of(engine.library.get(recipe.scene_id), engine.features(recipe))
    few = replace(
        case, vectors=case.vectors[:5], content=case.content[:5], ids=case.ids[:5], labels=case.labels[:5], places=None
    )
    assert hubs_part(few)[0].sentences == ("Not measured: 5 patches are too few.",)
    assert not layout_part(few, np.zeros((5, 2), np.float32))[0].measured
    assert labels_part(few).sentences == (
        "Not measured: 5 patches with a class are too few to measure by; 12 are enough.",
    )
    alone = replace(few, labels=np.array([0, -1, -1, -1, -1]), mixed=4)
    assert labels_part(alone).sentences == (
        "Not measured: 1 patch with a class is too few to measure by; 12 are enough.",
        "4 patches of mixed land are left out: no class covers 80 % of such a patch.",
    )
    mixed = labels_part(replace(few, labels=np.full(5, -1), mixed=5))
    assert mixed.sentences[0] == "Not measured: every patch with a class is of mixed land."
    one_class = replace(case, labels=np.zeros(42, np.int64))
    assert "fewer than two classes have two patches or more" in labels_part(one_class).sentences[0]
    lone = replace(case, labels=np.append(np.zeros(41, np.int64), 1), classes=("Land", "Bog"))
    assert "fewer than two classes have two patches or more" in labels_part(lone).sentences[0]


def test_classes_of_one_patch_each_cannot_be_measured(engine: Engine, recipe: Recipe) -> None:
    case = case_of(engine.library.get(recipe.scene_id), engine.features(recipe))
    each = replace(case, labels=np.arange(42), classes=tuple(f"c{number}" for number in range(42)))
    assert "fewer than two classes have two patches or more" in labels_part(each).sentences[0]


def test_copies_count_once_and_not_in_two_classes(engine: Engine, recipe: Recipe) -> None:
    case = case_of(engine.library.get(recipe.scene_id), engine.features(recipe))
    content = case.content.copy()
    content[7], content[1] = content[0], content[8]
    assert (case.labels[7], case.labels[0], case.labels[1], case.labels[8]) == (0, 0, 1, 1)
    labels = case.labels.copy()
    labels[8] = 0
    told = labels_part(replace(case, content=content, labels=labels)).sentences
    assert "1 patch that is a copy of another does not count." in told
    assert "2 patches do not count, because the same patch stands for several classes." in told
    assert any("39 labelled patches" in sentence for sentence in told)


def test_without_classes_the_app_and_the_command_line_say_what_to_do_there(engine: Engine, recipe: Recipe) -> None:
    case = case_of(engine.library.get(recipe.scene_id), engine.features(recipe))
    bare = labels_part(replace(case, labels=np.full(42, -1)))
    assert bare.sentences == (
        "Not measured: the patches have no classes; give them some with Label above, or add a truth map on the Scenes "
        "page.",
    )
    collection = replace(engine.library.get(recipe.scene_id), kind="collection")
    assert no_labels_of(collection) == "the patches have no classes; give them some with Label above"


def test_the_plain_spectrum_of_a_file_is_that_of_its_scene(engine: Engine, tmp_path: Path, capsys: Capture) -> None:
    scene = small_scene(engine)
    path = tmp_path / "f.parquet"
    assert main(["embed", "small-1", "--encoder", "landlike-1", "--out", str(path)]) == 0
    spectrum = assess(engine, scene, BASELINE)[0].retrieval.precision[10]
    assert f"the plain spectrum would give {round(100 * spectrum.value)} (" in told(capsys, path)
    engine.library.delete("small-1")
    rough = re.search(r"the plain spectrum would give about (\d+) \(", told(capsys, path))
    assert rough is not None
    assert abs(int(rough[1]) - 100 * spectrum.value) <= 2
    table = pq.read_table(path).drop_columns(["band_mean", "band_std"])
    pq.write_table(table, path)
    assert "What the plain spectrum would give is not known: this needs the pixels or the means" in told(capsys, path)


def embedded(tmp_path: Path, *options: str) -> Path:
    out = tmp_path / "f.parquet"
    assert main(["embed", "small-1", "--encoder", BASELINE, "--out", str(out), *options]) == 0
    return out


def told(capsys: Capture, path: Path) -> str:
    capsys.readouterr()
    assert main(["report", str(path)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_the_command_line_tells_everything_of_a_scene_in_the_library(
    engine: Engine, tmp_path: Path, capsys: Capture
) -> None:
    small_scene(engine)
    path = embedded(tmp_path)
    assert main(["project", str(path), "--out", str(path)]) == 0
    out = told(capsys, path)
    assert out.startswith("f.parquet: 42 patches of Small scene; encoder: Spectral statistics, 32 numbers a patch\n")
    for words in ("times in 100", "With the grid moved by 8 pixels", "Among the 10 nearest of", "nearest by features"):
        assert words in out
    assert "Not measured" not in out
    assert "It was not trained" in out
    verdict = out.splitlines()[2]
    assert verdict.endswith(". Clouds were not looked for: no map of them came with the scene."), verdict


def test_what_a_file_alone_cannot_tell_is_said(engine: Engine, tmp_path: Path, capsys: Capture) -> None:
    small_scene(engine)
    path = embedded(tmp_path)
    engine.library.delete("small-1")
    pq.write_table(pq.read_table(path).drop_columns(["label", "band_mean", "row"]), path)
    out = told(capsys, path)
    for words in ("or a column “label”", "the scene of the file is not in the library", "project” adds them"):
        assert words in out
    assert "very many others?\n  No: every patch" in out
    pq.write_table(pq.read_table(path).select(["patch_id", "vector"]).replace_schema_metadata(None), path)
    assert "encoder: not named in the file" in told(capsys, path)


def test_labels_of_a_persons_own_count_and_those_of_mixed_land_do_not(
    engine: Engine, tmp_path: Path, capsys: Capture
) -> None:
    small_scene(engine)
    path = embedded(tmp_path, "--stride", "32")
    table = pq.read_table(path)
    assert table.num_rows == 11 * 13
    report = told(capsys, path)
    assert "all 77 labelled patches" in report
    assert "66 patches of mixed land are left out: no class covers 80 % of such a patch." in report
    own = pa.array(["left" if col < 6 else "right" for col in table.column("col").to_pylist()])
    pq.write_table(table.set_column(table.column_names.index("label"), "label", own), path)
    report = told(capsys, path)
    assert "all 143 labelled patches" in report
    assert "mixed land" not in report


@pytest.mark.parametrize(
    ("encoder", "found"),
    [
        ("nosuch", "Looking for the encoder “nosuch”: there is none of that name and no such file; choose one of"),
        ("landlike-1", "by the encoder “landlike-1”: that one did not make the file; give the model that made it"),
    ],
)
def test_an_encoder_that_is_asked_for_and_cannot_be_had_is_told(
    engine: Engine, tmp_path: Path, capsys: Capture, encoder: str, found: str
) -> None:
    small_scene(engine)
    path = embedded(tmp_path)
    capsys.readouterr()
    assert main(["report", str(path), "--encoder", encoder]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert found in err
    assert len(err.splitlines()) == 1
    assert main(["report", str(path), "--encoder", BASELINE]) == 0


@pytest.mark.parametrize(
    ("name", "values", "found"),
    [
        ("label", list(range(42)), "its column “label” holds int64 and not names"),
        ("row", [0.5] * 42, "its columns “row” and “col” are not whole numbers"),
        ("vector", [1.0] * 42, "the vectors are not lists"),
    ],
)
def test_bad_files_are_one_sentence(
    engine: Engine, tmp_path: Path, capsys: Capture, name: str, values: list[object], found: str
) -> None:
    small_scene(engine)
    path = embedded(tmp_path)
    table = pq.read_table(path)
    pq.write_table(table.set_column(table.column_names.index(name), name, pa.array(values)), path)
    assert main(["report", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert found in err
    assert len(err.splitlines()) == 1
    assert main(["report", str(tmp_path / "none.parquet")]) == 1


def test_the_part_of_the_truth_follows_the_map_that_was_added(engine: Engine, recipe: Recipe, tmp_path: Path) -> None:
    reports, scene = engine.reports, engine.library.get(recipe.scene_id)
    features = engine.features(recipe)

    def measured() -> list[Section]:
        truth = truth_of(scene)
        assert truth is not None
        _report_on_truth(engine.config.root, scene, features, None, silent)
        kept = list(reports.root.rglob(f"*{BY_TRUTH}*.json"))
        assert [path.name for path in kept] == [f"{recipe.key}-{BY_TRUTH}{truth.version}.trust.json"]
        return reports.get(recipe, BY_TRUTH + truth.version) or []

    assert [section.name for section in measured()] == ["land"]
    own = case_of(scene, features, "own").classes
    truth = np.ones((scene.grid.height, scene.grid.width), np.uint16)
    write_truth(tmp_path / "raster.tif", truth)
    add_truth_map(scene, tmp_path / "raster.tif", TruthMap(file="", source="map.tif", classes=("Water", "Land")))
    land, labels = measured()
    assert (land.sentences, land.measured) == (("Not measured: all land is of one class.",), False)
    assert "nothing to tell apart" in labels.sentences[0]
    assert (case_of(scene, features).classes, case_of(scene, features, "own").classes) == (("Water", "Land"), own)
    truth[:, : scene.grid.width // 2] = 2
    write_truth(tmp_path / "raster.tif", truth)
    add_truth_map(scene, tmp_path / "raster.tif", TruthMap(file="", source="map.tif", classes=("Water", "Land")))
    land, labels = measured()
    assert land.measured
    assert land.figures["best"] >= land.figures["share"]
    assert "The classes are those of “map.tif”, for 100 % of the scene." in land.sentences
