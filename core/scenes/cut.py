"""A way of cutting scenes into patches: how large, how far apart, what happens at the edge, what counts as empty.

Where the patches of a scene come to lie by it is ``core.scenes.patches``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from core.errors import PatchError

Edge = Literal["leave", "cover"]
"""What becomes of pixels at the lower and right edge that no whole patch fits on: they are left out, or the last row
and column of patches are moved inwards to cover them, and so overlap their neighbours."""

LEAST_SIZE, MOST_SIZE = 8, 512
FINEST_STRIDE = 8
"""Patches lie at least their size divided by this apart."""

MIN_VALID_FRACTION = 0.5
"""Patches with a smaller share of valid pixels are not encoded, unless a cut says otherwise."""

_LENGTH = re.compile(r"(-?\d{1,7}(?:\.\d{1,4})?)\s*(px|m|km|)", re.IGNORECASE)
_UNITS: Mapping[str, float | None] = {"": None, "px": None, "m": 1.0, "km": 1000.0}
AREA_KEY = re.compile(r"a[0-9a-f]{12}")
"""What the name of an area of interest looks like (``core.scenes.regions.of_interest``)."""

WHOLE_AT_EDGE = "Patches that the edge of the area crosses are cut and counted whole."
"""Said wherever patches of an area are counted, for their ground adds up to more than the area."""

_KEY = re.compile(rf"([1-9]\d{{0,2}})-([1-9]\d{{0,2}})(c?)(?:v([1-9]\d{{0,2}}))?({AREA_KEY.pattern})?")


@dataclass(frozen=True, slots=True)
class Cut:
    """A way of cutting.

    Attributes:
        size: pixels a side, 8 to 512.
        stride: pixels from patch to patch, ``size`` / 8 to ``size``.
        edge: what becomes of the edge.
        least_valid: patches with a smaller share of valid pixels are not encoded; whole hundredths, 0.01 to 1.
        area: name of the area of interest, kept beside the scene, whose patches alone are encoded; empty = all are.

    Raises:
        PatchError: when a number is out of range.
    """

    size: int
    stride: int
    edge: Edge = "leave"
    least_valid: float = MIN_VALID_FRACTION
    area: str = ""

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        asked = "Cutting the scene into patches"
        if (
            not LEAST_SIZE <= self.size <= MOST_SIZE
            or not max(1, self.size // FINEST_STRIDE) <= self.stride <= self.size
        ):
            remedy = "choose a size of 8 to 512 and a stride from size / 8 to size"
            raise PatchError(asked, f"patch size {self.size}, stride {self.stride}", remedy)
        if self.edge not in get_args(Edge):
            raise PatchError(asked, f"“{self.edge}” for the edge", f"choose {' or '.join(get_args(Edge))}")
        percent = self.least_valid * 100
        if not 1 <= percent <= 100 or abs(percent - round(percent)) > 1e-6:
            remedy = "choose whole hundredths from 0.01 to 1"
            raise PatchError(asked, f"a least valid fraction of {self.least_valid:g}", remedy)
        if self.area and not AREA_KEY.fullmatch(self.area):
            raise PatchError(asked, f"“{self.area[:40]}” for the area", "give the name of an area that is kept")

    @classmethod
    def of(
        cls,
        size: int = 64,
        stride: int | None = None,
        *,
        edge: Edge = "leave",
        least_valid: float = MIN_VALID_FRACTION,
        area: str = "",
    ) -> Cut:
        """Return a cut; without a stride the patches lie side by side. Errors as of ``Cut``."""
        return cls(size, size if stride is None else stride, edge, least_valid, area)

    @property
    def key(self) -> str:
        """A name for files, addresses and links: ``64-32``, ``c`` = the edge covered, ``v25`` = 25 %, then the area."""
        cover = "c" if self.edge == "cover" else ""
        valid = "" if self.least_valid == MIN_VALID_FRACTION else f"v{round(self.least_valid * 100)}"
        return f"{self.size}-{self.stride}{cover}{valid}{self.area}"

    @classmethod
    def parse(cls, key: str) -> Cut | None:
        """Return the cut of a key; None when there can be no such cut."""
        match = _KEY.fullmatch(key, endpos=32)
        if match is None:
            return None
        edge: Edge = "cover" if match[3] else "leave"
        try:
            valid = int(match[4]) / 100 if match[4] else MIN_VALID_FRACTION
            cut = cls(int(match[1]), int(match[2]), edge, valid, match[5] or "")
        except PatchError:
            return None
        return cut if cut.key == key else None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; what the first version did not know is left out where nobody asked for it."""
        values: dict[str, Any] = {"size": self.size, "stride": self.stride}
        if self.edge != "leave":
            values["edge"] = self.edge
        if self.least_valid != MIN_VALID_FRACTION:
            values["least_valid"] = self.least_valid
        if self.area:
            values["area"] = self.area
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Cut | None:
        """Return the cut that ``to_dict`` gave these values for; None when they are of no cut."""
        size, stride = values.get("size"), values.get("stride")
        edge, valid = values.get("edge", "leave"), values.get("least_valid", MIN_VALID_FRACTION)
        area = values.get("area", "")
        numbers = isinstance(size, int) and isinstance(stride, int) and isinstance(valid, int | float)
        if not numbers or not isinstance(edge, str) or not isinstance(area, str):
            return None
        try:
            return cls(size, stride, edge, valid, area)  # type: ignore[arg-type]
        except PatchError:
            return None


@dataclass(frozen=True, slots=True)
class GroundLength:
    """A length as people write it, in pixels or on the ground.

    Attributes:
        number: whether it can be cut so is for ``Cut`` to say.
        metres: how many metres one of its unit is; None = pixels.
    """

    number: float
    metres: float | None = None

    @classmethod
    def parse(cls, text: str) -> GroundLength | None:
        """Return what ``64``, ``64px``, ``640m`` or ``1.28 km`` mean, or None."""
        match = _LENGTH.fullmatch(text.strip())
        if match is None or (match[2].lower() in ("", "px") and "." in match[1]):
            return None
        return cls(float(match[1]), _UNITS[match[2].lower()])

    def pixels(self, metres: float | None) -> int:
        """Return it in whole pixels of so many metres.

        Raises:
            PatchError: when it is in metres, and those of a pixel are not known.
        """
        if self.metres is None:
            return round(self.number)
        if metres is None:
            found = "it is not known how large its pixels are on the ground"
            raise PatchError("Cutting the scene into patches", found, "give the size and the step in pixels")
        return round(self.number * self.metres / metres)


DEFAULT_CUT = Cut.of()
"""How a scene is cut where nobody says otherwise: 64 pixels, side by side."""
