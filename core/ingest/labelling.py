"""Classes of the patches of a collection: named by their folders, or where these name none, by a table beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.ingest.class_table import read_class_table
from core.ingest.files import TABLE_SUFFIXES, Member, SourceFiles
from core.ingest.findings import finding, ignored
from core.ingest.formats.class_folders import labels_of
from core.ingest.messages import clean_name
from core.scenes.quality import Finding

FOLDERS = "the folders"


@dataclass(frozen=True, kw_only=True)
class CollectionLabels:
    """Classes of patches.

    Attributes:
        labels: class of each patch by its number, or None.
        source: what named them, in words.
        tables: files that were read for it.
        findings: what to say of the tables.
    """

    labels: Mapping[int, str | None]
    source: str = FOLDERS
    tables: tuple[Member, ...] = ()
    findings: tuple[Finding, ...] = field(default=())


def label_patches(files: SourceFiles, patches: Sequence[Member]) -> CollectionLabels:
    """Return the class of each patch; folders that name several classes count more than a table.

    Args:
        files: the source.
        patches: those of its files that are patches.
    """
    by_folder = labels_of(patches)
    tables = files.ending(TABLE_SUFFIXES)
    if len(set(by_folder.values()) - {None}) > 1 or not tables:
        said = ignored([table.base for table in tables], "the folders name the classes already")
        return CollectionLabels(labels=by_folder, tables=tuple(tables), findings=tuple(said))
    labels: dict[int, str] = {}
    used, unknown, said = [], [], []
    for table in tables:
        read = read_class_table(files.shelf.path(table), patches)
        if isinstance(read, str):
            said.append(finding("left out", clean_name(table.base, 100), "warning", read))
        else:
            labels.update(read.labels)
            unknown += [name for name in read.unknown if name not in unknown]
            said += ignored(read.conflicting, "the table gives each of them several classes, so they have none")
            used.append(f"the column “{read.column}” of {clean_name(table.base, 60)}")
    said += ignored(unknown, "the table names them, but there are no such files here")
    if not labels:
        return CollectionLabels(labels=by_folder, tables=tuple(tables), findings=tuple(said))
    named: dict[int, str | None] = {patch.number: labels.get(patch.number) for patch in patches}
    return CollectionLabels(labels=named, source=" and ".join(used), tables=tuple(tables), findings=tuple(said))
