"""Opening a bucket: one sentence where it cannot be used, and looking at what others wrote while it can."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette

from core.__main__ import main
from core.config import Config, settings, working_copy
from core.engine.operations import Engine
from core.errors import SettingsError, StoreError
from core.files import mirror_of
from core.mirror.opening import Refresher, close_data, open_data
from core.scenes.library import Library
from core.storage.bucket import Patience
from pages.ui.http.pictures import PICTURE_ROUTES
from pages.ui.state.engine import replace_engine
from tests.asgi import ask
from tests.buckets import KEY_ID, SECRET, Asked, Bucket, Fault
from tests.core.mirror.conftest import ADDRESS, CopyAt, config_of
from tests.fakes import place_scene
from tests.waiting import until

SHORT = Patience(seconds=0.3, longest=0.2, request=1.0)


def test_an_address_is_a_bucket_with_a_working_copy_of_its_own(tmp_path: Path) -> None:
    env = {"LANDLIKE_CACHE": str(tmp_path)}
    one, two = (settings({**env, "LANDLIKE_DATA": text}) for text in ("s3://land/a//b/", "s3://land/a/c"))
    assert (one.bucket, two.bucket) == ("s3://land/a/b", "s3://land/a/c")
    assert one.root == working_copy("s3://land/a/b", env) != two.root
    assert one.root.parent == one.model_cache.parents[1] == tmp_path
    assert settings({**env, "LANDLIKE_DATA": str(tmp_path)}).bucket == ""
    assert settings({**env, "LANDLIKE_DATA": "gs://land/Äcker und Wälder/"}).bucket == "gs://land/Äcker und Wälder"
    for text in ("az://land/a%20b", "s3://land/a/../b", "s3://land/a\\b", "s3://land/a\tb"):
        with pytest.raises(SettingsError, match="the prefix of LANDLIKE_DATA has a %, "):
            settings({"LANDLIKE_DATA": text})
    for text in ("https://land.example/a", "s3://", f"s3://{KEY_ID}:{SECRET}@land/a", f"s3://land/a?word={SECRET}"):
        with pytest.raises(SettingsError, match="LANDLIKE_DATA is an address, and not of a bucket with a pre") as error:
            settings({"LANDLIKE_DATA": text})
        assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("method", "fault", "found"),
    [
        ("", Fault(status=403, body="<Error><Code>AccessDenied</Code></Error>"), "the bucket refuses it; give"),
        ("PUT", Fault(status=403, body="<Error><Code>AccessDenied</Code></Error>"), "the bucket refuses it; give"),
        ("", Fault(status=404, body="<Error><Code>NoSuchBucket</Code></Error>"), "there is no such bucket; check its"),
        ("PUT", Fault(status=501, body="<Error><Code>NotImplemented</Code></Error>"), "the bucket lacks what is asked"),
        ("PUT", Fault(after=True), "the bucket ignores conditions of writes; use one that has conditional writes"),
        ("", Fault(status=503, headers={"Retry-After": "9"}), "the bucket is too busy (it answers 503); start"),
    ],
)  # fmt: skip
def test_a_bucket_that_cannot_be_used_is_one_sentence(
    bucket: Bucket, tmp_path: Path, method: str, fault: Fault, found: str
) -> None:
    def choose(asked: Asked) -> Fault | None:
        wanted = not method or asked.method == method
        return fault if wanted else None

    with bucket.faulty(choose), pytest.raises(StoreError) as error:
        open_data(config_of(tmp_path), SHORT)
    assert found in str(error.value)
    assert str(error.value).count(". ") == 0
    assert not [word for word in (KEY_ID, SECRET) if word in str(error.value)]
    assert mirror_of(tmp_path / "scenes" / "a") is None, "what is written here would be nowhere else"


def test_a_bucket_that_would_lose_what_others_wrote_is_refused(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "keeps_matches", False)
    with pytest.raises(StoreError, match="the bucket ignores conditions of writes; use one that has conditional writ"):
        open_data(config_of(tmp_path), SHORT)


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["encoders"]])
def test_commands_end_with_that_sentence(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    command: list[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("LANDLIKE_CACHE", str(tmp_path))
    monkeypatch.setenv("LANDLIKE_DATA", "s3://elsewhere/data")
    assert main(command) == 1
    assert capsys.readouterr().err == (
        "Reading s3://elsewhere/data/landlike.json: there is no such bucket; check its name, or make it first.\n"
    )
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("LANDLIKE_DATA", ADDRESS)
    assert main(command) == 1
    said = capsys.readouterr().err
    assert "the environment holds no credentials for it; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY." in said


def test_data_of_another_version_are_left_alone(bucket: Bucket, tmp_path: Path) -> None:
    bucket.objects["some/data/landlike.json"] = b'{"landlike": "data", "version": 99}'
    with pytest.raises(StoreError, match="it holds data of another version of Landlike; use that version, or another"):
        open_data(config_of(tmp_path), SHORT)
    assert list(bucket.objects) == ["some/data/landlike.json"]


def test_what_keeps_it_from_looking_is_said_until_it_is_over(copy_at: CopyAt, bucket: Bucket) -> None:
    here, there = copy_at("here"), copy_at("there")
    scene = place_scene(here.root)
    refresher = Refresher(there, seconds=0.02)
    with bucket.faulty(lambda asked: Fault(status=403) if asked.query.get("list-type") else None):
        refresher.start()
        until(lambda: "the bucket refuses it" in refresher.trouble)
        assert scene.id not in Library(there.root)
    until(lambda: not refresher.trouble)
    assert scene.id in Library(there.root)
    refresher.close()


def test_the_app_shows_what_lies_in_a_bucket_and_tells_no_credential(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    config = Config(root=tmp_path / "other", model_cache=tmp_path, bucket=ADDRESS)
    open_data(config)
    place_scene(config.root)
    monkeypatch.setenv("LANDLIKE_CACHE", str(tmp_path / "copies"))
    monkeypatch.setenv("LANDLIKE_DATA", ADDRESS)
    copy = tmp_path / "copies" / working_copy(ADDRESS).name
    engine = Engine(settings(), lanes={})
    replace_engine(engine)
    try:
        engine.start()
        answer = ask(Starlette(routes=PICTURE_ROUTES), "/quicklook/place-1/true.webp?side=64")
        assert (answer.status, answer.body[:4]) == (200, b"RIFF"), "of a scene that another server took in"
    finally:
        replace_engine(None)
        close_data(config)
    assert (copy / "scenes" / "place-1" / "pixels.tif").is_file(), "its pixels came when they were shown"
    said = [text.encode() for text in capfd.readouterr()]
    kept = [path.read_bytes() for path in copy.rglob("*") if path.is_file()]
    for word in (SECRET, KEY_ID):
        assert not any(word.encode() in content for content in (*said, *kept))
