"""A page with the map and foreign text only; ``tests/browser/test_map.py`` drives it."""

from __future__ import annotations

import folium
import numpy as np
import streamlit as st
from streamlit_folium import st_folium

from core.scenes.patches import PatchRef, patch_grid
from core.similarity.neighbours import Neighbours
from pages.ui.common.escape import plain, safe_label
from pages.ui.explore.map import LocalMap, scene_map
from pages.ui.state.engine import engine
from pages.ui.state.session import current
from tests.pages.ui.common.test_escape import HOSTILE


@st.fragment
def map_part() -> None:
    visitor = current()
    visitor.count += 1
    scene = engine().library.get(st.query_params["scene"])
    grid = patch_grid(scene)
    if st.button("query 5", key="five"):
        visitor.ask(PatchRef(scene.id, 5))
    rendering = st.radio("rendering", ["true", "ndvi"], key="rendering")
    found = None
    if visitor.query is not None:
        ids = (visitor.query.patch + 1 + np.arange(12)) % grid.count
        found = Neighbours(scene=scene.id, ids=ids, similarity=np.linspace(0.99, 0.7, 12).astype(np.float32))
    asked = None if visitor.query is None else visitor.query.patch
    scene_map(scene, grid, rendering=rendering, query=asked, neighbours=found, on_click=visitor.ask, height=420)
    st.text(f"query={asked} runs={visitor.count}")


def text_part() -> None:
    for number, text in enumerate(HOSTILE):
        with st.container(key=f"markdown{number}"):
            st.markdown(plain(text))
        with st.container(key=f"html{number}"):
            st.html(f'<p title="{safe_label(text)}">{safe_label(text)}</p>')
    base = LocalMap(location=[46.0, 13.0], tiles=None)
    for number, text in enumerate(HOSTILE):
        marker = folium.CircleMarker([46.0, 12.8 + number / 20], radius=12)
        marker.add_child(folium.Tooltip(safe_label(text), permanent=True))
        base.add_child(marker)
    st_folium(base, key="foreign", height=200, returned_objects=["last_object_clicked_tooltip"])


if "scene" in st.query_params:
    map_part()
else:
    text_part()
