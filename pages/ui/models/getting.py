"""Getting an encoder whose files are not on this computer: the click that does it, how far it is, and other ways."""

from __future__ import annotations

import streamlit as st

from core.encoders.cache import archive_path, compressed_url
from core.encoders.registry import EncoderListing
from pages.ui.common.escape import plain
from pages.ui.common.progress import panel
from pages.ui.state import cache
from pages.ui.state.engine import engine
from pages.ui.state.session import current

GET_IT = "Get it"


def title_in_choice(listing: EncoderListing) -> str:
    """Return the title of an encoder where it can be chosen, with what keeps it from being used."""
    if listing.available:
        return listing.title
    return f"{listing.title} ({'damaged' if listing.unfit else 'not here yet'})"


def get_encoder(listing: EncoderListing) -> None:
    """Draw the button that downloads an encoder's files, how far that is, or why it failed and a way on."""
    work = current().work
    key = f"fetch-{listing.name}"
    job = engine().jobs.get(work.get(key, ""))
    if job is not None and job.state == "done":
        work.pop(key)  # Were the files to go again, the button would have to be there again.
        cache.forget_encoders()
        st.rerun()
    if job is not None and job.active:
        panel(job, key, "Downloading the encoder")
        return
    if job is not None and job.state == "failed":
        st.error(plain(job.message), icon=":material/error:")
    label = GET_IT if job is None else "Try again"
    st.button(label, key=f"get_{listing.name}", icon=":material/download:", on_click=_fetch, args=(listing.name, key))


def _fetch(name: str, key: str) -> None:
    current().work[key] = engine().submit_fetch(name).id


def without_connection(listing: EncoderListing) -> None:
    """Say how the files can be had where this computer cannot reach them, with what has to be copied."""
    with st.expander("Without a connection", icon=":material/cloud_off:"):
        st.caption("Download this file elsewhere:")
        st.code(compressed_url(listing.reference), language=None, wrap_lines=True)
        st.caption("Save it on this computer as:")
        st.code(str(archive_path(engine().config.model_cache, listing.reference)), language=None, wrap_lines=True)
