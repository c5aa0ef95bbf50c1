"""A report as one HTML file that needs nothing else and prints on A4; everything from outside is escaped."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from core.report.contents import BASIS_WORDS, ReportContents
from core.report.figures import BarFigure
from core.report.pictures import NEIGHBOURS


def html_report(contents: ReportContents) -> str:
    """Return a report as HTML, pictures and figures inside; no script, and no address that a browser would open."""
    return _template().render(c=contents, marks=BASIS_WORDS, columns=NEIGHBOURS + 1, svg=_inline)


def _inline(figure: BarFigure) -> Markup:
    return Markup(figure.svg())  # noqa: S704  ElementTree has escaped what the figure says


@lru_cache(maxsize=1)
def _template() -> Template:
    loaded = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    return loaded.get_template("page.html.jinja")
