"""Made-up land passes, whatever its brightness; clouds, snow, sheets, other scales and other sensors do not."""

from __future__ import annotations

import numpy as np
import pytest

from core.bands import BAND_NAMES
from core.evaluation.land_light import (
    EXCHANGED,
    OFFSET,
    SHIFTED,
    LandLight,
    at_top_of_atmosphere,
    with_bright_ground,
)
from core.evaluation.novelty import NOVEL_ABOVE
from tests.landlight import DAMAGED, Statistics, land

BANDS = tuple(name for name in BAND_NAMES if name != "B10")
COLUMNS = [BAND_NAMES.index(name) for name in BANDS]


def seen(count: int, seed: int) -> Statistics:
    mean, std = land(count, seed)
    return mean[:, COLUMNS], std[:, COLUMNS]


@pytest.fixture(scope="module")
def fitted() -> LandLight:
    return LandLight(*seen(300, 0), BANDS, 5, wavelengths=True)


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_no_land_as_it_should_look_is_novel(fitted: LandLight, name: str) -> None:
    mean, std = (one[:, COLUMNS] for one in DAMAGED[name](*land(300, 1)))
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
        bad_mean, bad_std = DAMAGED[name](*land(300, 3))
        assert fitted.flaws(bad_mean[:, COLUMNS], bad_std[:, COLUMNS])[flaw] > 0.9
    few = LandLight(mean[:, 1:4], std[:, 1:4], BANDS[1:4], 5, wavelengths=True)
    assert few.flaws(mean[:, 1:4], std[:, 1:4]).keys() == {OFFSET, EXCHANGED}


SAND = (0.15, 0.17, 0.25, 0.36, 0.40, 0.41, 0.42, 0.43, 0.425, 0.20, 0.002, 0.52, 0.48)
"""Reflectance at the ground in product order: of a desert, where red and near infrared differ by a sixth."""


def desert(count: int, seed: int) -> Statistics:
    random = np.random.default_rng(seed)
    ground = np.array(SAND) * np.exp(random.normal(0, 0.08, (count, 1)) + random.normal(0, 0.01, (count, 13)))
    return at_top_of_atmosphere(ground.astype(np.float32), (0.05 * ground).astype(np.float32), BAND_NAMES)


def test_red_and_near_infrared_are_told_apart_on_bare_ground_too() -> None:
    mean, std = with_bright_ground(*land(300, 0), BAND_NAMES)
    test = LandLight(mean[:, COLUMNS], std[:, COLUMNS], BANDS, 5, wavelengths=True)
    clean, bad = desert(200, 1), DAMAGED["red and near infrared exchanged"](*desert(200, 1))
    shares = [test.flaws(one[0][:, COLUMNS], one[1][:, COLUMNS])[EXCHANGED] for one in (clean, bad)]
    assert shares[0] < 0.05
    assert shares[1] > 0.95
    assert (test.percentile(bad[0][:, COLUMNS], bad[1][:, COLUMNS]) > NOVEL_ABOVE).mean() > 0.95
    without = [BANDS.index(name) for name in BANDS if name != "B05"]
    few = LandLight(mean[:, COLUMNS][:, without], std[:, COLUMNS][:, without], [BANDS[place] for place in without], 5,
                    wavelengths=True)  # fmt: skip
    assert few.flaws(clean[0][:, COLUMNS][:, without], clean[1][:, COLUMNS][:, without])[EXCHANGED] < 0.05


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
