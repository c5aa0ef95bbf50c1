"""Each layout of a product gives the same reflectance, whatever its names; what it states is in the record."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from core.bands import BAND_NAMES, BY_NAME
from core.errors import SourceError
from core.ingest.boundary import ingest, ingest_all
from core.ingest.files import FileShelf, SourceFiles
from core.ingest.formats.safe.product import SafeProducts
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from tests.core.ingest.formats.safe.making import L2A, SIDE, Made, bucket, compact, numbers, old, product_xml, zipped
from tests.core.ingest.rasters import LAND, read_scene
from tests.data import shared

pytestmark = pytest.mark.usefixtures("here")

TOP = Made()
LIFTED = Made(date="20230501", made="20230502", baseline="0509", offset=-1000)
SURFACE = Made(level="L2A", date="20230501", made="20230502", baseline="0509", offset=-1000)
BUCKET = "S2B_OPER_MSI_L1C_TL_EPAE_20180617T013729_A006677_T55JGF_N02.06.AWSPDS.zip"


def lines(scene: Scene, topic: str) -> list[tuple[str, str, str]]:
    found = load_quality(scene.directory).findings
    return [(line.value, line.basis, line.because) for line in found if line.topic == topic]


def expected(band: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Reflectance × 10,000 on the grid of 10 m, away from the edge, as the pixels were made to hold."""
    rows, cols = np.mgrid[0:SIDE, 0:SIDE]
    return np.asarray(LAND[band] + 2 * (rows + 0.5) + cols + 0.5, dtype=np.float64)


def check(scene: Scene, bands: tuple[str, ...]) -> None:
    got = read_scene(scene.directory).astype(float)
    assert scene.bands == bands
    inner = np.s_[6:-6, 6:-6]
    for number, band in enumerate(bands):
        np.testing.assert_allclose(got[number][inner], expected(band)[inner], atol=1.5, err_msg=band)


def nested(tmp_path: Path, made: Made) -> Path:
    inner = zipped(compact(tmp_path, made), tmp_path / f"{made.name}.SAFE.zip")
    with zipfile.ZipFile(tmp_path / "from portal.zip", "w") as file:
        file.write(inner, f"download/{inner.name}")
        file.writestr("download/readme.txt", "thank you")
    return tmp_path / "from portal.zip"


def lower_case(tmp_path: Path, made: Made) -> Path:
    folder = compact(tmp_path, made)
    target = tmp_path / "small.zip"
    with zipfile.ZipFile(target, "w") as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, str(path.relative_to(folder.parent)).lower())
    return target


def without_suffix(tmp_path: Path, made: Made) -> Path:
    folder = compact(tmp_path, made)
    return folder.rename(tmp_path / "my scene")


def tile_alone(tmp_path: Path, made: Made) -> Path:
    return compact(tmp_path, made) / "GRANULE" / made.granule


def google(tmp_path: Path, made: Made) -> Path:
    folder = compact(tmp_path / "tiles" / "32" / "T" / "PS", made)
    (folder / "GRANULE_$folder$").write_bytes(b"")
    return tmp_path / "tiles"


LAYOUTS: dict[str, Callable[[Path, Made], Path]] = {
    "folder": compact,
    "zip": lambda root, made: zipped(compact(root, made), root / f"{made.name}.zip"),
    "zip in folder in zip": lambda root, made: zipped(compact(root, made), root / "a.zip", around="mine/"),
    "zip in zip": nested,
    "lower case": lower_case,
    "without suffix": without_suffix,
    "tile alone": tile_alone,
    "old": lambda root, made: old(root, [made]),
    "bucket": bucket,
    "bucket without info": lambda root, made: bucket(root, made, info=False),
    "google": google,
}


EACH = [(layout, SURFACE) for layout in LAYOUTS if layout not in ("zip", "tile alone")]
OF_L1C = [("old", TOP)]
LIFTED_BY_ANOTHER = [(layout, LIFTED) for layout in ("folder", "tile alone", "bucket without info")]
"""The offset is stated elsewhere in each of these, or has to be known by the baseline."""


