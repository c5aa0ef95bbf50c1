"""Opening a raster from outside, safely: the only rasterio.open of untrusted input, and only in the sandbox."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, Interleaving, MaskFlags
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import DatasetReader
from rasterio.windows import Window

from core.errors import SourceError, SourceTooLargeError, UnsafeSourceError
from core.ingest.bands.names import names_positions, parse_band
from core.ingest.bands.packing import packing_of, usable_scaling
from core.ingest.bands.texts import band_texts
from core.ingest.formats.foreign.kinds import CONVERT, foreign_kind, in_place_of_a_file, refuse_foreign
from core.ingest.formats.snap.dimap import DimapBands
from core.ingest.formats.tiff_tags import TiffDirectory, read_directory
from core.ingest.gdal_errors import GDAL_ERRORS
from core.ingest.grid.georeference import Georeference, geobox_of, read_georeference
from core.ingest.grid.stack import Scaling
from core.ingest.messages import WHAT_IS_READ, damaged, errors_about
from core.ingest.sandbox.limits import MAX_BANDS, MAX_BLOCK_BYTES, MAX_PIXELS
from core.scenes.geobox import GeoBox

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"II*\x00", "GTiff"),
    (b"MM\x00*", "GTiff"),
    (b"II+\x00", "GTiff"),
    (b"MM\x00+", "GTiff"),
    (b"\x00\x00\x00\x0cjP  ", "JP2OpenJPEG"),
    (b"\xff\x4f\xff\x51", "JP2OpenJPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"EHFA_HEADER_TAG", "HFA"),
)
_CODEC = re.compile(r"missing codec(?: for| of code)? ?(\w*)")
"""What GDAL says of a TIFF whose compression it was built without."""
_ELSEWHERE = b"externalrasterdms"
"""What ERDAS Imagine calls, in small letters, the part of a raster that names another file with its pixels."""
_CHUNK = 4 * 2**20
_WITH_HEADER = (".img", ".dat", ".bsq", ".bil", ".bip")
"""How names of rasters end whose header lies beside them."""


def sniff_driver(head: bytes, name: str = "") -> str:
    """Tell the driver for a file, by its first bytes and never by its name; that serves to say why there is none.

    Raises:
        SourceError: when it is empty, of a kind that is not read, or no raster.
        UnsafeSourceError: when it is a description of other files or of addresses.
    """
    if not head:
        raise SourceError(found="the file is empty", remedy=WHAT_IS_READ)
    for signature, driver in _SIGNATURES:
        if head.startswith(signature):
            return driver
    refuse_foreign(head, name)
    raise SourceError(found="its content is not a raster image", remedy=WHAT_IS_READ)


def read_head(path: Path, size: int = 4096) -> bytes:
    """Return the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(size)


