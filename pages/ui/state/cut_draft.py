"""What a person has typed so far about how a scene is to be cut, in pixels or metres; no drawing, no session."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import PatchError
from core.scenes.cut import DEFAULT_CUT, Cut, Edge

PIXELS, METRES = "Pixels", "Metres"


@dataclass
class CutDraft:
    """The form as it stands.

    Attributes:
        unit: of size and step, ``PIXELS`` or ``METRES``.
        size: a side.
        step: from patch to patch.
        edge: what becomes of the edge.
        percent: of valid pixels that a patch needs, 1 to 100.
        area: name of the area whose patches are cut; empty = the whole scene.
        area_file: the upload that was last read as an area.
        area_error: why it is none; empty = it is one.
    """

    unit: str = PIXELS
    size: int = DEFAULT_CUT.size
    step: int = DEFAULT_CUT.stride
    edge: Edge = DEFAULT_CUT.edge
    percent: int = round(DEFAULT_CUT.least_valid * 100)
    area: str = ""
    area_file: str = ""
    area_error: str = ""

    @classmethod
    def of(cls, cut: Cut, metres: float | None, unit: str) -> CutDraft:
        """Return the form that says a cut.

        Args:
            cut: the way of cutting.
            metres: of a pixel; None where that is not known, and pixels count.
            unit: the wanted one.
        """
        percent = round(cut.least_valid * 100)
        if metres is None or unit == PIXELS:
            return cls(PIXELS, cut.size, cut.stride, cut.edge, percent, cut.area)
        return cls(METRES, round(cut.size * metres), round(cut.stride * metres), cut.edge, percent, cut.area)

    def cut(self, metres: float | None) -> Cut:
        """Return the cut that the form says; metres become the nearest whole number of pixels.

        Raises:
            PatchError: when there can be no such cut.
        """
        size, stride = (self.pixels(length, metres) for length in (self.size, self.step))
        return Cut(size, stride, self.edge, self.percent / 100, self.area)

    def pixels(self, length: int, metres: float | None) -> int:
        """Return a length of the form in whole pixels."""
        return length if metres is None or self.unit == PIXELS else round(length / metres)

    def resize(self, size: int) -> None:
        """Take another size; patches that lay side by side still do."""
        if self.step in (self.size, 0) or self.step > size:
            self.step = size
        self.size = size

    def take_file(self, file_id: str, area: str, error: str) -> None:
        """Take the area of an upload, or why it is none."""
        self.area_file, self.area_error, self.area = file_id, error, area or self.area

    def turn(self, unit: str, metres: float | None) -> None:
        """Say the same in another unit, where it can be said."""
        try:
            said = CutDraft.of(self.cut(metres), metres, unit)
        except PatchError:
            said = CutDraft(unit=unit, size=self.size, step=self.step)
        self.unit, self.size, self.step = said.unit, said.size, said.step
