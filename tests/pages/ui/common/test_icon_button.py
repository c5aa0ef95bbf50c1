from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pages.ui.frontend import text

PAGES = Path(__file__).parents[4] / "pages"
NAMED = {"button", "popover", "toggle", "download_button", "link_button"}


@pytest.mark.parametrize("path", sorted(PAGES.rglob("*.py")), ids=lambda path: str(path.relative_to(PAGES)))
def test_no_button_is_without_a_name(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    drawn = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in NAMED and call.args]
    first = [(call.lineno, call.args[0]) for call in drawn]
    assert [line for line, name in first if isinstance(name, ast.Constant) and not name.value] == [], "take icon_button"


def test_words_of_icon_buttons_are_hidden_by_a_rule_that_screen_readers_read_past() -> None:
    rule = text("page.css").split('[class*="st-key-icon_"] button [data-testid="stMarkdownContainer"]')[1].split("}")[0]
    assert "clip-path" in rule
    assert "display: none" not in rule
