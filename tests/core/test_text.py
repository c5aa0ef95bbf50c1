"""Texts in code pages: Python's own codecs are the oracle."""

from __future__ import annotations

import pytest

from core.text import code_page, decode_text, is_unicode

RUSSIAN = "файл;класс\np01;Лес и вода\np02;Пашня, ёлки\n"
CHINESE = "文件,类别\np01,森林\np02,水体\n"
WESTERN = "fichier;classe\np01;Forêt élevée\np02;Größe, Prés à l'été, façade\n"


@pytest.mark.parametrize(
    ("text", "page"),
    [
        (RUSSIAN, "cp1251"), (RUSSIAN.upper(), "cp1251"), (RUSSIAN, "cp866"), (CHINESE, "gb18030"), (WESTERN, "cp1252"),
        ("id,class\n1,Wälder\n", "cp1252"), ("id,class\n1,Größe\n2,Öl\n", "cp1252"), ("ВОДА,ЛЕСА\n", "cp1251"),
    ],
)  # fmt: skip
def test_code_pages_are_told_by_their_letters(text: str, page: str) -> None:
    content = text.encode(page)
    assert not is_unicode(content)
    assert code_page(content) == page
    assert decode_text(content) == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", [RUSSIAN, CHINESE, WESTERN, "plain\n", ""])
def test_unicode_is_known(text: str, encoding: str) -> None:
    content = text.encode(encoding)
    assert is_unicode(content)
    assert decode_text(content) == text
