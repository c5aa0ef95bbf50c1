"""The Trust panel: a verdict on the scene, a sentence for each question, and what is behind it, folded.

What is not known yet is measured.

Measuring is a background job (``Engine.submit_trust``); opening the panel asks for it.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import streamlit as st

from core.engine.snippets import trust_command, trust_script
from core.errors import LandlikeError
from core.evaluation.report.card import Section, Sheet
from core.evaluation.report.caveats import unexamined
from core.evaluation.report.phrases import too_few
from core.evaluation.report.store import BY_TRUTH, FEATURES, HAND_LABELLED
from core.evaluation.report.verdict import SIGNS, TOPICS, SceneVerdict, grade_of, in_order, verdict_on
from core.evaluation.report.wording import novelty_section, novelty_unknown, unmeasured
from core.projection.settings import LEAST_ROWS, ProjectionSettings
from core.scenes.patches import patch_refs
from core.values.distortion import DISTORTION
from core.values.novelty import UNFAMILIAR
from core.values.stability import STABILITY
from pages.ui.common.escape import plain
from pages.ui.common.panels import filled_last
from pages.ui.common.progress import FOLLOW_SECONDS, follow_bar, progress_words, wanted
from pages.ui.common.spelled import spelled
from pages.ui.explore.novelty_banner import causes_of, marking, remedy_button, with_remedies
from pages.ui.frontend import text
from pages.ui.state.engine import engine
from pages.ui.state.session import Session
from pages.ui.state.view_state import ViewState

SHOW = {"familiar": "Show them", "hubs": "Show the hubs", "layout": "Show misplaced points"}
COLOURS = {"layout": DISTORTION.name, "familiar": UNFAMILIAR.name, "stability": STABILITY.name}
"""What colours patches by what a section measures of each."""

GRADES = {"good": "good", "fair": "with care", "poor": "bad", None: "not known"}
"""What the signs of sections are called by those who cannot see them."""
_seen = st.components.v2.component("landlike_seen", html='<span class="ll-seen">&nbsp;</span>', js=text("seen.js"))
"""Tells when a person opens the panel. The popover's own event would too, but also when it closes, and where that is a
click on another page, the two runs of the page meet and the new page stays blank."""

WAITING = "The plot is still being arranged; come back when it is."


def trust_panel(visitor: Session, view: ViewState) -> None:
    """Draw the button and what it opens: at once, with what is known by then."""
    filled_last(st.popover("Trust", icon=":material/verified:", key="trust"), lambda: _panel(visitor, view))


def _panel(visitor: Session, view: ViewState) -> None:
    with st.container(key="trust_panel"):
        _content(visitor, view)


def _content(visitor: Session, view: ViewState) -> None:
    layout = view.layout
    parts = [engine().reports.get(view.recipe, part) for part in _parts(view)]
    missing = not all(engine().reports.has(view.recipe, part) for part in _parts(view))
    if missing:
        _measure(visitor, view, layout)
    if parts[0] is None:
        return
    sections = known_sections(view, [part or [] for part in parts], marked=marking(visitor, view))
    st.html(verdict_html(verdict_on(sections)))
    if said := _unexamined(view):
        st.caption(said)
    for section in sections:
        st.html(section_html(section))
        _actions(visitor, view, section)
    if layout is None and not missing and len(view.table) >= LEAST_ROWS:
        st.caption(WAITING)
    with st.expander("Measure it without the pages", icon=":material/terminal:"):
        spelled(trust_command(view.recipe), trust_script(view.recipe))


def _unexamined(view: ViewState) -> str:
    wanted: tuple[str, ...] = ()
    with suppress(LandlikeError):
        wanted = engine().spec_of(view.scene, view.recipe.encoder).bands
    return " ".join(unexamined(view.scene, wanted))


def _parts(view: ViewState) -> list[str]:
    """Return the parts that the report of what is on show has; that of the features is the first."""
    version, layout = view.known.labels.version, view.layout
    truth = "" if view.scene.is_collection else view.known.labels.truth_version
    return [
        FEATURES,
        *([HAND_LABELLED + version] if version else []),
        *([layout.key] if layout else []),
        *([BY_TRUTH + truth] if truth else []),
    ]


def known_sections(view: ViewState, parts: list[list[Section]], *, marked: bool) -> list[Section]:
    """Return what is measured already, in the order of a report.

    Args:
        view: what is on show.
        parts: sections of each part of the report, that of the features first; empty where it is not measured.
        marked: True = the views mark unfamiliar patches.
    """
    features, *others = parts
    if any(section.name == "labels" for part in others for section in part):
        # A map of classes that was added comes before what came with the scene.
        features = [section for section in features if section.name != "labels"]
    if view.known.labels.version and any(section.measured for section in others[0]):
        # Then it needs no saying that there is no truth.
        features = [section for section in features if section.measured or section.name != "labels"]
    known = features + [section for part in others for section in part]
    strange = view.known.novelty()
    known.append(
        novelty_unknown(view.recipe.encoder, trained=view.known.trained_on_known_patches())
        if strange is None
        else _with_causes(novelty_section(strange, view.table.patch_ids, marked=marked), view)
    )
    if len(view.table) < LEAST_ROWS:
        known.append(unmeasured("layout", too_few(len(view.table))))
    return in_order(known)


def _with_causes(section: Section, view: ViewState) -> Section:
    """Return the section on unfamiliar land with why it may be so."""
    return replace(section, sentences=(*section.sentences, *(cause.sentence for cause in causes_of(view))))


def _measure(visitor: Session, view: ViewState, layout: ProjectionSettings | None) -> None:
    """Draw how far the measuring is, which begins when this is seen; or why it stopped, and a way to go on."""
    recipe = view.recipe
    key = f"trust-{recipe.key}-{layout.key if layout else ''}-{view.known.labels.state}"
    begin = partial(wanted, key, lambda: engine().submit_trust(recipe, layout))
    if key not in visitor.work:
        st.caption("Measuring begins…")
        _seen(key="trust_seen", data={"what": key}, on_seen_change=begin)
        return
    job = begin()
    if job.active:
        st.fragment(_follow, run_every=FOLLOW_SECONDS)(job.id)
        return
    if job.state == "failed":
        st.error(plain(job.message), icon=":material/error:")
    label = "Try again" if job.state == "failed" else "Measure"
    st.button(label, key="trust_again", type="primary", on_click=visitor.work.pop, args=(key, None))


def _follow(job_id: str) -> None:
    job = engine().jobs.get(job_id)
    if job is None or not job.active:
        st.rerun(scope="app")
    follow_bar(job, "trust", f"Measuring how far this can be trusted: {progress_words(job)}")


def _actions(visitor: Session, view: ViewState, section: Section) -> None:
    """Draw what a section leads to: its patches in all views, and the points in its colours."""
    colour = COLOURS.get(section.name) if section.measured else None
    causes = causes_of(view) if section.name == "familiar" and section.measured else ()
    if not section.patches and colour is None:
        return
    with st.container(horizontal=True, key=f"trust_{section.name}"):
        if section.patches:
            st.button(
                SHOW.get(section.name, "Show these patches"),
                key=f"trust_show_{section.name}",
                type="tertiary",
                icon=":material/select_all:",
                on_click=visitor.select,
                args=(patch_refs(view.scene.id, section.patches),),
            )
        if colour is not None:
            st.button(
                "Colour by it",
                key=f"trust_colour_{section.name}",
                type="tertiary",
                icon=":material/palette:",
                on_click=_colour,
                args=(visitor, colour),
            )
        for cause in with_remedies(view.scene, causes):
            remedy_button(visitor, view.scene, cause, key=f"trust_remedy_{cause.remedy}", quiet=True)


def _colour(visitor: Session, name: str) -> None:
    visitor.colour = name


def verdict_html(found: SceneVerdict) -> str:
    """Return the verdict as HTML; it is told by a word and a sign, and coloured too."""
    sign = f'<span class="sign" aria-hidden="true">{SIGNS[found.grade]}</span>'
    words = f"<strong>{html.escape(found.words)}</strong>"
    because = f'<span class="why">{html.escape(found.because)}</span>'
    return f'<div class="ll-verdict {found.grade or "unknown"}" role="status">{sign}{words}{because}</div>'


def section_html(section: Section) -> str:
    """Return a section as HTML, its sentences folded; names of classes come from files, so everything is escaped."""
    grade = grade_of(section)
    first, *rest = section.sentences
    full = section.sentences if section.short else rest
    paragraphs = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in full)
    tables = "".join(_table(sheet) for sheet in section.sheets)
    details = f"<h3>{html.escape(section.title)}</h3>{paragraphs}{tables}"
    folded = f"<details><summary>Details</summary>{details}</details>" if paragraphs or tables else ""
    sign = f'<span class="sign {grade or "unknown"}" aria-label="{GRADES[grade]}" role="img">{SIGNS[grade]}</span>'
    topic = f'<span class="topic">{html.escape(TOPICS.get(section.name, section.title))}</span>'
    sentence = html.escape(section.short or first)
    return f'<div class="ll-trust">{sign}<div><p class="lead">{topic} {sentence}</p>{folded}</div></div>'


def _table(sheet: Sheet) -> str:
    head = _cells(sheet.head, "th")
    body = "".join(f"<tr>{_cells(row, 'td')}</tr>" for row in sheet.rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="sheet"><p class="about">{html.escape(sheet.title)}</p>{table}</div>'


def _cells(cells: Sequence[str], kind: str) -> str:
    return "".join(f"<{kind}>{html.escape(cell)}</{kind}>" for cell in cells)
