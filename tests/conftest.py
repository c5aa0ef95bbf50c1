"""What all tests share: models built once for a session, ingest without its child, no way beyond this computer."""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadFileScheduling

from core.ingest.sandbox.protocol import IngestRequest, IngestResult, result_from_dict
from core.progress import Progress
from core.scenes.scene import Scene
from tests import modules, trials
from tests.buckets import Bucket, serving
from tests.compiled import compile_once
from tests.data import shared
from tests.emulators import NO_AZURITE, Emulator, azure, azurite, google

OFFLINE = {
    # Read by Python processes that tests start, see the module there.
    "PYTHONPATH": os.pathsep.join(
        [str(Path(__file__).parent / "offline"), *filter(None, [os.environ.get("PYTHONPATH")])]
    ),
    # Read by libcurl, and by Python's own clients: nobody listens there.
    **dict.fromkeys(("http_proxy", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:9"),
    "no_proxy": "127.0.0.1,localhost,::1",
}
FIRST_SCENE = {"LANDLIKE_FIRST_SCENE": "synthetic"}
"""What servers of tests open first, for its classes; other tests ask for the real one."""
os.environ.update(OFFLINE | FIRST_SCENE)

# How long an example takes tells of the machine, which does other things too, and not of the code.
hypothesis.settings.register_profile(
    "any", max_examples=50, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any")

HERE = Path(__file__).resolve().parent

SLOW = (
    "browser",  # a real server and Chromium
    "core/cli/test_main.py",  # each as people run it, some in processes of their own
    "core/encoders/saved_model/test_encoder.py",  # TensorFlow beside our own way
    "core/encoders/saved_model/test_tensorflow.py",
    "core/engine/test_operations.py",  # worker processes
    "core/engine/test_ground.py",  # the land of scene after scene
    "core/engine/test_old_data.py",
    "core/cli/test_vectors_of_others.py",  # whole commands
    "core/cli/test_clusters.py",
    "core/cli/test_area.py",
    "core/storage/test_kinds.py",  # servers of three kinds
    "core/engine/batch",  # whole commands, some in processes that are killed
    "core/evaluation/report/test_measure.py",  # whole reports
    "core/imagery/test_tiles.py",  # pixel by pixel
    "core/ingest/test_refusals.py",  # a process for each bad file
    "core/ingest/test_boundary.py",
    "core/cli/test_views.py",  # each view by page, command and script
    "core/cli/test_search.py",
    "core/cli/test_embed.py",  # processes that open files
    "core/ingest/truth/test_adding.py",
    "pages/ui/classify/test_importing.py",  # processes that open files of shapes
    "pages/ui/search/test_bar.py",
    "pages/ui/search/test_results_table.py",
    "core/jobs/test_queue.py",  # workers that die
    "core/mirror",  # a bucket, processes that are killed, a server
    "core/jobs/cluster",  # a scheduler, and workers that die
    "core/ingest/test_real.py",  # real files
    "core/ingest/vectors",  # files of shapes, some in a process each
    "core/ingest/test_collection.py",  # many files, each a collection
    "core/ingest/test_numbers.py",
    "core/ingest/test_one_scene.py",
    "core/ingest/test_names.py",
    "core/ingest/test_tiles.py",
    "core/ingest/formats/test_classification.py",
    "core/ingest/formats/arrays/test_keys.py",
    "core/ingest/formats/cubes",  # many files, each as several kinds
    "core/ingest/formats/safe",
    "core/ingest/formats/arrays/test_patch_stack.py",
    "core/ingest/formats/arrays/test_eopatch.py",
    "core/ingest/embeddings/test_sandbox.py",  # processes
    "core/ingest/sandbox/test_limits.py",
    "core/encoders/saved_model/test_checkpoint.py::test_very_long_buffers_and_single_flips",
    "core/ingest/formats/test_extra_samples.py",
    "core/scenes/regions/test_of_interest.py",
    "core/engine/test_class_tasks.py",  # whole chains, and what is printed run again
    "core/engine/exports/test_without_pixels.py",
    "pages/ui/classify/test_without_pages.py",
    "core/evaluation/test_baseline.py",  # hundreds of real patches
    "core/evaluation/test_taught_classes.py::test_the_shipped_encoder_names_its_classes_in_all_bands",
    "core/encoders/test_eight_bits.py::test_a_form_that_cannot_be_run_is_tried_once_and_left_alone",
    "core/encoders/test_eight_bits.py::test_the_list_of_encoders_says_what_was_measured",
    "core/engine/exports/test_files.py",  # whole reports and maps
    "core/engine/test_previews.py",
    "core/engine/test_land_areas.py",
    "core/evaluation/test_grid_shift.py",  # each neighbour by hand
    "core/similarity/test_cells.py",  # many rows
    "core/similarity/test_knn_graph.py::test_the_graph_of_many_long_rows_finds_nearly_all",
    "core/features/test_parts.py",
    "core/classification/test_shared_land.py",
    "core/encoders/test_spectral.py::test_shipped_table_is_made_from_the_training_patches",
    "core/encoders/test_default.py",
    "core/ingest/formats/archives/test_tarred.py::test_a_tar_is_read_in_the_sandbox_too",  # processes
    "core/ingest/preview/test_preview.py::test_a_product_and_its_sandbox",
    "core/ingest/test_files.py::test_the_sandbox_says_that_it_opens_files_before_it_reads_pixels",
    "core/imagery/ground",  # the whole Earth
    "core/export/test_scatter.py",
    "test_app.py",  # servers
    "core/sample/test_scene.py",  # a real scene
    "core/projection",  # umap-learn beside our own way
    "core/synthetic/test_landscape.py",  # scenes as large as people open
    "core/training",  # TensorFlow
    "pages/test_explore.py",  # whole pages, again and again
    "pages/test_models.py",
    "pages/test_open.py",
    "pages/test_classify.py",
    "pages/ui/classify/test_doubts.py",  # heads that are taught
    "pages/ui/cutting",
    "pages/ui/classify/test_learning.py",
    "pages/ui/explore",
    "pages/ui/state/test_warm.py",  # a process that imports all
    "pages/ui/common/test_escape.py",  # everything that Markdown might read
    "pages/ui/http/test_points.py",  # a layout
    "pages/ui/state/test_heap.py",  # a server, and visitors
)
"""Folders, files and tests that are left to ``make test``; tests elsewhere may carry the marker ``slow``."""


TOGETHER = (
    ("tests/browser/",),  # one Chromium, which keeps what it has compiled of the app's scripts
    ("tests/core/projection/", "tests/core/evaluation/report/test_measure.py"),  # umap-learn compiles for seconds
    ("tests/core/training/", "tests/core/encoders/saved_model/", "tests/core/encoders/test_registry.py"),  # TensorFlow
    ("tests/core/jobs/cluster/",),  # one cluster
    ("tests/core/mirror/test_kinds_of_bucket.py", "tests/core/storage/test_kinds.py"),  # servers of three kinds
)
"""Folders and files that one process does, because each process that has their tools first spends seconds on them."""


class Scheduling(LoadFileScheduling):
    """Gives each file to one process, and what stands ``TOGETHER`` to one process too."""

    def _split_scope(self, nodeid: str) -> str:
        return next((group[0] for group in TOGETHER if nodeid.startswith(group)), super()._split_scope(nodeid))


def pytest_collection(session: pytest.Session) -> None:
    """Collect no garbage while modules are imported: there is hardly any among the millions of objects that stay.

    In a fresh checkout pytest compiles each file of tests, which takes longer than importing it, and keeps the outcome.
    Processes that begin at one time and at one end would all compile each file; so each takes its share of them first.
    """
    gc.disable()
    if hasattr(session.config, "workerinput") and not sys.dont_write_bytecode:
        _compile_share(session.config)


def _compile_share(config: pytest.Config) -> None:
    """Import, and so compile, every so many of the files that this process and those beside it are going to collect."""
    number, of = int(config.workerinput["workerid"].removeprefix("gw")), config.workerinput["workercount"]
    asked = [config.rootpath / argument.partition("::")[0] for argument in config.args]
    ignored = [config.rootpath / path for path in config.option.ignore or ()]
    files = [
        path
        for path in sorted(HERE.rglob("test_*.py"))
        if any(path.is_relative_to(one) for one in asked)
        and not any(path.is_relative_to(one) for one in ignored)
        and not _left_alone(path, config)
    ]
    for path in files[number::of]:
        with suppress(Exception):  # Told when it is collected.
            import_module(".".join(path.relative_to(HERE.parent).with_suffix("").parts))


def pytest_collection_finish() -> None:
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling | None:
    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files alone of which ``make check`` does nothing: importing what they need takes as long as it lasts."""
    return True if _left_alone(collection_path, config) else None


def _left_alone(path: Path, config: pytest.Config) -> bool:
    """Whether a file or folder, or one that it lies in, is of those that ``make check`` does nothing of."""
    if config.option.markexpr != "not slow" or not path.is_relative_to(HERE):
        return False
    place = path.relative_to(HERE)
    return not {place.as_posix(), *(above.as_posix() for above in place.parents)}.isdisjoint(SLOW)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what ``make check`` leaves out: the places named above, and what needs a model that TensorFlow builds.

    Their files go first: a long one that comes last keeps one processor while the other has nothing to do. A test whose
    browser died is done again with another.
    """
    places = [place.partition("::") for place in SLOW]
    gone = [path for path, _, _ in places if not (HERE / path).exists()]
    assert not gone, f"conftest names places that are gone: {gone}"
    left_out: dict[Path, set[str]] = {}
    for item in items:
        if item.path not in left_out:
            file = item.path.relative_to(HERE).as_posix()
            left_out[item.path] = {only for path, _, only in places if f"{file}/".startswith(f"{path}/")}
        name = getattr(item, "originalname", item.name)
        builds = {"model", "models_root"} & set(getattr(item, "fixturenames", ()))
        if builds or {"", name} & left_out[item.path]:
            item.add_marker(pytest.mark.slow)
        if item.nodeid.startswith("tests/browser/"):
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun="TargetClosedError"))
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="module", autouse=True)
def _frozen() -> None:
    """Keep what is there already out of garbage collection.

    Streamlit collects garbage after every run of a page. Over all that a session of tests imports and keeps, that is
    most of the time of the tests of pages.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of a session have."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def models_root(_shared: Path) -> Path:
    return _shared / "models"


@pytest.fixture(scope="session", autouse=True)
def _eight_bits_tried_once(_shared: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.encoders.eight_bits._tried", trials.once(_shared / "trials"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        compile_once(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def _not_flushed() -> Iterator[None]:
    """Wait for no disk: no test pulls the plug, and files are written thousands of times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)  # It refuses what is no open file, too.
        yield


