"""What the record says of a file of vectors, a sentence a finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.ingest.embeddings.columns import TableColumns
from core.ingest.embeddings.model import StatedModel
from core.ingest.embeddings.places import PlaceCounts, Reals
from core.ingest.embeddings.values import Gatherer, KeptColumn
from core.ingest.embeddings.vectors import VectorCounts
from core.ingest.findings import finding
from core.ingest.messages import clean_name
from core.ingest.settings import IngestSettings
from core.scenes.quality import Finding


def vector_lines(columns: TableColumns, counts: VectorCounts, dimension: int, squared: str, rows: int) -> list[Finding]:
    """Say what the vectors are, and which rows have none."""
    what = f"{dimension:,} numbers each, from {clean_name(columns.vectors.title, 80)}"
    lines = [
        finding("vectors", what, "read", f"a row is a patch, and its number its id; the file has {rows:,}", "vector")
    ]
    if columns.vectors.whole:
        if squared:
            lines.append(finding("numbers", "signed squares in 8 bits, unpacked", "read", f"{squared} states it"))
        else:
            because = "nothing states how they are to be unpacked, so directions are those of the packed numbers"
            lines.append(finding("numbers", "whole numbers as they are", "warning", because))
    told = [
        (counts.missing, "without a vector"), (counts.broken, "with something that is not a finite number"),
        (counts.zero, "of zeros alone, which point nowhere"),
    ]  # fmt: skip
    told += [(count, f"of {length:,} numbers") for length, count in counts.lengths.most_common(3)]
    told += [(counts.lengths.total() - sum(count for _, count in counts.lengths.most_common(3)), "of other lengths")]
    if counts.left_out:
        because = ", ".join(f"{count:,} {words}" for count, words in told if count)
        lines.append(
            finding(
                "left out",
                f"{counts.left_out:,} of {rows:,} rows",
                "warning",
                f"vectors that cannot be compared: {because}",
            )
        )
    usable = rows - counts.left_out
    if (twice := usable - len(counts.seen)) > 0:
        lines.append(
            finding(
                "same vectors",
                _rows(twice),
                "warning",
                "their vector is that of an earlier row, number for number",
            )
        )
    if counts.longest > 1.01 * counts.shortest or not 0.99 < counts.longest < 1.01:
        value = f"lengths of {counts.shortest:.3g} to {counts.longest:.3g}"
        lines.append(
            finding("length", value, "read", "similarity is the cosine, which compares directions and not lengths")
        )
    return lines


def model_line(model: StatedModel) -> Finding:
    """Say what made the vectors, and how that is known."""
    if model.stated:
        basis: Any = "chosen" if model.origin == "you named it" else "read"
        return finding("model", model.title, basis, model.origin, "model")
    because = "nothing in the file says it, so its vectors are compared with those of no other file"
    return finding("model", "unknown", "assumed", because, "model")


def same_places(corners: Reals, days: Sequence[str]) -> list[Finding]:
    """Say how many rows lie where another one lies."""
    known = corners[np.isfinite(corners).all(axis=(1, 2))].reshape(-1, 8).round(7)
    twice = len(known) - len(np.unique(known, axis=0))
    if not twice:
        return []
    if len(days) > 1:
        return [
            finding(
                "same places",
                _rows(twice),
                "read",
                "they lie where an earlier row lies; the file has several dates",
            )
        ]
    return [finding("same places", _rows(twice), "warning", "they lie where an earlier row lies")]


def place_lines(counts: PlaceCounts) -> list[Finding]:
    """Say what is amiss with places, how many and what was done about it."""
    elsewhere = "they are in plot and gallery only"
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in counts.other.most_common(4))
    told = [
        (counts.missing, f"{_rows(counts.missing)} without a place", f"their geometry is null or empty; {elsewhere}"),
        (counts.outside, f"{_rows(counts.outside)} outside the world",
         f"their coordinates are nowhere on Earth; {elsewhere}"),
        (counts.other.total(), f"{_rows(counts.other.total())} of other geometry",
         f"neither points nor polygons: {kinds}; {elsewhere}"),
        (counts.rectangles, f"{counts.rectangles:,} outlines as rectangles",
         "they have other than four corners, and the least rectangle around each stands for it, in areas too"),
        (counts.crossed, f"{_rows(counts.crossed)} whose outline crosses itself",
         "their four corners were put in order round each, and what these enclose counts, in areas too"),
        (counts.parts, f"{_rows(counts.parts)} of several parts",
         "the box around all its parts stands for each, in areas too"),
        (counts.holes, f"{_rows(counts.holes)} with holes", "their holes count as ground, in areas too"),
    ]  # fmt: skip
    return [finding("place", value, "warning", because) for count, value, because in told if count]


def _rows(count: int) -> str:
    return f"{count:,} row{'s' if count != 1 else ''}"


def light_lines(count: int) -> list[Finding]:
    """Say that light of bands is not known because rows have none."""
    because = f"{_rows(count)} without means and deviations of bands, so those of the others are left out too"
    return [finding("light of bands", "unknown", "warning", because)] if count else []


def date_lines(days: Sequence[str], column: str | None, settings: IngestSettings, undated: int) -> list[Finding]:
    """Say when the rows are from; of a file of which some rows have no day that of the others is not that of all."""
    if settings.date is not None:
        return [finding("date", settings.date, "chosen", "chosen under “How to read files”", "date")]
    if not days:
        return [finding("date", "unknown", "assumed", "no column states it", "date")]
    value = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}, {len(days):,} days"
    said = f"column {clean_name(column or '', 60)}"
    if undated:
        return [finding("date", value, "warning", f"{said}, with {_rows(undated)} of no known day", "date")]
    return [finding("date", value, "read", said, "date")]


def value_lines(
    kept: Sequence[KeptColumn], gatherer: Gatherer, classes: Sequence[str], label: KeptColumn | None
) -> list[Finding]:
    """Say which columns become values of patches, and which do not."""
    lines = []
    if label is not None:
        lines.append(finding("classes", f"{len(classes)} classes", "read", f"column {label.given.name}"))
    if kept:
        names = ", ".join(one.given.name for one in kept)
        lines.append(finding("values", names, "read", "columns that can colour and filter the patches"))
    for name, (number, count) in gatherer.fills.items():
        because = "programs write it where they have none, and it is far below all others, so it counts as no value"
        lines.append(finding("values", f"{number:g} in {clean_name(name, 60)}, {_rows(count)}", "decided", because))
    if gatherer.left_out:
        told = [f"{clean_name(name, 40)} ({why})" for name, why in list(gatherer.left_out.items())[:8]]
        more = f" and {len(gatherer.left_out) - 8} more" if len(gatherer.left_out) > 8 else ""
        lines.append(finding("left out", f"{', '.join(told)}{more}", "read", "columns that are no values of patches"))
    return lines
