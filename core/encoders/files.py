"""The files of a model: whether they are whole, and the digest that names their content."""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from core.encoders.protobuf import fields
from core.encoders.saved_model.checkpoint import problem
from core.errors import EncoderError, EncoderUnavailableError
from core.files import replacing, write_atomically

MODEL_FILES = ("saved_model.pb", "model.onnx")
"""Files by which the directory of a model is known."""

CHECKSUMS = "SHA256SUMS"
SIDECAR = "landlike.json"
"""What a model is fed, and its title; ``core.encoders.preprocessing`` reads it."""

README = "README.md"
"""How a model that ``finetune`` wrote came to be, in words."""

CARD = "card.json"
"""The model card: what a model was trained on, how it was measured, and when."""

FAMILIAR = "familiar.npz"
"""Band statistics of land that a model knows, by which patches unlike it are told."""

LEARNED = "learned.npz"
"""The light of the patches that a model has learned from, by which they are known again."""

NETWORK = "network.json"
"""How the network of a model that ``finetune`` wrote is built, and where in its graph each weight lies."""

CLASSIFIER = "classifier.npy"
"""Class directions, float32 of shape (dimension, classes), of a model that ``finetune`` wrote; no part of features."""

CLASSES = "classes.npz"
"""A classifier on whole features that names the classes a model was taught (``core.evaluation.classifier``)."""

SHARES = "shares.npz"
"""How a model of ours brings its network's embedding to its part of the features, also in its graph."""

EIGHT_BITS, EIGHT_BITS_WEIGHTS, EIGHT_BITS_LAND = "int8.xml", "int8.bin", "int8.npz"
"""The model with its convolutions in 8-bit integers, and the land it is tried on (``core.encoders.eight_bits``)."""

NOT_WEIGHTS = frozenset(
    {
        *(SHARES, CHECKSUMS, SIDECAR, CARD, FAMILIAR, LEARNED, NETWORK, CLASSIFIER, CLASSES),
        *(EIGHT_BITS, EIGHT_BITS_WEIGHTS, EIGHT_BITS_LAND),
    }
)
"""Files that do not count for the digest; what the sidecar says counts by itself."""

MOST_FILES = 2_000
_ADVICE = "get the model again"


def holds(directory: Path, name: str) -> bool:
    """Tell whether a directory has a file, or had one by its ``SHA256SUMS``."""
    return (directory / name).is_file() or name in _listed(directory)


def shortage(directory: Path) -> str | None:
    """Return what a model's directory lacks, or what in it breaks off, as part of a sentence; None = nothing.

    Quick: sizes and outlines are looked at, and whether what the ``SHA256SUMS`` lists is there; no checksum is made.
    """
    gone = next((name for name in _listed(directory) if not (directory / name).is_file()), None)
    if gone is not None:
        return f"{gone} is missing"
    graphs = [directory / name for name in MODEL_FILES if (directory / name).is_file()]
    if not graphs:
        return f"it has no {' and no '.join(MODEL_FILES)}"
    cut = next((path.name for path in graphs if _breaks_off(path)), None)
    if cut is not None:
        return f"{cut} is cut short"
    variables = directory / "variables"
    if not variables.is_dir():
        return "the folder variables is missing" if (directory / "tfhub_module.pb").is_file() else None
    return problem(variables, sums=False)


def _breaks_off(path: Path) -> bool:
    """Tell whether a file of a protocol-buffer message is empty or ends before its outermost fields do."""
    if path.stat().st_size == 0:
        return True
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        view = memoryview(mapped)
        try:
            whole = all(number > 0 for number, _ in _released(view))
        except ValueError:
            whole = False
        view.release()
    return not whole


def _released(view: memoryview) -> Iterator[tuple[int, None]]:
    """Yield the numbers of fields, and let go of their bytes, so that the file can be closed."""
    for number, value in fields(view):
        if isinstance(value, memoryview):
            value.release()
        yield number, None


