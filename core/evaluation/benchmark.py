"""How good an encoder is on labelled patches, beside the plain spectrum of the same patches; and that as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from core.encoders.spectral import SPECTRAL as BASELINE
from core.evaluation.duplicates import Duplicates, find_duplicates
from core.evaluation.report.wording import overlap_words, unasked
from core.evaluation.retrieval import DEPTHS, VOTERS, HeldOut, Retrieval, Share, held_out, retrieval
from core.evaluation.splits import leaves_every_class, random_split, spatial_split
from core.evaluation.training_overlap import training_patches
from core.progress import Progress, silent
from core.scenes.labels import By, needed_labels
from core.scenes.patches import centres_lonlat, patch_grid

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
    """Assess an encoder on the labels of a scene, and the baseline after it unless it is the baseline.

    Features that are stored are not computed again. Labels come from the truth or by hand as ``by`` says (None = from
    the truth if there is one).

    Raises:
        TrainingError: when the scene has no labels.
        SettingsError: when it has too few.
    """
    wanted = [(encoder, backend)] if encoder == BASELINE else [(encoder, backend), (BASELINE, None)]
    return [
        _assess(source, scene, source.recipe(scene, name, backend=way), backend=way, by=by, progress=progress)
        for name, way in wanted
    ]


def _assess(
    source: FeatureSource, scene: Scene, recipe: Recipe, *, backend: str | None, by: By | None, progress: Progress
) -> Assessment:
    grid = patch_grid(scene, recipe.cut)
    truth = needed_labels(f"Measuring on “{scene.name}”", scene, grid, by)
    features = source.encode_now(scene, recipe, progress=progress)
    ids = features.patch_ids
    duplicates = find_duplicates(np.concatenate([features.band_mean, features.band_std], axis=1), truth.pure[ids])
    ids, vectors = ids[duplicates.kept], np.asarray(features.vectors)[duplicates.kept]
    labels = truth.pure[ids]
    places = None if scene.kind == "collection" else grid.first_pixels(ids)
    centres = centres_lonlat(scene, grid, ids)
    held = random_split(labels, TEST_SHARE, 0)
    blocks = None if centres is None else spatial_split(centres, TEST_SHARE, 0)
    if blocks is not None and not leaves_every_class(labels, blocks):
        blocks = None
    spec = source.spec(recipe.encoder, backend)
    known = training_patches(recipe, source.config)
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
