"""A collection of labelled patches, from its files to the canonical mosaic and its quality record."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from core.ingest.bands.assign import filling
from core.ingest.collection import Mosaic, place_corners, write_collection
from core.ingest.collection_plan import Plan, make_plan
from core.ingest.findings import finding, ignored, no_data, skipped_text, some_names, when, which
from core.ingest.formats.product_metadata import read_hints
from core.ingest.members import RASTER_SUFFIXES, Member, Shelf
from core.ingest.messages import clean_name
from core.ingest.sandbox.protocol import Outcome, PlacedPatch, Task
from core.progress import Progress
from core.scenes.quality import Basis, Finding


def take_collection(
    task: Task, shelf: Shelf, members: Sequence[Member], patches: Sequence[Member], progress: Progress
) -> Outcome:
    """Make the mosaic of a collection in ``task.directory``.

    Raises:
        SourceError: when no patch can be used, or the bands cannot be told.
    """
    hints = read_hints([task.name], {}, [])
    plan = make_plan(shelf, patches, task.settings, hints, task.name)
    hints = read_hints([task.name], plan.tags, [])
    mosaic = write_collection(shelf, patches, plan, directory=task.directory, progress=progress, name=task.name)
    corners = place_corners(mosaic.patches)
    date, date_finding = when(task.settings, hints)
    level, level_finding = which(task.settings, hints, plan.bands)
    chosen = {member.number for member in patches}
    others = [member for member in members if member.number not in chosen]
    rasters = [member for member in others if member.suffix in RASTER_SUFFIXES]
    rest = [member.name.rsplit("/", 1)[-1] for member in others if member not in rasters]
    findings = [
        *_mosaic_findings(mosaic, plan),
        _places(sum(1 for place in corners if not math.isnan(place[0])), len(corners)),
        date_finding,
        level_finding,
        *_other_kind(rasters, plan),
        *ignored(rest, "they are no patches like the others"),
    ]
    names = _short_names([patch.name for patch in mosaic.patches])
    places = tuple(
        PlacedPatch(
            name=name,
            label=patch.label,
            corners=tuple(place),
            crs=None if math.isnan(place[0]) else patch.geobox.crs,
        )
        for name, patch, place in zip(names, mosaic.patches, corners, strict=True)
    )
    return Outcome(
        grid=mosaic.grid,
        bands=plan.bands,
        kind="collection",
        patch_size=plan.side,
        classes=mosaic.classes,
        date=date,
        level=level,
        synthetic=hints.synthetic,
        findings=tuple(findings),
        places=places,
    )


def _short_names(names: Sequence[str]) -> list[str]:
    """File names without folders where that keeps them apart."""
    short = [name.rsplit("/", 1)[-1] for name in names]
    return short if len(set(short)) == len(short) else list(names)


def _mosaic_findings(mosaic: Mosaic, plan: Plan) -> list[Finding]:
    missing = filling(plan.bands)
    share = mosaic.valid / (len(mosaic.patches) * plan.side**2)
    lines = [
        finding(
            "kind",
            f"collection of {len(mosaic.patches):,} patches of {plan.side} × {plan.side} pixels",
            "read",
            "its rasters are patches of one size, laid out as a mosaic that is no map",
        ),
        *plan.findings,
        *([missing] if missing else []),
        *plan.scale.findings,
        no_data(share, "pixels that are 0 in every band or hold no number"),
        _classes(mosaic),
    ]
    if mosaic.skipped:
        value = f"{_files(len(mosaic.skipped))}: {skipped_text(mosaic.skipped)}"
        lines.append(finding("left out", value, "warning", "a collection holds patches of one kind that can be read"))
    return lines


def _other_kind(members: Sequence[Member], plan: Plan) -> list[Finding]:
    """What is said of rasters that were not even tried; empty when there are none."""
    if not members:
        return []
    value = f"{_files(len(members))}: {some_names(members)}"
    taken = "pictures" if plan.picture else f"those with {len(plan.bands)} bands"
    return [finding("left out", value, "warning", f"a collection holds patches of one kind, here {taken}")]


def _files(number: int) -> str:
    return f"{number:,} {'file' if number == 1 else 'files'}"


def _places(placed: int, count: int) -> Finding:
    if placed == 0:
        return finding("place", "unknown, so there is no map", "warning", "the patches hold no position")
    basis: Basis = "read" if placed == count else "warning"
    return finding("place", f"known of {placed:,} of {count:,} patches", basis, "each patch holds its own position")


def _classes(mosaic: Mosaic) -> Finding:
    if not mosaic.classes:
        return finding("classes", "none", "read", "the patches lie in no folders")
    counts = Counter(patch.label for patch in mosaic.patches)
    shown = [f"{clean_name(name, 40)} {counts[name]:,}" for name in mosaic.classes[:30]]
    more = f" and {len(mosaic.classes) - 30} more" if len(mosaic.classes) > 30 else ""
    return finding("classes", f"{', '.join(shown)}{more}", "read", "named by the folders")
