"""Collections of labelled patches, one a file, as a rule in a folder a class (the layout of EuroSAT)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack, closing

from core.errors import SourceError
from core.ingest.bands.assign import MIN_BANDS
from core.ingest.bands.names import band_of_file, names_other_layer
from core.ingest.files import RASTER_SUFFIXES, Member, Shelf, SourceFiles
from core.ingest.formats.classification import names_classes
from core.ingest.formats.envi.header import headers_of
from core.ingest.formats.geotiff import open_raster
from core.ingest.formats.kind import PatchFiles
from core.ingest.formats.series import are_dates
from core.ingest.formats.tiles import are_tiles

_PART = re.compile(
    r"(?:train|training|val|valid|validation|dev|eval|test|testing|holdout)(?:[ _-]?(?:set|data|split|images?|\d+))*|"
    r"(?:fold|split|part)[ _-]?\d+|images?|imgs?",
    re.IGNORECASE,
)
"""Folders that part a collection for training and tests, or only hold its files."""
MAX_PATCH_BYTES = 32 * 2**20
_MOST_LAYERS = 8
_PICTURES = frozenset({".jpg", ".jpeg", ".png"})


class ClassFolders:
    """Several rasters that are not named as bands."""

    own_files: frozenset[str] = frozenset()

    def recognises(self, files: SourceFiles) -> bool:
        """Tell whether the rasters are patches, and neither parts of one scene side by side nor a place's dates."""
        patches = patch_files(files.members, files.settings.bands)
        return bool(patches) and not are_tiles(files.shelf, patches) and not are_dates(files.shelf, patches)

    def layers(self, files: SourceFiles, _opened: ExitStack) -> PatchFiles:
        """Return the patches."""
        patches = tuple(patch_files(files.members, files.settings.bands))
        used = tuple(headers_of(files.members))
        scenes = _without_layers(files.shelf, patches)
        if len(scenes) < len(patches) and all(_kind(one) == one.folder for one in scenes):
            return PatchFiles(patches=scenes, labels={one.number: None for one in scenes}, used=used)
        return PatchFiles(patches=scenes, used=used)


def _without_layers(shelf: Shelf, patches: tuple[Member, ...]) -> tuple[Member, ...]:
    """Return patches without files beside each that hold something else of it, such as labels or radar.

    Their names differ only in the last word, as of Sen1Floods11 (``Ghana_103272_S2Hand``, ``Ghana_103272_LabelHand``).
    """
    kinds: dict[str, list[Member]] = {}
    for member in patches:
        kinds.setdefault(_kind(member), []).append(member)
    if not 2 <= len(kinds) <= _MOST_LAYERS or min(map(len, kinds.values())) < 2:
        return patches
    counts = {}
    for kind, members in kinds.items():
        try:
            with closing(open_raster(shelf.path(members[0]), members[0].name)) as raster:
                counts[kind] = raster.count - len(raster.alpha)
        except SourceError:
            return patches
        finally:
            shelf.release(members[0])
    whole = [kind for kind, count in counts.items() if count >= MIN_BANDS]
    if len(whole) != 1:
        return patches
    own = {_place(member) for member in kinds[whole[0]]}
    beside = [member for member in patches if _kind(member) != whole[0]]
    return tuple(kinds[whole[0]]) if all(_place(member) in own for member in beside) else patches


def _kind(member: Member) -> str:
    return member.stem.rpartition("_")[2]


def _place(member: Member) -> str:
    return member.stem.rpartition("_")[0]


def labels_of(patches: Sequence[Member]) -> dict[int, str | None]:
    """Return the class of each patch by its number: the nearest folder that is no part for training or tests.

    A folder around all of them names no class where it is found only by passing over such parts.
    """
    labels: dict[int, str | None] = {}
    passed = set()
    for member in patches:
        folders = member.name.split("/")[:-1]
        named = [folder for folder in folders if not is_part(folder)]
        labels[member.number] = named[-1] if named else None
        if folders and (not named or named[-1] != folders[-1]):
            passed.add(member.number)
    if passed and len(set(labels.values())) == 1:
        return {number: None if number in passed else label for number, label in labels.items()}
    return labels


def is_part(name: str) -> bool:
    """Tell whether a folder, or a value of a table, parts a collection for training and tests, or only holds files."""
    return _PART.fullmatch(name) is not None


def holds_all_bands(stem: str) -> bool:
    """Tell whether a raster of that name is whole: named neither as a band nor as another layer of a scene."""
    return band_of_file(stem) is None and not names_other_layer(stem) and not names_classes(stem)


def patch_files(members: Sequence[Member], chosen: tuple[str, ...] | None = None) -> list[Member]:
    """Return the patches of a collection: several rasters not named as bands; empty when the source is no collection.

    Rasters in one folder, as many as the names that a person gave to bands, are the bands of one scene.
    """
    rasters = [member for member in members if member.suffix in RASTER_SUFFIXES]
    if chosen is not None and len(chosen) == len(rasters) and len({member.folder for member in rasters}) == 1:
        return []
    bands = [member for member in rasters if band_of_file(member.stem) is not None]
    patches = [m for m in rasters if holds_all_bands(m.stem) and m.size <= MAX_PATCH_BYTES]
    if len(patches) < 2 or len(bands) > 0.1 * len(patches):
        return []
    pictures = [member for member in patches if member.suffix in _PICTURES]
    others = [member for member in patches if member.suffix not in _PICTURES]
    found = others if len(others) >= max(1, 0.1 * len(pictures)) else pictures
    return found if len(found) > 1 and (any(member.folder for member in found) or len(found) > 2) else []
