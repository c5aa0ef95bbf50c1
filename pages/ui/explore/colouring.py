"""What colours the patches, in the plot and on the map: a value of the registry, asked of a scene. No drawing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.bands import FloatArray
from core.evaluation.grid_shift import no_stability
from core.scenes.patches import PatchRefs, patch_refs
from core.values.base import Asked, ClassValue, PatchValue
from core.values.clusters import CLUSTER
from core.values.legend import Legend
from core.values.registry import OLDER_NAMES, VALUES, choices
from core.values.source import ValueCells
from core.values.stability import STABILITY
from pages.ui.common.progress import follow_line, wanted
from pages.ui.http.points import values_url
from pages.ui.state.engine import engine
from pages.ui.state.scene_view import SceneView


@dataclass(frozen=True, kw_only=True)
class Colouring:
    """A value of a scene's patches and what its colours mean.

    Attributes:
        value: of the registry.
        address: what routes call it.
        values: float32 of shape (N,), NaN = none; None while there are none.
        legend: the colours.
        about: how the numbers are made, a sentence, or empty.
        note: what has to stand on the map beside the colours, or empty.
        cells: the value on cells finer than patches, which the map shows; None where it is one a patch.
    """

    value: PatchValue
    address: str
    values: FloatArray | None
    legend: Legend
    about: str = ""
    note: str = ""
    cells: ValueCells | None = None

    def url(self, view: SceneView) -> str | None:
        """Return where the browser gets the numbers; None while there are none."""
        return None if self.values is None else values_url(view.recipe, self.address)

    def script(self) -> dict[str, Any]:
        """Return the legend as the plot's script takes it, with what the value is."""
        return {"about": self.about} | self.legend.script()


def title_of_choice(view: SceneView, name: str) -> str:
    """Return what a choice is called in the list of colours."""
    return f"Colour by {VALUES[name].title_of(view)}"


def colour_choices(view: SceneView, asked: Asked, wanted: str | None) -> tuple[list[str], str]:
    """Return the values that can colour patches, and of them the one that does: what is wanted, else the best."""
    options, name = choices(view, asked), OLDER_NAMES.get(wanted or "", wanted or "")
    return options, name if name in options else options[0]


def colouring(view: SceneView, name: str, asked: Asked) -> Colouring:
    """Return the colours of a value of the registry."""
    value = VALUES[name]
    return Colouring(
        value=value,
        address=value.address(view, asked),
        values=view.values(value, asked),
        legend=view.legend(value, asked),
        about=value.about_of(view),
        note=value.note_of(view),
        cells=value.cells(view, asked),
    )


def of_classes(view: SceneView, colours: Colouring, classes: Collection[int]) -> PatchRefs:
    """Return the patches of some classes of what colours them; −1 stands for those without a class."""
    if colours.values is None or not isinstance(colours.value, ClassValue):
        return PatchRefs(view.scene.id)
    rows = colours.value.mask(colours.values, classes)
    return patch_refs(view.scene.id, view.table.patch_ids[rows].tolist())


def ask_for_values(view: SceneView, name: str) -> None:
    """Ask for clusters or stability where they are chosen and not there, and draw how far they are."""
    recipe = view.recipe
    if name == CLUSTER.name and view.clusters() is None:
        settings = view.cluster_settings()
        key = f"clusters-{recipe.key}-{settings.key}"
        job = wanted(key, lambda: engine().submit_clusters(recipe, settings))
        follow_line(job, key, "Clusters", stop=True)
    if name == STABILITY.name and _no_stability(view) is None and view.stability() is None:
        key = f"stability-{recipe.key}"
        follow_line(wanted(key, lambda: engine().submit_stability(recipe)), key, "Stability", stop=True)


def say_why_not(view: SceneView, name: str) -> None:
    """Say why there can be no stability, where that is chosen."""
    why = _no_stability(view) if name == STABILITY.name else None
    if why is not None:
        st.caption(f"No stability here: {why}.")


def _no_stability(view: SceneView) -> str | None:
    return no_stability(view.scene, view.grid, len(view.table))
