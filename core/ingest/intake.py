"""Tells what kind of source the files are and hands them on; only in the child."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import SourceError, SourceTooLargeError
from core.ingest.bands.names import band_of_file, names_other_layer
from core.ingest.collection_builder import take_collection
from core.ingest.formats.archive import ZIP_SIGNATURES, ZipShelf
from core.ingest.formats.geotiff import read_head
from core.ingest.formats.numpy_file import SIGNATURE
from core.ingest.members import RASTER_SUFFIXES, FileShelf, Member, Shelf
from core.ingest.messages import opening
from core.ingest.sandbox.limits import MAX_FILES
from core.ingest.sandbox.protocol import Outcome, Task
from core.ingest.scene_builder import take_array, take_scene
from core.progress import Progress

MAX_PATCH_BYTES = 32 * 2**20


def take_in(task: Task, progress: Progress) -> Outcome:
    """Make the canonical scene in ``task.directory``.

    Raises:
        SourceError: one sentence on why it cannot be.
    """
    shelf = _shelf(task)
    members = [member for member in shelf.members if not member.is_noise]
    if not members:
        raise SourceError(opening(task.name), "it holds no files", "choose rasters with Sentinel-2 bands")
    arrays = [member for member in members if _is_array(shelf, member, alone=len(members) == 1)]
    if len(arrays) == 1:
        return take_array(task, shelf, arrays[0], members, progress)
    patches = find_patches(members, task.settings.bands)
    if patches:
        return take_collection(task, shelf, members, patches, progress)
    if len(members) > MAX_FILES:
        found = f"it holds {len(members):,} files, more than the {MAX_FILES:,} allowed"
        raise SourceTooLargeError(opening(task.name), found, "keep only the band files")
    return take_scene(task, shelf, members, progress)


def _shelf(task: Task) -> Shelf:
    if len(task.paths) == 1 and read_head(task.paths[0], 4) in ZIP_SIGNATURES:
        return ZipShelf(task.paths[0], task.name, task.scratch)
    shelf = FileShelf(task.paths, task.names)
    if len(task.paths) > 1 and any(member.suffix == ".zip" for member in shelf.members):
        raise SourceError(opening(task.name), "a zip comes together with other files", "open the zip on its own")
    return shelf


def _is_array(shelf: Shelf, member: Member, *, alone: bool) -> bool:
    return (alone or member.suffix == ".npy") and read_head(shelf.path(member), 6) == SIGNATURE


def find_patches(members: Sequence[Member], chosen: tuple[str, ...] | None = None) -> list[Member]:
    """The patches of a collection: several rasters not named as bands; empty when the source is no collection.

    Rasters in one folder, as many as the names that a person gave to bands, are the bands of one scene.
    """
    rasters = [member for member in members if member.suffix in RASTER_SUFFIXES]
    if chosen is not None and len(chosen) == len(rasters) and len({member.folder for member in rasters}) == 1:
        return []
    bands = [member for member in rasters if band_of_file(member.stem) is not None]
    patches = [m for m in rasters if band_of_file(m.stem) is None and not names_other_layer(m.stem)]
    patches = [member for member in patches if member.size <= MAX_PATCH_BYTES]
    if len(patches) < 2 or len(bands) > 0.1 * len(patches):
        return []
    pictures = [member for member in patches if member.suffix in {".jpg", ".jpeg", ".png"}]
    others = [member for member in patches if member.suffix not in {".jpg", ".jpeg", ".png"}]
    found = others if len(others) >= max(1, 0.1 * len(pictures)) else pictures
    return found if len(found) > 1 and (any(member.folder for member in found) or len(found) > 2) else []
