"""Parquet files of vectors that somebody else computed: a scene without pixels. How one is made: ``embeddings``."""

from __future__ import annotations

from contextlib import ExitStack

from core.errors import SourceError
from core.ingest.files import SourceFiles
from core.ingest.formats.kind import GivenTable

PARQUET_SUFFIXES = frozenset({".parquet", ".geoparquet", ".gpq", ".pq"})


_TEXTS = frozenset({".json", ".xml", ".txt", ".md", ".csv", ".crc", ".html", ""})
"""What may lie beside a table; pixels beside it are what counts."""


class EmbeddingTables:
    """One Parquet file, alone."""

    own_files = PARQUET_SUFFIXES

    def recognises(self, files: SourceFiles) -> bool:
        """Tell whether files are called as Parquet is, with nothing but texts beside them, or one alone begins so."""
        if len(files.members) == 1 and files.members[0].suffix not in PARQUET_SUFFIXES:
            return _begins_so(files)
        return bool(files.ending(PARQUET_SUFFIXES)) and all(
            one.suffix in PARQUET_SUFFIXES | _TEXTS for one in files.members
        )

    def layers(self, files: SourceFiles, opened: ExitStack) -> GivenTable:
        """Return the file.

        Raises:
            SourceError: when there are several.
        """
        tables = files.ending(PARQUET_SUFFIXES) or list(files.members)
        if len(tables) > 1:
            raise SourceError(
                found=f"it holds {len(tables):,} Parquet files", remedy="give them one at a time, each is a scene"
            )
        return GivenTable(table=tables[0], left_out=tuple(one.name for one in files.others(tables)))


def _begins_so(files: SourceFiles) -> bool:
    with files.shelf.path(files.members[0]).open("rb") as file:
        return file.read(4) == b"PAR1"