@pytest.mark.parametrize(
    ("layout", "made"), EACH + OF_L1C + LIFTED_BY_ANOTHER, ids=lambda one: one if isinstance(one, str) else one.name
)
def test_each_layout(tmp_path: Path, library: Library, layout: str, made: Made) -> None:
    scene = ingest([LAYOUTS[layout](tmp_path, made)], library)
    check(scene, BAND_NAMES if made.level == "L1C" else L2A)
    assert (scene.date, scene.level) == (made.day, made.level)
    assert lines(scene, "tile")[0][0] == "32TPS"
    assert lines(scene, "sun")[0][0] == "41.3° from the zenith, azimuth 155.5°"
    assert lines(scene, "scale")[0][1] == "read"
    assert f"baseline {made.baseline[:2]}.{made.baseline[2:]}" in lines(scene, "product")[0][2]
    assert lines(scene, "bands")[0][2] == "named by the metadata of the product"
    assert not lines(scene, "geometry")


def test_what_a_product_states_is_in_the_record(tmp_path: Path, library: Library) -> None:
    scene = ingest([compact(tmp_path, SURFACE)], library)
    assert lines(scene, "sensor") == [("Sentinel-2A", "read", "the product metadata says so")]
    assert lines(scene, "sensed")[0][0] == "2023-05-01 10:15:42 UTC"
    assert lines(scene, "product") == [
        (SURFACE.name, "read", "Level-2A, baseline 05.09, made 2023-05-02 12:00:00 UTC, relative orbit 22 descending")
    ]
    assert lines(scene, "scale") == [("reflectance × 10,000 + 1000", "read", "the product metadata says so")]
    assert [value for value, _, _ in lines(scene, "cloud")] == [
        "25.0% under cloud, 0.0% in its shadow", "7.25 % of the whole product",
    ]  # fmt: skip
    left_out = {because: value for value, _, because in lines(scene, "left out")}
    assert "TCI" in left_out["they are pictures or indices made of bands, and no bands"]
    quality = left_out["they are layers of quality, masks or indices, and no bands"]
    assert "AOT" in quality
    assert "MSK_CLASSI_B00.jp2" in quality
    assert "_B02_20m" in left_out["the same band is there in its own size of pixels"]
    assert scene.classification
    with rasterio.open(scene.directory / "classification.tif") as data:
        classes = data.read(1)
    assert set(classes[:18].ravel()) == {9}
    assert set(classes[18:].ravel()) == {4}


def test_the_day_is_that_of_the_pixels(tmp_path: Path, library: Library) -> None:
    made = replace(TOP, made="20210203")
    assert ingest([compact(tmp_path, made)], library).date == "2019-04-05"


def test_what_a_bucket_alone_states_is_said_to_be_from_there(tmp_path: Path, library: Library) -> None:
    folder = bucket(tmp_path, TOP)
    (xml,) = folder.rglob("metadata.xml")
    xml.unlink()
    scene = ingest([folder], library)
    where = "tileInfo.json or productInfo.json says so"
    assert lines(scene, "tile") == [("32TPS", "read", where)]
    assert lines(scene, "sensed") == [(f"{TOP.day} 10:15:42 UTC", "read", where)]


@pytest.mark.parametrize("quantification", [1_000, 20_000])
def test_numbers_mean_what_the_product_states(tmp_path: Path, library: Library, quantification: int) -> None:
    made = replace(
        SURFACE, quantification=quantification, offset=-quantification // 10, unlike={"B04": -quantification // 5}
    )
    scene = ingest([compact(tmp_path, made)], library)
    got = read_scene(scene.directory)[:, 36, 36].astype(float)
    np.testing.assert_allclose(got, [expected(band)[36, 36] for band in L2A], atol=10_000 / quantification + 1)
    assert "B04" in lines(scene, "scale")[0][0]


def test_special_numbers_are_no_data(tmp_path: Path, library: Library) -> None:
    folder = compact(tmp_path, TOP)
    (path,) = folder.rglob("*_B03.jp2")
    pixels = numbers(TOP, "B03", 10)
    pixels[0, 20, 30], pixels[0, 40, 50] = 0, 65_535
    from tests.core.ingest.formats.safe.making import jp2

    jp2(path, pixels, 10)
    got = read_scene(ingest([folder], library).directory)
    assert (got[:, 20, 30] == 0).all()
    assert (got[:, 40, 50] == 0).all()
    assert (got == 0).all(axis=0).sum() == 2


def test_files_that_are_not_there_and_files_that_are_not_named(tmp_path: Path, library: Library) -> None:
    folder = compact(tmp_path, replace(TOP, cut=("B09", "B12")))
    (path,) = folder.rglob("*_B11.jp2")
    path.with_name("T32TPS_20190405T235959_B12.jp2").write_bytes(path.read_bytes())
    scene = ingest([folder], library)
    assert scene.bands == tuple(band for band in BAND_NAMES if band not in ("B09", "B12"))
    value, basis, _ = lines(scene, "absent")[0]
    assert (value, basis) == ("T32TPS_20190405T101031_B09, T32TPS_20190405T101031_B12", "warning")
    assert any(
        "do not name them" in because and "T235959_B12" in value for value, _, because in lines(scene, "left out")
    )


