"""Rasters in ENVI's own format: their header says how the pixels lie and what they mean."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from pyproj import CRS

from core.errors import SourceError
from core.ingest.boundary import ingest
from core.ingest.grouping import sources_of
from core.ingest.settings import IngestSettings
from core.scenes.library import Library
from core.scenes.quality import load_quality
from tests.core.ingest.rasters import UTM, land, read_scene, write_tif

pytestmark = pytest.mark.usefixtures("here")

BANDS = ("B02", "B03", "B04", "B8A", "B11")
LIGHTS = "wavelength units = Micrometers\nwavelength = {0.4927, 0.5598, 0.6646, 0.8647, 1.6137}\n"
PLACE = "map info = {UTM, 1, 1, 400000, 5000000, 10, 10, 33, North, WGS-84, units=Meters}\n"


def write_envi(
    path: Path, pixels: np.ndarray, more: str = "", *, header: str = ".hdr", order: str = "bsq"
) -> list[Path]:
    """Write pixels of shape (bands, height, width) and the header."""
    axes = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}[order]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\0" * 7 + np.ascontiguousarray(pixels.transpose(axes)).tobytes())
    kind = {"uint8": 1, "int16": 2, "float32": 4, "uint16": 12}[pixels.dtype.newbyteorder("=").name]
    bands, height, width = pixels.shape
    big = pixels.dtype.byteorder == ">"
    beside = path.with_suffix(header) if header == ".hdr" else path.with_name(path.name + ".hdr")
    beside.write_text(
        f"ENVI\ndescription = {{made up}}\nsamples = {width}\nlines = {height}\nbands = {bands}\nheader offset = 7\n"
        f"file type = ENVI Standard\ndata type = {kind}\ninterleave = {order}\nbyte order = {int(big)}\n{PLACE}{more}"
    )
    return [path, beside]


@pytest.mark.parametrize(
    ("name", "header", "order", "kind"),
    [("site.dat", ".hdr", "bsq", "<u2"), ("site.img", "+", "bil", ">u2"), ("site", ".hdr", "bip", "<u2")],
)
def test_pixels_place_and_names(
    tmp_path: Path, library: Library, name: str, header: str, order: str, kind: str
) -> None:
    paths = write_envi(tmp_path / "in" / name, land(BANDS).astype(kind), LIGHTS, header=header, order=order)
    assert sources_of(paths) == [paths]
    scene = ingest(paths, library)
    assert scene.bands == BANDS
    np.testing.assert_array_equal(read_scene(scene.directory), land(BANDS))
    assert (scene.grid.crs, scene.grid.transform[2], scene.grid.transform[5]) == (UTM, 400_000, 5_000_000)
    assert not [line for line in load_quality(scene.directory).findings if line.topic == "left out"]


def test_scale_no_data_date_and_bad_bands_are_those_of_the_header(tmp_path: Path, library: Library) -> None:
    pixels = land(BANDS).astype(np.int16)
    pixels[:, :20] = -7777
    pixels[3] = 5
    more = (
        "band names = {a, b, c, d, e}\nreflectance scale factor = 20000\ndata ignore value = -7777\n"
        "bbl = {1, 1, 1, 0, 1}\nacquisition time = 2021-06-05T10:00:00Z\n"
    )
    scene = ingest(write_envi(tmp_path / "in" / "site.bsq", pixels, more + LIGHTS), library)
    assert (scene.bands, scene.date) == (("B02", "B03", "B04", "B11"), "2021-06-05")
    got = read_scene(scene.directory)
    assert not got[:, :20].any()
    assert np.abs(got[:, 20:] - land(scene.bands)[:, 20:] / 2).max() <= 0.5
    said = {line.because: line.value for line in load_quality(scene.directory).findings if line.topic == "left out"}
    assert said == {"the header of the raster marks them as bad": "site.bsq band 4 864.7 µm".replace("864.7", "0.8647")}


def test_gains_and_offsets_of_a_header(tmp_path: Path, library: Library) -> None:
    """As SNAP writes them, a file a band in a folder, in a zip here."""
    folder = tmp_path / "in"
    with zipfile.ZipFile(tmp_path / "product.zip", "w") as archive:
        for band, pixels in zip(BANDS, land(BANDS), strict=True):
            named = f"band names = {{ {band} }}\ndata gain values = {{1.0E-4}}\ndata offset values = {{-0.1}}\n"
            for path in write_envi(folder / f"{band}.img", (pixels + 1000)[None].astype(">u2"), named):
                archive.write(path, f"site.data/{path.name}")
    scene = ingest([tmp_path / "product.zip"], library)
    assert scene.bands == BANDS
    np.testing.assert_array_equal(read_scene(scene.directory), land(BANDS))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("lines = 64", "lines = 65"), "cut short"),
        (("lines = 64", "lines = many"), "does not say how its pixels lie"),
        (("data type = 12", "data type = 77"), "does not say how its pixels lie"),
        (("interleave", "file compression = 1\ninterleave"), "its pixels are packed"),
        (("data type = 12", "data type = 1"), "8-bit"),
    ],
)
def test_headers_that_do_not_fit(tmp_path: Path, library: Library, change: tuple[str, str], message: str) -> None:
    paths = write_envi(tmp_path / "in" / "site.dat", land(BANDS), LIGHTS)
    paths[1].write_text(paths[1].read_text().replace(*change))
    with pytest.raises(SourceError, match=message):
        ingest(paths, library)


def test_two_rasters_chosen_together_are_two_scenes() -> None:
    pairs = [[Path(f"{name}.dat"), Path(f"{name}.hdr")] for name in ("marsh", "delta")]
    assert sources_of([*pairs[0], *pairs[1]]) == pairs


def test_one_without_the_other(tmp_path: Path, library: Library) -> None:
    raster, header = write_envi(tmp_path / "in" / "site.img", land(BANDS), LIGHTS)
    with pytest.raises(SourceError, match=r"together with the file of the same name that ends in \.hdr"):
        ingest([raster], library)
    with pytest.raises(SourceError, match="holds no pixels; choose it together with the raster"):
        ingest([header], library)


def test_patches_in_class_folders(tmp_path: Path, library: Library) -> None:
    named = f"band names = {{{', '.join(BANDS)}}}\nreflectance scale factor = 20000\n"
    for n, label in enumerate(("field", "forest", "forest")):
        write_envi(tmp_path / "set" / label / f"{n}.dat", land(BANDS, 16, 16) + 2 * n, named)
    scene = ingest([tmp_path / "set"], library)
    assert (scene.kind, scene.bands, scene.classes) == ("collection", BANDS, ("field", "forest"))
    assert np.abs(read_scene(scene.directory)[:, :16, :16] - land(BANDS, 16, 16) / 2).max() <= 0.5
    assert not [line for line in load_quality(scene.directory).findings if line.topic == "left out"]


def write_esri(path: Path, pixels: np.ndarray, layout: str, more: str = "") -> list[Path]:
    """Write pixels of shape (bands, height, width) and a header of ESRI's, with the middle of the first pixel."""
    axes = {"BSQ": (0, 1, 2), "BIL": (1, 0, 2), "BIP": (1, 2, 0)}[layout]
    path.write_bytes(np.ascontiguousarray(pixels.transpose(axes)).tobytes())
    bands, height, width = pixels.shape
    order = "M" if pixels.dtype.byteorder == ">" else "I"
    path.with_suffix(".hdr").write_text(
        f"BYTEORDER      {order}\r\nLAYOUT {layout}\r\nNROWS {height}\r\nNCOLS {width}\r\nNBANDS {bands}\r\n"
        "NBITS 16\r\nPIXELTYPE SIGNEDINT\r\nULXMAP 400005\r\nULYMAP 4999995\r\nXDIM 10\r\nYDIM 10\r\n"
        f"NODATA -9999\r\n{more}"
    )
    path.with_suffix(".prj").write_text(CRS.from_user_input(UTM).to_wkt("WKT1_ESRI"))
    return [path, path.with_suffix(".hdr"), path.with_suffix(".prj")]


