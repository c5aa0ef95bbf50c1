"""Getting ready for the first visitor: what is imported for it is what the first page needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.config import Config
from core.encoders.registry import default_encoder
from core.engine.operations import Engine
from core.errors import StoreError
from pages.ui.state import warm

ROOT = Path(__file__).resolve().parents[4]
NOT_NEEDED = ("fpdf", "fontTools", "requests", "core.ingest.boundary", "core.ingest.formats", "pandas",
              "pyarrow.compute", "core.engine.exports.files")  # fmt: skip
"""What a page needs once something is printed, added or taken away; a second of a start."""
LATER = ("folium", "streamlit_folium", "pages.ui.explore.map")
"""What only the map needs, which is drawn last."""
CODE = f"""
import sys
from importlib.util import find_spec
import app
from pages.ui.state import warm
from pages.ui.state.engine import engine

engine()
warm.import_first()
print([name for name in {(*NOT_NEEDED, *LATER)!r} if name in sys.modules])
from streamlit.components.v2.bidi_component import serialization
from streamlit.proto.BidiComponent_pb2 import BidiComponent
drawn = BidiComponent()
serialization.serialize_mixed_data({{"rows": [1], "legend": {{"a": 1}}}}, drawn)
warm.import_map()
import folium
folium.Map(location=[0, 0]).render()
print([name for name in {NOT_NEEDED!r} if name in sys.modules], drawn.mixed.json or drawn.json)
print([name for name in (*warm.FIRST, warm.MAP, *warm.NEXT) if not find_spec(name)])
"""


def test_all_that_pages_need_is_imported_without_a_word_and_for_the_first_no_more(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True,
        env={"LANDLIKE_DATA": str(tmp_path), "PATH": ""},
    )  # fmt: skip
    assert done.stdout.strip().splitlines() == ["[]", '[] {"rows": [1], "legend": {"a": 1}}', "[]"]
    assert done.stderr == ""


@pytest.mark.parametrize("untried", [True, False])
def test_the_encoder_is_tried_before_anybody_comes_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, untried: bool
) -> None:
    one = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"), lanes={})
    monkeypatch.setattr(one, "untried", lambda encoder: untried)
    monkeypatch.setattr(warm, "engine", lambda: one)
    for _ in range(2):
        warm.try_encoder()
    assert [(job.kind, job.state) for job in one.jobs.jobs()] == [("trial", "queued")] * untried
    if untried:
        assert one.submit_trial(default_encoder()).id == one.jobs.jobs()[0].id, "it is the one that pages wait for"


def test_a_server_starts_where_nothing_can_be_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Engine(Config(root=tmp_path, model_cache=tmp_path / "models"), lanes={})

    def full(encoder: str) -> None:
        raise StoreError("Keeping a job", "the disk is full", "make room")

    monkeypatch.setattr(one, "untried", lambda encoder: True)
    monkeypatch.setattr(one, "submit_trial", full)
    monkeypatch.setattr(warm, "engine", lambda: one)
    warm.try_encoder()
