"""What a person can see and do on the Explore page, in terms of the page's own parts."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import FrameLocator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

LONG = 240_000
POINT = """
(id) => {
  const graph = document.querySelector(".ll-plot .graph"), box = graph.getBoundingClientRect();
  const { xaxis, yaxis } = graph._fullLayout, trace = graph.data[0];
  const at = (row) => ({ x: box.left + xaxis._offset + xaxis.l2p(trace.x[row]),
                         y: box.top + yaxis._offset + yaxis.l2p(trace.y[row]) });
  const all = Array.from(trace.x, (_, row) => at(row));
  let best = 0, gap = -1;
  for (let row = 0; row < all.length; row += Math.ceil(all.length / 200)) {
    if (all[row].x < box.left + 60 || all[row].y < box.top + 60 || all[row].x > box.right - 20) continue;
    const here = all[row];
    const near = Math.min(...all.map((p, other) => other === row ? 1e9 : Math.hypot(p.x - here.x, p.y - here.y)));
    if (near > gap) { gap = near; best = row; }
  }
  return all[best];
}
"""


def wait_for_views(page: Page) -> None:
    """Wait until the plot has drawn its points; a failure says what the page shows instead."""
    try:
        page.locator(".ll-plot[data-ready]").wait_for(timeout=LONG)
        page.locator(".gallery .tile").first.wait_for(timeout=LONG)
    except PlaywrightTimeout as error:
        raise AssertionError(f"no views, but: {page.locator('body').inner_text()[:2000]}") from error


def tiles(page: Page) -> list[dict[str, Any]]:
    """The gallery's pictures, in order: patch, rank, similarity."""
    found: list[dict[str, Any]] = page.locator(".gallery .tile").evaluate_all(
        "tiles => tiles.map(t => ({patch: +t.dataset.patch, rank: t.querySelector('.rank').textContent,"
        " value: t.querySelector('.value').textContent, loaded: t.querySelector('img').naturalWidth}))"
    )
    return found


def query(page: Page) -> int | None:
    """The patch asked about, as the gallery shows it."""
    return next((tile["patch"] for tile in tiles(page) if tile["rank"] == "Query"), None)


def wait_for_query(page: Page, other_than: int | None = None) -> int:
    """Wait until the gallery shows a query, another one than before, and the address says it; gives its patch."""
    tile = page.locator(".gallery .tile.query")
    tile.wait_for(timeout=LONG)
    expect(tile).not_to_have_attribute("data-patch", str(other_than), timeout=LONG)
    patch = int(str(tile.get_attribute("data-patch")))
    expect(page).to_have_url(re.compile(rf"[?&]q={patch}(&|$)"), timeout=LONG)
    return patch


def click_a_point(page: Page) -> int:
    """Click the loneliest of some points of the plot; again where it moved away under the mouse. Gives its patch."""
    for _ in range(10):
        spot = page.evaluate(POINT)
        page.mouse.move(spot["x"], spot["y"])
        page.mouse.click(spot["x"], spot["y"])
        try:
            page.locator(".gallery .tile.query").wait_for(timeout=15_000)
        except PlaywrightTimeout:
            continue
        return wait_for_query(page)
    raise AssertionError("no click on a point made it the query")


def map_frame(page: Page) -> FrameLocator:
    """The frame the map lives in."""
    return page.frame_locator("iframe[title*='folium']")


def click_the_map(page: Page, across: float, down: float, other_than: int) -> int:
    """Click the map at shares of its width and height; gives the new query."""
    land = map_frame(page).locator(".leaflet-container")
    box = land.bounding_box()
    assert box is not None
    land.click(position={"x": box["width"] * across, "y": box["height"] * down})
    return wait_for_query(page, other_than)


def wait_for_ranks(page: Page, count: int) -> None:
    """Wait until the map shows so many ranked outlines."""
    expect(map_frame(page).locator(".landlike-rank:not(.landlike-query)")).to_have_count(count, timeout=LONG)


