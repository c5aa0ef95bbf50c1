"""What the patches of a collection are like, decided on a sample of them; writing them is ``collection_builder``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.bands import EUROSAT_CLASSES
from core.errors import SourceError
from core.ingest.bands.assign import name_bands
from core.ingest.bands.calibration import calibration
from core.ingest.bands.fill import fills_said, shared_or_wide, standing_apart
from core.ingest.bands.flat_ground import doubtful_bright
from core.ingest.bands.names import parse_band
from core.ingest.bands.patch_scales import PatchNumbers, PatchScales, patch_scales
from core.ingest.files import Member, Shelf, SourceFiles
from core.ingest.formats.geotiff import RasterFile
from core.ingest.formats.kind import PatchFiles
from core.ingest.formats.patch_folders import open_patch, release_patch
from core.ingest.formats.product_metadata import Hints, read_hints
from core.ingest.grid.resample import NoData, no_data_of
from core.ingest.grid.stack import Layer, layers_of
from core.ingest.sandbox.limits import PATCH_SIDES
from core.scenes.quality import Finding

PICTURE_BANDS = ("B04", "B03", "B02")
PICTURE_GAIN = 2750 / 255
"""EuroSAT pictures are digital number · 255 / 2750, clipped (measured on pairs of both kinds)."""
_PROBES = 128

PatchShape = tuple[int, int, int, str]
"""Bands, height, width, type."""


@dataclass(frozen=True, kw_only=True)
class CollectionPlan:
    """What every patch of a collection has to be like.

    Attributes:
        shape: bands, height, width and type of the files.
        bands: present bands in product order.
        indexes: 1-based band of the file for each of them.
        texts: what most files call their bands.
        picture: True = 8-bit pictures.
        scales: what the numbers mean; of pictures None.
        marks: what marks missing pixels of each band beyond what a patch declares.
        zero_is_data: True = tags state that 0 is a number like others.
        nodata: what a person says stands for no data, in place of what files declare; None = nothing was said.
        hints: what names and tags of the sampled files say, tags merged.
        findings: how it was decided.
    """

    shape: PatchShape
    bands: tuple[str, ...]
    indexes: tuple[int, ...]
    texts: tuple[str, ...]
    picture: bool
    scales: PatchScales | None
    marks: tuple[NoData, ...]
    zero_is_data: bool
    nodata: float | None
    hints: Hints
    findings: tuple[Finding, ...]

    @property
    def side(self) -> int:
        """Pixels a side."""
        return self.shape[1]

    def indexes_in(self, raster: RasterFile) -> tuple[int, ...]:
        """Return the 1-based band of a patch for each of the present bands; some patches have them in another order.

        Raises:
            SourceError: when it calls them otherwise.
        """
        if self.picture or raster.descriptions == self.texts or not any(raster.descriptions):
            return self.indexes
        named = {index: parse_band(text) for index, text in enumerate(raster.descriptions, 1)}
        usual = [parse_band(text) for text in self.texts]
        if not any(usual) or {*named.values()} != {*usual} or len({*usual}) < len(usual):
            if any(usual) or any(named.values()):
                raise SourceError(found="its bands are called otherwise than those of most", remedy="open it by itself")
            return self.indexes
        places = {band: index for index, band in named.items()}
        return tuple(places[usual[index - 1]] for index in self.indexes)


def patch_shape(raster: RasterFile) -> PatchShape:
    """Return what has to be equal in all patches."""
    count = raster.count - len(raster.alpha)
    return count, raster.geobox.height, raster.geobox.width, raster.dtypes[0]


@dataclass(frozen=True, kw_only=True)
class _Probe:
    """A patch that could be read.

    Attributes:
        raster: the file, closed.
        shape: what has to be equal in all patches.
        pixels: some of its valid pixels, shape (bands, pixels), transparency left out.
        name: what people call it.
    """

    raster: RasterFile
    name: str
    shape: PatchShape
    pixels: NDArray[np.float32]


def plan_collection(files: SourceFiles, found: PatchFiles) -> CollectionPlan:
    """Look at up to 128 patches spread over the collection and decide what all of them are like.

    Raises:
        SourceError: when none can be read, or they are not square patches of 8 to 512 pixels.
        BandsError: when their bands cannot be told.
    """
    patches = found.patches
    step = max(1, len(patches) // _PROBES)
    opened = _probe(files.shelf, patches[::step], found) or _probe(files.shelf, patches, found)
    if not opened:
        unread = f"none of its {len(patches)} patches can be read"
        raise SourceError(found=unread, remedy="choose a zip of GeoTIFF or JPEG patches in class folders")
    shape = Counter(probe.shape for probe in opened).most_common(1)[0][0]
    alike = [probe for probe in opened if probe.shape == shape]
    texts = Counter(probe.raster.descriptions for probe in alike).most_common(1)[0][0]
    alike = [probe for probe in alike if probe.raster.descriptions == texts]
    _, height, width, kind = shape
    if height != width or height not in PATCH_SIDES:
        unlike = f"its rasters are not named as bands, and with {width} × {height} pixels they are no patches"
        remedy = f"name them like B04.tif, or choose square patches of {PATCH_SIDES[0]} to {PATCH_SIDES[-1]} pixels"
        raise SourceError(found=unlike, remedy=remedy)
    tags = {key: value for probe in reversed(alike) for key, value in probe.raster.tags.items()}
    hints = _hints(files, found, tags)
    if np.dtype(kind).itemsize == 1 and files.settings.scale == "auto":
        return _picture_plan(shape, hints, known=_of_eurosat(patches))
    pixels = np.concatenate([probe.pixels for probe in alike], axis=1)
    layers = layers_of(alike[0].raster, without=alike[0].raster.alpha)
    naming = name_bands(layers, files.settings.bands, lambda _layers: pixels)
    rows = {layer.index: row for row, layer in enumerate(layers)}
    samples = {layer.band: pixels[rows[layer.index]] for layer in naming.layers}
    chosen = files.settings.nodata
    reals = {band: values.astype(np.float64) for band, values in samples.items()}
    apart = {} if chosen is not None else {band: standing_apart(values) for band, values in reals.items()}
    fills, bright = shared_or_wide(apart, reals)
    marks = {band: NoData(values=fills[band]) if fills else no_data_of(chosen) for band in samples}
    looked_at = [_numbers(probe, naming.layers, rows, marks) for probe in alike]
    integers, own = np.dtype(kind).kind in "iu", _of_all(hints, files.name)
    return CollectionPlan(
        shape=shape,
        bands=tuple(layer.band for layer in naming.layers),
        indexes=tuple(layer.index for layer in naming.layers),
        texts=texts,
        picture=False,
        scales=patch_scales(looked_at, chosen=files.settings.scale, integers=integers, hints=own),
        marks=tuple(marks[layer.band] for layer in naming.layers),
        zero_is_data=any(pair is not None and pair[1] > 0 for pair in looked_at[0].scaling.values()),
        nodata=chosen,
        hints=hints,
        findings=(naming.finding, *fills_said(fills), *doubtful_bright(bright)),
    )


def _numbers(
    probe: _Probe, layers: Sequence[Layer], rows: Mapping[int, int], marks: Mapping[str, NoData]
) -> PatchNumbers:
    """Return the numbers of a patch by band, without those that stand for no data."""
    values = {layer.band: probe.pixels[rows[layer.index]] for layer in layers}
    good = np.logical_and.reduce([~marks[band].found_in(numbers) for band, numbers in values.items()])
    return PatchNumbers(
        raster=probe.raster,
        name=probe.name,
        bands={band: numbers[good] for band, numbers in values.items()},
        scaling={layer.band: probe.raster.scaling[layer.index - 1] for layer in layers},
    )


def _of_all(hints: Hints, name: str) -> Hints:
    """Return hints that say of an offset what the name of the source does; what a patch says is asked of each."""
    own = read_hints([name], {}, ())
    return replace(hints, baseline=own.baseline, offset=own.offset)


def _hints(files: SourceFiles, found: PatchFiles, tags: Mapping[str, str]) -> Hints:
    """Return what names and tags say; of patches that are called after products, what all of them say."""
    hints = read_hints([files.name], tags, [])
    told = [read_hints([name], {}, ()) for name in found.names.values()]
    levels = {one.level for one in told}
    days = sorted({one.date.value for one in told if one.date is not None})
    return replace(
        hints,
        date=hints.date or (told[0].date if len(days) == 1 else None),
        period=f"{days[0]} to {days[-1]}" if len(days) > 1 else hints.period,
        level=hints.level or (levels.pop() if len(levels) == 1 else None),
    )


def _of_eurosat(patches: Sequence[Member]) -> bool:
    """Tell whether the folders of patches, or the patches themselves, are called after classes of EuroSAT."""
    named = [member for member in patches if {member.folder, member.stem.rpartition("_")[0]} & set(EUROSAT_CLASSES)]
    return 2 * len(named) > len(patches)


def _picture_plan(shape: PatchShape, hints: Hints, *, known: bool) -> CollectionPlan:
    """Plan a collection of pictures of 8 bits.

    Args:
        shape: of a patch.
        hints: what the source says of itself.
        known: True = they are EuroSAT's, and it is known what their numbers mean.

    Raises:
        SourceError: when they are no pictures of three bands.
    """
    if shape[0] != len(PICTURE_BANDS):
        found = "its patches are 8-bit: reflectance × 255, or pictures whose reflectance is lost, which do not differ"
        remedy = "export the bands as 16-bit or float reflectance, or choose the scale 255 where 255 is reflectance 1"
        raise SourceError(found=found, remedy=remedy)
    order = tuple(sorted(PICTURE_BANDS))
    because = "8-bit pictures are taken for EuroSAT's, 255 = reflectance 0.275"
    if known:
        scale = calibration("dn", "assumed", f"{because}, after whose classes they are called")
    else:
        unlike = "if 255 is reflectance 1, choose the scale 255; other pictures hold no reflectance"
        scale = calibration("dn", "warning", f"{because}, and nothing says that they are; {unlike}")
    finding = Finding(
        topic="bands",
        value=", ".join(order),
        basis="assumed",
        because="the patches are pictures, taken for B04, B03, B02 as red, green, blue",
    )
    return CollectionPlan(
        shape=shape,
        bands=order,
        indexes=tuple(PICTURE_BANDS.index(band) + 1 for band in order),
        texts=(),
        picture=True,
        scales=None,
        marks=(NoData(),) * len(order),
        zero_is_data=False,
        nodata=None,
        hints=hints,
        findings=(finding, *scale.findings),
    )


def _probe(shelf: Shelf, patches: Sequence[Member], found: PatchFiles) -> list[_Probe]:
    """Return the patches that can be read."""
    opened = []
    for member in patches[: 4 * _PROBES]:
        try:
            raster = open_patch(shelf, member, found)
            try:
                name = found.names.get(member.number, member.name)
                opened.append(_Probe(raster=raster, name=name, shape=patch_shape(raster), pixels=_valid(raster)))
            finally:
                raster.close()
        except SourceError:
            continue
        finally:
            release_patch(shelf, member, found)
    return opened


def _valid(raster: RasterFile) -> NDArray[np.float32]:
    """Return about a thousand valid pixels of a patch, shape (bands, pixels)."""
    indexes = [index for index in range(1, raster.count + 1) if index not in raster.alpha]
    numbers = raster.read(indexes, (0, 0, min(512, raster.geobox.height), min(512, raster.geobox.width)))
    declared = [no_data_of(raster.nodata[index - 1]).found_in(row) for index, row in zip(indexes, numbers, strict=True)]
    flat = numbers.reshape(len(indexes), -1).astype(np.float32)
    empty = np.logical_or.reduce(declared).ravel() & (flat != 0).any(axis=0)
    valid = np.isfinite(flat).all(axis=0) & (flat != 0).any(axis=0) & ~empty
    thin: NDArray[np.float32] = flat[:, valid][:, :: max(1, int(valid.sum()) // 1024)]
    return thin
