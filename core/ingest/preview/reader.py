"""Making the picture of a source: overviews where it has any; only in the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from core.errors import SeveralDatesError, SourceError
from core.ingest.files import SourceFiles
from core.ingest.formats.geotiff import RasterFile
from core.ingest.formats.kind import SceneLayers
from core.ingest.gdal_errors import GDAL_ERRORS
from core.ingest.grid.georeference import canonical_grid
from core.ingest.grid.stack import Layer, finest
from core.ingest.grouping import kind_of
from core.ingest.intake import source_files
from core.ingest.messages import damaged
from core.ingest.preview.protocol import PICTURE_FILE, PREVIEW_SIDE, PreviewRequest, PreviewResult
from core.ingest.scene_builder import named_bands
from core.progress import Progress, silent
from core.scenes.geobox import GeoBox

_COLOURS = ("B04", "B03", "B02")
_STRETCH = (5, 98)


def read_preview(request: PreviewRequest, opening: Progress = silent) -> PreviewResult:
    """Write the picture into the directory of the request.

    Args:
        request: what to do.
        opening: told files that were opened.

    Raises:
        SourceError: why there is none.
    """
    files = source_files(request.source, opening)
    with ExitStack() as opened:
        found = _layers(files, opened)
        layers = named_bands(found, files.settings).layers
        reference = finest(layers)
        grid, _ = canonical_grid(reference, chosen_crs=files.settings.crs)
        if reference.placed and not reference.axis_aligned:
            found_so = "its rows do not run along the axes of its map, so it has no picture to choose a part on"
            raise SourceError(found=found_so, remedy="give the part in pixels or degrees")
        step = -(-max(grid.height, grid.width) // PREVIEW_SIDE)
        rows, cols = max(1, grid.height // step), max(1, grid.width // step)
        chosen = _coloured([layer for layer in layers if layer.source.geobox == reference])
        picture = _stretched([_as_laid(_small(layer, rows, cols), reference) for layer in chosen])
    (request.source.directory / PICTURE_FILE).write_bytes(picture.tobytes())
    return PreviewResult(height=grid.height, width=grid.width, rows=rows, cols=cols)


def _layers(files: SourceFiles, opened: ExitStack) -> SceneLayers:
    """Return the bands of a source, of several dates those of the first.

    Raises:
        SourceError: when it has none on one ground.
    """
    kind = kind_of(files)
    try:
        found = kind.layers(files, opened)
    except SeveralDatesError as several:
        found = kind.layers(replace(files, part=several.parts[0]), opened)
    if not isinstance(found, SceneLayers):
        raise SourceError(found="it is no scene on one ground, of which a part could be cut", remedy="add it whole")
    return found


def _coloured(layers: Sequence[Layer]) -> list[Layer]:
    """Return red, green and blue; else the first three bands, or the first one thrice."""
    named = {layer.band: layer for layer in layers}
    if all(band in named for band in _COLOURS):
        return [named[band] for band in _COLOURS]
    return list(layers[:3]) if len(layers) > 2 else [layers[0]] * 3


def _small(layer: Layer, rows: int, cols: int) -> NDArray[Any]:
    """Return a band in few pixels, the nearest each, shape (rows, cols)."""
    source = layer.source
    if isinstance(source, RasterFile) and hasattr(source.data, "driver"):
        try:  # The open file looks past overviews; without them a picture takes as long as the whole.
            with rasterio.open(source.data.name, driver=source.data.driver, sharing=False) as data:
                numbers: NDArray[Any] = data.read(layer.index, out_shape=(rows, cols))
        except GDAL_ERRORS as error:
            raise damaged() from error
        return numbers
    box = source.geobox
    in_rows = ((np.arange(rows) + 0.5) * box.height / rows).astype(int)
    in_cols = ((np.arange(cols) + 0.5) * box.width / cols).astype(int)
    lines = [source.read([layer.index], (int(row), 0, 1, box.width))[0, 0, in_cols] for row in in_rows]
    return np.stack(lines)


def _as_laid(numbers: NDArray[Any], box: GeoBox) -> NDArray[Any]:
    """Return pixels as they lie north up."""
    if not box.placed:
        return numbers
    numbers = numbers[::-1] if box.transform[4] > 0 else numbers
    return numbers[:, ::-1] if box.transform[0] < 0 else numbers


def _stretched(channels: Sequence[NDArray[Any]]) -> NDArray[np.uint8]:
    """Return three bands as colours of 8 bits, shape (rows, cols, 3); what is 0 or no number is black.

    Each band begins at its own haze, and all have one range, so that colours are as the eye would see them.
    """
    lights = [np.nan_to_num(numbers.astype(np.float32), nan=0, posinf=0, neginf=0) for numbers in channels]
    ranges = [np.percentile(light[light != 0], _STRETCH) if light.any() else (0.0, 1.0) for light in lights]
    span = max(*(float(high - low) for low, high in ranges), 1e-9)
    shown = [np.clip((light - low) / span, 0, 1) * 254 + 1 for light, (low, _) in zip(lights, ranges, strict=True)]
    return np.stack([np.where(light != 0, one, 0) for light, one in zip(lights, shown, strict=True)], axis=2).astype(
        np.uint8
    )
