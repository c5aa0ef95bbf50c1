"""Small products of Sentinel-2 in each layout: pixels that encode their place, metadata after ESA's specification."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from core.bands import BAND_NAMES, BY_NAME
from tests.core.ingest.rasters import LAND, write_tif

LEFT, TOP = 600_000, 5_100_000
SIDE = 72
"""Pixels of 10 m a side: 36 of 20 m, 12 of 60 m."""
LOSSLESS = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}
L2A = tuple(band for band in BAND_NAMES if band != "B10")
_written: dict[tuple[object, ...], bytes] = {}
"""Files that were written, by what they hold: coding one takes as long as ten copies."""
COMPACT = "{sat}_MSI{level}_{date}T101031_N{baseline}_R022_T{tile}_{made}T120000"


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a product states and holds.

    Attributes:
        level: ``L1C`` or ``L2A``.
        offset: what its metadata state for each band; None = nothing, as before baseline 04.00.
        quantification: the value.
        moved: metres by which its tile lies east.
        unlike: offsets of single bands in place of that of all.
        cut: bands whose files are not written.
        extra: further elements of the product's metadata.
        listed: ending of names in lists of files.
    """

    level: str = "L1C"
    tile: str = "32TPS"
    date: str = "20190405"
    made: str = "20190406"
    baseline: str = "0207"
    sat: str = "S2A"
    offset: int | None = None
    quantification: int = 10_000
    moved: int = 0
    unlike: Mapping[str, int] = field(default_factory=dict)
    cut: Sequence[str] = ()
    special: str = "<SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX>"

    @property
    def name(self) -> str:
        """The name of the product, without ending."""
        return COMPACT.format(
            **{key: getattr(self, key) for key in ("sat", "level", "date", "baseline", "tile", "made")}
        )

    @property
    def granule(self) -> str:
        """The folder of its tile."""
        return f"{self.level}_T{self.tile}_A019800_{self.date}T101033"

    @property
    def tile_id(self) -> str:
        """The identifier of its tile."""
        dotted = f"{self.baseline[:2]}.{self.baseline[2:]}"
        return f"{self.sat}_OPER_MSI_{self.level}_TL_EPAE_{self.made}T120000_A019800_T{self.tile}_N{dotted}"

    @property
    def day(self) -> str:
        """The date of its pixels."""
        return f"{self.date[:4]}-{self.date[4:6]}-{self.date[6:]}"


def numbers(made: Made, band: str, side: int) -> NDArray[np.uint16]:
    """Digital numbers of a band with pixels of some metres: linear in place, so that bilinear keeps them."""
    count = 10 * SIDE // side
    rows, cols = np.mgrid[0:count, 0:count]
    north, east = (rows + 0.5) * side / 10, (cols + 0.5) * side / 10
    light = LAND[band] + 2 * north + east
    offset = made.unlike.get(band, made.offset or 0)
    return np.asarray(light * made.quantification / 10_000 - offset, dtype=np.uint16)[None]


