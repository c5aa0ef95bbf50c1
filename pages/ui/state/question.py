"""What land a visitor looks for, by words or by examples, good and bad ones. Small values, no drawing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from core.scenes.patches import PatchRef
from core.search.chips import ChipExample
from core.search.examples import LEAST_WEIGHT, MOST_WEIGHT, Evidence, PatchExample, VectorExample
from pages.ui.state.other_examples import OtherExample, others_link, read_others

MOST_IN_LINK = 400
"""Numbers and ranges that an address holds; more would be too long for browsers."""
LONGEST_WORDS = 200
"""Letters of words that are looked for."""
MOST_LINKED = 10_000
"""Patches that the ranges of an address may name."""
_WEIGHT = re.compile(r"\d{1,9}x\d{1,3}(?:\.\d{1,6})?")
_IDS = re.compile(r"\d{1,9}(?:-\d{1,9})?(?:\.\d{1,9}(?:-\d{1,9})?)*")


@dataclass(frozen=True, slots=True)
class Question:
    """Good and bad examples, each patch once, in the order in which they were given.

    Attributes:
        scene: id of the scene that the patches are of.
        like: ids of the patches that are what is looked for; the first is the one that was asked about.
        unlike: ids of the patches that are not.
        words: what is looked for in words; then there are no examples.
        others: examples that are no patches of the scene: areas, pictures, patches of other scenes; each once.
        weights: how often patches among the examples count, by ascending id; those that count once are left out.
    """

    scene: str
    like: tuple[int, ...] = ()
    unlike: tuple[int, ...] = ()
    words: str = ""
    others: tuple[OtherExample, ...] = ()
    weights: tuple[tuple[int, float], ...] = ()

    def __len__(self) -> int:
        return len(self.like) + len(self.unlike) + len(self.others)

    @property
    def empty(self) -> bool:
        """Return whether it asks nothing."""
        return not len(self) and not self.words

    @property
    def plain(self) -> bool:
        """Return whether it says no more than one patch does."""
        return len(self.like) == 1 and not self.unlike and not self.others

    @property
    def answerable(self) -> bool:
        """Return whether it says what is looked for, and not only what is not."""
        return bool(self.like or self.words) or any(one.good for one in self.others)

    def count(self, good: bool) -> int:
        """Return how many good, or bad, examples there are; an area and a picture are one each."""
        return len(self.like if good else self.unlike) + sum(one.good is good for one in self.others)

    def sign(self, patch: int) -> int:
        """Return 1 for a good example, −1 for a bad one, 0 for any other patch."""
        return 1 if patch in self.like else -1 if patch in self.unlike else 0

    def marked(self, patch: int, sign: int) -> Question:
        """Return the question with a patch as good (1) or bad (−1) example, or as none (0)."""
        like = tuple(one for one in self.like if one != patch or sign == 1)
        unlike = tuple(one for one in self.unlike if one != patch or sign == -1)
        if sign == 1 and patch not in like:
            like += (patch,)
        if sign == -1 and patch not in unlike:
            unlike += (patch,)
        return replace(self, like=like, unlike=unlike, words="")._tidy()

    def weight(self, patch: int) -> float:
        """Return how often a patch among the examples counts."""
        return dict(self.weights).get(patch, 1.0)

    def weighed(self, patch: int, weight: float) -> Question:
        """Return the question with a patch among its examples counted so often; as it is where the patch is none."""
        return replace(self, weights=tuple((dict(self.weights) | {patch: weight}).items()))._tidy()

    def weighing(self, position: int, weight: float) -> Question:
        """Return the question with one of the others counted so often."""
        heavy = (replace(one, weight=weight) if at == position else one for at, one in enumerate(self.others))
        return replace(self, others=tuple(heavy))

    def _tidy(self) -> Question:
        """Return it with the weights of its own patches only."""
        listed = {*self.like, *self.unlike}
        kept = tuple(sorted((patch, heavy) for patch, heavy in self.weights if patch in listed and heavy != 1))
        return replace(self, weights=kept)

    def having(self, other: OtherExample) -> Question:
        """Return the question with an area, a picture or a patch of another scene; in place of what it was before."""
        if isinstance(other, PatchExample) and other.ref.scene == self.scene:
            return self.marked(other.ref.patch, 1 if other.good else -1).weighed(other.ref.patch, other.weight)
        kept = tuple(one for one in self.others if one.what != other.what)
        return replace(self, others=(*kept, other), words="")

    def dropping(self, position: int) -> Question:
        """Return the question without one of the others, counted from 0; as it is where there is no such."""
        return replace(self, others=tuple(one for at, one in enumerate(self.others) if at != position))

    def turning(self, position: int) -> Question:
        """Return the question with one of the others good where it was bad, and the other way round."""
        turned = (replace(one, good=not one.good) if at == position else one for at, one in enumerate(self.others))
        return replace(self, others=tuple(turned))

    def only(self, there: frozenset[int]) -> Question:
        """Return the question without patches that are not there."""
        like, unlike = (tuple(one for one in ids if one in there) for ids in (self.like, self.unlike))
        return replace(self, like=like, unlike=unlike)._tidy()

    def link(self) -> dict[str, str]:
        """Return the parameters ``like``, ``unlike``, ``weights`` and ``also`` of an address, or ``words``.

        None where it is plain; what is too long for an address is left out.
        """
        if self.words:
            return {"words": self.words}
        heavy = [f"{patch}x{weight:g}" for patch, weight in self.weights]
        parts = {"like": id_runs(self.like), "unlike": id_runs(self.unlike), "weights": heavy}
        also = {"also": text} if (text := others_link(self.others)) else {}
        if self.plain or not 0 < sum(map(len, parts.values())) <= MOST_IN_LINK:
            return also
        return {name: ("_" if name == "weights" else ".").join(runs) for name, runs in parts.items() if runs} | also

    @classmethod
    def parse(
        cls, scene: str, like: str, unlike: str, words: str = "", *, also: str = "", weights: str = ""
    ) -> Question | None:
        """Return the question of an address; None when it holds none."""
        if words.strip():
            return cls(scene, words=" ".join(words.split())[:LONGEST_WORDS])
        good, bad = (read_id_runs(text) for text in (like, unlike))
        found = cls(scene, good, tuple(one for one in bad if one not in good), others=read_others(also))
        for patch, weight in _read_weights(weights):
            found = found.weighed(patch, weight)
        return found if len(found) else None


def question_of(evidence: Evidence, scene_id: str, keep: Callable[[VectorExample], ChipExample]) -> Question:
    """Return examples as a question to a scene; ``keep`` keeps features of pictures and returns the picture."""
    question = Question(scene_id)
    for one in evidence.examples:
        question = question.having(keep(one) if isinstance(one, VectorExample) else one)
    return question


Asking = PatchRef | Question
"""What is asked: the like of one patch, or what good and bad examples say."""


def asked_by(scene_id: str | None, parameters: Mapping[str, str]) -> Asking | None:
    """Return what an address asks: what its examples say, else the like of one patch; None when it asks nothing."""
    like, unlike = parameters.get("like", ""), parameters.get("unlike", "")
    words, also, heavy = (parameters.get(name, "") for name in ("words", "also", "weights"))
    found = None
    if scene_id is not None:
        found = Question.parse(scene_id, like, unlike, words, also=also, weights=heavy)
    return PatchRef.parse(parameters.get("q", ""), scene_id) if found is None or found.plain else found


def same_address(one: Asking | None, other: Asking | None) -> bool:
    """Return whether an address says the same of both; it holds less of a question than there may be."""

    def said(asking: Asking | None) -> object:
        if not isinstance(asking, Question):
            return asking
        return PatchRef(asking.scene, asking.like[0]) if asking.plain else (asking.scene, sorted(asking.link().items()))

    return one is not None and said(one) == said(other)


def id_runs(ids: Iterable[int]) -> list[str]:
    """Return numbers as text, in their order, those that follow one another as ranges: ``3``, ``5-8``."""
    runs: list[list[int]] = []
    for one in ids:
        if runs and one == runs[-1][1] + 1:
            runs[-1][1] = one
        else:
            runs.append([one, one])
    return [str(first) if first == last else f"{first}-{last}" for first, last in runs]


def _read_weights(text: str) -> list[tuple[int, float]]:
    """Return patches and how often they count; none where a text says nothing of the kind."""
    parts = text.split("_")
    if not all(_WEIGHT.fullmatch(part) for part in parts):
        return []
    found = [(int(patch), float(weight)) for patch, _, weight in (part.partition("x") for part in parts)]
    return [(patch, weight) for patch, weight in found if LEAST_WEIGHT <= weight <= MOST_WEIGHT]


def read_id_runs(text: str) -> tuple[int, ...]:
    """Return the numbers of ``id_runs`` joined by points, each once; none where a text is no such or names too many."""
    if not _IDS.fullmatch(text):
        return ()
    ends = [(int(run.partition("-")[0]), int(run.rpartition("-")[2])) for run in text.split(".")]
    if sum(max(0, last - first) + 1 for first, last in ends) > MOST_LINKED:
        return ()
    return tuple(dict.fromkeys(one for first, last in ends for one in range(first, last + 1)))
