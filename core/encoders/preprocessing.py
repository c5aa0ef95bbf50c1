"""What pixels a model wants: which bands, how large, how bright; and bringing patches to that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from core.bands import BAND_NAMES, FloatArray
from core.encoders.files import SIDECAR
from core.errors import EncoderError
from core.one_thread import numpy_one_thread

_LIMIT = 1e6
"""Scales, means and deviations are below this."""

FED_LEVELS = ("L1C", "L2A")
"""Product levels: reflectance at the top of the atmosphere, and at the surface."""

Guess = tuple[tuple[str, ...], float | None]
"""Bands in the model's order, and their gain."""

NO_GUESSES: Mapping[int, Guess] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How reflectance becomes a model's input.

    Attributes:
        bands: in the model's order.
        input_size: pixels a side.
        gain: reflectance is multiplied by it; None = 1, and nothing is clipped.
        mean: of each band by name, subtracted after that; empty = nothing is.
        deviation: of each band by name, divided by after that; empty = nothing is.
        title: what the sidecar calls the model; None = it does not.
        level: product level of what it is fed, ``L1C`` or ``L2A``; None = either, as it is.

    Without mean and deviation the input is ``clip(reflectance × gain, 0, 1)``; with them it is not clipped.
    """

    bands: tuple[str, ...]
    input_size: int
    gain: float | None
    mean: Mapping[str, float] = field(default_factory=dict)
    deviation: Mapping[str, float] = field(default_factory=dict)
    title: str | None = None
    level: str | None = None

    @property
    def normalises(self) -> bool:
        """True = the bands have a mean or a deviation."""
        return bool(self.mean or self.deviation)

    @property
    def clips(self) -> bool:
        """True = the input lies in 0 to 1."""
        return self.gain is not None and not self.normalises

    def in_order(self, values: Mapping[str, float], absent: float) -> FloatArray:
        """Return numbers by band name as float32 of shape (bands,), ``absent`` where there are none."""
        return np.array([values.get(band, absent) for band in self.bands], np.float32)

    def scaled(self, batch: FloatArray) -> FloatArray:
        """Return the model's input values of reflectance of shape (N, H, W, bands), of the same shape."""
        if not self.normalises:
            return scaled(batch, self.gain)
        raised = batch if self.gain is None else batch * np.float32(self.gain)
        result: FloatArray = (raised - self.in_order(self.mean, 0)) / self.in_order(self.deviation, 1)
        return result


def read_preprocessing(
    directory: Path,
    *,
    channels: int | None,
    side: int | None,
    shape: str,
    guesses: Mapping[int, Guess] = NO_GUESSES,
    default_size: int | None = None,
) -> Preprocessing:
    """Return what a model wants, from its input and, where there is one, the ``landlike.json`` beside it.

    The sidecar is a JSON object with any of ``bands`` (list of names in the model's order), ``scale`` (number or null;
    ``gain`` means the same), ``mean`` and ``deviation`` (a number for each band, by name), ``input_size`` (pixels a
    side), ``level`` (``L1C`` or ``L2A``, that of what the model is fed) and ``title`` (``name`` means the same).

    Args:
        directory: of the model.
        channels: of its input; None = any number.
        side: pixels a side of its input; None = any.
        shape: of its input, in words, for errors.
        guesses: bands and gain by number of channels, for models that do not list their bands; the gain also for
            those that list the same bands and no gain. Of others it is 1.
        default_size: pixels a side when neither model nor sidecar says; None = that is an error.

    Raises:
        EncoderError: when model and sidecar do not fit, or bands or size cannot be known.
    """
    stated = _sidecar(directory)
    bands, gain = _bands(directory, stated, channels, shape, guesses)
    size = stated.get("input_size", side or default_size)
    if side not in (None, size):
        found = f"{SIDECAR} says {size} pixels a side, the model takes {side}"
        raise EncoderError(_asked(directory), found, f"correct {SIDECAR}")
    if size is None:
        found = "it takes images of any size, and which it was trained on is not stated"
        raise EncoderError(_asked(directory), found, f'put "input_size": 64, or what it is, into {SIDECAR}')
    for name in ("mean", "deviation"):
        if name in stated and set(stated[name]) != set(bands):
            found = (
                f"{name} in {SIDECAR} is of {', '.join(stated[name]) or 'no band'}, the bands are {', '.join(bands)}"
            )
            raise EncoderError(_asked(directory), found, f"give each band its {name}")
    return Preprocessing(
        bands=bands,
        input_size=size,
        gain=stated.get("scale", stated.get("gain", gain)),
        mean=stated.get("mean", {}),
        deviation=stated.get("deviation", {}),
        title=stated.get("title", stated.get("name")),
        level=stated.get("level"),
    )


