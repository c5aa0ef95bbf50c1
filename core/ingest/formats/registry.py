"""The kinds of input that ingest knows, in the order in which they are asked."""

from __future__ import annotations

from pathlib import PurePosixPath

from core.ingest.embeddings.kind import EmbeddingTables
from core.ingest.formats.archives.names import TAR_SUFFIXES, ZIP_SUFFIXES, is_archive_name
from core.ingest.formats.arrays.numpy_file import NumpyArray
from core.ingest.formats.arrays.patch_stack import PatchStacks
from core.ingest.formats.band_files import BandFiles
from core.ingest.formats.class_folders import ClassFolders
from core.ingest.formats.cubes.data_cube import DataCubes
from core.ingest.formats.cubes.patch_sets import HdfPatches
from core.ingest.formats.kind import SourceKind
from core.ingest.formats.patch_folders import PatchFolders
from core.ingest.formats.safe.product import SafeProducts

SOURCE_KINDS: tuple[SourceKind, ...] = (
    PatchStacks(), NumpyArray(), EmbeddingTables(), SafeProducts(), HdfPatches(), DataCubes(), PatchFolders(),
    ClassFolders(), BandFiles(),
)  # fmt: skip
"""The last one takes whatever no other knows, and says what is wrong with it."""


def own_files(kinds: tuple[SourceKind, ...] = SOURCE_KINDS) -> frozenset[str]:
    """Return the endings of files that are a source each: archives, and those that a kind claims."""
    return ZIP_SUFFIXES.union(TAR_SUFFIXES, *(kind.own_files for kind in kinds))


def is_own_source(name: str) -> bool:
    """Tell whether a file is called as one that is a source by itself."""
    return PurePosixPath(name).suffix.lower() in own_files() or is_archive_name(name)
