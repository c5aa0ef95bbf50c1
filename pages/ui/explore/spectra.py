"""Why patches are alike: their spectral signatures as a chart, and their indices in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.bands import BANDS
from core.similarity.explain import SpectralSignature, band_origins
from pages.ui.common.theme import ACCENT
from pages.ui.frontend import text
from pages.ui.http.assets import asset_url

_component = st.components.v2.component(
    "landlike_signature",
    html='<div class="ll-signature" role="img" aria-label="Reflectance by wavelength"><div class="graph"></div></div>',
    css=text("signature.css"),
    js=text("plotly.js", "signature.js"),
    isolate_styles=False,
)


def line(title: str, signature: SpectralSignature, *, accent: bool = False, colour: str = "") -> dict[str, Any]:
    """Return one signature of the chart; in the accent colour, the text's, or one given as ``#rrggbb``."""
    return {
        "title": title,
        "mean": _rounded(signature.mean.tolist()),
        "spread": _rounded(signature.spread.tolist()),
        "accent": accent,
        "colour": ACCENT if accent else colour,
    }


def signature_chart(lines: Sequence[dict[str, Any]], bands: Sequence[str], *, height: int) -> None:
    """Draw signatures over wavelength; bands that were not measured are gaps, which say what stands in."""
    tops = [max(m + s for m, s in zip(line["mean"], line["spread"], strict=True)) for line in lines]
    data = {
        "wavelengths": [band.wavelength for band in BANDS],
        "names": [band.name for band in BANDS],
        "titles": [band.title for band in BANDS],
        "words": [source.words for source in band_origins(bands)],
        "lines": list(lines),
        "height": height,
        "plotly": asset_url("plotly.min.js"),
        "top": round(max([0.1, *tops]) * 1.15, 3),
    }
    _component(key="signature", data=data, height=height)


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 4) for value in values]
