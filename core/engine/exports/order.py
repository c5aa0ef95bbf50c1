"""What somebody wants to take away, as a value that a job, a command and a script can state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from core.engine.bundles import grids_of
from core.engine.operations import Engine
from core.engine.views import SearchView
from core.errors import SettingsError
from core.export.formats import FORMATS
from core.features.recipe import Recipe
from core.projection.settings import ProjectionSettings
from core.search.filters import Filters
from core.search.saved import read_evidence, written_evidence
from core.values.base import Asked
from core.values.registry import OLDER_NAMES, VALUES

FOUND, SELECTED, LABELLED, CLASSES, EVERY = "found", "selected", "labelled", "classes", "patches"
FEATURES, MAP, CLASS_MAP, PLOT, REPORT, BUNDLE = "features", "map", "class-map", "plot", "report", "bundle"
SPECTRA = "spectra"

FORMS_OF_PATCHES = frozenset({FOUND, SELECTED, LABELLED, CLASSES, EVERY})
"""What comes as a table of patches."""

MEDIA_TYPES: Mapping[str, str] = {
    **{name: kind.media_type for name, kind in FORMATS.items()},
    "png": "image/png", "svg": "image/svg+xml", "zip": "application/zip", "html": "text/html", "pdf": "application/pdf",
    "json": "application/json",
}  # fmt: skip
"""What a file of a form is sent as."""

CONTENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys((FOUND, SELECTED, LABELLED, CLASSES, EVERY), tuple(FORMATS)),
        FEATURES: ("zip",),
        MAP: ("png", "svg", "zip"),
        CLASS_MAP: ("zip",),
        PLOT: ("png", "svg"),
        SPECTRA: ("json",),
        REPORT: ("html", "pdf"),
        BUNDLE: ("zip",),
    }
)
"""What can be taken away, and in which forms; a form is the ending of the file."""

_ASKED = "Taking a view away"


@dataclass(frozen=True, kw_only=True)
class ExportOrder:
    """What is wanted of a view.

    Attributes:
        what: a key of ``CONTENTS``.
        form: one of its forms.
        view: what is looked for; its recipe says of which patches.
        patches: ids of those that are selected, ascending.
        colour: name of the value that colours map and plot; empty = nothing does.
        layout: settings of the plot; None = PCA.

    Raises:
        SettingsError: when there is no such thing, or it does not come so.
    """

    what: str
    form: str
    view: SearchView
    patches: tuple[int, ...] = ()
    colour: str = ""
    layout: ProjectionSettings | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be made."""
        if self.what not in CONTENTS:
            raise SettingsError(_ASKED, f"there is no “{self.what[:40]}”", f"choose of {', '.join(CONTENTS)}")
        if self.form not in CONTENTS[self.what]:
            forms = ", ".join(CONTENTS[self.what])
            raise SettingsError(_ASKED, f"{self.what} do not come as “{self.form[:20]}”", f"choose of {forms}")
        if self.colour and OLDER_NAMES.get(self.colour, self.colour) not in VALUES:
            listed = ", ".join(VALUES)
            raise SettingsError(_ASKED, f"nothing is called “{self.colour[:40]}”", f"colour by one of {listed}")

    @property
    def stem(self) -> str:
        """Return what its file is called, without the ending."""
        scene, good = self.view.recipe.scene_id, self.view.patches(good=True)
        parts = [self.what, scene]
        if self.what == FOUND and good:
            parts.append(str(good[0]))
        if self.what in {MAP, PLOT} and self.colour:
            parts.append(self.colour)
        return "-".join(parts)

    @property
    def others(self) -> bool:
        """Return whether some examples are no patches of the scene."""
        return len(self.view.evidence) > len(self.view.patches(good=True)) + len(self.view.patches(good=False))

    @property
    def asked(self) -> Asked:
        """Return what values of patches depend on."""
        good, bad = self.view.patches(good=True), self.view.patches(good=False)
        if len(good) == 1 and not bad and len(self.view.evidence) == 1:
            return Asked(query=good[0], layout=self.layout)
        return Asked(query=good[0] if good else None, like=tuple(good), unlike=tuple(bad), layout=self.layout)

    def payload(self, engine: Engine) -> dict[str, Any]:
        """Return it as JSON values, for a job."""
        view = self.view
        return {
            "scene_id": view.recipe.scene_id,
            "recipe": view.recipe.to_dict(),
            "what": self.what,
            "form": self.form,
            "examples": written_evidence(view.evidence, grids_of(engine, view.recipe)),
            "filters": view.filters.to_dict(),
            "view": {
                "count": view.count,
                "least": view.least,
                "apart": view.apart,
                "words": view.words,
                "seen": list(view.seen),
            },
            "patches": list(self.patches),
            "colour": self.colour,
            "layout": None if self.layout is None else asdict(self.layout),
        }


def order_of(engine: Engine, payload: Mapping[str, Any]) -> ExportOrder:
    """Return what ``ExportOrder.payload`` gave.

    Raises:
        SettingsError: when it makes no sense.
    """
    recipe = Recipe.from_dict(payload["recipe"])
    evidence = read_evidence(list(payload["examples"]), "", grids_of(engine, recipe)).evidence
    filters, layout = Filters.from_dict(payload["filters"]), payload["layout"]
    view = SearchView(recipe=recipe, evidence=evidence, filters=filters, **_said(payload["view"]))
    return ExportOrder(
        what=payload["what"], form=payload["form"], view=view, patches=tuple(payload["patches"]),
        colour=payload["colour"], layout=None if layout is None else ProjectionSettings(**layout),
    )  # fmt: skip


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else a view says, of JSON values."""
    return {**values, "seen": tuple(values.get("seen", ()))}
