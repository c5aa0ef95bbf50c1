"""A view as what gives the same result without the pages: a shell command, and a few lines of Python."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from core.classification.numbers.store import LearnedNumber
from core.engine.exports.order import FOUND, LABELLED, ExportOrder
from core.engine.views import SearchView
from core.features.recipe import Recipe
from core.scenes.cut import MIN_VALID_FRACTION, Cut
from core.search.examples import AreaExample, Evidence, PatchExample, VectorExample
from core.search.saved import written_kind
from core.similarity.clusters import ClusterSettings


def command_of(order: ExportOrder, out: str = "") -> str:
    """Return the command that writes what is wanted, for a POSIX shell; one line.

    Args:
        order: what is wanted.
        out: the file; empty = as the order calls it.
    """
    words = _search_words(order.view)
    words += ["--what", order.what] if order.what != FOUND else []
    words += [f"--patches={_runs(order.patches)}"] if order.patches else []
    words += ["--colour", order.colour] if order.colour else []
    words += ["--layout", _compact(asdict(order.layout))] if order.layout is not None else []
    return shlex.join([*words, "--out", out or f"{order.stem}.{order.form}"])


def script_of(order: ExportOrder, out: str = "") -> str:
    """Return a script that writes what is wanted. Arguments as of ``command_of``."""
    layout = "None" if order.layout is None else f"ProjectionSettings(**{asdict(order.layout)!r})"
    lines = [
        *_search_lines(order.view),
        "order = ExportOrder(",
        f"    what={order.what!r}, form={order.form!r}, view=view,",
        f"    patches={order.patches!r}, colour={order.colour!r}, layout={layout},",
        ")",
        f"write_export(engine, order, Path({out or f'{order.stem}.{order.form}'!r}))",
    ]
    more = ["from core.engine.exports.files import write_export", "from core.engine.exports.order import ExportOrder"]
    more += ["from core.projection.settings import ProjectionSettings"] if order.layout is not None else []
    at = lines.index("from core.config import settings") + 1
    return "\n".join([*lines[:at], *more, *lines[at:]]) + "\n"


def _runs(patches: Sequence[int]) -> str:
    return ",".join(map(str, patches))


def _search_words(view: SearchView) -> list[str]:
    """Return the command without where its file goes."""
    words = ["python", "-m", "core", "view", view.recipe.scene_id, "--encoder", view.recipe.encoder]
    words += _cut_words(view.recipe.cut)
    good, bad = (",".join(_named(view, one) for one in _patches(view, like)) for like in (True, False))
    words += [f"--words={view.words}"] if view.words else []
    words += ["--like", good] if good else []
    words += ["--unlike", bad] if bad else []
    words += ["--examples", _compact(others)] if (others := _others(view)) else []
    words += ["--filters", _compact(view.filters.to_dict())] if len(view.filters) else []
    words += ["-k", str(view.count)] if view.count is not None else []
    # An option and its value in one word, because one that begins with “-” would count as another option.
    words += [f"--min-similarity={view.least!r}"] if view.least is not None else []
    words += ["--apart"] if view.apart else []
    words += [f"--seen={_runs(view.seen)}"] if view.seen else []
    return words


def _search_lines(view: SearchView) -> list[str]:
    """Return the lines of a script up to where it has the engine and the view."""
    recipe = view.recipe
    good, bad = (_patches(view, like) for like in (True, False))
    lines = [
        "from pathlib import Path",
        "",
        "from core.config import settings",
        "from core.engine.operations import Engine",
        "from core.engine.views import SearchView",
        "from core.scenes.cut import Cut",
        "from core.scenes.patches import PatchRef",
        "from core.search.examples import Evidence",
        "from core.search.filters import Filters",
        "",
        "engine = Engine(settings(), lanes={})",
        f"scene = engine.library.get({recipe.scene_id!r})",
        f"cut = {_cut(recipe.cut)}",
        "view = SearchView(",
        f"    recipe=engine.recipe(scene, {recipe.encoder!r}, cut=cut),",
        f"    evidence={_evidence(good, bad)},",
        f"    filters=Filters.from_dict({view.filters.to_dict()!r}),",
        f"    count={view.count!r}, least={view.least!r}, apart={view.apart!r}, words={view.words!r},",
        f"    seen={view.seen!r},",
        ")",
    ]
    if others := _others(view):
        at = lines.index("view = SearchView(")
        lines[at:at] = [
            "from core.search.saved import read_evidence",
            "",
            f"others = read_evidence({others!r}, '', lambda _scene: None).evidence",
        ]
        at = next(n for n, line in enumerate(lines) if line.startswith("    evidence="))
        patches = _evidence(good, bad)
        lines[at] = f"    evidence=Evidence(examples=({patches}.examples + others.examples)),"
    return lines


def _recipe_lines(recipe: Recipe) -> list[str]:
    """Return the lines of a script that make an engine and a recipe."""
    return [
        "from core.engine.operations import Engine",
        "from core.scenes.cut import Cut",
        "",
        "engine = Engine(settings(), lanes={})",
        f"scene = engine.library.get({recipe.scene_id!r})",
        f"recipe = engine.recipe(scene, {recipe.encoder!r}, cut={_cut(recipe.cut)})",
    ]


def _cut(cut: Cut) -> str:
    area = f", {cut.area!r}" if cut.area else ""
    return f"Cut({cut.size}, {cut.stride}, {cut.edge!r}, {cut.least_valid!r}{area})"


def _cut_words(cut: Cut) -> list[str]:
    """Return the options that cut a scene so."""
    words = ["--patch", str(cut.size), "--step", str(cut.stride)]
    words += ["--edge", cut.edge] if cut.edge != "leave" else []
    words += ["--least-valid", repr(cut.least_valid)] if cut.least_valid != MIN_VALID_FRACTION else []
    return words + (["--only", cut.area] if cut.area else [])


_FEATURES_FILE, _LABELS_FILE = "features.parquet", "labels.csv"


def trust_command(recipe: Recipe) -> str:
    """Return the commands that print what the Trust panel measures, for a POSIX shell; one line."""
    return f"{shlex.join(_embed_words(recipe))} && {shlex.join(['python', '-m', 'core', 'report', _FEATURES_FILE])}"


def trust_script(recipe: Recipe) -> str:
    """Return a script that prints what the Trust panel measures."""
    lines = [
        "from core.__main__ import main",
        "",
        *(f"main({words[3:]!r})" for words in map(shlex.split, trust_command(recipe).split(" && "))),
    ]
    return "\n".join(lines) + "\n"


def areas_command(recipe: Recipe) -> str:
    """Return the command that prints the areas of the classes on a scene's map, for a POSIX shell; one line."""
    words = ["python", "-m", "core", "areas", recipe.scene_id, "--encoder", recipe.encoder, *_cut_words(recipe.cut)]
    return shlex.join(words)


