"""The figures of a model card as a table: what an encoder does with patches and land it never saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.training.land_figures import LandFigures, land_in
from pages.ui.common.escape import plain, safe_label
from pages.ui.common.format import patches

_OURS, _PLAIN, _BASE = "encoder", "spectrum", "base"


@dataclass(frozen=True, kw_only=True)
class FigureRow:
    """One thing that was measured, in so many of 100.

    Attributes:
        what: it is, in words.
        of: what it was measured on, in words.
        ours: of the encoder, with its interval.
        beside: the same of the plain spectrum, and of what it goes on from; ``—`` where that is not known.
    """

    what: str
    of: str
    ours: str
    beside: tuple[str, str]


def figure_table(card: Mapping[str, Any]) -> str:
    """Return the figures of a card as an HTML table; empty when it has none that can be understood."""
    rows = [*_on_patches(card), *_on_land(card)]
    if not rows:
        return ""
    based = any(row.beside[1] != "—" for row in rows)
    base = safe_label(str(_inner(card, "verdict").get("against") or "Before"))
    head = "<th>Of 100</th><th>This encoder</th><th>Plain spectrum</th>" + (f"<th>{base}</th>" if based else "")
    lines = "".join(
        f"<tr><td>{safe_label(row.what)}<small>{safe_label(row.of)}</small></td><td><b>{row.ours}</b></td>"
        + "".join(f"<td>{one}</td>" for one in row.beside[: 1 + based])
        + "</tr>"
        for row in rows
    )
    return f'<div class="ll-table ll-figures"><table><tr>{head}</tr>{lines}</table></div>'


def land_remarks(card: Mapping[str, Any]) -> list[str]:
    """Return what to keep in mind of the rows of land, as Markdown."""
    told = ((one, f"the best possible is {100 * one.best:.0f}, chance {100 * one.chance:.0f}") for one in land_in(card))
    return [plain(f"{one.scene}: {limits}. {one.remark}".strip()) for one, limits in told]


def _on_patches(card: Mapping[str, Any]) -> Iterator[FigureRow]:
    """Yield the rows of patches with a class."""
    held = _inner(card, "held_out")
    both = {who: _inner(held, who) for who in (_OURS, _PLAIN, _BASE)}
    for kind, where in (("random", "held out at random"), ("spatial", "in blocks of land held out whole")):
        found = _inner(_inner(card, "accuracy"), kind)
        beside = [_inner(both[who], "linear") if kind == "random" else {} for who in (_PLAIN, _BASE)]
        yield from _row("Classes named rightly", found, f"{{}} {where}", beside)
    for one in card["apart"] if isinstance(card.get("apart"), list) else ():
        ours, bare = _inner(one, _OURS), _inner(one, _PLAIN)
        for depth, what in (("1", "The nearest shares the class"), ("10", "The 10 nearest share it")):
            yield from _row(what, _inner(ours, depth), "{} kept apart from all it learned", [_inner(bare, depth), {}])


def _on_land(card: Mapping[str, Any]) -> Iterator[FigureRow]:
    """Yield the rows of land with a map of classes."""
    for one in land_in(card):
        yield FigureRow(
            what=f"Land shared with the {one.k} nearest",
            of=f"{patches(one.patches)} of {one.scene}, land it was not taught",
            ours=_with_interval(one),
            beside=("—" if one.spectrum is None else f"{100 * one.spectrum:.0f}", "—"),
        )


def _with_interval(one: LandFigures) -> str:
    interval = "" if one.low is None or one.high is None else f" ({100 * one.low:.0f}–{100 * one.high:.0f})"
    return f"{100 * one.share:.0f}{interval}"


def _row(what: str, found: Mapping[str, Any], of: str, beside: list[Mapping[str, Any]]) -> Iterator[FigureRow]:
    """Yield a row where a card has its figures, and nothing where it has not, or something else in their place."""
    try:
        share, low, high = (100 * float(found[key]) for key in ("accuracy", "low", "high"))
        number = int(found["patches"])
        others = [f"{100 * float(one['accuracy']):.0f}" if "accuracy" in one else "—" for one in beside]
    except (KeyError, TypeError, ValueError):
        return
    ours = f"{share:.0f} ({low:.0f}–{high:.0f})"
    yield FigureRow(what=what, of=of.format(patches(number)), ours=ours, beside=(others[0], others[1]))


def _inner(fields: object, key: str) -> Mapping[str, Any]:
    """Return an object inside another; empty when there is none."""
    inner = fields.get(key) if isinstance(fields, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}
