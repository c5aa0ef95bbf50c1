"""Text that a file or a person wrote, made safe to show: ``safe_label`` for HTML, ``plain`` for Markdown."""

from __future__ import annotations

import html
import re

LONGEST, LONGEST_SENTENCE = 120, 1000
"""Characters that are shown of a name, and of a sentence."""

_SCRIPT = {"`": "&#96;", "$": "&#36;", "{": "&#123;", "}": "&#125;", "\\": "&#92;"}
_MARKDOWN = re.compile(r"[!-/:-@\[-`{-~]")
_JOINER = "\N{WORD JOINER}"
# What Streamlit replaces after parsing, where escapes no longer protect: emoji and icons (:name:), arrows, addresses.
_LATE = re.compile(r"(?<=:)(?=\S)|(?<=[<>=~-])(?=[<>=~-])|(?<=www)(?=\.)|(?<=@)(?=\w)", re.IGNORECASE)


def safe_label(text: object, longest: int = LONGEST) -> str:
    """Return text for HTML, in element content or a quoted attribute, also inside a JavaScript template literal.

    Returns:
        At most ``longest`` printable characters (longer text ends in …), with everything that means something to HTML
        or to JavaScript string literals as entities.
    """
    escaped = html.escape(_printable(text, longest), quote=True)
    return "".join(_SCRIPT.get(character, character) for character in escaped)


def plain(text: object) -> str:
    """Return text for Markdown (``st.markdown``, ``st.error``, labels of widgets) that is shown as it is.

    All punctuation becomes entities, which Markdown never takes for syntax; an invisible joiner breaks what Streamlit
    would still turn into emoji, icons, arrows or links. At most ``LONGEST_SENTENCE`` characters.
    """
    shown = _LATE.sub(_JOINER, _printable(text, LONGEST_SENTENCE))
    return _MARKDOWN.sub(lambda match: f"&#{ord(match[0])};", shown)


def _printable(text: object, longest: int = LONGEST) -> str:
    """Return one line of printable characters; others become � (spaces of any kind become one space)."""
    words = " ".join(str(text).split())
    shown = "".join(character if character.isprintable() else "�" for character in words)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
