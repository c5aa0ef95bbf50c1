"""Made-up land passes, whatever its brightness; clouds, snow, sheets, other scales and other sensors do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.bands import BAND_NAMES, BY_NAME
from core.evaluation.land_light import EXCHANGED, OFFSET, SHIFTED, LandLight, with_bright_ground
from core.evaluation.novelty import NOVEL_ABOVE
from tests.landlight import land

BANDS = tuple(name for name in BAND_NAMES if name != "B10")
COLUMNS = [BAND_NAMES.index(name) for name in BANDS]
Statistics = tuple[np.ndarray, np.ndarray]


def seen(count: int, seed: int) -> Statistics:
    mean, std = land(count, seed)
    return mean[:, COLUMNS], std[:, COLUMNS]


@pytest.fixture(scope="module")
def fitted() -> LandLight:
    return LandLight(*seen(300, 0), BANDS, 5, wavelengths=True)


def moved(**places: str) -> Callable[[np.ndarray, np.ndarray], Statistics]:
    """Bands that hold what others should."""
    order = [BANDS.index(places.get(name, name)) for name in BANDS]
    return lambda mean, std: (mean[:, order], std[:, order])


def sheet(*spectrum: float) -> Callable[[np.ndarray, np.ndarray], Statistics]:
    def made(mean: np.ndarray, std: np.ndarray) -> Statistics:
        random = np.random.default_rng(0)
        flat = np.array(spectrum if len(spectrum) > 1 else spectrum * len(BANDS)) * random.normal(1, 0.02, mean.shape)
        return flat, 0.05 * flat

    return made


def shifted(mean: np.ndarray, std: np.ndarray) -> Statistics:
    """The bands of a sensor that sees everything 30 nm further into the red."""
    kept = [place for place, name in enumerate(BANDS) if name != "B09"]
    lengths = np.array([BY_NAME[BANDS[place]].wavelength for place in kept])
    out = [mean.copy(), std.copy()]
    for one, values in zip(out, (mean, std), strict=True):
        one[:, kept] = [np.interp(lengths + 30, lengths, row) for row in values[:, kept]]
    return out[0], out[1]


DAMAGED: dict[str, Callable[[np.ndarray, np.ndarray], Statistics]] = {
    "ten times too bright": lambda mean, std: (10 * mean, 10 * std),
    "ten times too dark": lambda mean, std: (mean / 10, std / 10),
    "offset left in": lambda mean, std: (mean + 0.1, std),
    "65,535 for 10,000": lambda mean, std: (6.5535 * mean, 6.5535 * std),
    "8 bits stretched": lambda mean, std: (np.minimum(3.64 * mean, 1), 3.64 * std),
    "red and blue exchanged": moved(B02="B04", B04="B02"),
    "red and near infrared exchanged": moved(B04="B08", B08="B04"),
    "bands reversed": moved(**dict(zip(BANDS, BANDS[::-1], strict=True))),
    "narrow near infrared last": moved(B8A="B09", B09="B11", B11="B12", B12="B8A"),
    "one band copied": moved(**dict.fromkeys(BANDS, "B03")),
    "bands of Landsat copied": moved(B05="B04", B06="B04", B07="B8A", B08="B8A"),
    "light of other wavelengths": shifted,
    "cloud": sheet(0.51, 0.5, 0.49, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.33, 0.35, 0.28),
    "snow": sheet(0.85, 0.84, 0.83, 0.83, 0.82, 0.8, 0.78, 0.75, 0.73, 0.35, 0.12, 0.1),
    "white sheet": sheet(0.5),
    "dark sheet": sheet(0.02),
    "darker sheet": sheet(0.004),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_no_land_as_it_should_look_is_novel(fitted: LandLight, name: str) -> None:
    mean, std = DAMAGED[name](*seen(300, 1))
    assert (fitted.percentile(mean, std) > NOVEL_ABOVE).mean() >= 0.95


def test_land_of_another_draw_is_known(fitted: LandLight) -> None:
    assert (fitted.percentile(*seen(1000, 2)) > NOVEL_ABOVE).mean() < 0.03
    assert len(fitted.percentile(*seen(0, 2))) == 0


def test_flaws_are_told_apart(fitted: LandLight) -> None:
    mean, std = seen(300, 3)
    clean = fitted.flaws(mean, std)
    assert clean.keys() == {OFFSET, EXCHANGED, SHIFTED}
    assert max(clean.values()) < 0.1
    for flaw, name in ((OFFSET, "offset left in"), (EXCHANGED, "red and blue exchanged"),
                       (SHIFTED, "light of other wavelengths")):  # fmt: skip
        assert fitted.flaws(*DAMAGED[name](mean, std))[flaw] > 0.9
    few = LandLight(mean[:, 1:4], std[:, 1:4], BANDS[1:4], 5, wavelengths=True)
    assert few.flaws(mean[:, 1:4], std[:, 1:4]).keys() == {OFFSET, EXCHANGED}


def test_the_distance_is_to_the_kth_nearest_and_leaves_a_patch_itself_out() -> None:
    """Two dark patches and two bright ones: leaving itself out, the second nearest of each is of the other pair."""
    mean, std = np.array([[0.095], [0.095], [0.395], [0.395]]), np.full((4, 1), 0.05)
    test = LandLight(mean, std, ("B08",), 2, wavelengths=False)
    own = test._distances(test._bank @ np.linalg.inv(test._whiten), itself=True)
    np.testing.assert_allclose(own, own[0], rtol=1e-6)
    assert own[0] > 1
    again = test._distances(test._bank @ np.linalg.inv(test._whiten))
    np.testing.assert_allclose(again, 0, atol=1e-5)


def test_bare_ground_is_known_brighter_and_nothing_else_is() -> None:
    soil = np.array([0.09, 0.13, 0.18, 0.30, 0.36], np.float32)
    plants = np.array([0.03, 0.06, 0.04, 0.36, 0.18], np.float32)
    cloud = np.full(5, 0.5, np.float32)
    bands = ("B02", "B03", "B04", "B8A", "B11")
    mean, std = np.stack([soil, plants, cloud]), np.full((3, 5), 0.02, np.float32)
    more, texture = with_bright_ground(mean, std, bands)
    np.testing.assert_array_equal(more[:3], mean)
    assert len(more) == 3 + 2, "twice as bright it would be brighter than any sand"
    assert (more[3:] > mean[0]).all()
    assert (texture[3:] > std[0]).all()
    assert with_bright_ground(mean[:, :3], std[:, :3], bands[:3])[0].shape == (3, 3)
