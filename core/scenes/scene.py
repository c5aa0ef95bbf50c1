"""The canonical scene: our own GeoTIFF and its record on disk, and reading pixels from it.

A scene is a directory of

    pixels.tif     uint16, reflectance × 10 000, the present bands in product order, 0 in every band = no data,
                   tiled, band-interleaved, with overviews; north up
    scene.json     the fields of ``Scene``
    quality.json   what was decided on the way in (``core.scenes.quality``)
    truth.tif      optional: uint16 class of each pixel, 0 = none, else 1 + index into ``Scene.classes``
    classification.tif  optional: uint8, the scene classification of L2A (``core.scenes.classification``), 0 = no data
    places.parquet optional, collections only: where each patch of the mosaic lies on Earth

A collection of vectors that somebody else computed has no pixels.tif (``core.features.vector_table``), but

    vectors.npy    float32 (N, D), in the order of the file
    rows.npy       int64 (N,), which patches they are of
    statistics.npy optional: float32 (N, 26), means and deviations of thirteen bands
    values.parquet optional: what else the file says of each patch
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from core.bands import FloatArray, fill_source
from core.errors import SceneError
from core.files import FileState, exists, file_state, present
from core.scenes.geobox import GeoBox

SCENE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
"""What an id looks like; a folder is looked for by nothing else."""

REFLECTANCE_SCALE = 10_000.0
"""Digital numbers to one unit of reflectance in a canonical scene."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """Which series a scene belongs to, and where in it: the dates of one source, a scene each.

    Attributes:
        id: the same in all scenes of the series; of the form of scene ids.
        name: what people call the series; escape it before HTML.
        index: position of the scene among the dates of the source, counted from 0.
        count: how many dates the source holds; fewer scenes may be there.
    """

    id: str
    name: str
    index: int
    count: int


@dataclass(frozen=True, kw_only=True)
class GivenColumn:
    """What a file of vectors says of each patch beside them.

    Attributes:
        name: as the file calls it; escape it before HTML.
        kind: ``number``, ``class`` or ``date``.
        classes: names of classes, or dates in order; empty for numbers.
    """

    name: str
    kind: str
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GivenVectors:
    """Where the vectors of a scene without pixels come from.

    Attributes:
        column: of the file, or the first and last of one column a dimension.
        encoder: what made them, the fields of an ``EncoderSpec``, as far as the file states them.
        points: True = the file has points and no outlines; the squares that are drawn say nothing of their extent.
        statistics: True = the file holds means and deviations of bands.
        columns: what else it says of each patch.
    """

    column: str
    encoder: dict[str, Any]
    points: bool = False
    statistics: bool = False
    columns: tuple[GivenColumn, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One acquisition, or one collection of labelled patches laid out as a mosaic.

    Attributes:
        id: lower-case letters, digits and ``-``; names the directory; made of the source's content and settings.
        name: what people call it; anything a person typed, so escape it before HTML.
        grid: where its pixels lie.
        bands: present bands, a subset of ``BAND_NAMES`` in the same order.
        date: acquisition date as ``YYYY-MM-DD``, or None.
        level: ``L1C``, ``L2A`` or None.
        synthetic: True = made by ``core.synthetic.landscape``, no satellite saw it.
        kind: ``scene`` or ``collection``; a collection is a mosaic whose neighbours in the grid are no neighbours
            on Earth, and its patch size is fixed.
        patch_size: pixels a side of a collection's patches; None for scenes.
        classes: class names for ``truth.tif``; empty = no truth.
        stretch: per rendering name, per channel, the (low, high) reflectance of a 2–98 % contrast stretch.
        created: ISO 8601 time of ingest, UTC.
        series: the series it belongs to, or None.
        classification: True = the scene classification of the product is kept beside the pixels.
        content: what is the same in every scene of the same bytes, settings and statements of names; empty where the
            source is no single file, and in scenes of earlier versions.
        given: of a collection without pixels, what its vectors are; None = it has pixels.
    """

    id: str
    name: str
    grid: GeoBox
    bands: tuple[str, ...]
    date: str | None = None
    level: str | None = None
    synthetic: bool = False
    kind: str = "scene"
    patch_size: int | None = None
    classes: tuple[str, ...] = ()
    stretch: dict[str, list[list[float]]] = field(default_factory=dict)
    created: str = ""
    series: Series | None = None
    classification: bool = False
    content: str = ""
    given: GivenVectors | None = None
    directory: Path = Path()

    @property
    def is_collection(self) -> bool:
        """Whether neighbours in the grid are no neighbours on Earth, as in a mosaic of patches."""
        return self.kind == "collection"

    @property
    def has_pixels(self) -> bool:
        """Whether there is anything to draw or to encode; False for vectors that somebody else computed."""
        return self.given is None

    @property
    def pixels_path(self) -> Path:
        """The canonical GeoTIFF, here; raises ``StoreError`` when it is shared and cannot be copied."""
        return present(self.directory / "pixels.tif")

    @property
    def truth_path(self) -> Path | None:
        """The class raster, or None."""
        return self.directory / "truth.tif" if self.classes else None

    @property
    def classification_path(self) -> Path | None:
        """The raster of the scene classification, or None."""
        return self.directory / "classification.tif" if self.classification else None

    @property
    def places_path(self) -> Path:
        """Where a collection's patches lie."""
        return self.directory / "places.parquet"

    def to_json(self) -> str:
        """Return the text of ``scene.json``."""
        fields = {key: value for key, value in asdict(self).items() if key != "directory"}
        if self.given is None:
            del fields["given"]
        return json.dumps(fields, indent=1)


