"""What one visitor is looking at: ids and small values only. Widgets and the browser's address lie beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from core.scenes.cut import DEFAULT_CUT, Cut
from core.scenes.patches import PatchRef, PatchRefs
from core.scenes.scene import SCENE_ID
from pages.ui.state.cluster_desk import ClusterDesk
from pages.ui.state.cut_draft import CutDraft
from pages.ui.state.early import EarlyAnswers
from pages.ui.state.label_desk import WHO_COOKIE, LabelDesk, who_of_cookie
from pages.ui.state.other_examples import OtherExample
from pages.ui.state.question import MOST_IN_LINK, Asking, Question, asked_by, id_runs, read_id_runs, same_address
from pages.ui.state.seen import SeenPatches

_KEY = "landlike"
_HISTORY = 200
_CONTRASTS = ("soft", "normal", "strong")
_MARKS = {"on": True, "off": False}
NOTHING_SELECTED = PatchRefs("")
MOST_COMPARED = 3
"""Encoders side by side; more columns would be too narrow for pictures."""
_BETWEEN = ";"
"""Stands between the encoders of a link, as in ``LANDLIKE_MODELS``: a path may hold a comma."""
USUAL_COUNT = 20
"""Neighbours that are shown until somebody wants more or less."""
SETTINGS = ("k", "above", "where", "colour", "sel", "show", "picture", "contrast", "overlay", "list")
"""Parameters of a link beside the question: a change of these alone is no step of the browser's history."""
_SET_BY = {
    "k": ("count",), "above": ("least",), "where": ("filters",), "colour": ("colour",), "sel": ("selection", "show"),
    "picture": ("rendering",), "contrast": ("contrast",), "overlay": ("overlay",), "list": ("listed_as",),
}  # fmt: skip
MOST_FILTERS = 4000
"""Letters of the conditions of a link, at most; of longer ones a part would mean something else."""


