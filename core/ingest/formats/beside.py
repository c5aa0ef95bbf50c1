"""What lies beside the bands of a scene: its classification, masks, pictures made of bands, and files of no use."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import SourceError
from core.ingest.bands.names import names_other_layer
from core.ingest.files import RASTER_SUFFIXES, Member
from core.ingest.findings import finding, ignored
from core.ingest.formats.classification import ClassRaster, class_raster, names_classes
from core.ingest.formats.extra_samples import is_mask_name, mask_file
from core.ingest.formats.geotiff import RasterFile
from core.ingest.messages import clean_name
from core.scenes.quality import Finding

_PICTURE = re.compile(
    r"(?<![A-Za-z0-9])(?:TCI|PVI|(?:true|false|natural)[ _-]?colou?r|highlight[ _-]?optimi[sz]ed|quicklook|preview|"
    r"thumbnail|ND[VWSBM]I|EVI|SAVI|moisture[ _-]?index|urban|SWIR)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_PICTURES = "they are pictures or indices made of bands, and no bands"
_LAYERS = "they are layers of quality, masks or indices, and no bands"
_NO_RASTERS = "they are no rasters"
_UNFINISHED = frozenset({".part", ".partial", ".filepart", ".crdownload", ".download", ".opdownload", ".tmp"})
_BROKEN_OFF = "their names are those of downloads that did not end"
_NO_BAND = "their names are of no Sentinel-2 band, as those of the other files are"
_NO_CLASSES = "they are named as a scene classification, but hold other numbers than its 0 to 11"
_MOST_MASKS = 20

Open = Callable[[Member], RasterFile]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Files beside bands, sorted out.

    Attributes:
        classification: a map of classes, or None.
        masks: what says where there is data.
        findings: what is said of them, and of files that are left out.
        states_level: True = a scene classification is there, as in L2A.
    """

    classification: ClassRaster | None
    masks: tuple[RasterFile, ...]
    findings: tuple[Finding, ...]
    states_level: bool


def sort_out(others: Sequence[Member], rasters: Sequence[RasterFile], open_file: Open) -> Beside:
    """Open what says something of a scene, and list the rest, each with its reason.

    Args:
        others: files that hold no band.
        rasters: those that do; one of their samples may be the classification.
        open_file: opens a raster until the scene is built.
    """
    images = [member for member in others if member.suffix in RASTER_SUFFIXES]
    left_out: dict[str, list[str]] = {}
    classes = [member for member in images if names_classes(member.name)]
    map_of_classes, unread = _classification(classes, rasters, open_file)
    left_out.setdefault(_NO_CLASSES, []).extend(unread)
    masks = _masks(others, rasters, open_file)
    used = {raster.name for raster in masks}
    for member in others:
        if member in classes or member.name in used:
            continue
        because = _BROKEN_OFF if member.suffix in _UNFINISHED else _NO_RASTERS
        if member in images:
            named = names_other_layer(member.stem)
            because = _PICTURES if _PICTURE.search(member.stem) else _LAYERS if named else _NO_BAND
        left_out.setdefault(because, []).append(member.base)
    findings = [*_masks_said(masks), *(line for why, names in left_out.items() for line in ignored(names, why))]
    return Beside(
        classification=map_of_classes,
        masks=tuple(masks),
        findings=tuple(findings),
        states_level=bool(classes or map_of_classes),
    )


def _classification(
    members: Sequence[Member], rasters: Sequence[RasterFile], open_file: Open
) -> tuple[ClassRaster | None, list[str]]:
    """Return the finest map of classes that can be read, and the names of files that hold none."""
    found, unread = [], []
    for member in members[:_MOST_MASKS]:
        read = _opened(member, open_file)
        one = None if read is None else class_raster(read)
        if one is None:
            unread.append(member.base)
        else:
            found.append(one)
    for raster in rasters:
        for index, text in enumerate(raster.descriptions, 1):
            if names_classes(text) and (one := class_raster(raster, index)):
                found.append(one)
    return max(found, key=lambda one: one.geobox.height * one.geobox.width, default=None), unread


def _masks(others: Sequence[Member], rasters: Sequence[RasterFile], open_file: Open) -> list[RasterFile]:
    bases = {raster.name for raster in rasters}
    found: list[RasterFile] = []
    for member in others:
        beside = member.suffix == ".msk" and member.name[:-4] in bases
        named = member.suffix in RASTER_SUFFIXES and is_mask_name(member.stem)
        if not (beside or named) or len(found) == _MOST_MASKS:
            continue
        raster = _opened(member, open_file)
        if raster is not None and mask_file(raster):
            found.append(raster)
    return found


def _opened(member: Member, open_file: Open) -> RasterFile | None:
    """Return a raster; None for one that cannot be read: a scene does not need what lies beside it."""
    try:
        return open_file(member)
    except SourceError:
        return None


def _masks_said(masks: Sequence[RasterFile]) -> list[Finding]:
    if not masks:
        return []
    shown = ", ".join(clean_name(raster.name.rsplit("/", 1)[-1], 100) for raster in masks[:3])
    return [finding("mask", shown, "read", "the file holds 0 and one other number only, and says where there is data")]