def load_scene(directory: Path) -> Scene:
    """Read ``scene.json``, again only when it has changed.

    Raises:
        SceneError: when the directory holds no readable scene.
    """
    try:
        scene = _read_scene(directory, file_state(directory / "scene.json"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SceneError(
            f"Opening the scene {directory.name}", "its record is missing or damaged", "add the scene again"
        ) from error
    kept, what = ("pixels.tif", "pixels") if scene.has_pixels else ("vectors.npy", "vectors")
    if not exists(directory / kept):
        raise SceneError(f"Opening the scene {directory.name}", f"its {what} are missing", "add the scene again")
    return scene


@lru_cache(maxsize=1024)
def _read_scene(directory: Path, _state: FileState) -> Scene:
    fields = json.loads((directory / "scene.json").read_text(encoding="utf-8"))
    grid = fields.pop("grid")
    grid["transform"] = tuple(grid["transform"])
    series = fields.pop("series", None)
    fields["series"] = None if series is None else Series(**series)
    if fields.get("given") is not None:
        fields["given"] = given_from_dict(fields["given"])
    fields["bands"], fields["classes"] = tuple(fields["bands"]), tuple(fields["classes"])
    return Scene(grid=GeoBox(**grid), directory=directory, **fields)


def given_from_dict(fields: dict[str, Any]) -> GivenVectors:
    """Return what ``dataclasses.asdict`` made fields of. Raises KeyError or TypeError."""
    columns = tuple(GivenColumn(**{**one, "classes": tuple(one["classes"])}) for one in fields["columns"])
    return GivenVectors(**{**fields, "columns": columns})


class SceneReader:
    """Reads windows of one scene; one thread at a time; use as a context manager."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._data = rasterio.open(scene.pixels_path, driver="GTiff")

    def __enter__(self) -> SceneReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self._data.close()

    def read(
        self,
        bands: Sequence[str],
        window: tuple[int, int, int, int],
        shape: tuple[int, int] | None = None,
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return pixels of a window, missing bands filled by ``core.bands.fill_source``.

        Args:
            bands: wanted bands, in the wanted order.
            window: (row, col, height, width) inside the scene.
            shape: (height, width) to resample to, from overviews where they serve; None = full resolution.

        Returns:
            Reflectance, float32 of shape (bands, height, width), and a mask of shape (height, width), True = valid.
            Where the mask is False the reflectance is 0.
        """
        stand_ins = [fill_source(name, self.scene.bands) for name in bands]
        needed = sorted({self.scene.bands.index(name) + 1 for name in stand_ins if name is not None} | {1})
        row, col, height, width = window
        out = (len(needed), *(shape or (height, width)))
        numbers = self._data.read(needed, window=Window(col, row, width, height), out_shape=out)
        mask: NDArray[np.bool_] = numbers[0] != 0
        result = np.zeros((len(bands), *out[1:]), dtype=np.float32)
        for position, name in enumerate(stand_ins):
            if name is not None:
                source = numbers[needed.index(self.scene.bands.index(name) + 1)]
                np.multiply(source, np.float32(1 / REFLECTANCE_SCALE), out=result[position])
        return result, mask