def jp2(path: Path, pixels: NDArray[Any], side: int, moved: int = 0) -> Path:
    """Write a band as JPEG 2000, or as GeoTIFF where its name ends so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = pixels.tobytes(), pixels.shape, str(pixels.dtype), side, moved, path.suffix.lower()
    if made not in _written:
        place = rasterio.Affine(side, 0, LEFT + moved, 0, -side, TOP)
        options = LOSSLESS if path.suffix.lower() == ".jp2" else {}
        _written[made] = write_tif(path, pixels, crs="EPSG:32632", transform=place, **options).read_bytes()
    path.write_bytes(_written[made])
    return path


def tile_xml(made: Made) -> str:
    """Metadata of a tile."""
    grids = "".join(
        f'<Size resolution="{side}"><NROWS>{10 * SIDE // side}</NROWS><NCOLS>{10 * SIDE // side}</NCOLS></Size>'
        f'<Geoposition resolution="{side}"><ULX>{LEFT + made.moved}</ULX><ULY>{TOP}</ULY><XDIM>{side}</XDIM>'
        f"<YDIM>-{side}</YDIM></Geoposition>"
        for side in (10, 20, 60)
    )
    root = f"Level-{made.level[1:]}_Tile_ID"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><n1:{root} xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/x.xsd">'
        f'<n1:General_Info><TILE_ID metadataLevel="Brief">{made.tile_id}</TILE_ID>'
        f"<SENSING_TIME>{made.day}T10:15:42.461Z</SENSING_TIME></n1:General_Info><n1:Geometric_Info><Tile_Geocoding>"
        f"<HORIZONTAL_CS_CODE>EPSG:32632</HORIZONTAL_CS_CODE>{grids}</Tile_Geocoding><Tile_Angles><Mean_Sun_Angle>"
        '<ZENITH_ANGLE unit="deg">41.26</ZENITH_ANGLE><AZIMUTH_ANGLE unit="deg">155.5</AZIMUTH_ANGLE></Mean_Sun_Angle>'
        '<Mean_Viewing_Incidence_Angle bandId="0"><ZENITH_ANGLE>8</ZENITH_ANGLE></Mean_Viewing_Incidence_Angle>'
        "</Tile_Angles></n1:Geometric_Info><n1:Quality_Indicators_Info><Image_Content_QI>"
        f"<CLOUDY_PIXEL_PERCENTAGE>12.5</CLOUDY_PIXEL_PERCENTAGE></Image_Content_QI></n1:Quality_Indicators_Info></n1:{root}>"
    )


def product_xml(made: Made, files: Sequence[tuple[str, str]], element: str = "IMAGE_FILE") -> str:
    """Metadata of a product.

    Args:
        made: what it states.
        files: granule and listed path of each raster.
        element: how rasters are listed.
    """
    surface = made.level == "L2A"
    dotted = f"{made.baseline[:2]}.{made.baseline[2:]}"
    value = "BOA_QUANTIFICATION_VALUE" if surface else "QUANTIFICATION_VALUE"
    offset = "BOA_ADD_OFFSET" if surface else "RADIO_ADD_OFFSET"
    offsets = "".join(
        f'<{offset} band_id="{n}">{made.unlike.get(band, made.offset)}</{offset}>' for n, band in enumerate(BAND_NAMES)
    )
    listed = "".join(
        f'<Granule_List><Granule granuleIdentifier="{granule}">'
        + "".join(f"<{element}>{path}</{element}>" for own, path in files if own == granule)
        + "</Granule></Granule_List>"
        for granule in dict.fromkeys(own for own, _ in files)
    )
    root = f"Level-{made.level[1:]}_User_Product"
    return (
        f'<n1:{root} xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/x.xsd"><n1:General_Info><Product_Info>'
        f"<PRODUCT_START_TIME>{made.day}T10:10:31.024Z</PRODUCT_START_TIME><PRODUCT_URI>{made.name}.SAFE</PRODUCT_URI>"
        f"<PROCESSING_LEVEL>Level-{made.level[1:]}</PROCESSING_LEVEL><PROCESSING_BASELINE>{dotted}</PROCESSING_BASELINE>"
        f"<GENERATION_TIME>{made.made[:4]}-{made.made[4:6]}-{made.made[6:]}T12:00:00.000000Z</GENERATION_TIME>"
        f"<Datatake><SPACECRAFT_NAME>Sentinel-2{made.sat[2]}</SPACECRAFT_NAME>"
        f"<DATATAKE_SENSING_START>{made.day}T10:10:31.024Z</DATATAKE_SENSING_START>"
        "<SENSING_ORBIT_NUMBER>22</SENSING_ORBIT_NUMBER><SENSING_ORBIT_DIRECTION>DESCENDING</SENSING_ORBIT_DIRECTION>"
        f"</Datatake><Product_Organisation>{listed}</Product_Organisation></Product_Info><Product_Image_Characteristics>"
        f"<Special_Values>{made.special}</Special_Values>"
        f'<{value} unit="none">{made.quantification}</{value}><AOT_QUANTIFICATION_VALUE>1000</AOT_QUANTIFICATION_VALUE>'
        f"{'' if made.offset is None and not made.unlike else offsets}</Product_Image_Characteristics>"
        "</n1:General_Info>"
        "<n1:Quality_Indicators_Info><Cloud_Coverage_Assessment>7.25</Cloud_Coverage_Assessment>"
        f"</n1:Quality_Indicators_Info></n1:{root}>"
    )


def manifest(paths: Sequence[str]) -> str:
    """The manifest of a product."""
    objects = "".join(
        f'<dataObject><byteStream><fileLocation locatorType="URL" href="./{path}"/></byteStream></dataObject>'
        for path in paths
    )
    return (
        '<xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1" version="esa/safe/sentinel/1.1/sentinel-2/msi">'
        f"<dataObjectSection>{objects}</dataObjectSection></xfdu:XFDU>"
    )


def images(made: Made) -> dict[str, tuple[str, int]]:
    """Paths of band files from the folder of images, without ending: the band and the side of its pixels."""
    head = f"T{made.tile}_{made.date}T101031"
    if made.level == "L1C":
        return {f"{head}_{band}": (band, BY_NAME[band].resolution) for band in BAND_NAMES}
    found = {}
    for side in (10, 20, 60):
        for band in L2A:
            if BY_NAME[band].resolution <= side and not (band == "B08" and side > 10):
                found[f"R{side}m/{head}_{band}_{side}m"] = band, side
    return found


def compact(root: Path, made: Made, ending: str = "jp2") -> Path:
    """Write a product as since December 2016; return its folder."""
    folder = root / f"{made.name}.SAFE"
    tile = folder / "GRANULE" / made.granule
    listed = []
    for path, (band, side) in images(made).items():
        listed.append((made.tile_id, f"GRANULE/{made.granule}/IMG_DATA/{path}"))
        if band not in made.cut:
            copy = numbers(made, band, side) + np.uint16(0 if side == BY_NAME[band].resolution else 3)
            jp2(tile / "IMG_DATA" / f"{path}.{ending}", copy, side, made.moved)
    picture = np.full((3, SIDE, SIDE), 90, dtype=np.uint8)
    layers = "R10m/" if made.level == "L2A" else ""
    tail = "_10m" if layers else ""
    jp2(tile / "IMG_DATA" / f"{layers}T{made.tile}_{made.date}T101031_TCI{tail}.jp2", picture, 10, made.moved)
    listed.append((made.tile_id, f"GRANULE/{made.granule}/IMG_DATA/{layers}T{made.tile}_{made.date}T101031_TCI{tail}"))
    if made.level == "L2A":
        classes = np.full((1, SIDE // 2, SIDE // 2), 4, dtype=np.uint8)
        classes[0, :9] = 9
        jp2(tile / "IMG_DATA" / "R20m" / f"T{made.tile}_{made.date}T101031_SCL_20m.jp2", classes, 20, made.moved)
        jp2(tile / "IMG_DATA" / "R20m" / f"T{made.tile}_{made.date}T101031_AOT_20m.jp2", classes, 20, made.moved)
        jp2(tile / "QI_DATA" / "MSK_CLASSI_B00.jp2", classes, 20, made.moved)
    (tile / "MTD_TL.xml").write_text(tile_xml(made))
    (folder / f"MTD_MSI{made.level}.xml").write_text(product_xml(made, listed))
    (folder / "manifest.safe").write_text(manifest([f"{path}.jp2" for _, path in listed]))
    return folder


def old(root: Path, made: Sequence[Made]) -> Path:
    """Write a product as before December 2016, of several tiles; return its folder."""
    first = made[0]
    user = "USER" if first.level == "L2A" else "OPER"
    folder = root / f"{first.sat}_{user}_PRD_MSI{first.level}_PDMC_{first.made}T120000_R022_V{first.date}T101031.SAFE"
    listed = []
    for one in made:
        granule = one.tile_id.replace("_OPER_", f"_{user}_")
        stem = granule.rpartition("_N")[0]
        for band in BAND_NAMES if one.level == "L1C" else L2A:
            side = BY_NAME[band].resolution
            tail, layers = (f"_{side}m", f"R{side}m/") if one.level == "L2A" else ("", "")
            listed.append((granule, f"{stem}_{band}{tail}"))
            pixels = numbers(one, band, side)
            jp2(folder / "GRANULE" / granule / "IMG_DATA" / f"{layers}{stem}_{band}{tail}.jp2", pixels, side, one.moved)
        text = tile_xml(one).replace("TILE_ID ", "TILE_ID_2A ").replace("</TILE_ID>", "</TILE_ID_2A>")
        text = text if one.level == "L2A" else tile_xml(one)
        (folder / "GRANULE" / granule / f"{stem.replace('_MSI_', '_MTD_')}.xml").write_text(text)
    text = product_xml(first, listed, "IMAGE_ID_2A" if first.level == "L2A" else "IMAGE_ID")
    if first.level == "L2A":
        text = text.replace("PRODUCT_URI>", "PRODUCT_URI_2A>").replace("BOA_QUANT", "L2A_BOA_QUANT")
        text = (
            text.replace(">Level-2A<", ">Level-2Ap<")
            .replace("<Granule ", "<Granules ")
            .replace("</Granule>", "</Granules>")
        )
    (folder / f"{first.sat}_{user}_MTD_SAF{first.level}_PDMC_{first.made}T120000.xml").write_text(text)
    return folder


def bucket(root: Path, made: Made, *, info: bool = True) -> Path:
    """Write a tile as buckets keep it; return the folder at the top."""
    year, month, day = made.date[:4], int(made.date[4:6]), int(made.date[6:])
    path = f"tiles/{made.tile[:2]}/{made.tile[2]}/{made.tile[3:]}/{year}/{month}/{day}/0"
    folder = root / "bucket" / path
    for name, (band, side) in images(made).items():
        inner = f"{name.split('/')[0]}/{band}.jp2" if "/" in name else f"{band}.jp2"
        jp2(folder / inner, numbers(made, band, side), side, made.moved)
    (folder / "metadata.xml").write_text(tile_xml(made))
    if info:
        tile = {
            "path": path, "timestamp": f"{made.day}T10:15:42.461Z", "utmZone": int(made.tile[:2]),
            "latitudeBand": made.tile[2], "gridSquare": made.tile[3:], "cloudyPixelPercentage": 12.5,
            "productName": made.name,
        }  # fmt: skip
        (folder / "tileInfo.json").write_text(json.dumps(tile))
        product = {"name": made.name, "timestamp": f"{made.day}T10:10:31.024Z", "tiles": [tile]}
        (folder / "productInfo.json").write_text(json.dumps(product))
    return root / "bucket"


def zipped(folder: Path, target: Path, around: str = "") -> Path:
    """Zip a folder with its own name at the top."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, f"{around}{path.relative_to(folder.parent)}")
    return target