def digest(directory: Path, memory: Path | None = None) -> str:
    """Return the SHA-256 over names and contents of all files of a model, after checking that they are whole.

    A directory with a ``SHA256SUMS`` (the format of ``sha256sum``) is checked against it; in all, the variables are
    checked against the checksums of their own index.

    Args:
        directory: of the model.
        memory: a directory in which to remember results; files of unchanged name, size and time of change are then
            not read again. None = read everything.

    Raises:
        EncoderError: naming the file that is missing or damaged.
        EncoderUnavailableError: when the directory holds no model at all.
    """
    paths = _files(directory)
    note = None if memory is None else memory / f"checked-{_key(directory)}.json"
    state = json.dumps({name: [path.stat().st_size, path.stat().st_mtime_ns] for name, path in paths.items()})
    if note is not None and (known := _recall(note, state)):
        return known
    _check_structure(directory)
    sums = {name: _sha256(path, directory) for name, path in paths.items()}
    _check_list(directory, sums)
    wrong = problem(directory / "variables") if (directory / "variables").is_dir() else None
    if wrong:
        raise _damaged(directory, wrong)
    # Modules from elsewhere keep their fingerprint: of those a README counts, as it always did.
    apart = NOT_WEIGHTS | {README} if NETWORK in paths else NOT_WEIGHTS
    lines = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums) if name not in apart)
    result = hashlib.sha256(lines.encode()).hexdigest()
    if note is not None:
        _remember(note, state, result)
    return result


def write_checksums(directory: Path, *, whole: bool = False) -> None:
    """Write the ``SHA256SUMS`` that later damage is found by; one that came with the model is kept.

    With ``whole`` it is written anew and names every file, also those that do not count for the digest.
    """
    if (directory / CHECKSUMS).exists() and not whole:
        return
    lines = [
        f"{_sha256(path, directory)}  {name}\n"
        for name, path in sorted(_files(directory).items())
        if name != CHECKSUMS and (whole or name not in NOT_WEIGHTS)
    ]
    (directory / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def list_checksums(directory: Path, names: Iterable[str]) -> None:
    """Write the sums of some files into a model's ``SHA256SUMS`` anew; what else it lists stays as it is."""
    sums = _listed(directory) | {name: _sha256(directory / name, directory) for name in names}
    lines = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
    write_atomically(directory / CHECKSUMS, lines.encode(), private=False)


def stated_title(directory: Path) -> str | None:
    """Return what a model calls itself in its card, else in its sidecar; None when neither can be read."""
    for name in (CARD, SIDECAR):
        try:
            fields = json.loads((directory / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(fields, dict) and isinstance(fields.get("title"), str) and fields["title"].strip():
            return str(fields["title"])
    return None


def _files(directory: Path) -> dict[str, Path]:
    """Return files by their name relative to the directory, with ``/`` between folders."""
    found = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*") if path.is_file()}
    if CHECKSUMS not in found and not any(name in found for name in MODEL_FILES):
        raise no_model(directory)
    if len(found) > MOST_FILES:
        raise _damaged(directory, f"the directory holds more than {MOST_FILES} files")
    return found


def _check_structure(directory: Path) -> None:
    for name in (*MODEL_FILES, "tfhub_module.pb"):
        path = directory / name
        if path.exists() and path.stat().st_size == 0:
            raise _damaged(directory, f"{name} is empty")
    variables = directory / "variables"
    if not variables.is_dir() and (directory / "tfhub_module.pb").exists():
        raise _damaged(directory, "the folder variables is missing")


def _check_list(directory: Path, sums: dict[str, str]) -> None:
    for name, wanted in _listed(directory).items():
        if name not in sums:
            raise _damaged(directory, f"{name} is missing")
        if sums[name] != wanted:
            raise _damaged(directory, f"{name} is damaged (its checksum is not the one in {CHECKSUMS})")


def _listed(directory: Path) -> dict[str, str]:
    """Return SHA-256 in hex by the name of a file, of a directory's ``SHA256SUMS``; empty when there is none."""
    try:
        text = (directory / CHECKSUMS).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    halves = [line.partition(" ") for line in text.splitlines() if line.strip()]
    return {str(PurePosixPath(name.lstrip(" *"))): wanted.lower() for wanted, _, name in halves}


def _sha256(path: Path, directory: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _damaged(directory, f"{path.name} cannot be read") from error


def no_model(directory: Path) -> EncoderUnavailableError:
    """Return the error that says that a directory holds no model."""
    return EncoderUnavailableError(
        f"Opening the model “{directory.name}”",
        f"the directory has no {' and no '.join(MODEL_FILES)}",
        "give the directory of a TF-Hub module, a SavedModel or an ONNX model",
    )


def _damaged(directory: Path, found: str) -> EncoderError:
    return EncoderError(f"Opening the model “{directory.name}”", found, _ADVICE)


def _key(directory: Path) -> str:
    return hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:32]


def _recall(note: Path, state: str) -> str | None:
    try:
        fields = json.loads(note.read_text(encoding="utf-8"))
        return str(fields["digest"]) if fields["state"] == state else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(note: Path, state: str, result: str) -> None:
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        with replacing(note, durable=False) as part:
            part.write_text(json.dumps({"state": state, "digest": result}), encoding="utf-8")
    except OSError:
        return  # Remembering only saves time.
