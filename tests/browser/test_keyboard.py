"""Lists of patches by keyboard, in a real browser without the app around them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from core.scenes.patches import PatchRef
from core.similarity.neighbours import Neighbours
from pages.ui.explore.gallery import neighbour_items
from pages.ui.frontend import text
from pages.ui.search.results_table import Column, table_page

pytestmark = pytest.mark.browser

DRAW = """
async ([script, data]) => {
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  window.done?.abort(); // of the test before, in this tab
  window.done = new AbortController();
  window.told = [];
  const hear = (event) => { event.preventDefault(); window.told.push(event.detail); };
  window.listen = () => window.addEventListener("landlike:do", hear, { signal: window.done.signal });
  if (!data.deaf) window.listen();
  window.draw = (shown) => module.default({
    data: shown, parentElement: document.body, setTriggerValue: (name, value) => window.told.push([name, value]) });
  window.draw(data);
}
"""
FOCUSED = "() => document.activeElement.closest('[data-patch]')?.dataset.patch ?? document.activeElement.tagName"
SHADOWS = """
window.shadow = document.querySelector("#host").attachShadow({ mode: "open" });
window.shadow.innerHTML = '<section class="labeller"></section>';
document.querySelector("#other").attachShadow({ mode: "open" }).innerHTML = '<input type="text">';
"""
STOPS = "() => [...document.querySelectorAll('section *')].filter((one) => one.tabIndex === 0).length"


def pictures(*ids: int) -> dict[str, Any]:
    """What the gallery draws: a query and its neighbours."""
    near = Neighbours(
        scene="s", ids=np.array(ids[1:]), similarity=np.linspace(0.9, 0.8, len(ids) - 1).astype(np.float32)
    )
    items = neighbour_items(PatchRef("s", ids[0]), near, "{id}.webp", None)
    return {"items": items, "top": f"q{ids[0]}", "turn": "", "empty": "", "height": 400, "tile": 120}


def test_arrows_go_from_picture_to_picture_and_the_place_outlives_another_answer(page: Page) -> None:
    page.set_content(
        f"<style>{text('gallery.css')}</style><section><div class='gallery' style='width:400px'></div></section>"
    )
    page.evaluate(DRAW, [text("tell.js", "early.js", "rove.js", "gallery.js"), pictures(3, 10, 11, 12, 13, 14, 15, 16)])
    columns = len(page.locator(".gallery").evaluate("root => getComputedStyle(root).gridTemplateColumns").split())
    shown = ["3", "10", "11", "12", "13", "14", "15", "16"]
    assert page.evaluate(STOPS) == 1
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "3"
    at = 0
    for key, step in (("ArrowRight", 1), ("ArrowDown", columns), ("ArrowLeft", -1), ("End", 99), ("ArrowRight", 0)):
        page.keyboard.press(key)
        at = min(at + step, len(shown) - 1)
        assert page.evaluate(FOCUSED) == shown[at], key
    assert page.evaluate(STOPS) == 1
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.evaluate("window.told") == [["query", "s:10"]]
    page.evaluate("data => window.draw(data)", pictures(10, 12, 3, 11))
    assert page.evaluate(FOCUSED) == "10", "the patch that was asked about stands elsewhere now"
    page.keyboard.press("ArrowRight")
    page.evaluate("data => window.draw(data)", pictures(10, 3, 11))
    assert page.evaluate(FOCUSED) == "3", "what was taken away leaves its place to the next"


def test_arrows_go_from_row_to_row_and_sorting_keeps_the_focus(page: Page) -> None:
    page.set_content(f"<style>{text('table.css')}</style><section><div class='rows'></div></section>")
    columns = [Column(title="Patch", values=np.array([7, 4, 9])),
               Column(title="Score", values=np.array([0.9, 0.8, 0.7]), digits=2)]  # fmt: skip
    shown = {"query": 7, "height": 300}
    data = {**table_page(columns, marked=(9,), rows_on_page=2), **shown}
    page.evaluate(DRAW, [text("tell.js", "rove.js", "table.js"), data])
    assert page.evaluate(STOPS) == 6, "two headings, one row, pages before and after, and the way to what is selected"
    page.locator("tr[data-patch='7']").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUSED) == "4"
    page.keyboard.press("Enter")
    assert page.evaluate("window.told") == [{"what": "query", "id": 4}]
    page.evaluate("data => window.draw(data)", {**data, "rows": [[9, -0.004], [4, -0.8]], "query": 4})
    assert page.evaluate(FOCUSED) == "4"
    assert page.locator("td.number").all_inner_texts() == ["9", "0.00", "4", "−0.80"], "nothing is less than nothing"
    page.get_by_role("button", name="Patch").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("window.told.pop()") == ["sort", "Patch"]
    page.evaluate("data => window.draw(data)", {**table_page(columns, sorted_by="Patch", rows_on_page=2), **shown})
    assert page.evaluate("() => document.activeElement.textContent") == "Patch"
    assert page.locator("tbody tr").first.get_attribute("data-patch") == "4"
    assert page.locator("th[aria-sort=ascending]").inner_text() == "Patch"
    page.get_by_role("button", name="Next").click()
    assert page.evaluate("window.told.pop()") == ["turn", 1]
    reached = table_page(columns, page=1, marked=(9,), reached=9, rows_on_page=2)
    page.evaluate("data => window.draw(data)", {**reached, **shown})
    assert page.locator("tr.marked").get_attribute("data-patch") == "9"


LABELLER = {
    "patch": 4, "pictures": [None] * 9, "ahead": [], "settling": False, "who": None, "cookie": "", "words": {
        "title": "What is patch 4?", "pass": "Leave it", "empty": ""},
    "classes": [{"name": name, "title": name, "colour": "#123456", "key": key, "count": 0}
                for name, key in (("Water", "w"), ("Forest", "f"))],
}  # fmt: skip


def test_keys_of_the_labeller_leave_its_buttons_and_other_boxes_alone(page: Page) -> None:
    """Components live in shadows, out of which a key seems to come from their host."""
    page.set_content("<div id='host'></div><div id='other'></div>")
    page.evaluate(DRAW.replace("document.body", "window.shadow"), [SHADOWS + text("labeller.js"), LABELLER])
    button = page.get_by_role("button", name="Forest")
    button.focus()
    page.keyboard.press("Space")
    assert [value["what"] for _, value in page.evaluate("window.told")] == ["class"], "Space presses the button"
    page.evaluate("data => window.draw(data)", {**LABELLER, "patch": 5})
    assert button.evaluate("one => one.getRootNode().activeElement === one"), "the next patch keeps the focus"
    page.keyboard.press("w")
    assert page.evaluate("window.told.at(-1)[1].name") == "Water"
    page.locator("#other input").focus()
    page.keyboard.press("f")
    assert page.evaluate("window.told.length") == 2, "nothing is labelled while somebody writes"


def test_how_often_an_example_counts_is_asked_where_there_are_several_of_its_kind(page: Page) -> None:
    """A weight is that in the mean of its kind, so that on a single one a click would do nothing."""
    page.set_content("<section><div class='evidence'></div></section>")
    shown = {"like": [3, 10], "unlike": [11], "thumbs": "", "most": 14, "weights": {}, "others": []}
    page.evaluate(DRAW, [text("tell.js", "evidence.js"), shown])
    weighed = "() => [...document.querySelectorAll('.one')].map((one) => Boolean(one.querySelector('.times')))"
    assert page.evaluate(weighed) == [True, True, False]
    picture = {"at": 0, "good": False, "weight": 1, "kind": "picture", "src": "", "title": "A picture."}
    page.evaluate("data => window.draw(data)", {**shown, "others": [picture]})
    assert page.evaluate(weighed) == [True, True, True, True]
    page.evaluate("data => window.draw(data)", {**shown, "weights": {"11": 2}})
    assert page.evaluate(weighed) == [True, True, True], "what was said before can be taken back"


def test_a_range_is_drawn_over_the_bars_and_a_mere_click_is_none(page: Page) -> None:
    page.set_content("<section><div class='brush' style='width:400px'></div></section>")
    page.add_style_tag(content=text("brush.css"))
    spread = {"title": "NDVI", "digits": 2, "low": None, "high": None, "edges": [0, 1, 2, 3, 4], "counts": [1, 5, 2, 3]}
    page.evaluate(DRAW, [text("bars.js", "brush.js"), spread])
    box = page.locator(".bars").bounding_box()
    assert box is not None
    x, y = box["x"], box["y"] + box["height"] / 2

    def drag(*shares: float) -> None:
        page.mouse.move(x + shares[0] * box["width"], y)
        page.mouse.down()
        for share in shares[1:]:
            page.mouse.move(x + share * box["width"], y)
        page.mouse.up()

    drag(0.75, 0.5, 0.25)
    assert page.evaluate("window.told") == [["range", {"low": 1, "high": 3}]]
    assert page.locator("p").inner_text() == "NDVI 1.00 to 3.00"
    drag(0.4)
    assert page.evaluate("window.told.length") == 1
    assert page.locator("p").inner_text() == "NDVI 1.00 to 3.00"


def test_a_rectangle_dragged_from_beside_the_picture_reaches_its_edge(own_page: Page) -> None:
    page = own_page  # In a tab where another drag was captured before, Chromium captures none.
    page.set_content("<section><div class='part' style='width:500px'></div></section>")
    page.add_style_tag(content=text("part.css"))
    page.evaluate(DRAW, [text("part.js"), {"src": "", "width": 200, "height": 400, "box": [0, 0, 200, 400]}])
    beside, ground = (page.locator(name).bounding_box() for name in (".part", ".ground"))
    assert beside is not None
    assert ground is not None
    assert ground["width"] / ground["height"] == pytest.approx(0.5, abs=0.01)
    page.mouse.move(beside["x"] + 2, ground["y"] + ground["height"] / 4)
    page.mouse.down()
    page.mouse.move(ground["x"] + ground["width"] / 2, ground["y"] + ground["height"] / 2)
    page.mouse.move(ground["x"] + ground["width"] / 2, beside["y"] + beside["height"] + 40)
    page.mouse.up()
    assert page.evaluate("window.told") == [["box", [0, 100, 100, 400]]]
    page.mouse.click(ground["x"] + 20, ground["y"] + 20)
    assert page.evaluate("window.told.length") == 1, "a mere click is no rectangle"


def test_what_is_pressed_before_the_plot_listens_is_told_once_it_does(page: Page) -> None:
    page.set_content("<section><div class='gallery' style='width:400px'></div></section>")
    script = text("tell.js", "early.js", "rove.js", "gallery.js")
    data = pictures(3, 10, 11) | {"deaf": True}
    for item in data["items"]:
        item["sign"] = 0
    page.evaluate(DRAW, [script, data])
    page.locator("[data-patch='11'] .good").dispatch_event("click")
    page.locator("[data-patch='10'] .bad").dispatch_event("click")
    page.evaluate("data => window.draw(data)", pictures(3, 11))  # 10 is not on show any more
    assert page.evaluate("window.told") == []
    page.evaluate("window.listen()")
    page.wait_for_function("window.told.length")
    page.locator("[data-patch='11'] .bad").dispatch_event("click")
    page.wait_for_function("window.told.some((one) => one.sign < 0)")
    assert page.evaluate("window.told.map((one) => [one.id, one.sign])") == [[11, 1], [11, -1]]
