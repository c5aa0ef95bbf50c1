"""The report card of a file of features: what can be told from the file, and from its scene where that is here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.bands import BAND_NAMES
from core.config import Config
from core.encoders.registry import describe, matching_backend, matching_encoder
from core.encoders.spectral import SPECTRAL as BASELINE
from core.errors import EncoderError, LandlikeError, StoreError
from core.evaluation.baseline import plain_spectrum, spectrum_of_means
from core.evaluation.report.card import Section, terminal_lines
from core.evaluation.report.caveats import unexamined
from core.evaluation.report.measure import (
    LABELS_OF_MAP,
    NO_LABELS_IN_FILE,
    NO_PLACES,
    Case,
    grid_shift_part,
    hubs_part,
    labels_part,
    layout_part,
    novelty_part,
    warnings_of,
)
from core.evaluation.report.phrases import count_of_patches
from core.evaluation.report.verdict import summary_lines
from core.evaluation.report.wording import novelty_unknown, unmeasured
from core.evaluation.training_overlap import training_patches
from core.export.geoparquet import Embeddings
from core.features.recipe import Features, Recipe
from core.progress import Progress
from core.scenes.cut import Cut
from core.scenes.labels import hand_labels, patch_labels
from core.scenes.library import Library
from core.scenes.patches import IntArray, PatchGrid, patch_grid
from core.scenes.scene import SCENE_ID, Scene

Bar = Callable[[str, str], AbstractContextManager[Progress]]

NO_SCENE = "this needs the pixels, and the scene of the file is not in the library here"
NO_ENCODER = "the encoder that made the file is not at hand, or its files have changed"


@dataclass(frozen=True)
class SceneOfFile:
    """The scene of a file, and the grid it was cut by."""

    scene: Scene
    grid: PatchGrid


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """What was measured of a file of features.

    Attributes:
        headline: which patches of what, and by which encoder.
        home: the scene of the file; None where it is not in the library.
        sections: what was measured, and why the rest was not.
        unexamined: what no section looks at although it may spoil answers, a sentence each.
    """

    headline: str
    home: SceneOfFile | None
    sections: tuple[Section, ...]
    unexamined: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield the report for a terminal."""
        yield self.headline
        yield from summary_lines(self.sections, self.unexamined)
        yield from terminal_lines(self.sections)

    def beside_map(self) -> FileReport:
        """Return it as it stands beside a map of classes, which is no truth: not as if there were no classes at all."""
        none, of_map = (unmeasured("labels", why) for why in (NO_LABELS_IN_FILE, LABELS_OF_MAP))
        return replace(
            self,
            sections=tuple(
                replace(one, sentences=(*of_map.sentences, *one.sentences[1:]))
                if one.name == "labels" and one.sentences[0] == none.sentences[0]
                else one
                for one in self.sections
            ),
        )


def report_on_file(path: Path, found: Embeddings, config: Config, bar: Bar, encoder: str | None = None) -> FileReport:
    """Measure how far a file of features can be trusted.

    Args:
        path: the file, for its name.
        found: what is in it.
        config: where scenes and models lie.
        bar: gives a progress for a title and a unit.
        encoder: where the model lies that made the file; None = it is one of those here.

    Raises:
        EncoderError: when the encoder that is named is not there, or did not make the file.
        StoreError: when columns of the file cannot be used.
    """
    if encoder is not None:
        _check_encoder(encoder, path, found, config)
    home = _home(found, config)
    recipe = _recipe(found, encoder)
    case = replace(_case(path, found, home), overlap=_overlap(found, recipe, config))
    name = home.scene.name if home else found.scene.get("name")
    of, by = (f" of {name}" if name else ""), found.spec.get("title") or "not named in the file"
    headline = (
        f"{path.name}: {count_of_patches(len(found))}{of}; encoder: {by}, {found.vectors.shape[1]} numbers a patch"
    )
    sections = tuple(_sections(case, found, home, recipe, config=config, bar=bar))
    return FileReport(headline=headline, home=home, sections=sections, unexamined=tuple(_unexamined(found, home)))


def _unexamined(found: Embeddings, home: SceneOfFile | None) -> list[str]:
    wanted = found.spec.get("bands")
    return [] if home is None else unexamined(home.scene, wanted if isinstance(wanted, list) else ())


