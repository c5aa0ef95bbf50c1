"""Products of other satellites, told by their names and tags: their bands are counted otherwise than Sentinel-2's.

Names of products as their makers define them: USGS (Landsat Collection 1 and 2, and the ids before), NASA LP DAAC
(HLS, MODIS, VIIRS, ASTER), ESA (Sentinel-1, Sentinel-3), CNES (Theia), FORCE, Planet and Airbus.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from core.errors import SourceError
from core.ingest.files import RASTER_SUFFIXES, Member
from core.ingest.grid.stack import Scaling
from core.ingest.settings import IngestSettings

HLS_LANDSAT = "HLS L30, made of Landsat"
_LANDSAT = "a Landsat product"
_MODIS = "a MODIS product"
_WITH_YELLOW = "a product of another satellite, as it has a yellow band or two green ones"
_RADAR, _ECHOES = "a Sentinel-1 radar product", "radar by the names of its bands"
_START = r"(?<![A-Za-z0-9])"
_END = r"(?![A-Za-z0-9])"
_PRODUCTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), title)
    for pattern, title in (
        (rf"{_START}HLS[._-]?L30", HLS_LANDSAT),
        (rf"{_START}L[COTEM]0[4-9]_(?:L[12][A-Z]{{2}}_)?\d{{6}}_\d{{8}}", _LANDSAT),
        (rf"{_START}L[COTEM][4-9]\d{{13}}[A-Z]{{3}}\d{{2}}", _LANDSAT),
        (rf"{_START}(?:LANDSAT\d?|LND0[4-9]|LNDLG|OLITIRS|L[89]|LC0?[89]|LE0?7){_END}", _LANDSAT),
        (rf"{_START}(?:MOD|MYD|MCD)\d{{2}}[A-Z]{{0,2}}\d?[._]A?\d{{7}}", _MODIS),
        (rf"{_START}(?:M[OY]D09(?:G[AQ]|[AQ]1)|MCD43A4){_END}", _MODIS),
        (rf"{_START}VNP\d{{2}}[A-Z0-9]{{0,3}}[._]", "a VIIRS product"),
        (rf"{_START}(?:PRS_L[12][A-Z]?_|PRISMA{_END})", "a PRISMA product"),
        (rf"{_START}ENMAP\d{{2}}-|{_START}ENMAP_L[12]", "an EnMAP product"),
        (rf"{_START}EMIT_L[12]", "an EMIT product"),
        (rf"{_START}DESIS-HSI", "a DESIS product"),
        (rf"{_START}(?:CBERS_?4A?|AMAZONIA_?1)_", "a CBERS or Amazonia product"),
        (rf"{_START}GF[1-7]_(?:WFV|PMS|B1)", "a Gaofen product"),
        (rf"{_START}S1[A-D][_-](?:IW|EW|WV|SM|S\d)[_-]", _RADAR),
        (rf"{_START}SENTINEL[ _-]?1[A-D]?{_END}|{_START}S1_GRD{_END}", _RADAR),
        (rf"{_START}S3[ABC]_(?:OL|SL|SY)_", "a Sentinel-3 product"),
        (rf"{_START}VENUS-XS_", "a VENµS product"),
        (rf"{_START}AST_(?:L1[ABT]|0[5789])", "an ASTER product"),
        (
            rf"_3B_(?:udm2?_)?Analytic|{_START}PSScene|_AnalyticMS|{_START}PLANET(?:SCOPE)?{_END}",
            "a PlanetScope product",
        ),
        (rf"_ssc\d{{1,2}}[a-z]?_|{_START}SKYSAT{_END}", "a SkySat product"),
        (r"_RE[1-5]_[13][AB]_", "a RapidEye product"),
        (rf"{_START}(?:WORLDVIEW[ _-]?[1-4]|WV0?[1-4]|GEOEYE[ _-]?1|QUICKBIRD){_END}", "a product of Maxar"),
        (rf"{_START}(?:SPOT[1-7]|PHR1[AB]|PNEO\d){_END}", "a product of Airbus"),
    )
)
_OLI = re.compile(rf"{_START}(?:L[CO]0?[89](?=[_\d])|LANDSAT[ _-]?[89]{_END}|LND0[89]|HLS[._-]?L30)", re.IGNORECASE)
_TM = re.compile(rf"{_START}(?:L[TEM]0?[4-7](?=[_\d])|LANDSAT[ _-]?[4-7]{_END}|LND0[4-7])", re.IGNORECASE)
_REFLECTANCE = re.compile(rf"{_START}(?:L2S[PR]|SR_(?:B|BAND)|BOA|HLS|surface[ _-]?reflectance)", re.IGNORECASE)
_LEVEL_1 = re.compile(rf"L1(?:TP|GT|GS)_\d{{6}}_\d{{8}}|{_START}L[COTEM][4-9]\d{{13}}[A-Z]{{3}}\d{{2}}")
_COLLECTION_2 = re.compile(rf"{_START}(?:L2S[PR]_\d{{6}}_\d{{8}}|SR_B\d{{1,2}}{_END})", re.IGNORECASE)
"""Names of Level 2 of Collection 2, which packs reflectance as number × 0.0000275 − 0.2 (USGS)."""
PACKED: Scaling = (2.75e-5, -0.2)
_SURFACE = re.compile(r"(?:SR|ST)_B(?:10|[1-7])", re.IGNORECASE)
"""What Landsat Collection 2 calls its bands."""
_SINUSOIDAL = re.compile(r"sur_refl_b0[1-7]|(?:BRDF_Albedo_|Nadir_Reflectance_)Band[ _]?\w+", re.IGNORECASE)
"""What MODIS calls its bands of reflectance, with and without a day or a tile before them (LP DAAC)."""
_SENTINEL_2 = re.compile(
    rf"{_START}(?:S2[ABCD]\w*|SENTINEL-?2[ABCD]?|SEN2[ABCD]?|MSIL[12][AC]|HLS[._-]?S30\w*){_END}|T\d{{2}}[A-Z]{{3}}_20\d{{6}}T",
    re.IGNORECASE,
)
_YELLOW = re.compile(r"yellow|green[ _]?(?:i|1)", re.IGNORECASE)
"""Bands of WorldView and PlanetScope that Sentinel-2 has none of."""
_POLARISED = re.compile(r"(?<![A-Za-z0-9])(VV|VH|HH|HV|angle)(?![A-Za-z0-9])", re.IGNORECASE)
"""How radar calls its bands: by the polarisation sent and received; Earth Engine adds the angle."""
_PLATFORM = re.compile(r"spacecraft|satellite|platform|sensor|mission|constellation", re.IGNORECASE)


def other_product(names: Iterable[str], tags: Mapping[str, str], descriptions: Iterable[str]) -> str | None:
    """Return what a source is that is no Sentinel-2 product, in words; None where nothing says so.

    Args:
        names: names of its rasters, without folders.
        tags: metadata of its rasters.
        descriptions: texts of their bands.
    """
    names = list(names)
    told = [title for title in map(product_of, names) if title]
    if told:
        return told[0]
    platforms = [value for key, value in tags.items() if _PLATFORM.search(key)]
    if any(_SENTINEL_2.search(text) for text in (*names, *platforms)):
        return None
    texts = [text.strip() for text in descriptions]
    if (told_by_bands := _by_bands(texts, names)) is not None:
        return told_by_bands
    layers = [text for text in texts if text] or [name.rpartition(".")[0] for name in names]
    found = [match[1].lower() for layer in layers if (match := _POLARISED.search(layer))]
    if len(found) == len(layers) and set(found) - {"angle"}:
        return _ECHOES
    return next((title for title in map(product_of, platforms) if title), None)


def _by_bands(texts: Sequence[str], names: Sequence[str]) -> str | None:
    """Return what names of bands or files tell of the satellite, in words, or None."""
    if any(map(_YELLOW.fullmatch, [*texts, *(name.rpartition(".")[0] for name in names)])):
        return _WITH_YELLOW
    if any(map(_SURFACE.fullmatch, texts)):
        return _LANDSAT
    return _MODIS if any(map(_SINUSOIDAL.search, [*texts, *names])) else None


def product_of(name: str) -> str | None:
    """Return which product of another satellite a name states, in words, or None."""
    stated = next((title for pattern, title in _PRODUCTS if pattern.search(name.replace(" ", "_"))), None)
    return None if stated is not None and _SENTINEL_2.search(name) else stated


@dataclass(frozen=True, kw_only=True)
class OtherBands:
    """Bands of another satellite that see the light of bands of Sentinel-2.

    Attributes:
        title: the satellite in words.
        numbers: band of Sentinel-2 by the number that the other product gives it, written as ``B05``.
        common: the same by common name where it differs from what the name means otherwise.
        packed: scale and offset that the product is defined by, or None.
    """

    title: str
    numbers: Mapping[str, str]
    common: Mapping[str, str]
    packed: Scaling | None = None


_OLI_BANDS = MappingProxyType(
    {"B01": "B01", "B02": "B02", "B03": "B03", "B04": "B04", "B05": "B8A", "B06": "B11", "B07": "B12", "B09": "B10"}
)
_TM_BANDS = MappingProxyType({"B01": "B02", "B02": "B03", "B03": "B04", "B04": "B08", "B05": "B11", "B07": "B12"})


def bands_of_other(names: Sequence[str], tags: Mapping[str, str], texts: Sequence[str]) -> OtherBands:
    """Return which bands of a Landsat product see the light of which of Sentinel-2.

    Args:
        names: names of its rasters, without folders.
        tags: metadata of its rasters.
        texts: descriptions of their bands.

    Raises:
        SourceError: when nothing says which Landsat it is, or its numbers are no reflectance.
    """
    said = [*names, *(value for key, value in tags.items() if _PLATFORM.search(key))]
    words = [*said, *texts]
    new = any(map(_OLI.search, said)) or any(re.fullmatch(r"S[RT]_B(?:6|10)", text.strip()) for text in texts)
    old = any(map(_TM.search, said)) or "ST_B6" in texts
    remedy = "choose a Sentinel-2 product, or name the bands and the scale under “How to read files”"
    if new == old:
        found = "it is a Landsat product, and nothing says of which Landsat, by which its bands are counted"
        raise SourceError(found=found, remedy=remedy)
    if any(map(_LEVEL_1.search, words)) and not any(map(_REFLECTANCE.search, words)):
        found = "it is a Landsat product of Level 1, whose numbers are no reflectance without the angle of the sun"
        raise SourceError(found=found, remedy="choose a product of Level 2, surface reflectance")
    packed = (
        PACKED if any(map(_COLLECTION_2.search, words)) and not any("HLS" in name.upper() for name in names) else None
    )
    if new:
        title = "HLS L30" if any("HLS" in name.upper() for name in names) else "Landsat 8 or 9"
        return OtherBands(title=title, numbers=_OLI_BANDS, common=MappingProxyType({"nir": "B8A"}), packed=packed)
    return OtherBands(
        title="Landsat 4 to 7", numbers=_TM_BANDS, common=MappingProxyType({"nir08": "B08"}), packed=packed
    )


def refuse_other_sensors(members: Iterable[Member], settings: IngestSettings) -> None:
    """Refuse a source whose rasters are named as another satellite's.

    Raises:
        SourceError: saying what it is.
    """
    names = [member.base for member in members if member.suffix in RASTER_SUFFIXES]
    others = [name for name in names if product_of(name)]
    if others and any(_SENTINEL_2.search(name) for name in names):
        found = f"it holds Sentinel-2 files and {len(others)} of {product_of(others[0])}"
        raise SourceError(found=found, remedy="open the Sentinel-2 files alone")
    refuse_product(other_product(names, {}, ()), settings)


def refuse_product(product: str | None, settings: IngestSettings) -> None:
    """Refuse a product of another satellite, unless a person wants its bands, or named them and what numbers mean.

    Raises:
        SourceError: saying what it is.
    """
    named = settings.bands is not None and (product == HLS_LANDSAT or settings.scale != "auto")
    known = product in (HLS_LANDSAT, _LANDSAT)
    if product is None or named or (known and settings.by_wavelength):
        return
    found = f"it is {product}, whose bands are counted otherwise than those of Sentinel-2"
    if product in (_RADAR, _ECHOES):
        found = f"it is {product}, whose numbers are echoes and no light"
    wish = ", or choose under “How to read files” to take its bands by their wavelengths" if known else ""
    raise SourceError(found=found, remedy=f"choose a Sentinel-2 product{wish}")
