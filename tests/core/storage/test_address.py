"""Which storage an address means; no more of it is shown than may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import StoreError
from core.storage.address import open_storage, shown_address
from core.storage.folder import FolderStorage


def test_an_address_is_a_folder_or_a_bucket(tmp_path: Path) -> None:
    assert isinstance(open_storage(str(tmp_path)), FolderStorage)
    assert open_storage("s3://land/a//b/").title == "s3://land/a/b"
    assert open_storage("GS://land").title == "gs://land"
    assert open_storage("s3://land/Äcker und Wälder/.x").title == "s3://land/Äcker und Wälder/.x"


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("s3://someone:word@land/a", "it holds more than a bucket and a prefix"),
        ("s3://land/a?X-Amz-Signature=word", "it holds more than a bucket and a prefix"),
        ("s3:///a", "it names no bucket"),
        ("https://someone:word@land.example/a?sig=word", "https:// is no storage that can be written"),
        ("s3://land/50%20a", "its prefix has a %, "),
        ("s3://land/a/../b", "a part that is . or .."),
        ("s3://land/a\\b", "its prefix has a %, a "),
        ("az://land/a", "the environment does not say which account"),
    ],
)
def test_what_is_no_storage_is_told_without_secrets(address: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(StoreError, match=found) as error:
        open_storage(address)
    assert "word" not in str(error.value)


def test_an_address_is_shown_without_user_and_signature() -> None:
    assert shown_address("https://a:b@land.example:81/c/d.tif?sig=e#f") == "https://land.example:81/c/d.tif"
    assert shown_address("/a/b?c.tif") == "/a/b?c.tif"
