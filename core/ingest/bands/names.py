"""Which Sentinel-2 band a file name or a band description names; what the pixels say is ``bands.order``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from core.bands import BANDS

_CODE = re.compile(r"(?<![A-Za-z0-9])(?:B|BAND[ _-]?)(0?[1-9]|1[0-2]|0?8A)(?![A-Za-z0-9])", re.IGNORECASE)
_RESOLUTION = re.compile(r"(?<![A-Za-z0-9])R?(10|20|60)m(?![A-Za-z0-9])", re.IGNORECASE)
_NEVER = re.compile(
    r"(?<![A-Za-z0-9])(TCI|SCL|ZENITH|AZIMUTH|DETECTOR|AOT|WVP|PVI|MSK|DETFOO|QUALIT|CLASSI|CLDPRB|SNWPRB|CLD|CLP|CLM|SNW|QA\d*|QAI|FMASK|MASK|DATAMASK|QL|"
    r"PREVIEW|QUICKLOOK|THUMBNAIL|OVERVIEW|TRUE[ _-]?COLOU?R|FALSE[ _-]?COLOU?R|NDVI|NDWI|EVI)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_ONE_BAND = r"(?:B(?:AND[ _-]?)?\d{1,2}A?|blue|green|red(?:_?edge)?_?\d?|re\d|nir\d*|swir\d*)"
_DEVIATION = r"std|st_?d_?dev|standard[ _-]?deviation|variance|kurtosis|skew(?:ness)?|uncertainty"
_RESOLVED = r"(?:[_ .-]R?[126]0m)?"
_SPREAD = re.compile(
    rf"(?<![A-Za-z0-9]){_ONE_BAND}(?:[_ .-]|[_ .-]?\()(?:(?:sr|toa|boa|refl(?:ectance)?)[_ .-])?"
    rf"(?:{_DEVIATION}|(?-i:sd)|sigma|var|counts?|slope|trend|"
    r"amplitude|phase|cv|iqr|range|unc|anomaly|residuals?|rmse|(?:std|standard)[_ -]?err(?:or)?|"
    rf"diff(?:erence)?|change|(?-i:mad)|z[_ -]?score)\)?{_RESOLVED}(?:[_ .-]\d\d?)?$|"
    rf"(?:^(?:{_DEVIATION}|counts?|amplitude|cv|iqr|(?-i:var|sigma|se|stderr|diff))|"
    rf"(?-i:[_ .-](?:std|stdev|std_?dev|stdDev|variance|kurtosis|skewness)))[_ .-]{_ONE_BAND}{_RESOLVED}$",
    re.IGNORECASE,
)
"""Names of statistics of a band over time or bins that are no reflectance, as SNAP and Earth Engine write them.

