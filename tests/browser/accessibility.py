"""What axe finds on a page and in its frames, and texts that stand out too little where axe cannot tell."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Locator, Page, expect

SCHEMES = ("light", "dark")
GRAVE = ("serious", "critical")
ORDER = ("heading-order", "empty-heading", "page-has-heading-one")
"""Rules that axe takes less seriously than we do."""
NOT_OURS: dict[str, tuple[str, str]] = {}
"""Findings that only Streamlit could mend: by rule a part of the element's selector, and why it stays."""
OPENED = "[data-testid=stPopoverBody]"
RUN = """
async (part) => {
  const wanted = { resultTypes: ["violations"], preload: false, rules: { "color-contrast": { enabled: false } } };
  const { violations } = await axe.run(part ?? document, wanted);
  return violations.flatMap(({ id, impact, nodes }) => nodes.map(
    ({ target, html }) => ({ rule: id, impact, at: target.flat().join(" "), html: html.slice(0, 160) })));
}
"""


UNFOLD = "(opened) => opened.querySelectorAll('[data-testid=stExpander] summary').forEach((folded) => folded.click())"


@cache
def _axe() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@cache
def _faint() -> str:
    return (Path(__file__).parent / "faint.js").read_text(encoding="utf-8")


def grave(page: Page, part: str | None = None) -> list[dict[str, Any]]:
    """What axe calls serious or critical on a page, in components' shadows and in frames of this server.

    Contrast is left to ``faint``, which finds what axe does, and more.

    Args:
        page: as it is now.
        part: a selector of what to look at; None = all, frames too.
    """
    for frame in page.frames if part is None else page.frames[:1]:
        if not frame.evaluate("() => Boolean(window.axe)"):
            frame.evaluate(_axe())
    found: list[dict[str, Any]] = page.evaluate(RUN, part)
    return [one for one in found if (one["impact"] in GRAVE or one["rule"] in ORDER) and not _excused(one)]


def _excused(finding: dict[str, Any]) -> bool:
    part, _ = NOT_OURS.get(finding["rule"], ("", ""))
    return bool(part) and part in finding["at"]


def faint(page: Page) -> list[str]:
    """Texts, also such as are written in, whose contrast is below 4.5, or 3 where they are large, and icons below 3."""
    return [one for frame in page.frames for one in frame.evaluate(_faint())]


def assert_accessible(page: Page) -> None:
    """Assert that a page as it is now has no grave finding, and no faint text in light and dark."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        expect(page.locator(".stApp")).to_have_css("color-scheme", scheme)
        for left in (2, 1, 0):  # what a run of the page is about to replace is faded meanwhile
            expect(page.locator("[data-stale=true]")).to_have_count(0)
            found = [*(grave(page) if scheme == "light" else ()), *faint(page)]
            if not found:
                break
            assert left, f"{scheme}: {found}"
    page.emulate_media(color_scheme="light")


DARK_POPOVERS = 2
"""So many of a page's popovers are looked at in dark too: all take their colours from the page, which is."""


def assert_popovers_accessible(page: Page) -> list[str]:
    """Assert the same of what each popover button of a page opens, with what is folded in there; gives their names."""
    seen: list[str] = []
    for scheme in reversed(SCHEMES):  # Light comes last, and stays.
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        expect(page.locator(".stApp")).to_have_css("color-scheme", scheme)
        buttons = [one for one in page.get_by_test_id("stPopoverButton").all() if one.is_visible() and one.is_enabled()]
        wanted = buttons[: DARK_POPOVERS if scheme == "dark" else None]
        seen = [_assert_popover_accessible(page, button, scheme) for button in wanted]
    return seen


def _assert_popover_accessible(page: Page, button: Locator, scheme: str) -> str:
    """Open what a button opens, look at it, close it; gives its name."""
    name = str(button.evaluate("(button) => button.querySelector('p').textContent"))
    button.click()
    page.locator(OPENED).wait_for()
    page.locator(OPENED).evaluate(UNFOLD)
    expect(page.locator(f"{OPENED} [data-stale=true]")).to_have_count(0)
    if scheme == "light":
        assert not (found := grave(page, OPENED)), f"{name}: {found}"
    assert not (texts := page.evaluate(_faint(), OPENED)), f"{name}, {scheme}: {texts}"
    page.keyboard.press("Escape")
    page.locator(OPENED).wait_for(state="detached")
    return name
