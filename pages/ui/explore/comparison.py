"""Encoders side by side: one question, the answer of each in a column, what they share, and whose answers hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations

import streamlit as st

from core.engine.snippets import comparison_command, comparison_script
from core.evaluation.grid_shift import COMPARED, SHIFT
from core.evaluation.report.wording import UNMEASURED
from core.evaluation.retrieval import Share
from core.features.recipe import Recipe
from core.features.stand_ins import lacking_words
from core.jobs.queue import Job
from core.scenes.scene import Scene
from core.similarity.overlap import overlap, shared_patches
from pages.ui.common.escape import plain
from pages.ui.common.format import duration, patches, size
from pages.ui.common.icon_button import icon_button
from pages.ui.common.progress import FOLLOW_SECONDS, panel, progress_words, wanted
from pages.ui.common.spelled import spelled
from pages.ui.explore.gallery import gallery, mark_shared, neighbour_items
from pages.ui.models.getting import get_encoder, title_in_choice, without_connection
from pages.ui.state import cache
from pages.ui.state.encoder_answers import EncoderAnswer, another, outlined_answer
from pages.ui.state.engine import engine
from pages.ui.state.session import MOST_COMPARED, Session, current
from pages.ui.state.view_state import ViewState
from pages.ui.state.widgets import select

NEAREST = 10
"""Of so many nearest it is told how many two encoders share."""
COLUMN_ROWS = 3
"""Rows of pictures that a column shows at once."""
HEAD, LACKING = 84, 48
"""Pixels above the galleries: the line on all encoders with the titles of the columns, and the lines on bands."""


def compare_button(visitor: Session, view: ViewState) -> None:
    """Draw the button that has a second encoder answer too; its row has no room for a word."""
    if view.neighbours is None or not view.question.plain or not view.scene.has_pixels:
        return
    icon_button(
        "Compare encoders",
        "view_column_2",
        key="compare",
        help_text="Ask another encoder the same question, and see side by side what each finds.",
        on_click=lambda: visitor.compare((another(view.scene, view.recipe, [view.recipe.encoder]),)),
    )


def comparison(
    visitor: Session, view: ViewState, answers: Sequence[EncoderAnswer], *, thumbs: str, height: int
) -> None:
    """Draw the lines on all encoders, and a column each.

    Args:
        visitor: whose.
        view: of the chosen encoder, with a query.
        answers: of ``answers_of``.
        thumbs: address of patches' pictures, as of ``ViewState.thumbs``.
        height: pixels of all of it.
    """
    ready = [one for one in answers if one.neighbours is not None]
    numbers = shared_patches([one.neighbours.ids for one in ready if one.neighbours is not None])
    with st.container(horizontal=True, vertical_alignment="center", key="compare_words"):
        st.markdown(" ".join([agreement(ready), steadiness(_kept(ready))]).strip(), width="stretch")
        _measuring(ready)
        _spelled(visitor, view, ready)
    for column, answer in zip(st.columns(len(answers), gap="medium"), answers, strict=True):
        with column, st.container(key=f"column_{answers.index(answer)}"):
            _head(visitor, answers, answer)
            room = height - HEAD - _lacking(view.scene, answers, answer)
            if answer.neighbours is None:
                _not_there(visitor, view.scene, answer)
            elif view.query is not None:
                items = neighbour_items(view.query, answer.neighbours, thumbs, view.labels)
                gallery(
                    mark_shared(items, numbers), top=f"q{view.query.patch}", empty="There is nothing to show.",
                    height=room, key=f"answer_{answers.index(answer)}", rows=COLUMN_ROWS,
                )  # fmt: skip


def _spelled(visitor: Session, view: ViewState, ready: Sequence[EncoderAnswer]) -> None:
    """Offer what gives the same answers without the pages; it leaves out what touches, as the page mostly does."""
    if view.query is None or len(ready) < 2 or not visitor.leave_out_touching:
        return
    asked = (view.recipe, [one.encoder for one in ready], view.query.patch, visitor.count)
    with st.popover("As a command", icon=":material/terminal:", key="compare_spelled"):
        spelled(comparison_command(*asked), comparison_script(*asked))


def _lacking(scene: Scene, answers: Sequence[EncoderAnswer], answer: EncoderAnswer) -> int:
    """Say which bands of an encoder the scene lacks; return the pixels that this takes, alike in all columns."""
    words = {one.encoder: lacking_words(one.spec.bands, scene) if one.spec else "" for one in answers}
    if not any(words.values()):
        return 0
    with st.container(height=LACKING - 8, border=False):
        st.caption(words[answer.encoder])
    return LACKING


def agreement(answers: Sequence[EncoderAnswer]) -> str:
    """Return how many of the nearest the encoders share, in Markdown; empty for fewer than two answers."""
    found = [(one.title, one.neighbours.ids) for one in answers if one.neighbours is not None]
    if len(found) < 2:
        return ""
    nearest = min(NEAREST, *(len(ids) for _, ids in found))
    pairs = [
        f"{plain(one)} and {plain(other)} share **{overlap(ids, others, nearest)}**"
        for (one, ids), (other, others) in combinations(found, 2)
    ]
    return f"Of the {nearest} nearest, {_listed(pairs)}."


def steadiness(kept: Mapping[str, Share | str | None]) -> str:
    """Return which encoder keeps its neighbours when the grid is shifted, in Markdown.

    Args:
        kept: by the encoder's title, its share of neighbours that stay, or why there is none; None = not measured.
    """
    known = [(title, one) for title, one in kept.items() if isinstance(one, Share)]
    waiting = [plain(title) for title, one in kept.items() if one is None]
    reasons = dict.fromkeys(one.removeprefix(UNMEASURED) for one in kept.values() if isinstance(one, str))
    sentences = []
    if known:
        sentences.append(f"On a grid shifted by {SHIFT} pixels, {_steadiest(known)}.")
    if waiting:
        start = "" if known else f"What a grid shifted by {SHIFT} pixels changes: "
        sentences.append(f"{start}{_listed(waiting)} not measured yet.")
    why = f"What a grid shifted by {SHIFT} pixels changes cannot be measured: "
    return " ".join([*sentences, *(why + plain(reason) for reason in reasons)])


def _steadiest(known: Sequence[tuple[str, Share]]) -> str:
    """Return who keeps most, as a clause with the figure of each; intervals that overlap tell no two apart."""
    ranked = sorted(known, key=lambda one: -one[1].value)
    figures = [f"{plain(title)} {_kept_words(one)}" for title, one in ranked]
    if len(ranked) < 2:
        return f"{plain(ranked[0][0])} keeps {_kept_words(ranked[0][1])} of {COMPARED} neighbours"
    (best, first), (_, second) = ranked[:2]
    if first.low > second.high:
        return f"**{plain(best)}** keeps most of {COMPARED} neighbours: {_listed(figures)}"
    none = "neither" if len(ranked) == 2 else "none"
    return f"{none} clearly keeps more of {COMPARED} neighbours: {_listed(figures)}"


def _kept_words(kept: Share) -> str:
    return f"{COMPARED * kept.value:.1f} ({COMPARED * kept.low:.1f}–{COMPARED * kept.high:.1f})"


def _listed(parts: Sequence[str]) -> str:
    """Return some words as a list in a sentence: ``a, b and c``."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _kept(answers: Sequence[EncoderAnswer]) -> dict[str, Share | str | None]:
    return {one.title: engine().reports.kept_under_shift(one.recipe) for one in answers if one.recipe is not None}


