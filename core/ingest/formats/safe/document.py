"""An XML document of a product, read within bounds: no document type, no entities, and only the leaves that are wanted.

What a document means is ``metadata``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import DefusedXMLParser  # type: ignore[import-untyped]

from core.errors import SourceTooLargeError, UnsafeSourceError
from core.ingest.messages import damaged

MAX_DOCUMENT = 8 * 2**20
"""Metadata of products and tiles take up to one million bytes; a larger document is none of these."""

_CHUNK = 2**16
_DEEPEST = 60
_MOST_LEAVES = 20_000
_LONGEST = 2_000


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """An element without elements in it.

    Attributes:
        path: names from the root to it, without namespaces.
        attributes: its own and those of all it lies in, the nearest first.
        text: without spaces around it.
    """

    path: tuple[str, ...]
    attributes: Mapping[str, str]
    text: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """What was read of a document.

    Attributes:
        root: name of its first element, without namespace.
        leaves: those whose names are wanted, in order.
    """

    root: str
    leaves: tuple[Leaf, ...]

    def every(self, name: str, inside: str = "") -> Iterator[Leaf]:
        """Give the leaves of a name, of those that lie in an element of another name where one is given."""
        return (leaf for leaf in self.leaves if leaf.path[-1] == name and (not inside or inside in leaf.path))

    def first(self, *names: str, inside: str = "") -> str:
        """Return the text of the first leaf of the first name that has one; empty where there is none."""
        return next((leaf.text for name in names for leaf in self.every(name, inside) if leaf.text), "")


def read_document(path: Path, wanted: Collection[str]) -> Document:
    """Read a document.

    Args:
        path: a file of ours.
        wanted: names of leaves to keep, without namespaces.

    Raises:
        SourceTooLargeError: when it is larger than metadata can be.
        UnsafeSourceError: when it declares a document type or entities.
        SourceError: when it is damaged.
    """
    size = path.stat().st_size
    if size > MAX_DOCUMENT:
        raise too_large(size)
    leaves = _Leaves(frozenset(wanted))
    parser = DefusedXMLParser(target=leaves, forbid_dtd=True)
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                parser.feed(chunk)
        parser.close()
    except DefusedXmlException as error:
        found = "it declares a document type or entities, which metadata of Sentinel-2 never do"
        raise UnsafeSourceError(found=found, remedy="get the product again from where it came from") from error
    except (ParseError, ValueError) as error:
        raise damaged() from error
    return Document(root=leaves.root, leaves=tuple(leaves.kept))


def too_large(size: int) -> SourceTooLargeError:
    """Return the error for a document that is larger than metadata can be."""
    found = f"it takes {max(1, round(size / 2**20)):,} MB, and the metadata of a product take one at most"
    return SourceTooLargeError(found=found, remedy="get the product again from where it came from")


@dataclass(kw_only=True)
class _Open:
    """An element that has begun."""

    name: str
    attributes: Mapping[str, str]
    text: list[str] = field(default_factory=list)
    length: int = 0


class _Leaves:
    """Takes what the parser finds; nothing grows with what is not wanted."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.root = ""
        self.kept: list[Leaf] = []
        self._wanted = wanted
        self._open: list[_Open] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Begin an element."""
        name = tag.rpartition("}")[2]
        self.root = self.root or name
        if len(self._open) >= _DEEPEST:
            raise ValueError("too deep")
        around = self._open[-1].attributes if self._open else {}
        self._open.append(_Open(name=name, attributes={**around, **attributes}))

    def data(self, text: str) -> None:
        """Take text; of leaves that are not wanted it is forgotten."""
        last = self._open[-1]
        if last.name in self._wanted and last.length < _LONGEST:
            last.text.append(text)
            last.length += len(text)

    def end(self, _tag: str) -> None:
        """End an element."""
        last = self._open.pop()
        if last.name not in self._wanted:
            return
        if len(self.kept) >= _MOST_LEAVES:
            raise ValueError("too many")
        path = (*(one.name for one in self._open), last.name)
        text = "".join(last.text).strip()[:_LONGEST]
        self.kept.append(Leaf(path=path, attributes=last.attributes, text=text))

    def close(self) -> None:
        """Do nothing more."""
