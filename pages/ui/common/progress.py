"""Background work and failures on the page: how far work is, stopping it, and one sentence for whatever went wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import LandlikeError
from core.ingest.bands.calibration import scale_title
from core.ingest.bands.choices import scales_asked
from core.ingest.embeddings.choices import columns_asked, order_asked
from core.ingest.settings import settings_from_dict
from core.jobs.queue import Job
from core.jobs.worker import tells_of_worker
from core.storage.faults import tells_of_bucket
from pages.ui.common.escape import plain
from pages.ui.common.folding import NewsLine, draw_news
from pages.ui.common.format import duration, patches, size
from pages.ui.state.engine import engine
from pages.ui.state.session import current

FOLLOW_SECONDS = 0.5
_UNITS = {"encode": "patches", "fetch": "bytes"}
_UNKNOWN = (
    "Showing this page: something went wrong that Landlike does not know; reload the page, and if it happens again, "
    "the server's log says more."
)
_log = logging.getLogger(__name__)


@contextmanager
def boundary() -> Iterator[None]:
    """Show what goes wrong inside as one sentence, never a traceback.

    Streamlit's own stops and reruns are no ``Exception`` and pass through.
    """
    try:
        yield
    except LandlikeError as error:
        _log.info("A visitor was told: %s", error)
        st.error(plain(error), icon=":material/error:")
    except Exception:  # noqa: BLE001  the one boundary between the app and its visitors
        _log.exception("A page failed")
        st.error(_UNKNOWN, icon=":material/error:")


def progress_words(job: Job) -> str:
    """Tell how far a job is, in one line without its title."""
    if job.stopping:
        return "stopping…"
    if job.state == "queued":
        return "next in line…" if job.position <= 1 else f"waiting for {job.position} others…"
    if job.doing or not job.total:
        return f"{job.doing or 'starting'}…"
    if job.done >= job.total:  # What was counted is done; writing it down is not.
        return "finishing…"
    return " · ".join([_amount(job), *_pace(job)])


def _amount(job: Job) -> str:
    unit = _UNITS.get(job.kind)
    if unit == "patches":
        return f"{job.done:,} of {patches(job.total)}"
    if unit == "bytes":
        return f"{size(job.done)} of {size(job.total)}"
    return f"{min(100, 100 * job.done // job.total)} %"


def _pace(job: Job) -> list[str]:
    unit = _UNITS.get(job.kind)
    pace = []
    if unit and job.rate > 0:
        pace.append(f"{f'{job.rate:,.0f}' if unit == 'patches' else size(round(job.rate))} a second")
    if job.seconds_left is not None:
        pace.append(f"about {duration(job.seconds_left)} left")
    return pace


def wanted(key: str, submit: Callable[[], Job]) -> Job:
    """Return the job a visitor wants under a key: submitted once, not again by itself when it failed or was stopped."""
    visitor = current()
    known = engine().jobs.get(visitor.work[key]) if key in visitor.work else None
    if known is None or known.state == "done":
        known = submit()
        visitor.work[key] = known.id
    return known


def panel(job: Job, key: str, title: str) -> None:
    """Draw a bar that follows a job and runs the page again when it has ended; or why it did not and a way on."""
    if job.active:
        st.fragment(_follow, run_every=FOLLOW_SECONDS)(job.id, key, title)
        return
    if job.state == "failed":
        st.error(plain(job.message), icon=":material/error:")
    elif job.state == "cancelled":
        st.info(f"{plain(title)}: stopped. What was done so far is kept.", icon=":material/pause_circle:")
    label = "Try again" if job.state == "failed" else "Go on"
    st.button(label, key=f"again_{key}", type="primary", on_click=_again, args=(key,))


def follow_line(job: Job, key: str, doing: str, *, stop: bool = False) -> None:
    """Draw a line that follows a job and runs the page again when it has ended; or why it did not and a way on.

    Args:
        job: which.
        key: what ``wanted`` calls it.
        doing: what it does, in words.
        stop: True = it takes so long that a person may want to stop it.
    """
    if job.active:
        st.fragment(_follow_line, run_every=FOLLOW_SECONDS)(job.id, doing, key if stop else "")
        return
    if job.state == "failed":
        st.caption(f":material/error: {plain(job.message)}")
    if job.state != "done":
        label = "Go on" if stop and job.state == "cancelled" else "Try again"
        st.button(label, key=f"again_{key}", on_click=_again, args=(key,))


def job_list(kinds: Collection[str], asked_by: str = "") -> None:
    """List the work of some kinds that waits, runs, or failed in this server's life; nothing when there is none.

    Args:
        kinds: of jobs.
        asked_by: the part of the app that asked for it; what another part asked for is told there.
    """
    draw_news(job_lines(kinds, asked_by), "_".join(("more", *kinds)))


def job_lines(kinds: Collection[str], asked_by: str = "") -> list[NewsLine]:
    """Return the lines of ``job_list``: what runs first, then what waits, then what failed."""
    jobs = [job for job in engine().jobs.jobs() if job.kind in kinds and (job.active or job.state == "failed")]
    shown = [job for job in jobs if str(engine().jobs.payload(job.id).get("asked_by", "")) == asked_by]
    going = sorted((job for job in shown if job.active), key=lambda job: job.position)
    failed: dict[str, list[Job]] = {}
    for job in shown:
        if not job.active:  # The same file tried again and again is told once.
            failed.setdefault(how_it_failed(job), []).append(job)
    return [*(_going(job) for job in going), *(_failed(words, jobs) for words, jobs in failed.items())]


def _going(job: Job) -> NewsLine:
    return NewsLine(
        about="under way",
        draw=lambda: st.fragment(_follow, run_every=FOLLOW_SECONDS)(job.id, job.id, job.title),
    )


def _failed(words: str, jobs: Sequence[Job]) -> NewsLine:
    ids = [job.id for job in jobs]
    asks = bool(_choices(jobs[0]))
    return NewsLine(
        about="waiting for an answer" if asks else "failed",
        asks=asks,
        at=max(job.ended for job in jobs) or 1.0,
        draw=lambda: ended_line(jobs[0], words, ids),
        dismiss=lambda: _dismiss_all(ids),
    )


def how_it_failed(job: Job) -> str:
    """Return the sentence of a failure, which says what it is about: the job's title where the sentence does not."""
    about = job.title.removeprefix("Opening ").strip("“”")
    return job.message if about in job.message else f"{job.title}: {job.message[:1].lower()}{job.message[1:]}"


