"""Pictures that people give to find land like them: taken in as scenes are, apart from the library, and encoded.

A folder ``chips`` holds them:

    scenes/      a picture each, as ``core.scenes.library`` keeps scenes
    features/    of a picture by an encoder and a size of patches, JSON
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.bands import BAND_NAMES
from core.encoders.base import Encoder
from core.errors import BandsError, PatchError, PictureError, SceneError, SourceError, SourceTooLargeError
from core.features.batches import PatchBatch, iter_patches
from core.features.encode import encode_patches
from core.files import discard, disk_errors, never, write_atomically
from core.ingest.settings import SKIP, IngestSettings
from core.progress import Doing, Progress, silent, unsaid
from core.scenes.cut import LEAST_SIZE, Cut
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.scenes.quality import QualityRecord, load_quality
from core.scenes.scene import SCENE_ID, Scene
from core.search.examples import VectorExample
from core.similarity.neighbours import unit_rows

MOST_CHIP_BYTES = 64 * 2**20
MOST_CHIP_SIDE = 2048
"""Bytes of a file, and pixels a side of a picture, at most; what is larger is a scene."""

KEPT_SECONDS = 60 * 24 * 3600.0
"""A picture that nobody looked for so long is gone."""

RGB = ("B04", "B03", "B02")
"""What the bands of pictures are, which have no names."""

WHITE = 0.275
"""Reflectance that the brightest of the 256 shades of a picture is taken for, as in EuroSAT's pictures of Sentinel-2.