@pytest.mark.parametrize(("layout", "kind"), [("BIL", "<i2"), ("BIP", ">i2"), ("BSQ", "<i2")])
def test_headers_of_esri(tmp_path: Path, library: Library, layout: str, kind: str) -> None:
    pixels = land(BANDS).astype(kind)
    pixels[:, :5] = -9999
    paths = write_esri(tmp_path / f"site.{layout.lower()}", pixels, layout, "BANDROWBYTES 160\r\n" * (layout == "BIL"))
    assert sources_of(paths) == [paths]
    scene = ingest(paths, library, IngestSettings(bands=BANDS))
    right = land(BANDS)
    right[:, :5] = 0
    np.testing.assert_array_equal(read_scene(scene.directory), right)
    assert CRS.from_user_input(scene.grid.crs).to_epsg() == 32633
    assert scene.grid.transform == (10, 0, 400_000, 0, -10, 5_000_000)


@pytest.mark.parametrize(
    "more",
    [
        "BANDROWBYTES 200\r\n", "BANDGAPBYTES 8\r\n", "NBITS 12\r\n", "LAYOUT BIX\r\n", f"NCOLS {'9' * 5000}\r\n",
    ],
)  # fmt: skip
def test_headers_of_esri_that_are_not_followed(tmp_path: Path, library: Library, more: str) -> None:
    paths = write_esri(tmp_path / "site.bil", land(BANDS).astype("<i2"), "BIL", more)
    with pytest.raises(SourceError, match="does not read"):
        ingest(paths, library, IngestSettings(bands=BANDS))


