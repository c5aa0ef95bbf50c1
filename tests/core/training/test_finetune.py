"""Training on from a model: that nothing changes before it, that it learns, and what is refused."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.__main__ import main
from core.bands import BAND_NAMES, EUROSAT_ORDER
from core.config import Config, settings
from core.encoders.registry import SHIPPED, describe, load_encoder
from core.errors import SettingsError, TrainingError
from core.evaluation.taught_classes import classifier_in
from core.progress import silent
from core.training.base_model import check_bands, find_base, suited
from core.training.dataset import conflicting, gather
from core.training.head import head_base
from core.training.hyperparameters import NETWORK_FEATURES
from core.training.request import TrainingRequest
from core.training.run import READING, plan
from core.training.trained_models import history_of
from tests import finetuning
from tests.finetuning import COLOURS, some
from tests.ground import ground, unit
from tests.labelled import CLASSES, pixels, write_zip

OTHERS = ("Dune", "Grass", "Lake")
PLAIN = {
    "mixup": 0.0,
    "brightness_jitter": 0.0,
    "offset_jitter": 0.0,
    "band_dropout": 0.0,
    "crops": [1.0],
    "milestones": [],
    "learning_rate": 1e-3,
}
"""Hyperparameters without augmentation, so that a few patches give a loss that can be compared."""

LEARNS = PLAIN | {"learning_rate": 3e-3}

DRAWS = LEARNS | {
    "mixup": 0.3,
    "brightness_jitter": 0.08,
    "offset_jitter": 0.003,
    "band_dropout": 0.1,
    "crops": [0.75, 1.0],
    "milestones": [0.5],
}
"""Hyperparameters that draw everything that can be drawn, given ``FIVE`` bands."""

FIVE = (*COLOURS, "B08", "B11")

OLD = Path(__file__).resolve().parents[2] / "fixtures" / "old_training.tar.xz"
"""A model and a stopped training of the version before, made by ``make_old_training.py`` beside it."""

CHOOSES: dict[str, Any] = {
    "base": "scratch", "bands": FIVE, "epochs": 3, "per_class": 22,
    "hyperparameters": DRAWS | {"learning_rate": 0.3, "patience": 2},
}  # fmt: skip
"""A training of so many patches that its best epoch is chosen, and of steps so large that it is not the last."""

Results = tuple[Path, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def done(model: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Everything that needs TensorFlow, in one process: importing it costs more than the training."""
    folder = tmp_path_factory.mktemp("models")
    for kind in ("tiny", "tf2"):
        shutil.copytree(model(kind), folder / kind)
    sidecar = {"bands": list(EUROSAT_ORDER), "input_size": 32, "gain": 1.5}
    (folder / "tiny" / "landlike.json").write_text(json.dumps(sidecar))
    with tarfile.open(OLD) as archive:
        archive.extractall(folder, filter="data")
    batch = np.stack([pixels(name, 900 + row).transpose(1, 2, 0)[:32, :32] for row, name in enumerate(CLASSES * 4)])
    np.save(folder / "plain-ours.npy", batch.astype(np.float32) / 10_000)
    tiny, tf2, ours = str(folder / "tiny"), str(folder / "tf2"), str(folder / "ours")
    tasks: dict[str, dict[str, Any]] = {
        "zero-tiny": {"base": tiny, "zero": True},
        "zero-tf2": {"base": tf2, "zero": True},
        "on-tiny": {"base": tiny, "epochs": 2, "hyperparameters": PLAIN},
        "on-tf2": {"base": tf2, "epochs": 4, "hyperparameters": PLAIN},
        "head-tf2": {"base": tf2, "freeze": True, "epochs": 8},
        # Cancelled after its fourth epoch, and what others go on from.
        "ours": {"base": "scratch", "bands": COLOURS, "epochs": 5, "hyperparameters": LEARNS, "cancel": 4},
        "plain-ours": {"plain": "ours"},
        "zero-ours": {"base": ours, "zero": True},
        "head-ours": {"base": ours, "freeze": True, "epochs": 4, "classes": OTHERS},
        # Killed after its last epoch, before its encoder is written: what it has kept tells how it ends. What there is
        # of it after its second epoch is what one killed there would leave, and goes on as "other".
        "best": CHOOSES | {"kill": 3, "copy": [2, "other"]},
        "other": CHOOSES,
        "best-apart": {"kept": "best", "written": "other"},
        "put-on-ours": {"base": ours, "head": True, "classes": OTHERS},
        "put-on-tiny": {"base": tiny, "head": True},
        "put-on-nothing": {"base": "scratch", "head": True},
        "heads": {"compare": ["ours", "head-ours"]},
        "no-blue": {"base": ours, "bands": ["B03", "B04", "B08"]},
        # As "on-tf2", but for a disk that is full when the third epoch is kept.
        "full": {"base": tf2, "epochs": 4, "hyperparameters": PLAIN, "limit": [2, 20_000]},
        "full-again": {"base": tf2, "epochs": 4, "hyperparameters": PLAIN, "into": "full"},
        "bare": {"strip": "ours"},
        "frozen-graph": {"base": str(folder / "bare")},
        "restored": {"restore": SHIPPED},
        "on-whole": {
            "base": str(folder / "whole"), "epochs": 2, "bands": FIVE, "side": 40, "hyperparameters": LEARNS,
        },
        "stopped": {
            "base": "scratch", "bands": FIVE, "epochs": 3, "hyperparameters": DRAWS | {"widths": [8, 16]}, "kill": 3,
        },
    }  # fmt: skip
    return folder, finetuning.do(folder, tasks)


