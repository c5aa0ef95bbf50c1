from __future__ import annotations

import ast
from pathlib import Path

from pages.ui.frontend import text

PAGES = Path(__file__).parents[4] / "pages"
NAMED = {"button", "popover", "toggle", "download_button", "link_button"}


def test_no_button_is_without_a_name() -> None:
    nameless, named = [], 0
    for path in sorted(PAGES.rglob("*.py")):
        text_of = path.read_text(encoding="utf-8")
        if not any(f".{name}(" in text_of for name in NAMED):
            continue
        calls = [node for node in ast.walk(ast.parse(text_of)) if isinstance(node, ast.Call) and node.args]
        for call in calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr in NAMED:
                named += 1
                if isinstance(call.args[0], ast.Constant) and not call.args[0].value:
                    nameless.append(f"{path.relative_to(PAGES)}:{call.lineno}")
    assert nameless == [], "take icon_button"
    assert named > 20


def test_words_of_icon_buttons_are_hidden_by_a_rule_that_screen_readers_read_past() -> None:
    rule = text("page.css").split('[class*="st-key-icon_"] button [data-testid="stMarkdownContainer"]')[1].split("}")[0]
    assert "clip-path" in rule
    assert "display: none" not in rule