Reflectance of 1 would make all land of most pictures as bright as roofs.
"""

_AS_SCENE = "cut out what you look for, or add it on the Scenes page"
_WHAT_MAY_BE = "give a picture of land: a GeoTIFF, JPEG 2000, PNG or JPEG"
_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class ChipExample:
    """A picture that is, or is not, what is looked for; which features it has depends on the encoder.

    Attributes:
        chip: its id.
        good: True = like this; False = unlike this.
        title: what people call it; escape it before HTML.
        weight: how often it counts, as of ``PatchExample``.
    """

    chip: str
    good: bool = True
    title: str = "Picture"
    weight: float = 1.0

    @property
    def what(self) -> object:
        """What tells the example from others, whether good or bad."""
        return self.chip


@dataclass(frozen=True, kw_only=True)
class ChipFeatures:
    """Features of a picture.

    Attributes:
        title: what people call it.
        vector: the mean of the features of its patches, each of length 1 before.
        fingerprint: of the encoder.
        side: pixels a side of its patches.
        patches: how many they are.
        bands: of the picture; empty = not known.
    """

    title: str
    vector: tuple[float, ...]
    fingerprint: str
    side: int
    patches: int
    bands: tuple[str, ...] = ()


class Chips:
    """The pictures under ``root``/chips; made for the worker, who adds and encodes, and for pages, which read."""

    def __init__(self, root: Path) -> None:
        self.root = root / "chips"
        self._features = self.root / "features"

    @property
    def library(self) -> Library:
        """The pictures as scenes of their own."""
        return Library(self.root)

    def scene(self, chip: str) -> Scene | None:
        """Return a picture as a scene; None when it is gone, or only its features came."""
        if not SCENE_ID.fullmatch(chip) or not (self.root / "scenes" / chip).is_dir():
            return None
        try:
            return self.library.get(chip)
        except SceneError:
            return None

    def add(
        self,
        paths: Sequence[Path],
        settings: IngestSettings | None = None,
        *,
        name: str | None = None,
        progress: Progress = silent,
        cancelled: Callable[[], bool] = never,
        doing: Doing = unsaid,
    ) -> Scene:
        """Take a picture in, in the sandbox; at once when it is there already.

        Numbers of 8 bits are kept as shares of 255. Where bands have no names they are red, green and blue, and
        white is taken for ``WHITE`` when they are encoded; bands with names are taken for reflectance × 255.

        Args:
            paths: a GeoTIFF, a PNG or JPEG, or whatever can be a scene, of at most ``MOST_CHIP_BYTES``.
            settings: a person's decisions.
            name: what people will call it; None = as the file is called.
            progress: told rows of pixels.
            cancelled: True stops the work.
            doing: told what is done before.

        Raises:
            SourceError: one sentence on why it cannot be searched by.
            JobCancelledError: when it was cancelled.
        """
        from core.ingest.boundary import ingest
        from core.ingest.files import FOLDER_REMEDY
        from core.ingest.messages import WHAT_IS_READ

        check_chip_size(paths)
        wished = settings or IngestSettings()

        def opened(chosen: IngestSettings) -> Scene:
            return ingest(
                paths, self.library, chosen, name=name, progress=progress, cancelled=cancelled, doing=doing
            )  # fmt: skip

        try:
            scene = opened(wished)
        except PictureError as picture:
            scene = _as_colours(opened, wished, picture)
        except SourceError as error:
            if error.remedy not in (WHAT_IS_READ, FOLDER_REMEDY):
                raise
            raise type(error)(_searching(paths), error.found, _WHAT_MAY_BE) from error
        try:
            _check_shape(scene)
        except SourceError:
            self.library.delete(scene.id)
            raise
        return scene

    def encode(self, chip: str, encoder: Encoder, size: int, progress: Progress = silent) -> ChipFeatures:
        """Encode a picture that is there: patches of ``size`` pixels over all of it, or as large as it is, smaller.

        Raises:
            SceneError: when there is no such picture.
            PatchError: when no patch of it has enough valid pixels.
            EncoderError: when the encoder gives what is not finite.
            StoreError: when the features cannot be written.
        """
        scene = self.library.get(chip)
        side = min(size, scene.grid.height, scene.grid.width)
        grid = patch_grid(scene, Cut.of(side, edge="cover"))
        vectors, done = [], 0
        white = WHITE if _is_picture(load_quality(scene.directory)) else 1.0
        batches = (_valid(batch, grid.cut.least_valid, white) for batch in iter_patches(scene, grid, BAND_NAMES))
        for batch in encode_patches(scene, grid, encoder, (batch for batch in batches if len(batch.ids))):
            vectors.append(batch.vectors)
            done += len(batch)
            progress(done, grid.count)
        if not vectors:
            asked = f"Encoding “{scene.name}”"
            raise PatchError(asked, "too few of its pixels hold data", "give another picture")
        rows = unit_rows(np.concatenate(vectors))
        found = ChipFeatures(
            title=scene.name, vector=tuple(float(one) for one in rows.mean(axis=0, dtype=np.float64)),
            fingerprint=encoder.spec.fingerprint, side=side, patches=len(rows),
            bands=tuple(scene.bands),
        )  # fmt: skip
        self._write(chip, size, found)
        return found

    def features(self, chip: str, fingerprint: str, size: int) -> ChipFeatures | None:
        """Return the features of a picture for patches of ``size``; None while it is not encoded so."""
        path = self._path(chip, fingerprint, size)
        try:
            values = json.loads(path.read_bytes())
            found = ChipFeatures(
                title=str(values["title"]), vector=tuple(float(one) for one in values["vector"]),
                fingerprint=str(values["fingerprint"]), side=int(values["side"]), patches=int(values["patches"]),
                bands=tuple(str(name) for name in values["bands"]) if "bands" in values else self._bands(chip),
            )  # fmt: skip
        except (OSError, ValueError, TypeError, KeyError):
            return None
        known = found.fingerprint == fingerprint and found.vector and np.isfinite(found.vector).all()
        return found if known else None

    def example(self, one: ChipExample, fingerprint: str, size: int) -> VectorExample | None:
        """Return a picture as an example with features; None while it is not encoded so."""
        found = self.features(one.chip, fingerprint, size)
        if found is None:
            return None
        return VectorExample(
            vector=found.vector, fingerprint=fingerprint, good=one.good, title=one.title, chip=one.chip,
            bands=found.bands, weight=one.weight,
        )  # fmt: skip

    def keep(self, one: VectorExample, size: int) -> ChipExample:
        """Keep features that came with a search, and return the picture that they are of, which need not be here.

        Raises:
            StoreError: when they cannot be written.
        """
        digest = hashlib.sha256(np.array(one.vector, np.float64).tobytes()).hexdigest()[:20]
        chip = one.chip if self.scene(one.chip) is not None else f"v-{digest}"
        if self.features(chip, one.fingerprint, size) is None:
            kept = ChipFeatures(
                title=one.title, vector=one.vector, fingerprint=one.fingerprint, side=size, patches=1,
                bands=one.bands,
            )  # fmt: skip
            self._write(chip, size, kept)
        return ChipExample(chip=chip, good=one.good, title=one.title, weight=one.weight)

    def notes(self, chip: str) -> tuple[str, ...]:
        """Return what was assumed of a picture, a sentence each; none where only its features are here."""
        scene = self.scene(chip)
        return () if scene is None else chip_notes(load_quality(scene.directory))

    def sweep(self, seconds: float = KEPT_SECONDS) -> None:
        """Remove pictures, and features, that were made longer ago than so many seconds."""
        for folder in (self.root / "scenes", self._features):
            for path in folder.glob("*"):
                if time.time() - path.stat().st_mtime > seconds:
                    discard(path, first="scene.json")

    def _bands(self, chip: str) -> tuple[str, ...]:
        """Return the bands of a picture that was encoded before they were kept; none where only features are here."""
        scene = self.scene(chip)
        return () if scene is None else tuple(scene.bands)

    def _path(self, chip: str, fingerprint: str, size: int) -> Path:
        if not SCENE_ID.fullmatch(chip):
            return self._features / "none"
        return self._features / f"{chip}-{fingerprint[:16]}-{size}.json"

    def _write(self, chip: str, size: int, found: ChipFeatures) -> None:
        values: dict[str, Any] = {
            "version": _VERSION, "title": found.title, "fingerprint": found.fingerprint, "side": found.side,
            "patches": found.patches, "vector": list(found.vector), "bands": list(found.bands),
        }  # fmt: skip
        advice = "free some space and try again"
        with disk_errors("Keeping the features of a picture", full=advice, other="check the folder of the data"):
            self._features.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path(chip, found.fingerprint, size), json.dumps(values).encode())


def check_chip_size(paths: Sequence[Path]) -> None:
    """Refuse files that are too large to be a picture to search by.

    Raises:
        SourceTooLargeError: when they are.
    """
    total = sum(path.stat().st_size for path in paths if path.is_file())
    if total > MOST_CHIP_BYTES:
        found = f"it has {total / 2**20:,.0f} MB, and a picture to search by at most {MOST_CHIP_BYTES // 2**20}"
        raise SourceTooLargeError(_searching(paths), found, _AS_SCENE)


def _searching(paths: Sequence[Path]) -> str:
    return f"Searching by “{paths[0].name if paths else 'nothing'}”"


def _check_shape(scene: Scene) -> None:
    asked, height, width = f"Searching by “{scene.name}”", scene.grid.height, scene.grid.width
    if scene.is_collection:
        raise SourceError(asked, "it holds many pictures", "give one of them, or add all on the Scenes page")
    if min(height, width) < LEAST_SIZE:
        found = f"it has {width} × {height} pixels, and at least {LEAST_SIZE} × {LEAST_SIZE} are needed"
        raise SourceError(asked, found, "give a larger picture")
    if max(height, width) > MOST_CHIP_SIDE:
        found = f"it has {width:,} × {height:,} pixels, and a picture to search by at most {MOST_CHIP_SIDE:,} a side"
        raise SourceTooLargeError(asked, found, _AS_SCENE)


def _as_colours(opened: Callable[[IngestSettings], Scene], wished: IngestSettings, picture: PictureError) -> Scene:
    """Open what has 8 bits by the names of its bands, or as red, green and blue, with transparency or without."""
    coloured = replace(wished, scale="255")
    ways = [coloured] if wished.bands else [coloured, *(replace(coloured, bands=one) for one in (RGB, (*RGB, SKIP)))]
    for way in ways:
        try:
            return opened(way)
        except BandsError:
            continue
    found = "it is a picture of 8 bits that is grey or has a table of colours, and no layers of red, green and blue"
    raise SourceError(picture.asked, found, "save it again in full colours (RGB), or give a GeoTIFF with named bands")


def _is_picture(record: QualityRecord) -> bool:
    """Return whether a record tells of red, green and blue in 8 bits."""
    bands = record.settings.get("bands")
    return record.settings.get("scale") == "255" and isinstance(bands, list) and tuple(bands[:3]) == RGB


def _valid(batch: PatchBatch, least: float, white: float) -> PatchBatch:
    """Return the patches that hold enough data, in reflectance."""
    enough = batch.valid_fraction >= least
    pixels = batch.pixels[enough] * np.float32(white)
    return PatchBatch(ids=batch.ids[enough], pixels=pixels, valid_fraction=batch.valid_fraction[enough])


def _count(lacking: Sequence[str]) -> str:
    """Return how many bands are lacking or, of few, which: lines are ``B01 ← B02``."""
    return " and ".join(line[:3] for line in lacking) if len(lacking) < 3 else f"{len(lacking)} of the 13 bands"


def chip_notes(record: QualityRecord) -> tuple[str, ...]:
    """Return what the record of a picture says that a person should know who searches by it, a sentence each."""
    said = {line.topic: line for line in record.findings}
    notes = []
    if _is_picture(record):
        notes.append(f"Its 8-bit colours are only roughly reflectance; white is taken for {WHITE:g}.")
    elif record.settings.get("scale") == "255":
        notes.append("Its 8-bit numbers are taken for reflectance × 255.")
    if "missing bands" in said:
        lacking = said["missing bands"].value.split(", ")
        notes.append(f"It lacks {_count(lacking)}.")
    if "level" in said and said["level"].basis == "assumed" and not _is_picture(record):
        notes.append("Whether it shows the ground or the top of the air (L2A or L1C) is not known.")
    return tuple(notes)
