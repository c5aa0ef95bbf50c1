from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.bands import BAND_NAMES, FloatArray
from core.config import Config
from core.encoders.registry import default_encoder, describe
from core.errors import EncoderError, SettingsError, StoreError
from core.evaluation.band_statistics import statistics_of_bands
from core.evaluation.land_light import at_top_of_atmosphere
from core.evaluation.novelty import (
    FEWEST_KNOWN,
    MOST_KNOWN,
    NOVEL_ABOVE,
    NoveltyReference,
    calibrate_novelty,
    novelty_percentile,
)
from core.features.novelty import Novelties
from core.features.recipe import Recipe
from core.scenes.cut import Cut
from tests.landlight import land

BANDS = ("B02", "B03", "B04", "B08", "B8A", "B09", "B10", "B11")


def known(count: int = 300, seed: int = 0, bands: tuple[str, ...] = BANDS) -> NoveltyReference:
    return calibrate_novelty(statistics_of_bands(*land(count, seed), bands), bands)


@pytest.fixture(scope="module")
def reference() -> NoveltyReference:
    return known()


def novel(one: NoveltyReference, mean: np.ndarray, std: np.ndarray, present: tuple[str, ...] = BAND_NAMES) -> float:
    return float((one.percentile(mean, std, present) > NOVEL_ABOVE).mean())


def test_one_in_a_hundred_of_its_own_kind_is_unfamiliar(reference: NoveltyReference) -> None:
    percent = reference.percentile(*land(2000, 5), BAND_NAMES)
    assert percent.dtype == np.float32
    assert (percent > NOVEL_ABOVE).mean() < 0.03
    assert np.median(percent) == pytest.approx(50, abs=10)
    assert 0 <= percent.min() <= percent.max() <= 100


def test_what_stands_in_for_missing_bands_says_nothing(reference: NoveltyReference) -> None:
    mean, std = land(200, 6)
    strange = mean.copy()
    strange[:, BAND_NAMES.index("B11")] = 0.9
    few = tuple(name for name in BAND_NAMES if name != "B11")
    assert novel(reference, strange, std) == 1
    np.testing.assert_array_equal(reference.percentile(strange, std, few), reference.percentile(mean, std, few))
    with pytest.raises(EncoderError, match="too few of the bands in which known land is kept"):
        reference.percentile(mean, std, ("B01", "B02", "B10"))


def test_light_at_the_ground_is_familiar_once_it_is_converted(reference: NoveltyReference) -> None:
    mean, std = land(300, 7)
    nothing = np.zeros((1, 13), np.float32)
    path, _ = at_top_of_atmosphere(nothing, nothing, BAND_NAMES)
    ground = ((mean - path) / (1 - 2.2 * path)).astype(np.float32), (std / (1 - 2.2 * path)).astype(np.float32)
    ground[0][:, BAND_NAMES.index("B09")] = ground[0][:, BAND_NAMES.index("B8A")]  # Products take the vapour out.
    again = at_top_of_atmosphere(*ground, BAND_NAMES)
    converted = reference.percentile(*again, BAND_NAMES, converted=True)
    assert (converted > NOVEL_ABOVE).mean() < 0.05
    assert novel(reference, *ground) > 0.9
    assert novel(reference, *again) > 0.9, "the light that vapour takes is missed where nothing was converted"


def test_it_comes_back_from_its_file(reference: NoveltyReference, tmp_path: Path) -> None:
    path = tmp_path / "familiar.npz"
    reference.save(path)
    assert [child.name for child in tmp_path.iterdir()] == ["familiar.npz"]
    back = NoveltyReference.load(path)
    assert (back.bands, back.k) == (reference.bands, reference.k)
    np.testing.assert_array_equal(
        back.percentile(*land(60, 8), BAND_NAMES), reference.percentile(*land(60, 8), BAND_NAMES)
    )
    assert path.stat().st_size < 100_000
    many = known(MOST_KNOWN + 500)
    assert len(many.statistics) == MOST_KNOWN
    assert many.in_bands(("B08", "B02")).shape == (MOST_KNOWN, 4)
    np.testing.assert_array_equal(many.in_bands(many.bands), many.statistics)


def test_a_file_of_the_first_version_opens_by_its_statistics(tmp_path: Path) -> None:
    """It held a bank of features too, three curves, and statistics of the bands that the network had seen."""
    bands, path, curve = ("B02", "B03", "B04"), tmp_path / "familiar.npz", np.linspace(0, 1, 1001).astype(np.float32)
    np.savez(
        path, k=np.int64(10), bands=np.array(bands), light=statistics_of_bands(*land(400, 1), bands),
        bank=np.eye(20, 128, dtype=np.float16), columns=np.arange(128), quantiles=curve, light_quantiles=curve,
        joint=curve,
    )  # fmt: skip
    old = NoveltyReference.load(path)
    assert old.k == 10
    mean, std = land(300, 9)
    assert novel(old, mean, std) < 0.05
    assert novel(old, 5 * mean, 5 * std) == 1


