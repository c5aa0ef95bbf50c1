"""The house rules, read from the imports: who may know whom."""

from __future__ import annotations

import ast
import gc
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = sorted((ROOT / "core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").rglob("*.py"))

LAYERS = [
    {"errors", "bands", "config", "progress", "files", "one_thread", "prefetch", "text"},
    {"storage"},
    {"mirror"},
    {"scenes", "encoders"},
    {"similarity", "imagery", "jobs"},
    {"features", "ingest", "synthetic", "sample"},
    {"projection", "export"},
    {"evaluation"},
    {"values"},
    {"search", "classification", "clusters"},
    {"report"},
    {"training"},
    {"engine"},
    {"cli"},
    {"__main__"},
]
HOMES = {
    "tensorflow": ("core/encoders/saved_model/", "core/training/keras/"),
    "tensorflow_hub": ("core/encoders/saved_model/",),
    "keras": ("core/training/keras/",),
    "openvino": ("core/encoders/openvino.py",),
    "umap": ("core/projection/",),
    "sklearn": ("core/similarity/", "core/evaluation/", "core/classification/", "core/training/keras/"),
    "lancedb": ("core/features/",),
    "pyogrio": ("core/export/", "core/ingest/sandbox/", "core/ingest/vectors/", "core/imagery/ground/cut.py"),
    "geopandas": ("core/export/",),
    "obstore": ("core/storage/bucket.py",),
    "xarray": ("core/ingest/formats/cubes/",),
    "h5netcdf": ("core/ingest/formats/cubes/",),
    "h5py": ("core/ingest/formats/cubes/",),
    "zarr": ("core/ingest/formats/cubes/",),
    "dask": ("core/jobs/cluster/",),
    "distributed": ("core/jobs/cluster/",),
}
MOST_MODULES = 20
HEAVY = ("tensorflow", "openvino", "umap", "numba", "sklearn", "lancedb", "geopandas", "pyogrio", "xarray",
         "h5netcdf", "h5py", "zarr", "dask", "distributed")  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _no_garbage() -> Iterator[None]:
    """What is parsed is all kept, in a million objects; looking for garbage among them takes longer than reading it."""
    gc.disable()
    yield
    gc.enable()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """All parts of a module, without whether names are read or given; ``ast.walk`` takes twice as long."""
    found: list[ast.AST] = [parsed(path)]
    for node in found:
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                found += [one for one in value if isinstance(one, ast.AST)]
            elif isinstance(value, ast.AST) and name != "ctx":
                found.append(value)
    return tuple(found)


