"""The classes that patches are labelled by: of the scheme chosen for the scene, or one that holds what it has."""

from __future__ import annotations

from dataclasses import replace

from core.classification.heads import land_classes
from core.classification.scene_scheme import OWN_SCHEME
from core.classification.schemes import SCHEMES, LandClass, Scheme
from core.values.classes import colours_of
from pages.ui.state.label_state import chosen_scheme
from pages.ui.state.scene_view import SceneView

FIRST_SCHEME = "dynamicworld"
"""The scheme that is offered where a scene has no classes yet."""

OWN_TITLE = "My own classes"


def scheme_here(known: SceneView) -> Scheme:
    """Return the scheme that the scene is labelled by: what somebody chose, else one that holds its classes."""
    stated = chosen_scheme(known)
    if stated is not None:
        return stated
    name = usual_scheme(known)
    return SCHEMES[name] if name in SCHEMES else own_classes(known)


def own_classes(known: SceneView) -> Scheme:
    """Return a scheme of the classes that the scene came with and that its patches have."""
    truth, given = known.labels.truth, known.labels.given
    names = [*(() if truth is None else truth.classes), *(() if given is None else given.classes)]
    return Scheme(name=OWN_SCHEME, title=OWN_TITLE, classes=_coloured(known, tuple(dict.fromkeys(names)), None))


def offered(known: SceneView) -> tuple[LandClass, ...]:
    """Return the classes to label by: those of the scheme, then others that patches have."""
    scheme, given = scheme_here(known), known.labels.given
    labelled = () if given is None else given.classes
    return _coloured(known, tuple(dict.fromkeys([*scheme.names, *labelled])), scheme)


def _coloured(known: SceneView, names: tuple[str, ...], scheme: Scheme | None) -> tuple[LandClass, ...]:
    """Return classes with codes and keys by a scheme, and the colours that plot and map give them."""
    shown_now = known.labels.shown
    stated = {} if shown_now is None else dict(
        zip(shown_now.classes, colours_of(known.labels, shown_now.classes), strict=True)
    )  # fmt: skip
    return tuple(replace(one, colour=stated.get(one.name, one.colour)) for one in land_classes(names, scheme))


def usual_scheme(known: SceneView) -> str:
    """Return the scheme that holds all classes of a scene, or ``OWN_SCHEME``; the first one where it has none yet."""
    given = known.labels.shown
    if given is None:
        return FIRST_SCHEME
    return next((name for name, one in SCHEMES.items() if set(given.classes) <= set(one.names)), OWN_SCHEME)
