"""The pictures of a report: the scene, its classes, and example patches with those most like them, embedded as JPEG."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from core.bands import FloatArray
from core.export.geometry import Shapes, bounds
from core.export.scatter import mapped
from core.imagery.render import file_bytes, quicklook, thumbnail
from core.scenes.patches import IntArray, PatchGrid
from core.scenes.scene import Scene
from core.similarity.neighbours import nearest_patches, unit_rows
from core.similarity.scores import score_texts

EXAMPLES, NEIGHBOURS = 4, 5
"""Patches shown as examples, and how many of the nearest beside each."""

_SCENE_SIDE, _PATCH_SIDE, _QUALITY = 1200, 128, 88
_PAPER = (236, 238, 240)
_MERCATOR = 85.0
"""Degrees of latitude that maps reach to."""

GROUND_OF = "A dot a patch, where it lies. Ground: Natural Earth, not for measuring."
"""Said below maps of patches that lie apart."""


@dataclass(frozen=True, kw_only=True)
class EmbeddedPicture:
    """A picture.

    Attributes:
        jpeg: the bytes of its file.
        alt: what it shows.
        caption: what stands below it; may be empty.
    """

    jpeg: bytes
    alt: str
    caption: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        with Image.open(io.BytesIO(self.jpeg)) as image:
            return image.size

    @property
    def address(self) -> str:
        """The picture as an address that holds all of it."""
        return f"data:image/jpeg;base64,{base64.b64encode(self.jpeg).decode()}"


@dataclass(frozen=True, kw_only=True)
class ExampleRow:
    """A patch and those most like it, best first."""

    query: EmbeddedPicture
    neighbours: tuple[EmbeddedPicture, ...]


def scene_picture(scene: Scene) -> EmbeddedPicture:
    """Return a scene in true colour; grey where it has no data."""
    return EmbeddedPicture(
        jpeg=_jpeg(quicklook(scene, "true", _SCENE_SIDE)),
        alt="The scene in true colour" if scene.has_pixels else "Where its patches lie",
    )


def class_picture(rows: IntArray, cols: IntArray, colours: Sequence[str]) -> EmbeddedPicture:
    """Return a map with a square a patch.

    Args:
        rows: of the patches in their grid, int64 of shape (N,).
        cols: likewise.
        colours: of the patches, ``#rrggbb``, N of them.
    """
    squares = np.full((int(rows.max()) + 1, int(cols.max()) + 1, 3), _PAPER, np.uint8)
    codes = {colour: ImageColor.getrgb(colour) for colour in set(colours)}
    squares[rows, cols] = [codes[colour] for colour in colours]
    side = max(1, _SCENE_SIDE // max(squares.shape[:2]))
    large = squares.repeat(side, axis=0).repeat(side, axis=1)
    return EmbeddedPicture(
        jpeg=file_bytes(Image.fromarray(large), "JPEG", quality=_QUALITY, subsampling=0), alt="The class of each patch"
    )


def dots_picture(shapes: Shapes, centres: NDArray[np.float64], colours: Sequence[str]) -> EmbeddedPicture | None:
    """Return a map with a dot a patch on pale ground, for patches that lie on no common grid; None without a place.

    Args:
        shapes: outlines in EPSG:4326, of shape (N,), None where unknown.
        centres: longitude and latitude, shape (N, 2), NaN where unknown.
        colours: of the patches, ``#rrggbb``, N of them.
    """
    box, known = bounds(shapes), np.isfinite(centres).all(axis=1)
    if box is None or not known.any():
        return None
    west, south, east, north = box
    painted = np.array([ImageColor.getrgb(colour) for colour in colours], np.uint8)[known]
    reach = (west, max(south, -_MERCATOR), east + 360 * (east < west), min(north, _MERCATOR))
    return embedded(mapped(reach, centres[known], painted)[0], "The class of each patch", GROUND_OF)


def example_rows(scene: Scene, grid: PatchGrid, ids: IntArray, vectors: FloatArray) -> tuple[ExampleRow, ...]:
    """Return patches that differ much, each with its nearest by cosine similarity; none of fewer than two patches.

    Args:
        scene: where pixels are from.
        grid: its patches.
        ids: patch ids, int64 of shape (N,).
        vectors: their features, float32 of shape (N, D).
    """
    if len(ids) < 2:
        return ()
    unit = unit_rows(vectors)
    rows = []
    for place in unlike_rows(unit, EXAMPLES):
        near = nearest_patches(unit, ids, place, NEIGHBOURS, scene=scene.id)
        neighbours = tuple(
            patch_picture(scene, grid, patch, f"{patch} · {alike}")
            for patch, alike in zip(near.ids.tolist(), score_texts(near.similarity.tolist()), strict=True)
        )
        rows.append(ExampleRow(query=patch_picture(scene, grid, int(ids[place])), neighbours=neighbours))
    return tuple(rows)


def unlike_rows(unit: FloatArray, count: int) -> list[int]:
    """Return rows that are typical of parts of the data that differ: each the middle of a part, the largest part first.

    Parts grow about rows that are far from each other: the row nearest to the mean of all, then what is least like any
    before it. A part's middle is the row nearest to its mean.

    Args:
        unit: rows of length 1, shape (N, D).
        count: how many, at most N.
    """
    alike = unit @ unit[int((unit @ unit.mean(axis=0)).argmax())]
    owner = np.zeros(len(unit), np.int64)
    for part in range(1, min(count, len(unit))):
        other = unit @ unit[int(alike.argmin())]
        owner[other > alike] = part
        alike = np.maximum(alike, other)
    sizes = np.bincount(owner)
    parts = [np.flatnonzero(owner == part) for part in np.argsort(-sizes, kind="stable") if sizes[part]]
    return [int(rows[(unit[rows] @ unit[rows].mean(axis=0)).argmax()]) for rows in parts]


def patch_picture(scene: Scene, grid: PatchGrid, number: int, caption: str = "") -> EmbeddedPicture:
    """Return a patch in true colour; its number stands below it where no caption is given."""
    file = thumbnail(scene, grid, number, "true", _PATCH_SIDE)
    return EmbeddedPicture(jpeg=_jpeg(file), alt=f"Patch {number}", caption=caption or f"Patch {number}")


def embedded(image: Image.Image, alt: str, caption: str = "") -> EmbeddedPicture:
    """Return a picture as reports embed it."""
    jpeg = file_bytes(image.convert("RGB"), "JPEG", quality=_QUALITY)
    return EmbeddedPicture(jpeg=jpeg, alt=alt, caption=caption)


def _jpeg(webp: bytes) -> bytes:
    image = Image.open(io.BytesIO(webp)).convert("RGBA")
    paper = Image.new("RGBA", image.size, (*_PAPER, 255))
    return file_bytes(Image.alpha_composite(paper, image).convert("RGB"), "JPEG", quality=_QUALITY)