def _apart(result: dict[str, Any], backend: str = "tensorflow") -> float:
    """The largest difference from the base, relative to its largest feature."""
    base = np.array(result["base"])
    return float(np.abs(np.array(result["features"][backend]) - base).max() / np.abs(base).max())


@pytest.mark.parametrize("name", ["zero-tiny", "zero-tf2", "zero-ours"])
@pytest.mark.parametrize("backend", finetuning.BACKENDS)
def test_without_a_step_features_are_those_of_the_base(done: Results, name: str, backend: str) -> None:
    folder, results = done
    assert results[name]["error"] is None
    assert _apart(results[name], backend) <= 1e-5
    base, written = describe(_base_of(folder, name), settings()), describe(str(folder / name), settings())
    assert (written.bands, written.gain, written.input_size) == (base.bands, base.gain, base.input_size)
    assert written.dimension == base.dimension


def test_a_shipped_model_read_back_to_be_trained_on_gives_its_features(done: Results) -> None:
    found = done[1]["restored"]
    assert np.shape(found["base"]) == (12, 192)
    assert _apart(found) <= 1e-5


def test_land_that_a_network_was_taught_is_less_strange_to_it(done: Results) -> None:
    """However unlike the land of the shipped encoder it is."""
    found = done[1]["restored"]
    assert found["usual"][0] == pytest.approx(0.2), "no more of it"
    strange, known = found["said"]
    assert known > strange + 0.02


def test_what_is_usual_is_measured_on_patches_with_all_bands_alone(done: Results) -> None:
    folder = done[0]
    usual = [_usual(folder / name) for name in ("head-ours", "ours")]
    assert usual[0] != [0, 0]
    assert usual[1] == [0, 0], "other bands would stand in for those that its patches lack"


def _usual(directory: Path) -> list[float]:
    with np.load(directory / "shares.npz") as held:
        return [float(held[f"usual_{name}"]) for name in ("strangeness", "unevenness")]


def _base_of(folder: Path, name: str) -> str:
    """The base of a task whose name ends like it."""
    return str(folder / name.split("-", 1)[1])


