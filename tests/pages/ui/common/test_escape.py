from __future__ import annotations

import html
import string

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pages.ui.common.escape import LONGEST, LONGEST_SENTENCE, plain, safe_label

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; alert(1); //",
    "`${alert(1)}`",
    "{{7*7}} {% raw %} \\u003cscript\\u003e",
    "$E=mc^2$ :red[x] :material/home: [a](javascript:alert(1)) **b** _c_ `d`",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "a\x00b\x1b[31m\ud800",
]


@settings(max_examples=25)
@given(st.text(max_size=LONGEST + 10))
@example(HOSTILE[0]).via("script")
@example(HOSTILE[3]).via("template literal")
@example(HOSTILE[7]).via("control characters")
@example(string.punctuation).via("all that is read")
def test_labels_hold_nothing_that_html_or_javascript_reads(text: str) -> None:
    label = safe_label(text)
    assert not set(label) & set("<>\"'`${}\\")
    assert label.replace("&#", "").count("&") == sum(label.count(f"&{name};") for name in ("lt", "gt", "amp", "quot"))
    shown = html.unescape(label)
    assert len(shown) <= LONGEST
    assert shown.isprintable()


def test_labels_show_what_was_written() -> None:
    for text in HOSTILE[:6]:
        assert html.unescape(safe_label(text)) == text
    assert html.unescape(safe_label(HOSTILE[6])) == "�gpj.exe"
    assert html.unescape(safe_label(HOSTILE[7])) == "a�b�[31m�"
    assert safe_label("  Forst\n\tbei  Ulm ") == "Forst bei Ulm"
    assert safe_label(12) == "12"


def test_long_text_is_cut_before_it_is_escaped() -> None:
    label = safe_label("<" * 500)
    assert html.unescape(label) == "<" * (LONGEST - 1) + "…"


@settings(max_examples=25)
@given(st.text(max_size=LONGEST + 10))
@example(string.punctuation).via("all of it")
def test_markdown_is_left_no_punctuation_of_its_own(text: str) -> None:
    escaped = plain(text)
    entities = escaped.replace("&#", "").replace(";", "")
    assert all(character.isalnum() or not character.isascii() or character == " " for character in entities)


def test_markdown_shows_what_was_written() -> None:
    for text in HOSTILE[:6]:
        assert html.unescape(plain(text)).replace("\N{WORD JOINER}", "") == text
    assert len(html.unescape(plain("x" * 2000))) == LONGEST_SENTENCE
