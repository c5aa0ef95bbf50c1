"""Facts about bands that go wrong everywhere."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from core.bands import BAND_NAMES, BANDS, EUROSAT_ORDER, fill_source, normalised_difference
from core.config import settings
from core.errors import JobCancelledError, LandlikeError, SettingsError


def test_orders_hold_the_same_bands_but_not_in_the_same_order() -> None:
    assert sorted(BAND_NAMES) == sorted(EUROSAT_ORDER)
    assert BAND_NAMES[8] == "B8A"
    assert EUROSAT_ORDER[-1] == "B8A"
    assert [band.wavelength for band in BANDS] == sorted(band.wavelength for band in BANDS)


@pytest.mark.parametrize(
    ("band", "present", "expected"),
    [
        ("B04", ("B04", "B08"), "B04"),
        ("B10", BAND_NAMES[:10], None),
        ("B8A", ("B08", "B11"), "B08"),
        ("B12", ("B08", "B10", "B11"), "B11"),
        ("B09", ("B10", "B8A"), "B8A"),
        ("B01", ("B10",), None),
        ("B05", ("B04", "B06"), "B06"),
        ("B05", ("B04", "B07"), "B04"),
    ],
)
def test_missing_bands_take_the_nearest_but_cirrus_takes_nothing(
    band: str, present: tuple[str, ...], expected: str | None
) -> None:
    assert fill_source(band, present) == expected


def test_normalised_difference_of_nothing_is_zero() -> None:
    a, b = np.array([0.3, 0, 0.2], np.float32), np.array([0.1, 0, 0.2], np.float32)
    np.testing.assert_allclose(normalised_difference(a, b), [0.5, 0, 0], rtol=1e-6)


def test_errors_are_one_sentence_and_survive_a_process_border() -> None:
    error = JobCancelledError("Encoding the scene", "it was stopped", "start it again")
    copy = pickle.loads(pickle.dumps(error))
    assert isinstance(copy, LandlikeError)
    assert str(copy) == "Encoding the scene: it was stopped; start it again."


def test_the_operator_configures_by_the_environment() -> None:
    config = settings({"LANDLIKE_DATA": "/somewhere", "LANDLIKE_MODELS": "a;https://b:1/c", "LANDLIKE_PORT": "9"})
    assert str(config.model_cache) == "/somewhere/models"
    assert config.models == ("a", "https://b:1/c")
    assert config.port == 9
    assert settings({}).port == 8501


@pytest.mark.parametrize("port", ["abc", "-1", "65536", "8501.0"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(SettingsError, match=f"LANDLIKE_PORT is “{port}”, which is no port; give a whole number"):
        settings({"LANDLIKE_PORT": port})


def test_the_first_scene_is_the_real_one_unless_the_operator_says_otherwise() -> None:
    assert settings({}).first_scene == "sample"
    assert settings({"LANDLIKE_FIRST_SCENE": "synthetic"}).first_scene == "synthetic"
    with pytest.raises(SettingsError, match=r"LANDLIKE_FIRST_SCENE is “both”.+ give sample or synthetic"):
        settings({"LANDLIKE_FIRST_SCENE": "both"})


def test_the_path_of_a_part_of_a_site_has_one_form() -> None:
    for given, path in {"land": "/land", "/land/": "/land", "/a/b-1": "/a/b-1", "/": "", "": ""}.items():
        assert settings({"LANDLIKE_BASE_PATH": given}).base_path == path
    for wrong in ("https://a.example/land", "/a//b", "/a b", "/a?b", "/" + "a" * 60 + "!"):
        with pytest.raises(
            SettingsError, match=r"LANDLIKE_BASE_PATH is “.+”, which no address begins with; give a path"
        ):
            settings({"LANDLIKE_BASE_PATH": wrong})


def test_a_cluster_is_that_of_the_setting_else_of_dasks_own_configuration(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert settings(home).scheduler == ""
    files = tmp_path / ".config" / "dask"
    files.mkdir(parents=True)
    (files / "distributed.yaml").write_text("# scheduler-address: tcp://no:1\ndistributed: {}\n")
    assert settings(home).scheduler == ""
    (files / "ours.yaml").write_text("scheduler-address: 'tcp://file:8786'  # ours\n")
    assert settings(home).scheduler == "tcp://file:8786"
    named = home | {"DASK_SCHEDULER_ADDRESS": "tls://dask:8786"}
    assert settings(named).scheduler == "tls://dask:8786"
    assert settings(named | {"LANDLIKE_SCHEDULER": "tcp://[::1]:8786"}).scheduler == "tcp://[::1]:8786"
    assert settings(named | {"LANDLIKE_SCHEDULER": "local"}).scheduler == ""
    there = settings({"LANDLIKE_SCHEDULER": "tcp://a:1", "LANDLIKE_DATA": "data"})
    assert there.root == Path.cwd() / "data", "workers are started elsewhere"


@pytest.mark.parametrize("address", ["10.0.0.1:8786", "tcp://host", "tcp://host:port", "http//x:1", "tcp://a b:1"])
def test_an_address_of_a_scheduler_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match=r"the address of the Dask scheduler is “.+; give it in the form tcp:"):
        settings({"LANDLIKE_SCHEDULER": address})