In front of a band stand only words that are hardly a place's (there is a Var, and there are Ranges), or that are in
small letters, as programs write them and places are not.
"""

COMMON_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "coastal": "B01", "coastalaerosol": "B01", "aerosol": "B01", "aerosols": "B01", "ultrablue": "B01",
        "blue": "B02", "green": "B03", "red": "B04", "blu": "B02", "grn": "B03",
        "vegetationrededge1": "B05", "vegetationrededge2": "B06", "vegetationrededge3": "B07",
        "vegetationrededge4": "B8A",
        "rededge1": "B05", "re1": "B05", "rededge2": "B06", "re2": "B06", "rededge3": "B07", "re3": "B07",
        "nir": "B08", "nir1": "B08", "broadnir": "B08", "nirbroad": "B08", "bnir": "B08",
        "bnr": "B08", "broadnearinfrared": "B08", "nearinfrared": "B08", "nearinfrared1": "B08",
        "narrownearinfrared": "B8A", "nearinfrarednarrow": "B8A", "nearinfrared2": "B8A",
        "nir08": "B8A", "rededge4": "B8A", "re4": "B8A", "narrownir": "B8A", "nirnarrow": "B8A", "nir2": "B8A",
        "nir09": "B09", "watervapour": "B09", "watervapor": "B09", "cirrus": "B10",
        "swir16": "B11", "swir1": "B11", "sw1": "B11", "swir22": "B12", "swir2": "B12", "sw2": "B12",
        "swir1.6": "B11", "swir2.2": "B12", "shortwaveinfrared1": "B11", "shortwaveinfrared2": "B12",
    }
)  # fmt: skip
"""Common names of bands, in small letters without gaps: in catalogues (STAC extension ``eo``, v1.1), in Digital Earth
Africa, FORCE and openEO, and as people write them."""
_ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        # Portuguese, Spanish, Italian
        "azul": "B02", "verde": "B03", "vermelho": "B04", "rojo": "B04", "rosso": "B04",
        "aerossolcosteiro": "B01", "aerosolcostero": "B01", "aerosolcostiero": "B01",
        "bordavermelha1": "B05", "bordavermelha2": "B06", "bordavermelha3": "B07",
        "borderojo1": "B05", "borderojo2": "B06", "borderojo3": "B07",
        "bordorosso1": "B05", "bordorosso2": "B06", "bordorosso3": "B07",
        "infravermelhoproximo": "B08", "infrarrojocercano": "B08", "infrarossovicino": "B08", "vicinoinfrarosso": "B08",
        "infravermelhodeondascurtas1": "B11", "infravermelhodeondascurtas2": "B12",
        "infrarrojodeondacorta1": "B11", "infrarrojodeondacorta2": "B12",
        "infrarossoaondecorte1": "B11", "infrarossoaondecorte2": "B12",
        # French, German
        "bleu": "B02", "vert": "B03", "rouge": "B04", "blau": "B02", "grun": "B03", "gruen": "B03", "rot": "B04",
        "bordrouge1": "B05", "bordrouge2": "B06", "bordrouge3": "B07", "pir": "B08", "procheinfrarouge": "B08",
        "infrarougeproche": "B08", "nahesinfrarot": "B08", "nahinfrarot": "B08",
        "infrarougecourt1": "B11", "infrarougecourt2": "B12", "infrarougeaondescourtes1": "B11",
        "infrarougeaondescourtes2": "B12", "kurzwelligesinfrarot1": "B11", "kurzwelligesinfrarot2": "B12",
        # Chinese
        "蓝": "B02", "绿": "B03", "红": "B04", "红边1": "B05", "红边2": "B06", "红边3": "B07", "近红外": "B08",
        "窄近红外": "B8A", "水汽": "B09", "卷云": "B10", "短波红外1": "B11", "短波红外2": "B12",
    }
)  # fmt: skip
"""The same in other languages, without accents."""
_FORCE: Mapping[str, str] = MappingProxyType({"nir": "B8A", "nearinfrared": "B8A"})
"""FORCE calls B08 broad, and B8A plainly near infrared (FORCE documentation, Level 2 ARD)."""
_FORCE_SERIES = re.compile(r"(?<![A-Za-z0-9])HL_TSA_SEN2[A-Z]_([A-Z0-9]{3})(?![A-Za-z0-9])")
"""How FORCE names the files of its time series, a file a band (FORCE documentation, Time Series Analysis)."""
_AUSTRALIA: Mapping[str, str] = MappingProxyType({"swir2": "B11", "swir3": "B12"})
"""Digital Earth Australia counts the short-wave bands from Landsat's 2 (product ``ga_s2am_ard_3``)."""
_LETTERS: Mapping[str, str] = MappingProxyType({"r": "B04", "g": "B03", "b": "B02", "n": "B08"})
"""What letters mean where red, green and blue are all there."""
_NANOMETRES = re.compile(r"(?<![\d.])(\d{3,4}(?:\.\d+)?)[ _]?(?:nm|nanomet\w+)(?![A-Za-z])", re.IGNORECASE)
_MICROMETRES = re.compile(r"(?<![\d.])([0-2]\.\d{2,4})[ _]?(?:[uµμ]m|microm\w+)(?![A-Za-z])", re.IGNORECASE)
TOP_BESIDE_SURFACE = "they are of the top of the atmosphere, and the others are of the surface (rhos)"
"""Why bands are left out that ``top_beside_surface`` gives."""
_TOP, _SURFACE = (re.compile(rf"(?<![A-Za-z0-9]){word}_\d{{3,4}}$") for word in ("rhot", "rhos"))
"""How ACOLITE ends the names of bands, at the top of the atmosphere and at the surface."""
_PLAIN_NUMBER = re.compile(r"\d\.\d{2,6}|\d{3,4}(?:\.\d{1,4})?")
_LONGEST, _FEWEST_LIGHTS = 3.0, 3
"""Micrometres that all of Sentinel-2's lie below, and with how few plain numbers nothing tells that they are such."""
_NOMINAL: Mapping[str, float] = MappingProxyType({"B02": 490, "B08": 842, "B11": 1610, "B12": 2190})
"""Centres, nanometres, as ESA rounded them before launch, where they differ from those measured; people write both."""
_SAME_LIGHT = 6.0
"""Nanometres between a wavelength that is written and the centre of the band that is meant."""
_GAPS = re.compile(r"[\s_-]+")
_PRODUCT_PREFIX = re.compile(r"^nbart?(?=[a-z])")
_AUSTRALIAN = re.compile(r"(?<![A-Za-z])nbart?[ _-]?(?=[a-z])|(?<![A-Za-z])swir[ _-]?3$", re.IGNORECASE)
"""Names of bands, or of files, as Digital Earth Australia alone writes them."""
_NUMBERED = re.compile(r"\s*Band[ _]?\d{1,2}\s*[:=(,]\s*(\S.*)", re.IGNORECASE)
_POSITION = re.compile(r"\s*(band|b)[ ._-]?(\d{1,3})\s*", re.IGNORECASE)
_NUMBERED_LIGHT = re.compile(
    r".*?(?<![A-Za-z0-9])(?:B|BAND[ _-]?)(0?[1-9]|1[0-2]|0?8A)[\s_:.,()\[\]-]+([A-Za-z].*?)[\s)\]]*", re.IGNORECASE
)
_APART = re.compile(r"[\s_.-]+")
_NOT_THE_LIGHT = frozenset({"infra", "near", "far", "non", "no"})
_NO_TAILS = frozenset({"cirrus", "aerosol", "aerosols", "watervapour", "watervapor"})
"""What layers that are no bands are called too."""
_ACOLITE = re.compile(r"(?<![A-Za-z0-9])rho(?:s|t|w|rc)_(\d{3,4})(?![A-Za-z0-9])", re.IGNORECASE)
"""Wavelengths in nanometres as ACOLITE names its files."""
_ASIDE = re.compile(r"\s*[(\[].*")


