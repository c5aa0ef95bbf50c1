"""What a file of a scene rests on beside its order: labels, map of classes, clusters, what was measured."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from core.classification.maps.choice import SAVED
from core.engine.class_map import taught_kind
from core.engine.land_areas import sample_here
from core.engine.library_source import LibrarySource


def source_state(source: LibrarySource) -> str:
    """Return what tells what is known of a scene's patches now from what was known before, 16 small letters and digits.

    It is made of what people decided and what jobs found, so that every process says the same of the same.
    """
    kept, choice, kind = source.engine.classifications, source.choice, taught_kind(source.choice)
    compared, scene = kept.compared, source.scene
    rests_on = {
        "scene": [scene.name, scene.date, scene.level],
        "labels": source.labels.state,
        "map": asdict(choice),
        "saved head": kept.saved.stamp(choice.head.removeprefix(SAVED)) if choice.head.startswith(SAVED) else 0,
        "heads": [compared.has(source.recipe, source.labels.version, kind), compared.latest(source.recipe, kind)],
        "finer": bool(source.finer_version()),
        "sample": repr(sample_here(source)),
        "clusters": source.cluster_version(),
        "number": kept.numbers.stamp(source.recipe),
        "measured": source.stability() is not None,
    }
    said = json.dumps(rests_on, sort_keys=True)
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()