@dataclass(frozen=True, kw_only=True)
class RasterFile:
    """An open raster that passed every check.

    Attributes:
        name: what people call it.
        geobox: where its pixels lie, GCPs already turned into an affine.
        count: number of bands.
        dtypes: NumPy type of each band.
        descriptions: text of each band, empty where there is none.
        nodata: declared no-data value of each band, or None.
        scaling: scale and offset that the tags of each band state, or None.
        alpha: 1-based bands that say where there is something: transparency and masks.
        holes: those of them that are on where there is nothing.
        tags: metadata of the default domain.
        block: (height, width) of a block as decoding does it.
        notes: what had to be decided about its place, in words.
        senseless: text of a no-data tag that is no number, which GDAL would take for 0 or for what it begins with.
        masked: True = the file holds a mask of its own.
        bad: 1-based bands that a header beside it marks as bad.
        stated_by: names of files beside it that state something of its bands.
        declares: what it declares to be no data, in words, where numbers do not tell it.
    """

    name: str
    data: Any
    geobox: GeoBox
    count: int
    dtypes: tuple[str, ...]
    descriptions: tuple[str, ...]
    nodata: tuple[float | None, ...]
    scaling: tuple[Scaling | None, ...]
    alpha: tuple[int, ...]
    tags: dict[str, str]
    block: tuple[int, int]
    masked: bool
    notes: tuple[str, ...] = field(default=())
    senseless: str = ""
    stated_by: tuple[str, ...] = ()
    holes: tuple[int, ...] = ()
    bad: tuple[int, ...] = ()
    declares: tuple[str, ...] = ()

    def read(self, indexes: list[int], window: tuple[int, int, int, int]) -> NDArray[Any]:
        """Read numbers of shape (bands, height, width) of 1-based bands in a window (row, col, height, width).

        Raises:
            SourceError: when the file is damaged or cut short there.
        """
        row, col, height, width = window
        with _reading(self.name):
            numbers: NDArray[Any] = self.data.read(indexes, window=Window(col, row, width, height))
        return numbers

    def read_missing(self, window: tuple[int, int, int, int]) -> NDArray[np.bool_] | None:
        """Read where the file's own mask or transparency says that there is nothing; None when it has none."""
        row, col, height, width = window
        area = Window(col, row, width, height)
        with _reading(self.name):
            masks = [(index, self.data.read(index, window=area)) for index in self.alpha]
            missing = [numbers != 0 if index in self.holes else numbers == 0 for index, numbers in masks]
            if self.masked:
                missing.append(self.data.read_masks(1, window=area) == 0)
        return np.logical_or.reduce(missing) if missing else None

    def close(self) -> None:
        """Let the file go."""
        self.data.close()


