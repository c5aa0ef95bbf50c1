"""The report as HTML and PDF: whole in itself, nothing of it run, the same facts in both."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from PIL import Image

from core.evaluation.report.card import Section, Sheet
from core.evaluation.report.verdict import SceneVerdict
from core.report.classes import ClassPart
from core.report.contents import ReportContents
from core.report.figures import BarFigure, FigureBar
from core.report.html import html_report
from core.report.pdf import pdf_report
from core.report.pictures import EmbeddedPicture, ExampleRow
from core.report.searched import SearchPart
from core.scenes.quality import Finding

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }} =cmd|calc"


def picture(colour: str = "red") -> EmbeddedPicture:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 12), colour).save(buffer, "JPEG")
    return EmbeddedPicture(jpeg=buffer.getvalue(), alt=EVIL, caption="7 · 0.98")


@pytest.fixture(scope="module")
def contents() -> ReportContents:
    sheet = Sheet(title=EVIL, head=("Class", "Mapped, ha"), rows=((EVIL, "1,234"), ("Wälder", "5")))
    figure = BarFigure(
        title=EVIL, bars=(FigureBar(label=EVIL, value=3, low=1, high=5, told="3"), FigureBar(label="b", value=0))
    )
    finding = Finding(topic="scale", value=EVIL, basis="assumed", because="nothing says “it”")
    section = Section(name="hubs", title="Hubs?", sentences=(EVIL,), sheets=(sheet,))
    legend = ((EVIL, "#123456"),)
    return ReportContents(
        title=EVIL, made="2026-01-02", verdict=SceneVerdict(grade="fair", because=EVIL), unexamined=(EVIL,),
        summary=(("✕", "Hubs", EVIL),), sections=(section,), scene=(("Place", EVIL),), picture=picture(),
        examples=(ExampleRow(query=picture(), neighbours=(picture(),) * 5),),
        findings=(finding,), encoder=(("Encoder", EVIL),),
        classes=ClassPart(sheet=sheet, figure=figure, notes=(EVIL,), picture=picture("blue"), legend=legend),
        bands=figure, method=EVIL, versions=(("Landlike", "0.1.0"),), notes=(EVIL,),
    )  # fmt: skip


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_needs_nothing_else_and_runs_nothing(contents: ReportContents) -> None:
    page = Page(html_report(contents))
    assert "script" not in page.tags
    assert page.tags.count("img") == 8
    assert all(address.startswith("data:image/jpeg;base64,") for address in page.addresses)
    assert page.tags.count("svg") == 2
    assert page.tags.count("h1") == 1
    assert page.words.count(EVIL) == 20, "what came from outside stands there as it came"
    assert "@page {size: A4" in page.words
    assert "http" not in page.words.replace("http-equiv", "")


def test_the_pdf_is_whole_with_its_pictures(contents: ReportContents) -> None:
    data = pdf_report(contents)
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type /Page\b", data)) >= 2
    assert len(re.findall(rb"/Subtype /Image", data)) == 2, "equal pictures are kept once"
    assert b"/JavaScript" not in data


def test_letters_that_the_typeface_lacks_are_marked(contents: ReportContents, caplog: pytest.LogCaptureFixture) -> None:
    data = pdf_report(replace(contents, title="湖 Озеро"))
    assert "missing" not in caplog.text
    streams = re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL)
    assert any(b"BT" in zlib.decompress(part) for part in streams if part[:1] == b"x")


def test_without_scene_classes_and_bands_the_rest_stands(contents: ReportContents) -> None:
    bare = replace(contents, picture=None, examples=(), findings=(), classes=None, bands=None)
    page = Page(html_report(bare))
    assert page.tags.count("img") == page.tags.count("svg") == 0
    assert "How it was read" not in page.words
    assert pdf_report(bare).startswith(b"%PDF-")


def test_bars_are_as_long_as_their_numbers() -> None:
    svg = BarFigure(
        title="t", bars=(FigureBar(label="a", value=4), FigureBar(label="b", value=1, low=0.5, high=2))
    ).svg()
    first, second = (float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', svg))
    assert first == pytest.approx(4 * second)
    assert BarFigure(title="t", bars=()).most == 1


def test_where_patches_that_were_found_lie_has_a_legend(contents: ReportContents) -> None:
    found = SearchPart(sentences=("Land.",), picture=picture("green"), legend=((EVIL, "#123456"),))
    page = Page(html_report(replace(contents, search=found)))
    assert page.words.count(EVIL) == 21
    assert pdf_report(replace(contents, search=found)).startswith(b"%PDF-")
