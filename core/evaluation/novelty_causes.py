"""Why patches of a scene may be unfamiliar to an encoder: what is known of the scene, each with what can be done.

Nothing here is measured: how unfamiliar patches are, and how they look misread, is ``core.evaluation.novelty``.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.bands import fill_source
from core.encoders.base import EncoderSpec
from core.evaluation.land_light import EXCHANGED, OFFSET
from core.scenes.location import bounds_lonlat
from core.scenes.overview import CLOUD_TOPIC, SENSOR_TOPIC, overview
from core.scenes.quality import Finding, QualityRecord
from core.scenes.scene import Scene

MUCH_NOVEL = 0.15
"""Share of unfamiliar patches above which causes are named that do not always matter: season, single bands."""

MOST_FLAWED, HALF_EXCHANGED = 0.8, 0.5
"""Shares of patches that look too bright, or as if bands were exchanged, above which it is said. Haze and snow are too
bright as well. Nothing but a wrong order of bands looks exchanged in half of the patches, yet water shows that less
than land does."""

SOME_CLOUD = 0.05
"""Share of a scene under cloud from which cloud is named."""

PIXEL_METRES, NEAR = 10.0, 1.1
"""Side of the pixels that encoders know, and the factor within which others count as such."""

FINEST, COARSEST = 5.0, 60.0
"""Sides of pixels in metres that reading again interpolates 10 m from."""

READ_AGAIN, RESAMPLE, OTHER_ENCODER, LEAVE_CLOUD, OTHER_DATE = "read", "resample", "encoder", "cloud", "date"
REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        READ_AGAIN: "Read it differently",
        RESAMPLE: "Read it again at 10 m",
        OTHER_ENCODER: "Choose another encoder",
        LEAVE_CLOUD: "Look away from cloud",
        OTHER_DATE: "Add a scene of another date",
    }
)
"""What can be done, by the name that ``NoveltyCause.remedy`` holds, as a button says it."""

_MATTER = frozenset({"B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12"})
"""Bands of land; the others are of the air."""

_SNOW_LATITUDE, _SEASON_LATITUDE = 35.0, 23.5


@dataclass(frozen=True, kw_only=True)
class NoveltyCause:
    """A reason for which land may be unfamiliar.

    Attributes:
        name: ``synthetic``, ``sensor``, ``level``, ``pixels``, ``bands``, ``order``, ``scale``,
            ``exchanged``, ``offset``, ``cloud``, ``season``; ``unknown`` where much is unfamiliar and none of these is.
        sentence: what is known and what it does, for a person; may hold text of a file, so escape it before HTML.
        remedy: a key of ``REMEDIES``; empty = there is nothing to do.
    """

    name: str
    sentence: str
    remedy: str = ""


def novelty_causes(
    scene: Scene,
    spec: EncoderSpec,
    record: QualityRecord | None,
    share: float,
    flaws: Mapping[str, float] = MappingProxyType({}),
) -> tuple[NoveltyCause, ...]:
    """Return why a scene may be unfamiliar to an encoder, what matters most first.

    Args:
        scene: the scene.
        spec: of the encoder.
        record: the quality record of the scene; None = it cannot be read.
        share: of its patches that are unfamiliar, 0 to 1; of few, only causes are named that touch every patch.
        flaws: share of its patches that look as if misread, by flaw of ``land_light``.
    """
    lines = {finding.topic: finding for finding in (record.findings if record else ())}
    found = [
        _synthetic(scene),
        _sensor(lines.get(SENSOR_TOPIC)),
        _numbers(lines.get("scale")),
        _order(lines.get("bands")),
        _misread(flaws) if share > MUCH_NOVEL else None,
        _level(scene, spec),
        _pixels(scene, record),
        _bands(scene, spec, much=share > MUCH_NOVEL),
        _cloud(scene, record),
        _season(scene) if share > MUCH_NOVEL else None,
    ]
    causes = tuple(cause for cause in found if cause is not None)
    return (_unknown(),) if share > MUCH_NOVEL and not causes else causes


def _unknown() -> NoveltyCause:
    sentence = "Its record does not say why: other land, or bands, scale or sensor other than those it was read by."
    return NoveltyCause(name="unknown", sentence=sentence, remedy=READ_AGAIN)


def _synthetic(scene: Scene) -> NoveltyCause | None:
    if not scene.synthetic:
        return None
    return NoveltyCause(name="synthetic", sentence="Synthetic: it was drawn by Landlike, and no satellite saw it.")


def _sensor(line: Finding | None) -> NoveltyCause | None:
    if line is None or line.basis != "warning":
        return None
    sentence = f"{line.value}: not Sentinel-2, whose bands the encoder knows; like bands stand in for them."
    return NoveltyCause(name="sensor", sentence=sentence)


def _numbers(line: Finding | None) -> NoveltyCause | None:
    if line is None or line.basis not in {"assumed", "warning"}:
        return None
    sentence = f"Scale in doubt: its numbers were taken for {line.value} ({line.because})."
    return NoveltyCause(name="scale", sentence=sentence, remedy=READ_AGAIN)


def _order(line: Finding | None) -> NoveltyCause | None:
    if line is None or line.basis != "assumed":
        return None
    sentence = f"Bands in doubt: nothing names them, and they were taken for {line.value}."
    return NoveltyCause(name="order", sentence=sentence, remedy=READ_AGAIN)


def _misread(flaws: Mapping[str, float]) -> NoveltyCause | None:
    """Name the flaw that most patches show, of those that reading again may mend."""
    if flaws.get(EXCHANGED, 0) > HALF_EXCHANGED:
        sentence = "Bands in doubt: its light falls as if red and blue, or red and near infrared, were exchanged."
        return NoveltyCause(name="exchanged", sentence=sentence, remedy=READ_AGAIN)
    if flaws.get(OFFSET, 0) > MOST_FLAWED:
        sentence = "Brighter than land by about 0.1: an offset left in its numbers, another scale, cloud, snow or haze."
        return NoveltyCause(name="offset", sentence=sentence, remedy=READ_AGAIN)
    return None


def _level(scene: Scene, spec: EncoderSpec) -> NoveltyCause | None:
    """Name the level where it is not the encoder's; an encoder without one takes reflectance as it comes."""
    wanted = spec.level
    if scene.level is None:
        sentence = "Level unknown: nothing says whether the air is in its light (L1C) or taken out (L2A)."
        return NoveltyCause(name="level", sentence=sentence, remedy=READ_AGAIN)
    if scene.level != "L2A":
        return None
    if wanted == "L1C":
        return NoveltyCause(name="level", sentence="L2A: converted to nominal top-of-atmosphere before encoding.")
    sentence = f"L2A: light at the ground, which {spec.title} takes as it is; it may have learned from L1C."
    return NoveltyCause(name="level", sentence=sentence, remedy=OTHER_ENCODER)