def changed(path: Path, **arrays: np.ndarray) -> None:
    """The same file with some of its arrays replaced."""
    with np.load(path) as data:
        kept = {name: data[name] for name in data.files}
    np.savez(path, **{**kept, **arrays})


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"PK"),
        lambda path: path.write_bytes(path.read_bytes()[:-200]),
        lambda path: np.savez(path, bank=np.eye(3)),
        lambda path: changed(path, k=np.int64(10**6)),
        lambda path: changed(path, k=np.int64(0)),
        lambda path: changed(path, bands=np.array(["B02"])),
        lambda path: changed(path, bands=np.array([*BANDS[:-1], "B99"])),
        lambda path: changed(path, light=np.full((50, 2 * len(BANDS)), np.nan)),
        lambda path: changed(path, light=np.ones((50, 2 * len(BANDS)), int)),
        lambda path: changed(path, light=np.array([{}], object)),
    ],
)
def test_a_damaged_file_is_one_sentence(reference: NoveltyReference, tmp_path: Path, damage: object) -> None:
    path = tmp_path / "familiar.npz"
    reference.save(path)
    damage(path)  # type: ignore[operator]
    with pytest.raises(EncoderError, match=r"familiar\.npz cannot be read or is damaged; get the model again\.$"):
        NoveltyReference.load(path)


def test_what_is_too_little_is_refused(reference: NoveltyReference, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"there are 99 patches; give at least {FEWEST_KNOWN}"):
        known(99)
    statistics = statistics_of_bands(*land(120, 0), BANDS)
    with pytest.raises(SettingsError, match="give a mean and a deviation for each band"):
        calibrate_novelty(statistics, BANDS[:3])
    with pytest.raises(SettingsError, match="or are not finite"):
        calibrate_novelty(statistics * np.nan, BANDS)
    with pytest.raises(StoreError, match=r"^Writing “familiar\.npz”"):
        reference.save(tmp_path / "none" / "familiar.npz")


def test_an_answer_is_kept_and_belongs_to_what_it_was_measured_against(tmp_path: Path) -> None:
    """A stored answer is used as it is, and not for other bands, other patches, or light that was converted."""
    config, mean_std = Config(root=tmp_path, model_cache=tmp_path), land(50, 8)
    spec = describe(default_encoder(), config)
    recipe = Recipe(scene_id="s", encoder=spec.name, fingerprint=spec.fingerprint, cut=Cut(size=64, stride=64))

    def ask(present: tuple[str, ...] = BAND_NAMES, rows: int = 50, level: str = "L1C") -> FloatArray:
        mean, std = (part[:rows] for part in mean_std)
        found = novelty_percentile(recipe, config, (mean, std), present, level, kept=Novelties(tmp_path))
        assert found is not None
        return found

    def measured(present: tuple[str, ...] = BAND_NAMES, level: str = "L1C") -> FloatArray | None:
        return novelty_percentile(recipe, config, mean_std, present, level)

    np.testing.assert_array_equal(ask(), measured())
    (file,) = (tmp_path / "novelty" / "s").glob("*.npy")
    Novelties(tmp_path).put(recipe, file.stem.removeprefix(f"{recipe.key}-"), np.full(50, 7, np.float32))
    assert set(ask().tolist()) == {7}, "what is kept is not measured again"
    assert len(ask(rows=40)) == 40
    np.testing.assert_array_equal(ask(BAND_NAMES[:8]), measured(BAND_NAMES[:8]))
    np.testing.assert_array_equal(ask(level="L2A"), measured(level="L2A"))


def test_other_known_land_has_another_key() -> None:
    one, again, other = known(150, seed=3), known(150, seed=3), known(150, seed=4)
    assert one.key == again.key
    assert len({one.key, other.key, known(150, seed=3, bands=BANDS[:4]).key}) == 3


def test_the_test_of_known_land_is_fitted_once_for_all_that_is_asked_of_it() -> None:
    statistics = np.random.default_rng(3).uniform(0.01, 0.5, (150, 2 * len(BAND_NAMES))).astype(np.float32)
    first, again = (calibrate_novelty(statistics, BAND_NAMES) for _ in range(2))
    other = calibrate_novelty(statistics[::-1] * np.float32(0.9), BAND_NAMES)
    tests = [one._test(BAND_NAMES, converted=False)[0] for one in (first, again, other)]
    assert tests[0] is tests[1]
    assert tests[0] is not tests[2]
    assert tests[0] is not first._test(BAND_NAMES, converted=True)[0], "of converted levels, other bands count"
    seen = statistics[:20, :13] * 1.1, statistics[:20, 13:]
    assert (first.percentile(*seen, BAND_NAMES) != other.percentile(*seen, BAND_NAMES)).any()
