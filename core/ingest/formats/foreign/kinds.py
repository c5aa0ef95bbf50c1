"""Kinds of files that are not read: what they are, and what to do with them; told by first bytes, then by names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.errors import SourceError, UnsafeSourceError
from core.ingest.messages import WHAT_IS_READ

_ALONE = "open it by itself as a scene of several bands, or export what it holds as GeoTIFF"
CONVERT = "make a GeoTIFF of it, in QGIS by “Export → Save As…” or by “gdal_translate”, and open that"
_UNPACK = "unpack it and add its files, or a zip of them"
_BANDS = "choose the bands themselves, as raw numbers or reflectance in GeoTIFF"
_SHAPES = "open a scene first, then add its points or polygons as labels"
_LAYERS = "choose the rasters that it shows"
_NUMBERS = "save its numbers as NumPy or GeoTIFF"


@dataclass(frozen=True, kw_only=True)
class ForeignKind:
    """A kind of file that is not read.

    Attributes:
        title: what it is, with its article.
        remedy: what to do.
        begins: first bytes, any of them; empty = only names tell.
        at: where they lie.
        endings: how names end, in small letters with the dot; they tell where first bytes do not.
    """

    title: str
    remedy: str = CONVERT
    begins: tuple[bytes, ...] = ()
    at: int = 0
    endings: tuple[str, ...] = ()


FOREIGN_KINDS: tuple[ForeignKind, ...] = (
    ForeignKind(
        title="a NetCDF or HDF5 file", remedy=_ALONE, begins=(b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"CDF\x02", b"CDF\x05")
    ),
    ForeignKind(title="an HDF4 file", begins=(b"\x0e\x03\x13\x01",)),
    ForeignKind(
        title="an archive other than zip or tar", remedy=_UNPACK,
        begins=(b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x28\xb5\x2f\xfd"),
    ),
    ForeignKind(
        title="a file packed by gzip, bzip2 or xz that is no tar", remedy=_UNPACK,
        begins=(b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"),
    ),
    ForeignKind(title="a tar", remedy=_ALONE, begins=(b"ustar",), at=257),
    ForeignKind(title="the pixels of an ERDAS Imagine raster without their .img", begins=(b"ERDAS_IMG_EXTERNAL",),
                remedy="make a GeoTIFF of the .img, in QGIS by “Export → Save As…” or by “gdal_translate”"),
    ForeignKind(title="a PCIDSK file of PCI Geomatica", begins=(b"PCIDSK",)),
    ForeignKind(title="a NITF file", begins=(b"NITF0", b"NSIF0")),
    ForeignKind(title="a GRIB file", begins=(b"GRIB",)),
    ForeignKind(title="a cube of ISIS", begins=(b"Object = IsisCube", b"Object=IsisCube", b"CCSD3ZF")),
    ForeignKind(title="a raster of ER Mapper", begins=(b"DatasetHeader Begin",), endings=(".ers",)),
    ForeignKind(title="a Meta Raster Format file", begins=(b"<MRF_META",), endings=(".mrf",)),
    ForeignKind(title="a grid of Surfer", begins=(b"DSRB", b"DSBB", b"DSAA")),
    ForeignKind(title="an Arc/Info grid", begins=(b"GRID1.2",), endings=(".adf", ".e00")),
    ForeignKind(title="an Arc/Info ASCII grid", begins=(b"ncols", b"NCOLS", b"nrows", b"NROWS"), endings=(".asc",)),
    ForeignKind(title="a GeoPackage", begins=(b"GPKG", b"GP10", b"GP11"), at=68),
    ForeignKind(title="a database of SQLite, such as MBTiles", begins=(b"SQLite format 3",)),
    ForeignKind(title="a MrSID image", begins=(b"msid",), endings=(".sid",)),
    ForeignKind(title="an ECW image", endings=(".ecw",)),
    ForeignKind(title="a WebP picture", begins=(b"WEBP",), at=8, remedy=_BANDS),
    ForeignKind(title="a GIF picture", begins=(b"GIF87a", b"GIF89a"), remedy=_BANDS),
    ForeignKind(title="a bitmap picture", begins=(b"BM",), endings=(".bmp",), remedy=_BANDS),
    ForeignKind(title="a JPEG XL picture", begins=(b"\xff\x0a", b"\x00\x00\x00\x0cJXL "), endings=(".jxl",),
                remedy=_BANDS),
    ForeignKind(title="a PDF", begins=(b"%PDF",), remedy=_BANDS),
    ForeignKind(title="a MATLAB file", begins=(b"MATLAB 5.0", b"MATLAB 7.3"), remedy=_NUMBERS),
    ForeignKind(
        title="a pickle of Python", remedy=_NUMBERS,
        begins=(b"\x80\x02", b"\x80\x03", b"\x80\x04\x95", b"\x80\x05\x95"), endings=(".pkl", ".pickle", ".pt", ".pth"),
    ),
    ForeignKind(title="a file of TensorFlow records", endings=(".tfrecord", ".tfrecords"),
                remedy="export the scene as GeoTIFF, or its patches as NumPy"),
    ForeignKind(title="a database of LMDB", endings=(".mdb",), remedy="save its patches as NumPy or GeoTIFF"),
    ForeignKind(title="a TACO file", begins=(b"#y", b"WX"), endings=(".tortilla", ".taco"),
                remedy="save its images as GeoTIFF, as by “tacoreader”, and open these"),
    ForeignKind(title="a Shapefile", begins=(b"\x00\x00\x27\x0a",), remedy=_SHAPES),
    ForeignKind(title="a cloud of points", begins=(b"LASF",), remedy=WHAT_IS_READ),
    ForeignKind(title="a raster of R's package “raster”", endings=(".grd", ".gri"),
                remedy="write it as GeoTIFF, by writeRaster(x, “scene.tif”), and open that"),
    ForeignKind(title="a raster of Idrisi", endings=(".rst", ".rdc")),
    ForeignKind(title="a raster of SAGA", endings=(".sdat", ".sgrd", ".sg-grd-z")),
    ForeignKind(title="a raster of plain numbers with a header of its own", endings=(".bil", ".bip", ".bsq", ".flt")),
    ForeignKind(title="a project or style of QGIS or ArcGIS", remedy=_LAYERS,
                endings=(".qgs", ".qgz", ".qlr", ".qml", ".lyrx", ".lyr", ".mxd", ".aprx")),
)  # fmt: skip
"""As they are asked: first bytes of any, then names. Two letters tell only with an ending that is known."""
_SHORT = 2

_PAGE = ("it is a web page, as servers send in place of a file", "download it again, signed in if need be")
_NOTE = ("it is a note of Git LFS on a file that was not fetched", "fetch the file by “git lfs pull”")
_INSTEAD = {b"<!doctype html": _PAGE, b"<html": _PAGE, b"version https://git-lfs": _NOTE}
"""First bytes, in small letters, of what lies in place of a file that never came."""
_HEADER = (b"ENVI\n", b"ENVI\r\n")
_VIRTUAL = re.compile(rb"<\s*VRTDataset", re.IGNORECASE)
_DESCRIBED: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (
        re.compile(rb"<\s*Dimap_Document", re.IGNORECASE),
        "it describes a product of SNAP, whose pixels lie in the folder of the same name that ends in .data",
        "put this file and that folder into one folder or zip, and open that",
    ),
    (
        re.compile(rb"<\s*(?:xfdu:)?XFDU\b", re.IGNORECASE),
        "it lists the files of a product, which are not there",
        "open the whole folder that ends in .SAFE, or its zip",
    ),
    (
        re.compile(rb"\A\s*\{.*\"stac_version\"\s*:", re.DOTALL),
        "it is a STAC item, which states where images are and holds no pixels",
        "download its bands, and open them together with it",
    ),
    (
        re.compile(rb"<\s*PAMDataset\b"),
        "it holds what GDAL notes beside a raster, and no pixels",
        "choose the raster of the same name, together with it if you like",
    ),
)
"""What describes rasters that lie elsewhere: how it begins, what it is, and what to do."""
_POINTS_ELSEWHERE = re.compile(
    rb"<\s*(GDAL_WMS|WMS_|WCS_|WMT_|Capabilities|GDALTileIndex)|^\s*\{.*\"(refs|templates)\"\s*:|\.z(array|group)\"\s*:",
    re.IGNORECASE | re.DOTALL,
)
"""Descriptions of GDAL, and references of kerchunk to chunks in other files."""


def foreign_kind(head: bytes, name: str = "") -> ForeignKind | None:
    """Return the kind of a file that is not read, or None.

    Args:
        head: its first bytes, 4096 of them where there are so many.
        name: what it is called; empty = only its bytes tell.
    """
    ending = PurePosixPath(name.lower()).suffix
    for kind in FOREIGN_KINDS:
        told = ending in kind.endings or not kind.endings
        if any(head[kind.at :].startswith(begins) for begins in kind.begins if told or len(begins) > _SHORT):
            return kind
    return next((kind for kind in FOREIGN_KINDS if ending in kind.endings), None)


def refuse_foreign(head: bytes, name: str = "") -> None:
    """Refuse a file that is not read, by its true name.

    Args:
        head: its first bytes.
        name: what it is called; empty = only its bytes tell.

    Raises:
        SourceError: saying what it is.
        UnsafeSourceError: when it is a description of other files or of addresses.
    """
    if head.startswith(_HEADER):
        found = "it is the header of a raster in ENVI's own format, and holds no pixels"
        raise SourceError(found=found, remedy="choose it together with the raster of the same name")
    if (instead := in_place_of_a_file(head)) is not None:
        raise SourceError(found=instead[0], remedy=instead[1])
    if _VIRTUAL.search(head):
        found = "it is a VRT of GDAL: it holds no pixels but points to other files, which Landlike does not follow"
        remedy = "add the files that it names, or make a GeoTIFF of it by “gdal_translate stack.vrt stack.tif”"
        raise UnsafeSourceError(found=found, remedy=remedy)
    for pattern, found, remedy in _DESCRIBED:
        if pattern.search(head):
            raise SourceError(found=found, remedy=remedy)
    if _POINTS_ELSEWHERE.search(head):
        found = "it holds no pixels but points to other files or addresses"
        raise UnsafeSourceError(found=found, remedy=WHAT_IS_READ)
    if (kind := foreign_kind(head, name)) is not None:
        here = " here" if kind.remedy == _ALONE else ""
        raise SourceError(found=f"it is {kind.title}, which Landlike does not read{here}", remedy=kind.remedy)


def in_place_of_a_file(head: bytes) -> tuple[str, str] | None:
    """Return what lies where a file should, and what to do, or None."""
    begins = head[:200].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return next((said for start, said in _INSTEAD.items() if begins.startswith(start)), None)
