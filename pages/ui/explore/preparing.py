"""From a visitor's wish to a scene that can be explored: choosing it, opening the first one, encoding it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.encoders.registry import EncoderListing, default_encoder
from core.errors import SceneError
from core.features.given import first_encoder
from core.features.recipe import Recipe
from core.jobs.queue import Job
from core.scenes.scene import Scene
from pages.ui.common.escape import plain, safe_label
from pages.ui.common.heading import heading
from pages.ui.common.progress import panel, wanted
from pages.ui.cutting.form import cut_button
from pages.ui.http.pictures import quicklook_url
from pages.ui.models.getting import get_encoder, without_connection
from pages.ui.scenes.deleted import bring_back
from pages.ui.state import cache
from pages.ui.state.address import show_address
from pages.ui.state.engine import engine
from pages.ui.state.session import Session, current

FIRST, SYNTHETIC = "sample", "synthetic"
"""What a visitor's jobs for the first scene, and for the one in its stead, are called."""
_FIRST = {
    "sample": "a real one is being opened for you to try: a coast of Virginia on 12 January 2016. It takes seconds.",
    "synthetic": "a synthetic one is being made for you to try. It takes less than a minute.",
}
"""How the sentence on the first scene ends, by the kind of job that makes it."""
_UNDER_WAY = (
    "is being read patch by patch; land can be looked for when that is done, and this page opens by itself.  \n"
    ":small[Until then you can say how it is cut into patches, and add other scenes on the Scenes page.]"
)
_TRIAL = (
    "the encoder is tried in two forms on this computer, to use the faster one from then on. It takes seconds, and is "
    "done once."
)
_NEW, _KNOWN = "It is in. Before it is read patch by patch, ", "It has been read before. Before it opens here, "
"""How the sentence on the trial begins: of a scene that nobody has read yet, and of one that came with a bucket."""
MOST_WORDS = 1500
"""Characters of the sentence on how an encoder can be had; it holds an address and a path."""


def chosen_scene(visitor: Session) -> Scene | None:
    """Return the scene to show: the visitor's, else the newest; None while the first one is being made, and shown."""
    library = engine().library
    if visitor.scene_id is not None:
        try:
            scene = library.get(visitor.scene_id)
        except SceneError as error:
            if visitor.scene_id == engine().synthetic_scene and not library.scenes():
                _open_first(visitor, engine().submit_synthetic)  # A link of when this was the first scene.
                return None
            _leave(visitor, visitor.scene_id, error)
            if visitor.scene_id is not None:
                return chosen_scene(visitor)
        else:
            _say_notice(visitor)
            return scene
    scenes = library.scenes()
    if scenes:
        visitor.open(scenes[0].id)
        _say_notice(visitor)
        return scenes[0]
    _open_first(visitor, engine().submit_first)
    return None


def _leave(visitor: Session, scene_id: str, error: SceneError) -> None:
    """Leave a scene that cannot be opened, for the one that took its place where there is one; say so by name."""
    library = engine().library
    gone = library.trash.find(scene_id)
    if gone is not None and gone.successor is not None and gone.successor in library:
        visitor.open(gone.successor)
        visitor.notice = f"“{gone.name}” was read again by other settings; this is the new reading."
        return
    visitor.open(None)
    visitor.notice = str(error) if gone is None else f"“{gone.name}” was deleted; this is another scene."
    visitor.missing = scene_id if gone is not None and gone.whole else ""


def _say_notice(visitor: Session) -> None:
    """Say what a visitor should know who came here, with a way back to a scene that was deleted."""
    if not visitor.notice:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="notice"):
        with st.container():
            st.warning(plain(visitor.notice), icon=":material/warning:")
        if visitor.missing:
            st.button("Bring it back", key="bring_back", on_click=_bring_back, args=(visitor.missing,))
        st.button("Dismiss", key="dismiss_notice", on_click=_dismiss_notice)


def _bring_back(scene_id: str) -> None:
    bring_back([scene_id])
    if scene_id in engine().library:
        current().open(scene_id)


def _dismiss_notice() -> None:
    current().notice = current().missing = ""


