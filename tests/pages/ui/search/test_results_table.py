"""The table of results: every row is sorted, paged and reached, however many there are."""

from __future__ import annotations

import time

import numpy as np

from pages.ui.search.results_table import Column, next_marked, table_page

MANY = 30_000


def many(count: int = MANY) -> list[Column]:
    """Columns of many patches: a number that is unknown of some, and a class."""
    rng = np.random.default_rng(7)
    moist = rng.normal(size=count).round(3)
    moist[rng.integers(0, count, 500)] = np.nan
    kind = rng.integers(0, 3, count).astype(np.float64)
    kind[:9] = np.nan
    return [
        Column(title="Rank", values=np.arange(1, count + 1)),
        Column(title="Patch", values=rng.permutation(count)),
        Column(title="NDMI", values=moist, digits=2),
        Column(title="Class", values=kind, names=("Water", "alder", "Bog")),
    ]


def walked(columns: list[Column], sorted_by: str) -> list[list[object]]:
    """All rows, page by page."""
    first = table_page(columns, sorted_by=sorted_by)
    pages = [table_page(columns, sorted_by=sorted_by, page=page)["rows"] for page in range(first["pages"])]
    return [row for rows in pages for row in rows]


def test_each_column_sorts_all_rows_and_the_unknown_come_last() -> None:
    columns = many(2_700)
    rows = [list(row) for row in zip(*(column.cells(np.arange(2_700)) for column in columns), strict=True)]
    for at, title in enumerate(["Rank", "Patch", "NDMI", "Class"]):
        for down in (False, True):
            known = [row for row in rows if row[at] not in (None, "")]
            known.sort(key=lambda row: row[at].casefold() if isinstance(row[at], str) else row[at], reverse=down)
            wanted = known + [row for row in rows if row[at] in (None, "")]
            assert walked(columns, f"-{title}" if down else title) == wanted, "ties stay in the order of the ranking"
    assert walked(columns, "") == rows
    assert walked(columns, "no such column") == rows


def test_a_browser_is_given_a_page_and_told_how_many_there_are() -> None:
    began = time.perf_counter()
    page = table_page(many(), sorted_by="-NDMI", page=59, marked=(3, 4), reached=None)
    assert time.perf_counter() - began < 1
    assert (len(page["rows"]), page["first"], page["total"], page["pages"]) == (500, 29_500, MANY, 60)
    assert table_page(many(), page=1000)["page"] == 59
    assert page["reachable"] == 2
    empty = table_page([Column(title="Patch", values=np.empty(0, np.int64))])
    assert (empty["rows"], empty["page"], empty["total"]) == ([], 0, 0)


def test_selected_rows_are_reached_one_after_the_other_on_whichever_page_they_are() -> None:
    columns, marked, reached = many(), (17, 4_000, 29_999), None
    found = []
    for _ in range(4):
        step = next_marked(columns, sorted_by="-NDMI", marked=marked, reached=reached)
        assert step is not None
        reached, number = step
        shown = table_page(columns, sorted_by="-NDMI", page=number, marked=marked)
        assert reached in [row[shown["id"]] for row in shown["rows"]]
        assert reached in shown["marked"]
        found.append(reached)
    assert sorted(found[:3]) == sorted(marked)
    assert found[3] == found[0], "after the last comes the first"
    assert next_marked(columns, sorted_by="", marked=(), reached=None) is None
