"""What is asked of a training: one value, from a page, the command line, and payloads of the version before."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from core.config import settings
from core.errors import SettingsError
from core.scenes.labels import LabelSet
from core.scenes.library import Library
from core.training.base_model import FROM_SCRATCH, suited
from core.training.request import TrainingRequest, label_set
from core.training.run import plan
from tests.scenes import add_scene

PLAIN = TrainingRequest(title="Reed", sets=(LabelSet(scene_id="a-1", by="hand"),), epochs=5)
FULL = TrainingRequest(
    title="Reed",
    sets=(LabelSet(scene_id="a-1", by="truth"), LabelSet(scene_id="b-1", by="hand")),
    base="landlike-1",
    freeze=True,
    epochs=7,
    bands=("B02", "B08"),
    test_sets=(LabelSet(scene_id="c-1", by="truth"),),
    limits=("Snow.",),
    seed=3,
    hyperparameters={"mixup": 0.0, "crops": [1.0], "milestones": []},
    head=True,
)
BEFORE = {
    "sets": [{"scene_id": "a-1", "by": "hand"}], "base": "scratch", "freeze": False, "epochs": 5, "title": "Reed",
    "name": "reed",
}  # fmt: skip
"""A payload as version 0.1 wrote it."""


@pytest.mark.parametrize("request_", [PLAIN, FULL])
def test_a_payload_gives_the_request_again(request_: TrainingRequest) -> None:
    payload = json.loads(json.dumps(request_.to_payload() | {"name": "reed"}))
    assert TrainingRequest.from_payload(payload) == request_


def test_every_field_that_was_asked_for_is_in_the_payload() -> None:
    assert set(FULL.to_payload()) == {field.name for field in fields(TrainingRequest)}


def test_a_payload_of_the_version_before_is_read_and_written_alike() -> None:
    assert TrainingRequest.from_payload(BEFORE) == PLAIN
    assert PLAIN.to_payload() | {"name": "reed"} == BEFORE, "jobs are known by it"


def test_a_set_of_labels_is_by_truth_where_there_is_one(tmp_path: Path) -> None:
    scene = add_scene(Library(tmp_path))
    assert label_set(scene) == LabelSet(scene_id=scene.id, by="hand")
    assert label_set(scene, "truth").by == "truth"
    assert label_set(replace(scene, classes=("Reed",), directory=tmp_path)).by in {"hand", "truth"}


def test_hyperparameters_of_a_request_are_those_of_its_base_but_for_what_it_says() -> None:
    asked = TrainingRequest(title="x", epochs=3, seed=5, hyperparameters={"mixup": 0.0, "widths": [8, 16]})
    usual = suited(FROM_SCRATCH, freeze=False)
    expected = replace(usual, epochs=3, seed=5, mixup=0.0, widths=(8, 16))
    assert plan(asked, settings())[1] == expected
    assert plan(replace(asked, epochs=None), settings())[1].epochs == usual.epochs


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"mixing": 0.1}, "there is no hyperparameter mixing; choose among epochs, batch_size, learning_rate"),
        ({"crops": [1.0]}, "there are 1 crops and 2 milestones between them"),
        ({"band_dropout": 1.0}, "bands are to be left out with the probability 1.0"),
    ],
)
def test_hyperparameters_that_are_none_are_refused(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        plan(TrainingRequest(title="x", hyperparameters=wrong), settings())