@dataclass(frozen=True, kw_only=True)
class PagedFile(RasterFile):
    """A TIFF with a band a page, as programs write it that know arrays and no maps.

    Attributes:
        pages: an open page a band.
    """

    pages: tuple[Any, ...]

    def read(self, indexes: list[int], window: tuple[int, int, int, int]) -> NDArray[Any]:
        """Read as a raster of one page."""
        row, col, height, width = window
        area = Window(col, row, width, height)
        with _reading(self.name):
            return np.stack([self.pages[index - 1].read(1, window=area) for index in indexes])

    def close(self) -> None:
        """Let the file go."""
        for page in self.pages:
            page.close()
        self.data.close()


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Let what GDAL raises in a block become one sentence about a file."""
    with errors_about(name):
        try:
            yield
        except GDAL_ERRORS as error:
            raise _unknown_packing(error) or damaged() from error


def _unknown_packing(error: BaseException) -> SourceError | None:
    """Return the error for a file that is whole, but packed in a way that this GDAL does not know; None = it is not."""
    said = " ".join(str(one) for one in (error, error.__cause__, error.__context__) if one is not None)
    if (found := _CODEC.search(said)) is None:
        return None
    packing = f" ({found[1]})" if found[1] else ""
    text = f"its pixels are packed in a way that cannot be unpacked here{packing}"
    return SourceError(found=text, remedy="save it again by “gdal_translate -co COMPRESS=DEFLATE”, and open that")


def open_raster(path: Path, name: str) -> RasterFile:
    """Open one file of our own naming with the driver that its content asks for, and check it.

    Raises:
        SourceError: when it is empty, damaged, no raster, or of complex numbers.
        UnsafeSourceError: when it points to other files.
        SourceTooLargeError: when it exceeds a limit.
    """
    with _reading(name), warnings.catch_warnings(), ExitStack() as opened:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        driver = _driver(path, name)
        directory = read_directory(path) if driver == "GTiff" else None
        if directory is not None and not directory.complete:
            raise damaged()
        if driver == "ENVI":  # Its header lies beside it, where GDAL looks for nothing else.
            opened.enter_context(rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="TRUE"))
        if driver == "HFA":
            _refuse_pixels_elsewhere(path)
        # Of ERDAS Imagine the view without overviews has neither names of bands nor a place.
        view = {} if driver == "HFA" else {"OVERVIEW_LEVEL": "NONE"}
        data = rasterio.open(path, driver=driver, sharing=False, **view)
        opened.callback(data.close)
        _check(data)
        if driver == "JP2OpenJPEG":
            _read_by_one_thread(data)
        georeference = read_georeference(data, path, driver, directory)
        raster = _raster(data, name, georeference, directory)
        if driver == "GTiff" and len(data.subdatasets) > 1:
            raster = _with_pages(raster, path, opened)
        opened.pop_all()
    return raster


def _with_pages(raster: RasterFile, path: Path, opened: ExitStack) -> RasterFile:
    """Return a TIFF of several pages as a band a page; as it is where they differ in size or type.

    Raises:
        SourceError: when each of them is an image of several bands.
        SourceTooLargeError: when they are too many.
    """
    count = len(raster.data.subdatasets)
    check_size(count=count, height=raster.geobox.height, width=raster.geobox.width)
    pages = []
    for number in range(1, count + 1):
        page = rasterio.open(f"GTIFF_DIR:{number}:{path}", driver="GTiff", sharing=False)
        opened.callback(page.close)
        _check_block(page)
        if (page.shape, page.count, page.dtypes) != (raster.data.shape, raster.count, raster.dtypes):
            return raster
        pages.append(page)
    if raster.count > 1:
        found = f"it holds {count} images of {raster.count} bands each, one behind the other"
        raise SourceError(found=found, remedy="save each as a file of its own")
    return PagedFile(
        **{
            **vars(raster),
            "count": count,
            "dtypes": raster.dtypes * count,
            "descriptions": tuple((page.descriptions[0] or "").strip() for page in pages),
            "nodata": raster.nodata * count,
            "scaling": raster.scaling * count,
            "pages": tuple(pages),
        }
    )


def _read_by_one_thread(data: DatasetReader) -> None:
    """Let GDAL decode JPEG 2000 by one thread: by several, it passes over tiles that are damaged or cut short.

    How many there are is settled by the first that is read.
    """
    with rasterio.Env(GDAL_NUM_THREADS="1"):
        data.read(1, window=Window(0, 0, 1, 1))


def _driver(path: Path, name: str) -> str:
    """Return the driver of a file of our own naming, by the header of ours beside it or by its first bytes.

    Raises:
        SourceError: as of ``sniff_driver``; of a raster without its header it says so.
    """
    if not path.suffix and path.with_suffix(".hdr").is_file():
        return "ENVI"
    head = read_head(path)
    try:
        return sniff_driver(head, name)
    except UnsafeSourceError:
        raise
    except SourceError as error:
        told = foreign_kind(head) is not None or in_place_of_a_file(head) is not None
        if head and name.lower().endswith(_WITH_HEADER) and not told:
            error.found = "without a header beside it nothing says how its pixels lie"
            error.remedy = "choose it together with the file of the same name that ends in .hdr"
        raise


def _refuse_pixels_elsewhere(path: Path) -> None:
    """Refuse an ERDAS Imagine raster whose pixels lie in another file, which GDAL would open by the name it states.

    Raises:
        UnsafeSourceError: when it is one.
    """
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if _ELSEWHERE in tail + chunk.lower():
                found = "it is an ERDAS Imagine file whose pixels lie in another file, an .ige, which is not followed"
                raise UnsafeSourceError(found=found, remedy=CONVERT)
            tail = chunk[-len(_ELSEWHERE) :].lower()


def _check(data: DatasetReader) -> None:
    """Refuse what must not be read, first of all what would make GDAL open further files."""
    if data.tags(ns="OVERVIEWS"):
        found = "it asks for further files beside it"
        raise UnsafeSourceError(found=found, remedy="save it again as one plain GeoTIFF")
    check_size(count=data.count, height=data.height, width=data.width)
    _check_block(data)
    if any(dtype.startswith("complex") for dtype in data.dtypes):
        found = "its pixels are complex numbers"
        raise SourceError(found=found, remedy="choose optical reflectance, not radar data")


def _raster(data: DatasetReader, name: str, georeference: Georeference, directory: TiffDirectory | None) -> RasterFile:
    told = directory.descriptions if directory is not None else {}
    texts = [told.get(i) or (text or "").strip() for i, text in enumerate(data.descriptions, 1)]
    tags = {str(key): str(value)[:500] for key, value in list(data.tags().items())[:500]}
    senseless = _senseless(directory.no_data) if directory is not None else ""
    dimap = _dimap(directory, data.count)
    tags = {**dimap.tags, **tags}
    geobox, notes = geobox_of(georeference, data.height, data.width)
    descriptions = band_texts(texts, directory.items if directory is not None else {}, tags)
    if dimap.texts and (not any(descriptions) or names_positions(descriptions)):
        descriptions = dimap.texts
    alpha = tuple(
        position
        for position, (kind, text) in enumerate(zip(data.colorinterp, descriptions, strict=True), 1)
        if kind == ColorInterp.alpha and parse_band(text) is None
    )
    return RasterFile(
        name=name,
        data=data,
        geobox=geobox,
        count=data.count,
        dtypes=tuple(data.dtypes),
        descriptions=descriptions,
        nodata=(None,) * data.count if senseless else _first_stated(data.nodatavals, dimap.nodata),
        senseless=senseless,
        scaling=_first_stated(_scaling(data, directory, tags), dimap.scaling),
        alpha=alpha,
        tags=tags,
        block=data.block_shapes[0],
        masked=MaskFlags.per_dataset in data.mask_flag_enums[0] and not alpha,
        notes=notes,
    )


def _dimap(directory: TiffDirectory | None, count: int) -> DimapBands:
    """Return what SNAP says of the bands; nothing of them where it tells of another number of them."""
    dimap = DimapBands() if directory is None else directory.dimap
    return dimap if len(dimap.texts) == count else DimapBands(tags=dimap.tags)


def _first_stated(own: Sequence[Any], other: Sequence[Any]) -> tuple[Any, ...]:
    """Return of each band what the first of two sources states."""
    return tuple(one if one is not None else two for one, two in zip_longest(own, other))


def _senseless(text: str) -> str:
    try:
        float(text or "nan")
    except ValueError:
        return text[:40]
    return ""


def _scaling(
    data: DatasetReader, directory: TiffDirectory | None, tags: Mapping[str, str]
) -> tuple[Scaling | None, ...]:
    """Return what each band states as GDAL keeps it, or as its own items of metadata or those of the file do."""
    items = directory.packing if directory is not None else {}
    own = [usable_scaling(*pair) for pair in zip(data.scales, data.offsets, strict=True)]
    whole = packing_of(tags)
    return tuple(scaling or packing_of(items.get(n, {})) or whole for n, scaling in enumerate(own, 1))


def check_size(*, count: int, height: int, width: int) -> None:
    """Refuse more bands or pixels than the limits.

    Raises:
        SourceTooLargeError: with the numbers found.
    """
    if count > MAX_BANDS:
        found = f"it has {count:,} bands, more than the {MAX_BANDS} allowed"
        raise SourceTooLargeError(found=found, remedy="choose a file with the Sentinel-2 bands only")
    if height * width > MAX_PIXELS:
        found = f"it has {width:,} × {height:,} pixels, more than the {MAX_PIXELS // 10**6} million allowed"
        raise SourceTooLargeError(found=found, remedy="cut the area of interest out of it first")


def _check_block(data: DatasetReader) -> None:
    height, width = data.block_shapes[0]
    interleaved = data.count if data.interleaving == Interleaving.pixel else 1
    itemsize = max(np.dtype(dtype).itemsize for dtype in data.dtypes)
    size = height * width * itemsize * interleaved
    if size > MAX_BLOCK_BYTES:
        found = f"its pixels come in blocks of {size / 2**20:,.0f} MB, more than the {MAX_BLOCK_BYTES >> 20} MB allowed"
        raise SourceTooLargeError(found=found, remedy="save it again as a tiled GeoTIFF")