@dataclass
class Session:
    """One visitor's place in the app.

    Attributes:
        scene_id: the open scene, or None.
        encoder: the chosen encoder's name, or None for the default.
        query: the patch whose like is sought, of several examples the first good one; None = there is none.
        examples: good and bad examples, where one patch does not say all; None = the query says it.
        selection: patches marked by lasso, box or legend.
        past: what was asked before, the latest last.
        future: what going back left, the next one last.
        contrast: a key of ``core.imagery.render.CONTRASTS``.
        compared: names of the encoders that answer beside the chosen one, ``MOST_COMPARED`` − 1 at most; none = no
            comparison.
        outlined: which of them plot and map show the neighbours of, or empty for the chosen encoder.
        overlay: True = the map shows the colours of the plot.
        marks: True = unfamiliar patches are marked; None = where they are few.
        closed_banners: keys of the recipes whose banner on unfamiliar land the visitor closed.
        labelled: what became of the latest labelling, a sentence.
        teach: the set of labelled patches that the visitor came to teach with, by its key, or empty.
        count: how many neighbours are shown, 5 to 100.
        least: the score from which on all patches are shown, in place of the nearest; None = the nearest.
        page: of the pictures or rows, from 0.
        filters: conditions that patches have to meet, as ``core.search.filters.Filters.link`` writes them.
        kept: what became of the latest keeping or opening of a search, a sentence.
        listed_as: ``pictures`` or ``table``: how patches are listed.
        sorted_by: the title of the column that rows are sorted by, after a ``-`` the largest first; empty = as listed.
        reached: the patch whose row the table shows, or None.
        leave_out_touching: True = patches touching the query are no neighbours.
        rendering: a key of ``core.imagery.render.RENDERINGS``; one for map, plot and gallery.
        colour: what colours the points, or None for the best there is.
        layout_neighbours: UMAP's number of neighbours.
        layout_distance: UMAP's minimum distance.
        layout_metric: UMAP's metric.
        layout_method: a key of ``core.projection.settings.METHODS``.
        layout_labels: for each scene that is arranged by labels, their version when the visitor began to.
        layout_asked: for each scene, what ``work`` calls the latest layout that this visitor began.
        show: ``similar`` or ``selection``: what the gallery holds when there is both.
        desk: what is being labelled.
        clusters: what is looked at among clusters.
        judging: True = the Classify page asks for the patches of the sample.
        classified: what became of the latest classifying, a sentence.
        screen: height of the browser's window in pixels, 600 to 2400.
        work: ids of the jobs this visitor asked for, by what they are for; what failed is not begun again unasked.
        listed: the scene whose details the Scenes page shows, or empty for the one that came last.
        shown: the scene whose details it drew last, or empty.
        uploads: how often files were added; the uploader is emptied by it.
        part: which part of them, row, column, height and width; None = the whole.
        part_of: paths of the files of which a part is chosen, where they were put for it; none = of no files.
        added: for each ingest this visitor asked for, seconds since 1970 when.
        latest: the scene that came in last of those whose coming was told, or empty.
        deleted: the scenes this visitor deleted last, until that is undone or dismissed.
        missing: the deleted scene that ``notice`` speaks of, or empty.
        closing: key of the popover that closes with the next run.
        rereading: the scene that is about to be read differently, or empty.
        finer: True = the form for that was opened to interpolate it to 10 m.
        linked: the patch of a link that names no scene, as text; it is the query once a scene is open.
        notice: a sentence that stays until the visitor goes to another scene.
        cuts: for each scene, the key of the way of cutting that the visitor chose; without one it is the usual one.
        cutting: True = the form for cutting is open in place of the views.
        draft: what stands in that form.
        seen: patches that searches showed as pictures.
        found: what became of the latest search by a place, a picture or an area, a sentence.
        typed: what stands in the search bar because it could not be meant; empty = what is asked.
        bar: what the search bar shows, its text and the sentence under it, as it was drawn last.
        chips: how often pictures were given; their uploader is emptied by it.
        early: how the browser is told what answers a patch, before a page has run for it.
    """

    scene_id: str | None = None
    encoder: str | None = None
    query: PatchRef | None = None
    examples: Question | None = None
    selection: PatchRefs = NOTHING_SELECTED
    past: list[Asking] = field(default_factory=list)
    future: list[Asking] = field(default_factory=list)
    count: int = USUAL_COUNT
    least: float | None = None
    page: int = 0
    filters: str = ""
    kept: str = ""
    listed_as: str = "pictures"
    sorted_by: str = ""
    reached: int | None = None
    leave_out_touching: bool = True
    rendering: str = "true"
    contrast: str = "normal"
    compared: tuple[str, ...] = ()
    outlined: str = ""
    overlay: bool = False
    marks: bool | None = None
    closed_banners: tuple[str, ...] = ()
    labelled: str = ""
    teach: str = ""
    colour: str | None = None
    layout_neighbours: int = 15
    layout_distance: float = 0.1
    layout_metric: str = "cosine"
    layout_method: str = "fast"
    layout_labels: dict[str, str] = field(default_factory=dict)
    layout_asked: dict[str, str] = field(default_factory=dict)
    show: str = "similar"
    desk: LabelDesk = field(default_factory=LabelDesk)
    clusters: ClusterDesk = field(default_factory=ClusterDesk)
    judging: bool = False
    classified: str = ""
    screen: int = 900
    work: dict[str, str] = field(default_factory=dict)
    listed: str = ""
    shown: str = ""
    uploads: int = 0
    part_of: tuple[str, ...] = ()
    part: tuple[int, int, int, int] | None = None
    added: dict[str, float] = field(default_factory=dict)
    latest: str = ""
    deleted: tuple[str, ...] = ()
    missing: str = ""
    closing: str = ""
    rereading: str = ""
    finer: bool = False
    linked: str = ""
    notice: str = ""
    cuts: dict[str, str] = field(default_factory=dict)
    cutting: bool = False
    draft: CutDraft = field(default_factory=CutDraft)
    seen: SeenPatches = field(default_factory=SeenPatches)
    found: str = ""
    typed: str = ""
    bar: tuple[str, str] = ("", "")
    chips: int = 0
    early: EarlyAnswers = field(default_factory=EarlyAnswers, compare=False)

    def open(self, scene_id: str | None) -> None:
        """Go to another scene: its patches are others, so query, selection and history are left behind."""
        if self.scene_id is not None and scene_id != self.scene_id:
            self.forget_patches()
            self.notice = self.missing = self.filters = self.kept = self.found = self.typed = ""
            self.cutting, self.marks = False, None
            self.latest = ""
        self.scene_id = scene_id
        if scene_id is not None and self.linked:
            self.query, self.linked = PatchRef.parse(self.linked, scene_id), ""

    def forget_patches(self) -> None:
        """Drop everything that names patches."""
        self.query, self.examples, self.selection, self.past, self.future = None, None, NOTHING_SELECTED, [], []
        self.show, self.labelled, self.least, self.page = "similar", "", None, 0
        self.classified, self.judging = "", False
        self.desk.forget_patches()
        self.clusters.forget_patches()

    def tell(self, classified: str) -> None:
        """Say what became of the latest classifying."""
        self.classified = classified

    def cut(self, scene_id: str) -> Cut:
        """Return how the visitor wants a scene cut."""
        return Cut.parse(self.cuts.get(scene_id, "")) or DEFAULT_CUT

    def recut(self, scene_id: str, cut: Cut, query: PatchRef | None) -> None:
        """Go to another way of cutting a scene, where patches are others; ``query`` is the one at the same place."""
        self.cuts[scene_id], self.cutting = cut.key, False
        self.forget_patches()
        self.query = query

    @property
    def asking(self) -> Asking | None:
        """Return what is asked now."""
        return self.query if self.examples is None else self.examples

    def question(self, scene_id: str) -> Question:
        """Return what is asked of a scene as examples; empty when nothing is."""
        if self.examples is not None and self.examples.scene == scene_id:
            return self.examples
        here = self.query is not None and self.query.scene == scene_id
        return Question(scene_id, (self.query.patch,) if self.query is not None and here else ())

    def ask(self, patch: PatchRef | None) -> None:
        """Make a patch the query, and look for its nearest; None ends it. What was forward of here is gone."""
        if patch != self.asking:
            self.least = None
        self.pursue(patch)

    def limit(self, least: float | None) -> None:
        """Show all patches from a score on, or, with None, the nearest again."""
        self.least, self.page, self.show = least, 0, "similar"

    def filter(self, filters: str) -> None:
        """Let only patches count that meet some conditions; empty = all."""
        self.filters, self.page = filters, 0

    def leave_out_seen(self, key: str) -> None:
        """Leave out the patches of a scene and cut that searches showed until now."""
        self.seen.leave_out(key)
        self.page = 0

    def forget_seen(self, key: str) -> None:
        """Show again the patches of a scene and cut that were left out, and begin anew to remember."""
        self.seen.reset(key)
        self.page = 0

    def turn_page(self, step: int) -> None:
        """Go to the pictures after (1) or before (−1)."""
        self.page = max(0, self.page + step)

    def exemplify(self, patch: PatchRef, sign: int) -> None:
        """Make a patch a good (1) or a bad (−1) example, or none (0) of what is looked for."""
        self.pursue(self.question(patch.scene).marked(patch.patch, sign))

    def listing(self, scene_id: str) -> bool:
        """Return whether examples of what is looked for in a scene are listed: more than one patch says it."""
        question = self.question(scene_id)
        return len(question) > 0 and not question.plain

    def having(self, scene_id: str, other: OtherExample, *, fresh: bool = False) -> None:
        """Add an example that is no patch of a scene to what is looked for there.

        A ``fresh`` one takes the place of a single patch that was asked about.
        """
        before = Question(scene_id) if fresh and not self.listing(scene_id) else self.question(scene_id)
        self.pursue(before.having(other))

    def pursue(self, asking: Asking | None) -> None:
        """Ask something else; None ends it. What was forward of here is gone."""
        before = self.asking
        self._take(asking)
        if self.asking == before:
            return
        if before is not None:
            self.past = [*self.past, before][-_HISTORY:]
        self.future, self.show, self.labelled, self.page = [], "similar", "", 0
        self.found = self.typed = ""

    def correct(self, asking: Asking | None) -> None:
        """Ask what was meant, without a step of the history."""
        self._take(asking)

    def _take(self, asking: Asking | None) -> None:
        """Set query and examples so that one patch is a query and not a list of one example."""
        if not isinstance(asking, Question):
            self.query, self.examples = asking, None
            return
        self.query = PatchRef(asking.scene, asking.like[0]) if asking.like else None
        self.examples = None if asking.plain or asking.empty else asking

    def back(self) -> None:
        """Return to what was asked before this; does nothing at the first."""
        if self.past:
            if self.asking is not None:
                self.future.append(self.asking)
            self._take(self.past.pop())
            self.show, self.found, self.typed = "similar", "", ""

    def forward(self) -> None:
        """Undo the latest ``back``; does nothing when there was none."""
        if self.future:
            if self.asking is not None:
                self.past.append(self.asking)
            self._take(self.future.pop())
            self.show, self.found, self.typed = "similar", "", ""

    def select(self, patches: PatchRefs) -> None:
        """Mark patches; none clears the selection."""
        self.selection, self.page = patches, 0
        self.show = "selection" if self.selection else "similar"

    def pick(self, patch: PatchRef) -> None:
        """Mark one more patch, or no longer."""
        held = self.selection.patches if self.selection.scene == patch.scene else ()
        ids = {*held} ^ {patch.patch}
        self.select(PatchRefs(patch.scene, tuple(sorted(ids))))

    def resize(self, screen: int) -> None:
        """Take note of the window's height."""
        self.screen = min(2400, max(600, screen))

    def clear(self) -> None:
        """End query and selection; ``back`` returns to the query."""
        self.ask(None)
        self.select(NOTHING_SELECTED)

    def settings(self) -> dict[str, str]:
        """Return the parameters of what is on show beside the question: those that are not as usual.

        They are ``k``, ``above``, ``where``, ``colour`` and ``sel``; a selection, or conditions, too long for an
        address are left out.
        """
        marked = id_runs(self.selection.patches) if self.selection.scene == self.scene_id else []
        parts = {
            "k": None if self.count == USUAL_COUNT else self.count,
            # Digits, as ``follow`` reads them: Python writes 0.00005 as 5e-05.
            "above": None if self.least is None else f"{self.least:.12f}".rstrip("0").rstrip("."),
            "where": self.filters if 0 < len(self.filters) <= MOST_FILTERS else None,
            "colour": self.colour,
            "sel": ".".join(marked) if 0 < len(marked) <= MOST_IN_LINK else None,
            "show": "selection" if self.show == "selection" and marked and self.asking is not None else None,
            "picture": None if self.rendering == "true" else self.rendering,
            "contrast": None if self.contrast == "normal" else self.contrast,
            "overlay": "on" if self.overlay else None,
            "list": "table" if self.listed_as == "table" else None,
        }
        return {name: str(value) for name, value in parts.items() if value is not None}

    def _set(self, parameters: Mapping[str, str]) -> None:
        """Take the settings of a link; parts that cannot be meant are passed over."""
        if re.fullmatch(r"\d{1,3}", parameters.get("k", "")):
            self.count = min(100, max(5, 5 * round(int(parameters["k"]) / 5)))
        if re.fullmatch(r"-?\d(\.\d{1,12})?", parameters.get("above", "")):
            self.least = float(parameters["above"])
        if len(parameters.get("where", "")) <= MOST_FILTERS:
            self.filters = parameters.get("where", self.filters)
        self.colour = parameters.get("colour") or self.colour
        marked = read_id_runs(parameters.get("sel", ""))
        if marked and self.scene_id is not None:
            self.selection = PatchRefs(self.scene_id, tuple(sorted(marked)))
            self.show = "selection" if parameters.get("show") == "selection" else self.show
        self.rendering = parameters.get("picture") or self.rendering
        self.contrast = parameters["contrast"] if parameters.get("contrast") in _CONTRASTS else self.contrast
        self.overlay = _MARKS.get(parameters.get("overlay", ""), self.overlay)
        self.listed_as = "table" if parameters.get("list") == "table" else self.listed_as

    def link(self, encoder: str | None) -> dict[str, str]:
        """Return the parameters that reopen this place.

        They are ``scene``, ``encoder``, ``compare``, ``cut``, ``q``, ``marks``, ``like`` and ``unlike``, and those of
        ``settings``. What is not known is left out, and so is the usual way of cutting.

        A query in the open scene is its number, so that links are short; one elsewhere is the text of its ``PatchRef``.
        """
        here = self.query is not None and self.query.scene == self.scene_id
        query = self.query.patch if self.query is not None and here else self.query
        cut = DEFAULT_CUT if self.scene_id is None else self.cut(self.scene_id)
        parts = {
            "scene": self.scene_id,
            "encoder": encoder,
            "compare": _BETWEEN.join(name for name in self.compared if name != encoder) or None,
            "cut": None if cut == DEFAULT_CUT else cut.key,
            "q": query,
            "marks": None if self.marks is None else ("on" if self.marks else "off"),
            **({} if self.examples is None else self.examples.link()),
            **self.settings(),
        }
        return {name: str(value) for name, value in parts.items() if value is not None}

    def follow(self, parameters: Mapping[str, str]) -> None:
        """Go where a link leads; parts that cannot be meant are passed over."""
        scene_id, query = parameters.get("scene", ""), parameters.get("q", "")
        if SCENE_ID.fullmatch(scene_id):
            self.open(scene_id)
            if Cut.parse(parameters.get("cut", "")) is not None:
                self.cuts[scene_id] = parameters["cut"]
        asked = asked_by(self.scene_id, parameters)
        if asked is not None:
            self._take(asked)
            self.open(self.scene_id or asked.scene)
        elif self.scene_id is None:
            self.linked = query
        self._set(parameters)
        self.encoder = parameters.get("encoder") or self.encoder
        self.marks = _MARKS.get(parameters.get("marks", ""), self.marks)
        if parameters.get("compare"):
            self.compare(tuple(parameters["compare"].split(_BETWEEN)))

    def compare(self, encoders: tuple[str, ...]) -> None:
        """Have other encoders answer beside the chosen one, the first few of these, each once; none ends it."""
        self.compared = tuple(dict.fromkeys(name for name in encoders if name))[: MOST_COMPARED - 1]
        if self.outlined not in self.compared:
            self.outlined = ""

    def revisit(self, parameters: Mapping[str, str]) -> None:
        """Go where the browser's Back or Forward leads, to what was on show there; ``back`` and ``forward`` follow."""
        scene_id, cut = parameters.get("scene", ""), Cut.parse(parameters.get("cut", "")) or DEFAULT_CUT
        if not SCENE_ID.fullmatch(scene_id):
            return
        self.open(scene_id)
        self.cutting, self.marks = False, _MARKS.get(parameters.get("marks", ""))
        self.encoder = parameters.get("encoder") or self.encoder
        self.compare(tuple(parameters.get("compare", "").split(_BETWEEN)))
        if cut != self.cut(scene_id):
            self.recut(scene_id, cut, None)
        asked = asked_by(scene_id, parameters)
        if self.past and same_address(self.past[-1], asked):
            self.back()
        elif self.future and same_address(self.future[-1], asked):
            self.forward()
        else:
            self.pursue(asked)
        usual = Session()
        for name, attributes in _SET_BY.items():
            if name in self.settings():  # What is too long for an address is in none, and stays.
                for attribute in attributes:
                    setattr(self, attribute, getattr(usual, attribute))
        self._set(parameters)


def current() -> Session:
    """Return this visitor's session; made on the first visit from the link that was followed."""
    found = st.session_state.get(_KEY)
    if not isinstance(found, Session):
        found = Session()
        found.follow(st.query_params.to_dict())
        found.desk.who = who_of_cookie(st.context.cookies.get(WHO_COOKIE, ""))
        st.session_state[_KEY] = found
    return found
