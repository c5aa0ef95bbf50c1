"""Reading a scene again by other settings: the form, filled with what was decided, and what is to become of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import streamlit as st

from core.bands import BAND_NAMES
from core.errors import LandlikeError
from core.ingest.bands.calibration import UNITS
from core.ingest.settings import PRODUCT_LEVELS, IngestSettings, settings_from_dict
from core.scenes.quality import QualityRecord, load_quality
from core.scenes.scene import Scene
from pages.ui.common.escape import plain
from pages.ui.common.progress import boundary
from pages.ui.scenes.news import note_asked
from pages.ui.scenes.upload import wished
from pages.ui.state.engine import engine
from pages.ui.state.session import Session, current

REPLACE, COPY = "Replace this scene", "Keep it and make a copy"
NO_SOURCE = "The files it was made from were not kept, or have changed since. Add them again to read it differently."


def reread_button(scene: Scene) -> None:
    """Draw the button that opens the form."""
    has_source = bool(engine().library.origin(scene.id))
    st.button(
        "Read it differently", icon=":material/tune:", key=f"again_{scene.id}", disabled=not has_source,
        help=None if has_source else NO_SOURCE, width="stretch", on_click=_ask, args=(scene.id,),
    )  # fmt: skip


def reread_dialog(visitor: Session) -> None:
    """Draw the form over the page while it is open, for the scene it was opened for."""
    if not visitor.rereading or visitor.rereading not in engine().library:
        visitor.rereading = ""
        return
    scene = engine().library.get(visitor.rereading)
    st.dialog(f"Read “{plain(scene.name)}” differently", width="medium", on_dismiss=_ask)(_form)(scene)


def _ask(scene_id: str = "") -> None:
    """Open the form for a scene, or close it."""
    current().rereading, current().finer = scene_id, False


def _form(scene: Scene) -> None:
    with boundary():
        key, record = f"reread_{scene.id}", load_quality(scene.directory)
        decided, before = decided_settings(scene, record), settings_before(record)
        if current().finer:
            st.markdown("It will be interpolated to pixels of 10 m, which encoders know; all else is read as before.")
            shown = replace(decided, ten_metres=True)
        else:
            st.caption("This is how it was read. Change what you know better; the rest is decided as before.")
            shown = decided
        form = wished(f"{key}_finer" if current().finer else key, shown, scene.bands, pixels=scene.has_pixels)
        what = st.radio("What becomes of it", [REPLACE, COPY], key=f"{key}_what", horizontal=True)
        name = scene.name
        if what == COPY:
            name = st.text_input("Name of the copy", f"{scene.name}, read again", key=f"{key}_name", max_chars=120)
        back = " This scene can be brought back for a day." if what == REPLACE else ""
        st.caption(f"Labels given by hand stay on patches that show the same ground.{back}")
        settings = None if form is None else merged_settings(form, decided, before)
        why_not = _why_not(settings, before, name)
        if st.button("Read again", key=f"{key}_go", type="primary", disabled=why_not is not None, help=why_not):
            _read_again(scene, settings or before, name.strip(), replace_it=what == REPLACE)


def _why_not(settings: IngestSettings | None, before: IngestSettings, name: str) -> str | None:
    """Return why a scene cannot be read again by what the form says; None when it can."""
    if settings is None:
        return "Mend what is said above first."
    if settings == before:
        return "Change something first."
    return None if name.strip() else "Give the copy a name."


def _read_again(scene: Scene, settings: IngestSettings, name: str, *, replace_it: bool) -> None:
    note_asked(engine().submit_rereading(scene, settings, name, replace=replace_it), time.time())
    _ask()
    st.rerun()


def decided_settings(scene: Scene, record: QualityRecord) -> IngestSettings:
    """Return how a scene was read, as settings that would say the same; what they cannot say is left open."""
    found: dict[str, Any] = {
        "bands": _bands(record),
        "scale": _scale(record),
        "level": scene.level if scene.level in PRODUCT_LEVELS else None,
        "date": scene.date,
        "crs": _crs(scene, record),
        "time": settings_before(record).time,
        "by_wavelength": settings_before(record).by_wavelength,
        "ten_metres": settings_before(record).ten_metres,
        "vector": settings_before(record).vector,
        "model": settings_before(record).model,
        "lat_first": settings_before(record).lat_first,
        "tile": settings_before(record).tile,
        "window": settings_before(record).window,
        "bounds": settings_before(record).bounds,
    }
    for name in ("", "date", "crs", "bands"):  # What cannot be set is not offered.
        try:
            return IngestSettings(**found | ({name: None} if name else {}))
        except LandlikeError:
            continue
    return IngestSettings()


def _crs(scene: Scene, record: QualityRecord) -> str | None:
    """Return the system of the scene's pixels or, without pixels, the one that a person chose."""
    if not scene.has_pixels:
        return settings_before(record).crs
    return scene.grid.crs if (scene.grid.crs or "").startswith("EPSG:") else None


def settings_before(record: QualityRecord) -> IngestSettings:
    """Return what a person had decided when a scene was read; nothing where the record cannot say."""
    try:
        return settings_from_dict(dict(record.settings))
    except LandlikeError:
        return IngestSettings()


def merged_settings(form: IngestSettings, decided: IngestSettings, before: IngestSettings) -> IngestSettings:
    """Return the settings a person means: what was changed in the form; the rest is left as it was decided before."""
    changed: Mapping[str, Any] = {
        field.name: getattr(form, field.name)
        for field in fields(IngestSettings)
        if field.name != "nodata" and getattr(form, field.name) != getattr(decided, field.name)
    }
    return replace(before, **changed)


def _bands(record: QualityRecord) -> tuple[str, ...] | None:
    """Return the bands in the order of the file, where a person gave it or the pixels told it."""
    chosen = settings_before(record).bands
    line = next((finding for finding in record.findings if finding.topic == "bands"), None)
    if chosen is not None or line is None or line.basis != "decided":
        return chosen
    names = tuple(line.value.split(", "))
    return names if set(names) <= set(BAND_NAMES) else None


def _scale(record: QualityRecord) -> str:
    """Return the scale that was chosen or decided; ``auto`` where no one setting says it."""
    line = next((finding for finding in record.findings if finding.topic == "scale"), None)
    for name, unit in UNITS.items():
        if line is not None and line.value == unit.title:
            return name
        if line is not None and unit.lifted is not None and line.value == unit.lifted_title:
            return unit.lifted
    return settings_before(record).scale
