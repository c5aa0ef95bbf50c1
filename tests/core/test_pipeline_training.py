"""Training an encoder: what is learned from, that it learns, that the last epoch is kept, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.__main__ import main
from core.encoders.registry import load_encoder
from core.errors import TrainingError
from core.pipeline_labelled import gather, split
from core.training import Labelled, joined
from tests import modules
from tests.finetuning import some
from tests.labelled import CLASSES, pixels, write_zip

RUN = """
import json, sys
from pathlib import Path
from core.encoders.fitting import FitSettings
from core.pipeline_epochs import train
from core.pipeline_labelled import Parts
from tests.finetuning import some

parts = Parts(train=some(8, side=32), random=some(2, side=32, seed=500), spatial=None)
settings = FitSettings(epochs=3, rate=3e-3, crops=(1.0,), until=(), mixing=0.0)
seen, stop = [], json.loads(sys.argv[2])

class Killed(BaseException):
    pass

def report(epoch):
    seen.append([epoch.number, epoch.loss])
    if stop.get("kill") == epoch.number:
        raise Killed

def cancelled():
    return bool(seen) and stop.get("cancel") == seen[-1][0]

card = None
try:
    card = train(parts, settings, Path(sys.argv[1]), title="Three", source="test", report=report, cancelled=cancelled)
except Killed:
    pass
print(json.dumps({"seen": seen, "card": card}))
"""


def trained(directory: Path, **stop: int) -> dict[str, object]:
    """Train in a process of its own, as the worker does; ``kill`` or ``cancel`` after an epoch."""
    printed = modules.run("-c", RUN, str(directory), json.dumps(stop))
    found: dict[str, object] = json.loads(printed.splitlines()[-1])
    return found


def test_sets_are_joined_on_the_bands_and_classes_they_share() -> None:
    colours, whole = some(2), some(3, bands=("B02", "B03", "B04", "B08"))
    other = replace(whole, classes=("Meadow", "Rock", "Water"))
    found = joined([colours, other])
    assert found.bands == ("B02", "B03", "B04")
    assert found.classes == ("Meadow", "Rock", "Sand", "Water")
    assert found.counts() == {"Meadow": 5, "Rock": 3, "Sand": 2, "Water": 5}
    assert (found.pixels[6:] == whole.pixels[..., :3]).all()
    assert joined([whole], ["B08", "B02"]).bands == ("B02", "B08")


@pytest.mark.parametrize(
    ("sets", "bands", "says"),
    [
        ([some(2), some(2, side=64)], None, "sizes of 32 and 64 pixels"),
        ([some(2), some(2, bands=("B08", "B11"))], None, "share the bands none"),
        ([some(2)], ["B08"], "share the bands B02, B03, B04; choose among these"),
    ],
)
def test_sets_that_do_not_fit_are_refused(sets: list[Labelled], bands: list[str] | None, says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        joined(sets, bands)


def test_places_of_another_set_are_left_out_whatever_their_ending() -> None:
    whole = some(5)
    other = whole.take(np.array([0, 7]))
    other = replace(other, names=tuple(name.replace(".tif", ".jpg") for name in other.names))
    kept = gather([whole], apart=[other])
    assert len(kept) == 13
    assert set(whole.names) - set(kept.names) == {whole.names[0], whole.names[7]}


def test_classes_that_teach_nothing_are_refused() -> None:
    whole = some(4)
    with pytest.raises(TrainingError, match=r"too few patches of Sand \(1\)"):
        gather([whole.take(np.array([0, 1, 4, 8, 9]))])
    one = replace(whole.take(np.arange(4)), classes=("Meadow",))
    with pytest.raises(TrainingError, match="there is only the class Meadow; give two classes"):
        gather([one])


def test_blocks_of_land_are_held_out_where_places_are_known() -> None:
    whole = some(40)
    random = np.random.default_rng(0)
    parts = split(replace(whole, lonlat=random.uniform([10, 45], [13, 47], (120, 2))), 0)
    assert parts.spatial is not None
    assert len(parts.train) + len(parts.random) + len(parts.spatial) == 120
    assert 0.15 < len(parts.spatial) / 120 < 0.35
    assert split(whole, 0).spatial is None
    names = [set(part.names) for part in (parts.train, parts.random, parts.spatial)]
    assert sum(len(part) for part in names) == len(set.union(*names))


def test_it_learns_keeps_the_last_epoch_and_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    killed = trained(tmp_path / "model", kill=2)
    assert [number for number, _ in killed["seen"]] == [1, 2]
    assert not (tmp_path / "model").exists()
    rest = trained(tmp_path / "model")
    assert [number for number, _ in rest["seen"]] == [3], "the first two epochs are not done again"
    card = rest["card"]
    losses = [epoch["loss"] for epoch in card["history"]]
    assert len(losses) == card["epochs"] == 3
    assert losses[-1] < 0.8 * losses[0]
    assert card["classes"] == dict.fromkeys(CLASSES, 8)
    assert card["accuracy"]["random"]["patches"] == 6
    assert not (tmp_path / "model.training").exists()

    batch = np.stack([pixels(name, 900 + row).transpose(1, 2, 0)[:32, :32] for row, name in enumerate(CLASSES * 4)])
    batch = batch.astype(np.float32) / 10_000
    features = load_encoder(str(tmp_path / "model"), "openvino-f32").encode(batch)
    assert features.shape == (12, 160)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-4)
    plain = modules.outputs({"model": (tmp_path / "model", batch)}, tmp_path)["model"]
    np.testing.assert_allclose(features, plain["plain"], atol=1e-3)
    np.testing.assert_allclose(features, plain["ours"], atol=1e-3)
    cosine = features @ features.T
    np.fill_diagonal(cosine, -1)
    assert ((cosine.argmax(axis=1) % 3) == np.arange(12) % 3).all(), "each patch's nearest is of its class"


def test_a_cancelled_training_leaves_the_encoder_of_its_last_whole_epoch(tmp_path: Path) -> None:
    found = trained(tmp_path / "model", cancel=1)
    assert found["card"]["epochs"] == 1
    assert load_encoder(str(tmp_path / "model")).spec.dimension == 160


def test_the_command_says_what_is_wrong_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path / "data"))
    labelled = write_zip(tmp_path / "set.zip", 2)
    assert main(["finetune", str(labelled), "--out", str(tmp_path)]) == 1
    assert "it exists already; give the name of a new folder." in capsys.readouterr().err
    assert main(["finetune", str(labelled), "--scale", "dn", "--epochs", "0", "--out", str(tmp_path / "m")]) == 1
    assert "0 epochs" in capsys.readouterr().err
    assert main(["finetune", str(labelled), "--scale", "dn", "--train-bands", "B99", "--out", str(tmp_path / "m")]) == 1
    assert "choose among these" in capsys.readouterr().err
