from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import EncoderError, SettingsError, StoreError
from core.evaluation.band_statistics import statistics_of_bands
from core.evaluation.novelty import BANK_NEAREST, BANK_ROWS, NOVEL_ABOVE, NoveltyReference, calibrate_novelty


def fan(count: int, seed: int, width: int = 24) -> np.ndarray:
    """Vectors near a plane of directions, followed by columns that no training made."""
    random = np.random.default_rng(seed)
    angle = random.uniform(0, np.pi / 2, count)
    made = np.zeros((count, width), np.float32)
    made[:, 0], made[:, 1] = np.cos(angle), np.sin(angle)
    made += 0.05 * random.standard_normal(made.shape).astype(np.float32)
    return np.concatenate([made, 100 * random.standard_normal((count, 4)).astype(np.float32)], axis=1)


BANDS = ("B02", "B04")


def stored(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Means and deviations of 13 bands, of land of middling brightness."""
    random = np.random.default_rng(seed)
    level = random.uniform(0.06, 0.14, (count, 1))
    mean = level * random.normal(1, 0.05, (count, 13))
    return mean.astype(np.float32), (mean * random.uniform(0.1, 0.3, (count, 13))).astype(np.float32)


def statistics(count: int, seed: int) -> np.ndarray:
    return statistics_of_bands(*stored(count, seed), BANDS)


def taught(train: np.ndarray, held: np.ndarray, *columns: object, k: int = BANK_NEAREST) -> NoveltyReference:
    """Calibrated, with band statistics that are as familiar in both."""
    lit = statistics(len(train), 100), statistics(len(held), 101)
    return calibrate_novelty(train, held, *columns, statistics=lit, bands=BANDS, k=k)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def familiar() -> NoveltyReference:
    return taught(fan(3000, 0), fan(1000, 1), range(24))


def test_the_percentile_can_be_checked_by_hand() -> None:
    """A bank of one direction; held-out patches at cosine distances 0, 0.01, … 0.99 from it."""
    cosine = 1 - np.arange(100) / 100
    held = np.stack([cosine, np.sqrt(1 - cosine**2)], axis=1).astype(np.float32)
    found = taught(np.array([[5.0, 0.0]], np.float32), held, k=1)
    asked = np.array([[3, 0], [0.5, np.sqrt(0.75)], [0, 7], [-1, 0]], np.float32)
    np.testing.assert_allclose(found.distance(asked), [0, 0.5, 1, 2], atol=1e-3)
    np.testing.assert_allclose(found.percentile(asked), [0, 50 / 99 * 100, 100, 100], atol=0.2)


def test_the_distance_is_to_the_kth_nearest() -> None:
    bank = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    near = [float(taught(bank, fan(100, 0)[:, :2], k=k).distance(bank[:1])[0]) for k in (1, 2, 3)]
    assert near == pytest.approx([0, 0.2, 1], abs=1e-3)


def test_one_in_a_hundred_of_its_own_kind_is_unfamiliar(familiar: NoveltyReference) -> None:
    percent = familiar.percentile(fan(4000, 2))
    assert (percent > NOVEL_ABOVE).mean() == pytest.approx(0.01, abs=0.008)
    assert np.median(percent) == pytest.approx(50, abs=5)


def test_another_kind_is_unfamiliar_whatever_its_length(familiar: NoveltyReference) -> None:
    strange = fan(50, 3)
    strange[:, :24] = np.roll(strange[:, :24], 7, axis=1)
    assert (familiar.percentile(strange) == 100).all()
    own = fan(50, 4)
    np.testing.assert_allclose(familiar.percentile(own), familiar.percentile(own * 40), atol=0.5)


def test_columns_that_were_not_trained_do_not_count(familiar: NoveltyReference) -> None:
    own = fan(50, 5)
    other = own.copy()
    other[:, 24:] = -other[:, 24:]
    np.testing.assert_array_equal(familiar.percentile(own), familiar.percentile(other))
    whole = taught(fan(3000, 0), fan(1000, 1))
    assert not np.array_equal(whole.percentile(own), whole.percentile(other))


def test_it_comes_back_from_its_file(familiar: NoveltyReference, tmp_path: Path) -> None:
    path = tmp_path / "familiar.npz"
    familiar.save(path)
    assert [child.name for child in tmp_path.iterdir()] == ["familiar.npz"]
    back = NoveltyReference.load(path)
    assert back.bank.dtype == np.float16
    assert back.bank.shape == (BANK_ROWS, 24)
    assert np.linalg.norm(back.bank.astype(float), axis=1) == pytest.approx(1, abs=2e-3)
    np.testing.assert_array_equal(back.percentile(fan(60, 6)), familiar.percentile(fan(60, 6)))
    np.testing.assert_array_equal(
        back.percentile(fan(60, 6), *stored(60, 7)), familiar.percentile(fan(60, 6), *stored(60, 7))
    )
    assert path.stat().st_size < 200_000


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
        lambda path: changed(path, columns=np.arange(4)),
        lambda path: changed(path, quantiles=-np.arange(9.0)),
        lambda path: changed(path, joint=np.full(9, np.nan)),
        lambda path: changed(path, light_quantiles=np.ones((2, 2))),
        lambda path: changed(path, bands=np.array(["B02"])),
        lambda path: changed(path, bands=np.array(["B02", "B99"])),
        lambda path: changed(path, light=np.full((50, 4), np.nan)),
        lambda path: changed(path, bank=np.full((50, 24), np.nan)),
        lambda path: changed(path, bank=np.array([{}], object)),
    ],
)
def test_a_damaged_file_is_one_sentence(familiar: NoveltyReference, tmp_path: Path, damage: object) -> None:
    path = tmp_path / "familiar.npz"
    familiar.save(path)
    damage(path)  # type: ignore[operator]
    with pytest.raises(EncoderError, match=r"familiar\.npz cannot be read or is damaged; get the model again\.$"):
        NoveltyReference.load(path)


def test_features_of_another_model_are_refused(familiar: NoveltyReference) -> None:
    with pytest.raises(EncoderError, match="column 23 is asked for"):
        familiar.percentile(np.ones((2, 8), np.float32))
    assert len(familiar.percentile(np.empty((0, 28), np.float32))) == 0


def test_what_is_too_little_is_refused(familiar: NoveltyReference, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there are 9 training patches and 1000 held-out ones"):
        taught(fan(9, 0), fan(1000, 1))
    with pytest.raises(SettingsError, match="give at least 10 and 100"):
        taught(fan(300, 0), fan(99, 1))
    with pytest.raises(SettingsError, match="choose columns that the features have"):
        taught(fan(300, 0), fan(300, 1), [0, 28])
    with pytest.raises(StoreError, match=r"^Writing “familiar\.npz”"):
        familiar.save(tmp_path / "none" / "familiar.npz")


def test_known_features_of_strange_band_statistics_are_novel(familiar: NoveltyReference) -> None:
    own, (mean, std) = fan(200, 8), stored(200, 9)
    assert (familiar.percentile(own, mean, std) > NOVEL_ABOVE).mean() < 0.05
    for strange_mean, strange_std in (
        (np.full_like(mean, 0.5), std),
        (np.full_like(mean, 0.002), np.full_like(std, 0.0)),
        (mean, np.full_like(std, 0.1)),
    ):
        assert (familiar.percentile(own, strange_mean, strange_std) > NOVEL_ABOVE).all()
    strange = np.roll(own, 7, axis=1)
    assert (familiar.percentile(strange, mean, std) == 100).all(), (
        "known band statistics make strange features no better"
    )


def test_one_in_a_hundred_is_unfamiliar_by_both_together(familiar: NoveltyReference) -> None:
    percent = familiar.percentile(fan(4000, 2), *stored(4000, 10))
    assert (percent > NOVEL_ABOVE).mean() == pytest.approx(0.01, abs=0.008)
    assert np.median(percent) == pytest.approx(50, abs=5)


def test_the_distance_in_band_statistics_can_be_checked_by_hand() -> None:
    bank = np.array([[0.01, 0.0], [0.09, 0.0]], np.float32)
    found = calibrate_novelty(
        fan(2, 0)[:, :2], fan(100, 1)[:, :2], statistics=(bank, np.repeat(bank, 50, axis=0)), bands=["B02"], k=1
    )
    asked = np.array([[0.01, 0], [0.04, 0], [0.25, 0]], np.float32)
    np.testing.assert_allclose(
        found.statistics_distance(asked), [0, 1, 2], atol=1e-3
    )  # Roots 0.1 and 0.3: deviation 0.1.
