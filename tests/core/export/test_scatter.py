"""Dots on pictures: the plot on paper, and a collection on its ground."""

from __future__ import annotations

import numpy as np
import pytest

from core.export.scatter import mapped, plotted
from core.imagery.ground.drawing import SHADES

RED, BLUE = [200, 0, 0], [0, 0, 200]


def test_points_lie_as_in_the_plot_and_the_first_is_ringed_most() -> None:
    points = np.array([[0, 0], [10, 0], [0, 5]], np.float32)
    picture = plotted(points, np.array([RED, BLUE, BLUE], np.uint8), ringed=np.array([1]), side=400)
    pixels = np.asarray(picture, int)
    (rows, cols) = np.nonzero(np.abs(pixels - RED).sum(axis=2) < 30)
    assert cols.mean() == pytest.approx(48, abs=1)
    assert picture.size == (400, 248)
    assert rows.mean() == pytest.approx(248 - 48, abs=1.5), "y grows upward, and both axes have one scale"
    ring = np.nonzero(np.abs(pixels - [209, 25, 111]).sum(axis=2) < 40)
    assert ring[1].mean() == pytest.approx(352, abs=2)


def test_a_plot_of_one_point_is_drawn_too() -> None:
    picture = plotted(np.zeros((1, 2), np.float32), np.array([RED], np.uint8), ringed=np.array([], np.int64), side=300)
    assert picture.getpixel((picture.width // 2, picture.height // 2)) == tuple(RED)


def test_a_collection_lies_on_its_ground() -> None:
    """Dots in Munich and Rome, with the sea between Italy and Corsica."""
    bounds = (11.58, 41.9, 12.5, 48.14)
    picture, metres = mapped(bounds, np.array([[11.58, 48.14], [12.5, 41.9]]), np.array([RED, BLUE], np.uint8))
    pixels = np.asarray(picture, int)
    assert metres is not None
    red, blue = (np.argwhere(np.abs(pixels - colour).sum(axis=2) < 30).mean(axis=0) for colour in (RED, BLUE))
    assert blue[0] - red[0] == pytest.approx(697_000 / metres, rel=0.04)
    assert (np.abs(pixels - SHADES["light"].sea).sum(axis=2) < 6).any()


def test_across_the_antimeridian_and_of_the_whole_world() -> None:
    across, metres = mapped((179.0, -18.0, 181.0, -16.0), np.array([[-179.5, -17.0]]), np.array([RED], np.uint8))
    assert metres is not None
    spot = np.argwhere(np.abs(np.asarray(across, int) - RED).sum(axis=2) < 30).mean(axis=0)
    assert spot[1] > across.width / 2
    world, none = mapped((-170.0, -60.0, 170.0, 70.0), np.array([[0.0, 0.0]]), np.array([RED], np.uint8))
    assert none is None
    assert world.width >= world.height
