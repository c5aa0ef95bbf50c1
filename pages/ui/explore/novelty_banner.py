"""The banner over the views where much of a scene is unfamiliar to the encoder, and the switch of the marks.

Why it may be so is ``core.evaluation.novelty_causes``; what is marked, and how, is ``novelty_marks``.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from core.errors import LandlikeError
from core.evaluation.novelty_causes import (
    LEAVE_CLOUD,
    MUCH_NOVEL,
    OTHER_DATE,
    OTHER_ENCODER,
    READ_AGAIN,
    REMEDIES,
    RESAMPLE,
    NoveltyCause,
    novelty_causes,
)
from core.scenes.quality import QualityRecord, load_quality
from core.scenes.scene import Scene
from core.values.classification import CLASSIFICATION
from pages.ui.common.icon_button import icon_button
from pages.ui.explore.novelty_marks import WORDS
from pages.ui.state.engine import engine
from pages.ui.state.session import Session, current
from pages.ui.state.view_state import ViewState
from pages.ui.state.widgets import switch

HEIGHT = 52
"""Pixels of a window's height that it takes, with the gap below."""

_FRACTIONS = {
    1 / 6: "A sixth", 1 / 5: "A fifth", 1 / 4: "A quarter", 1 / 3: "A third", 2 / 5: "Two fifths", 1 / 2: "Half",
    3 / 5: "Three fifths", 2 / 3: "Two thirds", 3 / 4: "Three quarters", 4 / 5: "Four fifths", 9 / 10: "Nine tenths",
    0.97: "Nearly all",
}  # fmt: skip


def share_of_novel(view: ViewState) -> float:
    """Return the share of patches that are unfamiliar to the encoder, 0 to 1; 0 where that cannot be known."""
    return len(view.known.novel_patches()) / max(len(view.table), 1)


def marking(visitor: Session, view: ViewState) -> bool:
    """Return whether unfamiliar patches are marked: as the visitor wants, else where they are few."""
    return share_of_novel(view) < MUCH_NOVEL if visitor.marks is None else visitor.marks


def banner_there(visitor: Session, view: ViewState) -> bool:
    """Return whether the banner stands over the views."""
    return share_of_novel(view) >= MUCH_NOVEL and view.recipe.key not in visitor.closed_banners


def fraction(share: float) -> str:
    """Return a share in words, such as ``Half``."""
    return _FRACTIONS[min(_FRACTIONS, key=lambda known: abs(known - share))] if share < 1 else "All"


def causes_of(view: ViewState) -> tuple[NoveltyCause, ...]:
    """Return why the scene may be unfamiliar, what matters most first; none where the encoder is gone."""
    found: tuple[NoveltyCause, ...] = view.known.answers.get("novelty_causes", lambda: _causes(view))
    return found


def _causes(view: ViewState) -> tuple[NoveltyCause, ...]:
    record: QualityRecord | None = None
    try:
        spec = engine().spec_of(view.scene, view.recipe.encoder)
        record = load_quality(view.scene.directory)
    except LandlikeError:
        return ()
    share = share_of_novel(view)
    return novelty_causes(view.scene, spec, record, share, view.known.flaws() if share >= MUCH_NOVEL else {})


def novelty_banner(visitor: Session, view: ViewState) -> None:
    """Draw the banner where much is unfamiliar: how much, why, what can be done, and the switch of the marks."""
    if not banner_there(visitor, view):
        return
    causes = causes_of(view)
    with st.container(horizontal=True, vertical_alignment="center", key="novelty_banner"):
        st.html(_sentence(view, causes))
        mark_switch(visitor, view)
        for cause in with_remedies(view.scene, causes)[:1]:
            remedy_button(visitor, view.scene, cause, key="novelty_remedy")
        icon_button("Close", "close", key="novelty_close", type="tertiary", on_click=_close,
                    args=(visitor, view.recipe.key))  # fmt: skip


def _sentence(view: ViewState, causes: tuple[NoveltyCause, ...]) -> str:
    whole = "these patches are" if view.scene.is_collection else "this scene is"
    of = fraction(share_of_novel(view))
    word = f'<abbr title="{html.escape(WORDS)}">unfamiliar</abbr>'
    title = html.escape(engine().spec_of(view.scene, view.recipe.encoder).title)
    why = f" {html.escape(causes[0].sentence)}" if causes else ""
    more = f" {len(causes) - 1} more {'reason' if len(causes) == 2 else 'reasons'} under Trust." if causes[1:] else ""
    text = f"<b>{of} of {whole} {word}</b>: it looks like nothing {title} learned from.{why}{more or ' See Trust.'}"
    return f'<div class="ll-novelty" role="status"><span aria-hidden="true">◇</span><p>{text}</p></div>'


def _close(visitor: Session, key: str) -> None:
    visitor.closed_banners = (*visitor.closed_banners, key)


def mark_switch(visitor: Session, view: ViewState) -> None:
    """Draw the switch of the marks in plot, map and gallery, where there is anything to mark."""
    if len(view.known.novel_patches()):
        switch("Mark unfamiliar", marking(visitor, view), key="marks", take=_take_marks, help_text=f"{WORDS}.")


def _take_marks(wanted: bool) -> None:
    current().marks = wanted


def with_remedies(scene: Scene, causes: Sequence[NoveltyCause]) -> list[NoveltyCause]:
    """Return the causes about which something can be done here, the first of each remedy."""
    first: dict[str, NoveltyCause] = {}
    for cause in causes:
        first.setdefault(cause.remedy, cause)
    away = {""} if engine().library.origin(scene.id) else {"", READ_AGAIN, RESAMPLE}
    return [cause for remedy, cause in first.items() if remedy not in away]


def remedy_button(visitor: Session, scene: Scene, cause: NoveltyCause, *, key: str, quiet: bool = False) -> None:
    """Draw the button that leads to what can be done about a cause of ``with_remedies``."""
    words = REMEDIES[cause.remedy]
    if st.button(words, key=key, type="tertiary" if quiet else "secondary", icon=":material/build:" if quiet else None):
        _WAYS[cause.remedy](visitor, scene)


def _read_again(visitor: Session, scene: Scene, *, finer: bool = False) -> None:
    visitor.listed = visitor.rereading = scene.id
    visitor.finer = finer
    st.switch_page("open.py")


def _other_encoder(_visitor: Session, _scene: Scene) -> None:
    st.switch_page("models.py")


def _other_date(_visitor: Session, _scene: Scene) -> None:
    st.switch_page("open.py")


def _show_cloud(visitor: Session, _scene: Scene) -> None:
    visitor.colour, visitor.overlay = CLASSIFICATION.name, True
    st.rerun(scope="fragment")


_WAYS: dict[str, Callable[[Session, Scene], None]] = {
    READ_AGAIN: _read_again,
    RESAMPLE: partial(_read_again, finer=True),
    OTHER_ENCODER: _other_encoder,
    LEAVE_CLOUD: _show_cloud,
    OTHER_DATE: _other_date,
}
