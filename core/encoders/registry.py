"""The encoders on offer, by name; what each one is can be asked without loading any of them.

A name is one of the entries below, the short name or full reference of a model that the operator configured, or, from
the command line, the path of a model directory or .tar.gz, or a handle (a URL). Pages must offer only names of
``list_encoders``: models are programs, and visitors bring none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from core.config import Config
from core.encoders import eight_bits, openvino
from core.encoders.base import Encoder, EncoderKind, EncoderSpec, LocalModel
from core.encoders.cache import is_handle, locate, share_module
from core.encoders.download import download
from core.encoders.eight_bits import Trial, remembered
from core.encoders.files import EIGHT_BITS, MODEL_FILES, no_model, stated_title
from core.encoders.onnx import OnnxKind
from core.encoders.saved_model.encoder import SavedModelKind
from core.encoders.spectral import SPECTRAL, TABLE_PATH, SpectralKind
from core.errors import EncoderError, EncoderUnavailableError
from core.progress import Progress, silent

KINDS: tuple[EncoderKind, ...] = (SavedModelKind(), OnnxKind(), SpectralKind())
"""Every kind of encoder there is; the first that recognises a directory has it."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of the registry.

    Attributes:
        title: what pages show.
        reference: handle or path of the model.
    """

    title: str
    reference: str


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


EUROSAT_HANDLE = "https://tfhub.dev/google/remote_sensing/eurosat-ms-resnet50/1"
SHIPPED = "landlike-2"
"""The encoder that comes with Landlike; its folder below ``models`` here."""

FORMER = "landlike-1"
"""The one that came with the version before; features stored with it stay valid."""

ENTRIES: Mapping[str, Entry] = MappingProxyType(
    {
        SHIPPED: Entry(title="Landlike 2", reference=str(Path(__file__).with_name("models") / SHIPPED)),
        FORMER: Entry(title="Landlike 1", reference=str(Path(__file__).with_name("models") / FORMER)),
        "eurosat-ms-resnet50": Entry(title="EuroSAT ResNet-50, 13 bands", reference=EUROSAT_HANDLE),
        SPECTRAL: Entry(title="Spectral statistics", reference=str(TABLE_PATH.parent)),
    }
)


def default_encoder() -> str:
    """Return the name of the encoder used when none is asked for; it needs no download."""
    return SHIPPED if Path(ENTRIES[SHIPPED].reference).is_dir() else SPECTRAL


def encoder_names(config: Config) -> list[str]:
    """Return names on offer: ours, the EuroSAT module, models trained here, configured ones, spectral ones last."""
    return list(_entries(config))


def list_encoders(config: Config) -> list[EncoderListing]:
    """Return all encoders on offer with what they are or why they cannot be used."""
    return [_listing(name, entry, config) for name, entry in _entries(config).items()]


def describe(name_or_path: str, config: Config, backend: str | None = None) -> EncoderSpec:
    """Return what an encoder is.

    Args:
        name_or_path: a name on offer, or the path of a model directory or .tar.gz, or a handle.
        config: where models lie, and which are on offer.
        backend: ``tensorflow``, ``openvino``, ``openvino-f32``, ``openvino-bf16``, ``openvino-int8``;
            None = the fastest there is.

    Raises:
        EncoderError: for an unknown name, an unknown backend, or a model that does not fit.
        EncoderUnavailableError: when its files are not at hand; the sentence says how to get them.
    """
    kind, model = _found(*_resolve(name_or_path, config), config)
    return kind.describe(model, backend, config.model_cache)


def load_encoder(name_or_path: str, config: Config, backend: str | None = None) -> Encoder:
    """Return an encoder ready to use; arguments and errors as of ``describe``. Every file is read and checked."""
    kind, model = _found(*_resolve(name_or_path, config), config)
    return kind.load(model, backend, config.model_cache)


def is_untried(name_or_path: str, config: Config) -> bool:
    """Tell whether it is not known yet in which form an encoder is faster here; quick, and never an error."""
    try:
        _, model = _found(*_resolve(name_or_path, config), config)
        return _is_untried(model, config)
    except EncoderError:
        return False  # Who wants to use it is told.


def try_forms(name_or_path: str, config: Config, progress: Progress = silent) -> None:
    """Find out in which form an encoder is faster here, and remember it; takes some seconds the first time.

    Args:
        name_or_path: as of ``describe``.
        config: as of ``describe``.
        progress: told how many steps are done.

    Raises:
        EncoderError: as of ``describe``.
    """
    _, model = _found(*_resolve(name_or_path, config), config)
    if _is_untried(model, config):
        eight_bits.pays(model.directory, config.model_cache, progress)


def _is_untried(model: LocalModel, config: Config) -> bool:
    return (
        eight_bits.has_form(model.directory)
        and openvino.installed()
        and eight_bits.remembered(model.directory, config.model_cache) is None
    )


def matching_backend(name: str, fingerprint: str, config: Config) -> str | None:
    """Return the way to run an encoder that gives features of a fingerprint; None when none does.

    Args:
        name: as of ``describe``.
        fingerprint: of the features.
        config: as of ``describe``.

    Raises:
        EncoderError: as of ``describe``.
    """
    kind, model = _found(*_resolve(name, config), config)
    usable = [
        backend
        for backend in kind.backends(model, config.model_cache)
        if openvino.installed() or not backend.startswith("openvino")
    ]
    # Last what has to be tried first, where it was not yet: each number it may come to has a way of its own then.
    for backend in sorted(usable, key=lambda one: one == "openvino"):
        if kind.describe(model, backend, config.model_cache).fingerprint == fingerprint:
            return backend
    return None


@lru_cache(maxsize=1)
def matching_encoder(name: str, fingerprint: str, config: Config) -> Encoder:
    """Return the encoder of a name whose backend gives a fingerprint; the last one stays loaded.

    Raises:
        EncoderError: when none does, because the model's files have changed, or as of ``describe``.
    """
    backend = matching_backend(name, fingerprint, config)
    if backend is not None:
        return load_encoder(name, config, backend)
    found = "the files of the encoder have changed since it was chosen"
    raise EncoderError(f"Loading the encoder {name}", found, "choose it again")


def fetch(name: str, config: Config, progress: Progress = silent) -> None:
    """Download a model into the cache; does nothing when it is there.

    Args:
        name: as of ``describe``.
        config: says where the cache is.
        progress: called with bytes done and bytes in all (0 when the server does not say).

    Raises:
        EncoderUnavailableError: when it cannot be downloaded; the sentence says how else to get it.
        EncoderError: when what came is no usable model.
        StoreError: when it cannot be shared by the bucket of all data; it is in the cache then.
    """
    name, entry = _resolve(name, config)
    if is_handle(entry.reference):
        download(entry.reference, config, progress)
    kind, model = _found(name, entry, config)
    kind.describe(model, None, config.model_cache)
    if is_handle(entry.reference):
        share_module(entry.reference, config)


def share_downloaded(name: str, config: Config) -> None:
    """Have the computers that share a bucket share a model that was downloaded; of no effect for any other.

    Raises:
        EncoderError: for an unknown name.
        StoreError: when the bucket cannot be written.
    """
    _, entry = _resolve(name, config)
    if is_handle(entry.reference):
        share_module(entry.reference, config)


def companion(name_or_path: str, file: str, config: Config) -> Path | None:
    """Return a file that lies beside a model, such as its card; None when there is none, or no model yet.

    Args:
        name_or_path: as of ``describe``.
        file: its name, one that ``core.encoders.files`` defines.
        config: as of ``describe``.

    Raises:
        EncoderError: for an unknown name, or a damaged archive.
    """
    _, entry = _resolve(name_or_path, config)
    try:
        path = locate(entry.reference, config) / file
    except EncoderUnavailableError:
        return None
    return path if path.is_file() else None


def eight_bit_trial(name_or_path: str, config: Config) -> Trial | None:
    """Return how the 8-bit form of a model was found to do on this processor; None when it has none or was not tried.

    Arguments and errors as of ``companion``.
    """
    form = companion(name_or_path, EIGHT_BITS, config)
    return None if form is None else remembered(form.parent, config.model_cache)


def short_name(reference: str) -> str:
    """Return a name people can type for a path or handle: ``…/eurosat-ms-resnet50/1`` gives ``eurosat-ms-resnet50``."""
    address = reference.partition("?")[0].replace("\\", "/")
    parts = [part for part in address.split("/") if part not in ("", ".", "..")]
    if len(parts) > 1 and parts[-1].isdigit():
        parts.pop()
    last = parts[-1] if parts else "model"
    for suffix in (".tar.gz", ".tgz"):
        last = last.removesuffix(suffix)
    return last or "model"


def _entries(config: Config) -> dict[str, Entry]:
    """Return the registry, other models before its last entry; a taken short name gives way to the reference."""
    entries = {name: entry for name, entry in ENTRIES.items() if name != SPECTRAL}
    for reference in (*map(str, _trained_models(config)), *config.models):
        name = short_name(reference)
        name = reference if name in ENTRIES or name in entries else name
        entries[name] = Entry(title=name, reference=reference)
    entries[SPECTRAL] = ENTRIES[SPECTRAL]
    return entries


def _trained_models(config: Config) -> list[Path]:
    """Return directories of the models trained here, by name; half-written ones are not among them."""
    return sorted({path.parent for file in MODEL_FILES for path in config.trained.glob(f"[!.]*/{file}")})


def _resolve(asked: str, config: Config) -> tuple[str, Entry]:
    """Return the name and the entry of what people asked for."""
    entries = _entries(config)
    if asked in entries:
        return asked, entries[asked]
    for name, entry in entries.items():
        if asked and entry.reference == asked:
            return name, entry
    if is_handle(asked) or (asked and Path(asked).exists()):
        name = short_name(asked)
        return name, Entry(title=name, reference=asked)
    remedy = f"choose one of {', '.join(entries)}, or give the path of a model directory or .tar.gz"
    raise EncoderError(f"Looking for the encoder “{asked}”", "there is none of that name and no such file", remedy)


def _found(name: str, entry: Entry, config: Config) -> tuple[EncoderKind, LocalModel]:
    """Return the kind of a model, and its files, which have to be at hand."""
    directory = locate(entry.reference, config)
    kind = next((kind for kind in KINDS if kind.recognises(directory)), None)
    if kind is None:
        raise no_model(directory)
    origin = entry.reference if is_handle(entry.reference) else f"model file {Path(entry.reference).name}"
    return kind, LocalModel(name=name, title=entry.title, origin=origin, directory=directory)


def _listing(name: str, entry: Entry, config: Config) -> EncoderListing:
    try:
        kind, model = _found(name, entry, config)
        # A list is not kept waiting by a trial: until it is known, it says what does in any case.
        spec = kind.describe(model, "openvino-f32" if _is_untried(model, config) else None, config.model_cache)
    except EncoderError as error:
        return _unavailable(name, entry, config, error)
    return EncoderListing(
        name=name, title=spec.title, available=True, spec=spec, why_not=None, reference=entry.reference
    )


def _unavailable(name: str, entry: Entry, config: Config, error: EncoderError) -> EncoderListing:
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
