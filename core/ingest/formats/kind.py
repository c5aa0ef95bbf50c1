"""What a kind of input is asked: whether it knows the files of a source, and what bands or patches they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Protocol

from core.ingest.files import Member, SourceFiles
from core.ingest.formats.classification import ClassRaster
from core.ingest.formats.geotiff import RasterFile
from core.ingest.formats.other_sensors import OtherBands
from core.ingest.formats.product_metadata import Hints
from core.ingest.grid.stack import Layer
from core.scenes.quality import Finding

NO_RASTERS = "they hold no pixels"
"""Why files that are no rasters are left out."""


@dataclass(frozen=True, kw_only=True)
class SceneLayers:
    """A source that is one scene.

    Attributes:
        layers: its bands as the files hold them; what they are called is decided by ``bands.assign``.
        hints: what the source says of its date, level and numbers.
        notes: what had to be decided about its place, in words.
        findings: what else was read or decided, first in the record.
        tables: files that may hold labels of its tiles.
        left_out: names of files that were not used.
        left_out_because: why, a clause.
        position: of a source of several dates, which of them it is, counted from 0, and how many there are.
        masks: single bands beside the scene that say where there is data, 0 = nothing, or on where named for holes.
        classification: its map of classes 0 to 11, or None.
        other: what its bands mean where it is a product of another satellite that a person wants, or None.
        special: numbers that stand for no data or no light in any band, as the source states.
        chosen: names given by hand for these layers, where they are fewer than the settings name; None = as there.
    """

    layers: tuple[Layer, ...]
    hints: Hints
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    tables: tuple[Member, ...] = ()
    left_out: tuple[str, ...] = ()
    left_out_because: str = NO_RASTERS
    position: tuple[int, int] | None = None
    masks: tuple[RasterFile, ...] = ()
    classification: ClassRaster | None = None
    other: OtherBands | None = None
    chosen: tuple[str, ...] | None = None
    special: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PatchFiles:
    """A source that is a collection of patches.

    Attributes:
        patches: a file of each, sorted by name.
        bands: all band files of patches that have one a band, by the number of the file in ``patches``.
        names: what such patches are called, likewise.
        labels: class of each patch, likewise, where files beside them state it; None = folders or tables may.
        named_by: what states them, in words.
        opens: opens a patch that is no file of its own; None = each is.
        used: files that need not be named as left out.
        findings: what else to say of them.
    """

    patches: tuple[Member, ...]
    bands: Mapping[int, tuple[Member, ...]] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    labels: Mapping[int, str | None] | None = None
    named_by: str = "the files of labels beside them"
    opens: Callable[[Member], RasterFile] | None = None
    used: tuple[Member, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GivenTable:
    """A source that is a table of vectors and holds no pixels.

    Attributes:
        table: the file.
        left_out: names of files that were not used.
    """

    table: Member
    left_out: tuple[str, ...] = ()


class SourceKind(Protocol):
    """A kind of input; ``registry`` lists them."""

    @property
    def own_files(self) -> frozenset[str]:
        """Endings of file names, in lower case with their dot, that mark a file as a source of its own."""

    def recognises(self, files: SourceFiles) -> bool:
        """Tell whether a source is of this kind; asked in the order of the registry."""

    def layers(self, files: SourceFiles, opened: ExitStack) -> SceneLayers | PatchFiles | GivenTable:
        """Return what a source of this kind holds.

        Args:
            files: the source.
            opened: closes what was opened once the pixels are read.

        Raises:
            SourceError: when it cannot be read.
        """
