"""The gallery's pictures in a real browser, without the app around them."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from core.scenes.patches import PatchRef
from core.similarity.neighbours import Neighbours
from pages.ui.explore.gallery import mark_shared, neighbour_items, tile_side
from pages.ui.frontend import text

pytestmark = pytest.mark.browser

DRAW = """
async ([script, data]) => {
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  window.forget = module.default({ data, parentElement: document.body, setTriggerValue: () => {} });
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}
"""
EDGES = """
(root) => [...root.querySelectorAll(".tile")].map((tile) => {
  const box = tile.getBoundingClientRect(), from = root.getBoundingClientRect();
  return { top: box.top - from.top, bottom: box.bottom - from.top, right: box.right - from.left };
})
"""


@pytest.mark.parametrize(("width", "height"), [(660, 261), (617, 261), (916, 329), (930, 329), (380, 250), (1400, 400)])
def test_two_rows_with_their_words_are_whole_and_fill_the_width(page: Page, width: int, height: int) -> None:
    """Whether there are words or not: a query in a scene without classes has none."""
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.set_content(f'<style>{text("gallery.css")}</style><div class="gallery" style="width:{width}px"></div>')
    items = neighbour_items(
        PatchRef("s", 3),
        Neighbours(scene="s", ids=np.arange(10, 50), similarity=np.linspace(1, 0, 40, dtype=np.float32)),
        "{id}.webp",
        None,
    )
    data = {"items": items, "top": "q3", "turn": "q3/41", "empty": "", "height": height, "tile": tile_side(height)}
    page.evaluate(DRAW, [text("tell.js", "early.js", "rove.js", "gallery.js"), data])
    edges = page.locator(".gallery").evaluate(EDGES)
    tops = sorted({round(edge["top"]) for edge in edges})
    first, second = ([edge for edge in edges if round(edge["top"]) == top] for top in tops[:2])
    assert len(first) == len(second) > 1, "all of a row begin at one height"
    assert max(edge["bottom"] for edge in second) <= height
    assert max(edge["right"] for edge in first) == pytest.approx(width - 4, abs=16), "less a scrollbar at most"
    page.locator(".gallery").evaluate("root => { root.style.width = '300px'; }")
    page.wait_for_function("() => document.querySelector('.gallery').style.getPropertyValue('--columns') < 4")


TWO = """
async ([script, left, right]) => {
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const [one, other] = document.querySelectorAll("section");
  module.default({ data: left, parentElement: one, setTriggerValue: () => {} });
  module.default({ data: right, parentElement: other, setTriggerValue: () => {} });
}
"""


def test_a_patch_that_two_galleries_share_has_its_letter_in_both_and_is_found_by_pointing(page: Page) -> None:
    page.set_content(
        f"<style>{text('gallery.css')}</style>"
        + "<section><div class='gallery' style='width:400px'></div></section>" * 2
    )
    drawn = []
    for ids in ([5, 7, 9], [9, 4, 5]):
        near = Neighbours(scene="s", ids=np.array(ids), similarity=np.ones(3, np.float32))
        items = mark_shared(neighbour_items(PatchRef("s", 3), near, "{id}.webp", None), {5: 0, 9: 1})
        drawn.append({"items": items, "top": "q3", "turn": "", "empty": "", "height": 200, "tile": 60, "linked": True})
    page.evaluate(TWO, [text("tell.js", "early.js", "rove.js", "gallery.js"), *drawn])
    badges = page.locator(".shared:visible").evaluate_all(
        "found => found.map(one => [+one.closest('.tile').dataset.patch, one.textContent,"
        " getComputedStyle(one).backgroundColor])"
    )
    assert [(patch, letter) for patch, letter, _ in badges] == [(5, "A"), (9, "B"), (9, "B"), (5, "A")]
    assert badges[0][2] == badges[3][2] != badges[1][2] == badges[2][2]
    page.locator("section").first.locator("[data-patch='9']").hover()
    expect(page.locator("section").last.locator(".tile.hover")).to_have_attribute("data-patch", "9")
    expect(page.locator("section").first.locator(".tile.hover")).to_have_count(0)