def areas_script(recipe: Recipe) -> str:
    """Return a script that prints the areas of the classes on a scene's map."""
    lines = [
        "import json",
        "",
        "from core.config import settings",
        "from core.engine.land_areas import areas_of_scene",
        *_recipe_lines(recipe),
        "print(json.dumps(areas_of_scene(engine, recipe).to_dict(), indent=1, ensure_ascii=False))",
    ]
    return "\n".join(lines) + "\n"


def clusters_command(recipe: Recipe, clusters: ClusterSettings, out: str = "clusters.csv") -> str:
    """Return the commands that find the clusters on show, before people renamed or merged them; one line."""
    return " && ".join(map(shlex.join, (_embed_words(recipe), _cluster_words(clusters, out))))


def clusters_script(recipe: Recipe, clusters: ClusterSettings, out: str = "clusters.csv") -> str:
    """Return a script that does what ``clusters_command`` does."""
    return _main_script(_embed_words(recipe), _cluster_words(clusters, out))


def classify_command(recipe: Recipe, head: str, *options: str) -> str:
    """Return the commands that print how right classes are that the labels of a scene teach; one line.

    Args:
        recipe: of the features on show.
        head: kind of head that learns.
        options: of ``classify``, which say what is printed beside.
    """
    return " && ".join(map(shlex.join, _classify_words(recipe, head, options)))


def classify_script(recipe: Recipe, head: str, *options: str) -> str:
    """Return a script that does what ``classify_command`` does; arguments likewise."""
    return _main_script(*_classify_words(recipe, head, options))


def numbers_command(recipe: Recipe, learned: LearnedNumber, out: str = "numbers.csv") -> str:
    """Return the commands that learn a number of patches anew from the file that it came in; one line."""
    return " && ".join(map(shlex.join, (_embed_words(recipe), _regress_words(learned, out))))


def numbers_script(recipe: Recipe, learned: LearnedNumber, out: str = "numbers.csv") -> str:
    """Return a script that does what ``numbers_command`` does."""
    return _main_script(_embed_words(recipe), _regress_words(learned, out))