def _open_first(visitor: Session, submit: Callable[[], Job]) -> None:
    """Ask for the first scene and show how far it is; where the real one cannot be had, say why and make one."""
    key, job = FIRST, wanted(FIRST, submit)
    if job.kind == "sample" and job.state == "failed":
        visitor.notice = job.message
        key, job = SYNTHETIC, wanted(SYNTHETIC, engine().submit_synthetic)
    if job.state == "done":
        st.rerun()
    if engine().untried(default_encoder()):  # Meanwhile: else the scene would wait for it.
        wanted(_trial(default_encoder()), lambda: engine().submit_trial(default_encoder()))
    heading("Welcome to Landlike", 1, look="large")
    st.markdown(
        f"Landlike finds land that looks alike in Sentinel-2 scenes. There is no scene yet, so {_FIRST[job.kind]}"
    )
    st.markdown("Your own scenes go in on the **Scenes** page.")
    _say_notice(visitor)
    panel(job, key, job.title)


def chosen_encoder(visitor: Session, scene: Scene) -> str:
    """Return the name of the encoder to use; say so and go on with the default where that cannot be had.

    Of a scene without pixels it is the one that its vectors are from, whatever is chosen for others.
    """
    if not scene.has_pixels:
        return first_encoder(scene)
    wish = visitor.encoder or default_encoder()
    listing = cache.encoders().get(wish)
    if listing is not None and listing.available:
        return wish
    if listing is None:
        title, why = wish, "it is not among the encoders here"
        st.warning(f"The encoder {plain(title)}: {why}; going on with {plain(_default_title())}.")
        return default_encoder()
    _offer(listing)
    return default_encoder()


def encoder_tried(scene: Scene, encoder: str) -> bool:
    """Return whether it is known in which form an encoder is faster here; while it is not, draw how far that is."""
    if not scene.has_pixels or not engine().untried(encoder):
        return True
    work = current().work
    job = engine().jobs.get(work[_trial(encoder)]) if _trial(encoder) in work else engine().submit_trial(encoder)
    if job is None or not job.active:
        return True  # What came out could not be kept, or not be found: it is gone on with what does anywhere.
    work[_trial(encoder)] = job.id
    heading(scene.name, 1, look="large")
    read = any(recipe.encoder == encoder for recipe in engine().store.recipes(scene.id))
    st.markdown((_KNOWN if read else _NEW) + _TRIAL)
    panel(job, _trial(encoder), job.title)
    return False


def _trial(encoder: str) -> str:
    return f"trial-{encoder}"


def link_encoder(visitor: Session, scene: Scene, recipe: Recipe) -> str:
    """Return the encoder that links name: what vectors of others are from is none that could be chosen elsewhere."""
    return recipe.encoder if scene.has_pixels else visitor.encoder or default_encoder()


def _offer(listing: EncoderListing) -> None:
    """Say what keeps an encoder from being used, and how it can be had where its files are not at hand."""
    with st.container(border=True, key="encoder_offer"):
        going_on = f"Meanwhile this page uses {safe_label(_default_title())}."
        if not listing.fetchable:
            why = safe_label(listing.why_not or "", MOST_WORDS)
            found = "cannot be used" if listing.unfit else "is not on this computer"
            st.html(f"<p><b>{safe_label(listing.title)}</b> {found}. {why} {going_on}</p>")
            return
        st.html(f"<p><b>{safe_label(listing.title)}</b> is not on this computer. {going_on}</p>")
        get_encoder(listing)
        without_connection(listing)


def _default_title() -> str:
    listing = cache.encoders().get(default_encoder())
    return listing.title if listing else default_encoder()


def features_there(scene: Scene, recipe: Recipe) -> bool:
    """Return whether a scene is ready to be explored; while it is not, draw its picture and how far encoding is."""
    if engine().encoded(recipe):
        return True
    job = wanted(recipe.key, lambda: engine().submit_encode(recipe))
    if job.state == "done":
        st.rerun()
    show_address(current().link(link_encoder(current(), scene, recipe)))
    how = _UNDER_WAY if job.active else "is not encoded yet."
    if not scene.has_pixels:
        how = (
            "is being put in the store. It opens by itself when that is done." if job.active else "is not in the store."
        )
    st.markdown(f"**{plain(scene.name)}** {how}")
    panel(job, recipe.key, "Encoding the scene" if scene.has_pixels else "Storing the vectors")
    if scene.has_pixels:
        cut_button(current(), scene)
    st.html(
        f'<img alt="{safe_label(scene.name)}" src="{quicklook_url(scene.id)}" '
        'style="display:block;max-height:60vh;max-width:100%;margin:0 auto;border-radius:8px">'
    )
    return False
