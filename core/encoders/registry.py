"""The encoders on offer, by name; what each one is can be asked without loading any of them.

A name is one of the entries below, the short name or full reference of a model that the operator configured, or, from
the command line, the path of a model directory or .tar.gz, or a handle (a URL). Pages must offer only names of
``list_encoders``: models are programs, and visitors bring none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, cast

from core.config import Config, settings
from core.encoders.base import Encoder, EncoderSpec
from core.encoders.cache import is_handle
from core.encoders.files import stated_title
from core.errors import EncoderError, EncoderUnavailableError
from core.progress import Progress, silent


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of the registry.

    Attributes:
        title: what pages show.
        reference: handle or path of the model; empty for encoders without files.
        home: dotted path of the module with its ``Home`` functions.
    """

    title: str
    reference: str
    home: str


@dataclass(frozen=True, kw_only=True)
class EncoderListing:
    """What the list of encoders shows of one.

    Attributes:
        name: what ``load_encoder`` takes.
        title: what pages show.
        available: True = its files are at hand and fit.
        spec: what it is, when available.
        why_not: one sentence, when not.
        fetchable: True = its files are not at hand, and ``fetch`` can try to get them.
        unfit: True = its files are at hand, and damaged or of no use here.
        reference: as of ``Entry``.
    """

    name: str
    title: str
    available: bool
    spec: EncoderSpec | None
    why_not: str | None
    fetchable: bool = False
    unfit: bool = False
    reference: str = ""


class Home(Protocol):
    """What the module named by ``Entry.home`` offers; ``BACKENDS`` are the ways to run its encoders."""

    BACKENDS: tuple[str, ...]

    def describe(self, name: str, entry: Entry, backend: str | None, config: Config) -> EncoderSpec:
        """The specification, without importing TensorFlow."""

    def load(self, name: str, entry: Entry, backend: str | None, config: Config) -> Encoder:
        """The encoder, ready."""

    def fetch(self, name: str, entry: Entry, config: Config, progress: Progress) -> None:
        """Get its files."""

    def companion(self, entry: Entry, config: Config, file: str) -> Path | None:
        """A file beside the model; None when there is none."""


HUB, SPECTRAL = "core.encoders.saved_model.encoder", "core.encoders.spectral"
EUROSAT_HANDLE = "https://tfhub.dev/google/remote_sensing/eurosat-ms-resnet50/1"
SHIPPED = "landlike-1"
"""The encoder that comes with Landlike; its folder below ``models`` here."""

ENTRIES: Mapping[str, Entry] = MappingProxyType(
    {
        SHIPPED: Entry(title="Landlike 1", reference=str(Path(__file__).with_name("models") / SHIPPED), home=HUB),
        "eurosat-ms-resnet50": Entry(title="EuroSAT ResNet-50, 13 bands", reference=EUROSAT_HANDLE, home=HUB),
        "spectral": Entry(title="Spectral statistics", reference="", home=SPECTRAL),
    }
)


def default_encoder() -> str:
    """The name of the encoder used when none is asked for; it needs no download."""
    return SHIPPED if Path(ENTRIES[SHIPPED].reference).is_dir() else "spectral"


def encoder_names(config: Config | None = None) -> list[str]:
    """Names on offer: ours, the EuroSAT module, models trained here, configured ones, spectral statistics last."""
    return list(_entries(config or settings()))


def list_encoders(config: Config | None = None) -> list[EncoderListing]:
    """All encoders on offer with what they are or why they cannot be used."""
    config = config or settings()
    return [_listing(name, entry, config) for name, entry in _entries(config).items()]


def describe(name_or_path: str, backend: str | None = None, config: Config | None = None) -> EncoderSpec:
    """What an encoder is.

    Args:
        name_or_path: a name on offer, or the path of a model directory or .tar.gz, or a handle.
        backend: ``tensorflow``, ``openvino``, ``openvino-f32``; None = the fastest there is.
        config: None = the operator's.

    Raises:
        EncoderError: for an unknown name, an unknown backend, or a model that does not fit.
        EncoderUnavailableError: when its files are not at hand; the sentence says how to get them.
    """
    name, entry, config = _resolve(name_or_path, config)
    return _home(entry).describe(name, entry, backend, config)


def load_encoder(name_or_path: str, backend: str | None = None, config: Config | None = None) -> Encoder:
    """An encoder ready to use; arguments and errors as of ``describe``. Every file of a model is read and checked."""
    name, entry, config = _resolve(name_or_path, config)
    return _home(entry).load(name, entry, backend, config)


