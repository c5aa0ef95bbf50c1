"""A picture of the grid that a cut gives, laid over the scene: patches, what overlaps, and what no patch covers."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import numpy as np

from core.scenes.cut import WHOLE_AT_EDGE
from core.scenes.patches import IntArray, PatchGrid
from core.scenes.regions.of_interest import outside_windows
from core.scenes.scene import Scene
from pages.ui.common.cuts import length
from pages.ui.common.escape import safe_label
from pages.ui.common.theme import ACCENT
from pages.ui.http.pictures import quicklook_url

MOST_LINES = 400
"""Lines an axis that are drawn; more would be one surface."""


def preview_html(scene: Scene, grid: PatchGrid | None, rendering: str) -> str:
    """Return the scene with the grid over it; without a grid the scene alone."""
    picture = quicklook_url(scene.id, rendering, side=1024)
    drawn = "" if grid is None else _data_url(grid_svg(grid, _path(scene, grid)))
    over = f'<img alt="" class="ll-grid" src="{drawn}">' if drawn else ""
    return f'<div class="ll-cut"><img alt="{safe_label(scene.name)}" src="{picture}">{over}</div>'


def grid_svg(grid: PatchGrid, outside: str = "") -> str:
    """Return the grid as SVG in pixels of the scene, made to be stretched over a picture of it.

    Args:
        grid: of the patches.
        outside: path of the ground that is not cut; empty = all is.
    """
    shade = f'<path class="outside" d="{outside}" fill="#000" fill-opacity=".6"/>' if outside else ""
    parts = [*_left_over(grid), *_moved(grid), *_lines(grid), shade or _example(grid)]
    size = f'viewBox="0 0 {grid.width} {grid.height}" width="{grid.width}" height="{grid.height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} preserveAspectRatio="none">'
    return f"{head}{''.join(parts)}</svg>"


def _path(scene: Scene, grid: PatchGrid) -> str:
    """Return what lies outside of the area of a cut as the path of an SVG."""
    windows = outside_windows(scene, grid)
    return "".join(f"M{left} {top}H{right}V{bottom}H{left}z" for top, left, bottom, right in windows)


def _left_over(grid: PatchGrid) -> Iterator[str]:
    """Shade the strips that no patch covers."""
    below, right = grid.left_over
    style = 'class="left-over" fill="#000" fill-opacity=".6"'
    if right:
        yield f'<rect x="{grid.width - right}" y="0" width="{right}" height="{grid.height}" {style}/>'
    if below:
        yield f'<rect x="0" y="{grid.height - below}" width="{grid.width - right}" height="{below}" {style}/>'


def _moved(grid: PatchGrid) -> Iterator[str]:
    """Tint what the row and column that were moved inwards share with those before."""
    style = f'class="moved" fill="{ACCENT}" fill-opacity=".3"'
    for starts, across in ((grid.lefts, True), (grid.tops, False)):
        if len(starts) > 1 and starts[-1] - starts[-2] < grid.cut.stride:
            first, end = int(starts[-1]), int(starts[-2]) + grid.size
            wide, high = (end - first, grid.height) if across else (grid.width, end - first)
            x, y = (first, 0) if across else (0, first)
            yield f'<rect x="{x}" y="{y}" width="{wide}" height="{high}" {style}/>'


def _lines(grid: PatchGrid) -> Iterator[str]:
    xs, ys = _edges(grid.lefts, grid.size), _edges(grid.tops, grid.size)
    if max(len(xs), len(ys)) > MOST_LINES:
        return
    right, bottom = grid.width - grid.left_over[1], grid.height - grid.left_over[0]
    path = "".join([f"M{x} 0V{bottom}" for x in xs] + [f"M0 {y}H{right}" for y in ys])
    strength = 0.9 if max(len(xs), len(ys)) < 60 else 0.5
    style = f'fill="none" stroke="#fff" stroke-opacity="{strength}" vector-effect="non-scaling-stroke"'
    yield f'<path class="lines" d="{path}" {style} stroke-width="1"/>'


def _edges(starts: IntArray, size: int) -> list[int]:
    """Return where patches begin, and where the last one ends."""
    found: list[int] = np.unique(np.append(starts, starts[-1] + size)).tolist()
    return found


def _example(grid: PatchGrid) -> str:
    """Outline one patch in the middle, so that its size shows also where patches overlap."""
    top, left = int(grid.tops[grid.n_rows // 2]), int(grid.lefts[grid.n_cols // 2])
    style = (
        f'fill="{ACCENT}" fill-opacity=".35" stroke="{ACCENT}" stroke-width="2.5" vector-effect="non-scaling-stroke"'
    )
    return f'<rect class="example" x="{left}" y="{top}" width="{grid.size}" height="{grid.size}" {style}/>'


def _data_url(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def edge_words(grid: PatchGrid, metres: float | None) -> str:
    """Tell what becomes of the edge, and of the land outside of an area."""
    if grid.cut.area:
        return f"Shaded: what lies outside of the area. {WHOLE_AT_EDGE}"
    below, right = grid.left_over
    parts = [
        f"{length(pixels, metres)} {where}"
        for pixels, where in ((right, "at the right edge"), (below, "at the lower edge"))
        if pixels
    ]
    if parts:
        lie = "lies" if len(parts) == 1 else "lie"
        return f"Shaded: {' and '.join(parts)} {lie} in no patch."
    moved = {
        name: length(int(starts[-2] + grid.size - starts[-1]), metres)
        for name, starts in (("column", grid.lefts), ("row", grid.tops))
        if len(starts) > 1 and starts[-1] - starts[-2] < grid.cut.stride
    }
    if len(moved) == 2 and len(set(moved.values())) == 1:
        return f"Tinted: the last row and column overlap those before by {moved['row']}."
    parts = [f"the last {name} overlaps the one before by {by}" for name, by in moved.items()]
    return f"Tinted: {', '.join(parts)}." if parts else "Patches cover the whole scene."
