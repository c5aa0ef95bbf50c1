"""How much land each class has: as mapped, and as a judged random sample estimates it, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.classification.areas.estimation import ABSTAINED, AccuracyAssessment, StratifiedEstimate
from core.classification.areas.judgements import (
    JudgedSample,
    drop_sample,
    sample_of,
    save_sample,
)
from core.classification.schemes import LandClass
from core.engine.class_map import cut_of_map, map_cells_of
from core.engine.land_areas import (
    CHANGED_SINCE,
    LandAreas,
    classified_patches,
    land_areas,
    measured_patches,
    sample_here,
)
from core.engine.snippets import areas_command, areas_script
from core.errors import LandlikeError
from pages.ui.classify.labeller import labeller
from pages.ui.common.escape import plain, safe_label
from pages.ui.common.format import count, ground_words
from pages.ui.common.heading import heading
from pages.ui.common.spelled import spelled
from pages.ui.common.theme import class_title
from pages.ui.state.scene_view import SceneView
from pages.ui.state.session import Session
from pages.ui.state.widgets import shown

SIZES = (50, 100, 200, 400)
"""Patches to judge that are offered."""

MAPPED = (
    "Mapped area, not an estimate: a map errs, and its errors do not cancel out. Judge a random sample to know more."
)


def areas_panel(visitor: Session, known: SceneView) -> None:
    """Draw the table of areas, and how a sample is drawn and judged."""
    if classified_patches(known) is None:
        return
    heading("Areas", look="large")
    if measured_patches(known) is None:
        st.markdown("Areas need patches whose place on Earth is known.")
        return
    found = land_areas(known)
    st.html(areas_table(found.mapped, found.estimated, found.true))
    for sentence in _said(known, found):
        st.caption(sentence)
    _sampling(visitor, known, found.sample)
    with st.expander("Measure it without the pages", icon=":material/terminal:", key="areas_spelled"):
        spelled(areas_command(known.recipe), areas_script(known.recipe))


def _said(known: SceneView, areas: LandAreas) -> list[str]:
    """Return what a reader of the table has to know."""
    found, sample, true = areas.estimated, areas.sample, areas.true
    said = [MAPPED if found is None else _overall(found), *areas.said]
    if cut_of_map(known) is not None and map_cells_of(known) is not None:
        said.append("Areas and the sample are of the map by whole patches, not of its finer cells.")
    if found is not None and areas.changed:
        said.append(CHANGED_SINCE)
    if sample is not None and found is not None and (taught := _taught_too(known, sample)):
        patches = count(taught, "judged patch has", "judged patches have")
        said.append(f"{patches} a label too and may teach the map, which then looks a little better than it is.")
    if true is not None and true.overall is not None:
        said.append(
            f"By the scene's own truth {100 * true.overall.value:.1f} % of the classified land has its right class."
        )
    return [*said, *(plain(note) for note in (found.notes if found is not None else ()))]


def _taught_too(known: SceneView, sample: JudgedSample) -> int:
    """Return how many judged patches have a label by hand, where labels teach the head of the map."""
    given = known.labels.given
    if given is None or not known.choice.by_labels:
        return 0
    return sum(one.reference is not None and int(given.index[one.patch]) >= 0 for one in sample.patches)


def _overall(found: AccuracyAssessment) -> str:
    judged = sum(found.judged.values())
    return (
        f"Overall accuracy {_percent(found.overall)}, by {count(judged, 'judged patch', 'judged patches')} of a "
        "stratified random sample (Olofsson et al. 2014); intervals of 95 %."
    )


def _percent(found: StratifiedEstimate | None) -> str:
    if found is None:
        return "–"
    said = f"{100 * found.value:.0f} %"
    return said if found.low is None or found.high is None else f"{said} ({100 * found.low:.0f}–{100 * found.high:.0f})"


def areas_table(
    mapped: dict[str, float], found: AccuracyAssessment | None, true: AccuracyAssessment | None = None
) -> str:
    """Return hectares a class as mapped and, where a sample was judged, as estimated, as an HTML table.

    Args:
        mapped: hectares a class.
        found: what a judged sample tells; None = none was judged.
        true: what the truth of the scene tells; None = it is not known.
    """
    head = "<th>Class</th><th>Mapped</th>"
    head += "<th>Estimated</th><th>95 % interval</th><th>Of what is mapped so, right</th>" if found is not None else ""
    head += "<th>True</th><th>Truly right of what is mapped so</th>" if true is not None else ""
    known = [name for one in (found, true) if one is not None for name in one.areas]
    names = list(dict.fromkeys([*mapped, *known]))
    rows = "".join(_row(name, mapped.get(name, 0.0), found, true) for name in names)
    return f'<div class="ll-table"><table><tr>{head}</tr>{rows}</table></div>'


def _row(name: str, mapped: float, found: AccuracyAssessment | None, true: AccuracyAssessment | None) -> str:
    title = "Unsure" if name == ABSTAINED else safe_label(class_title(name))
    cells = f"<td>{title}</td><td>{ground_words(mapped) if np.isfinite(mapped) else '–'}</td>"
    if found is not None:
        area = found.areas.get(name)
        if area is None:
            cells += "<td>–</td><td>–</td>"
        else:
            between = "not known" if area.low is None or area.high is None else f"{area.low:,.0f}–{area.high:,.0f} ha"
            cells += f"<td>{ground_words(area.value)}</td><td>{between}</td>"
        cells += f"<td>{_percent(found.users.get(name))}</td>"
    if true is not None:
        area, users = true.areas.get(name), true.users.get(name)
        cells += f"<td>{'–' if area is None else ground_words(area.value)}</td>"
        cells += f"<td>{'–' if users is None else f'{100 * users.value:.0f} %'}</td>"
    return f"<tr>{cells}</tr>"


def _sampling(visitor: Session, known: SceneView, sample: JudgedSample | None) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="classify_sample"):
        if sample is None:
            st.selectbox("Patches to judge", SIZES, index=1, key="classify_size", width=170)
            st.number_input("Seed", 0, 9999, 0, key="classify_seed", width=120)
            st.button("Draw a sample and judge it", key="classify_draw", type="primary", on_click=_draw,
                      args=(visitor, known))  # fmt: skip
            return
        left = len(sample.patches) - sample.judged
        words = f"Judge the {left} left" if sample.judged and left else "Judge the sample"
        if left:
            st.button(words, key="classify_judge", type="primary", on_click=_judging, args=(visitor, True))
        if sample.judged:  # An hour of judging is not lost by one click.
            with st.popover("Draw another sample", key="classify_drop"):
                st.markdown(f"{count(sample.judged, 'judgement')} of this sample will be dropped.")
                st.button("Drop them", key="classify_redraw", type="primary", on_click=_forget, args=(visitor, known))
        else:
            st.button("Draw another sample", key="classify_redraw", on_click=_forget, args=(visitor, known))
        st.caption(f"{sample.judged} of {len(sample.patches)} judged · seed {sample.seed}")


def _draw(visitor: Session, known: SceneView) -> None:
    """Draw a sample of the map as it is now, before the next run."""
    measured = measured_patches(known)
    if measured is None:
        return
    patches, ground = measured
    size, seed = shown("classify_size") or SIZES[1], shown("classify_seed") or 0
    try:
        sample = sample_of(
            patches, ground.tolist(), size=int(size), seed=int(seed), cut=known.recipe.cut.key,
            map_version=known.classified_version(),
        )  # fmt: skip
        save_sample(known.scene, sample)
    except LandlikeError as error:
        visitor.classified = str(error)
        return
    visitor.judging, visitor.classified = True, ""


def _judging(visitor: Session, on: bool) -> None:
    visitor.judging = on


def _forget(visitor: Session, known: SceneView) -> None:
    try:
        drop_sample(known.scene, known.recipe.cut.key)
    except LandlikeError as error:
        visitor.classified = str(error)
    visitor.judging = False


def judge_panel(visitor: Session, known: SceneView, classes: Sequence[LandClass], *, rendering: str) -> None:
    """Ask for the patches of the sample one by one, without what the map says of them."""
    sample = sample_here(known)
    if sample is None:
        visitor.judging = False
        st.rerun(scope="fragment")
        return
    asked = sample.next
    done = sample.judged

    def judge(patch: int, name: str) -> None:
        _keep(visitor, known, patch, name)

    st.markdown(f"**Judging the sample:** {done} of {len(sample.patches)} done. What the map says is not shown.")
    labeller(
        known, None if asked is None else asked.patch, classes, rendering=rendering, counts={},
        words={
            "pass": "Later",
            "empty": "All patches of the sample are judged. Go back to see accuracy and areas.",
        },
        on_class=judge, on_pass=lambda patch: _later(visitor, known, patch), key="judge",
        ahead=[one.patch for one in sample.patches if one.reference is None][1:4],
    )  # fmt: skip
    with st.container(horizontal=True, key="judge_bar"):
        st.button("Back to the map", key="judge_back", icon=":material/arrow_back:", on_click=_judging,
                  args=(visitor, False))  # fmt: skip
        last = [one for one in sample.patches if one.reference is not None][-1:]
        st.button("Take the last one back", key="judge_undo", icon=":material/undo:", disabled=not last,
                  on_click=_keep, args=(visitor, known, last[0].patch if last else -1, None))  # fmt: skip


def _keep(visitor: Session, known: SceneView, patch: int, name: str | None) -> None:
    sample = sample_here(known)
    if sample is None:
        return
    try:
        save_sample(known.scene, sample.with_reference(patch, name))
    except LandlikeError as error:
        visitor.classified = str(error)


def _later(visitor: Session, known: SceneView, patch: int) -> None:
    """Put a patch at the end of those to be judged."""
    sample = sample_here(known)
    if sample is None:
        return
    try:
        save_sample(known.scene, sample.put_off(patch))
    except LandlikeError as error:
        visitor.classified = str(error)
