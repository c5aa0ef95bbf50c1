"""From rasters to named bands: by description, by file name, by choice, or by ``bandorder``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.bands import BAND_NAMES, BY_NAME, fill_source
from core.errors import BandsError
from core.ingest.bands.names import band_of_file, names_other_layer, parse_band, stated_resolution
from core.ingest.formats.geotiff import RasterFile
from core.ingest.formats.numpy_file import ArrayFile
from core.ingest.grid.stack import Layer
from core.ingest.messages import clean_name, opening
from core.ingest.settings import SKIP
from core.scenes.quality import Finding

MIN_BANDS = 3
"""Fewer optical bands than this tell too little of land."""


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Bands of a source with their names.

    Attributes:
        layers: one a band, names distinct; empty when ``nameless``.
        nameless: the raster whose bands only their pixels can tell, or None.
        ignored: files and bands left out, in words.
        findings: how the names were found.
    """

    layers: tuple[Layer, ...]
    nameless: RasterFile | ArrayFile | None = None
    ignored: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def name_bands(rasters: Sequence[RasterFile], chosen: tuple[str, ...] | None, source: str) -> Naming:
    """Name the bands of the rasters of one scene.

    Args:
        rasters: sorted by name.
        chosen: a person's names, in the order of files and bands, or None.
        source: name of the whole, for sentences.

    Raises:
        BandsError: when the choice does not fit, or too few bands can be named.
    """
    spectral = [
        Layer(band="", source=raster, index=index)
        for raster in rasters
        for index in range(1, raster.count + 1)
        if index not in raster.alpha
    ]
    if chosen is not None:
        return _by_choice(spectral, chosen, source)
    named, ignored, by = _by_text(spectral)
    if not named and len(rasters) == 1:
        return Naming(layers=(), nameless=rasters[0])
    distinct, duplicates = _distinct(named, source)
    layers = check_enough(distinct, source)
    finding = Finding(
        topic="bands",
        value=", ".join(layer.band for layer in layers),
        basis="read",
        because=f"named by {' and '.join(sorted(by))}",
        override="bands",
    )
    return Naming(layers=layers, ignored=(*ignored, *duplicates), findings=(finding,))


def _by_choice(spectral: list[Layer], chosen: tuple[str, ...], source: str) -> Naming:
    if len(chosen) != len(spectral):
        found = f"it has {len(spectral)} bands and the settings name {len(chosen)}"
        raise BandsError(opening(source), found, f"name every band in order, {SKIP} for those to leave out")
    pairs = list(zip(spectral, chosen, strict=True))
    named = [replace(layer, band=band) for layer, band in pairs if band != SKIP]
    left_out = tuple(_where(layer) for layer, band in pairs if band == SKIP)
    layers = check_enough(named, source)
    finding = Finding(
        topic="bands",
        value=", ".join(layer.band for layer in layers),
        basis="chosen",
        because="named in the ingest settings",
        override="bands",
    )
    return Naming(layers=layers, ignored=left_out, findings=(finding,))


def _by_text(spectral: list[Layer]) -> tuple[list[Layer], list[str], set[str]]:
    """Bands whose description or file name names one; the others in words; and which of the two did."""
    named, ignored, by = [], [], set()
    for layer in spectral:
        raster = layer.source
        description = raster.descriptions[layer.index - 1] if isinstance(raster, RasterFile) else ""
        stem = raster.name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        single = isinstance(raster, RasterFile) and raster.count == 1
        other = names_other_layer(description) or (single and names_other_layer(stem))
        band, origin = (None if other else parse_band(description)), "band description"
        if band is None and single and not other:
            band, origin = band_of_file(stem), "file name"
        if band is None:
            ignored.append(_where(layer))
        else:
            named.append(replace(layer, band=band))
            by.add(origin)
    return named, ignored, by


def _where(layer: Layer) -> str:
    raster = layer.source
    name = clean_name(raster.name.rsplit("/", 1)[-1], 60)
    if not isinstance(raster, RasterFile) or raster.count == 1:
        return name
    return f"{name} band {layer.index} {clean_name(raster.descriptions[layer.index - 1], 30)}".rstrip()


def _distinct(layers: Sequence[Layer], source: str) -> tuple[list[Layer], list[str]]:
    """One layer a band, the finest; the others in words.

    Raises:
        BandsError: when two files hold the same band equally fine, so that they are several scenes.
    """
    best: dict[str, Layer] = {}
    dropped = []
    for layer in sorted(layers, key=_fineness):
        if layer.band in best:
            _refuse_twins(best[layer.band], layer, source)
            dropped.append(_where(layer))
        else:
            best[layer.band] = layer
    return list(best.values()), dropped


def _refuse_twins(kept: Layer, other: Layer, source: str) -> None:
    if kept.source is not other.source and _fineness(kept) == _fineness(other):
        found = f"{_where(kept)} and {_where(other)} both hold {kept.band}"
        raise BandsError(opening(source), found, "open one scene at a time")


def _fineness(layer: Layer) -> tuple[float, int]:
    """Pixel size first; what the name states where rasters say nothing of their place."""
    geobox = layer.source.geobox
    stated = stated_resolution(layer.source.name)
    return geobox.pixel_size if geobox.placed else float(stated or 0), -geobox.height * geobox.width


def check_enough(layers: Sequence[Layer], source: str) -> tuple[Layer, ...]:
    """The layers in product order.

    Raises:
        BandsError: when they are too few.
    """
    ordered = tuple(sorted(layers, key=lambda layer: BAND_NAMES.index(layer.band)))
    optical = [layer.band for layer in ordered if layer.band != "B10"]
    if len(optical) < MIN_BANDS:
        seen = ", ".join(layer.band for layer in ordered) or "no Sentinel-2 band"
        found = f"only {seen} could be told, and at least {MIN_BANDS} bands are needed"
        raise BandsError(opening(source), found, "add the other bands, or give the names of the bands in file order")
    return ordered


def filling(bands: Sequence[str]) -> Finding | None:
    """What stands in for missing bands, in words; None when none is missing."""
    missing = [name for name in BAND_NAMES if name not in bands]
    if not missing:
        return None
    stand_ins = {name: fill_source(name, bands) for name in missing}
    value = ", ".join(f"{name} ← {other or 'zero'}" for name, other in stand_ins.items())
    worst = max(
        (abs(BY_NAME[name].wavelength - BY_NAME[other].wavelength) for name, other in stand_ins.items() if other),
        default=0.0,
    )
    return Finding(
        topic="missing bands",
        value=value,
        basis="warning" if worst > 150 else "assumed",
        because="where an encoder asks for one, the band nearest in wavelength stands in, and zero for B10",
    )
