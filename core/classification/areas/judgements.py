"""A sample of patches that people judge, kept beside the scene: what was drawn from which map, and what they said.

It is apart from the labels that teach: a sample that also teaches says too much good of the map.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from core.classification.areas.class_map import ClassifiedPatches
from core.classification.areas.estimation import AccuracyAssessment, AreaStratum, JudgedUnit, estimate_accuracy
from core.classification.areas.sample_design import allocate, draw_sample
from core.errors import ClassificationError
from core.files import editing
from core.scenes.given.classes import clean_class
from core.scenes.kept import read_kept, write_kept
from core.scenes.scene import Scene

JUDGEMENTS = "judgements.json"
"""File of the judged samples of a scene, one for each way it is cut."""


@dataclass(frozen=True, kw_only=True)
class SampledPatch:
    """A patch of a sample.

    Attributes:
        patch: its id.
        mapped: its class on the map it was drawn from, or ``ABSTAINED``.
        reference: what a person says it is; None = not judged yet.
    """

    patch: int
    mapped: str
    reference: str | None = None


@dataclass(frozen=True, kw_only=True)
class JudgedSample:
    """A stratified random sample and what people said of it.

    Attributes:
        cut: ``Cut.key`` of the patches.
        map_version: what tells the map it was drawn from; of any other map it says nothing.
        seed: of the draw.
        strata: classes of the map with their hectares and patches.
        patches: in the order they are judged, which is random.
    """

    cut: str
    map_version: str
    seed: int
    strata: tuple[AreaStratum, ...]
    patches: tuple[SampledPatch, ...]

    @property
    def judged(self) -> int:
        """How many patches have been judged."""
        return sum(one.reference is not None for one in self.patches)

    @property
    def next(self) -> SampledPatch | None:
        """The first patch that is not judged yet; None when all are."""
        return next((one for one in self.patches if one.reference is None), None)

    def drawn_from(self, map_version: str, mapped: Mapping[int, str]) -> bool:
        """Return whether a map is the one it was drawn from; of the same labels, features of two encoders map two.

        Args:
            map_version: of the map.
            mapped: class of each patch on it, ``ABSTAINED`` where it has none.
        """
        alike = all(mapped.get(one.patch) == one.mapped for one in self.patches)
        return alike and self.map_version == map_version

    def with_reference(self, patch: int, reference: str | None) -> JudgedSample:
        """Return the sample with what a person says of a patch; None takes it back.

        Raises:
            SettingsError: for a name that cannot be used.
        """
        name = None if reference is None else clean_class("Judging a patch", reference)
        return replace(
            self,
            patches=tuple(replace(one, reference=name) if one.patch == patch else one for one in self.patches),
        )

    def put_off(self, patch: int) -> JudgedSample:
        """Return the sample with a patch behind all others."""
        waiting = tuple(one for one in self.patches if one.patch == patch)
        return replace(self, patches=tuple(one for one in self.patches if one.patch != patch) + waiting)

    def assessment(self) -> AccuracyAssessment:
        """Return accuracy and areas as the judged patches tell them.

        Raises:
            ClassificationError: while a class of the map has no judged patch.
        """
        return self.assessment_of({one.patch: one.mapped for one in self.patches})

    def assessment_of(self, mapped: Mapping[int, str]) -> AccuracyAssessment:
        """Return accuracy of another map of the same land and areas, as the judged patches tell them.

        Strata stay those of the map that the sample was drawn from (Stehman 2014). Patches without a class on the
        other map are left out, which is said.

        Args:
            mapped: class of each patch on the other map, ``ABSTAINED`` where it has none.

        Raises:
            ClassificationError: while a stratum has no judged patch.
        """
        units = [
            JudgedUnit(stratum=one.mapped, mapped=mapped[one.patch], reference=one.reference)
            for one in self.patches
            if one.patch in mapped
        ]
        return estimate_accuracy(units, self.strata)


def sample_of(
    patches: ClassifiedPatches, hectares: Sequence[float], *, size: int, seed: int, cut: str, map_version: str
) -> JudgedSample:
    """Draw a stratified random sample of a map: each class gets its minimum, the rest goes by patches.

    Args:
        patches: of the map.
        hectares: of each of them, on the ground.
        size: patches to judge; more than there are counts as all.
        seed: of the draw.
        cut: ``Cut.key`` of the patches.
        map_version: what tells this map from any other.

    Raises:
        SettingsError: when the size does not give each class two.
    """
    units = {name: len(rows) for name, rows in patches.strata.items()}
    ground = np.asarray(hectares, np.float64)
    rows = draw_sample(patches, allocate(size, units), seed)
    return JudgedSample(
        cut=cut,
        map_version=map_version,
        seed=seed,
        strata=tuple(
            AreaStratum(name=name, hectares=float(ground[rows].sum()), units=len(rows))
            for name, rows in patches.strata.items()
        ),
        patches=tuple(
            SampledPatch(patch=int(patches.ids[row]), mapped=str(patches.classes[row])) for row in rows.tolist()
        ),
    )


def load_sample(scene: Scene, cut: str) -> JudgedSample | None:
    """Return the sample of a scene for a way of cutting; None when there is none, or the file is damaged."""

    def sample(content: bytes) -> JudgedSample | None:
        found = _parsed(content).get(cut)
        return None if found is None else _sample(cut, found)

    return read_kept(scene, JUDGEMENTS, sample, "the patches judged before")


def save_sample(scene: Scene, sample: JudgedSample) -> None:
    """Keep a sample, in place of the one for the same cut.

    Raises:
        SceneError: when the disk refuses it, or the samples that are there cannot be read: they would be lost.
    """
    held = {key: value for key, value in asdict(sample).items() if key != "cut"}
    _change(scene, lambda samples: {**samples, sample.cut: held})


def drop_sample(scene: Scene, cut: str) -> None:
    """Forget the sample for a way of cutting. Errors as of ``save_sample``."""
    _change(scene, lambda samples: {key: value for key, value in samples.items() if key != cut})


def _change(scene: Scene, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    asked = f"Judging patches of “{scene.name}”"
    with editing(scene.directory / JUDGEMENTS, asked=asked):
        before = read_kept(scene, JUDGEMENTS, _parsed, "the patches judged before", asked=asked) or {}
        content = json.dumps({"version": 1, "samples": change(before)})
        write_kept(scene, JUDGEMENTS, content.encode(), asked=asked)


def _parsed(content: bytes) -> Mapping[str, Any]:
    """Return the samples of a scene by cut."""
    held = json.loads(content)
    if held["version"] != 1 or not isinstance(held["samples"], dict):
        raise ValueError("samples")
    samples: Mapping[str, Any] = held["samples"]
    return samples


def _sample(cut: str, held: Mapping[str, Any]) -> JudgedSample:
    return JudgedSample(
        cut=cut,
        map_version=str(held["map_version"]),
        seed=int(held["seed"]),
        strata=tuple(AreaStratum(**one) for one in held["strata"]),
        patches=tuple(SampledPatch(**one) for one in held["patches"]),
    )


def told_by(sample: JudgedSample, mapped: Mapping[int, str] | None = None) -> AccuracyAssessment | None:
    """Return what a sample tells; None while a class of the map has no judged patch, or none at all is judged.

    Args:
        sample: judged.
        mapped: class of each patch on another map than it was drawn from; None = it is that one.
    """
    try:
        found = sample.assessment() if mapped is None else sample.assessment_of(mapped)
    except ClassificationError:
        return None
    return None if found.overall is None else found