@pytest.mark.usefixtures("here")
def test_a_grid_of_floats_is_not_read_as_bytes(tmp_path: Path, library: Library) -> None:
    head = (
        "ncols 80\nnrows 64\nxllcorner 400000\nyllcorner 4999360\ncellsize 10\nNODATA_value -9999\nbyteorder LSBFIRST\n"
    )
    for band in BANDS:
        (tmp_path / f"{band}.flt").write_bytes((land([band]) / 1e4).astype("<f4").tobytes())
        (tmp_path / f"{band}.hdr").write_text(head)
    with pytest.raises(SourceError, match="does not read"):
        ingest(sorted(tmp_path.glob("B*")), library)


@pytest.mark.usefixtures("here")
def test_what_lies_beside_a_geotiff_and_a_header_is_no_raster_of_it(tmp_path: Path, library: Library) -> None:
    write_tif(tmp_path / "site.tif", land(BANDS), BANDS, crs=None, transform=None)
    (tmp_path / "site.tfw").write_text("10\n0\n0\n-10\n400005\n4999995\n")
    (tmp_path / "site.hdr").write_text("NROWS 64\nNCOLS 80\nNBANDS 4\nNBITS 16\nLAYOUT BIL\n")
    (tmp_path / "site.prj").write_text(CRS.from_user_input(UTM).to_wkt())
    scene = ingest([tmp_path / f"site.{ending}" for ending in ("tif", "tfw", "hdr", "prj")], library)
    assert scene.grid.transform == (10, 0, 400_000, 0, -10, 5_000_000)
    np.testing.assert_array_equal(read_scene(scene.directory), land(BANDS))


def test_a_raster_shorter_than_a_header_of_esri_says(tmp_path: Path, library: Library) -> None:
    paths = write_esri(tmp_path / "site.bil", land(BANDS).astype("<i2"), "BIL")
    paths[0].write_bytes(paths[0].read_bytes()[:-2])
    with pytest.raises(SourceError, match="damaged or cut short"):
        ingest(paths, library, IngestSettings(bands=BANDS))
