"""The part of the form that says which area a scene is cut in: all of it, one from a file, or one drawn on the map."""

from __future__ import annotations

import streamlit as st

from core.errors import LandlikeError
from core.scenes.regions.map_region import MapRegion
from core.scenes.regions.of_interest import area_key, keep_area, kept_area, kept_areas
from core.scenes.scene import Scene
from core.search.conditions import AreaCondition
from core.search.examples import AreaExample
from core.search.filters import Filters
from pages.ui.common.brought_file import brought_file
from pages.ui.common.cuts import area_words
from pages.ui.common.escape import plain
from pages.ui.http.uploads import Upload
from pages.ui.state.session import Session
from pages.ui.state.widgets import bound

AREA_FILES = ["geojson", "json", "kml", "kmz", "gpkg", "zip"]
WHOLE = "The whole scene"


def area_field(visitor: Session, scene: Scene) -> None:
    """Draw which area patches are cut of; the draft holds its name."""
    kept = kept_areas(scene)
    titles = {"": WHOLE, **{key: _title(scene, key, number) for number, key in enumerate(kept, 1)}}
    if visitor.draft.area not in titles:
        visitor.draft.area = ""
    with st.container(horizontal=True, vertical_alignment="bottom", key="cut_area_row"):
        st.selectbox("Cut patches of", list(titles), format_func=titles.__getitem__, **bound("cut_area", "draft.area"))
        with st.popover("Another area", icon=":material/crop:", key="cut_area_new"):
            _drawn(visitor, scene)
            _file(visitor, scene)
    for sentence in _said(scene, visitor.draft.area):
        st.caption(f":material/info: {plain(sentence)}")


def _title(scene: Scene, key: str, number: int) -> str:
    try:
        return f"Area {number}, {area_words(kept_area(scene, key))}"
    except LandlikeError:
        return f"Area {number}"


def _said(scene: Scene, key: str) -> tuple[str, ...]:
    """Return what there is to know of how the area that is chosen was read."""
    try:
        return kept_area(scene, key).said if key else ()
    except LandlikeError:
        return ()


def _drawn(visitor: Session, scene: Scene) -> None:
    """Offer the areas that were drawn on the map to search by."""
    drawn = drawn_areas(visitor, scene)
    if not drawn:
        st.caption("Draw an area on the map of Explore to cut it, or give a file with its outline.")
    for number, area in enumerate(drawn, 1):
        which = "the area drawn on the map" if len(drawn) == 1 else f"drawn area {number}"
        title = f"Use {which}, {area_words(area)}"
        st.button(title, key=f"cut_drawn_{number}", on_click=_take, args=(visitor, scene, area))


def drawn_areas(visitor: Session, scene: Scene) -> list[MapRegion]:
    """Return the areas that filters and examples hold, each once."""
    filters = Filters.parse(visitor.filters) or Filters()
    found = [one.area for one in filters.conditions if isinstance(one, AreaCondition)]
    found += [one.area for one in visitor.question(scene.id).others if isinstance(one, AreaExample)]
    return list({one.shape.wkb: one for one in found}.values())


def drop_area_of(visitor: Session, key: str) -> None:
    """Let the filter by an area go where that area is what is cut: its edge would hide patches that were cut for it."""
    filters = Filters.parse(visitor.filters) or Filters()
    for one in filters.conditions:
        if isinstance(one, AreaCondition) and area_key(one.area) == key:
            visitor.filter(filters.without(one.value).link())


def _file(visitor: Session, scene: Scene) -> None:
    """Draw the field for a file, and take what it holds."""
    given = st.file_uploader(
        "GeoJSON, KML, GeoPackage or a zip of a Shapefile", AREA_FILES, key="cut_area_file", max_upload_size=256
    )
    if given is None:
        return
    if given.file_id != visitor.draft.area_file:
        with st.spinner("Reading the area"):
            visitor.draft.take_file(given.file_id, *_read(scene, given))
        st.rerun()
    if visitor.draft.area_error:
        st.error(plain(visitor.draft.area_error), icon=":material/error:")


def _read(scene: Scene, given: Upload) -> tuple[str, str]:
    """Return the name of the area of a file and nothing, or nothing and the sentence why there is none."""
    from core.ingest.vectors.adding import read_area

    try:
        with brought_file(given) as path:
            return keep_area(scene, read_area(path)), ""
    except LandlikeError as error:
        return "", str(error)


def _take(visitor: Session, scene: Scene, area: MapRegion) -> None:
    try:
        visitor.draft.area, visitor.draft.area_error = keep_area(scene, area), ""
    except LandlikeError as error:
        visitor.draft.area_error = str(error)
