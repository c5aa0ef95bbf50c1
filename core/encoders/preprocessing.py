"""What pixels a model wants: which bands, how large, how bright; and bringing patches to that size."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from core.bands import BAND_NAMES, EUROSAT_ORDER, FloatArray
from core.encoders.files import SIDECAR
from core.encoders.saved_model.signature import Signature, shape_text
from core.errors import EncoderError

DEFAULT_SIZE = 224
"""Side of the images that the EuroSAT module, like most image modules of TF-Hub, was trained on (its card)."""

REFLECTANCE_GAIN = 1.0
"""Gain of 13-band modules. The card of google/remote_sensing/eurosat-ms-resnet50/1 asks for values “in the range [0,1]”
and leaves the divisor open. Its training data are digital numbers in their original range (TensorFlow Datasets,
eurosat/all); the products' own quantification value is 10 000 (Sentinel-2 Products Specification Document), which gives
reflectance, in [0, 1] for nearly every pixel. So reflectance goes in as it is, clipped; a ``landlike.json`` beside the
model overrules it."""

COLOUR_GAIN = 10_000 / 2_750
"""Gain of 3-band modules: EuroSAT's pictures are DN × 255 / 2750, clipped, and such modules take pictures ÷ 255."""

_KNOWN_BANDS = {13: (EUROSAT_ORDER, REFLECTANCE_GAIN), 3: (("B04", "B03", "B02"), COLOUR_GAIN)}


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How reflectance becomes a model's input.

    Attributes:
        bands: in the model's order.
        input_size: pixels a side.
        gain: the input is ``clip(reflectance × gain, 0, 1)``; None = reflectance as it is.
        title: what the sidecar calls the model; None = it does not.
    """

    bands: tuple[str, ...]
    input_size: int
    gain: float | None
    title: str | None


def preprocessing(directory: Path, signature: Signature) -> Preprocessing:
    """What a model wants, from its signature and, where there is one, the ``landlike.json`` beside it.

    The sidecar is a JSON object with any of ``bands`` (list of names in the model's order), ``gain`` (number or null),
    ``input_size`` (pixels a side) and ``title``.

    Raises:
        EncoderError: when model and sidecar do not fit, or the bands cannot be known.
    """
    stated = _sidecar(directory)
    bands, gain = _bands(directory, signature, stated)
    size = stated.get("input_size", signature.input_size or DEFAULT_SIZE)
    if signature.input_size not in (None, size):
        found = f"{SIDECAR} says {size} pixels a side, the model takes {signature.input_size}"
        raise EncoderError(_asked(directory), found, f"correct {SIDECAR}")
    return Preprocessing(bands=bands, input_size=size, gain=stated.get("gain", gain), title=stated.get("title"))


def _bands(directory: Path, signature: Signature, stated: dict[str, Any]) -> tuple[tuple[str, ...], float | None]:
    channels, shape = signature.channels, shape_text(signature.images.shape)
    if "bands" in stated:
        bands = tuple(stated["bands"])
        if channels not in (None, len(bands)):
            found = f"{SIDECAR} lists {len(bands)} bands, the model's input has the shape {shape}"
            raise EncoderError(_asked(directory), found, f"list {channels} bands in {SIDECAR}")
        return bands, COLOUR_GAIN if bands == _KNOWN_BANDS[3][0] else REFLECTANCE_GAIN
    if channels in _KNOWN_BANDS:
        return _KNOWN_BANDS[channels]
    found = f"its input has the shape {shape}, and which bands those are is not stated"
    remedy = f'put a {SIDECAR} beside it such as {{"bands": ["B02", "B03", "B04", "B08"]}}, in the model\'s order'
    raise EncoderError(_asked(directory), found, remedy)


def _sidecar(directory: Path) -> dict[str, Any]:
    path = directory / SIDECAR
    if not path.is_file():
        return {}
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderError(_asked(directory), f"{SIDECAR} is no JSON", f"correct {SIDECAR}") from error
    wrong = _wrong_field(stated)
    if wrong:
        raise EncoderError(_asked(directory), f"in {SIDECAR}, {wrong}", f"correct {SIDECAR}")
    return dict(stated)


def _wrong_field(stated: Any) -> str | None:  # noqa: ANN401 - parsed JSON can be anything
    if not isinstance(stated, dict):
        return "there is no object"
    bands = stated.get("bands", ["B04"])
    if not isinstance(bands, list) or not bands or not all(isinstance(b, str) and b in BAND_NAMES for b in bands):
        return f"bands is no list of names out of {', '.join(BAND_NAMES)}"
    gain = stated.get("gain", 1)
    if gain is not None and (isinstance(gain, bool) or not isinstance(gain, int | float) or not 0 < gain < 1e6):
        return "gain is neither null nor a positive number"
    size = stated.get("input_size", 8)
    if isinstance(size, bool) or not isinstance(size, int) or not 8 <= size <= 1024:
        return "input_size is no whole number from 8 to 1024"
    if not isinstance(stated.get("title", ""), str):
        return "title is no text"
    return None


def _asked(directory: Path) -> str:
    return f"Using the model “{directory.name}”"


def scaled(batch: FloatArray, gain: float | None) -> FloatArray:
    """``clip(reflectance × gain, 0, 1)``, or reflectance as it is when gain is None."""
    if gain is None:
        return batch
    result = batch * np.float32(gain) if gain != 1 else batch
    return np.clip(result, 0, 1)


def resized(batch: FloatArray, size: int) -> FloatArray:
    """Patches of shape (N, H, W, C) resampled to (N, size, size, C).

    Bilinear with pixel centres at half pixels and edges extended, as ``tf.image.resize``; when shrinking, the triangle
    is widened by the factor so that no pixel is skipped, as ``antialias=True`` does there.
    """
    count, height, width, bands = batch.shape
    if height != size:
        batch = np.matmul(_weights(height, size), batch.reshape(count, height, width * bands))
    if width != size:
        batch = np.matmul(_weights(width, size), batch.reshape(count * size, width, bands))
    return np.ascontiguousarray(batch.reshape(count, size, size, bands), dtype=np.float32)


@lru_cache(maxsize=16)
def _weights(old: int, new: int) -> FloatArray:
    """Shape (new, old); rows sum to 1."""
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    reach = max(1.0, old / new)
    if reach == 1:
        centres = np.clip(centres, 0, old - 1)  # beyond the outermost centres the edge is extended
    weights = np.maximum(0, 1 - np.abs(np.arange(old)[None, :] - centres[:, None]) / reach)
    result: FloatArray = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    result.flags.writeable = False
    return result
