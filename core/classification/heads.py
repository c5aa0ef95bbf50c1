"""Heads: classes that people taught on features. Teaching one, teaching it again after each label, and naming land.

Files of them are ``core.classification.saved``; how well they do is ``core.classification.validation``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.bands import GROUND_BANDS, FloatArray
from core.classification.labelled import LabelledPatches
from core.classification.models import ClassModel, HeadKind, LinearModel, fit_model
from core.classification.schemes import CODES, LandClass, Scheme, own_scheme
from core.classification.validation import USUAL_SETTING, Validation, validate
from core.config import Config
from core.errors import ClassificationError, EncoderError, SettingsError
from core.evaluation.logistic import softmax
from core.evaluation.novelty import NOVEL_ABOVE
from core.evaluation.retrieval import Share
from core.evaluation.taught_classes import classifier_of
from core.features.recipe import Recipe
from core.progress import Progress, silent
from core.scenes.cut import Cut
from core.values.named.unsure import GUESSED, UNFAMILIAR_LAND, WHY_UNSURE, unsure_reasons


@dataclass(frozen=True, kw_only=True)
class HeadOrigin:
    """What a head was taught on, and what is known of it.

    Attributes:
        encoder: name of the encoder whose features it needs.
        fingerprint: of that encoder; what counts.
        cut: ``Cut.key`` of the patches, or empty.
        level: ``L1C``, ``L2A`` or empty, of the scenes.
        bands: names of the scenes' bands; empty = not told.
        scenes: names of the scenes.
        date: ``YYYY-MM-DD`` of the day it was taught, or empty.
        counts: labelled patches a class, by name.
        measures: what cross-validation found, as JSON values of ``measures_of``.
    """

    encoder: str = ""
    fingerprint: str = ""
    cut: str = ""
    level: str = ""
    bands: tuple[str, ...] = ()
    scenes: tuple[str, ...] = ()
    date: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    measures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def older_way(self) -> bool:
        """Whether a former version measured it, whose figures are too favourable where patches overlap."""
        return bool(self.measures) and not self.measures.get("held_apart", False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """Classes that a head gives patches.

    Attributes:
        classes: names.
        index: int16 of shape (N,), the likeliest class of each, also where it abstains.
        confidence: float32 of shape (N,), its probability, 0 to 1.
        abstained: bool of shape (N,), True = the class does not count: too unsure, or land that it does not know.
        novel: bool of shape (N,), True = land that the encoder does not know.
        chances: float32 of shape (N, classes), all probabilities; each row sums to 1.
    """

    classes: tuple[str, ...]
    index: NDArray[np.int16]
    confidence: FloatArray
    abstained: NDArray[np.bool_]
    novel: NDArray[np.bool_]
    chances: FloatArray

    def __len__(self) -> int:
        return len(self.index)

    def with_chances(self, chances: FloatArray, abstain_below: float) -> Prediction:
        """Return it with other probabilities, such as smoothed ones; novel land stays as it is."""
        index = chances.argmax(axis=1)
        confidence = chances[np.arange(len(index)), index]
        return replace(
            self, index=index.astype(np.int16), confidence=confidence, chances=chances,
            abstained=(confidence < abstain_below) | self.novel,
        )  # fmt: skip

    @property
    def why_abstained(self) -> NDArray[np.object_]:
        """Why the class of each patch does not count, in the words of pages, shape (N,); None where it does."""
        places = np.where(self.novel, WHY_UNSURE.index(UNFAMILIAR_LAND), WHY_UNSURE.index(GUESSED))
        return unsure_reasons(np.where(self.abstained, places, -1))

    @property
    def named(self) -> NDArray[np.object_]:
        """The name of each patch's likeliest class, shape (N,)."""
        found: NDArray[np.object_] = np.array(self.classes, dtype=object)[self.index]
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Head:
    """Classes taught on features.

    Attributes:
        model: gives logits.
        classes: with codes and colours, in the order of the logits.
        temperature: what logits are divided by before the softmax (Guo et al. 2017).
        calibrated: True = the temperature was set by patches that were held out.
        setting: of the model, as of ``fit_model``.
        origin: what it was taught on.
    """

    model: ClassModel
    classes: tuple[LandClass, ...]
    temperature: float = 1.0
    calibrated: bool = False
    setting: float = 0.0
    origin: HeadOrigin = HeadOrigin()

    @property
    def kind(self) -> HeadKind:
        """What kind of model it is."""
        return self.model.kind

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its classes."""
        return tuple(one.name for one in self.classes)

    def chances(self, vectors: FloatArray) -> FloatArray:
        """Return probabilities of all classes, float32 of shape (N, classes), of features (N, D) of any length.

        Raises:
            EncoderError: when the features have another number of columns.
        """
        return np.asarray(softmax(self.model.logits(vectors).astype(np.float64) / self.temperature), np.float32)

    def predict(
        self, vectors: FloatArray, *, abstain_below: float = 0.0, novelty: FloatArray | None = None
    ) -> Prediction:
        """Return the likeliest class of each patch, its probability, and where the head abstains.

        Args:
            vectors: features of shape (N, D), of any length.
            abstain_below: probability below which it abstains, 0 to 1; 0 = never for that.
            novelty: percentiles of shape (N,) as of ``evaluation.novelty``; above ``NOVEL_ABOVE`` it abstains. None =
                not known. A taught encoder also abstains where its network does not know the land.

        Raises:
            EncoderError: when the features have another number of columns.
            SettingsError: for a probability outside 0 to 1.
        """
        if not 0 <= abstain_below <= 1:
            found = f"the least probability is {abstain_below:g}"
            raise SettingsError("Naming classes", found, "choose one from 0 to 1")
        chances = self.chances(vectors)
        index = chances.argmax(axis=1)
        confidence = chances[np.arange(len(index)), index]
        novel = np.zeros(len(index), np.bool_) if novelty is None else np.asarray(novelty > NOVEL_ABOVE)
        novel = novel | ~self.heard(vectors)
        return Prediction(
            classes=self.names, index=index.astype(np.int16), confidence=confidence,
            abstained=(confidence < abstain_below) | novel, novel=novel, chances=chances,
        )  # fmt: skip

    def heard(self, vectors: FloatArray) -> NDArray[np.bool_]:
        """Return where its classes count, shape (N,): where the network that was taught them knows the land.

        Args:
            vectors: features of all patches of a scene, shape (N, D). What people taught counts everywhere.
        """
        found = self.model.classifier.heard(vectors) if isinstance(self.model, LinearModel) else None
        return np.ones(len(vectors), np.bool_) if found is None else found

    def check_fits(self, fingerprint: str, width: int, level: str = "") -> None:
        """Refuse features that it was not taught on.

        Args:
            fingerprint: of the encoder that made them; empty = not known, so that only their number counts.
            width: numbers a patch.
            level: of the scene, or empty where it is not known.

        Raises:
            EncoderError: one sentence on what does not fit.
        """
        asked, remedy = "Using a saved head", f"encode the scene with {self.origin.encoder or 'its encoder'}"
        if fingerprint and self.origin.fingerprint and fingerprint != self.origin.fingerprint:
            of = self.origin.encoder or "another encoder"
            raise EncoderError(asked, f"it was taught on features of {of}, and these are of another encoder", remedy)
        exact = not isinstance(self.model, LinearModel) or width < self.model.width
        if exact and width != self.model.width:
            found = f"it was taught on {self.model.width} numbers a patch, and these features have {width}"
            raise EncoderError(asked, found, remedy)
        if level and self.origin.level and level != self.origin.level:
            found = f"it was taught on {self.origin.level} scenes, and this one is {level}"
            raise EncoderError(asked, found, f"use it on {self.origin.level} scenes, or teach one on {level}")

    def concerns(self, cut: str, bands: Collection[str] = ()) -> list[str]:
        """Return in what a scene differs from those it was taught on, a sentence each, which does not forbid using it.

        Args:
            cut: ``Cut.key`` of the patches, or empty.
            bands: of the scene; empty = not told.
        """
        found = []
        was, now = (set(names) & set(GROUND_BANDS) for names in (self.origin.bands, bands))
        if was and now and was != now:
            pairs = ((was - now, "missing"), (now - was, "added"))
            told = [f"{', '.join(sorted(names))} {word}" for names, word in pairs if names]
            found.append(
                f"The head was taught on other bands than these ({'; '.join(told)}), and names land wrongly here."
            )
        learned, here = (_without_area(key) for key in (self.origin.cut, cut))
        if here and learned and here != learned:
            found.append(f"The head was taught on patches cut as {learned}, and these are cut as {here}.")
        return found


def _without_area(key: str) -> str:
    """Return the key of a cut without its area: the patches of an area are those of the whole scene."""
    cut = Cut.parse(key)
    return key if cut is None else replace(cut, area="").key


@dataclass(frozen=True, kw_only=True, eq=False)
class Taught:
    """A head, and how well heads like it name land they were not taught on."""

    head: Head
    validation: Validation


def teach(
    known: LabelledPatches,
    kind: HeadKind = "logistic",
    *,
    scheme: Scheme | None = None,
    origin: HeadOrigin | None = None,
    settings: Sequence[float] = (),
    progress: Progress = silent,
) -> Taught:
    """Return a head taught on labelled patches, its setting and temperature chosen by spatial cross-validation.

    It takes about a second for a few hundred labels; ``reteach`` is what to call after each label.

    Args:
        known: labelled patches.
        kind: of head; a forest loads scikit-learn, and so is for workers and the command line.
        scheme: gives classes their codes and colours; None = one of the field's where it knows them all, else colours
            of this app.
        origin: where they come from; counts and measures are filled in.
        settings: to choose from; empty = those of ``settings_of``.
        progress: told (steps done, steps).
    """
    found = validate(kind, known, settings=settings, progress=progress)
    model = fit_model(
        kind, known.vectors, known.labels, len(known.classes), setting=found.setting, spread=known.spread
    )  # fmt: skip
    made = replace(origin or HeadOrigin(), counts=dict(known.counts), measures=measures_of(found))
    head = Head(
        model=model, classes=land_classes(known.classes, scheme), temperature=found.temperature,
        calibrated=bool(found.tested.any()), setting=found.setting, origin=made,
    )  # fmt: skip
    return Taught(head=head, validation=found)


def reteach(head: Head, known: LabelledPatches, *, scheme: Scheme | None = None) -> Head:
    """Return a head taught anew on labels of which a few changed: in tens of milliseconds for a few hundred labels.

    Kind, setting and temperature stay as cross-validation chose them, and its measures are left out, for they are of
    the labels before.

    Args:
        head: as it was.
        known: labelled patches as they are now; other classes are no hindrance.
        scheme: as of ``teach``; None = classes keep the codes and colours they have in ``head``.
    """
    start = head.model if head.names == known.classes else None
    setting = head.setting or USUAL_SETTING[head.kind]
    model = fit_model(
        head.kind, known.vectors, known.labels, len(known.classes), setting=setting, spread=known.spread, start=start
    )  # fmt: skip
    kept = Scheme(name="own", title="", classes=head.classes) if scheme is None else scheme
    origin = replace(head.origin, counts=dict(known.counts), measures={})
    return replace(head, model=model, classes=land_classes(known.classes, kept), setting=setting, origin=origin)


def land_classes(names: Sequence[str], scheme: Scheme | None) -> tuple[LandClass, ...]:
    """Return classes with codes and colours by a scheme, in the order of ``names``; others get free codes and colours.

    Args:
        names: of the classes.
        scheme: None = one of the field's where it knows them all.

    Raises:
        ClassificationError: when there are more than a map has codes for.
    """
    most = CODES[-1]
    if len(names) > most:
        found = f"there are {len(names):,} classes, and a map tells {most} apart at most"
        raise ClassificationError("Teaching classes", found, "merge some of them")
    by_name = {one.name: one for one in (scheme or own_scheme(names)).classes}
    taken = {one.code for one in by_name.values()}
    used = {by_name[name].code for name in names if name in by_name}
    free = iter(sorted((code for code in CODES if code not in used), key=lambda code: (code in taken, code == 0, code)))
    painted = {one.name: one.colour for one in own_scheme(names, [_colour(by_name, name) for name in names]).classes}
    return tuple(
        by_name.get(name) or LandClass(code=next(free), name=name, colour=painted[name]) for name in names
    )  # fmt: skip


def _colour(by_name: Mapping[str, LandClass], name: str) -> str:
    return by_name[name].colour if name in by_name else ""


def taught_head(recipe: Recipe, config: Config, bands: Collection[str], key: str = "") -> Head | None:
    """Return the classes that the encoder of a recipe was taught as a head; None where it was taught none.

    Args:
        recipe: of features.
        config: where models lie.
        bands: of the scene.
        key: of a certain classifier on these features, as of ``classifier_of``.

    Raises:
        EncoderError: when its file is damaged.
    """
    found = classifier_of(recipe, config, bands, key)
    if found is None:
        return None
    origin = HeadOrigin(encoder=recipe.encoder, fingerprint=recipe.fingerprint, bands=tuple(bands))
    return Head(
        model=LinearModel(classifier=found), classes=land_classes(found.classes, None), calibrated=found.calibrated,
        origin=origin,
    )  # fmt: skip


def measures_of(found: Validation) -> Mapping[str, Any]:
    """Return what cross-validation found as JSON values; shares are ``[value, low, high]``, None where unknown."""
    return MappingProxyType(
        {
            "kind": found.kind,
            "setting": found.setting,
            "spatial": found.spatial,
            "held_apart": found.held_apart,
            "blocks": len(np.unique(found.blocks)),
            "tested": int(found.tested.sum()),
            "untested": list(found.untested),
            "accuracy": _three(found.accuracy),
            "calibration_error": _number(found.calibration_error),
            "calibration_error_before": _number(found.calibration_error_before),
            "log_loss": _number(found.log_loss),
            "f1": {one.name: _three(one.f1) for one in found.scores},
            "confusion": found.confusion.tolist(),
        }
    )


def _three(found: Share) -> list[float] | None:
    return [round(one, 4) for one in (found.value, found.low, found.high)] if found.count else None


def _number(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
