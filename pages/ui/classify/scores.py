"""Shares with intervals in words, the table of confusions and the reliability diagram, as HTML."""

from __future__ import annotations

from core.classification.calibration import ReliabilityBin
from core.classification.validation import Validation
from core.evaluation.retrieval import Share
from pages.ui.common.escape import safe_label
from pages.ui.common.theme import class_title


def interval_words(found: Share) -> str:
    """Return a share in percent with its 95 % interval: ``92 % (88–95)``."""
    return f"{100 * found.value:.0f} % ({100 * found.low:.0f}–{100 * found.high:.0f})" if found.count else "not tested"


def class_table(found: Validation) -> str:
    """Return precision, recall and F1 of each class with intervals, as an HTML table."""
    rows = "".join(
        f"<tr><td>{safe_label(class_title(one.name))}</td><td>{one.count:,}</td><td>{_decimal(one.f1)}</td>"
        f"<td>{interval_words(one.precision)}</td><td>{interval_words(one.recall)}</td></tr>"
        for one in found.scores
    )
    head = "<th>Class</th><th>Labels</th><th>F1</th><th>Of what it named so, right</th><th>Of its land, found</th>"
    return f'<div class="ll-table"><table><tr>{head}</tr>{rows}</table></div>'


def _decimal(found: Share) -> str:
    return f"{found.value:.2f} ({found.low:.2f}–{found.high:.2f})" if found.count else "not tested"


def confusion_table(found: Validation) -> str:
    """Return what was taken for what, rows = labels, as an HTML table shaded by the share of a row."""
    names = [safe_label(class_title(name)) for name in found.classes]
    head = "".join(f'<th scope="col"><span>{name}</span></th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">{name}</th>{_cells(line, row)}</tr>'
        for row, (name, line) in enumerate(zip(names, found.confusion.tolist(), strict=True))
    )
    return f'<div class="ll-confusion"><table><tr><td></td>{head}</tr>{rows}</table></div>'


def _cells(line: list[int], row: int) -> str:
    return "".join(_cell(number, sum(line), at == row) for at, number in enumerate(line))


def _cell(number: int, total: int, right: bool) -> str:
    if not number:
        return '<td class="none">·</td>'
    share = round(100 * number / max(1, total))
    kind = "right" if right else "wrong"
    return f'<td class="{kind}" style="--share:{share}%" title="{share} % of the row">{number:,}</td>'


def reliability_diagram(bins: tuple[ReliabilityBin, ...]) -> str:
    """Return the reliability diagram, how often it was right by how sure it was, with 95 % intervals; as HTML."""
    filled = [one for one in bins if one.count]
    most = max((one.count for one in filled), default=1)
    marks = "".join(
        f'<u style="left:{_at(one.confidence)};bottom:{_at(one.right.low)};'
        f'height:{_at(one.right.high - one.right.low)}"></u>'
        f'<i style="left:{_at(one.confidence)};bottom:{_at(one.right.value)};'
        f'--size:{6 + 9 * (one.count / most) ** 0.5:.0f}px"></i>'
        for one in filled
    )
    ticks = "".join(f'<span class="x" style="left:{at}%">{at}</span><span class="y" style="bottom:{at}%">{at}</span>'
                    for at in (0, 25, 50, 75, 100))  # fmt: skip
    said = "; ".join(
        f"{100 * one.confidence:.0f} % sure, {100 * one.right.value:.0f} % right of {one.count:,}" for one in filled
    )
    return (
        f'<div class="ll-reliability" role="img" aria-label="Reliability diagram: {said}"><div>{ticks}{marks}</div>'
        "<p>% right, by how many % sure it was</p></div>"
    )


def _at(share: float) -> str:
    return f"{100 * share:.1f}%"


def confidence_table(found: Validation) -> str:
    """Return how often it was right, by how sure it was, as an HTML table."""
    rows = "".join(
        f"<tr><td>{100 * one.low:.0f}–{100 * one.high:.0f} %</td><td>{interval_words(one.right)}</td>"
        f"<td>{one.count:,}</td></tr>"
        for one in found.reliability
        if one.count
    )
    return f'<div class="ll-table"><table><tr><th>It said</th><th>Right</th><th>Labels</th></tr>{rows}</table></div>'
