"""Commands take a part of a scene: columns first in pixels, or in degrees."""

from __future__ import annotations

import argparse

import pytest

from core.cli.options import add_overrides
from core.cli.options import overrides_of as overrides
from core.ingest.settings import IngestSettings


def settings(*words: str) -> IngestSettings:
    parser = argparse.ArgumentParser()
    add_overrides(parser)
    return overrides(parser.parse_args(words))


def test_a_part_in_pixels_or_degrees_and_a_tile() -> None:
    assert settings("--window", "20,10,40,30") == IngestSettings(window=(10, 20, 30, 40))
    assert settings("--bbox=-76.1,37,-75.9,37.5") == IngestSettings(bounds=(-76.1, 37, -75.9, 37.5))
    assert settings("--tile", "32TPS") == IngestSettings(tile="32TPS")
    assert settings() == IngestSettings()


@pytest.mark.parametrize("words", [("--window", "1,2,3"), ("--window", "a,b,c,d"), ("--bbox", "1,2,3")])
def test_a_part_that_is_none(words: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        settings(*words)
    assert words[0] in capsys.readouterr().err
