"""Searching by words for land, such as “dry grass”: what they are taken to mean, and how well each patch fits.

A word is understood by the table of ``core.search.vocabulary``, and by the names of a scene's own classes and clusters.
The score is a degree of match, 0 to 1, as of fuzzy sets (Zadeh 1965), and no probability.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray, class_title
from core.errors import SettingsError
from core.scenes.classification import SCL_NAMES
from core.search.light import Fit, patch_light
from core.search.ranking import MATCH, Ranking
from core.search.vocabulary import ADJECTIVES, LIGHT_BANDS, NOUNS, SEVERAL_KINDS, Adjective, Noun
from core.values.named.unsure import sure_patches
from core.values.source import PatchSource

MOST_LETTERS = 200
"""Letters of what is written in a search box."""

_ASKED = "Searching by words"
_FILLERS = frozenset(
    ("a", "an", "and", "any", "area", "find", "is", "land", "like", "of", "or", "patch", "place", "some", "the", "very")
)
_CLOSE = 0.8
"""How alike a word has to be to one that is known, to be taken for it (``difflib``, 0 to 1)."""

_CLASS_WEIGHT = 0.6
"""Weight of a class beside light: where both are known the class decides, and light puts in order."""

_UNKNOWN = 0.5
"""How well a class fits that is not known: neither way, so that light decides, below patches whose class is known."""

Phrase = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _NamedClass:
    """A class or cluster of this scene, named as people see it."""

    title: str
    kind: str
    number: int


_Term = Noun | Adjective | _NamedClass


def search_words(text: str, source: PatchSource) -> Ranking:
    """Return how well all patches fit some words, and in its sentence what they were taken to mean.

    Several kinds of land mean any of them; adjectives narrow all of them. Case, plurals and slips of a letter or two do
    not matter. Where an encoder's classes are sure they decide, and light puts in order; elsewhere light decides.

    Args:
        text: in English.
        source: the patches, and what is known of them.

    Raises:
        SettingsError: when nothing is written, a word is not known (it says which are), or the scene lacks the bands
            that a word is told by.
    """
    words = _Words(source)
    terms, notes = words.terms(text)
    nouns = [term for term in terms if not isinstance(term, Adjective)]
    fits = [words.fit(term) for term in nouns]
    land = np.max([fit.score for fit in fits], axis=0) if fits else None
    looks = np.max([words.looks(*pair) for pair in zip(nouns, fits, strict=True)], axis=0) if fits else None
    narrowed = [words.narrow(term, looks) for term in terms if isinstance(term, Adjective)]
    parts = ([] if land is None else [land]) + [fit.score for fit in narrowed]
    # The least of all decides; their mean puts those in order that meet it alike.
    score = 0.9 * np.min(parts, axis=0) + 0.1 * np.mean(parts, axis=0)
    said = "; ".join([*notes, *(fit.said for fit in (*fits, *narrowed))])
    return Ranking(
        scene=source.scene.id, patch_ids=source.table.patch_ids, score=score.astype(np.float32), measure=MATCH,
        sentence=said, tie=_typical(source.table.unit, score.astype(np.float32)),
    )  # fmt: skip


def _typical(unit: FloatArray, score: FloatArray) -> FloatArray:
    """Return how like the middle of what fits best each patch is, shape (N,): it orders patches that fit alike."""
    weights = np.nan_to_num(score) ** 4
    middle = weights @ unit / max(float(weights.sum()), 1e-12)
    return np.asarray(unit @ middle, np.float32)


class _Words:
    """The words that a scene is searched by."""

    def __init__(self, source: PatchSource) -> None:
        self.source = source
        self.light = patch_light(source.scene, source.table)
        named = source.named()
        self.named, self.sure = named, None if named is None else sure_patches(source, named)
        self.predicted: tuple[str, ...] = () if named is None else named.classes
        self.clusters = source.clusters()
        self.index = dict(self._indices())
        self.own = list(self._own_classes())
        terms: list[tuple[str, _Term]] = [(one.title, one) for one in self.own]
        terms += [(word, adjective) for adjective in ADJECTIVES for word in (adjective.word, *adjective.synonyms)]
        terms += [(word, noun) for noun in NOUNS for word in (noun.word, *noun.synonyms)]
        # Later entries go before: a word of the table means the kind of land, also where it is a class's name.
        self.phrases: dict[Phrase, _Term] = {_phrase(word): term for word, term in terms if _phrase(word)}

    @property
    def known(self) -> tuple[str, ...]:
        """All words that are listed for people, each once: those that something known of this scene tells."""
        every: list[Noun | Adjective] = [*NOUNS, *ADJECTIVES]
        table = [term.word for term in every if self._told(term)]
        return tuple(dict.fromkeys([*table, *(one.title for one in self.own)]))

    def _indices(self) -> Iterable[tuple[str, NDArray[np.int16]]]:
        """Yield kinds of classes that a patch has or has not, and its number in each, −1 = none."""
        labels = self.source.labels
        for kind, found in (("class", labels.truth), ("label", labels.given)):
            if found is not None:
                yield kind, found.index[self.source.table.patch_ids]
        if self.clusters is not None:
            yield "cluster", self.clusters.index

    def _own_classes(self) -> Iterable[_NamedClass]:
        labels = self.source.labels
        named: dict[str, Sequence[str]] = {
            "predicted class": self.predicted,
            "class": () if labels.truth is None else labels.truth.classes,
            "label": () if labels.given is None else labels.given.classes,
        }
        for kind, names in [("cluster", () if self.clusters is None else self.clusters.names), *named.items()]:
            for number, name in enumerate(names):
                yield _NamedClass(title=class_title(name), kind=kind, number=number)

    def terms(self, text: str) -> tuple[list[_Term], list[str]]:
        """Return what a text names, in its order, and what had to be guessed.

        Raises:
            SettingsError: when that is nothing, or a word is not known.
        """
        if len(text) > MOST_LETTERS:
            raise SettingsError(_ASKED, f"there are {len(text)} letters", f"write at most {MOST_LETTERS}")
        tokens, terms, notes = list(_phrase(text)), [], []
        longest = max(map(len, self.phrases))
        while tokens:
            size = next((size for size in range(longest, 0, -1) if tuple(tokens[:size]) in self.phrases), 0)
            if size:
                terms.append(self.phrases[tuple(tokens[:size])])
            elif tokens[0] not in _FILLERS:
                size, term, note = self._guess(tokens)
                terms.append(term)
                notes.append(note)
            tokens = tokens[max(1, size) :]
        if not terms:
            raise SettingsError(_ASKED, "no kind of land is written", self._remedy())
        return list(dict.fromkeys(terms)), notes

    def _guess(self, tokens: Sequence[str]) -> tuple[int, _Term, str]:
        """Return how many words of the beginning are like a known phrase, which, and a note that says so."""
        spelled = {" ".join(phrase): phrase for phrase in self.phrases}
        for size in range(min(3, len(tokens)), 0, -1):
            asked = " ".join(tokens[:size])
            close = difflib.get_close_matches(asked, [one for one in spelled if len(one) > 3], 1, _CLOSE)
            if close:
                return size, self.phrases[spelled[close[0]]], f"“{asked}” taken for “{close[0]}”"
        raise SettingsError(_ASKED, f"“{tokens[0][:40]}” is no word that is known here", self._remedy())

    def _remedy(self, otherwise: str = "") -> str:
        """Return what to do: something, and the words there are for this scene; where there are none, examples."""
        words = f"write some of these: {' · '.join(self.known)}" if self.known else ""
        return ", or ".join(filter(None, (otherwise, words))) or "search by examples; no words tell land of this scene"

    def _told(self, term: Noun | Adjective) -> bool:
        """Return whether this scene knows what tells a word: its bands, or classes that mean it."""
        if isinstance(term, Adjective):
            light = self.light.narrowing(term, None)
            return light is not None and self.light.fit((light,)) is not None
        return self.light.fit(term.light) is not None or self._classes(term)[0] is not None

    def fit(self, term: Noun | _NamedClass) -> Fit:
        """Return how well patches fit a kind of land or a class.

        Raises:
            SettingsError: when the scene knows nothing that tells it.
        """
        return self._noun(term) if isinstance(term, Noun) else self._class(term)

    def _noun(self, noun: Noun) -> Fit:
        light = self.light.fit(noun.light)
        classes, said = self._classes(noun)
        if classes is None:
            if light is None:
                bands = sorted({band for one in noun.light for band in LIGHT_BANDS.get(one.name, ())})
                found = f"“{noun.word}” is told by the bands {', '.join(bands)}, which this scene lacks"
                raise SettingsError(_ASKED, found, self._remedy("search by examples"))
            return Fit(score=light.score, said=f"{noun.word}: {light.said}")
        score = np.where(np.isnan(classes), np.float32(_UNKNOWN), classes)
        if light is not None:
            score = _CLASS_WEIGHT * score + (1 - _CLASS_WEIGHT) * light.score
        said = said if light is None else f"{said}, with {light.said}"
        return Fit(score=score.astype(np.float32), said=f"{noun.word}: {said}")

    def _classes(self, noun: Noun) -> tuple[FloatArray | None, str]:
        """Return by classes how well patches fit a noun, NaN where no class counts; None where no class means it."""
        score, said = np.full(len(self.source.table), np.nan, np.float32), []
        if self.named is not None and self.sure is not None:
            wanted = _meant(noun, self.predicted)
            if wanted:
                score[self.sure] = np.where(np.isin(self.named.index, wanted), self.named.confidence, 0)[self.sure]
                said.append(f"class {' or '.join(class_title(self.predicted[number]) for number in wanted)}")
        product = self.source.classification()
        wanted = _meant(noun, SCL_NAMES)
        if product is not None and wanted:
            there = product >= 0
            score[there] = np.fmax(score[there], np.isin(product, wanted)[there])
            said.append(f"scene classification {' or '.join(SCL_NAMES[number] for number in wanted)}")
        self._by_clusters(noun, score, said)
        return self._by_hand(noun, score, said)

    def _by_clusters(self, noun: Noun, score: FloatArray, said: list[str]) -> None:
        """Let patches of clusters that are called so count where no class is sure; others may be of it too.

        One of several kinds of land, such as “mixed water and land”, says of none of its patches what it is.
        """
        names = () if self.clusters is None else self.clusters.names
        wanted = [one for one in _meant(noun, names) if not names[one].casefold().startswith(SEVERAL_KINDS)]
        if self.clusters is not None and wanted:
            inside = np.isin(self.clusters.index, wanted)
            score[inside & np.isnan(score)] = 1
            said.append(f"cluster {' or '.join(self.clusters.names[number] for number in wanted)}")

    def _by_hand(self, noun: Noun, score: FloatArray, said: list[str]) -> tuple[FloatArray | None, str]:
        """Let the labels that people gave go before all others."""
        given = self.source.labels.given
        wanted = [] if given is None else _meant(noun, given.classes)
        if given is not None and wanted:
            index = self.index["label"]
            score[index >= 0] = np.isin(index, wanted)[index >= 0]
            said.append(f"label {' or '.join(class_title(given.classes[number]) for number in wanted)}")
        return (score, " or ".join(said)) if said else (None, "")

    def _class(self, one: _NamedClass) -> Fit:
        if one.kind == "predicted class" and self.named is not None:
            score = np.where(self.named.index == one.number, self.named.confidence, 0).astype(np.float32)
            return Fit(score=score, said=f"{one.kind} {one.title}")
        if one.kind == "label":
            return self._labelled(one)
        said = f"{one.kind} {one.title}"
        return Fit(score=np.asarray(self.index[one.kind] == one.number, np.float32), said=said)

    def _labelled(self, one: _NamedClass) -> Fit:
        """Return 1 for patches that people labelled so, 0 for others with a label, and likeness for all others."""
        index, unit = self.index["label"], self.source.table.unit
        so = index == one.number
        score = np.zeros(len(unit), np.float32)
        if so.any():
            cosine = unit @ unit[so].mean(axis=0)
            score = (np.argsort(np.argsort(cosine)) / max(1, len(unit) - 1)).astype(np.float32)
        score[index >= 0] = so[index >= 0]
        return Fit(score=score, said=f"label {one.title}, and others by the share of patches that are less like those")

    def looks(self, term: Noun | _NamedClass, fit: Fit) -> FloatArray:
        """Return how well patches fit a kind of land by their light too: what adjectives compare is of that land."""
        light = self.light.fit(term.light) if isinstance(term, Noun) else None
        return fit.score if light is None else np.minimum(fit.score, light.score)

    def narrow(self, adjective: Adjective, land: FloatArray | None) -> Fit:
        """Return how well patches fit an adjective, which may compare the patches that a kind of land fits.

        Raises:
            SettingsError: when the scene lacks its bands.
        """
        light = self.light.narrowing(adjective, land)
        found = None if light is None else self.light.fit((light,))
        if found is None:
            found_ = f"the scene lacks the bands that tell “{adjective.word}”"
            raise SettingsError(_ASKED, found_, self._remedy("leave the word out"))
        return Fit(score=found.score, said=f"{adjective.word}: {found.said}")


def _meant(noun: Noun, classes: Sequence[str]) -> list[int]:
    """Return which classes a noun means, by their names."""
    names = [_phrase(class_title(name)) for name in classes]
    return [number for number, name in enumerate(names) if any(_holds(name, entry) for entry in noun.classes)]


def _holds(name: Phrase, entry: str) -> bool:
    """Return whether a class has a name that an entry of the table means."""
    if entry.startswith("="):
        return name == _phrase(entry[1:])
    return set(_phrase(entry)) <= set(name)


def _phrase(text: str) -> Phrase:
    """Return the words of a text in lower case and the singular."""
    return tuple(_singular(word) for word in re.findall(r"[^\W_]+", text.casefold()))


_IRREGULAR: Mapping[str, str] = MappingProxyType({"leaves": "leaf", "glaciers": "glacier", "bodies": "body"})


def _singular(word: str) -> str:
    """Return the singular of an English word; near enough to compare words with one another."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("shes", "ches", "sses", "xes")):
        return word[:-2]
    plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if plural else word
