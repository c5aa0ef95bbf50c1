"""The canvas a block of the synthetic world is painted on, and noises that painters share; painting is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.bands import EUROSAT_CLASSES, FloatArray
from core.synthetic.fields import Look
from core.synthetic.noise import Box, fractal, noise
from core.synthetic.parcels import IndexArray
from core.synthetic.spectra import NUMBER, SUN_AZIMUTH

CODE = {name: np.uint16(1 + position) for position, name in enumerate(EUROSAT_CLASSES)}
"""Values of the truth raster."""


@dataclass(kw_only=True)
class Canvas:
    """A block being painted; arrays of its shape.

    Attributes:
        box: the block.
        ground, plant: int32, columns of ``spectra`` mixed as ground · (1 − cover) + plant · cover.
        cover: float32, 0 to 1.
        gain: float32, brightness.
        over: int32, column of what covers the mixture, such as a road.
        share: float32, how much of the pixel it covers, 0 to 1.
        truth: uint16, 1 + index into ``EUROSAT_CLASSES``.
        spectra: float32 of shape (13, columns), surface reflectance.
    """

    box: Box
    ground: IndexArray
    plant: IndexArray
    cover: FloatArray
    gain: FloatArray
    over: IndexArray
    share: FloatArray
    truth: NDArray[np.uint16]
    spectra: FloatArray

    def put(self, where: NDArray[np.bool_], paint: Look) -> None:
        """Paint looks of the pixels where True, in row-major order."""
        self.ground[where], self.plant[where] = paint.ground, paint.plant
        self.cover[where], self.gain[where] = paint.cover, paint.gain

    def mix(self, where: NDArray[np.bool_], one: str, other: str, cover: FloatArray, gain: FloatArray) -> None:
        """Paint a mixture of two materials; ``cover`` and ``gain`` have the block's shape."""
        self.ground[where], self.plant[where] = NUMBER[one], NUMBER[other]
        self.cover[where], self.gain[where] = np.clip(cover[where], 0, 1), gain[where]

    def lay(self, share: NDArray[np.floating], material: str) -> None:
        """Cover with a material where ``share`` (the block's shape) exceeds what already covers."""
        more = share > self.share
        np.copyto(self.over, np.int32(NUMBER[material]), where=more)
        np.copyto(self.share, share.astype(np.float32), where=more)


def canvas(box: Box, paint: Look, spectra: FloatArray) -> Canvas:
    """Return a canvas painted with looks of the box's shape."""
    return Canvas(
        box=box,
        ground=paint.ground,
        plant=paint.plant,
        cover=paint.cover,
        gain=paint.gain,
        over=np.zeros(box.shape, np.int32),
        share=np.zeros(box.shape, np.float32),
        truth=np.zeros(box.shape, np.uint16),
        spectra=spectra,
    )


@dataclass(frozen=True, kw_only=True)
class Textures:
    """Noises that several painters share, float32 of the block's shape, standard deviation about 1.

    Attributes:
        soil: soil and moisture, some hundred metres.
        crowns: light and shadow of tree crowns.
        fine: pixel to pixel.
        slow: ragged edges, half a kilometre.
    """

    soil: FloatArray
    crowns: FloatArray
    fine: FloatArray
    slow: FloatArray


def textures(box: Box, seed: int) -> Textures:
    """Return the shared noises of a block; ``crowns`` is the slope of bumps towards the sun."""
    around = box.grown(1)
    bumps = noise(around, 2.3, seed + 201) + np.float32(0.7) * noise(around, 5.0, seed + 202)
    toward = np.radians(SUN_AZIMUTH)
    east, south = bumps[1:-1, 2:] - bumps[1:-1, :-2], bumps[2:, 1:-1] - bumps[:-2, 1:-1]
    lit = np.float32(0.9 * np.cos(toward)) * south - np.float32(0.9 * np.sin(toward)) * east
    return Textures(
        soil=fractal(box, 38, seed + 203, 3, 0.55) / np.float32(1.2),
        crowns=np.asarray(lit, dtype=np.float32),
        fine=noise(box, 1.5, seed + 204),
        slow=fractal(box, 70, seed + 205, 3, 0.55) / np.float32(1.2),
    )