def test_a_copy_stands_in_for_a_file_that_is_not_there(tmp_path: Path, library: Library) -> None:
    folder = compact(tmp_path, SURFACE)
    next(folder.rglob("*_B04_10m.jp2")).unlink()
    scene = ingest([folder], library)
    assert scene.bands == L2A
    assert "_B04_20m.jp2” stands in" in lines(scene, "absent")[0][2]


def test_the_place_of_the_pixels_counts(tmp_path: Path, library: Library) -> None:
    folder = compact(tmp_path, TOP)
    (path,) = folder.rglob("MTD_TL.xml")
    path.write_text(path.read_text().replace("<ULX>600000<", "<ULX>700000<").replace("<NROWS>12<", "<NROWS>1830<"))
    scene = ingest([folder], library)
    assert scene.grid.transform[2] == 600_000
    value, basis, because = lines(scene, "geometry")[0]
    assert basis == "warning"
    assert "elsewhere" in value
    assert "700000" in because


def test_tiles_side_by_side_and_one_of_them(tmp_path: Path, library: Library) -> None:
    east = replace(TOP, tile="32TQS", moved=10 * SIDE)
    folder = old(tmp_path, [TOP, east])
    both = ingest([folder], library)
    assert (both.grid.height, both.grid.width) == (SIDE, 2 * SIDE)
    assert lines(both, "tile")[0][0] == "32TPS, 32TQS"
    one = ingest([folder], library, IngestSettings(tile="32TQS"))
    np.testing.assert_array_equal(read_scene(one.directory)[1:4], read_scene(both.directory)[1:4, :, SIDE:])
    with pytest.raises(SourceError, match="tile 33ABC was chosen, and it holds 32TPS, 32TQS"):
        ingest([folder], library, IngestSettings(tile="33ABC"))


def test_tiles_apart_are_asked_for(tmp_path: Path, library: Library) -> None:
    folder = old(tmp_path, [TOP, replace(TOP, tile="32TRS", moved=30 * SIDE)])
    with pytest.raises(SourceError, match=r"lie apart.*choose one of its tiles in the settings: 32TPS, 32TRS"):
        ingest([folder], library)


def test_two_dates_of_one_tile_are_a_series(tmp_path: Path, library: Library) -> None:
    for made in (TOP, LIFTED):
        compact(tmp_path / "both", made)
    first, second = ingest_all([zipped(tmp_path / "both", tmp_path / "both.zip")], library)
    assert (first.date, second.date) == (TOP.day, LIFTED.day)
    check(first, BAND_NAMES)
    check(second, BAND_NAMES)
    assert lines(first, "scale")[0][0] == "reflectance × 10,000"
    assert lines(second, "scale")[0][0] == "reflectance × 10,000 + 1000"


def test_a_folder_of_zips_as_they_were_downloaded(tmp_path: Path, library: Library) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    for made in (TOP, LIFTED):
        zipped(compact(tmp_path, made), downloads / f"{made.name}.zip")
    (downloads / "readme.txt").write_text("thank you")
    first, second = ingest_all([downloads], library)
    check(first, BAND_NAMES)
    check(second, BAND_NAMES)
    (downloads / "other.zip").write_bytes((downloads / f"{TOP.name}.zip").read_bytes()[:100])
    with pytest.raises(SourceError, match="damaged or cut short"):
        ingest_all([downloads], library)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (replace(TOP, tile="32TQS", date="20190410"), "products of several dates and places"),
        (replace(TOP, made="20200101"), "two products of one date and place"),
        (replace(TOP, tile="32TQS", moved=720, level="L2A"), "products of different levels"),
        (replace(TOP, tile="32TQS", moved=720, baseline="0400", offset=-1000), "products of different scales"),
    ],
)
def test_products_that_do_not_go_together(tmp_path: Path, library: Library, other: Made, told: str) -> None:
    for made in (TOP, other):
        compact(tmp_path / "both", made)
    with pytest.raises(SourceError, match=f"it holds {told}") as caught:
        ingest([tmp_path / "both"], library)
    assert TOP.name in str(caught.value)
    assert other.name in str(caught.value)