def _measuring(answers: Sequence[EncoderAnswer]) -> None:
    """Have what a shifted grid changes measured where that is not known, one encoder after the other; show how far."""
    for answer in answers:
        recipe = answer.recipe
        if recipe is None or engine().reports.kept_under_shift(recipe) is not None:
            continue
        key = f"shift-{recipe.key}"
        job = wanted(key, partial(engine().submit_trust, recipe, None))
        if job.active:
            st.fragment(_follow, run_every=FOLLOW_SECONDS)(job.id, answer.title)
            return
        if job.state == "failed":
            st.caption(plain(job.message))
        st.button("Measure", key=f"measure_{recipe.key}", on_click=_forget_work, args=(key,))
        return


def _follow(job_id: str, title: str) -> None:
    job = engine().jobs.get(job_id)
    if job is None or not job.active:
        st.rerun(scope="app")
    st.caption(f"Measuring {plain(title)}: {progress_words(job)}", width="content")
    label = "Stopping…" if job.stopping else "Stop"
    st.button(label, key="stop_shift", disabled=job.stopping, on_click=engine().jobs.cancel, args=(job.id,))


def _forget_work(key: str) -> None:
    current().work.pop(key, None)


def _head(visitor: Session, answers: Sequence[EncoderAnswer], answer: EncoderAnswer) -> None:
    """Draw the title of a column, a choice of encoders where it is not the chosen one, and its buttons."""
    place = answers.index(answer)
    with st.container(horizontal=True, vertical_alignment="center", key=f"column_head_{place}"):
        if place:
            _choice(visitor, answers, answer)
        else:
            st.markdown(f"**{plain(answer.title)}**", width="stretch")
        if answer.neighbours is not None:
            _map_choice(visitor, answer, place, shown=answer is outlined_answer(visitor, answers))
        if place:
            icon_button(
                "Take this encoder out", "close", key=f"uncompare_{place}", type="tertiary",
                on_click=visitor.compare, args=(tuple(one for one in visitor.compared if one != answer.encoder),),
            )  # fmt: skip


