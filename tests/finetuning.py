"""Trains and writes encoders in a process of its own, as the worker does, so that TensorFlow stays out of the tests'.

``do`` has the process of ``tests.modules`` do tasks, by name. A task has ``base`` and any of ``zero`` (write what
training starts from, untrained), ``freeze``, ``head``, ``bands``, ``side``, ``classes`` (of the patches), ``epochs``,
``hyperparameters``, ``kill`` and ``cancel`` (after that epoch), ``limit`` (an epoch, and the bytes a file may have
after it), ``copy`` (an epoch, and the name of another training that what is kept then is copied to). Each gives
``losses``, ``seen``, ``card``, ``error``, ``steps``, those until it was copied, and ``features`` beside those of
the base. ``into`` is the name of its encoder if it is not the task's. A task with ``compare`` gives the weights
``changed`` between two models, and how far ``apart`` they are; one with ``strip`` copies a model without its
``network.json``; one with ``kept`` says how far what a killed training kept of its best epoch is ``apart`` from the
model ``written``; one with ``restore`` gives ``features`` of a shipped encoder as it is read back to be trained on,
beside those it has; one with ``plain`` writes what ``modules.outputs`` gives of a model and a batch of the task's name.
"""

from __future__ import annotations

import gc
import json
import resource
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.bands import BAND_NAMES
from core.config import Config
from core.encoders.registry import ENTRIES, default_encoder, describe, load_encoder
from core.errors import JobCancelledError, LandlikeError
from core.progress import Progress
from core.scenes.labels import LabelSet
from core.training.dataset import Labelled, ReadPatches
from core.training.request import TrainingRequest
from core.training.trained_models import under_way
from tests import modules
from tests.compiled import compile_once
from tests.labelled import CLASSES, pixels

COLOURS = ("B02", "B03", "B04")
BACKENDS = ("tensorflow", "openvino-f32")

SMALL = {"widths": [8], "blocks": 1}
"""A small network of ours: most of the time goes into tracing, which takes longer the more layers there are."""

SET = (LabelSet(scene_id="test-0", by="truth"),)
"""Names the patches that ``reader`` reads."""


class Killed(BaseException):
    """What ends a training without its knowing."""


def some(
    per_class: int,
    *,
    side: int = 32,
    seed: int = 0,
    bands: tuple[str, ...] = COLOURS,
    classes: tuple[str, ...] = CLASSES,
) -> Labelled:
    """Labelled patches whose classes differ in level and stripes; places unknown."""
    labels = np.repeat(np.arange(len(classes)), per_class)
    found = [pixels(CLASSES[label], seed + row, bands, side).transpose(1, 2, 0) for row, label in enumerate(labels)]
    return Labelled(
        classes=classes,
        bands=bands,
        pixels=np.stack(found),
        labels=labels,
        names=tuple(f"{classes[label]}_{seed + row}.tif" for row, label in enumerate(labels)),
        lonlat=np.full((len(labels), 2), np.nan),
        title="test",
    )


