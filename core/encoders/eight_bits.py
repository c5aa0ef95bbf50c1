"""The 8-bit form of a model: whether a model has one, and whether this processor gains by it.

``core.training.quantise`` writes it. Its convolutions multiply integers of 8 bits, all else is as in the model itself.
It is tried once on land that comes with it, beside bfloat16, or beside 32-bit numbers where the processor has none. It
is used where it is so much faster than 32-bit numbers, or about as fast as bfloat16, and finds so many of the
neighbours that 32-bit numbers find. That is decided before anything is encoded, so that features of one model are of
one precision on one computer; and so that equal computers decide alike, though they may be busy meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.bands import FloatArray
from core.encoders.base import Encoder
from core.encoders.files import EIGHT_BITS, EIGHT_BITS_LAND, EIGHT_BITS_WEIGHTS
from core.encoders.openvino import installed, processor_key
from core.encoders.preprocessing import resized
from core.errors import EncoderError, StoreError
from core.files import locked, write_atomically
from core.progress import Progress, silent

FASTER, AS_FAST_AS_BF16, AGREEING = 1.3, 0.8, 0.95
"""How many times as fast as f32 is enough to use it; how many times as fast as bf16, which finds less of f32's
neighbours than it; and what share of these it has to find. Both are far from what processors show, 1.8 and 1.1."""

NEIGHBOURS, ROUNDS, TIMED = 10, 16, 48
"""Nearest patches that are compared; how often both are timed, and on how many patches: the first of all."""

LONGEST_ROUNDS, LEAST_ROUNDS = 4.0, 3
"""Seconds after which no further round begins, once there were so many."""

LAND_SIDE, MOST_LAND = 32, 160
"""Pixels a side of the land that comes with it, and patches of it at most; about a megabyte."""

LONGEST_SECONDS = 120
_in_vain: set[Path] = set()
"""Notes of trials by this process that were killed, or could not be kept; it does not try these again."""

_FILES = (EIGHT_BITS, EIGHT_BITS_WEIGHTS, EIGHT_BITS_LAND)
_CODES = 255
_STEP = re.compile(r"(\d+) (\d+)")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How the 8-bit form of a model does on a processor.

    Attributes:
        faster: its rate, as a multiple of that of the numbers it was tried beside: the median of rounds.
        agreeing: share of the nearest ``NEIGHBOURS`` by 32-bit numbers that it finds, 0 to 1.
        beside: the numbers: ``f32`` or ``bf16``.
    """

    faster: float
    agreeing: float
    beside: str = "f32"

    @property
    def pays(self) -> bool:
        """True = it is worth using."""
        enough = AS_FAST_AS_BF16 if self.beside == "bf16" else FASTER
        return self.faster >= enough and self.agreeing >= AGREEING


FAILED = Trial(faster=0, agreeing=0)


def has_form(directory: Path) -> bool:
    """Tell whether a model comes with an 8-bit form."""
    return all((directory / name).is_file() for name in _FILES)


def form_digest(directory: Path) -> str:
    """Return the SHA-256 (hex) over what decides the features of the 8-bit form.

    Raises:
        EncoderError: when its files cannot be read.
    """
    paths = [directory / name for name in (EIGHT_BITS, EIGHT_BITS_WEIGHTS)]
    try:
        return _digest(tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths))
    except OSError as error:
        found = f"the files of its 8-bit form cannot be read ({error.strerror})"
        raise EncoderError(f"Opening the model “{directory.name}”", found, "get the model again") from error


@lru_cache(maxsize=32)
def _digest(states: tuple[tuple[str, int, int], ...]) -> str:
    """Return the digest of files; size and time of change are there so that it is of the files as they are."""
    return hashlib.sha256(b"".join(Path(path).read_bytes() for path, _, _ in states)).hexdigest()


def pays(directory: Path, memory: Path, progress: Progress = silent) -> bool:
    """Tell whether this processor gains by the 8-bit form of a model; the first time it is tried, for some seconds.

    Args:
        directory: of the model.
        memory: a directory in which the answer is kept for this form, processor and OpenVINO.
        progress: told how many steps of a trial are done.

    Raises:
        EncoderError: when its files cannot be read.
    """
    if not has_form(directory) or not installed():
        return False
    note = _note(directory, memory)
    if (kept := _recall(note)) is not None:
        return kept.pays
    if note in _in_vain:
        return False
    try:
        with locked(note.with_suffix(".lock")):
            return (_recall(note) or _tried(directory, memory, progress)).pays
    except StoreError:  # The folder cannot be written: what cannot be kept is not tried each time.
        return False


def remembered(directory: Path, memory: Path) -> Trial | None:
    """Return how the 8-bit form of a model did here; None when it has none or was not tried. Arguments as of ``pays``.

    Raises:
        EncoderError: when its files cannot be read.
    """
    return _recall(_note(directory, memory)) if has_form(directory) else None


def keep(trial: Trial, directory: Path, memory: Path) -> None:
    """Keep how the 8-bit form of a model did here. Other arguments and errors as of ``pays``.

    Raises:
        OSError: when the folder cannot be written.
    """
    memory.mkdir(parents=True, exist_ok=True)
    write_atomically(_note(directory, memory), json.dumps(asdict(trial)).encode())