def _dismiss_all(job_ids: Sequence[str]) -> None:
    for job_id in job_ids:
        engine().dismiss(job_id)


def ended_line(job: Job, words: str, together: Sequence[str] = (), again: Callable[[str], None] | None = None) -> None:
    """Tell why a job failed or was stopped, until anybody dismisses it.

    Args:
        job: which.
        words: why.
        together: ids of all jobs that are dismissed with it; none = it alone.
        again: asks for the job of an id once more; None = that is not offered.
    """
    with st.container(horizontal=True, vertical_alignment="center", key=f"ended_{job.id}"):
        with st.container():  # Without it a long sentence takes the whole row.
            if job.state == "failed":
                st.error(plain(words), icon=":material/error:")
            else:
                st.info(plain(words), icon=":material/info:")
        _answers(job)
        if again is not None and st.button("Start again", key=f"restart_{job.id}", width="content"):
            with boundary():
                again(job.id)
                st.rerun()
        ids = together or [job.id]
        st.button("Dismiss", key=f"dismiss_{job.id}", on_click=_dismiss_all, args=(ids,), width="content")


def _choices(job: Job) -> list[tuple[str, str, str | None, dict[str, Any]]]:
    """Return the answers among which a person is asked to choose, while the files are there.

    Of each: a key, its words, what it means, and the settings by which the files are read then.
    """
    if job.kind != "ingest" or job.state != "failed":
        return []
    columns, scales = columns_asked(job.message), scales_asked(job.message)
    found: list[tuple[str, str, str | None, dict[str, Any]]] = [
        (f"vector_{number}", plain(column), None, {"vector": column}) for number, column in enumerate(columns)
    ]
    if order_asked(job.message):
        found.append(("order", "Latitude comes first", None, {"lat_first": True}))
    found += [
        (f"scale_{scale}", means, f"Read it as {scale_title(scale)}.", {"scale": scale})
        for scale, means in scales.items()
    ]
    if tells_of_bucket(job.message) or tells_of_worker(job.message):
        found.append(("again", "Try again", None, {}))
    paths = engine().jobs.payload(job.id).get("paths", ()) if found else ()
    return found if paths and all(Path(path).exists() for path in paths) else []


def _answers(job: Job) -> None:
    """Draw a button for each answer among which a person is asked to choose."""
    for key, words, means, settings in _choices(job):
        st.button(words, key=f"{key}_{job.id}", on_click=_read_by, args=(job.id,), kwargs=settings, help=means,
                  width="content")  # fmt: skip


def _read_by(job_id: str, **chosen: Any) -> None:  # noqa: ANN401  settings
    """Read an upload again by what a person says of it, beside what was said before."""
    settings = settings_from_dict(dict(engine().jobs.payload(job_id)["settings"]))
    current().added[engine().submit_again(job_id, replace(settings, **chosen)).id] = time.time()


def follow_bar(job: Job, key: str, text: str) -> None:
    """Draw how far a job is as a bar under a line of Markdown, and a button that stops it; off once it was asked to."""
    share = min(1.0, job.done / job.total) if job.total else 0.0
    with st.container(horizontal=True, vertical_alignment="center", key=f"follow_{key}"):
        st.progress(share, text=text)
        label, cancel = "Stopping…" if job.stopping else "Stop", engine().jobs.cancel
        st.button(label, key=f"stop_{key}", disabled=job.stopping, on_click=cancel, args=(job.id,), width="content")


def _follow(job_id: str, key: str, title: str) -> None:
    job = engine().jobs.get(job_id)
    if job is None or not job.active:
        st.rerun(scope="app")
    follow_bar(job, key, f"**{plain(title)}**: {progress_words(job)}")


def _follow_line(job_id: str, doing: str, key: str) -> None:
    job = engine().jobs.get(job_id)
    if job is None or not job.active:
        st.rerun(scope="app")
    with st.container(horizontal=True, vertical_alignment="center", key=f"value_line_{job_id}"):
        st.caption(f"{doing}: {progress_words(job)}")
        if key:
            stop = engine().jobs.cancel
            st.button("Stop", key=f"stop_{key}", disabled=job.stopping, on_click=stop, args=(job_id,), type="tertiary")


def _again(key: str) -> None:
    current().work.pop(key, None)
