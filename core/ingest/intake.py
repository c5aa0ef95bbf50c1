"""From the files of a source to the canonical scene, whatever kind of input they are; only in the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from core.errors import SourceError
from core.ingest.collection_builder import build_collection
from core.ingest.files import SourceFiles, ToldShelf
from core.ingest.formats.archives.opening import open_shelf
from core.ingest.formats.envi.raster import with_headers
from core.ingest.formats.kind import GivenTable, PatchFiles, SourceKind
from core.ingest.formats.other_sensors import refuse_other_sensors
from core.ingest.formats.registry import SOURCE_KINDS
from core.ingest.grouping import kind_of
from core.ingest.messages import WHAT_IS_READ
from core.ingest.sandbox.protocol import IngestRequest, IngestResult
from core.ingest.scene_builder import build_scene
from core.ingest.settings import IngestSettings
from core.progress import Progress, silent


def take_in(
    request: IngestRequest,
    progress: Progress,
    kinds: Sequence[SourceKind] = SOURCE_KINDS,
    opening: Progress = silent,
) -> IngestResult:
    """Make the canonical scene in ``request.directory``.

    Args:
        request: what to do.
        progress: told rows of pixels or patches.
        kinds: of input.
        opening: told files that were opened, before that.

    Raises:
        SourceError: why it cannot be; what was asked is said by the boundary.
    """
    files = source_files(request, opening)
    with ExitStack() as opened:
        found = kind_of(files, kinds).layers(files, opened)
        if isinstance(found, GivenTable):
            from core.ingest.embeddings.builder import build_embeddings  # It needs pyarrow.

            return build_embeddings(files, found.table, request.directory, progress)
        if isinstance(found, PatchFiles):
            _refuse_part(request.settings)
            return build_collection(files, found, request.directory, progress)
        return build_scene(files, found, request.directory, progress)


def source_files(request: IngestRequest, opening: Progress = silent) -> SourceFiles:
    """Return the files of a source.

    Args:
        request: what to do.
        opening: told files that were opened.

    Raises:
        SourceError: when there are none, or they are of another satellite.
    """
    shelf = ToldShelf(with_headers(open_shelf(request.paths, request.names, request.scratch)), opening)
    members = tuple(member for member in shelf.members if not member.is_noise)
    if not members:
        raise SourceError(found="it holds no files", remedy=WHAT_IS_READ)
    refuse_other_sensors(members, request.settings)
    return SourceFiles(
        name=request.name,
        shelf=shelf,
        members=members,
        settings=request.settings,
        part=request.part,
        alike=request.alike,
    )


def _refuse_part(settings: IngestSettings) -> None:
    """Refuse to cut a part of a collection, whose patches have no common ground.

    Raises:
        SourceError: when one is wished.
    """
    if settings.window is not None or settings.bounds is not None:
        found = "a part of it was chosen, and it is a collection of patches"
        raise SourceError(found=found, remedy="leave the part empty, or choose a scene")
