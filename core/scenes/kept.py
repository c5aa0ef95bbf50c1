"""Small files of what people gave or decided, kept beside a scene: read and written whole, and kept where damaged."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from core.errors import LandlikeError, SceneError
from core.files import write_atomically
from core.scenes.scene import Scene

Kept = TypeVar("Kept")

DAMAGED = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, OverflowError)
"""What taking a damaged file of JSON apart raises."""


def read_kept(
    scene: Scene, name: str, parsed: Callable[[bytes], Kept], what: str, *, asked: str | None = None
) -> Kept | None:
    """Return what a file beside a scene holds; None where there is none, or where it is damaged and nothing is asked.

    Args:
        scene: the scene.
        name: of the file.
        parsed: takes its content apart, and raises one of ``DAMAGED`` or an error of ours where it cannot.
        what: it holds, such as ``the labels given before``.
        asked: what somebody wants of it, for sentences; None = what is damaged counts as absent.

    Raises:
        SceneError: when something is asked, and the file cannot be read.
    """
    try:
        return parsed((scene.directory / name).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, LandlikeError, *DAMAGED) as error:
        if asked is None:
            return None
        remedy = f"move {name} out of the folder of the scene {scene.id}"
        raise SceneError(asked, f"{what} cannot be read", remedy) from error


def write_kept(scene: Scene, name: str, content: bytes, *, asked: str, again: str = "try again") -> None:
    """Write a file beside a scene; the one before stays where that fails.

    Args:
        scene: the scene.
        name: of the file.
        content: of it.
        asked: what somebody wants, for sentences.
        again: what to do once there is space.

    Raises:
        SceneError: when the disk refuses it.
    """
    try:
        write_atomically(scene.directory / name, content)
    except OSError as error:
        found = f"the disk refused it ({error.strerror})"
        raise SceneError(asked, found, f"free some space and {again}") from error
