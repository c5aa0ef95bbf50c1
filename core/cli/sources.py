"""What commands work on: the scenes of a SOURCE, the features of a file, and the engine that has them."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.command import bar_of
from core.cli.options import cut_of, overrides_of
from core.config import Config
from core.errors import SourceError
from core.progress import Progress, silent
from core.scenes.quality import load_quality

if TYPE_CHECKING:
    from core.engine.operations import Engine
    from core.export.geoparquet import Embeddings
    from core.features.recipe import Recipe
    from core.scenes.scene import Scene
    from core.similarity.neighbours import Neighbours

SAMPLE_SOURCE, SYNTHETIC_SOURCE = "sample", "synthetic"
"""As a SOURCE, the real scene that the app opens first, and the made-up landscape whose classes are known."""


def recipe_of(options: argparse.Namespace, engine: Engine, scene: Scene, backend: str | None = None) -> Recipe:
    """Return what ``add_encoding`` says a scene is encoded by; what that lacks and leaves undone is told on stderr.

    Raises:
        PatchError: when it cannot be cut so.
        EncoderError: when there is no such encoder, or the scene has none of its bands.
    """
    from core.features.stand_ins import lacking_words

    cut = cut_of(options, scene)
    recipe = engine.recipe(scene, options.encoder or first_encoder_of(scene), backend=backend, cut=cut)
    spec = engine.spec_of(scene, recipe.encoder, backend)
    lacking = lacking_words(spec.bands, scene) if scene.has_pixels else ""
    if lacking:
        sys.stderr.write(f"{scene.name}, {spec.title}: {lacking}\n")
    if cut != recipe.cut:
        sys.stderr.write(f"{scene.name}: its patches are {scene.patch_size} pixels a side and are not cut otherwise\n")
    return recipe


def engine_of(config: Config) -> Engine:
    """Return an engine that works in this process."""
    from core.engine.operations import Engine

    return Engine(config, lanes={}, waiting=_waiting)


def _waiting(words: str) -> None:
    """Tell on stderr what keeps work from going on."""
    if words:
        sys.stderr.write(f"{words[:1].upper()}{words[1:]}.\n")
        sys.stderr.flush()


def open_sources(options: argparse.Namespace, config: Config) -> list[Scene]:
    """Return the scenes of a SOURCE: one, or those of its dates; taken into the library if they are not there yet.

    Raises:
        SourceError: when it cannot be opened.
    """
    from core.ingest.boundary import ingest_all
    from core.scenes.library import Library

    if not Path(options.source).exists() or not options.source:
        return [open_source(options, config)]
    library, paths = Library(config.root), [Path(options.source)]
    with bar_of("Opening", "steps") as progress:
        scenes = ingest_all(paths, library, overrides_of(options), progress=progress)
    for scene in scenes:
        library.note_origin(scene.id, paths)
    return scenes


def open_source(options: argparse.Namespace, config: Config, source: str | None = None) -> Scene:
    """Return the scene of a SOURCE, taken into the library if it is not there yet.

    Args:
        options: with ``source`` and what ``add_overrides`` adds.
        config: where the library is.
        source: in place of that of the options.

    Raises:
        SourceError: when it cannot be opened.
    """
    from core.ingest.boundary import ingest
    from core.scenes.library import Library
    from core.scenes.scene import SCENE_ID

    library, source = Library(config.root), options.source if source is None else source
    if not source:
        raise SourceError(
            "Opening a scene", "its name is empty", "give a file, a folder, a zip or tar, “sample” or “synthetic”"
        )
    if not Path(source).exists():
        if SCENE_ID.fullmatch(source) and source in library:
            return library.get(source)
        if source == SAMPLE_SOURCE:
            from core.sample.scene import open_sample

            with bar_of("Opening", "steps") as progress:
                return open_sample(library, overrides_of(options), progress=progress)
        if source == SYNTHETIC_SOURCE:
            from core.synthetic.landscape import make_synthetic

            with bar_of("Making the scene", "blocks") as progress:
                return make_synthetic(library, progress=progress)
    with bar_of("Opening", "steps") as progress:
        scene = ingest([Path(source)], library, overrides_of(options), progress=progress)
    library.note_origin(scene.id, [Path(source)])
    return scene


def warn(scenes: Iterable[Scene]) -> None:
    """Tell on stderr what was left out or doubtful when scenes were read."""
    for one in scenes:
        for finding in load_quality(one.directory).findings:
            if finding.basis == "warning":
                sys.stderr.write(f"{one.name}: {finding.topic}: {finding.value} ({finding.because})\n")


@contextmanager
def feature_file(options: argparse.Namespace, config: Config) -> Iterator[Path]:
    """Give the file of ``add_file`` as “embed” writes it: itself, or one that is made of the vectors of others.

    What is doubtful or left out of those is told on stderr.

    Raises:
        SourceError: when there are no vectors in it, or several columns of them.
    """
    from core.ingest.boundary import ingest
    from core.ingest.settings import IngestSettings
    from core.scenes.library import Library

    path = Path(options.file)
    if not _of_others(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="landlike-vectors-") as folder:
        inside = replace(config, root=Path(folder))
        settings = IngestSettings(vector=options.vector)
        with bar_of("Opening", "rows") as progress:
            scene = ingest([path], Library(inside.root), settings, progress=progress)
        warn([scene])
        made, engine = Path(folder) / f"{path.stem}.parquet", engine_of(inside)
        write_features(engine, scene, engine.recipe(scene, first_encoder_of(scene)), made)
        yield made


def read_features(options: argparse.Namespace, config: Config) -> Embeddings:
    """Return what is in the file of ``add_file``.

    Raises:
        StoreError: when it cannot be read.
        SourceError: as of ``feature_file``.
    """
    from core.export.geoparquet import read_geoparquet

    with feature_file(options, config) as path:
        return read_geoparquet(path)


def first_encoder_of(scene: Scene) -> str:
    """Return the encoder of a scene where nobody names one."""
    from core.features.given import first_encoder

    return first_encoder(scene)


def _of_others(path: Path) -> bool:
    """Tell whether a file is Parquet and has no column that features of ours lie in."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return "vector" not in pq.read_schema(path).names
    except (OSError, pa.ArrowException):
        return False


def write_features(
    engine: Engine, scene: Scene, recipe: Recipe, out: Path, *, backend: str | None = None, progress: Progress = silent
) -> None:
    """Write the features of a scene as a file, encoding what is not stored. Errors as of ``encode_now``."""
    from core.engine.written import write_embeddings

    features = engine.encode_now(scene, recipe, progress=progress)
    write_embeddings(out, scene, features, engine.spec_of(scene, recipe.encoder, backend), engine.config)


def near_lines(table: Embeddings, near: Neighbours, **said: str) -> Iterator[str]:
    """Yield a line of JSON a patch of a file: its id, similarity, what is said of each, and its centre or null."""
    places = {} if table.lonlat is None else dict(zip(table.patch_ids.tolist(), table.lonlat.tolist(), strict=True))
    for one in near:
        patch_id = one.ref.patch
        lon, lat = (None if value != value else value for value in places.get(patch_id, (None, None)))  # noqa: PLR0124
        yield json.dumps({"patch_id": patch_id, "similarity": one.similarity, **said, "lon": lon, "lat": lat})
