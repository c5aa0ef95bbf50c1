"""The table of scenes: one row a scene, and which of them is looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.errors import SceneError
from core.scenes.overview import SceneOverview, overview
from core.scenes.quality import load_quality
from core.scenes.scene import Scene
from pages.ui.http.pictures import quicklook_url
from pages.ui.scenes.news import latest_in
from pages.ui.state.engine import engine
from pages.ui.state.session import Session, current
from pages.ui.state.widgets import select_row, trigger

ROW_HEIGHT, HEADER_HEIGHT = 38, 38
ROOM_AROUND = 590
"""Pixels of the window that the table leaves to what stands above and below it."""

FEWEST_ROWS, MOST_ROWS = 6, 14


@dataclass(frozen=True, kw_only=True)
class SceneRow:
    """A row of the table.

    Attributes:
        key: names the row.
        name: what people call it.
        scenes: what it stands for, at least one, the earliest first.
        series: id of the series that it is, or None.
    """

    key: str
    name: str
    scenes: tuple[Scene, ...]
    series: str | None = None

    @property
    def dates(self) -> str:
        """The date as text that sorts by time."""
        known = sorted({scene.date for scene in self.scenes if scene.date})
        span = " … ".join(dict.fromkeys([known[0], known[-1]])) if known else ""
        return f"{span} ({len(self.scenes)} dates)".lstrip() if len(self.scenes) > 1 else span

    def holds(self, scene_id: str) -> bool:
        """Tell whether a scene is in it."""
        return any(scene.id == scene_id for scene in self.scenes)


def rows_of(scenes: Sequence[Scene]) -> list[SceneRow]:
    """Return a row for each scene that stands alone and for each series, in the order of the first of each."""
    rows: dict[str, SceneRow] = {}
    for scene in scenes:
        if scene.series is None:
            rows[scene.id] = SceneRow(key=scene.id, name=scene.name, scenes=(scene,))
            continue
        key = scene.series.id
        others = rows[key].scenes if key in rows else ()
        together = sorted((*others, scene), key=_place_in_series)
        rows[key] = SceneRow(key=key, name=scene.series.name, scenes=tuple(together), series=key)
    return list(rows.values())


def _place_in_series(scene: Scene) -> int:
    return scene.series.index if scene.series is not None else 0


def chosen_row(rows: Sequence[SceneRow], listed: str) -> SceneRow:
    """Return the row whose details are shown: that of a scene, else the first."""
    return next((row for row in rows if row.holds(listed)), rows[0])


def looked_at(visitor: Session) -> str:
    """Return the id of the scene whose details are wanted: chosen here, or just come in, or explored."""
    return visitor.listed or latest_in(visitor) or visitor.scene_id or ""


def scene_table(rows: Sequence[SceneRow], visitor: Session) -> None:
    """Draw the table; a click on a row shows its details."""
    chosen = chosen_row(rows, looked_at(visitor))
    # Rows are told by position: with other rows it is another table.
    digest = hashlib.sha256(" ".join(row.key for row in rows).encode()).hexdigest()[:12]
    key = f"scene_table_{digest}"
    height = HEADER_HEIGHT + ROW_HEIGHT * min(len(rows), _room(visitor.screen)) + 3
    st.dataframe(
        table_frame(rows),
        key=key,
        hide_index=True,
        height=height,
        row_height=ROW_HEIGHT,
        column_config=TABLE_COLUMNS,
        placeholder="",
        on_select=lambda: _take(key, rows),
        selection_mode=["single-row-required", "single-cell"],
        selection_default={"selection": {"rows": [rows.index(chosen)]}},
        alt="Scenes",
    )


TABLE_COLUMNS = {
    "Picture": st.column_config.ImageColumn("", width=56),
    "Name": st.column_config.TextColumn(width=340),
    "Date": st.column_config.TextColumn(width=260, help="When the satellite took it."),
    "Level": st.column_config.TextColumn(help="L1C: top of the atmosphere. L2A: surface."),
    "Sensor": st.column_config.TextColumn(),
    "Pixel": st.column_config.NumberColumn(format="%.3g m", help="Side of a pixel on the ground."),
    "Cloud": st.column_config.NumberColumn(format="%.0f %%", help="As the source states it."),
    "Patches": st.column_config.NumberColumn(format="localized", help="Whole patches of the usual size."),
    "Disk": st.column_config.NumberColumn(format="bytes", help="With all that was computed of it."),
}


def table_frame(rows: Sequence[SceneRow]) -> pd.DataFrame:
    """Return the table as pandas has it: numbers are numbers, so that columns sort; what is unknown is empty."""
    lines = [_line(row) for row in rows]
    frame = pd.DataFrame(lines, columns=list(TABLE_COLUMNS))
    return frame.astype({"Pixel": "Float64", "Cloud": "Float64", "Patches": "Int64", "Disk": "Int64"})


def _line(row: SceneRow) -> dict[str, object]:
    facts = [_overview(scene) for scene in row.scenes]
    clouds = [fact.cloud for fact in facts if fact.cloud is not None]
    return {
        "Picture": quicklook_url(row.scenes[0].id, side=64),
        "Name": row.name,
        "Date": row.dates,
        "Level": _common([scene.level or "" for scene in row.scenes]),
        "Sensor": _common([fact.sensor for fact in facts]),
        "Pixel": facts[0].pixel_metres,
        "Cloud": 100 * sum(clouds) / len(clouds) if len(clouds) == len(facts) else None,
        "Patches": sum(fact.patches for fact in facts),
        "Disk": sum(engine().disk_bytes(scene.id) for scene in row.scenes),
    }


def _common(texts: Sequence[str]) -> str:
    """Return what all have in common, else each once."""
    return ", ".join(dict.fromkeys(texts))


def _overview(scene: Scene) -> SceneOverview:
    try:
        return overview(scene, load_quality(scene.directory))
    except SceneError:
        return overview(scene, None)


def _room(screen: int) -> int:
    """Return how many rows a window of a height in pixels has room for."""
    return max(FEWEST_ROWS, min(MOST_ROWS, (screen - ROOM_AROUND) // ROW_HEIGHT))


def picked(selection: object) -> int | None:
    """Return the position of the row that a selection of the table means; None when it means none."""
    if not isinstance(selection, Mapping):
        return None
    cells, rows = selection.get("cells") or [], selection.get("rows") or []
    if cells:
        return int(cells[0][0])
    return int(rows[0]) if rows else None


def _take(key: str, rows: Sequence[SceneRow]) -> None:
    position = picked(trigger(key, "selection"))
    if position is not None and position < len(rows):
        current().listed = rows[position].scenes[0].id
        select_row(key, position)