def matching_backend(name: str, fingerprint: str, config: Config | None = None) -> str | None:
    """The way to run an encoder that gives features of a fingerprint; None when none does.

    Args:
        name: as of ``describe``.
        fingerprint: of the features.
        config: None = the operator's.

    Raises:
        EncoderError: as of ``describe``.
    """
    resolved, entry, config = _resolve(name, config)
    for backend in _home(entry).BACKENDS:
        if _home(entry).describe(resolved, entry, backend, config).fingerprint == fingerprint:
            return backend
    return None


@lru_cache(maxsize=1)
def matching_encoder(name: str, fingerprint: str, config: Config) -> Encoder:
    """The encoder of a name whose backend gives a fingerprint; the last one stays loaded.

    Raises:
        EncoderError: when none does, because the model's files have changed, or as of ``describe``.
    """
    backend = matching_backend(name, fingerprint, config)
    if backend is not None:
        return load_encoder(name, backend, config)
    found = "the files of the encoder have changed since it was chosen"
    raise EncoderError(f"Loading the encoder {name}", found, "choose it again")


def fetch(name: str, progress: Progress = silent, config: Config | None = None) -> None:
    """Download a model into the cache; does nothing when it is there.

    Args:
        name: as of ``describe``.
        progress: called with bytes done and bytes in all (0 when the server does not say).
        config: None = the operator's.

    Raises:
        EncoderUnavailableError: when it cannot be downloaded; the sentence says how else to get it.
        EncoderError: when what came is no usable model.
    """
    name, entry, config = _resolve(name, config)
    _home(entry).fetch(name, entry, config, progress)


def companion(name_or_path: str, file: str, config: Config | None = None) -> Path | None:
    """A file that lies beside a model, such as its card; None when there is none.

    Args:
        name_or_path: as of ``describe``.
        file: its name, one that ``core.encoders.files`` defines.
        config: None = the operator's.

    Raises:
        EncoderError: for an unknown name.
    """
    _, entry, config = _resolve(name_or_path, config)
    return _home(entry).companion(entry, config, file)


def short_name(reference: str) -> str:
    """A name people can type for a path or handle: ``…/eurosat-ms-resnet50/1`` gives ``eurosat-ms-resnet50``."""
    address = reference.partition("?")[0].replace("\\", "/")
    parts = [part for part in address.split("/") if part not in ("", ".", "..")]
    if len(parts) > 1 and parts[-1].isdigit():
        parts.pop()
    last = parts[-1] if parts else "model"
    for suffix in (".tar.gz", ".tgz"):
        last = last.removesuffix(suffix)
    return last or "model"


def _entries(config: Config) -> dict[str, Entry]:
    """The registry with the other models before its last entry; a taken short name gives way to the reference."""
    entries = {name: entry for name, entry in ENTRIES.items() if name != "spectral"}
    for reference in (*map(str, _trained_models(config)), *config.models):
        name = short_name(reference)
        name = reference if name in ENTRIES or name in entries else name
        entries[name] = Entry(title=name, reference=reference, home=HUB)
    entries["spectral"] = ENTRIES["spectral"]
    return entries


def _trained_models(config: Config) -> list[Path]:
    """Directories of the models trained here, by name; half-written ones are not among them."""
    return sorted(path.parent for path in config.trained.glob("[!.]*/saved_model.pb"))


def _resolve(asked: str, config: Config | None) -> tuple[str, Entry, Config]:
    config = config or settings()
    entries = _entries(config)
    if asked in entries:
        return asked, entries[asked], config
    for name, entry in entries.items():
        if asked and entry.reference == asked:
            return name, entry, config
    if is_handle(asked) or (asked and Path(asked).exists()):
        name = short_name(asked)
        return name, Entry(title=name, reference=asked, home=HUB), config
    remedy = f"choose one of {', '.join(entries)}, or give the path of a model directory or .tar.gz"
    raise EncoderError(f"Looking for the encoder “{asked}”", "there is none of that name and no such file", remedy)


def _home(entry: Entry) -> Home:
    return cast("Home", import_module(entry.home))


def _listing(name: str, entry: Entry, config: Config) -> EncoderListing:
    try:
        spec = _home(entry).describe(name, entry, None, config)
    except EncoderError as error:
        unfit = not isinstance(error, EncoderUnavailableError)
        title = (stated_title(Path(entry.reference)) if unfit else None) or entry.title
        if Path(entry.reference).parent == config.trained:
            error = EncoderError(f"Opening the model “{title}”", error.found, "delete it and train it again")
        return EncoderListing(
            name=name,
            title=title,
            available=False,
            spec=None,
            why_not=str(error),
            fetchable=is_handle(entry.reference) and not unfit,
            unfit=unfit,
            reference=entry.reference,
        )
    return EncoderListing(
        name=name, title=spec.title, available=True, spec=spec, why_not=None, reference=entry.reference
    )