def _note(directory: Path, memory: Path) -> Path:
    return memory / f"int8-{form_digest(directory)[:16]}-{processor_key()}.json"


def _recall(note: Path) -> Trial | None:
    try:
        fields = json.loads(note.read_text(encoding="utf-8"))
        beside = str(fields.get("beside", "f32"))
        return Trial(faster=float(fields["faster"]), agreeing=float(fields["agreeing"]), beside=beside)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _tried(directory: Path, memory: Path, progress: Progress) -> Trial:
    """Try both in a process of its own, so that OpenVINO's memory does not stay with a page; keep what came out."""
    command = [sys.executable, "-m", "core.encoders.trial", str(directory), str(memory)]
    root = Path(__file__).resolve().parents[2]
    try:
        lines = _lines(command, root, progress)
        if lines is None:  # Somebody else killed it, which says nothing of the form: the next process tries it again.
            _in_vain.add(_note(directory, memory))
            return FAILED
        *_, last = lines
        found = Trial(**json.loads(last))
    except (OSError, subprocess.SubprocessError, ValueError, TypeError):
        found = FAILED  # The model itself does for whatever is wrong with it.
    try:
        keep(found, directory, memory)
    except OSError:  # What cannot be kept might be found otherwise next time.
        _in_vain.add(_note(directory, memory))
        return FAILED
    return found


def _lines(command: Sequence[str], root: Path, progress: Progress) -> list[str] | None:
    """Return what a trial writes, and tell how far it is, which it writes as ``3 8``, a line a step.

    None = it was killed, not for taking too long.
    """
    lines = []
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        too_long = threading.Timer(LONGEST_SECONDS, running.kill)
        too_long.start()
        try:
            for line in running.stdout or ():
                lines.append(line)
                if step := _STEP.fullmatch(line.strip()):
                    progress(int(step[1]), int(step[2]))
            killed = running.wait() < 0 and not too_long.finished.is_set()
        finally:
            too_long.cancel()
            running.kill()  # Where somebody stopped it; else it has ended.
    return None if killed else lines


def try_beside(
    exact: Encoder,
    form: Encoder,
    patches: FloatArray,
    *,
    usual: Encoder | None = None,
    rounds: int = ROUNDS,
    progress: Progress = silent,
) -> Trial:
    """Return how the 8-bit form of a model does beside the model itself.

    Args:
        exact: the model in 32-bit numbers.
        form: its 8-bit form.
        patches: reflectance (N, H, W, bands of all), of more than ``NEIGHBOURS`` patches.
        usual: the model in the numbers that it would be used in without the form; None = in 32-bit ones.
        rounds: how often both are timed, in turns, at most.
        progress: told how many steps of all are done.
    """
    timed = [exact if usual is None else usual, form]
    steps = 1 + len(timed) * (rounds + 1)
    progress(0, steps)
    nearest = exact.encode(patches)
    ratios: list[float] = []
    began = time.monotonic()
    for turn in range(rounds + 1):
        seconds = []
        for place, encoder in enumerate(timed):
            progress(1 + turn * len(timed) + place, steps)
            start = time.perf_counter()
            found = encoder.encode(patches[:TIMED] if turn else patches)
            seconds.append(time.perf_counter() - start)
        if not turn:  # Both warm up, the form last.
            agreeing = neighbours_kept(nearest, found)
            continue
        ratios.append(seconds[0] / seconds[1])
        if time.monotonic() - began > LONGEST_ROUNDS and len(ratios) >= LEAST_ROUNDS:
            break
    return Trial(faster=float(np.median(ratios)), agreeing=agreeing, beside=timed[0].spec.precision)


def neighbours_kept(exact: FloatArray, other: FloatArray, k: int = NEIGHBOURS) -> float:
    """Return the share, 0 to 1, of each row's k nearest by cosine that other features (N, D) of it find too."""
    first, second = _nearest(exact, k), _nearest(other, k)
    return float(np.mean([len(set(one) & set(two)) / k for one, two in zip(first, second, strict=True)]))


def _nearest(features: FloatArray, k: int) -> NDArray[np.intp]:
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), np.float32(1e-12))
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -np.inf)
    return np.argsort(-cosine, axis=1, kind="stable")[:, :k]


def save_land(directory: Path, patches: FloatArray) -> None:
    """Keep patches to try a form on, reflectance (N, H, W, bands): small, and their roots in steps of 1/255."""
    small = np.clip(resized(patches[:MOST_LAND], LAND_SIDE), 0, 1)
    np.savez_compressed(directory / EIGHT_BITS_LAND, roots=np.rint(np.sqrt(small) * _CODES).astype(np.uint8))


def load_land(directory: Path, side: int) -> FloatArray:
    """Return what ``save_land`` kept, reflectance of shape (N, side, side, bands).

    Raises:
        OSError: when it cannot be read.
        KeyError: when there is none in it.
        ValueError: when the file is damaged.
    """
    with np.load(directory / EIGHT_BITS_LAND) as held:
        roots = held["roots"].astype(np.float32) / np.float32(_CODES)
    return resized(roots * roots, side)
