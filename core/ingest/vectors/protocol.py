"""What parent and child of the sandbox say to each other of a file of points and polygons; every field is checked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import shapely

from core.ingest.messages import clean_name
from core.ingest.vectors.geojson import (
    MOST_CHOICES,
    MOST_LAYERS,
    MOST_LETTERS_OF_LAYER,
    MOST_SHAPES,
    Assumed,
    LabelShapes,
)

_KINDS = ("Point", "MultiPoint", "Polygon", "MultiPolygon")


@dataclass(frozen=True, kw_only=True)
class VectorRequest:
    """What the child is asked to do with a file of vectors.

    Attributes:
        name: the file, for sentences.
        paths: numbered links to its files.
        names: relative names of the files.
        scratch: where archives are unpacked.
        column: the attribute that is the class; empty = the one that is called so.
        choices: True = all attributes that may be the class are wanted.
        numbers: True = the attribute is wanted that is a number.
        layer: the one that is meant where there are several; empty = the only one.
    """

    name: str
    paths: tuple[Path, ...]
    names: tuple[str, ...]
    scratch: Path
    column: str = ""
    choices: bool = False
    numbers: bool = False
    layer: str = ""

    vectors: bool = True
    """True = the sandbox has the drivers of vectors, and none of rasters."""

    def to_json(self) -> str:
        """Return one line of JSON."""
        fields = {
            "kind": "vectors", "name": self.name, "paths": [str(path) for path in self.paths],
            "names": list(self.names), "scratch": str(self.scratch), "column": self.column,
            "choices": self.choices, "numbers": self.numbers, "layer": self.layer,
        }  # fmt: skip
        return json.dumps(fields)


def vector_request_from_dict(fields: Mapping[str, Any]) -> VectorRequest:
    """Read what ``VectorRequest.to_json`` wrote; the parent is trusted."""
    return VectorRequest(
        name=fields["name"], paths=tuple(Path(path) for path in fields["paths"]), names=tuple(fields["names"]),
        scratch=Path(fields["scratch"]), column=fields["column"], choices=fields["choices"], numbers=fields["numbers"],
        layer=fields["layer"],
    )  # fmt: skip


def shapes_to_dict(found: LabelShapes) -> dict[str, Any]:
    """Return points and polygons as JSON values."""
    return {
        "labels": list(found.labels), "column": found.column, "mended": found.mended, "other": found.other,
        "shapes": [json.loads(one) for one in shapely.to_geojson(found.shapes)], "assumed": found.assumed,
        "broken": found.broken,
        "numbers": list(found.numbers), "other_numbers": list(found.other_numbers),
        "choices": {name: _packed(labels) for name, labels in found.choices.items()}, "layers": list(found.layers),
    }  # fmt: skip


def _packed(labels: Sequence[str]) -> dict[str, list[Any]]:
    """Return labels as their values and the place of each among these: they are few, and labels may be many."""
    values = list(dict.fromkeys(labels))
    place = {value: at for at, value in enumerate(values)}
    return {"values": values, "index": [place[label] for label in labels]}


def _unpacked(values: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """Read what ``_packed`` gave. Raises as ``shapes_from_dict``."""
    names = [_label(one) for one in values["values"]]
    index = values["index"]
    if len(index) != count or not all(type(at) is int and 0 <= at < len(names) for at in index):
        raise ValueError("choices")
    return tuple(names[at] for at in index)


def _label(value: object) -> str:
    return clean_name(value, 400) if isinstance(value, str) and value else ""


def _places(values: Any, most: int) -> tuple[int, ...]:  # noqa: ANN401  JSON
    """Return places in a file, from 1."""
    if len(values) > most or not all(type(one) is int and 0 < one <= MOST_SHAPES for one in values):
        raise ValueError("places")
    return tuple(values)


def shapes_from_dict(fields: Mapping[str, Any]) -> LabelShapes:
    """Take over what the child says, every field checked; shapes are made of its numbers.

    Raises:
        ValueError, KeyError, TypeError: when a field is not of its form.
    """
    labels = tuple(_label(label) for label in fields["labels"])
    if len(labels) > MOST_SHAPES or len(labels) != len(fields["shapes"]):
        raise ValueError("labels")
    shapes = np.empty(len(labels), dtype=object)
    for at, one in enumerate(fields["shapes"]):
        shapes[at] = _shape(one)
    counts = [fields[name] for name in ("mended", "other", "broken")]
    if not all(isinstance(count, int) and 0 <= count <= MOST_SHAPES for count in counts):
        raise ValueError("counts")
    if fields["assumed"] not in get_args(Assumed) or len(fields["choices"]) > MOST_CHOICES:
        raise ValueError("assumed")
    if len(fields["layers"]) > MOST_LAYERS:
        raise ValueError("layers")
    numbers = _places(fields["numbers"], len(labels))
    return LabelShapes(
        labels=labels, shapes=shapes, column=_name(fields["column"]), mended=counts[0], other=counts[1],
        broken=counts[2],
        numbers=numbers if len(numbers) == len(labels) else (),
        other_numbers=_places(fields["other_numbers"], MOST_SHAPES), assumed=fields["assumed"],
        choices={_name(name): _unpacked(one, len(labels)) for name, one in fields["choices"].items()},
        layers=tuple(clean_name(str(name), MOST_LETTERS_OF_LAYER) for name in fields["layers"]),
    )  # fmt: skip


def _name(column: object) -> str:
    return clean_name(str(column), 60) if column else ""


def _shape(values: Mapping[str, Any]) -> shapely.Geometry:
    if values["type"] not in _KINDS:
        raise ValueError("kind of shape")
    try:
        made = shapely.geometry.shape({"type": values["type"], "coordinates": _numbers(values["coordinates"])})
    except (shapely.errors.ShapelyError, IndexError, AttributeError) as error:
        raise ValueError("shape") from error
    if made.is_empty or not made.is_valid:
        raise ValueError("shape")
    return made


def _numbers(values: Any, depth: int = 0) -> Any:  # noqa: ANN401  JSON
    """Return nested lists of finite numbers as they are."""
    if isinstance(values, list) and depth < 5:
        return [_numbers(one, depth + 1) for one in values]
    number = float(values)
    if not math.isfinite(number):
        raise ValueError("coordinate")
    return number
