"""Collections of labelled patches, a folder a patch with a file a band, as BigEarthNet comes (Sumbul et al. 2019).

Bands of 20 and 60 m are laid over those of 10 m. A patch of BigEarthNet has several classes as a rule; a patch of ours
has one, so that those of several have none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import BAND_NAMES
from core.errors import SourceError
from core.ingest.bands.names import band_of_file
from core.ingest.files import RASTER_SUFFIXES, Member, Shelf, SourceFiles
from core.ingest.findings import finding
from core.ingest.formats.geotiff import RasterFile, open_raster
from core.ingest.formats.kind import PatchFiles
from core.ingest.grid.resample import Bools, PixelWindow, Sampled, read_resampled
from core.ingest.grid.stack import Moved
from core.ingest.json_text import json_object
from core.ingest.messages import clean_name
from core.scenes.quality import Finding

_PATCH = re.compile(r"(?<![^/])S2[ABCD]_MSIL(?:1C|2A)_[^/]*_\d{1,3}_\d{1,3}(?=/)", re.IGNORECASE)
"""The folder of a patch: a product, column and row."""
_LABELS = re.compile(r"_labels(?:_metadata)?\.json$", re.IGNORECASE)
_MOST_BYTES = 2**20
_SHOWN = 8


class PatchFolders:
    """Several folders of band files, each named as a patch of a product."""

    own_files: frozenset[str] = frozenset()

    def recognises(self, files: SourceFiles) -> bool:
        """Tell whether there are several such folders."""
        return len(_by_folder(files.members)) > 1

    def layers(self, files: SourceFiles, _opened: ExitStack) -> PatchFiles:
        """Return the patches, each known by the first of its files, and their classes."""
        folders = _by_folder(files.members)
        patches = tuple(bands[0] for bands in folders.values())
        beside = {name: member for member in files.members if (name := _folder(member)) and _LABELS.search(member.name)}
        said = {
            folders[name][0].number: _labels(files.shelf, member) for name, member in beside.items() if name in folders
        }
        used = [member for bands in folders.values() for member in bands] + list(beside.values())
        return PatchFiles(
            patches=patches,
            bands={bands[0].number: tuple(bands) for bands in folders.values()},
            names={bands[0].number: name for name, bands in folders.items()},
            labels={patch.number: _single(said.get(patch.number, ())) for patch in patches} if said else None,
            used=tuple(used),
            findings=tuple(_said(said)),
        )


def _folder(member: Member) -> str | None:
    found = _PATCH.search(member.name)
    return found[0] if found else None


def _by_folder(members: Sequence[Member]) -> dict[str, list[Member]]:
    """Return the band files of each folder of a patch, in the order of the bands."""
    folders: dict[str, list[Member]] = {}
    for member in members:
        name = _folder(member)
        if name and member.suffix in RASTER_SUFFIXES and band_of_file(member.stem):
            folders.setdefault(name, []).append(member)
    for bands in folders.values():
        bands.sort(key=lambda member: BAND_NAMES.index(band_of_file(member.stem) or BAND_NAMES[0]))
    return folders


def _labels(shelf: Shelf, member: Member) -> tuple[str, ...]:
    """Return the classes that a file beside a patch states; none where it cannot be read."""
    if member.size > _MOST_BYTES:
        return ()
    try:
        stated = json_object(shelf.path(member).read_text(encoding="utf-8", errors="replace"))
    finally:
        shelf.release(member)
    labels = (stated or {}).get("labels")
    return (
        tuple(clean_name(label, 120) for label in labels if isinstance(label, str)) if isinstance(labels, list) else ()
    )


def _single(labels: Sequence[str]) -> str | None:
    return labels[0] if len(labels) == 1 else None


def _said(labels: Mapping[int, Sequence[str]]) -> list[Finding]:
    """Say which classes patches of several have."""
    several = [names for names in labels.values() if len(names) > 1]
    if not several:
        return []
    counts = Counter(name for names in several for name in dict.fromkeys(names)).most_common()
    more = f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else ""
    value = f"{', '.join(f'{name} {count:,}' for name, count in counts[:_SHOWN])}{more}"
    count = "one patch has" if len(several) == 1 else f"{len(several):,} patches have"
    because = f"{count} several classes, which is none here, where a patch has one"
    return [finding("several classes", value, "warning", because)]


def open_patch(shelf: Shelf, patch: Member, found: PatchFiles) -> RasterFile:
    """Open one patch of a collection: its only file, its band files laid over each other, or a part of an array.

    Raises:
        SourceError: as of ``open_raster``, or when its bands do not lie over each other.
    """
    if found.opens is not None:
        return found.opens(patch)
    members = found.bands.get(patch.number)
    if members is None:
        return open_raster(shelf.path(patch), patch.name)
    with ExitStack() as opened:
        parts = []
        for member in members:
            parts.append(open_raster(shelf.path(member), member.name))
            opened.callback(parts[-1].close)
        raster = _laid(parts, found.names[patch.number])
        opened.pop_all()
    return raster


def release_patch(shelf: Shelf, patch: Member, found: PatchFiles) -> None:
    """Say that the files of a patch are not needed any more."""
    parts = () if found.opens is not None else found.bands.get(patch.number, (patch,))
    for member in parts:
        shelf.release(member)


def _laid(parts: Sequence[RasterFile], name: str) -> RasterFile:
    if any(part.count != 1 for part in parts):
        raise SourceError(
            found="its files hold several bands each", remedy="put a file a band into the folder of a patch"
        )
    reference = max((part.geobox for part in parts), key=lambda box: box.height * box.width)
    placed = reference.placed
    if any(part.geobox.placed != placed or part.geobox.crs != reference.crs for part in parts):
        raise SourceError(found="its bands lie in different places", remedy="put the bands of one patch into a folder")
    return BandFolder(
        parts=tuple(parts),
        name=name,
        data=None,
        geobox=reference,
        count=len(parts),
        dtypes=tuple(part.dtypes[0] for part in parts),
        descriptions=tuple(band_of_file(part.name.rsplit("/", 1)[-1].rsplit(".", 1)[0]) or "" for part in parts),
        nodata=tuple(part.nodata[0] for part in parts),
        scaling=tuple(part.scaling[0] for part in parts),
        alpha=(),
        tags={key: value for part in reversed(parts) for key, value in part.tags.items()},
        block=(reference.height, reference.width),
        masked=False,
        notes=parts[0].notes,
    )


@dataclass(frozen=True, kw_only=True)
class BandFolder(RasterFile):
    """Band files of one patch as one raster on the finest of their grids.

    Attributes:
        parts: a raster a band.
    """

    parts: tuple[RasterFile, ...]

    def read(self, indexes: list[int], window: PixelWindow) -> NDArray[Any]:
        """Read as a raster of one file; coarser bands are interpolated."""
        return np.concatenate([self._one(index, window).values for index in indexes])

    def read_missing(self, window: PixelWindow) -> Bools | None:
        """Read where a band says that there is nothing, or ends before the others."""
        missing = [self._one(index, window).missing for index in range(1, self.count + 1)]
        return np.asarray(np.logical_or.reduce(missing), dtype=bool)

    def _one(self, index: int, window: PixelWindow) -> Sampled:
        part = self.parts[index - 1]
        source = part if part.geobox.placed else Moved(part, part.geobox.stretched_to(self.geobox))
        return read_resampled(source, [1], [part.nodata[0] or None], self.geobox.transform, window)

    def close(self) -> None:
        """Let the files go."""
        for part in self.parts:
            part.close()
