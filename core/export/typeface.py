"""The typeface that pictures and PDFs are set in: Source Sans, whose letters are Latin, Greek and Cyrillic."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from core.errors import StoreError


@lru_cache(maxsize=1)
def typeface() -> dict[str, Path]:
    """Return the font files by style: empty for regular, ``B`` for bold.

    Raises:
        StoreError: when the typeface is not installed.
    """
    spec = find_spec("font_source_sans_pro")
    if spec is None or not spec.submodule_search_locations:
        raise StoreError("Writing letters", "their typeface is not installed", "install what requirements.txt lists")
    folder = Path(spec.submodule_search_locations[0]) / "files"
    return {style: folder / f"SourceSansPro-{name}.ttf" for style, name in (("", "Regular"), ("B", "Semibold"))}