def test_metadata_of_another_product(tmp_path: Path, library: Library) -> None:
    folder, other = compact(tmp_path, TOP), replace(TOP, tile="33UVP", date="20180101")
    listed = [(other.tile_id, f"GRANULE/x/IMG_DATA/T33UVP_20180101T101031_{band}") for band in BAND_NAMES]
    (folder / "MTD_MSIL1C.xml").write_text(product_xml(other, listed))
    (folder / "manifest.safe").unlink()
    with pytest.raises(SourceError, match="its metadata are of another product, “S2A_MSIL1C_20180101"):
        ingest([folder], library)


def test_metadata_of_another_tile(tmp_path: Path, library: Library) -> None:
    folder = compact(tmp_path, TOP)
    (path,) = folder.rglob("MTD_TL.xml")
    path.write_text(path.read_text().replace("T32TPS", "T55JGF"))
    with pytest.raises(SourceError, match="its metadata are of tile 55JGF, and its bands of tile 32TPS"):
        ingest([folder], library)


def test_no_band_of_a_product_is_there(tmp_path: Path, library: Library) -> None:
    folder = compact(tmp_path, replace(TOP, cut=BAND_NAMES))
    with pytest.raises(SourceError, match="name 13 band files, T32TPS_20190405T101031_B01 first, and none is there"):
        ingest([folder], library)
    for path in folder.rglob("*.jp2"):
        path.unlink()
    with pytest.raises(SourceError, match="and none is there"):
        ingest([folder], library)
    next(folder.rglob("MTD_TL.xml")).unlink()
    with pytest.raises(SourceError, match="and none of its tiles"):
        ingest([folder], library)


@pytest.mark.parametrize("how", ["cut short", "empty"])
def test_half_a_download(tmp_path: Path, library: Library, how: str) -> None:
    folder = compact(tmp_path, TOP)
    (path,) = folder.rglob("*_B08.jp2")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if how == "cut short" else b"")
    with pytest.raises(SourceError, match=r"_B08.jp2.*(damaged or cut short|is empty)"):
        ingest([folder], library)


def test_a_zip_that_breaks_off(tmp_path: Path, library: Library) -> None:
    path = zipped(compact(tmp_path, TOP), tmp_path / "half.zip")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SourceError, match="damaged or cut short"):
        ingest([path], library)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("MTD_MSIL1C.xml", '<!DOCTYPE a [<!ENTITY x "y">]><n1:Level-1C_User_Product>&x;', "entities"),
        ("MTD_MSIL1C.xml", "<n1:Level-1C_User_Product>" + " " * (9 * 2**20), "takes 9 MB"),
        ("MTD_MSIL1C.xml", "<n1:Level-1C_User_Product>" + " " * (17 * 2**20), "takes 17 MB"),
        ("MTD_MSIL1C.xml", "<n1:Level-1C_User_Product xmlns:n1='a'>" + "<a>" * 100, "damaged"),
        ("MTD_MSIL1C.xml", "<n1:Level-1C_User_Product xmlns:n1='a'><PRODUCT_URI>S2A", "damaged"),
        ("MTD_MSIL1B.xml", "<n1:Level-1B_User_Product xmlns:n1='a'/>", "it is a Level-1B product of Sentinel-2"),
        ("manifest.safe", "<xfdu:XFDU version='esa/safe/sentinel-1.0/sentinel-1/sar'/>", "a Sentinel-1 product"),
        ("xfdumanifest.xml", "<xfdu/>", "a Sentinel-3 product"),
    ],
)  # fmt: skip
def test_metadata_that_cannot_be_used(tmp_path: Path, library: Library, name: str, text: str, told: str) -> None:
    folder = compact(tmp_path, TOP)
    (folder / name).write_text(text)
    with pytest.raises(SourceError, match=told):
        ingest([folder], library)


def loose(tmp_path: Path, made: Made, what: Callable[[Path], str | None], ending: str = "jp2") -> Path:
    """Copy files of a product into one folder under the names that are given for them, its own metadata always."""
    folder, target = compact(tmp_path / "product", made, ending), tmp_path / "loose"
    target.mkdir()
    for path in folder.rglob("*"):
        name = path.name if path.name.startswith("MTD_MSI") else what(path)
        if path.is_file() and name:
            shutil.copy(path, target / name)
    return target


@pytest.mark.parametrize("ending", ["jp2", "tif"])
def test_files_of_a_product_chosen_one_by_one(tmp_path: Path, library: Library, ending: str) -> None:
    """A browser takes no folders; the metadata of the tile were not among what was chosen."""
    made = replace(SURFACE, unlike={"B04": -500})
    folder = loose(tmp_path, made, lambda path: None if path.name == "MTD_TL.xml" else path.name, ending)
    scene = ingest(sorted(folder.iterdir()), library)
    check(scene, L2A)
    assert (scene.date, scene.level, bool(scene.classification)) == (made.day, "L2A", True)
    assert lines(scene, "product")[0][0] == made.name