@pytest.mark.parametrize("name", ["on-tiny", "on-tf2", "head-tf2", "head-ours", "on-whole"])
def test_training_on_lowers_the_loss_and_changes_the_features(done: Results, name: str) -> None:
    folder, results = done
    found = results[name]
    assert found["error"] is None
    losses = found["losses"]
    assert np.mean(losses[len(losses) // 2 :]) < np.mean(losses[: len(losses) // 2])
    assert found["card"]["base"] == Path(_base_of(folder, name)).name
    assert found["card"]["frozen"] == name.startswith("head")
    assert json.loads((folder / name / "card.json").read_text())["accuracy"] == found["card"]["accuracy"]
    assert "none in held-out blocks of land" in found["card"]["split"]
    assert found["card"]["split"].endswith(f"{found['card']['base']} may have learned from any of them before")
    assert set(found["card"]["accuracy"]["random"]) == {"patches", "accuracy", "low", "high"}
    if name == "head-tf2":
        assert np.shape(found["features"]["tensorflow"]) == (12, 128), "a linear layer gives the features"
    elif name == "on-whole":
        assert np.shape(found["features"]["tensorflow"]) == (12, 192), "a model of before goes on in the form of now"
    else:
        assert _apart(found) > 1e-4


def _gathered(features: list[list[float]]) -> float:
    """How much more alike patches of one class are than patches of two, by cosine."""
    rows = np.array(features)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    same = np.repeat(np.arange(3), 4)[:, None] == np.repeat(np.arange(3), 4)[None, :]
    cosine = rows @ rows.T
    return float(cosine[same].mean() - cosine[~same].mean())


def test_a_frozen_body_with_a_new_head_draws_classes_together(done: Results) -> None:
    found = done[1]["head-tf2"]
    assert _gathered(found["features"]["tensorflow"]) > _gathered(found["base"]) + 0.1


def test_a_frozen_body_of_ours_keeps_every_weight_and_statistic(done: Results) -> None:
    changed = done[1]["heads"]["changed"]
    assert "to_embedding/kernel" in changed
    assert {path.split("/")[0] for path in changed} <= {"to_embedding", "embedding"}


def test_weights_are_not_stored_twice(done: Results) -> None:
    folder, _ = done
    beside = sum((folder / "ours" / name).stat().st_size for name in ("network.json", "classifier.npy"))
    assert beside < 0.25 * (folder / "ours" / "saved_model.pb").stat().st_size


def test_patches_without_a_band_of_the_base_are_refused(done: Results) -> None:
    said = done[1]["no-blue"]["error"]
    assert said.startswith("Training on from ours: it takes B02, B03, B04, and the patches lack B02; give patches")
    base = find_base(str(done[0] / "tiny"), settings())
    with pytest.raises(TrainingError, match=r"and the patches lack B10; give patches with these bands"):
        check_bands(base, [name for name in BAND_NAMES if name != "B10"], None)
    with pytest.raises(TrainingError, match="B02 were asked for; leave the choice of bands out"):
        check_bands(base, BAND_NAMES, ["B02"])


def test_a_model_without_variables_is_refused(done: Results) -> None:
    said = done[1]["frozen-graph"]["error"]
    assert said.endswith("it has no variables that can be trained; choose another model to start from.")
    assert not (done[0] / "frozen-graph").exists()


def test_a_training_goes_on_where_it_was_killed(done: Results) -> None:
    folder, results = done
    killed, rest = results["best"], results["other"]
    assert (killed["error"], killed["seen"], killed["card"]) == ("killed", [1, 2, 3], None)
    assert rest["seen"] == [3], "the first two epochs are not done again"
    assert len(rest["card"]["history"]) == rest["card"]["epochs"] == 3
    assert rest["card"]["classes"] == dict.fromkeys(CLASSES, 14)
    assert not (folder / "other.training").exists()


def test_a_killed_training_goes_on_as_it_would_have(done: Results) -> None:
    """The loss of its last epoch tells of all its weights and of what the optimiser remembers."""
    whole, rest = (done[1][name]["losses"] for name in ("best", "other"))
    assert rest == pytest.approx(whole[2:], 1e-4)
    assert len(rest) == 1


def test_a_stopped_training_of_a_module_ends_with_the_features_it_would_have_had(done: Results) -> None:
    whole, stopped, rest = (done[1][name] for name in ("on-tf2", "full", "full-again"))
    assert (stopped["seen"], rest["seen"]) == ([1, 2], [3, 4])
    assert stopped["losses"][:2] + rest["losses"] == pytest.approx(whole["losses"], 1e-4)
    features = np.array(whole["features"]["tensorflow"])
    np.testing.assert_allclose(rest["features"]["tensorflow"], features, atol=1e-4 * np.abs(features).max())


def test_a_model_and_a_stopped_training_of_the_version_before_go_on(done: Results) -> None:
    folder, results = done
    before = json.loads((folder / "results.json").read_text())
    features = np.array(before["features"])
    np.testing.assert_allclose(results["on-whole"]["base"], features, atol=1e-4 * np.abs(features).max())
    assert results["stopped"]["seen"] == [3], "the first two epochs are not done again"
    # Processors differ in the order of their sums.
    losses = [epoch["loss"] for epoch in history_of(folder / "stopped")]
    assert losses == pytest.approx(before["whole"], rel=1e-2)
    assert losses[:2] == before["stopped"]


def test_every_file_of_a_written_model_is_in_its_list(done: Results) -> None:
    folder = done[0] / "ours"
    listed = {line.split("  ", 1)[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert listed == files - {"SHA256SUMS"}
    assert {"card.json", "network.json", "landlike.json"} <= listed


def test_seeds_out_of_range_are_refused() -> None:
    for seed in (-1, 2**32):
        with pytest.raises(SettingsError, match=f"the seed {seed} was asked for"):
            plan(TrainingRequest(title="x", seed=seed), settings())


def test_progress_goes_on_where_the_training_does(done: Results) -> None:
    killed, rest = done[1]["best"]["steps_copied"], done[1]["other"]["steps"]
    assert {total for _, total in killed + rest} == {1000}
    trained = [step for step, _ in killed if step > READING] + [step for step, _ in rest if step > READING]
    assert trained == sorted(trained)
    assert (killed[0][0], rest[0][0], rest[-1][0]) == (READING, READING, 1000)
    assert max(step for step, _ in killed) <= min(step for step, _ in rest if step > READING)


def test_a_network_from_scratch_draws_classes_together_on_both_backends(done: Results) -> None:
    folder, results = done
    losses = results["ours"]["losses"]
    assert losses[-1] < 0.8 * losses[0]
    directory = folder / "ours"
    batch = np.load(folder / "plain-ours.npy")
    features = load_encoder(str(directory), settings(), "openvino-f32").encode(batch)
    assert features.shape == (12, 192)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-4)
    with np.load(folder / "plain-ours.npz") as plain:
        np.testing.assert_allclose(features, plain["plain"], atol=1e-3)
        np.testing.assert_allclose(features, plain["ours"], atol=1e-3)
    cosine = features @ features.T
    np.fill_diagonal(cosine, -1)
    assert ((cosine.argmax(axis=1) % 3) == np.arange(12) % 3).all(), "each patch's nearest is of its class"


def test_the_ground_part_of_a_network_from_scratch_is_what_pixels_say(done: Results) -> None:
    encoder = load_encoder(str(done[0] / "other"), settings(), "openvino-f32")
    side = encoder.spec.input_size or 64
    batch = np.random.default_rng(1).uniform(0.02, 0.5, (3, side, side, 13)).astype(np.float32)
    features = encoder.encode(batch)
    np.testing.assert_allclose(unit(features[:, NETWORK_FEATURES:]), ground(batch), atol=1e-3)


def test_a_cancelled_training_leaves_the_encoder_of_its_last_whole_epoch(done: Results) -> None:
    found = done[1]["ours"]
    assert (found["error"], found["seen"]) == (None, [1, 2, 3, 4])
    assert found["card"]["epochs"] == 4
    assert found["card"]["accuracy"]["random"]["patches"] == 6
    assert describe(str(done[0] / "ours"), settings()).dimension == 192


def test_a_full_disk_is_one_sentence_and_loses_no_epoch(done: Results) -> None:
    folder, results = done
    said = results["full"]["error"]
    assert said == (
        "Writing the model “full”: the disk is full; make room on the disk and repeat it, the last whole epoch is kept."
    )
    assert results["full"]["seen"] == [1, 2]
    assert (results["full-again"]["error"], results["full-again"]["seen"]) == (None, [3, 4])
    assert len(results["full-again"]["card"]["history"]) == 4
    assert not list(folder.glob(".full.*")), "no half-written model is left"


def test_what_has_no_weights_or_no_body_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="from spectral: it has no weights that can be trained; choose another"):
        find_base("spectral", Config(root=tmp_path, model_cache=tmp_path))
    with pytest.raises(TrainingError, match="name a model to start from, or do not freeze"):
        suited(find_base("scratch", settings()), freeze=True)


def test_a_warm_start_takes_smaller_steps_and_few_patches_keep_its_statistics(done: Results) -> None:
    scratch, ours, module = (
        find_base(one, settings()) for one in ("scratch", str(done[0] / "ours"), str(done[0] / "tiny"))
    )
    rates = [suited(base, freeze=False).learning_rate for base in (module, ours, scratch)]
    assert rates == sorted(set(rates))
    assert suited(ours, freeze=False).frozen_batch_norm_below > 4
    assert suited(scratch, freeze=False).frozen_batch_norm_below == 0


def test_a_patch_in_two_classes_is_refused_by_name() -> None:
    whole = some(6)
    copied = whole.pixels.copy()
    copied[7] = copied[2]
    with pytest.raises(TrainingError, match=r"several classes: Meadow_2\.tif \(Meadow, Sand\), Sand_7\.tif"):
        gather([replace(whole, pixels=copied)])
    names = (*whole.names[:6], "pictures/Meadow_3.jpg", *whole.names[7:])
    assert conflicting(replace(whole, names=names)) == ["Meadow_3.tif (Meadow, Sand)", "Meadow_3.jpg (Meadow, Sand)"]


def test_files_numbered_anew_in_each_folder_and_blank_patches_do_not_contradict() -> None:
    whole = some(6)
    numbered = replace(whole, names=tuple(f"{CLASSES[row // 6]}/{row % 6}.tif" for row in range(18)))
    assert conflicting(numbered) == []
    blank = whole.pixels.copy()
    blank[[0, 7]] = 0
    assert conflicting(replace(whole, pixels=blank)) == []


@pytest.mark.usefixtures("here")
def test_the_command_tells_bands_to_learn_from_and_bands_of_the_files_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}

    def run(request: TrainingRequest, _directory: Path, read: Any, **_: Any) -> dict[str, Any]:
        told.update(bands=request.bands, patches=read(request.sets[0], silent))
        return {}

    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("core.training.run.run", run)
    labelled = str(write_zip(tmp_path / "set.zip", 2, bands=("B02", "B03", "B04", "B08")))
    asked = ["finetune", labelled, "--scale", "dn", "--out", str(tmp_path / "m")]
    assert main([*asked, "--bands", "B08,b03"]) == 0
    assert told["bands"] == ("B08", "B03")
    assert told["patches"].bands == ("B02", "B03", "B04", "B08"), "all that the files have are read"
    assert main([*asked, "--file-bands", "B08,-,B03,B02"]) == 0
    assert told["bands"] is None
    assert told["patches"].bands == ("B02", "B03", "B08")


def test_a_training_that_goes_on_ends_with_the_best_epoch_as_the_unbroken_one_does(done: Results) -> None:
    folder, results = done
    rest = results["other"]
    assert rest["error"] is None
    history = history_of(folder / "best")
    best = max(history, key=lambda epoch: (epoch["accuracy"], -epoch["held_out_loss"]))
    assert rest["card"]["kept_epoch"] == best["number"] < len(history) == 3
    assert results["best-apart"]["apart"] < 1e-4
    assert "42 patches learned from, 12 held out to choose by, 12 held out at random" in rest["card"]["split"]
    assert rest["card"]["accuracy"]["random"]["patches"] == 12, "what chose is not what is reported"


@pytest.mark.parametrize(("name", "classes"), [("put-on-ours", OTHERS), ("put-on-tiny", CLASSES)])
def test_a_head_has_the_features_of_its_base_and_names_classes(
    done: Results, name: str, classes: tuple[str, ...]
) -> None:
    folder, results = done
    found, base = results[name], _base_of(folder, name.removeprefix("put-"))
    assert found["error"] is None
    assert found["features"]["tensorflow"] == found["base"]
    written, before = describe(str(folder / name), settings()), describe(base, settings())
    assert written.fingerprint == before.fingerprint, "scenes need not be encoded again"
    assert written.title == name
    card = found["card"]
    assert (card["head"], card["base"], card.get("epochs")) == (True, Path(base).name, None)
    classifier = classifier_in(folder / name)
    assert classifier is not None
    assert classifier.classes == classes
    assert (
        classifier.name(np.array(found["features"]["tensorflow"], np.float32)).index.tolist()
        == [0] * 4 + [1] * 4 + [2] * 4
    )
    find_base(str(folder / name), settings())
    listed = (folder / name / "SHA256SUMS").read_text()
    assert "classes.npz" in listed
    assert (name == "put-on-ours") == ("network.json" in listed), "it can be trained on as its base can"


def test_a_head_on_nothing_is_refused(done: Results) -> None:
    said = done[1]["put-on-nothing"]["error"]
    assert said.endswith("there are no features yet to put it on; choose an encoder to start from.")
    with pytest.raises(TrainingError, match="spectral has no model files that could be kept with it"):
        head_base("spectral", settings())