def _pixels(scene: Scene, record: QualityRecord | None) -> NoveltyCause | None:
    side = overview(scene, record).pixel_metres
    if side is None or 1 / NEAR <= side / PIXEL_METRES <= NEAR:
        return None
    words = f"{side:.0f}" if side >= PIXEL_METRES else f"{side:.1f}"
    what = "coarser" if side > PIXEL_METRES else "finer"
    sentence = f"{words} m pixels: {what} than the {PIXEL_METRES:.0f} m that encoders know."
    if scene.is_collection or not FINEST <= side <= COARSEST:
        return NoveltyCause(name="pixels", sentence=sentence)
    return NoveltyCause(name="pixels", sentence=f"{sentence[:-1]}: resample to 10 m.", remedy=RESAMPLE)


def _bands(scene: Scene, spec: EncoderSpec, *, much: bool) -> NoveltyCause | None:
    """Name missing bands that matter, and where much is unfamiliar those of the air too."""
    missing = [name for name in spec.bands if name not in scene.bands and (name in _MATTER or much)]
    if not missing:
        return None
    sources = [fill_source(name, scene.bands) for name in missing]
    fills = ", ".join(f"{other or 'zero'} for {name}" for name, other in zip(missing, sources, strict=True))
    number = "1 band is" if len(missing) == 1 else f"{len(missing)} bands are"
    sentence = f"{number} missing, and others stand in: {fills}."
    return NoveltyCause(name="bands", sentence=sentence, remedy=OTHER_ENCODER)


def _cloud(scene: Scene, record: QualityRecord | None) -> NoveltyCause | None:
    share = overview(scene, record).cloud
    if share is None or share < SOME_CLOUD:
        return None
    lines = [finding.value for finding in record.findings if finding.topic == CLOUD_TOPIC] if record else []
    whose = "the whole product" if "whole product" in lines[-1] else "it"
    sentence = f"Cloud: {share:.0%} of {whose} is under cloud, which no encoder sees through."
    return NoveltyCause(name="cloud", sentence=sentence, remedy=LEAVE_CLOUD if scene.classification else "")


def _season(scene: Scene) -> NoveltyCause | None:
    """Name winter by date and hemisphere, beyond the tropics."""
    bounds = bounds_lonlat(scene)
    if scene.date is None or bounds is None:
        return None
    date, latitude = datetime.date.fromisoformat(scene.date), (bounds[1] + bounds[3]) / 2
    northern = date.month if latitude > 0 else (date.month + 5) % 12 + 1
    dark = {12, 1, 2} if abs(latitude) < 55 else {11, 12, 1, 2, 3}
    if abs(latitude) < _SEASON_LATITUDE or northern not in dark:
        return None
    snow = ", perhaps under snow" if abs(latitude) > _SNOW_LATITUDE else ""
    place = f"{math.floor(abs(latitude) + 0.5)}° {'north' if latitude > 0 else 'south'}"
    sentence = f"Winter: {date:%B %Y} at {place}; the sun is low and fields lie bare{snow}."
    return NoveltyCause(name="season", sentence=sentence, remedy=OTHER_DATE)