def _check_encoder(encoder: str, path: Path, found: Embeddings, config: Config) -> None:
    fingerprint = found.spec.get("fingerprint")
    describe(encoder, config)
    if isinstance(fingerprint, str) and matching_backend(encoder, fingerprint, config) is None:
        asked = f"Reporting on “{path.name}” by the encoder “{encoder}”"
        raise EncoderError(
            asked, "that one did not make the file", "give the model that made it, or leave --encoder out"
        )


def _sections(
    case: Case, found: Embeddings, home: SceneOfFile | None, recipe: Recipe | None, *, config: Config, bar: Bar
) -> Iterator[Section]:
    with bar("Reading the plain spectrum", "patches") as progress:
        yield labels_part(case, NO_LABELS_IN_FILE, progress)
    yield (novelty_unknown(found.spec.get("name")) if recipe is None else novelty_part(case, recipe, config))
    with bar("Shifting the grid", "patches") as progress:
        yield _grid_shift(found, home, recipe, config, progress)
    with bar("Comparing patches", "blocks") as progress:
        yield hubs_part(case, progress)[0]
    if found.positions is None:
        yield unmeasured("layout", NO_PLACES)
        return
    with bar("Judging the plot", "blocks") as progress:
        try:
            section = layout_part(case, found.positions, sampled=True, progress=progress)[0]
        except LandlikeError as error:
            section = unmeasured("layout", error.found)
        yield section


def _home(found: Embeddings, config: Config) -> SceneOfFile | None:
    """Return the scene of a file where it is in the library and has the file's patches."""
    library, name = Library(config.root), str(found.scene.get("id", ""))
    cut = _cut(found)
    if cut is None or not SCENE_ID.fullmatch(name):
        return None
    try:
        scene = library.get(name)
        grid = patch_grid(scene, cut)
    except LandlikeError:
        return None
    fits = found.patch_ids.min() >= 0 and found.patch_ids.max() < grid.count
    return SceneOfFile(scene, grid) if fits else None


def _case(path: Path, found: Embeddings, home: SceneOfFile | None) -> Case:
    written, classes = _labels(path, found.table, len(found))
    cut = _cut(found)
    labels = written if home is None else _without_mixed(written, classes, found.patch_ids, home)
    pixels = home if home is not None and home.scene.has_pixels else None
    content, spectrum = found.vectors, None if pixels is None else partial(plain_spectrum, pixels.scene, pixels.grid)
    if found.band_mean is not None and found.band_std is not None:
        content = np.concatenate([found.band_mean, found.band_std], axis=1)
        spectrum = spectrum or partial(spectrum_of_means, found.patch_ids, found.band_mean, found.band_std)
    return Case(
        vectors=found.vectors,
        ids=found.patch_ids,
        labels=labels,
        classes=classes,
        mixed=int(((written >= 0) & (labels < 0)).sum()),
        places=None if found.scene.get("kind") == "collection" else _places(path, found, cut),
        reach=1 if cut is None else cut.size,
        band_mean=found.band_mean,
        band_std=found.band_std,
        content=content,
        spectrum=spectrum,
        rough=pixels is None,
        itself=found.spec.get("name") == BASELINE,
        warnings=() if home is None else warnings_of(home.scene),
        **_stated(found),
    )


def _stated(found: Embeddings) -> dict[str, Any]:
    """Return bands and level of the scene where the file states them."""
    bands, level = found.scene.get("bands"), found.scene.get("level")
    named = tuple(name for name in bands if name in BAND_NAMES) if isinstance(bands, list) else ()
    return {"bands": named or BAND_NAMES, "level": level if isinstance(level, str) else None}


def _overlap(found: Embeddings, recipe: Recipe | None, config: Config) -> NDArray[np.bool_] | None:
    """Return which patches of a file its encoder has learned from; None where that cannot be known."""
    if recipe is None or found.band_mean is None or found.band_std is None:
        return None
    try:
        known = training_patches(recipe, config)
    except EncoderError:
        return None
    return None if known is None else known.holds(found.band_mean, found.band_std)


def _cut(found: Embeddings) -> Cut | None:
    """Return how the patches of a file were cut; None where it does not say so, or nothing that can be."""
    return Cut.from_dict({"stride": found.cut.get("size"), **found.cut})


