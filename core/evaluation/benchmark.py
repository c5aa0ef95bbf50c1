"""How good an encoder is on labelled patches, beside the plain spectrum of the same patches; and that as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from core.encoders.spectral import SPECTRAL as BASELINE
from core.errors import SettingsError, TrainingError
from core.evaluation.baseline import plain_spectrum
from core.evaluation.duplicates import Duplicates, find_duplicates
from core.evaluation.land import K, LandRetrieval, known_land, land_retrieval, mostly
from core.evaluation.report.card import terminal_lines
from core.evaluation.report.caveats import overlap_words, unasked
from core.evaluation.report.wording import land_section
from core.evaluation.retrieval import DEPTHS, VOTERS, HeldOut, Retrieval, Share, held_out, retrieval
from core.evaluation.splits import leaves_every_class, random_split, spatial_split
from core.evaluation.training_overlap import training_patches
from core.features.given import given_spec
from core.progress import Progress, silent
from core.scenes.labels import By, needed_labels
from core.scenes.patches import centres_lonlat, patch_grid
from core.scenes.truth import Truth, class_numbers, truth_of

if TYPE_CHECKING:
    from core.config import Config
    from core.encoders.base import EncoderSpec
    from core.features.recipe import Features, Recipe
    from core.scenes.scene import Scene

TEST_SHARE = 0.2
"""Share of the patches that are held out."""


class FeatureSource(Protocol):
    """Gives features of scenes, computed or stored; the engine is one."""

    config: Config

    def recipe(self, scene: Scene, encoder: str, *, backend: str | None) -> Recipe:
        """Return how an encoder encodes a scene."""

    def spec(self, encoder: str, backend: str | None) -> EncoderSpec:
        """Return what an encoder is."""

    def encode_now(self, scene: Scene, recipe: Recipe, *, progress: Progress) -> Features:
        """Return the features of a recipe."""


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What one encoder does with some labelled patches.

    Attributes:
        encoder: its title.
        dimension: number of features.
        duplicates: the patches that were left out because they are the same as others.
        overlap: how many of the patches that count the encoder has learned from.
        retrieval: every patch asked for its neighbours among the others.
        random: a random fifth of each class held out; None when a class has one patch only.
        spatial: whole blocks of land held out; None where places are unknown, all in one block, or blocks hold all
            there is of a class.
    """

    encoder: str
    dimension: int
    duplicates: Duplicates
    overlap: int
    retrieval: Retrieval
    random: HeldOut | None
    spatial: HeldOut | None


def assess(
    source: FeatureSource,
    scene: Scene,
    encoder: str,
    *,
    backend: str | None = None,
    by: By | None = None,
    progress: Progress = silent,
) -> list[Assessment]:
    """Assess an encoder on the labels of a scene, and the baseline after it unless it is that, or there are no pixels.

    Features that are stored are not computed again. Labels come from the truth or by hand as ``by`` says (None = from
    the truth if there is one).

    Raises:
        TrainingError: when the scene has no labels.
        SettingsError: when it has too few.
    """
    alone = encoder == BASELINE or not scene.has_pixels
    wanted = [(encoder, backend)] if alone else [(encoder, backend), (BASELINE, None)]
    return [
        _assess(source, scene, source.recipe(scene, name, backend=way), backend=way, by=by, progress=progress)
        for name, way in wanted
    ]


