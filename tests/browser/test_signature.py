"""The chart of signatures in a real browser, without the app around it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from core.similarity.explain import signature
from pages.ui.explore import spectra as chart
from pages.ui.frontend import text
from pages.ui.http.assets import ASSETS

pytestmark = pytest.mark.browser

DRAW = """
async ([script, data]) => {
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  module.default({ data, parentElement: document.body });
}
"""

PLACE = """
(main, width) => {
  main.innerHTML = `<div class="ll-signature" style="width:${width}px"><div class="graph"></div></div>`;
}
"""


def drawn(monkeypatch: pytest.MonkeyPatch, height: int) -> dict[str, Any]:
    """What the component is given for two signatures that reach the top of the chart at its left."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(chart, "_component", lambda **given: found.update(given["data"]))
    high = signature(np.full((1, 13), 0.5, np.float32), np.full((1, 13), 0.1, np.float32))
    lines = [chart.line("Neighbours", high, colour="#3E7CB1"), chart.line("Query", high, accent=True)]
    chart.signature_chart(lines, ("B02", "B03", "B04"), height=height)
    return found


def test_the_legend_lies_above_the_curves(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    page.set_content(f"<style>{text('signature.css')}</style><main></main>")
    page.add_script_tag(path=ASSETS["plotly.min.js"].path)
    for width, height in ((480, 157), (680, 225), (330, 180)):
        page.locator("main").evaluate(PLACE, width)
        the_legend_lies_above_the_curves(page, monkeypatch, height)


def the_legend_lies_above_the_curves(page: Page, monkeypatch: pytest.MonkeyPatch, height: int) -> None:
    page.evaluate(DRAW, [text("plotly.js", "signature.js"), drawn(monkeypatch, height)])
    legend = page.locator(".legend").first
    legend.wait_for()
    found, plot = legend.bounding_box(), page.locator(".gridlayer").first.bounding_box()
    assert found is not None
    assert plot is not None
    assert found["y"] >= 0
    assert found["y"] + found["height"] <= plot["y"] + 1
