"""Hectares of patches: of the ellipsoid, and each piece of land once."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import CRS, Transformer

from core.classification.areas.class_map import read_classified
from core.classification.areas.ground import areas_of, counted_ground, counted_words
from core.errors import ClassificationError
from core.export.geometry import polygons
from core.scenes.outline_areas import hectares_together, patch_hectares
from tests.core.classification.areas.patches import squares, write_classified


def zone_hectares(south: float, north: float, degrees: float) -> float:
    """Land of the WGS 84 ellipsoid between two parallels, by the closed form of its authalic area."""
    e = math.sqrt(0.0066943799901413165)
    b2 = 6_356_752.314245179**2

    def q(latitude: float) -> float:
        s = math.sin(math.radians(latitude))
        return s / (1 - (e * s) ** 2) + math.log((1 + e * s) / (1 - e * s)) / (2 * e)

    return b2 / 2 * math.radians(degrees) * (q(north) - q(south)) / 10_000


def test_patches_of_a_projection_have_their_area_on_the_ground() -> None:
    found = patch_hectares(squares(3, 2))
    np.testing.assert_allclose(found, 40.96 / 0.9996**2, rtol=1e-5)  # the scale on the central meridian of UTM


def test_patches_in_degrees_have_their_area_on_the_ground() -> None:
    shapes = squares(4, 1, side=0.5, step=0.5, crs="EPSG:4326")
    np.testing.assert_allclose(patch_hectares(shapes), zone_hectares(59.5, 60, 0.5), rtol=1e-6)


def test_maps_that_stretch_do_not_count_double() -> None:
    shapes = squares(2, 2, side=1000, step=1000, crs="EPSG:3857")
    latitude = math.radians(shapely.centroid(shapes[0]).y)
    assert patch_hectares(shapes)[0] == pytest.approx(100 * math.cos(latitude) ** 2, rel=0.01)
    assert patch_hectares(shapes)[0] < 70


@pytest.mark.parametrize("step", [320, 480, 200])
def test_land_that_patches_share_counts_once(step: int) -> None:
    found = patch_hectares(squares(5, 4, step=step))
    whole = (4 * step + 640) * (3 * step + 640) / 10_000 / 0.9996**2
    assert found.sum() == pytest.approx(whole, rel=1e-5)
    inside = np.array([6, 7, 8, 11, 12, 13])
    np.testing.assert_allclose(found[inside], step**2 / 10_000 / 0.9996**2, rtol=1e-3)
    assert found[0] == pytest.approx(((step + 640) / 2) ** 2 / 10_000 / 0.9996**2, rel=1e-3)


def test_patches_on_one_another_share_their_land() -> None:
    shapes = np.concatenate([squares(1, 1), squares(1, 1)])
    np.testing.assert_allclose(patch_hectares(shapes), 40.96 / 2 / 0.9996**2, rtol=1e-5)
    more = np.concatenate([squares(2, 1), squares(2, 1)])
    np.testing.assert_allclose(patch_hectares(more), 40.96 / 2 / 0.9996**2, rtol=1e-5)


def test_of_an_outline_that_crosses_itself_both_lobes_count_and_it_is_said() -> None:
    whole = squares(2, 1)
    corners = shapely.get_coordinates(whole[0])
    crossed = np.array([shapely.Polygon(corners[[0, 1, 3, 2]]), whole[1]], dtype=object)
    found = patch_hectares(crossed)
    np.testing.assert_allclose(found, patch_hectares(whole) * [0.5, 1], rtol=1e-4)
    assert hectares_together(crossed) == pytest.approx(found.sum(), rel=1e-6)
    assert counted_ground(crossed, np.ones(2)).startswith("Outlines that cross themselves")
    assert counted_ground(crossed, np.ones(2)).endswith(": 1.")
    assert counted_ground(whole, np.ones(2)) == ""


def test_the_antimeridian_parts_no_area() -> None:
    corners = np.array([[[lon, 1], [lon + 0.2, 1], [lon + 0.2, 0.8], [lon, 0.8]] for lon in (179.7, 179.8, 179.9)])
    found = patch_hectares(polygons(corners))
    assert found.sum() == pytest.approx(zone_hectares(0.8, 1, 0.4), rel=1e-6)
    np.testing.assert_allclose(found, np.array([0.15, 0.1, 0.15]) / 0.4 * found.sum(), rtol=1e-5)


def test_areas_of_classes_have_hectares_and_patches(tmp_path: Path) -> None:
    path = write_classified(
        tmp_path / "c.parquet", ["b", "a", None, "b"], shapes=squares(2, 2), abstained=[False, False, True, False]
    )
    found = areas_of(read_classified(path))
    assert [(one.name, one.units) for one in found] == [("a", 1), ("b", 2), ("abstained", 1)]
    assert found[1].hectares == pytest.approx(2 * found[0].hectares, rel=1e-6)


def test_only_the_part_with_data_of_a_patch_counts(tmp_path: Path) -> None:
    shapes, valid = squares(2, 2), [1.0, 0.25, 0.5, 1.0]
    path = write_classified(tmp_path / "c.parquet", ["a", "a", "b", "b"], shapes=shapes, valid=valid)
    found = read_classified(path)
    one = 40.96 / 0.9996**2
    assert [stratum.hectares for stratum in areas_of(found)] == pytest.approx([1.25 * one, 1.5 * one], rel=1e-5)
    assert counted_words(found) == "Hectares are those of pixels that hold data: 2 patches are partly without."
    assert hectares_together(shapes, np.array(valid)) == pytest.approx(2.75 * one, rel=1e-5)


@pytest.mark.parametrize("valid", [None, [100.0, 50.0], [1.0, None]], ids=["absent", "percent", "a gap"])
def test_a_file_that_does_not_say_what_holds_data_counts_outlines_and_says_so(
    tmp_path: Path, valid: list[float | None] | None
) -> None:
    path = write_classified(tmp_path / "c.parquet", ["a", "b"], shapes=squares(2, 1), valid=valid)
    found = read_classified(path)
    assert areas_of(found)[1].hectares == pytest.approx(40.96 / 0.9996**2, rel=1e-5)
    assert "patches count as whole" in counted_words(found)


def test_land_without_data_under_overlapping_patches_is_taken_off_once() -> None:
    """The hole is known: 100 × 100 m in the middle of patches of 640 m, one every 320 m."""
    shapes = squares(6, 6, step=320)
    left, top = np.meshgrid(np.arange(6) * 320, np.arange(6) * 320)
    hole = (1050, 1150)
    wide, high = (
        np.clip(np.minimum(first.ravel() + 640, hole[1]) - np.maximum(first.ravel(), hole[0]), 0, None)
        for first in (left, top)
    )
    whole, holed = patch_hectares(shapes), patch_hectares(shapes, 1 - wide * high / 640**2)
    assert whole.sum() - holed.sum() == pytest.approx(1 / 0.9996**2, rel=1e-3)


def test_outlines_of_another_reference_system_lie_where_they_say(tmp_path: Path) -> None:
    to_utm = Transformer.from_crs("EPSG:4326", "EPSG:32631", always_xy=True)
    moved = shapely.transform(squares(2, 1), to_utm.transform, interleaved=False)
    path = write_classified(tmp_path / "c.parquet", ["a", "b"], shapes=moved, crs=CRS("EPSG:32631").to_json_dict())
    found = read_classified(path)
    np.testing.assert_allclose(patch_hectares(found.shapes), 40.96 / 0.9996**2, rtol=1e-5)
    np.testing.assert_allclose(found.places(np.array([0])), [[3.0046, 51.449]], atol=1e-3)
    with pytest.raises(ClassificationError, match="reference system of its outlines is not known"):
        read_classified(write_classified(tmp_path / "d.parquet", ["a"], shapes=moved[:1], crs=None))


def test_without_a_place_there_are_no_hectares(tmp_path: Path) -> None:
    path = write_classified(tmp_path / "c.parquet", ["a", "b"])
    with pytest.raises(ClassificationError, match="the place of all of its patches is not known"):
        areas_of(read_classified(path))