@pytest.fixture(scope="session")
def model(models_root: Path) -> Callable[[str], Path]:
    """``model("tiny")``: a directory not to be changed."""
    return lambda kind: modules.build(kind, models_root)


@pytest.fixture(scope="session")
def eurosat(_shared: Path) -> Callable[[Path], Scene]:
    """``eurosat(folder)``: the scene of EuroSAT's real patches, taken in once for all tests, put into a data folder."""

    def get(root: Path) -> Scene:
        from core.files import locked
        from core.ingest.boundary import ingest
        from core.ingest.settings import IngestSettings
        from core.scenes.library import Library

        path, library = shared("eurosat_ms.zip"), Library(_shared / "eurosat")
        with locked(_shared / "eurosat.lock"), ingest_here():
            (scene,) = library.scenes() or [ingest([path], library, IngestSettings())]
        shutil.copytree(scene.directory, Library(root).root / scene.id)
        return Library(root).get(scene.id)

    return get


@pytest.fixture(scope="module")
def object_server() -> Iterator[Bucket]:
    """A server of S3."""
    with serving() as bucket:
        yield bucket


@pytest.fixture
def bucket(object_server: Bucket, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Its bucket, empty, and the environment by which it is reached."""
    object_server.objects.clear()
    object_server.asked.clear()
    for name, value in object_server.environment().items():
        monkeypatch.setenv(name, value)
    return object_server


@pytest.fixture(scope="session")
def _emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Emulator]]:
    """Servers of Azure and Google, each started when a test first asks for it."""
    up: dict[str, Emulator] = {}
    with ExitStack() as ends:

        def get(scheme: str) -> Emulator:
            if scheme == "az" and azurite() is None:
                pytest.skip(NO_AZURITE)
            if scheme not in up:
                begun = azure() if scheme == "az" else google(tmp_path_factory.mktemp("google"))
                up[scheme] = ends.enter_context(begun)
            return up[scheme]

        yield get


@pytest.fixture
def emulator(
    _emulators: Callable[[str], Emulator], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Emulator]:  # fmt: skip
    """``emulator("az")`` or ``("gs")``: one that is up, and the environment by which it is reached."""

    def get(scheme: str) -> Emulator:
        found = _emulators(scheme)
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        return found

    return get


@contextmanager
def ingest_here() -> Iterator[None]:
    """Ingest without the child process while the block lasts."""
    from core.ingest.intake import take_in

    def run_here(request: IngestRequest, _limits: object, progress: Progress, *_: object) -> IngestResult:
        said = json.loads(json.dumps(take_in(request, progress).to_dict()))
        return result_from_dict(said)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.ingest.boundary.run_sandboxed", run_here)
        yield


@pytest.fixture
def here() -> Iterator[None]:
    """Ingest without the child process, for tests of what it does rather than of how it is locked down."""
    with ingest_here():
        yield


@pytest.fixture
def shapes_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of points and polygons read without the child process, for tests of what is in them."""
    from core.ingest.vectors.protocol import shapes_to_dict, vector_request_from_dict
    from core.ingest.vectors.reader import read_label_file

    def read_here(request: Any, *_: object, understand: Callable[[Any], Any]) -> Any:
        asked = vector_request_from_dict(json.loads(request.to_json()))
        return understand(json.loads(json.dumps(shapes_to_dict(read_label_file(asked)))))

    monkeypatch.setattr("core.ingest.vectors.adding.answer_of_sandbox", read_here)


@pytest.fixture
def maps_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Maps of classes read without the child process, likewise."""
    from core.ingest.sandbox.protocol import truth_request_from_dict
    from core.ingest.truth.reader import read_truth
    from core.progress import silent

    def read_here(request: Any, *_: object, understand: Callable[[Any], Any]) -> Any:
        asked = truth_request_from_dict(json.loads(request.to_json()))
        return understand(json.loads(json.dumps(read_truth(asked, silent).to_dict())))

    monkeypatch.setattr("core.ingest.truth.adding.answer_of_sandbox", read_here)
