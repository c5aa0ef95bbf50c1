"""Why patches are alike, as the Explore page shows it: what was asked, what was found, and the land, by their light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.bands import BAND_NAMES
from core.engine.library_source import LibrarySource
from core.engine.views import SearchView, results, view_ranking
from core.errors import SettingsError
from core.scenes.patches import IntArray
from core.similarity.explain import NO_INDICES, SpectralSignature, band_origins, compare_indices, signature

_ASKED = "Comparing the light of patches"


@dataclass(frozen=True, kw_only=True, eq=False)
class ToldSpectra:
    """What the light of patches tells.

    Attributes:
        lines: titles and signatures; that of what was asked or found comes last.
        sentences: on indices of what was asked, beside what was found and all the land.
    """

    lines: tuple[tuple[str, SpectralSignature], ...]
    sentences: tuple[str, ...] = ()


def told_spectra(
    source: LibrarySource,
    *,
    asked: IntArray,
    found: IntArray | None,
    selected: IntArray,
    plain: bool,
) -> ToldSpectra:
    """Return the signatures of what was asked and found, or of all the land beside what was found or selected.

    Args:
        source: the patches.
        asked: rows of the query, or of good examples.
        found: rows of what answers; None = nothing was asked.
        selected: rows of the selection.
        plain: True = one patch asks.
    """
    table = source.table

    def of(rows: IntArray) -> SpectralSignature:
        return signature(table.band_mean[rows], table.band_std[rows])

    if not asked.size:
        name, rows = ("Selection", selected) if found is None else ("Found", found)
        everything = "Whole area" if source.recipe.cut.area else "Whole scene"
        land = ((everything, signature(table.band_mean, table.band_std)),)
        return ToldSpectra(lines=(*land, (name, of(rows))) if rows.size else land)
    others = np.empty(0, np.int64) if found is None else found
    lines = (("Query" if plain else "Good examples", of(asked)),)
    notes = compare_indices(
        table.band_mean[asked].mean(axis=0), table.band_mean[others], table.band_mean, source.scene.bands
    )  # fmt: skip
    return ToldSpectra(
        lines=(("Neighbours", of(others)), *lines) if others.size else lines,
        sentences=tuple(note.sentence for note in notes) or (NO_INDICES,),
    )


def spectra_of_view(source: LibrarySource, view: SearchView, selected: tuple[int, ...] = ()) -> ToldSpectra:
    """Return what the light of patches tells of a view.

    Raises:
        SettingsError: when the scene has no bands.
        LandlikeError: as of ``core.engine.views.answer``.
    """
    if not source.scene.bands:
        raise SettingsError(_ASKED, f"“{source.scene.name}” holds no pixels", "take a scene that was made of images")
    table = source.table
    chosen = table.positions(np.array(selected, np.int64))
    none = np.empty(0, np.int64)
    if not view.words and not view.evidence.examples:
        return told_spectra(source, asked=none, found=None, selected=chosen, plain=False)
    ranking, good = view_ranking(source, view), view.patches(good=True)
    found = table.positions(results(source, view)[0].ids)
    plain = len(good) == 1 and len(view.evidence) == 1
    asked = table.positions(np.array(good, np.int64)) if plain else np.setdiff1d(ranking.examples, ranking.bad)
    return told_spectra(source, asked=asked, found=found, selected=chosen, plain=plain)


def spectra_values(told: ToldSpectra, source: LibrarySource) -> dict[str, Any]:
    """Return it as values for JSON, reflectance by band."""
    return {
        "signatures": [
            {
                "title": title,
                "mean": _by_band(one.mean.tolist()),
                "standard_deviation": _by_band(one.spread.tolist()),
            }
            for title, one in told.lines
        ],
        "sentences": list(told.sentences),
        "bands": {one.band: one.words or "measured" for one in band_origins(source.scene.bands)},
    }


def _by_band(values: list[float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in zip(BAND_NAMES, values, strict=True)}
