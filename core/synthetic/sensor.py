"""Looking at the painted synthetic world through air and instrument: digital numbers of each band at 10 m."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.bands import BANDS, FloatArray
from core.scenes.scene import REFLECTANCE_SCALE
from core.synthetic.canvas import Canvas
from core.synthetic.noise import Box, gauss, noise
from core.synthetic.spectra import path_reflectance, transmittance

HALO = 24
"""Pixels around a block that its own pixels can draw light from; a multiple of 12."""
_SPREAD = {10: 0.55, 20: 0.45, 60: 0.75}
"""Standard deviation of the point spread in native pixels; gives the modulation of about 0.25 at the Nyquist frequency
that ESA's data quality reports state for MSI."""
_SNR = {
    "B01": 129, "B02": 154, "B03": 168, "B04": 142, "B05": 117, "B06": 89, "B07": 105, "B08": 174, "B8A": 72,
    "B09": 114, "B10": 25, "B11": 100, "B12": 100,
}  # fmt: skip
"""Signal-to-noise ratios at reference radiance as ESA's Mission Requirements Document asks, B10 half of it; MSI does
nearly twice as well."""


def expose(canvas: Canvas, seed: int) -> NDArray[np.uint16]:
    """Return digital numbers, uint16 of shape (13, height, width), reflectance × 10 000, at least 1, the halo cut off.

    The canvas has to lie on multiples of 12 pixels and hold ``HALO`` pixels around what is wanted.
    """
    path, through = path_reflectance(), transmittance()
    haze = 1 + np.float32(0.02) * noise(canvas.box, 480, seed + 301)
    inner = slice(HALO, -HALO)
    out = np.empty((len(BANDS), canvas.box.height - 2 * HALO, canvas.box.width - 2 * HALO), dtype=np.uint16)
    bare, covered = 1 - canvas.cover, canvas.share > 0
    share, over = canvas.share[covered], canvas.over[covered]
    for position, band in enumerate(BANDS):
        colours = canvas.spectra[position]
        surface = colours.take(canvas.ground, mode="clip") * bare
        surface += colours.take(canvas.plant, mode="clip") * canvas.cover
        surface *= canvas.gain
        surface[covered] += share * (colours[over] - surface[covered])
        surface *= through[position]
        surface += path[position] * haze
        seen = _see(surface, band.resolution, canvas.box, band.name, seed + 401 + position)
        numbers = np.rint(seen[inner, inner] * np.float32(REFLECTANCE_SCALE))
        out[position] = np.clip(numbers, 1, 28_000).astype(np.uint16)
    return out


def _see(light: FloatArray, resolution: int, box: Box, name: str, seed: int) -> FloatArray:
    """See one band as the instrument does: averaged to native pixels, spread, noisy, and laid out at 10 m again."""
    from scipy.ndimage import gaussian_filter

    factor = resolution // 10
    height, width = light.shape
    if factor > 1:
        light = light.reshape(height // factor, factor, width // factor, factor).mean(axis=(1, 3), dtype=np.float32)
    spread = gaussian_filter(light, _SPREAD[resolution], truncate=3.0, mode="nearest")
    cols = np.arange(light.shape[1])[None, :] + box.x0 // factor
    rows = np.arange(light.shape[0])[:, None] + box.y0 // factor
    reference = 0.08 if name not in {"B09", "B10"} else 0.02
    strength = np.sqrt(np.maximum(spread, 0) * np.float32(reference)) / np.float32(1.8 * _SNR[name])
    spread += strength * gauss(cols, rows, seed)
    return spread if factor == 1 else _widen(_widen(spread, factor, 0), factor, 1)


def _widen(native: FloatArray, factor: int, axis: int) -> FloatArray:
    """Resample one axis to ``factor`` times as many pixels, bilinear."""
    count = native.shape[axis]
    place = np.clip((np.arange(count * factor) + 0.5) / factor - 0.5, 0, count - 1)
    low = np.minimum(place.astype(np.intp), count - 2)
    weight = (place - low).astype(np.float32)
    weight = weight[:, None] if axis == 0 else weight[None, :]
    left, right = np.take(native, low, axis=axis), np.take(native, low + 1, axis=axis)
    return np.asarray(left + (right - left) * weight, dtype=np.float32)
