"""What an encoder is trained on: sets joined, places and blocks left out, and what is refused before the work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.__main__ import main
from core.cli.training import _going_on, verdict_line
from core.errors import TrainingError
from core.training.dataset import Labelled, gather, joined, resize
from core.training.split import split
from tests.finetuning import COLOURS, some
from tests.labelled import write_zip


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
        ([some(2)], ["B08"], "share the bands B02, B03, B04, and B08 was asked for; choose among these"),
    ],
)
def test_sets_that_do_not_fit_are_refused(sets: list[Labelled], bands: list[str] | None, says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        joined(sets, bands)


def test_places_of_another_set_are_left_out_whatever_their_ending() -> None:
    whole = some(5)
    other = whole.take(np.array([0, 7]))
    other = replace(other, names=tuple(name.replace(".tif", ".jpg") for name in other.names))
    kept = gather([whole], test_sets=[other])
    assert len(kept) == 13
    assert set(whole.names) - set(kept.names) == {whole.names[0], whole.names[7]}


def test_other_patches_are_another_training() -> None:
    whole = some(6)
    changed = whole.pixels.copy()
    changed[3, 0, 0, 0] += 1
    others = [
        replace(whole, pixels=changed),
        replace(whole, labels=whole.labels[::-1].copy()),
        replace(whole, names=("a", *whole.names[1:])),
    ]
    assert len({one.digest() for one in (whole, *others)}) == 4
    assert whole.digest() == some(6).digest()


def test_classes_that_teach_nothing_are_refused() -> None:
    whole = some(4)
    with pytest.raises(TrainingError, match=r"too few patches of Sand \(1\)"):
        gather([whole.take(np.array([0, 1, 4, 8, 9]))])
    one = replace(whole.take(np.arange(4)), classes=("Meadow",))
    with pytest.raises(TrainingError, match="there is only the class Meadow; give two classes"):
        gather([one])


def test_a_class_that_a_map_names_and_no_patch_has_keeps_nobody_from_learning_the_others() -> None:
    whole = some(4)
    named = replace(whole, classes=("Bare rock", *whole.classes), labels=whole.labels + 1)
    kept = gather([named])
    assert (kept.classes, kept.labels.tolist()) == (whole.classes, whole.labels.tolist())


def test_a_refusal_says_which_patches_do_not_count() -> None:
    whole = some(4)
    copies = whole.take(np.array([0, 0, 0, 4, 4, 8, 9]))
    with pytest.raises(TrainingError) as refused:
        gather([copies])
    assert (
        refused.value.found == "too few patches of Meadow (1), Sand (1), and 3 are copies of others, which count once"
    )
    with pytest.raises(TrainingError) as refused:
        gather([whole], test_sets=[whole.take(np.array([0, 1, 2]))])
    assert refused.value.found == (
        "too few patches of Meadow (1), and 3 of the same names as the sets kept apart were left out"
    )
    with pytest.raises(TrainingError, match=r"Meadow \(0\), Sand \(0\), Water \(0\), and 12 of the same names"):
        gather([whole], test_sets=[whole])


@pytest.mark.usefixtures("here")
def test_the_command_says_what_is_wrong_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path / "data"))
    labelled = write_zip(tmp_path / "set.zip", 2)
    assert main(["finetune", str(labelled), "--out", str(tmp_path)]) == 1
    assert "it exists already; give the name of a new folder." in capsys.readouterr().err
    assert main(["finetune", str(labelled), "--scale", "dn", "--epochs", "0", "--out", str(tmp_path / "m")]) == 1
    assert "0 epochs" in capsys.readouterr().err
    alone = write_zip(tmp_path / "alone.zip", 4, classes=("Rock",))
    asked = ["finetune", str(labelled), "--scale", "dn", "--apart", str(alone), "--out", str(tmp_path / "m")]
    assert main(asked) == 1
    assert "all labelled patches are of one class" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()
    assert main(["finetune", str(labelled), "--scale", "dn", "--bands", "B99", "--out", str(tmp_path / "m")]) == 1
    said = capsys.readouterr().err
    assert said.endswith(", and B99 was asked for; choose among these.\n")
    assert said.startswith("Learning from labelled patches: they share the bands B01, B02, B03,")


def test_a_training_that_goes_on_says_from_where() -> None:
    assert _going_on(0, 1) == ""
    assert _going_on(3, 4) == "going on after epoch 3\n"
    assert "had other patches or settings; this one began anew" in _going_on(3, 1)


def test_patches_in_more_bands_than_the_network_sees_are_the_same_patches() -> None:
    whole = some(24, bands=("B02", "B03", "B04", "B08", "B11"))
    doubled = replace(whole, pixels=np.concatenate([whole.pixels[..., :3], whole.pixels[..., 3:] + 7], axis=3))
    narrow = gather([whole, doubled], bands=COLOURS)
    wide = gather([whole, doubled], bands=COLOURS, whole=True)
    assert (len(narrow), wide.bands) == (72, whole.bands), "copies are those in the bands of the network"
    assert (wide.names, wide.repeats) == (narrow.names, narrow.repeats)
    seen, parts = split(wide, 0), split(narrow, 0)
    assert seen.validation is not None
    assert parts.validation is not None
    for one, other in ((seen.train, parts.train), (seen.random, parts.random), (seen.validation, parts.validation)):
        assert one.on(COLOURS).digest() == other.digest(), "a training that was stopped goes on"
    small = resize(wide, 16)
    np.testing.assert_array_equal(small.on(COLOURS).band_statistics(), narrow.band_statistics())
    assert wide.on(wide.bands) is wide


def test_the_command_offers_a_head_where_a_training_was_not_worth_it() -> None:
    verdict = {"against": "Landlike 1", "worth": False, "worse": False, "patches": 48}
    assert verdict_line({"verdict": verdict}).startswith("held-out patches cannot tell this model from a head on Landl")
    assert "named worse than by a head" in verdict_line({"verdict": verdict | {"worse": True}})
    assert verdict_line({"verdict": verdict | {"worth": True}}) == verdict_line({}) == ""