_CHINESE_BAND = re.compile(r"(?<=[\u4e00-\u9fff])(?:光?波段|光)(\d?)$")
"""What Chinese puts behind a colour, “band” or “light”."""


def _key(text: str) -> str:
    """Return a text as tables of names hold it: in small letters, without gaps and accents."""
    plain = unicodedata.normalize("NFKD", text.strip().lower())
    plain = _GAPS.sub("", "".join(letter for letter in plain if not unicodedata.combining(letter)))
    return _CHINESE_BAND.sub(r"\1", plain)


def _light(key: str) -> str | None:
    return COMMON_NAMES.get(key) or _ELSEWHERE.get(key)


def product_names(texts: Iterable[str]) -> Mapping[str, str]:
    """Return what the product that uses these names of bands, or of files of a band, means by what others do not."""
    texts = list(texts)
    keys = {_key(text) for text in texts}
    if {"r", "g", "b"} <= keys:
        return _LETTERS
    if keys & {"broadnir", "bnir", "bnr", "broadnearinfrared"}:
        return _FORCE
    if any(map(_AUSTRALIAN.search, texts)):
        return _AUSTRALIA
    return MappingProxyType({})


def names_positions(texts: Sequence[str]) -> bool:
    """Tell whether the texts of the bands of a file only count them, “Band 1”, “Band 2” and so on, or from 0 on.

    “B01” to “B04” name bands. “B1” to “B4” may do either. “B1” to “B9” and further count them, for between B8 and B9
    Sentinel-2 has B8A.
    """
    found = [_POSITION.fullmatch(text) for text in texts]
    numbers = [int(match[2]) for match in found if match]
    if not numbers or numbers not in (list(range(1, len(texts) + 1)), list(range(len(texts)))):
        return False
    if all(match and match[1].lower() == "band" for match in found):
        return True
    padded = any(match and match[2].startswith("0") for match in found)
    return len(texts) >= 9 or (len(texts) > 1 and (numbers[0] == 0 or not padded))


def bands_by_wavelength(texts: Sequence[str]) -> list[str | None]:
    """Return the band of the wavelength that each text writes; None for all where one writes another wavelength."""
    lights = _plain_wavelengths(texts) or [_wavelength(text) for text in texts]
    bands = [None if light is None else _band_at(light) for light in lights]
    known = [band for band in bands if band]
    if len(set(known)) < len(known) or any(light and not band for light, band in zip(lights, bands, strict=True)):
        return [None] * len(texts)
    return bands


def top_beside_surface(names: Sequence[str]) -> frozenset[str]:
    """Return names of ACOLITE's bands of the top of the atmosphere where others are of the surface, else none.

    Of some bands it gives light at the top of the atmosphere alone, which is another quantity.
    """
    if not any(_SURFACE.search(name) for name in names):
        return frozenset()
    return frozenset(name for name in names if _TOP.search(name))


