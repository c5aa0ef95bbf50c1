"""Reflectance of the synthetic landscape's materials and the atmosphere above them; where they lie is told elsewhere.

Surface reflectances are typical values read at the Sentinel-2 band centres, rounded, from published sources:

- soils, rock, sand, roofs, asphalt, concrete, metal, dry grass: USGS Spectral Library 7 (Kokaly et al. 2017,
  doi:10.3133/ds1035) and ECOSTRESS Library 1.0 (Meerdink et al. 2019, doi:10.1016/j.rse.2019.05.015);
- green canopies: shapes of PROSAIL (Jacquemoud et al. 2009, doi:10.1016/j.rse.2008.01.026) for leaf area indices of 2
  to 6, forests lowered for shadow as in the ECOSTRESS vegetation set;
- water: remote-sensing reflectance × π for clear, coastal and turbid water (Lee et al. 2002, doi:10.1364/AO.41.005755;
  Nechad et al. 2010, doi:10.1016/j.rse.2009.11.022), plus 0.004 of sky and sun glint off a lightly ruffled surface.

Top-of-atmosphere reflectance is path + transmittance × surface. Rayleigh optical depth follows Hansen & Travis (1974,
doi:10.1007/BF00168069, eq. 2.30), aerosol an Ångström law, both in single scattering; gas transmittances are typical
mid-latitude summer values (ozone 0.3 cm atm, water vapour 2.2 cm), as MODTRAN or 6S (Vermote et al. 1997) give them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from core.bands import BAND_NAMES, BANDS, FloatArray

SUN_ZENITH = 31.0
"""Degrees from the vertical: mid-morning in June at 47° north."""
SUN_AZIMUTH = 148.0
"""Degrees clockwise from north."""

_COLUMNS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")
_TABLE: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        # bare ground
        "soil_light": (0.085, 0.105, 0.145, 0.190, 0.212, 0.230, 0.248, 0.262, 0.272, 0.285, 0.345, 0.300),
        "soil_brown": (0.058, 0.070, 0.098, 0.133, 0.152, 0.170, 0.188, 0.203, 0.215, 0.230, 0.300, 0.250),
        "soil_dark": (0.040, 0.046, 0.062, 0.080, 0.092, 0.105, 0.118, 0.130, 0.138, 0.150, 0.200, 0.165),
        "soil_red": (0.045, 0.055, 0.085, 0.150, 0.178, 0.198, 0.212, 0.222, 0.232, 0.245, 0.320, 0.270),
        "rock": (0.110, 0.130, 0.165, 0.195, 0.210, 0.222, 0.235, 0.245, 0.252, 0.262, 0.310, 0.280),
        "sand": (0.120, 0.150, 0.205, 0.250, 0.270, 0.285, 0.300, 0.312, 0.320, 0.330, 0.380, 0.350),
        "gravel": (0.130, 0.150, 0.180, 0.200, 0.210, 0.215, 0.222, 0.228, 0.232, 0.240, 0.260, 0.240),
        "mud": (0.045, 0.055, 0.078, 0.090, 0.098, 0.102, 0.108, 0.110, 0.112, 0.110, 0.090, 0.060),
        # crops
        "wheat_green": (0.022, 0.028, 0.055, 0.035, 0.092, 0.285, 0.375, 0.400, 0.415, 0.405, 0.200, 0.095),
        "wheat_ripe": (0.050, 0.064, 0.108, 0.140, 0.178, 0.240, 0.278, 0.300, 0.325, 0.335, 0.320, 0.195),
        "stubble": (0.068, 0.085, 0.125, 0.170, 0.200, 0.230, 0.255, 0.278, 0.300, 0.315, 0.390, 0.300),
        "maize": (0.020, 0.026, 0.056, 0.030, 0.090, 0.340, 0.450, 0.475, 0.490, 0.475, 0.205, 0.090),
        "beet": (0.018, 0.024, 0.056, 0.026, 0.085, 0.365, 0.495, 0.520, 0.535, 0.520, 0.210, 0.090),
        "sunflower": (0.024, 0.030, 0.068, 0.044, 0.115, 0.330, 0.430, 0.455, 0.470, 0.455, 0.225, 0.110),
        "rape_ripening": (0.034, 0.044, 0.088, 0.080, 0.140, 0.265, 0.320, 0.345, 0.365, 0.365, 0.255, 0.150),
        # grass, shrub, trees
        "grass": (0.026, 0.034, 0.064, 0.046, 0.108, 0.275, 0.355, 0.378, 0.395, 0.390, 0.225, 0.112),
        "meadow": (0.024, 0.031, 0.064, 0.040, 0.106, 0.315, 0.410, 0.435, 0.452, 0.440, 0.222, 0.104),
        "hay": (0.042, 0.055, 0.088, 0.088, 0.135, 0.228, 0.278, 0.300, 0.318, 0.325, 0.285, 0.175),
        "grass_dry": (0.048, 0.062, 0.092, 0.112, 0.145, 0.192, 0.218, 0.236, 0.255, 0.268, 0.310, 0.205),
        "heath": (0.026, 0.031, 0.045, 0.050, 0.080, 0.145, 0.175, 0.190, 0.205, 0.210, 0.185, 0.105),
        "shrub": (0.022, 0.028, 0.044, 0.038, 0.074, 0.175, 0.220, 0.238, 0.250, 0.252, 0.178, 0.090),
        "vine": (0.022, 0.028, 0.055, 0.038, 0.095, 0.275, 0.345, 0.365, 0.380, 0.370, 0.205, 0.105),
        "fruit_tree": (0.020, 0.026, 0.046, 0.034, 0.080, 0.250, 0.315, 0.335, 0.350, 0.340, 0.180, 0.088),
        "broadleaf": (0.013, 0.017, 0.036, 0.021, 0.062, 0.235, 0.310, 0.332, 0.346, 0.340, 0.148, 0.057),
        "conifer": (0.011, 0.014, 0.026, 0.017, 0.042, 0.145, 0.188, 0.203, 0.212, 0.208, 0.095, 0.040),
        "willow": (0.018, 0.023, 0.044, 0.028, 0.074, 0.235, 0.305, 0.325, 0.338, 0.330, 0.155, 0.066),
        "reed": (0.026, 0.032, 0.054, 0.056, 0.090, 0.165, 0.200, 0.215, 0.228, 0.225, 0.160, 0.085),
        # man-made
        "tile_red": (0.055, 0.062, 0.085, 0.155, 0.180, 0.198, 0.210, 0.220, 0.232, 0.245, 0.300, 0.265),
        "tile_grey": (0.085, 0.092, 0.102, 0.112, 0.118, 0.124, 0.130, 0.136, 0.142, 0.150, 0.190, 0.175),
        "roof_bitumen": (0.058, 0.062, 0.068, 0.074, 0.078, 0.082, 0.086, 0.090, 0.094, 0.098, 0.125, 0.118),
        "roof_light": (0.230, 0.255, 0.275, 0.290, 0.296, 0.300, 0.305, 0.308, 0.312, 0.315, 0.330, 0.300),
        "roof_white": (0.400, 0.455, 0.480, 0.495, 0.500, 0.502, 0.500, 0.498, 0.495, 0.480, 0.440, 0.380),
        "roof_blue": (0.200, 0.235, 0.195, 0.140, 0.135, 0.150, 0.190, 0.225, 0.235, 0.240, 0.230, 0.200),
        "asphalt": (0.072, 0.078, 0.088, 0.098, 0.103, 0.108, 0.113, 0.118, 0.123, 0.130, 0.165, 0.158),
        "concrete": (0.165, 0.190, 0.220, 0.245, 0.255, 0.262, 0.268, 0.274, 0.280, 0.288, 0.320, 0.300),
        "yard": (0.105, 0.118, 0.138, 0.155, 0.165, 0.175, 0.185, 0.192, 0.200, 0.208, 0.250, 0.225),
        "track": (0.100, 0.122, 0.160, 0.200, 0.220, 0.238, 0.252, 0.264, 0.275, 0.288, 0.350, 0.310),
        # water
        "water_deep": (0.030, 0.029, 0.020, 0.010, 0.009, 0.008, 0.008, 0.007, 0.007, 0.006, 0.005, 0.004),
        "water_coastal": (0.038, 0.044, 0.046, 0.024, 0.020, 0.014, 0.013, 0.011, 0.010, 0.008, 0.006, 0.004),
        "water_shallow": (0.052, 0.066, 0.082, 0.052, 0.042, 0.024, 0.023, 0.019, 0.016, 0.011, 0.007, 0.005),
        "water_turbid": (0.042, 0.052, 0.074, 0.064, 0.060, 0.036, 0.035, 0.029, 0.025, 0.017, 0.008, 0.006),
        "water_river": (0.034, 0.040, 0.052, 0.036, 0.032, 0.021, 0.020, 0.017, 0.015, 0.011, 0.007, 0.005),
    }
)

MATERIALS: tuple[str, ...] = tuple(_TABLE)
"""Names of the materials, in the order of their numbers."""
NUMBER: Mapping[str, int] = MappingProxyType({name: number for number, name in enumerate(MATERIALS)})


def surface() -> FloatArray:
    """Return surface reflectance, float32 of shape (materials, 13) in product order; B10 half way from B09 to B11."""
    table = np.array(list(_TABLE.values()), dtype=np.float32)
    columns = {name: table[:, position] for position, name in enumerate(_COLUMNS)}
    columns["B10"] = np.asarray((columns["B09"] + columns["B11"]) / 2, dtype=np.float32)
    return np.stack([columns[name] for name in BAND_NAMES], axis=1)


_GAS = {
    "B01": 0.985, "B02": 0.975, "B03": 0.925, "B04": 0.950, "B05": 0.955, "B06": 0.950, "B07": 0.955, "B08": 0.895,
    "B8A": 0.985, "B09": 0.275, "B10": 0.0018, "B11": 0.955, "B12": 0.930,
}  # fmt: skip
"""Two-way gas transmittance, band averages; B08 and B09 lose to water vapour, B10 sees almost no ground."""
_AEROSOL_DEPTH, _ANGSTROM = 0.13, 1.3
_CIRRUS = 0.00078
"""Path reflectance of B10: high, thin, invisible cirrus."""


def path_reflectance() -> FloatArray:
    """Return what the air alone reflects, float32 of shape (13,): Rayleigh plus aerosol, in single scattering each."""
    micron = np.array([band.wavelength for band in BANDS]) / 1000
    rayleigh = 0.008569 * micron**-4 * (1 + 0.0113 * micron**-2 + 0.00013 * micron**-4)
    aerosol = _AEROSOL_DEPTH * (micron / 0.55) ** -_ANGSTROM
    cos_sun = np.cos(np.radians(SUN_ZENITH))
    phase_rayleigh, phase_aerosol = 0.75 * (1 + cos_sun**2), 0.25
    light = (rayleigh * phase_rayleigh + 0.93 * aerosol * phase_aerosol) / (4 * cos_sun)
    gas = np.array([_GAS[name] for name in BAND_NAMES])
    path: FloatArray = (light * np.sqrt(gas)).astype(np.float32)
    path[BAND_NAMES.index("B09")] = light[BAND_NAMES.index("B09")] * 0.6
    path[BAND_NAMES.index("B10")] = _CIRRUS
    return path


def transmittance() -> FloatArray:
    """Return two-way transmittance sun–ground–sensor, float32 of shape (13,): gases, and scattering as exp(−τ·b·m)."""
    micron = np.array([band.wavelength for band in BANDS]) / 1000
    rayleigh = 0.008569 * micron**-4 * (1 + 0.0113 * micron**-2 + 0.00013 * micron**-4)
    aerosol = _AEROSOL_DEPTH * (micron / 0.55) ** -_ANGSTROM
    airmass = 1 + 1 / np.cos(np.radians(SUN_ZENITH))
    scattering = np.exp(-(0.5 * rayleigh + 0.17 * aerosol) * airmass)
    return np.asarray([_GAS[name] for name in BAND_NAMES] * scattering, dtype=np.float32)
