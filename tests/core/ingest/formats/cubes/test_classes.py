"""Legends of scene classifications: numbers mean what the file says, and not what Sen2Cor means by them."""

from __future__ import annotations

import numpy as np
import pytest

from core.ingest.formats.cubes.classes import codes_by_meaning

SEN2COR = "no_data saturated dark_area cloud_shadow vegetation soil water unclassified medium high cirrus snow"


@pytest.mark.parametrize(
    ("meanings", "values", "codes"),
    [
        (SEN2COR, list(range(12)), None),
        ("nodata clear cloud cloud_shadow snow water", [0, 1, 2, 3, 4, 5], {0: 0, 1: 7, 2: 9, 3: 3, 4: 11, 5: 6}),
        ("fill, water, vegetation", [255, 1, 2], {255: 0, 1: 6, 2: 4}),
        ("forest meadow field", [1, 2, 3], None),
        ("water vegetation", [1, 2, 3], None),
    ],
)
def test_codes(meanings: str, values: list[int], codes: dict[int, int] | None) -> None:
    stated = {"flag_meanings": meanings, "flag_values": np.array(values, np.uint8)}
    assert codes_by_meaning(stated) == codes