def do(folder: Path, tasks: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What each task gave; its encoder lies in ``folder / name``."""
    # Here the tests know how the default encoder does in 8 bits, and there it would be tried anew.
    describe(default_encoder(), _config(folder))
    found: dict[str, dict[str, Any]] = json.loads(
        modules.tensorflow().do("tests.finetuning", str(folder), json.dumps(tasks))
    )
    modules.without_tensorflow()
    return found


def asked(folder: str, tasks: str) -> str:
    """Do what ``do`` asks for."""
    gc.disable()  # Of the millions of objects that TensorFlow is made of none is garbage, and graphs make many more.
    with pytest.MonkeyPatch.context() as patch:
        compile_once(patch)
        return json.dumps({name: _task(Path(folder), name, task) for name, task in json.loads(tasks).items()})


def _config(folder: Path) -> Config:
    return Config(root=folder / "cache", model_cache=folder / "cache")


def _features(model: Path, backend: str, folder: Path) -> np.ndarray:
    """Features of twelve patches of thirteen bands, four a class, of the bands that the model wants."""
    encoder = load_encoder(str(model), _config(folder), backend)
    batch = some(4, seed=900, bands=tuple(BAND_NAMES)).pixels.astype(np.float32) / 10_000
    return encoder.encode(batch[..., [BAND_NAMES.index(band) for band in encoder.spec.bands]])


@cache
def _base_features(base: Path, folder: Path) -> np.ndarray:
    return _features(base, "tensorflow", folder)


def _task(folder: Path, name: str, task: dict[str, Any]) -> dict[str, Any]:
    if "compare" in task:
        return _changed(*(folder / one for one in task["compare"]))
    if "kept" in task:
        return {"apart": _apart_from_kept(folder / task["kept"], folder / task["written"])}
    if "plain" in task:
        modules.write_outputs(folder, name, folder / task["plain"])
        return {}
    if "strip" in task:
        copy = Path(shutil.copytree(folder / task["strip"], folder / name))
        (copy / "network.json").unlink()
        (copy / "SHA256SUMS").unlink()
        return {}
    if "restore" in task:
        return _restored(task["restore"], folder)
    name = task.get("into", name)
    watch = _Watch(task, folder / name)
    result: dict[str, Any] = {"card": None, "error": None}
    try:
        result["card"] = _trained(folder / name, task, watch)
    except LandlikeError as error:
        result["error"] = str(error)
    except Killed:
        result["error"] = "killed"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    result |= {"seen": watch.epochs, "losses": watch.losses, "steps": watch.steps}
    result["steps_copied"] = watch.steps_copied
    if (folder / name).is_dir() and task["base"] != "scratch":
        result["base"] = _base_features(Path(task["base"]), folder).tolist()
        backends = BACKENDS if task.get("zero") else BACKENDS[:1]
        result["features"] = {backend: _features(folder / name, backend, folder).tolist() for backend in backends}
    return result


class _Watch:
    """Notes what a training tells, and disturbs it where its task says so."""

    def __init__(self, task: dict[str, Any], directory: Path) -> None:
        self.task = task
        self.directory = directory
        self.epochs: list[int] = []
        self.losses: list[float] = []
        self.steps: list[tuple[int, int]] = []
        self.steps_copied: list[tuple[int, int]] = []

    def report(self, epoch: Any) -> None:
        self.epochs.append(epoch.number)
        self.losses.append(epoch.loss)
        number, other = self.task.get("copy", (0, ""))
        if epoch.number == number:
            shutil.copytree(under_way(self.directory), under_way(self.directory.parent / other))
            self.steps_copied = list(self.steps)
        if self.task.get("limit") and epoch.number == self.task["limit"][0]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.task["limit"][1], resource.RLIM_INFINITY))
        if self.task.get("kill") == epoch.number:
            raise Killed

    def progress(self, done: int, total: int) -> None:
        self.steps.append((done, total))
        if self.epochs and self.task.get("cancel") == self.epochs[-1]:
            raise JobCancelledError("Training", "it was cancelled", "start it again")


def reader(patches: Labelled) -> ReadPatches:
    """What reads these patches, whatever it is asked for."""

    def read(_one: LabelSet, progress: Progress) -> Labelled:
        progress(len(patches), len(patches))
        return patches

    return read


def _patches(task: dict[str, Any]) -> Labelled:
    bands, classes = tuple(task.get("bands", BAND_NAMES)), tuple(task.get("classes", CLASSES))
    return some(task.get("per_class", 10), side=task.get("side", 32), bands=bands, classes=classes)


def _trained(directory: Path, task: dict[str, Any], watch: _Watch) -> dict[str, Any] | None:
    """The card of an encoder trained as its task says; None where only its start is written."""
    from core.training.run import run

    learned = _patches(task)
    config = _config(directory.parent)
    request = TrainingRequest(
        title=directory.name,
        sets=SET,
        base=task["base"],
        freeze=task.get("freeze", False),
        head=task.get("head", False),
        epochs=task.get("epochs"),
        hyperparameters=SMALL | task.get("hyperparameters", {}),
    )
    if task.get("zero"):
        _zero(learned, request, directory, config)
        return None
    told: dict[str, Any] = {"report": watch.report, "progress": watch.progress}
    return run(request, directory, reader(learned), config=config, **told)


def _restored(encoder: str, folder: Path) -> dict[str, Any]:
    """What training on from a shipped encoder starts from makes of twelve patches, beside the features it gives.

    And how much its network has to say of them where they are the land it is known to know.
    """
    import tensorflow as tf

    from core.training.keras.ground import shipped_ground
    from core.training.keras.joint import JointEncoder, accustomed
    from core.training.keras.restore import restore

    found = restore(Path(ENTRIES[encoder].reference))
    assert found.part is not None
    batch = some(4, side=found.side, seed=900, bands=tuple(BAND_NAMES)).pixels.astype(np.float32) / 10_000
    parts = (found.part, accustomed(found.part, batch, shipped_ground()))
    encoders = [JointEncoder(found.network, found.bands, part, shipped_ground()) for part in parts]
    before, after = (one.features(tf.constant(batch))["default"].numpy() for one in encoders)
    return {
        "base": load_encoder(encoder, _config(folder), "openvino-f32").encode(batch).tolist(),
        "features": {"tensorflow": before.tolist()},
        "said": [float(np.square(one[:, : len(found.part.centre)]).sum(axis=1).mean()) for one in (before, after)],
        "usual": [parts[1].usual_strangeness, parts[1].usual_unevenness],
    }


def _changed(first: Path, second: Path) -> dict[str, Any]:
    """Paths of the weights of two models of ours that differ, and by how much of the largest of each at most."""
    from core.training.keras.restore import DIRECTIONS, restore

    kept, other = ({v.path: v.numpy() for v in restore(path).network.weights} for path in (first, second))
    names = [path for path in kept if path != DIRECTIONS]
    apart = [np.abs(kept[path] - other[path]).max() / np.abs(kept[path]).max() for path in names]
    return {
        "changed": [path for path in names if (kept[path] != other[path]).any()],
        "apart": float(max(apart)),
    }


def _apart_from_kept(killed: Path, written: Path) -> float:
    """By how much of the largest of each the weights of a model differ at most from those kept of a best epoch."""
    from core.training.checkpoint import LAST
    from core.training.keras.restore import restore

    weights = [variable.numpy() for variable in restore(written).network.weights]
    with np.load(under_way(killed) / LAST) as file:
        kept = [file[f"best_{row}"] for row in range(len(weights))]
    return float(max(np.abs(a - b).max() / max(np.abs(a).max(), 1e-9) for a, b in zip(kept, weights, strict=True)))


def _zero(learned: Labelled, request: TrainingRequest, directory: Path, config: Config) -> None:
    """Write the network that a training starts from."""
    from core.training.keras.initialise import initialise
    from core.training.run import plan

    base, hyperparameters = plan(request, config)
    wide = learned.pixels[..., [learned.bands.index(band) for band in base.product_bands]]
    initial = initialise(base, replace(learned, pixels=wide), hyperparameters, freeze=request.freeze)
    directory.mkdir()
    initial.write(directory, directory.name, {"classes": dict.fromkeys(learned.classes, 1)})
