"""Bytes of a text that somebody's program wrote, in whatever code page, as text."""

from __future__ import annotations

import re

_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_RUN = re.compile(rb"[\x80-\xff]+")
_WORD = 3
"""So many letters beyond ASCII beside each other are a word in a script of its own; accents stand alone or in pairs."""
_HANZI = range(0xB0, 0xD8)
"""First bytes of the usual characters of Chinese in GB 2312."""
_CAPITALS = range(0xC0, 0xE0)
"""Capitals of Cyrillic in Windows-1251."""


def decode_text(content: bytes) -> str:
    """Return the text of a file.

    It is UTF-16 by its mark, else UTF-8, else of the code page that spreadsheets write where its script is at home:
    Windows-1251 or DOS's 866 for Cyrillic, GB 18030 for Chinese, and Windows-1252 in the west.

    Raises:
        UnicodeDecodeError: when it is no text in any of these.
    """
    if content[:2] in _MARKS:
        return content.decode(_MARKS[content[:2]])
    return content.decode("utf-8-sig" if is_unicode(content) else code_page(content))


def is_unicode(content: bytes) -> bool:
    """Tell whether a text is UTF-16 by its mark, or UTF-8."""
    try:
        return content[:2] in _MARKS or content.decode("utf-8") is not None
    except UnicodeDecodeError:
        return False


def code_page(content: bytes) -> str:
    """Return the likeliest code page of a text that is not UTF-8."""
    runs = _RUN.findall(content)
    beyond = b"".join(runs)
    if all(len(run) % 2 == 0 for run in runs) and _is_chinese(beyond):
        return "gb18030"
    if 2 * sum(len(run) for run in runs if len(run) >= _WORD) < len(beyond):
        return "cp1252"
    low = sum(byte < 0xB0 for byte in beyond)
    return "cp866" if 4 * low > len(beyond) else "cp1251"


def _is_chinese(beyond: bytes) -> bool:
    first, second = beyond[::2], beyond[1::2]
    usual = sum(byte in _HANZI for byte in first)
    return bool(first) and 5 * usual >= 4 * len(first) and any(byte not in _CAPITALS for byte in second)
