"""What variables of a cube are called: the texts by which ``ingest.bands`` names them; none is guessed here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.ingest.bands.names import (
    band_of_file,
    bands_by_wavelength,
    names_other_layer,
    names_positions,
    parse_band,
    product_names,
)
from core.ingest.bands.texts import BAND_ITEMS, band_texts
from core.ingest.formats.cubes.axes import text_of, texts_along
from core.ingest.formats.cubes.containers import CubeGroup

if TYPE_CHECKING:
    import xarray as xr

_OTHER_GROUP = re.compile(
    r"(?:^|/)(?:[^/]*(?:mask|quicklook|uncertaint|angle)[^/]*|quality|conditions|geometry|meteorology|atmosphere|"
    r"probability|detector_footprint|ancillary|auxiliary(?:_data)?|metadata)(?:/|$)",
    re.IGNORECASE,
)
"""Groups of what is no reflectance, though its variables may be called by bands (EOPF's layout, and alike)."""
_OF_A_BAND = re.compile(
    r"(?<![A-Za-z0-9])(?:std|stdev|stddev|sd|var|variance|count|counts|nobs|obs|num|quality|unc|uncertainty|err|error|"
    r"flags?|mask|qa|angle|weight)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
"""What names of variables hold that say something of a band."""
_WAVELENGTHS = (
    "wavelength", "radiation_wavelength", "central_wavelength", "center_wavelength", "centre_wavelength",
    "eo:center_wavelength", "centerwavelength", "wavelength_nm",
)  # fmt: skip
_ALONG = re.compile(r"wavelength|wave|^wl$|lambda", re.IGNORECASE)
_FEWEST = 3


def in_other_group(group: CubeGroup) -> bool:
    """Tell whether the variables of a group are no reflectance, by what the group is called."""
    return _OTHER_GROUP.search(group.path) is not None


def says_of_a_band(name: str) -> bool:
    """Tell whether a variable says something of a band or of pixels rather than holding light, by its name."""
    plain = name.replace("_", " ")
    return names_other_layer(name) or names_other_layer(plain) or _OF_A_BAND.search(plain) is not None


def texts_of_variables(variables: Mapping[str, xr.Variable]) -> dict[str, str]:
    """Return the text that names the band of each variable that holds one, ``""`` for the others.

    Names count before attributes, unless they only count the variables.
    """
    names = list(variables)
    counted = names_positions(names)
    meant = product_names(names)
    return {name: _text(name, variable, meant, counted=counted) for name, variable in variables.items()}


def _text(name: str, variable: xr.Variable, meant: Mapping[str, str], *, counted: bool) -> str:
    if not counted and (band := band_of_file(name, meant)) is not None:
        return name if parse_band(name, meant) == band else band
    small = {str(key).lower(): value for key, value in variable.attrs.items()}
    for key in BAND_ITEMS:
        text = text_of(small.get(key, ""))
        if text and len(text) < 200 and not says_of_a_band(text) and parse_band(text) is not None:
            return text
    for key in _WAVELENGTHS:
        text = _nanometres(small.get(key), text_of(small.get(f"{key}_units", small.get(f"{key}_unit", ""))))
        if text and bands_by_wavelength([text])[0] is not None:
            return text
    long_name = text_of(small.get("long_name", ""))
    return long_name if bands_by_wavelength([long_name])[0] is not None else ""


def _nanometres(value: object, units: str) -> str:
    """Return a wavelength as text in nanometres; numbers below 10 are micrometres."""
    try:
        number = float(text_of(value))
    except ValueError:
        return ""
    if not np.isfinite(number):
        return ""
    return f"{number * 1000 if number < 10 or units.lower() in {'um', 'µm', 'micrometer'} else number:.1f} nm"


def texts_of_axis(group: CubeGroup, variable: xr.Variable, dim: str) -> tuple[str, ...]:
    """Return the text of each band along an axis: labels, other coordinates, lists in attributes, or wavelengths.

    The first that names bands counts; where none does, labels are given as they are, numbers as “Band 1”.
    """
    count = int(variable.sizes[dim])
    labels = [texts for _, texts in texts_along(group, dim)]
    tags = {str(key): _listed(value) for key, value in {**group.attributes, **variable.attrs}.items()}
    listed = list(band_texts([""] * count, {}, tags))
    choices = [*labels, listed, _wavelengths_along(group, dim)]
    best = next((texts for texts in choices if len(texts) == count and _naming(texts)), None)
    if best is not None:
        return tuple(best)
    if labels:
        return tuple(labels[0])
    own = group.lookup(dim)
    if own is not None and own.dims == (dim,) and own.dtype.kind in "iu":
        return tuple(f"Band {int(value)}" for value in own.values.tolist())
    return ("",) * count


def _naming(texts: Sequence[str]) -> bool:
    """Tell whether texts name bands, three or all of them."""
    meant = product_names(texts)
    named = sum(parse_band(text, meant) is not None for text in texts)
    lit = sum(band is not None for band in bands_by_wavelength(texts))
    return max(named, lit) >= min(_FEWEST, len(texts)) and not names_positions(texts)


def _listed(value: Any) -> str:  # noqa: ANN401 (attributes are anything)
    """Return an attribute as the text of a list."""
    if isinstance(value, (list, tuple)) and len(value) <= 100:
        parts = [part.get("name", "") if isinstance(part, Mapping) else part for part in value]
        return str([text_of(part) for part in parts])
    if isinstance(value, np.ndarray) and value.size <= 100:
        return str([text_of(part) for part in value.tolist()])
    return text_of(value)[:2000]


def _wavelengths_along(group: CubeGroup, dim: str) -> list[str]:
    """Return wavelengths along an axis as texts; empty where none are stated."""
    for part in (group, *group.around):
        for name, variable in part.variables.items():
            units = text_of(variable.attrs.get("units", ""))
            lit = _ALONG.search(name) or units.lower() in {"nm", "um", "µm", "nanometer", "nanometers", "micrometer"}
            if variable.dims == (dim,) and variable.dtype.kind in "iuf" and lit and variable.size <= 100:
                return [_nanometres(value, units) for value in variable.values.tolist()]
    return []