def _map_choice(visitor: Session, answer: EncoderAnswer, place: int, *, shown: bool) -> None:
    """Say that plot and map show the answer of a column, or draw the button that has them do so."""
    if shown:
        st.caption(":material/location_on: On plot and map", width="content")
        return
    encoder = answer.encoder if place else ""
    st.button(
        "Show on map", icon=":material/location_on:", key=f"outline_{place}", type="tertiary",
        help="Plot and map show this answer", on_click=_outline, args=(visitor, encoder),
    )  # fmt: skip


def _outline(visitor: Session, encoder: str) -> None:
    visitor.outlined = encoder


def _choice(visitor: Session, answers: Sequence[EncoderAnswer], answer: EncoderAnswer) -> None:
    """Draw the choice of the encoder of a column, among those that have no column."""
    listings = cache.encoders()
    taken = {one.encoder for one in answers if one is not answer}
    names = [name for name in listings if name not in taken]

    def take(name: str) -> None:
        visitor.compare(tuple(name if one == answer.encoder else one for one in visitor.compared))

    options = names if answer.encoder in names else [answer.encoder, *names]
    key = f"compared_{answers.index(answer)}"
    select(
        "Encoder",
        options,
        answer.encoder,
        key=key,
        title=lambda name: title_in_choice(listings[name]) if name in listings else name,
        take=take,
        width=300 if answer.neighbours is None else 190,
    )


def add_button(visitor: Session, view: ViewState, answers: Sequence[EncoderAnswer]) -> None:
    """Draw the buttons that add a column, where there is room and an encoder for it, and that end the comparison."""
    taken = [one.encoder for one in answers]
    fresh = another(view.scene, view.recipe, taken) if len(taken) < MOST_COMPARED else ""
    if fresh:
        st.button(
            "Add an encoder", icon=":material/add:", key="compare_more",
            on_click=visitor.compare, args=((*(name for name in visitor.compared if name in taken), fresh),),
        )  # fmt: skip
    st.button("End comparison", icon=":material/close:", key="compare_end", on_click=visitor.compare, args=((),))


def _not_there(visitor: Session, scene: Scene, answer: EncoderAnswer) -> None:
    """Say why an encoder gives no answer yet, and draw what can be done about it."""
    listing = answer.listing
    if listing is not None and listing.fetchable:
        st.markdown("Its files are not on this computer.")
        get_encoder(listing)
        without_connection(listing)
        return
    if answer.recipe is None or answer.spec is None:
        st.info(plain(answer.why_not), icon=":material/block:")
        return
    _encoding(visitor, scene, answer, answer.recipe)


def _encoding(visitor: Session, scene: Scene, answer: EncoderAnswer, recipe: Recipe) -> None:
    """Draw how far the encoding of a column is, or what it will take and the button that begins it."""
    job = engine().jobs.get(visitor.work.get(recipe.key, ""))
    if job is not None and job.active:
        panel(job, recipe.key, "Encoding")
        return
    if answer.why_not:
        st.error(plain(answer.why_not), icon=":material/error:")
    elif job is not None and job.state == "failed":
        st.error(plain(job.message), icon=":material/error:")
    elif engine().encoded(recipe):
        st.info("It has no features of this patch.", icon=":material/info:")
        return
    else:
        st.markdown(_forecast(scene, answer, recipe, job))
    label = {"failed": "Try again", "cancelled": "Go on"}.get(job.state if job else "", "Encode the scene")
    st.button(label, key=f"encode_{recipe.key}", type="primary", on_click=_begin, args=(visitor, recipe))


def _forecast(scene: Scene, answer: EncoderAnswer, recipe: Recipe, job: Job | None) -> str:
    """Return what encoding takes, in Markdown."""
    found = engine().forecast(scene, recipe)
    time = "how long is not known yet" if found.seconds is None else f"about {duration(found.seconds)}"
    start = "Stopped; what was done so far is kept." if job is not None and job.state == "cancelled" else ""
    why = start or "The scene is not encoded by it yet."
    return f"{why} **{patches(found.patches)}** · {time} · {size(found.bytes)} on disk"


def _begin(visitor: Session, recipe: Recipe) -> None:
    visitor.work[recipe.key] = engine().submit_encode(recipe).id
