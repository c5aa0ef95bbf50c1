"""What is decided on clusters as JSON values, for views that are handed on; they come back from anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.clusters.changes import LONGEST_CLUSTER_NAME, ClusterChanges, DecidedClusters
from core.similarity.clusters import MOST_CLUSTERS, ClusterSettings

_CHECK = re.compile(r"[0-9a-f]{16}")


def written_clusters(decided: DecidedClusters) -> dict[str, Any]:
    """Return what is decided on clusters as JSON values."""
    settings, changes = decided.settings, decided.changes
    return {
        "method": settings.method, "count": settings.count, "seed": settings.seed, "check": decided.check,
        "names": {str(number): name for number, name in sorted(changes.names.items())},
        "merged": sorted(map(list, changes.merged)),
    }  # fmt: skip


def read_clusters(values: Mapping[str, Any]) -> DecidedClusters:
    """Return what ``written_clusters`` gave.

    Raises:
        ValueError: for what makes no sense; TypeError, KeyError and AttributeError likewise.
        SettingsError: for settings that there are not.
    """
    check, count, seed = values["check"], values["count"], values["seed"]
    if type(seed) is not int or (count is not None and type(count) is not int):
        raise ValueError("no number of clusters")
    if not isinstance(check, str) or not _CHECK.fullmatch(check):
        raise ValueError("no check of clusters")
    names = {_number(int(key)): _name(name) for key, name in values["names"].items()}
    merged = tuple(tuple(sorted({_number(part) for part in parts})) for parts in values["merged"])
    together = [part for parts in merged for part in parts]
    if len(set(together)) < len(together) or any(len(parts) < 2 for parts in merged):
        raise ValueError("a cluster is merged twice, or with none")
    if len({name.casefold() for name in names.values()}) < len(names):
        raise ValueError("two clusters have one name")
    settings = ClusterSettings(method=str(values["method"]), count=count, seed=seed)
    return DecidedClusters(settings=settings, check=check, changes=ClusterChanges(names=names, merged=merged))


def _number(number: object) -> int:
    if type(number) is not int or not 0 <= number < MOST_CLUSTERS:
        raise ValueError("no number of a cluster")
    return number


def _name(name: object) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_CLUSTER_NAME or not name.isprintable():
        raise ValueError("no name of a cluster")
    return name