@cache
def imports(path: Path) -> frozenset[str]:
    """Full names of everything a module imports, at its top or inside functions."""
    found: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def roots(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def room(path: Path) -> str:
    """The room of a core module: its file's name, or its package's."""
    return path.relative_to(ROOT / "core").parts[0].removesuffix(".py")


def layer(name: str) -> int:
    for position, names in enumerate(LAYERS):
        if name in names:
            return position
    raise AssertionError(f"core/{name} has no layer; give it one in LAYERS")


def place(path: Path) -> str:
    """Where a file lies in the project."""
    return path.relative_to(ROOT).as_posix()


def test_core_knows_no_user_interface() -> None:
    interface = {"streamlit", "folium", "streamlit_folium", "pages", "app"}
    assert {place(path): roots(path) & interface for path in CORE if roots(path) & interface} == {}
    assert [place(path) for path in CORE if "plotly.express" in imports(path)] == []


def test_pages_import_the_shared_parts_and_core_but_not_each_other() -> None:
    own = [(place(path), name) for path in PAGES for name in imports(path) if name.startswith("pages.")]
    assert len(own) > 100
    assert [(path, name) for path, name in own if name.split(".")[1] != "ui"] == []


def test_imports_in_core_point_one_way() -> None:
    wrong = []
    for path in CORE:
        here = room(path)
        for name in imports(path) if here != "__init__" else ():
            parts = name.split(".")
            if parts[0] == "core" and len(parts) > 1 and parts[1] != here and layer(parts[1]) > layer(here):
                wrong.append(f"{place(path)} imports core/{parts[1]}, which lies above it")
    assert wrong == []


def test_core_has_no_circles() -> None:
    graph: dict[str, frozenset[str]] = {}
    for path in CORE:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        graph[name] = imports(path)
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"circle: {' → '.join([*trail, name])}"
        if name in done:
            return
        for other in graph[name] & graph.keys():
            if other != name and other != "core":
                visit(other, (*trail, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def test_each_heavy_library_has_one_home() -> None:
    used = [(place(path), library) for path in [*CORE, *PAGES, ROOT / "app.py"] for library in roots(path)]
    wrong = [(file, library) for file, library in used if library in HOMES and not file.startswith(HOMES[library])]
    assert wrong == [], f"each has one home: {HOMES}"


OURS = ("core", "pages", "tests")
TESTS = [path for path in sorted((ROOT / "tests").rglob("*.py")) if "fixtures" not in path.parts]
"""Without what ran in a checkout of a version before."""


@cache
def defined(module: str) -> frozenset[str]:
    """Every name that a module of ours binds, and the modules in it where it is a folder."""
    home = ROOT.joinpath(*module.split("."))
    inside = {path.stem for path in home.glob("*.py")} | {path.parent.name for path in home.glob("*/__init__.py")}
    file = home / "__init__.py" if home.is_dir() else home.with_suffix(".py")
    return frozenset(inside | (bound(nodes(file)) if file.exists() else set()))


def bound(parts: tuple[ast.AST, ...]) -> set[str]:
    """Names that are given, defined, imported or taken as arguments anywhere in a module."""
    found = {"__file__", "__doc__", "__name__"}
    for node in parts:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return found


def uses(parts: tuple[ast.AST, ...]) -> Iterator[tuple[str, str]]:
    """Modules of ours and what is taken from them: by import, and as attributes of modules that were imported."""
    modules: dict[str, str] = {}
    for node in parts:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OURS:
            for alias in node.names:
                yield node.module, alias.name
                path = ROOT.joinpath(*node.module.split("."), alias.name)
                if path.with_suffix(".py").exists():
                    modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in parts:
        if isinstance(node, ast.arg):
            modules.pop(node.arg, None)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            modules.pop(node.id, None)
    for node in parts:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield modules[node.value.id], node.attr


def test_what_is_taken_from_our_own_modules_is_there() -> None:
    """A name that moved would fail only once somebody comes where it is used."""
    gone = [
        f"{place(path)} takes {name} from {module}"
        for path in [*CORE, *PAGES, ROOT / "app.py", *TESTS]
        for module, name in uses(nodes(path))
        if name not in defined(module)
    ]
    assert gone == []


FOLDERS = sorted({path.parent for path in [*CORE, *PAGES]})


def test_a_folder_holds_few_modules_and_says_what_it_is() -> None:
    modules = {place(folder): len([*folder.glob("*.py")]) - 1 for folder in FOLDERS}
    full = {folder: count for folder, count in modules.items() if count > MOST_MODULES}
    assert full == {}, "give some of their modules a folder of their own"
    silent = [place(folder) for folder in FOLDERS if not ast.get_docstring(parsed(folder / "__init__.py"))]
    assert silent == []


def test_no_file_name_repeats_its_folder() -> None:
    twice = []
    for folder in FOLDERS:
        own = {folder.name, folder.name.removesuffix("s")} - {"scenes", "scene", "encoder"}
        starts = tuple(f"{name}_" for name in own)
        twice += [place(path) for path in folder.glob("*.py") if path.stem in own or path.stem.startswith(starts)]
    assert twice == []


def test_no_prefix_stands_for_a_folder() -> None:
    for folder in FOLDERS:
        stems = [path.stem for path in folder.glob("*.py")]
        for stem in stems:
            alike = [other for other in stems if other.startswith(f"{stem.split('_')[0]}_")]
            assert len(alike) < 3, f"{', '.join(alike)} in {folder.relative_to(ROOT)} want a folder of their own"


def test_tests_mirror_the_rooms() -> None:
    rooms = {path.relative_to(ROOT) for path in FOLDERS}
    for path in (ROOT / "tests").rglob("test_*.py"):
        folder = path.parent.relative_to(ROOT / "tests")
        if folder.parts and folder.parts[0] in {"core", "pages"}:
            assert folder in rooms, f"{path.relative_to(ROOT)} lies where there is no room"


def test_importing_the_app_loads_no_heavy_library() -> None:
    code = f"import sys, app; print([name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip().splitlines()[-1] == "[]"


def test_everything_imported_is_listed() -> None:
    listed = (ROOT / "requirements.txt").read_text() + (ROOT / "tests" / "requirements.txt").read_text()
    names = {line.split("==")[0].split("<")[0].strip().lower() for line in listed.splitlines() if line[:1].isalpha()}
    renamed = {
        "sklearn": "scikit-learn",
        "PIL": "pillow",
        "fpdf": "fpdf2",
        "umap": "umap-learn",
        "xdist": "pytest-xdist",
        "xstatic": "xstatic-leaflet",
        "yaml": "pyyaml",
    }
    for path in [*CORE, *PAGES, ROOT / "app.py", *sorted((ROOT / "tests").rglob("*.py"))]:
        for module in roots(path) - set(sys.stdlib_module_names) - {"core", "pages", "app", "tests"}:
            package = renamed.get(module, module).replace("_", "-").lower()
            assert package in names, f"{path.name} imports {module}, which no requirements file lists"


SESSION_HOMES = ("pages/ui/state/session.py", "pages/ui/state/widgets.py")


def test_only_their_homes_touch_session_and_caches() -> None:
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        if path.relative_to(ROOT).as_posix() not in SESSION_HOMES:
            assert "session_state" not in text, f"{path.name} uses st.session_state"
        if path != ROOT / "pages/ui/state/cache.py":
            assert "st.cache_" not in text, f"{path.name} uses st.cache_*"


def test_only_the_configuration_reads_the_environment() -> None:
    for path in [*CORE, *PAGES]:
        if path != ROOT / "core/config.py":
            text = path.read_text(encoding="utf-8")
            for way in ("environ.get", "environ[", "getenv", "in os.environ"):
                assert way not in text, f"{path.name} reads the environment"


@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("*.py")), ids=lambda path: path.name)
def test_page_scripts_hold_no_loose_text_which_streamlit_would_draw(path: Path) -> None:
    body = parsed(path).body[1:]
    assert not [node for node in body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]


TWICE = {
    "main": "where a process begins: the command line's, the sandbox's child's",
    "page": "what each page script draws",
}
"""Public names that several modules may define, each with its reason."""


def public_names(tree: ast.Module) -> Iterator[str]:
    """Names that a module defines at its top and that do not begin with an underscore."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        else:
            continue
        yield from (name for name in names if not name.startswith("_"))


def test_no_public_name_means_two_things() -> None:
    homes: dict[str, set[str]] = defaultdict(set)
    for path in [*CORE, *PAGES]:
        for name in public_names(parsed(path)):
            homes[name].add(str(path.relative_to(ROOT)))
    twice = {name: sorted(places) for name, places in homes.items() if len(places) > 1 and name not in TWICE}
    assert twice == {}, "give each thing a name of its own"


ASSERTING = ("assert_", "to_", "not_to_")
"""Beginnings of the names of calls that fail by themselves: NumPy's, Playwright's."""


def can_fail(
    function: ast.FunctionDef, helpers: dict[str, ast.FunctionDef], seen: frozenset[str] = frozenset()
) -> bool:
    """Whether a test asserts or expects something, itself or by a helper of its module."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert | ast.Raise):
            return True
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in {"raises", "warns", "fail"} or name.startswith(ASSERTING):
                return True
            if name in helpers.keys() - seen and can_fail(helpers[name], helpers, seen | {name}):
                return True
    return False


def test_every_test_can_fail() -> None:
    idle = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        functions = [node for node in nodes(path) if isinstance(node, ast.FunctionDef)]
        helpers = {node.name: node for node in functions if not node.name.startswith("test_")}
        tests = [node for node in functions if node.name.startswith("test_")]
        idle += [f"{place(path)}::{node.name}" for node in tests if not can_fail(node, helpers)]
    assert idle == [], "these tests assert nothing"