@dataclass(frozen=True, kw_only=True)
class LandAssessment:
    """How much of their land the neighbours share that one encoder finds.

    Attributes:
        encoder: its title.
        dimension: number of features.
        truth: the classes.
        not_asked: classes whose patches were not asked.
        unknown: patches of which too little is known.
        found: the figures.
    """

    encoder: str
    dimension: int
    truth: Truth
    not_asked: tuple[str, ...]
    unknown: int
    found: LandRetrieval

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values: figures of 0 to 1, unknown ones as None."""
        figures = self.found.to_dict()
        classes = [one | {"name": self.truth.classes[one.pop("number")]} for one in figures["classes"]]
        about = {"encoder": self.encoder, "dimension": self.dimension, "map": None, "covered": 1.0}
        if self.truth.added is not None:
            about |= {"map": self.truth.added.source, "covered": self.truth.added.covered}
        return about | {"not_asked": list(self.not_asked), "unknown": self.unknown} | figures | {"classes": classes}


def assess_land(
    source: FeatureSource,
    scene: Scene,
    encoder: str,
    *,
    backend: str | None = None,
    k: int = K,
    not_asked: Sequence[str] | None = None,
    progress: Progress = silent,
) -> LandAssessment:
    """Measure how much of their land neighbours share, by the truth of a scene, beside the plain spectrum.

    Features that are stored are not computed again.

    Args:
        source: gives the features.
        scene: a scene with a truth.
        encoder: which one.
        backend: how it runs; None = as usual.
        k: neighbours that are looked at.
        not_asked: classes whose patches are not asked; None = as is kept with the map.
        progress: told patches encoded.

    Raises:
        TrainingError: when the scene has no map of classes.
        SettingsError: for a class that is not there, or when nothing can be asked.
    """
    truth, asked = truth_of(scene), f"Measuring the land of “{scene.name}”"
    if truth is None or scene.is_collection:
        what = "it is a collection of patches" if scene.is_collection else "there is no map of its classes"
        raise TrainingError(asked, what, "give a scene, and a map of classes with --truth")
    skipped = class_numbers(truth.classes, truth.not_asked if not_asked is None else not_asked)
    recipe = source.recipe(scene, encoder, backend=backend)
    features, grid = source.encode_now(scene, recipe, progress=progress), patch_grid(scene, recipe.cut)
    land = known_land(truth, grid, features.patch_ids)
    ids = features.patch_ids[land.rows]
    if len(ids) < 3:
        found = f"only {len(ids)} patches lie on land of which half is known"
        raise SettingsError(asked, found, "give a map that covers more of the scene")
    spec = given_spec(scene) or source.spec(recipe.encoder, backend)
    return LandAssessment(
        encoder=spec.title,
        dimension=spec.dimension,
        truth=truth,
        not_asked=tuple(truth.classes[number] for number in skipped),
        unknown=land.unknown,
        found=land_retrieval(
            np.asarray(features.vectors)[land.rows],
            land.shares,
            grid.first_pixels(ids),
            reach=grid.size,
            plain=None if recipe.encoder == BASELINE else plain_spectrum(scene, grid, ids),
            skip=mostly(land.shares, skipped),
            k=k,
        ),
    )


def land_table(assessment: LandAssessment) -> Iterator[str]:
    """Return the lines of a table: encoder, plain spectrum, best possible and chance, and what was left out."""
    found, truth = assessment.found, assessment.truth
    yield f"{found.patches:,} patches of known land, {found.asked:,} of them asked; {len(truth.classes)} classes"
    section = land_section(
        found, truth.classes, itself=found.plain is None, unknown=assessment.unknown, not_asked=assessment.not_asked,
        source="" if truth.added is None else truth.added.source,
        covered=1.0 if truth.added is None else truth.added.covered,
    )  # fmt: skip
    scores = [found.own, found.plain, found.best, found.chance]
    yield ""
    yield _row("", f"{assessment.encoder}, {assessment.dimension}", "plain spectrum", "best possible", "chance")
    yield _row(f"overlap@{found.k} of shares of land", *(None if one is None else str(one.overlap) for one in scores))
    yield _row(f"P@{found.k} of the commonest class", *(None if one is None else str(one.dominant) for one in scores))
    yield ""
    yield from section.sentences
    yield from terminal_lines([replace(section, title="", sentences=())])[2:]


def _assess(
    source: FeatureSource, scene: Scene, recipe: Recipe, *, backend: str | None, by: By | None, progress: Progress
) -> Assessment:
    grid = patch_grid(scene, recipe.cut)
    truth = needed_labels(f"Measuring on “{scene.name}”", scene, grid, by)
    features = source.encode_now(scene, recipe, progress=progress)
    ids = features.patch_ids
    light = np.concatenate([features.band_mean, features.band_std], axis=1)
    duplicates = find_duplicates(light if scene.bands else features.vectors, truth.pure[ids])
    ids, vectors = ids[duplicates.kept], np.asarray(features.vectors)[duplicates.kept]
    labels = truth.pure[ids]
    places = None if scene.is_collection else grid.first_pixels(ids)
    centres = centres_lonlat(scene, grid, ids)
    held = random_split(labels, TEST_SHARE, 0)
    blocks = None if centres is None else spatial_split(centres, TEST_SHARE, 0)
    if blocks is not None and not leaves_every_class(labels, blocks):
        blocks = None
    spec = given_spec(scene) or source.spec(recipe.encoder, backend)
    known = training_patches(recipe, source.config) if scene.bands else None
    return Assessment(
        encoder=spec.title,
        dimension=spec.dimension,
        duplicates=duplicates,
        overlap=0 if known is None else int(known.holds(features.band_mean, features.band_std)[duplicates.kept].sum()),
        retrieval=retrieval(vectors, labels, truth.classes, places=places, reach=grid.size),
        random=held_out(vectors, labels, held),
        spatial=None if blocks is None else held_out(vectors, labels, blocks),
    )


def assessment_table(assessments: list[Assessment]) -> Iterator[str]:
    """Return the lines of a table, one column an encoder, and precision by class below."""
    first = assessments[0].retrieval
    asked = "" if first.queries == first.count else f", {first.queries:,} of them asked"
    yield f"{first.count:,} labelled patches of {len(first.classes)} classes{asked}; 95 % intervals in brackets"
    yield from unasked(first, first.singletons)
    yield from overlap_words(assessments[0].overlap, first.count)
    yield ""
    yield _row("", *(f"{one.encoder}, {one.dimension}" for one in assessments))
    yield _row("neighbours share the class (each patch left out of its own answer)")
    for depth in DEPTHS:
        yield _row(f"  among the nearest {depth}", *(one.retrieval.precision[depth] for one in assessments))
    yield _row("  by chance", *(f"{one.retrieval.chance:.3f}" for one in assessments))
    yield _row(f"class named rightly by {VOTERS} nearest", *(one.retrieval.accuracy for one in assessments))
    for title, name in (("a random fifth held out", "random"), ("whole blocks of land held out", "spatial")):
        splits: list[HeldOut | None] = [getattr(one, name) for one in assessments]
        if any(splits):
            yield _row(title)
            yield _row(f"  named rightly by {VOTERS} nearest", *(split.nearest if split else None for split in splits))
            yield _row("  by a linear classifier", *(split.linear if split else None for split in splits))
    yield ""
    yield _row(f"share of the nearest {DEPTHS[-1]} by class")
    for number, row in enumerate(first.classes):
        columns = (one.retrieval.classes[number].precision for one in assessments)
        yield _row(f"  {row.name} ({row.count:,})", *columns)


def _row(title: str, *columns: Share | str | None) -> str:
    cells = (
        "—" if column is None or (isinstance(column, Share) and not column.count) else str(column) for column in columns
    )
    return (f"{title:44}" + "".join(f"{cell:26}" for cell in cells)).rstrip()
