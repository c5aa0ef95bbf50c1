"""The palette can be told apart by everybody, and every name gets a colour."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from core.bands import EUROSAT_CLASSES
from core.imagery.ramps import oklab
from core.values.base import ScaleValue
from core.values.palette import (
    BARE_COLOUR,
    CLASS_COLOURS,
    FURTHER_COLOURS,
    SNOW_COLOUR,
    UNKNOWN_COLOUR,
    class_colours,
    cluster_colours,
    colours_by_kind,
)
from core.values.registry import VALUES
from pages.ui.common.theme import ACCENT, class_title

SCALES = [value for value in VALUES.values() if isinstance(value, ScaleValue)]

# Machado, Oliveira and Fernandes (2009), severity 1.0, in linear RGB.
VISION = {
    "full": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def seen(colours: list[str], vision: str) -> np.ndarray:
    code = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in colours]) / 255
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    altered = np.clip(linear @ VISION[vision].T, 0, 1)
    return oklab(255 * np.where(altered <= 0.0031308, altered * 12.92, 1.055 * altered ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("vision", VISION)
def test_any_two_classes_differ_for_every_kind_of_colour_vision(vision: str) -> None:
    names = list(CLASS_COLOURS)
    lab = seen(list(CLASS_COLOURS.values()), vision)
    for one, other in combinations(range(len(names)), 2):
        assert np.linalg.norm(lab[one] - lab[other]) > 0.085, f"{names[one]} and {names[other]}"


@pytest.mark.parametrize("vision", VISION)
def test_colours_of_further_classes_differ_from_all_others(vision: str) -> None:
    every = [*FURTHER_COLOURS, *CLASS_COLOURS.values(), ACCENT, UNKNOWN_COLOUR]
    lab = seen(every, vision)
    for one, other in combinations(range(len(every)), 2):
        if one < len(FURTHER_COLOURS):
            assert np.linalg.norm(lab[one] - lab[other]) > 0.065, f"{every[one]} and {every[other]}"
    named = [*CLASS_COLOURS, *(f"class {number}" for number in range(len(FURTHER_COLOURS)))]
    assert len(set(class_colours(named))) == len(named)


def test_the_palette_is_that_of_eurosat_and_the_accent_is_nobody_else() -> None:
    assert tuple(CLASS_COLOURS) == EUROSAT_CLASSES
    lab = seen([ACCENT, *CLASS_COLOURS.values()], "full")
    assert np.linalg.norm(lab[1:] - lab[0], axis=1).min() > 0.1


def test_unknown_classes_get_colours_that_known_ones_do_not_use() -> None:
    colours = class_colours(["Forest", "Vineyard", "River", "Olive grove"])
    assert colours[0] == CLASS_COLOURS["Forest"]
    assert colours[2] == CLASS_COLOURS["River"]
    assert len(set(colours)) == 4


def test_names_that_tell_land_have_its_colours() -> None:
    cover = "Tree cover,Grassland,Cropland,Built-up,Bare soil,Snow and ice,Permanent water bodies,Herbaceous wetland"
    colours = class_colours(cover.split(","))
    assert len(set(colours)) == 8
    known = [CLASS_COLOURS[name] for name in ("Forest", "Pasture", "AnnualCrop", "Residential")]
    assert colours[:4] == known
    assert colours[4:6] == [BARE_COLOUR, SNOW_COLOUR]
    assert colours[6] == CLASS_COLOURS["SeaLake"]
    assert class_colours(["Acker", "Wasser"])[1] == CLASS_COLOURS["SeaLake"]
    assert class_colours(["class 1", "Water"])[1] == class_colours(["Wald", "openWater"])[1] == CLASS_COLOURS["SeaLake"]
    assert class_colours(["Non-forest", "Forest stand"])[1] == CLASS_COLOURS["Forest"]
    beside = class_colours(["Water", "Lake", "Land"], ["", "", "#165dc4"])
    assert beside[2] == "#165dc4"
    assert len({colour.upper() for colour in beside}) == 3, "what a map gives one class no other has"


def test_many_classes_still_get_a_colour_each() -> None:
    assert len(set(class_colours([f"class {index}" for index in range(40)]))) == 40
    assert len(set(cluster_colours(10))) == 10


@pytest.mark.parametrize(
    ("name", "title"),
    [("AnnualCrop", "Annual crop"), ("SeaLake", "Sea or lake"), ("Forest", "Forest"), ("my class", "my class"),
     ("<b>X</b>", "<b>X</b>"), ("HerbaceousVegetation", "Herbaceous vegetation")],
)  # fmt: skip
def test_class_titles_read_as_words(name: str, title: str) -> None:
    assert class_title(name) == title


@pytest.mark.parametrize("value", SCALES, ids=lambda value: value.name)
def test_colour_bars_run_from_end_to_end(value: ScaleValue) -> None:
    scale = value.scale
    colours = scale.colours(5)
    assert len(set(colours)) == 5
    assert colours[0] == scale.ramp.stops[0][1]
    assert colours[-1] == scale.ramp.stops[-1][1]
    assert scale.ramp.low < scale.ramp.high


def test_clusters_have_colours_of_their_own_that_suit_their_land() -> None:
    kinds = ["open water", "mixed land", "forest", "open water", "mixed water and land", "open water", "open water"]
    colours = colours_by_kind([*kinds, *["bare soil"] * 40])
    assert len(set(colours)) == len(colours)
    assert colours[0] == CLASS_COLOURS["SeaLake"]
    assert colours[2] == CLASS_COLOURS["Forest"]
    assert colours[1] not in {CLASS_COLOURS["SeaLake"], CLASS_COLOURS["River"]}, "it is no water"
    assert colours_by_kind([*kinds, *["bare soil"] * 40]) == colours
    assert len(set(cluster_colours(100))) == 100
