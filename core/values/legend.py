"""What colours mean: a bar of numbers or a list of classes; the same in the plot and on the map. It also paints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.imagery.ramps import LEVELS, ByteArray, Ramp
from core.values.palette import UNKNOWN_COLOUR

BAR_COLOURS = 64
"""Colours that a bar is sent as: as many as the plot paints its points in, so that map and plot look alike."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How the numbers of a value are coloured.

    Attributes:
        title: what the numbers are.
        ramp: colours over the range; values beyond it look like its ends.
        low_word: what low values mean on land.
        high_word: what high values mean on land.
        digits: decimals of a value in words.
    """

    title: str
    ramp: Ramp
    low_word: str
    high_word: str
    digits: int = 2

    def colours(self, count: int = BAR_COLOURS) -> list[str]:
        """Return ``count`` evenly spaced colours, ``#rrggbb``, first to last."""
        table = self.ramp.table()
        chosen = table[[round(index * (len(table) - 1) / (count - 1)) for index in range(count)]]
        return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in chosen.tolist()]

    def legend(self, low: float | None = None, high: float | None = None, *, about: str = "") -> ScaleLegend:
        """Return the bar from ``low`` to ``high``, or over the ramp's own range."""
        ends = self.ramp.low if low is None else low, self.ramp.high if high is None else high
        return ScaleLegend(scale=self, low=ends[0], high=ends[1], about=about)


@dataclass(frozen=True, kw_only=True)
class ScaleLegend:
    """A colour bar.

    Attributes:
        scale: its colours and words.
        low: value of its first colour.
        high: value of its last.
        about: how the numbers are made, a sentence, or empty.
    """

    scale: Scale
    low: float
    high: float
    about: str = ""

    def paint(self, values: FloatArray) -> tuple[ByteArray, NDArray[np.bool_]]:
        """Return colours, uint8 of shape (N, 3), and which values there are, bool of shape (N,)."""
        share = np.clip((values - self.low) / max(self.high - self.low, 1e-12), 0, 1)
        known = np.isfinite(values)
        levels = np.rint(np.where(known, share, 0) * (LEVELS - 1)).astype(np.int64)
        return self.scale.ramp.table()[levels], known

    def script(self) -> dict[str, Any]:
        """Return the bar as the browser's scripts take it."""
        scale = self.scale
        words = {"title": scale.title, "low_word": scale.low_word, "high_word": scale.high_word, "about": self.about}
        ends = {"low": self.low, "high": self.high, "digits": scale.digits, "colours": scale.colours()}
        return {"kind": "scale", "unknown": UNKNOWN_COLOUR, **words, **ends}


@dataclass(frozen=True, kw_only=True)
class ClassLegend:
    """Classes and their colours; a patch's value is the number of its class, from 0.

    Attributes:
        names: as people write them.
        colours: ``#rrggbb`` of each.
    """

    names: tuple[str, ...]
    colours: tuple[str, ...]

    def paint(self, values: FloatArray) -> tuple[ByteArray, NDArray[np.bool_]]:
        """Return colours, uint8 of shape (N, 3), and which patches have a class, bool of shape (N,)."""
        table = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in self.colours], np.uint8)
        known = np.isfinite(values)
        return table[np.where(known, values, 0).astype(np.int64)], known

    def script(self) -> dict[str, Any]:
        """Return the classes as the browser's scripts take them."""
        return {"kind": "class", "unknown": UNKNOWN_COLOUR, "names": list(self.names), "colours": list(self.colours)}


Legend = ScaleLegend | ClassLegend