def _bands(
    directory: Path, stated: Mapping[str, Any], channels: int | None, shape: str, guesses: Mapping[int, Guess]
) -> Guess:
    if "bands" in stated:
        bands = tuple(stated["bands"])
        if channels not in (None, len(bands)):
            found = f"{SIDECAR} lists {len(bands)} bands, the model's input has the shape {shape}"
            raise EncoderError(_asked(directory), found, f"list {channels} bands in {SIDECAR}")
        known, gain = guesses.get(len(bands), ((), None))
        return bands, gain if bands == known else 1.0
    if channels is not None and channels in guesses:
        return guesses[channels]
    found = f"its input has the shape {shape}, and which bands those are is not stated"
    remedy = f'put a {SIDECAR} beside it such as {{"bands": ["B02", "B03", "B04", "B08"]}}, in the model\'s order'
    raise EncoderError(_asked(directory), found, remedy)


def stated_bands(directory: Path) -> tuple[str, ...]:
    """Return the bands that the sidecar of a model lists, in the model's order; empty when it lists none.

    Raises:
        EncoderError: when the sidecar is damaged.
    """
    return tuple(_sidecar(directory).get("bands", ()))


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
    size = stated.get("input_size", 8)
    if isinstance(size, bool) or not isinstance(size, int) or not 8 <= size <= 1024:
        return "input_size is no whole number from 8 to 1024"
    if stated.get("level") not in (None, *FED_LEVELS):
        return f"level is none of {', '.join(FED_LEVELS)}"
    for name in ("title", "name"):
        if not isinstance(stated.get(name, ""), str):
            return f"{name} is no text"
    return _wrong_number(stated)


def _wrong_number(stated: Mapping[str, Any]) -> str | None:
    if "gain" in stated and "scale" in stated:
        return "gain and scale are both given, which mean the same"
    for name in ("gain", "scale"):
        if stated.get(name) is not None and not _is_number(stated[name], least=0):
            return f"{name} is neither null nor a positive number"
    for name, least in (("mean", -_LIMIT), ("deviation", 0.0)):
        values = stated.get(name, {})
        if not isinstance(values, dict) or not all(_is_number(value, least=least) for value in values.values()):
            return f"{name} is no object with a {'positive ' if least == 0 else ''}number for each band, by name"
    return None


def _is_number(value: Any, *, least: float) -> bool:  # noqa: ANN401 - as above
    return isinstance(value, int | float) and not isinstance(value, bool) and least < value < _LIMIT


def _asked(directory: Path) -> str:
    return f"Using the model “{directory.name}”"


def shape_text(shape: Sequence[int | None] | None) -> str:
    """Return a shape as people write it, ``(?, 224, 224, 13)``."""
    return "(…)" if shape is None else f"({', '.join('?' if size is None else str(size) for size in shape)})"


def scaled(batch: FloatArray, gain: float | None) -> FloatArray:
    """Return ``clip(reflectance × gain, 0, 1)``, or reflectance as it is when gain is None."""
    if gain is None:
        return batch
    result = batch * np.float32(gain) if gain != 1 else batch
    return np.clip(result, 0, 1)


def resized(batch: FloatArray, size: int) -> FloatArray:
    """Return patches of shape (N, H, W, C) resampled to (N, size, size, C).

    Bilinear with pixel centres at half pixels and edges extended, as ``tf.image.resize``; when shrinking, the triangle
    is widened by the factor so that no pixel is skipped, as ``antialias=True`` does there.
    """
    count, height, width, bands = batch.shape
    # With more threads OpenBLAS was once seen to wait for one of them for ever, in a process with OpenVINO's beside.
    with numpy_one_thread():
        if height != size:
            batch = np.matmul(_weights(height, size), batch.reshape(count, height, width * bands))
        if width != size:
            batch = np.matmul(_weights(width, size), batch.reshape(count * size, width, bands))
    return np.ascontiguousarray(batch.reshape(count, size, size, bands), dtype=np.float32)


@lru_cache(maxsize=16)
def _weights(old: int, new: int) -> FloatArray:
    """Return weights of shape (new, old); rows sum to 1."""
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    reach = max(1.0, old / new)
    if reach == 1:
        centres = np.clip(centres, 0, old - 1)  # beyond the outermost centres the edge is extended
    weights = np.maximum(0, 1 - np.abs(np.arange(old)[None, :] - centres[:, None]) / reach)
    result: FloatArray = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    result.flags.writeable = False
    return result
