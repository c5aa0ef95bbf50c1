"""Bundles of this installation's views: made of what is here, and opened as far as what they need is here."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from core.clusters.changes import DecidedClusters, adopt_clusters, check_of, decided_clusters, decided_otherwise
from core.clusters.handed import read_clusters, written_clusters
from core.encoders.base import EncoderSpec
from core.encoders.registry import encoder_names, matching_backend
from core.engine.library_source import library_source
from core.engine.operations import Engine
from core.engine.views import SearchView, answer
from core.errors import LandlikeError, PatchError, SettingsError, StoreError
from core.export.bundle import Bundle
from core.export.rows import ExportRows
from core.export.tables import csv_text
from core.features.given import given_spec
from core.features.recipe import Recipe
from core.progress import Progress, silent
from core.scenes.checksum import scene_checksum
from core.scenes.given.annotations import MOST_CLASSES, Window
from core.scenes.given.classes import clean_class
from core.scenes.labels import add_windows, given_windows
from core.scenes.patches import PatchGrid, patch_grid
from core.scenes.regions.map_region import read_region
from core.scenes.regions.of_interest import area_key, keep_area, kept_area
from core.scenes.scene import SCENE_ID, Scene
from core.search.conditions import Condition
from core.search.filters import Filters
from core.search.saved import GridOf, read_evidence, written_evidence
from core.search.words import MOST_LETTERS
from core.values.clusters import CLUSTER
from core.values.stability import STABILITY

RESULTS = "results"
"""Name of the table of what a view finds."""

MOST_WINDOWS = 500_000
"""Labelled windows that are taken from a bundle."""

_DAMAGED = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, OverflowError)
_AGAIN = "ask for the bundle again"


@dataclass(frozen=True, kw_only=True)
class OpenedBundle:
    """What a bundle is here.

    Attributes:
        bundle: the bundle.
        view: its view; None where its scene or its encoder is not here.
        lacking: what is missing or other than there, a sentence each; empty = the same picture.
        clusters: that ``take_clusters`` would take over; None = none, or none that can be.
        to_find: True = whether those clusters can be made again is not known, because they are not found here yet.
    """

    bundle: Bundle
    view: SearchView | None
    lacking: tuple[str, ...] = ()
    clusters: DecidedClusters | None = None
    to_find: bool = False

    @property
    def shows_clusters(self) -> bool:
        """Whether what it shows depends on its clusters: it filters or colours by them, or searches by words."""
        if self.view is None or self.clusters is None:
            return False
        return bool(_by_cluster(self.view) or self.view.words or self.bundle.view.get("colour") == CLUSTER.name)

    def without_clusters(self, why: str) -> OpenedBundle:
        """Return it without its clusters and filters on them, which it says.

        Args:
            why: a sentence, with its stop.
        """
        if self.view is None:
            return self
        named = _by_cluster(self.view)
        filters = Filters(conditions=tuple(one for one in self.view.filters.conditions if one not in named))
        left = f" Its filter “{'; '.join(one.sentence for one in named)}” is left out." if named else ""
        return replace(
            self, view=replace(self.view, filters=filters), clusters=None, to_find=False,
            lacking=(*self.lacking, why + left),
        )  # fmt: skip


def _by_cluster(view: SearchView) -> list[Condition]:
    """Return the conditions of a view that are on clusters."""
    return [one for one in view.filters.conditions if one.is_on(CLUSTER)]


def bundle_of(
    engine: Engine,
    view: SearchView,
    *,
    layout: Mapping[str, Any] | None = None,
    shown: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> Bundle:
    """Return a view as a bundle, with the table of what it finds; encodes first where needed.

    Args:
        engine: of this installation.
        view: the view.
        layout: settings of the plot, JSON values.
        shown: what else is on show, such as colouring and selection, JSON values.
        progress: of encoding.

    Raises:
        LandlikeError: as of ``answer``.
    """
    scene = engine.library.get(view.recipe.scene_id)
    said = {key: getattr(scene, key) for key in ("id", "name", "kind", "date", "level", "synthetic", "content")}
    windows = {name: sorted(map(list, given)) for name, given in given_windows(scene).items()}
    cuts = grids_of(engine, view.recipe)
    found = bundle_table(answer(engine, view, progress=progress))
    origin = library_source(engine, view.recipe).cluster_origin()
    return Bundle(
        scene=said | {"bands": list(scene.bands), "checksum": scene_checksum(scene)},
        recipe=view.recipe.to_dict(),
        labels={"version": 1, "classes": windows},
        examples={"name": view.evidence.name, "examples": written_evidence(view.evidence, cuts)},
        filters=view.filters.to_dict(),
        layout=layout or {},
        view={
            "count": view.count,
            "least": view.least,
            "apart": view.apart,
            "words": view.words,
            **_seen(view),
            **_area(scene, view.recipe),
            **({} if origin is None else {"clusters": written_clusters(decided_clusters(origin))}),
            **(shown or {}),
        },
        tables={RESULTS: found},
    )


def _seen(view: SearchView) -> dict[str, list[int]]:
    return {"seen": list(view.seen)} if view.seen else {}


def _area(scene: Scene, recipe: Recipe) -> dict[str, Any]:
    return {"area": kept_area(scene, recipe.cut.area).to_feature()} if recipe.cut.area else {}


def _keep_area(scene: Scene, recipe: Recipe, handed: object) -> None:
    """Keep the area that a bundle is cut by beside the scene, where it is the one.

    Raises:
        ValueError: when it is another one, or none is there.
        LandlikeError: when it cannot be read, or lies elsewhere.
    """
    region = read_region(handed if isinstance(handed, dict) else "")
    if area_key(region) != recipe.cut.area:
        raise ValueError("another area")
    keep_area(scene, region)


def bundle_table(rows: ExportRows, like: bytes | None = None) -> bytes:
    """Return what a view finds as a bundle holds it: without what has to be measured first, and may not be there.

    Args:
        rows: what it finds.
        like: the table of another bundle; where it has no clusters, this has none either. None = no other.
    """
    left = {STABILITY.name}
    if like is not None and CLUSTER.name not in like.partition(b"\r\n")[0].decode(errors="replace").split(","):
        left.add(CLUSTER.name)
    columns = {name: column for name, column in rows.columns.items() if name not in left}
    return csv_text(replace(rows, columns=columns)).encode()


def open_bundle(engine: Engine, bundle: Bundle, name: str) -> OpenedBundle:
    """Return what a bundle is here, and what it lacks to be the same picture. Nothing changes but the areas kept.

    Its encoder is looked for by its fingerprint among those that are here, and never by a name or path it states.

    Raises:
        StoreError: when its parts make no sense.
    """
    asked = f"Opening “{name}”"
    try:
        recipe, listed = Recipe.from_dict(bundle.recipe), list(bundle.examples.get("examples", []))
        if not SCENE_ID.fullmatch(recipe.scene_id) or recipe.scene_id != bundle.scene["id"]:
            raise ValueError("no id of a scene")
        scene, lacking = _scene(engine, bundle)
        found, fingerprint, more = _encoder(engine, recipe)
        if scene is None or found is None:
            return OpenedBundle(bundle=bundle, view=None, lacking=(*lacking, *more))
        recipe = replace(recipe, encoder=found, fingerprint=fingerprint)
        if recipe.cut.area:
            _keep_area(scene, recipe, bundle.view.get("area"))
        loaded = read_evidence(listed, str(bundle.examples.get("name", "")), grids_of(engine, recipe))
        count, least = bundle.view.get("count"), bundle.view.get("least")
        view = SearchView(
            recipe=recipe, evidence=loaded.evidence, filters=Filters.from_dict(bundle.filters),
            count=None if count is None else int(count), least=None if least is None else float(least),
            seen=tuple(int(one) for one in bundle.view.get("seen", ())),
            apart=bundle.view.get("apart") is True,
            words=str(bundle.view.get("words") or "")[:MOST_LETTERS],
        )  # fmt: skip
        handed = bundle.view.get("clusters")
        clusters = None if handed is None else read_clusters(handed)
    except (SettingsError, PatchError) as error:
        raise StoreError(asked, error.found, error.remedy) from error
    except _DAMAGED as error:
        raise StoreError(asked, "its examples, filters, clusters or recipe make no sense", _AGAIN) from error
    if loaded.lost:
        lacking = (*lacking, f"{loaded.lost} of its examples are of scenes that are not here; open those scenes first.")
    return _with_clusters(engine, OpenedBundle(bundle=bundle, view=view, lacking=(*lacking, *more), clusters=clusters))


OTHER_NUMBERS = (
    "runs in other numbers here (such as 8 bits in place of 32), so that some neighbours and similarities differ from "
    "those of the bundle."
)
"""Said behind the title of an encoder that gives the same features another way."""

OTHER_CLUSTERS = "The same settings give other clusters here, so that those of the bundle are not taken over."
"""Said where clusters cannot be made again."""

KEPT_CLUSTERS = (
    "Somebody chose, named or merged clusters of this scene otherwise here, so that those of the bundle are not taken "
    "over; take that back and open the bundle again to have them."
)
"""Said where other clusters were decided on."""


def _with_clusters(engine: Engine, opened: OpenedBundle) -> OpenedBundle:
    """Return a bundle with its clusters as far as they can be had here."""
    view, clusters = opened.view, opened.clusters
    if view is None or clusters is None:
        return opened
    if decided_otherwise(engine.library.get(view.recipe.scene_id), view.recipe, clusters):
        return opened.without_clusters(KEPT_CLUSTERS)
    found = engine.clusters(view.recipe, clusters.settings)
    if found is None:
        return replace(opened, to_find=True)
    return opened if check_of(found) == clusters.check else opened.without_clusters(OTHER_CLUSTERS)


def take_clusters(engine: Engine, opened: OpenedBundle) -> None:
    """Let the clusters of a bundle be called and merged here as they are there; without any do nothing.

    Raises:
        SettingsError: where somebody decided otherwise meanwhile.
        SceneError: when it cannot be written.
    """
    if opened.view is not None and opened.clusters is not None:
        recipe = opened.view.recipe
        adopt_clusters(engine.library.get(recipe.scene_id), recipe, opened.clusters)


def take_labels(engine: Engine, opened: OpenedBundle, name: str) -> int:
    """Give the windows that a bundle has labelled their classes, but those that have one here; return how many.

    Raises:
        StoreError: when its scene is not here, or its labels make no sense.
        SettingsError: for a name no class can have, or one class too many.
        SceneError: when the labels cannot be written.
    """
    asked = f"Taking the labels of “{name}”"
    if opened.view is None:
        raise StoreError(asked, "its scene or its encoder is not here", "open what it lacks first")
    scene = engine.library.get(opened.view.recipe.scene_id)
    try:
        classes = dict(opened.bundle.labels.get("classes", {}))
        wanted = {clean_class(asked, str(label)): _windows(scene, given) for label, given in classes.items()}
    except _DAMAGED as error:
        raise StoreError(asked, "they make no sense, or lie outside the scene", _AGAIN) from error
    if len(wanted) > MOST_CLASSES or sum(map(len, wanted.values())) > MOST_WINDOWS:
        raise StoreError(asked, "there are too many of them", f"take at most {MOST_WINDOWS:,} patches")
    taken = set[Window]().union(*given_windows(scene).values())
    add_windows(scene, wanted)
    return len(set[Window]().union(*wanted.values()) - taken)


def _windows(scene: Scene, given: object) -> set[Window]:
    found = {(int(top), int(left), int(side)) for top, left, side in given}  # type: ignore[attr-defined]
    for top, left, side in found:
        if min(top, left) < 0 or side < 1 or top + side > scene.grid.height or left + side > scene.grid.width:
            raise ValueError("outside the scene")
    return found


def _scene(engine: Engine, bundle: Bundle) -> tuple[Scene | None, tuple[str, ...]]:
    """Return the scene of a bundle, and what is missing of it: told by name and checksum, and how to get it."""
    said = bundle.scene
    named = f"“{str(said['name'])[:80]}” ({said['id']}, checksum {str(said['checksum'])[:12]})"
    if str(said["id"]) not in engine.library:
        if said.get("synthetic"):
            how = "open a synthetic landscape on the Scenes page, or “synthetic” as a SOURCE"
        else:
            day = f" of {said['date']}" if said.get("date") else ""
            how = f"add the same file{day} on the Scenes page, read by the same settings"
        return None, (f"The scene {named} is not here; {how}.",)
    scene = engine.library.get(str(said["id"]))
    if scene_checksum(scene) != said["checksum"]:
        return scene, (f"The pixels of {named} are others here; add the file that the bundle was made of.",)
    return scene, ()


def _encoder(engine: Engine, recipe: Recipe) -> tuple[str | None, str, tuple[str, ...]]:
    """Return name and fingerprint of an encoder here that gives these features, and what is other or missing."""
    given = given_spec(engine.library.get(recipe.scene_id)) if recipe.scene_id in engine.library else None
    if given is not None and given.fingerprint == recipe.fingerprint:
        return given.name, recipe.fingerprint, ()
    here: dict[str, EncoderSpec] = {}
    for name in sorted(encoder_names(engine.config), key=lambda one: one != recipe.encoder):
        with suppress(LandlikeError):
            here[name] = engine.spec(name)
    for name, spec in here.items():
        if spec.fingerprint == recipe.fingerprint:
            return name, recipe.fingerprint, ()
    for name, spec in here.items():
        with suppress(LandlikeError):
            if matching_backend(name, recipe.fingerprint, engine.config) is not None:
                return name, spec.fingerprint, (f"{spec.title} {OTHER_NUMBERS}",)
    named = f"“{recipe.encoder[:80]}” (fingerprint {recipe.fingerprint[:12]})"
    return None, recipe.fingerprint, (f"The encoder {named} is not here; get or add it on the Models page.",)


def grids_of(engine: Engine, recipe: Recipe) -> GridOf:
    """Return what gives the patches of a scene here by its id, cut as a recipe says."""

    def grid_of(scene_id: str) -> PatchGrid | None:
        return patch_grid(engine.library.get(scene_id), recipe.cut) if scene_id in engine.library else None

    return grid_of
