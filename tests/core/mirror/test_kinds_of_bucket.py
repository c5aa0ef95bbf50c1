"""What a working copy does with a bucket of S3 is done with one of Azure and of Google."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.config import Config
from core.errors import ChangedMeanwhileError, StoreError
from core.features.encode import encode_scene
from core.features.store import FeatureStore
from core.files import locked, write_atomically
from core.jobs.cluster.run import Run
from core.mirror.copy import WorkingCopy
from core.mirror.opening import close_data, open_data
from core.mirror.sweep import sweep_bucket
from core.scenes.cut import Cut
from core.scenes.labels import give_label, given_windows
from core.scenes.library import Library
from core.scenes.patches import patch_grid
from core.storage.base import Storage
from core.storage.bucket import Patience
from tests.core.mirror.test_shared_data import ENCODER, RECIPE
from tests.emulators import Emulator
from tests.fakes import place_scene

Computer = Callable[[str], WorkingCopy]


@pytest.fixture(params=["az", "gs"])
def secrets(request: pytest.FixtureRequest, emulator: Callable[[str], Emulator]) -> tuple[str, ...]:
    """What nobody may see of a kind of bucket; its server is up. Tests beside this one are of S3."""
    return emulator(request.param).secrets


@pytest.fixture
def address(request: pytest.FixtureRequest, secrets: tuple[str, ...], tmp_path: Path) -> str:
    assert secrets
    kind = request.node.callspec.params["secrets"]
    return f"{kind}://land/{tmp_path.name}/Äcker und Wälder"


@pytest.fixture
def computer(address: str, tmp_path: Path) -> Iterator[Computer]:
    """Opens the bucket as a computer of some name does."""
    configs: list[Config] = []

    def begin(name: str) -> WorkingCopy:
        configs.append(Config(root=tmp_path / name, model_cache=tmp_path, bucket=address))
        found = open_data(configs[-1])
        assert found is not None
        return found

    yield begin
    for config in configs:
        close_data(config)


def content(storage: Storage) -> list[bytes]:
    """Keys and contents of all objects."""
    found = [one.key for one in storage.list()]
    return [key.encode() for key in found] + [there.data for key in found if (there := storage.get(key)) is not None]


def test_two_computers_see_the_same_and_lose_nothing(
    computer: Computer, secrets: tuple[str, ...], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    here, there = computer("here"), computer("there")
    ours, theirs = Library(here.root), Library(there.root)
    scene, store = place_scene(here.root), FeatureStore(here.root)
    encode_scene(scene, ENCODER, RECIPE, store)
    alone = FeatureStore(tmp_path / "alone")
    encode_scene(place_scene(tmp_path / "alone"), ENCODER, RECIPE, alone)
    there.refresh()
    expected = alone.read(RECIPE).vectors.tobytes()
    (there.root / "features" / "snapshots" / RECIPE.key / "vector.npy").write_bytes(b"damaged")
    assert FeatureStore(there.root).read(RECIPE).vectors.tobytes() == expected, "of the tables in the bucket"
    grid = patch_grid(scene, Cut.of(32))
    give_label(ours.get(scene.id), grid, [0], "Water")
    give_label(theirs.get(scene.id), grid, [1], "Forest")
    here.refresh()
    assert sorted(given_windows(ours.get(scene.id))) == ["Forest", "Water"]
    assert theirs.get(scene.id).pixels_path.read_bytes() == scene.pixels_path.read_bytes()
    for copy in (here, there):
        (copy.root / "schemes").mkdir(exist_ok=True)
    write_atomically(here.root / "schemes" / "a.json", b"first")
    with pytest.raises(ChangedMeanwhileError):
        write_atomically(there.root / "schemes" / "a.json", b"mine")
    told: list[str] = []
    with locked(here.root / "work" / "a.lock"), pytest.raises(InterruptedError):
        locked_out(there.root / "work" / "a.lock", told)
    assert told == ["waiting for another server, which does the same"]
    ours.set_aside(scene.id)
    there.refresh()
    assert theirs.scenes() == []
    assert theirs.bring_back(scene.id)
    here.refresh()
    assert ours.get(scene.id).pixels_path.read_bytes() == theirs.get(scene.id).pixels_path.read_bytes()
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    kept += [*content(here.storage), repr((here.storage, here.title)).encode(), *map(str.encode, capfd.readouterr())]
    assert not [word for word in secrets if any(word.encode() in one for one in kept)]


def locked_out(path: Path, told: list[str]) -> None:
    """Wait for a lock until it is said that somebody has it."""

    def stop(words: str) -> None:
        told.append(words)
        raise InterruptedError

    with locked(path, waiting=stop):
        pass


def test_a_look_at_what_is_known_fetches_nothing(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = computer("here"), computer("there")
    place_scene(here.root)
    there.refresh()
    taken: list[str] = []
    for copy in (here, there):
        monkeypatch.setattr(copy, "_take", lambda _before, key: taken.append(key))
        copy.refresh()
    assert taken == [], "what lists say of an object is what was said when it was written or read"


def test_what_a_job_is_given_and_makes_travels(computer: Computer, address: str, tmp_path: Path) -> None:
    server, worker = computer("server"), computer("worker")
    ours, theirs = (Config(root=copy.root, model_cache=tmp_path, bucket=address) for copy in (server, worker))
    path = ours.root / "uploads" / "upload-1" / "Äcker #1 50%.tif"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"pixels")
    given = Run(ours, "some").give([str(path)])
    [taken] = Run(theirs, "some").take(given, "Opening it")
    assert (taken.read_bytes(), taken.name) == (b"pixels", path.name)
    made = theirs.root / "exports" / "a" / "table.csv"
    made.parent.mkdir(parents=True)
    made.write_bytes(b"1;2")
    places = Run(theirs, "some").send_back([made])
    Run(ours, "some").fetch_back(places)
    assert (ours.root / "exports" / "a" / "table.csv").read_bytes() == b"1;2"
    Run(ours, "some").forget()
    assert list(server.storage.list("runs")) == []


def test_what_the_killed_left_goes_by_the_clock_of_the_bucket(computer: Computer) -> None:
    here = computer("here")
    here.storage.put("files/scenes/half/pixels.tif", b"half")
    here.storage.put("leases/work/old.lock", b"{}")
    sweep_bucket(here)
    assert len(list(here.storage.list("leases"))) == 1, "it is new"
    sweep_bucket(here, seconds=-60)
    assert [one.key for name in ("leases", "files/scenes") for one in here.storage.list(name)] == []


@pytest.mark.parametrize(
    ("scheme", "changed", "gone", "told"),
    [
        (
            "az",
            {"AZURE_STORAGE_ACCOUNT_KEY": "d3Jvbmc="},
            "",
            "the bucket refuses it; give these credentials the",
        ),
        (
            "az",
            {"AZURE_STORAGE_ACCOUNT_KEY": "nonsense!"},
            "",
            "credentials cannot be read; check AZURE_STORAGE_ACC",
        ),
        (
            "az",
            {},
            "AZURE_STORAGE_ACCOUNT_KEY",
            "holds no credentials for it; set AZURE_STORAGE_ACC",
        ),
        ("gs", {"GOOGLE_SERVICE_ACCOUNT": "/no/file"}, "", "cannot be read; check GOOGLE_APPLICATION_CREDENTIALS, the"),
        (
            "gs",
            {},
            "GOOGLE_SERVICE_ACCOUNT",
            "holds no credentials for it; set GOOGLE_APPLICATION",
        ),
    ],
)
def test_wrong_settings_of_other_kinds_are_one_sentence(
    emulator: Callable[[str], Emulator], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    scheme: str, changed: dict[str, str], gone: str, told: str,
) -> None:  # fmt: skip
    found = emulator(scheme)
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv(gone or "none", raising=False)
    with pytest.raises(StoreError, match=re.escape(told)) as error:
        open_data(Config(root=tmp_path, model_cache=tmp_path, bucket=f"{scheme}://land/a"), Patience(seconds=1))
    assert not [word for word in (*found.secrets, *changed.values()) if word in str(error.value)]


@pytest.mark.parametrize("scheme", ["az", "gs"])
def test_a_bucket_that_is_not_there_is_one_sentence(
    emulator: Callable[[str], Emulator], tmp_path: Path, scheme: str
) -> None:  # fmt: skip
    assert emulator(scheme)
    with pytest.raises(StoreError, match="there is no such bucket; check its name, or make it first"):
        open_data(Config(root=tmp_path, model_cache=tmp_path, bucket=f"{scheme}://other/a"))
