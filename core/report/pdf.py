"""A report as PDF, set by fpdf2 from the same contents as the HTML: a print of it needs no browser.

The typeface is Source Sans, which has Latin, Greek and Cyrillic letters. Others print as “?”; the HTML shows them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from fpdf import FPDF, FontFace
from fpdf.enums import TableBordersLayout, XPos, YPos
from PIL import ImageColor

from core.evaluation.report.card import Sheet
from core.evaluation.report.verdict import Grade
from core.export.typeface import typeface
from core.report.classes import Facts
from core.report.contents import BASIS_WORDS, ReportContents
from core.report.figures import BarFigure, FigureBar, shortened
from core.report.pictures import EmbeddedPicture, ExampleRow

Colour = tuple[int, int, int]

INK: Colour = (27, 27, 27)
QUIET: Colour = (85, 96, 106)
RULE: Colour = (201, 206, 210)
VERDICT_COLOURS: dict[Grade | None, Colour] = {
    "good": (46, 125, 79), "fair": (201, 138, 18), "poor": (179, 55, 47), None: (138, 147, 155),
}  # fmt: skip
MIND: Colour = (253, 243, 224)

_FACE, _LINE = "Sans", 4.7
_LABEL, _VALUE, _ROW = 46.0, 44.0, 6.2


def pdf_report(contents: ReportContents) -> bytes:
    """Return a report as the bytes of a PDF on A4.

    Raises:
        StoreError: when the typeface is not installed.
    """
    sheet = _Paper(contents)
    sheet.fill()
    return bytes(sheet.output())


class _Paper(FPDF):
    """Pages that fill from above."""

    def __init__(self, contents: ReportContents) -> None:
        super().__init__(format="A4")
        self._contents = contents
        self.set_margins(16, 15, 16)
        self.set_auto_page_break(auto=True, margin=18)
        self.c_margin = 0
        for style, file in typeface().items():
            self.add_font(_FACE, style, file)
        self._known = frozenset(number for font in self.fonts.values() for number in getattr(font, "cmap", ()))
        self.set_title(self._shown(contents.title))
        self.set_creator("Landlike")
        self.set_lang("en")

    def footer(self) -> None:
        """Write date and number of the page."""
        self.set_y(-12)
        self._face(8.5, colour=QUIET)
        self.cell(
            0, 5, self._shown(f"{self._contents.title[:80]} · {self._contents.made} · {self.page_no()}"), align="C"
        )

    def fill(self) -> None:
        """Write everything."""
        c = self._contents
        self.add_page()
        self._face(20, bold=True)
        self._block(c.title, 8.5)
        self._face(10.5, colour=QUIET)
        self._block(f"Report of Landlike, {c.made}")
        self.ln(2)
        self._verdict()
        for note in c.notes:
            self._note(note)
        self._heading("Scene")
        self._facts(c.scene)
        if c.picture is not None:
            self._large(c.picture, 118)
            self._note(f"{c.picture.alt}; grey where there are no data.")
        self._searched()
        if c.coloured is not None:
            self._heading("Map", self._height(c.coloured, 118) + 20)
            self._large(c.coloured, 118)
            self._legend(c.legend)
            self._note(c.coloured.caption)
        if c.findings:
            self._heading("How it was read")
            self._findings()
        self._heading("Encoder")
        self._facts(c.encoder)
        self._classes()
        self._examples(c.examples)
        if c.bands is not None:
            self._heading("Light", 12 * _ROW)
            self._figure(c.bands)
        self._heading("Trust in detail")
        self._details()
        self._heading("Method", 40)
        self._text(c.method)
        self._heading("Versions", 6)
        self._text(", ".join(f"{name} {value}" for name, value in c.versions) + f". Made on {c.made}.")

    def _shown(self, text: str) -> str:
        """Return a text with “?” for what the typeface lacks, on one line."""
        return "".join(one if ord(one) in self._known else "?" for one in " ".join(text.split()))

    def _face(self, size: float, *, bold: bool = False, colour: Colour = INK) -> None:
        self.set_font(_FACE, "B" if bold else "", size)
        self.set_text_color(*colour)

    def _block(self, text: str, line: float = _LINE) -> None:
        self.multi_cell(0, line, self._shown(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _text(self, text: str) -> None:
        self._face(10)
        self._block(text)
        self.ln(1)

    def _note(self, text: str) -> None:
        self._face(9, colour=QUIET)
        self._block(text, 4.2)
        self.ln(1)

    def _heading(self, text: str, follows: float = 24) -> None:
        """Write a heading, on the next page where what follows would not stand below it."""
        self._room(14 + follows)
        self.ln(5)
        self._face(13, bold=True)
        self._block(text, 6)
        self.set_draw_color(*RULE)
        self.line(self.l_margin, self.get_y() + 0.5, self.w - self.r_margin, self.get_y() + 0.5)
        self.ln(2.5)

    def _room(self, height: float) -> None:
        """Go to the next page where less height is left, unless a page has not that much."""
        if self.get_y() + min(height, self.eph) > self.page_break_trigger:
            self.add_page()

    def _verdict(self) -> None:
        c = self._contents
        top, page = self.get_y(), self.page
        self.set_left_margin(22)
        self._face(14, bold=True)
        self._block(c.verdict.words, 7)
        self._text(" ".join((c.verdict.because, *c.unexamined)))
        for sign, topic, words in c.summary:
            self._face(10, bold=True)
            self.write(_LINE, self._shown(f"{_plain(sign)} {topic}:"))
            self._face(10)
            self.write(_LINE, f" {self._shown(words)}")
            self.ln(_LINE + 0.8)
        self.set_left_margin(16)
        self.set_x(16)
        if self.page == page:
            self.set_fill_color(*VERDICT_COLOURS[c.verdict.grade])
            self.rect(16, top, 1.6, self.get_y() - top, "F")

    def _facts(self, facts: Facts) -> None:
        self._grid([(name, value) for name, value in facts], (38, 180), quiet_first=True)

    def _findings(self) -> None:
        rows = [
            (one.topic[:1].upper() + one.topic[1:], one.value, BASIS_WORDS[one.basis], one.because)
            for one in self._contents.findings
        ]
        mind = [at for at, one in enumerate(self._contents.findings) if one.basis in {"assumed", "warning"}]
        self._grid(rows, (26, 56, 40, 66), head=("What", "Value", "How it is known", "Why"), mind=mind)

    def _sheet(self, sheet: Sheet) -> None:
        self._room(20)
        self._note(sheet.title)
        self._face(8.5 if len(sheet.head) < 8 else 7.5, bold=True)
        columns = list(zip(sheet.head, *sheet.rows, strict=True))
        words = [max(self._wide(word) for cell in column for word in cell.split() or [""]) for column in columns]
        whole = [
            max(*(self._wide(cell) for cell in column), least) for column, least in zip(columns, words, strict=True)
        ]
        spare = max(0.0, self.epw - sum(words))
        widths = [least + min(most - least, spare / len(columns)) for most, least in zip(whole, words, strict=True)]
        self._grid(list(sheet.rows), widths, head=sheet.head, numbers=True, size=self.font_size_pt)

    def _wide(self, text: str) -> float:
        """Return the width of a text in a cell, in millimetres."""
        return float(self.get_string_width(self._shown(text))) + 3.5

    def _grid(
        self,
        rows: Sequence[Sequence[str]],
        widths: Sequence[float],
        *,
        head: Sequence[str] = (),
        mind: Sequence[int] = (),
        quiet_first: bool = False,
        numbers: bool = False,
        size: float = 9,
    ) -> None:
        """Write a table; ``mind`` are rows with a ground of their own, ``widths`` millimetres where they fit."""
        self._face(size)
        self.set_draw_color(221, 225, 228)
        self.set_fill_color(255, 255, 255)
        align = ("LEFT", *(["RIGHT" if numbers else "LEFT"] * (len(widths) - 1)))
        with self.table(
            width=min(self.epw, max(sum(widths), 90.0)), align="LEFT", v_align="TOP",
            col_widths=tuple(widths), line_height=4.3, padding=(0.7, 2, 0.7, 0), first_row_as_headings=bool(head),
            text_align=align, borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis="BOLD", color=INK),
        ) as table:  # fmt: skip
            if head:
                table.row([self._shown(cell) for cell in head])
            for number, cells in enumerate(rows):
                style = FontFace(fill_color=MIND) if number in mind else None
                row = table.row(style=style)
                for at, cell in enumerate(cells):
                    quiet = FontFace(color=QUIET) if quiet_first and not at else None
                    row.cell(self._shown(cell), style=quiet or style)
        self.ln(2)

    def _large(self, picture: EmbeddedPicture, tallest: float, below: float = 8) -> None:
        """Draw a picture as wide as the page, or less tall; what stands below it fits on its page."""
        height = self._height(picture, tallest)
        width = height * picture.size[0] / picture.size[1]
        self._room(height + below)
        self.ln(1)
        left = self.l_margin + (self.epw - width) / 2
        self.image(io.BytesIO(picture.jpeg), x=left, w=width, h=height, alt_text=picture.alt)
        self.ln(1)

    def _height(self, picture: EmbeddedPicture, tallest: float) -> float:
        """Return how tall a picture is drawn that is as wide as the page, or less tall; millimetres."""
        width, height = picture.size
        return min(height * self.epw / width, tallest)

    def _legend(self, legend: Facts) -> None:
        self._face(9)
        for name, colour in legend:
            words = self._shown(name)
            if self.get_x() + 6 + self.get_string_width(words) > self.w - self.r_margin:
                self.ln(5)
            self.set_fill_color(*ImageColor.getrgb(colour)[:3])
            self.rect(self.get_x(), self.get_y() + 0.9, 3.2, 3.2, "F")
            self.set_x(self.get_x() + 4.6)
            self.cell(self.get_string_width(words) + 5, 5, words)
        self.ln(7)

    def _classes(self) -> None:
        part = self._contents.classes
        if part is None:
            return
        self._heading("Classes and areas")
        self._sheet(part.sheet)
        for note in part.notes:
            self._note(note)
        if part.figure is not None:
            self._figure(part.figure)
        if part.picture is not None:
            self.ln(2)
            self._large(part.picture, 110, 20)
            self._legend(part.legend)
            if part.picture.caption:
                self._note(part.picture.caption)

    def _searched(self) -> None:
        part = self._contents.search
        if part is None:
            return
        self._heading("What was looked for", 40)
        for sentence in part.sentences:
            self._text(sentence)
        side = (self.epw - 2 * 5) / 6
        for title, pictures in part.rows:
            self._room(side + 14)
            self._note(title)
            for at in range(0, len(pictures), 6):
                self._row(pictures[at : at + 6], side)
        if part.picture is not None:
            self._large(part.picture, 118, 14)
            self._legend(part.legend)
            self._note(part.picture.caption)

    def _examples(self, rows: Sequence[ExampleRow]) -> None:
        if not rows:
            return
        count = 1 + len(rows[0].neighbours)
        side = (self.epw - 2 * (count - 1)) / count
        self._heading("Examples", side + 20)
        self._text(
            f"Patches that differ, each with the {count - 1} most like it. Below each stand its number and the "
            "similarity, 1 at most."
        )
        for row in rows:
            self._row((row.query, *row.neighbours), side, leads=True)

    def _row(self, pictures: Sequence[EmbeddedPicture], side: float, *, leads: bool = False) -> None:
        """Set pictures beside each other; ``leads`` says whether the first is what the others are compared with."""
        self._room(side + 7)
        top = self.get_y()
        for at, one in enumerate(pictures):
            left = self.l_margin + at * (side + 2)
            self.image(io.BytesIO(one.jpeg), x=left, y=top, w=side, h=side, alt_text=one.alt)
            self.set_xy(left, top + side + 0.5)
            self._face(8.5, colour=INK if leads and not at else QUIET)
            self.cell(side, 4, self._shown(one.caption))
        self.set_xy(self.l_margin, top + side + 7)

    def _details(self) -> None:
        for one in self._contents.sections:
            self._room(18)
            self.ln(1.5)
            self._face(11, bold=True)
            self._block(one.title, 5.5)
            for sentence in one.sentences:
                self._text(sentence)
            for sheet in one.sheets:
                self._sheet(sheet)

    def _figure(self, figure: BarFigure) -> None:
        self._room(min(len(figure.bars), 8) * _ROW + 10)
        self._note(figure.title)
        for bar in figure.bars:
            self._room(_ROW)
            self._bar(bar, (self.epw - _LABEL - _VALUE) / figure.most)
        if figure.note:
            self._note(figure.note)

    def _bar(self, bar: FigureBar, scale: float) -> None:
        top, begin = self.get_y(), self.l_margin + _LABEL
        self._face(9)
        self.set_xy(self.l_margin, top)
        self.cell(_LABEL - 2, _ROW, self._shown(shortened(bar.label)), align="R")
        self.set_fill_color(*ImageColor.getrgb(bar.colour)[:3])
        self.rect(begin, top + 1.4, max(0.01, bar.value * scale), _ROW - 2.8, "F")
        end = begin + bar.value * scale
        if bar.low is not None and bar.high is not None:
            left, right = begin + bar.low * scale, begin + bar.high * scale
            for colour, width in (((255, 255, 255), 0.8), (INK, 0.25)):
                self.set_draw_color(*colour)
                self.set_line_width(width)
                self.line(left, top + _ROW / 2, right, top + _ROW / 2)
                for edge in (left, right):
                    self.line(edge, top + 1.9, edge, top + _ROW - 1.9)
            self.set_line_width(0.2)
            end = max(end, right)
        self.set_xy(end + 1.5, top)
        self.cell(_VALUE, _ROW, self._shown(bar.told))
        self.set_xy(self.l_margin, top + _ROW)


def _plain(sign: str) -> str:
    """Return a sign that the typeface has."""
    return {"✕": "×"}.get(sign, sign)
