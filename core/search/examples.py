"""Good and bad examples of what is looked for. Ranking by them and keeping them are beside this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from core.errors import SettingsError
from core.scenes.patches import PatchRef
from core.scenes.regions.map_region import MapRegion

LEAST_WEIGHT, MOST_WEIGHT = 0.01, 100.0
"""How often an example counts, at least and at most; as a rule once."""

MOST_EXAMPLES = 10_000
"""Examples that are listed one by one; areas hold as many patches as they like."""

_ASKED = "Searching by examples"


@dataclass(frozen=True, kw_only=True)
class PatchExample:
    """A patch that is, or is not, what is looked for.

    Attributes:
        ref: the patch, of the searched scene or another.
        good: True = like this; False = unlike this.
        weight: how often it counts, ``LEAST_WEIGHT`` to ``MOST_WEIGHT``.
    """

    ref: PatchRef
    good: bool = True
    weight: float = 1.0

    @property
    def what(self) -> object:
        """What tells the example from others, whether good or bad."""
        return self.ref


@dataclass(frozen=True, kw_only=True)
class AreaExample:
    """All patches whose centre lies in an area drawn on the map.

    Attributes:
        area: the area.
        good: True = like these; False = unlike these.
        title: what people call it; escape it before HTML.
        weight: how often each of its patches counts, as of ``PatchExample``.
    """

    area: MapRegion
    good: bool = True
    title: str = "Drawn area"
    weight: float = 1.0

    @property
    def what(self) -> object:
        """What tells the example from others, whether good or bad."""
        return self.area


@dataclass(frozen=True, kw_only=True)
class VectorExample:
    """Features of a picture that is in no scene, such as an uploaded chip.

    Attributes:
        vector: its features, finite, of any length but 0.
        fingerprint: of the encoder that made them.
        good: True = like this; False = unlike this.
        title: what people call it; escape it before HTML.
        bands: that the picture has; empty = not known, and taken for those of the scene.
        weight: how often it counts, as of ``PatchExample``.
        chip: id of the picture among those of ``core.search.chips``; empty = it is not kept.
    """

    vector: tuple[float, ...]
    fingerprint: str
    good: bool = True
    title: str = "Picture"
    chip: str = ""
    bands: tuple[str, ...] = ()
    weight: float = 1.0

    @property
    def what(self) -> object:
        """What tells the example from others, whether good or bad."""
        return self.fingerprint, self.vector


Example = PatchExample | AreaExample | VectorExample


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Examples, in the order in which they were given; each once.

    Attributes:
        examples: good and bad ones.
        name: what people call the search; empty = nothing.

    Raises:
        SettingsError: when one is there twice, be it good and bad, there are too many, or a weight is out of range.
    """

    examples: tuple[Example, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse contradictions."""
        if len(self.examples) > MOST_EXAMPLES:
            found = f"there are {len(self.examples):,} examples"
            raise SettingsError(_ASKED, found, f"give at most {MOST_EXAMPLES:,}, or draw an area")
        marks: dict[object, bool] = {}
        for one in self.examples:
            named = f"patch {one.ref.patch}" if isinstance(one, PatchExample) else f"“{one.title}”"
            if not LEAST_WEIGHT <= one.weight <= MOST_WEIGHT:
                remedy = f"let an example count {LEAST_WEIGHT:g} to {MOST_WEIGHT:g} times"
                raise SettingsError(_ASKED, f"{named} counts {one.weight:g} times", remedy)
            if one.what in marks:
                twice = "an example twice" if marks[one.what] == one.good else "both a good and a bad example"
                raise SettingsError(_ASKED, f"{named} is {twice}", "decide for one of them")
            marks[one.what] = one.good

    def __len__(self) -> int:
        return len(self.examples)

    @classmethod
    def of(
        cls, good: Iterable[PatchRef], bad: Iterable[PatchRef] = (), *, name: str = "",
        weights: Mapping[PatchRef, float] = MappingProxyType({}),
    ) -> Evidence:  # fmt: skip
        """Return the evidence of some patches; one that is given twice counts once. Errors as of ``Evidence``."""
        marked = [
            PatchExample(ref=ref, good=kind, weight=weights.get(ref, 1.0))
            for kind, refs in ((True, good), (False, bad))
            for ref in refs
        ]  # fmt: skip
        return cls(examples=tuple(dict.fromkeys(marked)), name=name)

    def mark(self, example: Example) -> Evidence:
        """Return it with one more example; one that was marked before takes the new mark, at its place."""
        if any(one.what == example.what for one in self.examples):
            return replace(self, examples=tuple(example if one.what == example.what else one for one in self.examples))
        return replace(self, examples=(*self.examples, example))

    def drop(self, example: Example) -> Evidence:
        """Return it without an example, good or bad; as it is where there is no such."""
        return replace(self, examples=tuple(one for one in self.examples if one.what != example.what))

    @property
    def scenes(self) -> frozenset[str]:
        """Ids of the scenes that patches among the examples are of."""
        return frozenset(one.ref.scene for one in self.examples if isinstance(one, PatchExample))
