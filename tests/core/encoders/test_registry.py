"""Names, paths, handles: what each leads to, and what is said when it leads nowhere."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.config import Config, settings
from core.encoders.cache import handle_directory
from core.encoders.openvino import has_bf16
from core.encoders.registry import (
    ENTRIES,
    EUROSAT_HANDLE,
    FORMER,
    SHIPPED,
    default_encoder,
    describe,
    encoder_names,
    fetch,
    list_encoders,
    load_encoder,
    short_name,
)
from core.errors import EncoderError, EncoderUnavailableError

Model = Callable[[str], Path]
EUROSAT = "eurosat-ms-resnet50"


@pytest.fixture(autouse=True)
def own_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another user's or session's TF-Hub cache must not change what tests see."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_ours_comes_first_and_spectral_last(config: Config, tmp_path: Path) -> None:
    extra = (str(tmp_path / "mine.tar.gz"), "https://hub.example/a/other/3", str(tmp_path / "b" / "other"))
    config = Config(root=config.root, model_cache=config.model_cache, models=extra)
    assert encoder_names(config) == [SHIPPED, FORMER, EUROSAT, "mine", "other", extra[2], "spectral"]
    listed = list_encoders(config)
    assert [one.name for one in listed] == encoder_names(config)
    assert [one.available for one in listed] == [True, True, False, False, False, False, True]
    assert [one.fetchable for one in listed] == [False, False, True, False, True, False, False]
    assert all((one.spec is None) == (one.why_not is not None) for one in listed)


FINGERPRINTS = {
    ("landlike-1", "openvino-f32"): "e262d83ced284785aa594fbc8c3f6ed98f7742dd4f09cbebbd28273ad8ffb648",
    ("landlike-1", "tensorflow"): "e262d83ced284785aa594fbc8c3f6ed98f7742dd4f09cbebbd28273ad8ffb648",
    ("spectral", "numpy"): "bcf26e2f17860f6ed26c750cdefd2c9a570411122d86d8752a06ab4e209885b8",
}


@pytest.mark.parametrize(("name", "backend"), FINGERPRINTS)
def test_features_made_by_earlier_versions_are_known_again(name: str, backend: str, config: Config) -> None:
    assert describe(name, config, backend).fingerprint == FINGERPRINTS[name, backend]


def test_a_readme_does_not_count_for_models_of_ours_and_does_for_others(
    tiny: Path, config: Config, tmp_path: Path
) -> None:
    ours = Path(shutil.copytree(ENTRIES[FORMER].reference, tmp_path / "ours"))
    before = [describe(str(path), config, "openvino-f32").fingerprint for path in (ours, tiny)]
    for path in (ours, tiny):
        (path / "README.md").write_text("Other words.")
    after = [describe(str(path), config, "openvino-f32").fingerprint for path in (ours, tiny)]
    assert before[0] == after[0] == FINGERPRINTS[FORMER, "openvino-f32"]
    assert before[1] != after[1], "as in the version before"


def test_landlike_1_in_bf16_is_known_again_too(config: Config) -> None:
    if not has_bf16():
        pytest.skip("this processor does not compute in bfloat16")
    bf16 = "4028fa2d5252d98d25d604bc5ad6e4726bb30a4e87b722d650f9c81c78e74400"
    assert describe(FORMER, config, "openvino").fingerprint == bf16


def test_default_needs_no_files(config: Config) -> None:
    assert describe(default_encoder(), config).name == SHIPPED
    fetch(default_encoder(), config)
    fetch("spectral", config)


def test_models_trained_here_are_on_offer_and_half_written_ones_are_not(config: Config, tmp_path: Path) -> None:
    for name in ("meadows", ".meadows.part", "alps.training"):
        (tmp_path / "trained" / name).mkdir(parents=True)
    shutil.copytree(ENTRIES[SHIPPED].reference, tmp_path / "trained" / "meadows", dirs_exist_ok=True)
    (tmp_path / "trained" / ".meadows.part" / "saved_model.pb").touch()
    config = Config(root=tmp_path, model_cache=config.model_cache)
    assert encoder_names(config) == [SHIPPED, FORMER, EUROSAT, "meadows", "spectral"]
    assert describe("meadows", config).dimension == describe(SHIPPED, config).dimension


def test_damage_to_a_model_trained_here_is_told_apart_from_missing_files(config: Config, tmp_path: Path) -> None:
    shutil.copytree(ENTRIES[SHIPPED].reference, tmp_path / "trained" / "second")
    (tmp_path / "trained" / "second" / "saved_model.pb").write_bytes(b"nothing")
    config = Config(root=tmp_path, model_cache=config.model_cache)
    listing = {one.name: one for one in list_encoders(config)}["second"]
    assert (listing.available, listing.unfit, listing.fetchable) == (False, True, False)
    assert listing.title == "Landlike 2"
    assert (listing.why_not or "").startswith("Opening the model “Landlike 2”: saved_model.pb is damaged")
    assert (listing.why_not or "").endswith("; delete it and train it again.")
    (tmp_path / "trained" / "second" / "card.json").write_bytes(b"\xff{")
    assert {one.name: one for one in list_encoders(config)}["second"].title == "Landlike 2", "its sidecar says so too"
    (tmp_path / "trained" / "second" / "landlike.json").write_text("[]")
    assert {one.name: one for one in list_encoders(config)}["second"].title == "second"
    missing = {one.name: one for one in list_encoders(config)}[EUROSAT]
    assert (missing.unfit, missing.fetchable) == (False, True)


def test_missing_eurosat_module_says_how_to_get_it(config: Config) -> None:
    by_hand = f"{config.model_cache / hashlib.sha1(EUROSAT_HANDLE.encode()).hexdigest()}.tar.gz"
    for action in (describe, load_encoder):
        with pytest.raises(EncoderUnavailableError) as caught:
            action(EUROSAT, config)
        assert f"{EUROSAT_HANDLE}?tf-hub-format=compressed" in caught.value.remedy
        assert by_hand in caught.value.remedy


@pytest.mark.parametrize("asked", ["nothing-like-it", "", "no/such/model", "ftp://hub.example/m/1"])
def test_unknown_names_list_the_valid_ones(asked: str, config: Config) -> None:
    with pytest.raises(EncoderError, match=f"one of {SHIPPED}, {FORMER}, {EUROSAT}, spectral, or give the path"):
        describe(asked, config)


def test_tensorflow_hubs_own_cache_is_shared(model: Model, config: Config) -> None:
    shutil.copytree(model("tiny"), handle_directory(config.model_cache, EUROSAT_HANDLE))
    spec = describe(EUROSAT, config)
    assert (spec.name, spec.origin, spec.dimension) == (EUROSAT, EUROSAT_HANDLE, 32)
    assert describe(EUROSAT_HANDLE, config) == spec
    assert spec.fingerprint == describe(str(model("tiny")), config).fingerprint


def test_default_cache_counts_only_when_it_is_the_users_own(
    model: Model, config: Config, own_temporary_directory: Path
) -> None:
    cache = own_temporary_directory / "tfhub_modules"
    cache.mkdir(mode=0o755)
    shutil.copytree(model("tiny"), handle_directory(cache, EUROSAT_HANDLE))
    assert describe(EUROSAT, config).dimension == 32
    cache.chmod(0o777)
    with pytest.raises(EncoderUnavailableError):
        describe(EUROSAT, config)


def test_archive_put_in_the_cache_by_hand(archive: Path, config: Config) -> None:
    config.model_cache.mkdir()
    by_hand = handle_directory(config.model_cache, EUROSAT_HANDLE).name + ".tar.gz"
    shutil.copy(archive, config.model_cache / by_hand)
    assert describe(EUROSAT, config).dimension == 32


def test_archive_by_path_is_unpacked_once_and_equals_the_directory(tiny: Path, archive: Path, config: Config) -> None:
    spec = describe(str(archive), config)
    assert (spec.name, spec.origin) == ("tiny", "model file tiny.tar.gz")
    assert spec.fingerprint == describe(str(tiny), config).fingerprint
    unpacked = sorted(config.model_cache.glob("archive-*"))
    before = [path.stat().st_mtime_ns for path in unpacked]
    load_encoder(str(archive), config)
    assert [path.stat().st_mtime_ns for path in sorted(config.model_cache.glob("archive-*"))] == before
    assert len(before) == 1


def test_no_local_folder_reaches_the_specification(tiny: Path, config: Config, tmp_path: Path) -> None:
    assert str(tmp_path) not in describe(str(tiny), config).to_json()


def test_files_that_are_no_models(tmp_path: Path, config: Config) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no model")
    with pytest.raises(EncoderError, match=r"neither a directory nor a .tar.gz"):
        describe(str(path), config)
    with pytest.raises(EncoderUnavailableError, match=r"no saved_model.pb"):
        describe(str(tmp_path), config)


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        (EUROSAT_HANDLE, EUROSAT),
        ("https://hub.example/m/2?x=a/b", "m"),
        ("/models/mine.tar.gz", "mine"),
        ("models/mine/", "mine"),
        ("C:\\models\\mine.tgz", "mine"),
        ("/", "model"),
        ("12", "12"),
    ],
)
def test_short_names(reference: str, name: str) -> None:
    assert short_name(reference) == name


def test_configuration_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANDLIKE_FIRST_SCENE")
    monkeypatch.setenv("LANDLIKE_DATA", str(tmp_path))
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "hub"))
    monkeypatch.setenv("LANDLIKE_MODELS", "a/one;https://hub.example/two/1")
    assert settings() == Config(
        root=tmp_path, model_cache=tmp_path / "hub", models=("a/one", "https://hub.example/two/1")
    )
    assert encoder_names(settings()) == [SHIPPED, FORMER, EUROSAT, "one", "two", "spectral"]
