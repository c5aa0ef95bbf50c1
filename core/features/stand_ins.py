"""What it means for an encoder that a scene lacks bands of it: others stand in, or it cannot say anything."""

from __future__ import annotations

from core.encoders.base import EncoderSpec
from core.errors import EncoderError
from core.scenes.scene import Scene


def lacking_words(spec: EncoderSpec, scene: Scene) -> str:
    """Return what it means that a scene lacks some bands of an encoder, a sentence; empty when it lacks none.

    Nor is anything said where B10 alone is missing, as in every L2A product: over land it holds next to nothing.
    """
    lacking = spec.lacking(scene.bands)
    if lacking in {(), ("B10",)}:
        return ""
    zero = "; B10 counts as 0, others stand in for the rest" if "B10" in lacking else "; others stand in for them"
    return f"The scene lacks {len(lacking)} of its {_bands(spec)} ({', '.join(lacking)}){zero}."


def check_has_bands(spec: EncoderSpec, scene: Scene) -> None:
    """Refuse an encoder of which a scene has no band: what it gave would be of stand-ins alone.

    Raises:
        EncoderError: when it is so.
    """
    if spec.bands and len(spec.lacking(scene.bands)) == len(spec.bands):
        found = f"the scene has none of the {_bands(spec)} that it reads, {', '.join(spec.bands)}"
        raise EncoderError(f"Encoding “{scene.name}” by {spec.title}", found, "choose another encoder")


def _bands(spec: EncoderSpec) -> str:
    return f"{len(spec.bands)} band{'' if len(spec.bands) == 1 else 's'}"
