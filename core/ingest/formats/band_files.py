"""One scene as rasters: a file of many bands, or a file a band, with tables and metadata beside them."""

from __future__ import annotations

from contextlib import ExitStack

from core.errors import SourceError, SourceTooLargeError
from core.ingest.bands.names import band_of_file, names_other_layer
from core.ingest.files import METADATA_SUFFIXES, RASTER_SUFFIXES, TABLE_SUFFIXES, Member, SourceFiles
from core.ingest.formats.geotiff import RASTER_REMEDY, open_raster
from core.ingest.formats.kind import SceneLayers
from core.ingest.formats.product_metadata import read_hints
from core.ingest.grid.stack import layers_of
from core.ingest.sandbox.limits import MAX_SOURCE_FILES

_MAX_DOCUMENT = 4 * 2**20
_MAX_OPEN = 200


class BandFiles:
    """One raster, or several that lie over each other."""

    own_files: frozenset[str] = frozenset()

    def recognises(self, _files: SourceFiles) -> bool:
        """Take any source: what is wrong with it shows when it is opened."""
        return True

    def layers(self, files: SourceFiles, opened: ExitStack) -> SceneLayers:
        """Return all bands but transparency, by files sorted by name."""
        if len(files.members) > MAX_SOURCE_FILES:
            found = f"it holds {len(files.members):,} files, more than the {MAX_SOURCE_FILES:,} allowed"
            raise SourceTooLargeError(found=found, remedy="keep only the band files")
        chosen = _chosen(files)
        rasters = []
        for member in chosen:
            rasters.append(open_raster(files.shelf.path(member), member.name))
            opened.callback(rasters[-1].close)
        tags = {key: value for raster in reversed(rasters) for key, value in raster.tags.items()}
        tables = files.ending(TABLE_SUFFIXES)
        return SceneLayers(
            layers=tuple(layer for raster in rasters for layer in layers_of(raster, without=raster.alpha)),
            hints=read_hints([files.name, *(raster.name for raster in rasters)], tags, _documents(files)),
            notes=rasters[0].notes,
            tables=tuple(tables),
            left_out=tuple(member.base for member in files.others([*chosen, *tables])),
        )


def _chosen(files: SourceFiles) -> list[Member]:
    """Choose the files that may hold bands: the only one whatever it is, those named as bands, or all rasters."""
    if len(files.members) == 1:
        return list(files.members)
    candidates = files.ending(RASTER_SUFFIXES)
    chosen = candidates
    if files.settings.bands is None:
        named = [member for member in candidates if band_of_file(member.stem) is not None]
        chosen = named or [member for member in candidates if not names_other_layer(member.stem)]
    if not chosen or len(chosen) > _MAX_OPEN:
        found = f"{len(chosen) or 'none'} of its {len(files.members):,} files may be a band"
        raise SourceError(found=found, remedy=RASTER_REMEDY)
    return chosen


def _documents(files: SourceFiles) -> list[str]:
    """Read the product metadata files as text."""
    chosen = [m for m in files.ending(METADATA_SUFFIXES) if m.size <= _MAX_DOCUMENT and "MTD" in m.stem.upper()]
    return [files.shelf.path(member).read_text(encoding="utf-8", errors="replace") for member in chosen[:8]]