def _labels(path: Path, table: pa.Table, count: int) -> tuple[IntArray, tuple[str, ...]]:
    """Return the labels as indices into class names, −1 = none.

    Raises:
        StoreError: when the column holds something other than names.
    """
    if "label" not in table.column_names:
        return np.full(count, -1, np.int64), ()
    column = table.column("label")
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_null(kind):
        return np.full(count, -1, np.int64), ()
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        found = f"its column “label” holds {kind} and not names"
        raise StoreError(f"Reading “{path.name}”", found, "write the names of classes as text")
    names = [name or None for name in column.to_pylist()]
    classes = sorted({name for name in names if name is not None})
    number = {name: place for place, name in enumerate(classes)}
    return np.array([-1 if name is None else number[name] for name in names], dtype=np.int64), tuple(classes)


def _without_mixed(labels: IntArray, classes: tuple[str, ...], ids: IntArray, home: SceneOfFile) -> IntArray:
    """Return the labels less those that the scene itself gave to patches of mixed land; what a person wrote stays."""
    truth = patch_labels(home.scene, home.grid)
    if truth is None or not classes:
        return labels
    own = np.array([*truth.classes, ""], dtype=object)[truth.index[ids]]
    written = np.array([*classes, ""], dtype=object)[labels]
    unsure = (own == written) & (truth.pure[ids] < 0)
    given = hand_labels(home.scene, home.grid)
    if given is not None:
        unsure &= given.index[ids] < 0
    mixed: IntArray = np.where(unsure, -1, labels)
    return mixed


def _places(path: Path, found: Embeddings, cut: Cut | None) -> IntArray | None:
    """Return the pixels where patches begin, or without a cut their rows and columns; None when the file has none.

    Raises:
        StoreError: when they are not whole numbers.
    """
    table = found.table
    if not {"row", "col"} <= set(table.column_names):
        return None
    try:
        pair = [table.column(name).to_numpy().astype(np.int64, casting="safe") for name in ("row", "col")]
    except (pa.ArrowException, ValueError, TypeError) as error:
        why = "its columns “row” and “col” are not whole numbers"
        raise StoreError(f"Reading “{path.name}”", why, "give a file that “python -m core embed” wrote") from error
    places: IntArray = np.stack(pair, axis=1)
    return places if cut is None else np.minimum(places * cut.stride, _last_pixels(found, cut)).astype(np.int64)


def _last_pixels(found: Embeddings, cut: Cut) -> IntArray:
    """Return row and column of the last pixel at which a patch of a file can begin; very far where none is moved."""
    grid = found.scene.get("grid")
    sides = [grid.get(name) for name in ("height", "width")] if cut.edge == "cover" and isinstance(grid, dict) else []
    known = [side for side in sides if isinstance(side, int) and side >= cut.size]
    return np.array(known, np.int64) - cut.size if len(known) == 2 else np.full(2, np.iinfo(np.int64).max)


def _recipe(found: Embeddings, encoder: str | None) -> Recipe | None:
    """Return how the file was made, as far as it says so; by an encoder that lies elsewhere, if one is named."""
    name, fingerprint = found.spec.get("name"), found.spec.get("fingerprint")
    cut = _cut(found)
    if not (isinstance(name, str) and isinstance(fingerprint, str) and cut is not None):
        return None
    scene = str(found.scene.get("id", ""))
    return Recipe(scene_id=scene, encoder=encoder or name, fingerprint=fingerprint, cut=cut)


def _grid_shift(
    found: Embeddings, home: SceneOfFile | None, recipe: Recipe | None, config: Config, progress: Progress
) -> Section:
    if home is None:
        return unmeasured("stability", NO_SCENE)
    if recipe is None:
        return unmeasured("stability", NO_ENCODER)
    order = np.argsort(found.patch_ids)
    nothing = np.empty((len(found), 0), np.float32)
    features = Features(
        recipe=recipe,
        patch_ids=found.patch_ids[order],
        vectors=found.vectors[order],
        valid_fraction=np.ones(len(found), np.float32),
        band_mean=nothing,
        band_std=nothing,
    )
    try:
        encoder = matching_encoder(recipe.encoder, recipe.fingerprint, config)
    except EncoderError:
        return unmeasured("stability", NO_ENCODER)
    return grid_shift_part(home.scene, features, lambda: encoder, progress)[0]