def go_back_and_forward(page: Page, first: int, second: int) -> None:
    """Ask by a picture, then go through the questions by the browser and by the page's buttons; ends at the second.

    Args:
        page: on which two patches were asked about.
        first: of them.
        second: likewise, which is asked about now.
    """
    page.locator(".gallery .tile").nth(3).click()
    third = wait_for_query(page, second)
    assert third == tiles(page)[0]["patch"]
    page.go_back()
    assert wait_for_query(page, third) == second
    page.go_back()
    assert wait_for_query(page, second) == first
    page.go_forward()
    assert wait_for_query(page, first) == second
    expect(page).to_have_url(re.compile(f"q={second}$"))
    page.locator(".st-key-forward button").first.click()
    assert wait_for_query(page, second) == third
    page.locator(".st-key-back button").first.click()
    assert wait_for_query(page, third) == second


def give_and_take_examples(page: Page, asked: int) -> None:
    """Like and dislike pictures beside a query, then take examples away and bring them back by the browser."""
    good = page.locator(".gallery .tile").nth(4)
    liked = good.get_attribute("data-patch")
    good.hover()
    good.locator(".good").click()
    strip = page.locator(".evidence .take")
    expect(strip).to_have_count(2)
    expect(page.locator(".gallery .tile.query")).to_have_count(0)  # It is an example now, as the other is.
    bad = page.locator(".gallery .tile").nth(5)
    unliked = bad.get_attribute("data-patch")
    bad.hover()
    page.keyboard.press("x")
    expect(strip).to_have_count(3)
    expect(page).to_have_url(re.compile(f"like={asked}.{liked}&unlike={unliked}$"))
    expect(page.locator(".ll-plot .told")).to_have_text(
        re.compile(r"20 patches like 2 examples, unlike 1, similarity [\d.]+ to")
    )
    expect(map_frame(page).locator(".landlike-good, .landlike-bad")).to_have_count(3)
    strip.nth(1).click()
    expect(strip).to_have_count(2)
    page.keyboard.press("Escape")
    expect(strip).to_have_count(0)
    page.go_back()
    expect(strip).to_have_count(2)


def ask_by_an_area(page: Page) -> None:
    """Draw an area on the map, another in its place, and ask for land like it."""
    map_frame(page).locator("[data-tool=box]").click()
    place = map_frame(page).locator(".leaflet-container").bounding_box()
    assert place is not None
    for first in (0.4, 0.5):  # the second in place of the first, whose popup closes meanwhile
        for share, press in ((first, page.mouse.down), (first + 0.05, None), (first + 0.15, page.mouse.up)):
            page.mouse.move(place["x"] + place["width"] * share, place["y"] + place["height"] * share)
            if press:
                press()
        map_frame(page).get_by_role("button", name="Find land like this").last.wait_for()
    map_frame(page).get_by_role("button", name="Find land like this").last.click()
    expect(page).to_have_url(re.compile(r"also=%2B%40"))
    expect(page.locator(".evidence .area .count")).to_have_text(re.compile("×"))


def what_is_seen(page: Page) -> dict[str, Any]:
    """All that a shared view holds, read from what the page shows."""
    lands = map_frame(page)
    return {
        "answers": [(tile["patch"], tile["rank"]) for tile in tiles(page)],
        "examples": page.locator(".evidence .one").evaluate_all(
            "all => all.map(one => [one.dataset.patch, one.className])"
        ),
        "told": page.locator(".ll-plot .told").text_content(),
        "colours": page.locator(".ll-plot .bar").inner_text(),
        "ranked on the map": lands.locator(".landlike-rank:not(.landlike-good):not(.landlike-bad)").count(),
        "examples on the map": lands.locator(".landlike-good, .landlike-bad").count(),
        "said": page.locator(".st-key-status [data-testid=stMarkdown]").first.inner_text(),
        "conditions": page.locator(".st-key-filter button").first.inner_text(),
        "map": [page.locator(f".st-key-{one} input").first.input_value() for one in ("rendering", "contrast")],
    }
