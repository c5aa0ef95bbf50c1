"""What it means for an encoder that a scene lacks bands of it: others stand in, or it cannot say anything."""

from __future__ import annotations

from collections.abc import Sequence

from core.encoders.base import EncoderSpec
from core.errors import EncoderError
from core.scenes.scene import Scene


def lacking_words(wanted: Sequence[str], scene: Scene) -> str:
    """Return what it means that a scene lacks some bands that an encoder reads, a sentence; empty when it lacks none.

    ``core.bands.fill_source`` says what stands in for them. Nor is anything said where B10 alone is missing, as in
    every L2A product: over land it holds next to nothing.
    """
    lacking = tuple(name for name in wanted if name not in scene.bands)
    if lacking in {(), ("B10",)}:
        return ""
    are = "is" if len(lacking) == 1 else "are"
    zero = "; B10 counts as 0, others stand in" if "B10" in lacking else "; others stand in for them"
    named = f"{len(lacking)} of the {_bands(wanted)} that the encoder reads {are} missing"
    return f"{named} ({', '.join(lacking)}){zero}."


def check_has_bands(spec: EncoderSpec, scene: Scene) -> None:
    """Refuse an encoder of which a scene has no band: what it gave would be of stand-ins alone.

    Raises:
        EncoderError: when it is so.
    """
    if spec.bands and not set(spec.bands) & set(scene.bands):
        found = f"the scene has none of the {_bands(spec.bands)} that it reads, {', '.join(spec.bands)}"
        raise EncoderError(f"Encoding “{scene.name}” by {spec.title}", found, "choose another encoder")


def _bands(wanted: Sequence[str]) -> str:
    return f"{len(wanted)} band{'' if len(wanted) == 1 else 's'}"