def _classify_words(recipe: Recipe, head: str, options: Sequence[str]) -> tuple[list[str], ...]:
    labelled = ExportOrder(what=LABELLED, form="csv", view=SearchView(recipe=recipe, evidence=Evidence(), count=None))
    words = ["python", "-m", "core", "classify", _FEATURES_FILE, "--labels", _LABELS_FILE, "--head", head]
    return (
        _embed_words(recipe), shlex.split(command_of(labelled, _LABELS_FILE)),
        [*words, *options, "--out", "classes.parquet"],
    )  # fmt: skip


def _cluster_words(clusters: ClusterSettings, out: str) -> list[str]:
    words = ["python", "-m", "core", "cluster", _FEATURES_FILE, "--method", clusters.method]
    words += ["-k", str(clusters.count)] if clusters.count is not None else []
    return [*words, "--seed", str(clusters.seed), "--out", out]


def _regress_words(learned: LearnedNumber, out: str) -> list[str]:
    words = ["python", "-m", "core", "regress", _FEATURES_FILE, f"--values={learned.source}"]
    return [*words, f"--column={learned.title}", "--out", out]


def _embed_words(recipe: Recipe) -> list[str]:
    """Return the command that writes the features of a recipe to a file."""
    words = ["python", "-m", "core", "embed", recipe.scene_id, "--encoder", recipe.encoder, *_cut_words(recipe.cut)]
    return [*words, "--out", _FEATURES_FILE]


def _main_script(*commands: list[str]) -> str:
    """Return a script that runs commands one after another, until one does not work."""
    lines = ["from core.__main__ import main", "", *(f"assert main({words[3:]!r}) == 0" for words in commands)]
    return "\n".join(lines) + "\n"


def comparison_command(recipe: Recipe, encoders: Sequence[str], patch: int, k: int) -> str:
    """Return the command that asks several encoders the same question, for a POSIX shell; one line.

    Args:
        recipe: of the features on show.
        encoders: names, the one on show first.
        patch: id of the patch that asks.
        k: how many neighbours.
    """
    words = ["python", "-m", "core", "compare", recipe.scene_id, "--patch-id", str(patch), "-k", str(k)]
    words += [word for name in encoders for word in ("--encoder", name)]
    return shlex.join([*words, *_cut_words(recipe.cut)])


def comparison_script(recipe: Recipe, encoders: Sequence[str], patch: int, k: int) -> str:
    """Return a script that asks several encoders the same question; arguments as of ``comparison_command``."""
    words = shlex.split(comparison_command(recipe, encoders, patch, k))
    return f"from core.__main__ import main\n\nmain({words[3:]!r})\n"


def _patches(view: SearchView, good: bool) -> list[PatchExample]:
    return [one for one in view.evidence.examples if isinstance(one, PatchExample) and one.good is good]


def _named(view: SearchView, one: PatchExample) -> str:
    """Return a patch as a command names it: by its number, or by its scene too; with its weight where that is not 1."""
    named = str(one.ref.patch) if one.ref.scene == view.recipe.scene_id else str(one.ref)
    # The id of a scene may be all digits, and then looks like a patch with its weight.
    return named if one.weight == 1 and not one.ref.scene.isdigit() else f"{named}:{one.weight!r}"


def _evidence(good: list[PatchExample], bad: list[PatchExample]) -> str:
    one, other = (f"[{', '.join(_ref(example) for example in some)}]" for some in (good, bad))
    heavy = ", ".join(f"{_ref(one)}: {one.weight!r}" for one in (*good, *bad) if one.weight != 1)
    return f"Evidence.of({one}, {other}, weights={{{heavy}}})" if heavy else f"Evidence.of({one}, {other})"


def _ref(one: PatchExample) -> str:
    return f"PatchRef({one.ref.scene!r}, {one.ref.patch})"


def _others(view: SearchView) -> list[dict[str, Any]]:
    """Return areas and pictures among the examples, in the form that searches are kept in."""
    found: list[dict[str, Any]] = []
    for one in view.evidence.examples:
        if isinstance(one, AreaExample):
            found.append({**written_kind(one), "area": one.area.to_geojson(), "title": one.title})
        elif isinstance(one, VectorExample):
            words = {**written_kind(one), "vector": list(one.vector), "encoder": one.fingerprint, "title": one.title}
            found.append(words | ({"bands": list(one.bands)} if one.bands else {}))
    return found


def _compact(values: object) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
