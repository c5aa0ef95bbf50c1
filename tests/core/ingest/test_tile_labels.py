"""Tables of labels: what fits a scene, and what is told when a table does not read."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.ingest.tile_labels import TileLabels, read_labels


def table(tmp_path: Path, text: str) -> TileLabels | str:
    (tmp_path / "t.csv").write_bytes(text.encode("utf-8"))
    return read_labels(tmp_path / "t.csv")


def test_columns_in_any_order_and_case(tmp_path: Path) -> None:
    labels = table(tmp_path, "\ufeffLabel,COL,extra, row\nOak,1,x,0\nLake,0,x,0\n")
    assert isinstance(labels, TileLabels)
    assert labels.classes == ("Lake", "Oak")
    assert labels.index.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("height", "width", "side"),
    [(64, 128, 64), (70, 140, 70), (65, 129, 64), (63, 64, 32), (63, 200, None), (64, 300, None), (1, 1, None)],
)
def test_size_of_tiles(tmp_path: Path, height: int, width: int, side: int | None) -> None:
    labels = table(tmp_path, "row,col,label\n0,0,a\n0,1,b\n")
    assert isinstance(labels, TileLabels)
    made = labels.raster(height, width)
    assert (made[1] if made else None) == side
    if made:
        assert made[0][0, 0] == 1
        assert made[0][0, made[1]] == 2
        assert (made[0][made[1] :] == 0).all()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        "row,col,label\n",
        "row,col,label\nx,0,a\n",
        "row,col,label\n-1,0,a\n",
        "row,col,label\n99999999,0,a\n",
        "row,col,label\n0,0,\n",
        "row,col,label\n0\n",
        "row,col,label\n" + "".join(f"{n},0,c{n}\n" for n in range(1001)),
    ],
)
def test_tables_that_do_not_read(tmp_path: Path, text: str) -> None:
    assert isinstance(table(tmp_path, text), str)
