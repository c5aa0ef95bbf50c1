"""Teaching a head once for all who ask with the same labels: each engine teaches its own, of the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from typing import Any

import pytest

from core.classification.heads import HeadOrigin, Taught, teach
from core.classification.labelled import LabelledPatches


@contextmanager
def taught_once() -> Iterator[None]:
    """Give in the block what a head was taught on the same patches and labels before, from the same origin."""
    known_heads: dict[object, Taught] = {}

    def once(known: LabelledPatches, kind: Any, *, origin: HeadOrigin) -> Taught:
        parts = (known.vectors, known.labels, known.blocks, known.patch_ids, known.pairs, *astuple(known.spread))
        key = (*(one.tobytes() for one in parts), known.classes, kind, repr(origin))
        if key not in known_heads:
            known_heads[key] = teach(known, kind, origin=origin)
        return known_heads[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.engine.class_map.teach", once)
        yield