def _plain_wavelengths(texts: Sequence[str]) -> list[float | None]:
    """Return nanometres where each text is a plain number, in nanometres or micrometres as all are; else nothing."""
    numbers = [float(text) for text in texts if _PLAIN_NUMBER.fullmatch(text.strip())]
    if len(numbers) < _FEWEST_LIGHTS or len(numbers) < len(texts):
        return []
    small = max(numbers) < _LONGEST
    return [1000 * number if small else number for number in numbers]


def _wavelength(text: str) -> float | None:
    if match := _NANOMETRES.search(text):
        return float(match[1])
    return 1000 * float(match[1]) if (match := _MICROMETRES.search(text)) else None


def _band_at(light: float) -> str | None:
    centres = [(band.name, centre) for band in BANDS for centre in (band.wavelength, _NOMINAL.get(band.name, 0.0))]
    name, centre = min(centres, key=lambda pair: abs(pair[1] - light))
    return name if abs(centre - light) <= _SAME_LIGHT else None


def parse_band(text: str, meant: Mapping[str, str] = MappingProxyType({})) -> str | None:
    """Return the band named by a description or the stem of a file name, or None.

    ``B4``, ``b04``, ``Band 8A``, ``…_B04_(Raw)``, ``T32TQM_…_B02_10m`` and the common names of catalogues are read;
    where a text names two different bands, none is.

    Args:
        text: the description or stem.
        meant: what the product means by names that others use otherwise, as of ``product_names``.
    """
    numbered = _NUMBERED.fullmatch(text)
    if numbered and (band := parse_band(numbered[1].rstrip(" )"), meant)):
        return band
    common = common_band(text, meant)
    if common is not None:
        return common
    found = {_canonical(code) for code in _CODE.findall(text)}
    return found.pop() if len(found) == 1 else None


def common_band(text: str, meant: Mapping[str, str] = MappingProxyType({})) -> str | None:
    """Return the band of a common name such as “blue” or “Blue (490 nm)”, or None; arguments as of ``parse_band``."""
    key = _PRODUCT_PREFIX.sub("", _key(text))
    plain = _key(_ASIDE.sub("", text))
    return meant.get(key) or _light(key) or meant.get(plain) or _light(plain)


def lights_beside_numbers(texts: Sequence[str]) -> list[tuple[str, str] | None]:
    """Return the band that the number in each text means, and the one that the light it names means, “B4 nir”.

    None for texts that hold only one of them, or in which both mean one band; both bands of the near infrared agree.
    """
    pairs: list[tuple[str, str] | None] = []
    for text in texts:
        found = _NUMBERED_LIGHT.fullmatch(text)
        light = _light(_key(found[2])) if found else None
        pair = (_canonical(found[1]), light) if found and light else None
        pairs.append(None if pair is None or pair[0] == pair[1] or set(pair) == {"B08", "B8A"} else pair)
    return pairs


def band_of_file(stem: str, meant: Mapping[str, str] = MappingProxyType({})) -> str | None:
    """Return the band that the stem of a file name names; None for pictures, masks, classifications and indices.

    Args:
        stem: the name without its ending.
        meant: as of ``parse_band``, by the names of all files; what this name alone tells counts too.
    """
    if names_other_layer(stem):
        return None
    if series := _FORCE_SERIES.search(stem):
        return common_band(series[1], _FORCE)
    light, meant = _ACOLITE.search(stem), meant or product_names([stem])
    return parse_band(stem, meant) or (_band_at(float(light[1])) if light else _tail(stem, meant))


def _tail(stem: str, meant: Mapping[str, str]) -> str | None:
    """Return the band whose common name a stem ends with, or None."""
    parts = [part.lower() for part in _APART.split(stem) if part]
    for count in (5, 4, 3, 2, 1):
        key = _key("".join(parts[-count:]))
        if len(parts) > count and (band := meant.get(key) or _light(key)) and key not in _NO_TAILS:
            return None if parts[-count - 1] in _NOT_THE_LIGHT else band
    return None


def names_other_layer(text: str) -> bool:
    """Return True for names of layers that are no spectral band, even where they name one (``MSK_DETFOO_B02``)."""
    return _NEVER.search(text) is not None or names_spread(text)


def names_spread(text: str) -> bool:
    """Return True for names of statistics of a band that are no reflectance, “B02_stdDev”."""
    return _SPREAD.search(text) is not None


def stated_resolution(text: str) -> int | None:
    """Return the metres a pixel that a name states last: 10, 20 or 60 (``R20m`` folders, ``_60m`` endings), or None."""
    found = _RESOLUTION.findall(text)
    return int(found[-1]) if found else None


def _canonical(code: str) -> str:
    return "B8A" if code.upper().endswith("A") else f"B{int(code):02d}"
