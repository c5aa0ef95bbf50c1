"""A part is a rectangle or four numbers, and never reaches beyond the scene."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from core.engine.operations import Engine
from core.ingest.preview.making import SourcePreview
from core.ingest.settings import IngestSettings
from pages.ui.scenes import part
from pages.ui.state.session import Session

PREVIEW = SourcePreview(height=64, width=80, png=b"")


@pytest.fixture
def visitor(monkeypatch: pytest.MonkeyPatch) -> Session:
    session = Session()
    monkeypatch.setattr(part, "current", lambda: session)
    return session


def drag(monkeypatch: pytest.MonkeyPatch, xs: list[float], ys: list[float]) -> None:
    monkeypatch.setattr(part, "trigger", lambda _key, _event: [xs[0], ys[0], xs[1], ys[1]])
    part._dragged(PREVIEW, "chart")


def test_a_rectangle_is_cut_to_whole_pixels_of_the_scene(visitor: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    drag(monkeypatch, [59.6, 20.4], [10.2, 40.4])
    assert visitor.part == (10, 20, 30, 40)
    drag(monkeypatch, [-5, 300], [60, 300])
    assert visitor.part == (60, 0, 4, 80)
    drag(monkeypatch, [3.1, 3.2], [5, 9])
    assert visitor.part == (60, 0, 4, 80)


def test_numbers_that_are_typed_stay_on_the_scene(visitor: Session) -> None:
    part._typed(PREVIEW, (10, 20, 30, 40), "Column", 70)
    assert visitor.part == (10, 70, 30, 10)
    part._typed(PREVIEW, (10, 20, 30, 40), "Height", 64)
    assert visitor.part == (10, 20, 54, 40)


def test_files_that_were_put_are_those_that_are_chosen(visitor: Session, tmp_path: Path) -> None:
    put = tmp_path / "upload-x" / "a.tif"
    put.parent.mkdir()
    put.write_bytes(b"1")
    visitor.part_of = (str(put),)
    same, other = (
        SimpleNamespace(name=name, size=1, getbuffer=lambda: memoryview(b"1")) for name in ("a.tif", "b.tif")
    )
    assert part.put_for_part([same]) == [put]
    assert part.put_for_part([other]) == []
    put.unlink()
    assert part.put_for_part([same]) == []


@pytest.mark.parametrize(("name", "offered"), [("V.GPQ", False), ("v.parquet", False), ("a.tif", True)])
def test_no_part_is_offered_of_vectors(
    visitor: Session, monkeypatch: pytest.MonkeyPatch, name: str, *, offered: bool
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(part.st, "button", lambda label, **_: drawn.append(label))
    settings = IngestSettings()
    assert (
        part.part_panel([SimpleNamespace(name=name, size=1, getbuffer=lambda: memoryview(b"1"))], settings) == settings
    )
    assert bool(drawn) == offered


def _panel() -> None:
    from types import SimpleNamespace

    from core.ingest.settings import IngestSettings
    from pages.ui.common.progress import boundary
    from pages.ui.scenes.part import part_panel

    with boundary():
        part_panel([SimpleNamespace(name="a.tif", size=1, getbuffer=lambda: b"1")], IngestSettings())


def test_a_disk_that_refuses_the_files_is_one_sentence(engine: Engine) -> None:
    (engine.config.root / "uploads").write_text("no folder")
    app = AppTest.from_function(_panel, default_timeout=30).run()
    app.button(key="part_begin").click().run()
    assert not app.exception
    assert [one.value.partition("&")[0] for one in app.error] == ["Adding files"]
    assert app.button(key="part_begin").label == "Only a part…"
