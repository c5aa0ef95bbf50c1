"""What is asked of a training: one value that the page, the command line and the payload of a job all make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from core.scenes.labels import By, LabelSet, origin_of
from core.scenes.scene import Scene
from core.training.base_model import SCRATCH


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """What a person asks of a training.

    Attributes:
        title: what pages call the model.
        sets: labelled patches to learn from; a training needs one at least.
        base: ``scratch``, or the name, path or handle of a model to go on from.
        freeze: True = only the head is trained, which is what follows the body of the base.
        epochs: how often all patches are gone through; None = as often as suits the base.
        bands: that a network from scratch sees; None = all that the patches share, or those of the base.
        test_sets: labelled patches whose places are left out; the finished encoder is measured on each set.
        head: True = features stay those of the base, and a classifier on them is learned; ``freeze``, ``epochs`` and
            ``hyperparameters`` do not count.
        limits: what the model card says besides of what was not learned, a sentence each.
        seed: of everything that is drawn.
        hyperparameters: values by name (``Hyperparameters``) that are not to be those which suit the base.
    """

    title: str
    sets: tuple[LabelSet, ...] = ()
    base: str = SCRATCH
    freeze: bool = False
    epochs: int | None = None
    bands: tuple[str, ...] | None = None
    test_sets: tuple[LabelSet, ...] = ()
    limits: tuple[str, ...] = ()
    seed: int = 0
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    head: bool = False

    def to_payload(self) -> dict[str, Any]:
        """Return it as JSON values, from which ``from_payload`` makes it again.

        What version 0.1 did not know is left out where nobody asked for it: jobs are known by their payload, so the
        same request is the same job in both.
        """
        values = {
            "sets": [asdict(one) for one in self.sets],
            "base": self.base,
            "freeze": self.freeze,
            "epochs": self.epochs,
            "title": self.title,
        }
        added = {
            "bands": None if self.bands is None else list(self.bands),
            "test_sets": [asdict(one) for one in self.test_sets],
            "limits": list(self.limits),
            "seed": self.seed,
            "hyperparameters": dict(self.hyperparameters),
            "head": self.head,
        }
        return values | {name: value for name, value in added.items() if value}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> TrainingRequest:
        """Return the request of a payload, of this version or 0.1; keys that are none of its fields are passed over."""
        values = {one.name: payload[one.name] for one in fields(cls) if one.name in payload}
        for name in ("sets", "test_sets"):
            values[name] = tuple(LabelSet(**one) for one in values.get(name, ()))
        for name in ("bands", "limits"):
            if values.get(name) is not None:
                values[name] = tuple(values[name])
        return cls(**values)


def label_set(scene: Scene, by: By | None = None) -> LabelSet:
    """Return the labelled patches of a scene by name; None = by its truth if it has one, else by hand."""
    return LabelSet(scene_id=scene.id, by=by or origin_of(scene))
