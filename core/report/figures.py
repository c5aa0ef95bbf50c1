"""The figures of a report: bars with intervals, as data and as SVG that stands inside a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

BAR, LINE, TEXT, GRID = "#2f6f5e", "#1b1b1b", "#222222", "#d5d9dc"

_ROW, _TOP, _LABEL, _WIDTH, _VALUE = 22, 6, 170, 640, 150
_LONGEST = 28


@dataclass(frozen=True, kw_only=True)
class FigureBar:
    """A bar.

    Attributes:
        label: what it is of.
        value: how long it is.
        low: where its interval begins; None = it has none.
        high: where it ends; None likewise.
        told: the number in words.
        colour: ``#rrggbb``.
    """

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    told: str = ""
    colour: str = BAR


@dataclass(frozen=True, kw_only=True)
class BarFigure:
    """Bars that begin at 0, under each other.

    Attributes:
        title: what the lengths are.
        bars: from above.
        note: what a reader has to know of intervals, a sentence; may be empty.
    """

    title: str
    bars: tuple[FigureBar, ...]
    note: str = ""

    @property
    def most(self) -> float:
        """The largest number to draw, more than 0."""
        ends = [end for bar in self.bars for end in (bar.value, bar.high) if end is not None]
        return max([*ends, 0.0]) or 1.0

    def svg(self) -> str:
        """Return the figure as an SVG element; whatever it says is escaped."""
        height = 2 * _TOP + _ROW * len(self.bars)
        root = Element("svg", {"viewBox": f"0 0 {_WIDTH} {height}", "role": "img", "aria-label": self.title})
        _line(root, (_LABEL, 0), (_LABEL, height), GRID)
        for number, bar in enumerate(self.bars):
            self._draw(root, bar, _TOP + number * _ROW + _ROW / 2)
        return tostring(root, encoding="unicode")

    def _draw(self, root: Element, bar: FigureBar, middle: float) -> None:
        scale = (_WIDTH - _LABEL - _VALUE) / self.most
        _text(root, (_LABEL - 8, middle + 4), shortened(bar.label), "end")
        end = _LABEL + bar.value * scale
        box = {"x": f"{_LABEL}", "y": f"{middle - 6:.1f}", "width": f"{bar.value * scale:.1f}", "height": "12"}
        SubElement(root, "rect", box | {"fill": bar.colour})
        if bar.low is not None and bar.high is not None:
            left, right = (_LABEL + edge * scale for edge in (bar.low, bar.high))
            for colour, width in (("#ffffff", 3.6), (LINE, 1.4)):
                _line(root, (left, middle), (right, middle), colour, width)
                for edge in (left, right):
                    _line(root, (edge, middle - 4), (edge, middle + 4), colour, width)
            end = max(end, right)
        _text(root, (end + 8, middle + 4), bar.told, "start")


def shortened(label: str, most: int = _LONGEST) -> str:
    """Return a label that fits before its bar."""
    return label if len(label) <= most else f"{label[: most - 1]}…"


def _line(root: Element, first: Sequence[float], last: Sequence[float], colour: str, width: float = 1.4) -> None:
    ends = dict(zip(("x1", "y1", "x2", "y2"), (f"{one:.1f}" for one in (*first, *last)), strict=True))
    SubElement(root, "line", ends | {"stroke": colour, "stroke-width": f"{width}"})


def _text(root: Element, place: Sequence[float], words: str, anchor: str) -> None:
    at = {"x": f"{place[0]:.1f}", "y": f"{place[1]:.1f}", "text-anchor": anchor, "font-size": "12", "fill": TEXT}
    SubElement(root, "text", at).text = words