def test_rasters_beside_metadata_have_the_offset_of_each_band(tmp_path: Path, library: Library) -> None:
    """Once it was that of the baseline in all bands."""
    made = replace(SURFACE, unlike={"B04": -500, "B08": -200})

    def renamed(path: Path) -> str | None:
        band, side = path.stem.split("_")[-2:] if path.suffix == ".tif" else ("", "")
        return f"{band}.tif" if band in BY_NAME and side == f"{BY_NAME[band].resolution}m" else None

    scene = ingest([loose(tmp_path, made, renamed, "tif")], library)
    check(scene, L2A)
    assert "offset -500 in B04; offset -200 in B08" in lines(scene, "scale")[0][0]


def test_a_classification_that_is_named_and_not_there_is_told(tmp_path: Path, library: Library) -> None:
    folder = compact(tmp_path, SURFACE)
    name = f"T{SURFACE.tile}_{SURFACE.date}T101031_SCL_20m"
    (xml,) = folder.glob("MTD_MSI*")
    listed = f"<IMAGE_FILE>GRANULE/{SURFACE.granule}/IMG_DATA/R20m/{name}</IMAGE_FILE></Granule>"
    xml.write_text(xml.read_text().replace("</Granule>", listed))
    assert not lines(ingest([folder], library), "absent")
    next(folder.rglob(f"{name}.jp2")).unlink()
    scene = ingest([folder], library)
    [(value, basis, because)] = lines(scene, "absent")
    assert (value, basis) == (name, "warning")
    assert "no scene classification" in because


def test_names_by_hand_are_the_business_of_another_kind(tmp_path: Path) -> None:
    folder = compact(tmp_path, TOP)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    shelf = FileShelf(paths, [str(path.relative_to(folder)) for path in paths])
    files = SourceFiles(name="x", shelf=shelf, members=tuple(shelf.members), settings=IngestSettings())
    assert SafeProducts().recognises(files)
    assert not SafeProducts().recognises(replace(files, settings=IngestSettings(bands=BAND_NAMES)))


def test_files_of_a_bucket_chosen_one_by_one(tmp_path: Path, library: Library) -> None:
    (tile,) = bucket(tmp_path, TOP).rglob("0")
    scene = ingest(sorted(path for path in tile.iterdir() if path.is_file()), library)
    check(scene, BAND_NAMES)
    assert (scene.date, scene.level) == (TOP.day, "L1C")


@pytest.mark.parametrize(
    ("name", "date", "tile", "missing"),
    [
        ("S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.zip", "2018-06-29", "56JMM", (0.25, 0.31)),
        (BUCKET, "2018-06-17", "55JGF", (0.17, 0.2)),
        ("sinergise/S2B_MSIL1C_20201011T000249_N0209_R030_T55HFA_20201011T011446", "2020-10-11", "55HFA", (0.0, 0.03)),
    ],
)  # fmt: skip
def test_real_products(library: Library, name: str, date: str, tile: str, missing: tuple[float, float]) -> None:
    scene = ingest([shared(f"safe/{name}")], library)
    assert (scene.date, scene.level, scene.bands) == (date, "L1C", BAND_NAMES)
    assert lines(scene, "tile")[0][0] == tile
    value, basis, because = lines(scene, "geometry")[0]
    assert basis == "warning"
    assert "and not 10 m (10,980 × 10,980)" in value
    assert "the rasters count" in because
    empty = float((read_scene(scene.directory)[BAND_NAMES.index("B02")] == 0).mean())
    assert missing[0] <= empty <= missing[1]
    assert BY_NAME["B02"].resolution == 10


@pytest.mark.parametrize("content", [b"", b'<!DOCTYPE a [<!ENTITY b "c">]>'])
def test_product_metadata_that_cannot_be_read_is_told_and_the_tile_states_the_offset(
    tmp_path: Path, content: bytes
) -> None:
    folder = compact(tmp_path, LIFTED)
    next(folder.glob("MTD_*.xml")).write_bytes(content)
    scene = ingest([folder], Library(tmp_path / "data"))
    check(scene, BAND_NAMES)
    told = [
        (value, basis) for value, basis, because in lines(scene, "left out") if "metadata of the product" in because
    ]
    assert told == [("MTD_MSIL1C.xml", "warning")]
