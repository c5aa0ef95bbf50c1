"""Where Landlike keeps things and what its operator configured; the only reader of the environment."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

from core.errors import SettingsError

LAST_PORT = 65535
BASE_PATH = re.compile(r"/?(?:[\w.~-]+(?:/[\w.~-]+)*/?)?", re.ASCII)
"""The form of the path that a part of a site begins with."""
NO_PREFIX = re.compile(r"[%\\\x00-\x1f\x7f]|(?:^|/)\.\.?(?:/|$)")
"""What no prefix in a bucket may hold: libraries do not agree on what it means there."""
FIRST_SCENES = ("sample", "synthetic")
"""What a data folder without scenes may open first: a real scene, or a made-up landscape whose classes are known."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the operator decides.

    Attributes:
        root: directory of scenes, features, jobs and projections (``LANDLIKE_DATA``); of a bucket its working copy.
        model_cache: directory of downloaded hub modules (``TFHUB_CACHE_DIR``; else inside ``root``).
        models: further encoders on offer: paths or handles, separated by ``;`` in ``LANDLIKE_MODELS``.
        port: where the app listens (``LANDLIKE_PORT``).
        base_path: what the path of every address begins with, such as ``/land``, where a proxy gives Landlike a part
            of a site (``LANDLIKE_BASE_PATH``); empty = a site of its own.
        first_scene: what opens where there is no scene yet, one of ``FIRST_SCENES`` (``LANDLIKE_FIRST_SCENE``).
        scheduler: address of the scheduler of a Dask cluster that does all work (``LANDLIKE_SCHEDULER``; else what
            Dask's own configuration says); empty = this computer does it.
        bucket: address of the bucket that all of it lies in, when ``LANDLIKE_DATA`` is one such as
            ``s3://bucket/prefix``; empty = ``root`` is no working copy.
    """

    root: Path
    model_cache: Path
    models: tuple[str, ...] = ()
    port: int = 8501
    base_path: str = ""
    first_scene: str = FIRST_SCENES[0]
    scheduler: str = ""
    bucket: str = ""

    @property
    def trained(self) -> Path:
        """The folder of the models trained on this computer."""
        return self.root / "trained"


def hush() -> None:
    """Keep TensorFlow from telling of graphics cards that are not there, here and in processes started from here."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def settings(environment: Mapping[str, str] | None = None) -> Config:
    """Return the configuration of this process, from its environment unless another is given.

    Raises:
        SettingsError: when the port, the base path or the address of the data or of the scheduler is none, or the first
            scene unknown.
    """
    env = os.environ if environment is None else environment
    scheduler, bucket = _scheduler(env), _bucket(env.get("LANDLIKE_DATA", ""))
    root = Path(env["LANDLIKE_DATA"]) if env.get("LANDLIKE_DATA") else user_data_path("landlike")
    root = working_copy(bucket, env) if bucket else root
    root = root.absolute() if scheduler else root  # Workers are started elsewhere.
    cache = Path(env["TFHUB_CACHE_DIR"]) if env.get("TFHUB_CACHE_DIR") else root / "models"
    models = tuple(part for part in env.get("LANDLIKE_MODELS", "").split(";") if part)
    return Config(
        root=root,
        model_cache=cache,
        models=models,
        port=_port(env.get("LANDLIKE_PORT") or "8501"),
        base_path=_base_path(env.get("LANDLIKE_BASE_PATH") or ""),
        first_scene=_first_scene(env.get("LANDLIKE_FIRST_SCENE") or FIRST_SCENES[0]),
        scheduler=scheduler,
        bucket=bucket,
    )


def working_copy(bucket: str, environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder of this computer that a bucket's working copy lies in, by the bucket's address.

    It lies below ``LANDLIKE_CACHE``; else below the user's folder of what can be made again.
    """
    env = os.environ if environment is None else environment
    above = Path(env["LANDLIKE_CACHE"]) if env.get("LANDLIKE_CACHE") else user_cache_path("landlike")
    return above.absolute() / f"bucket-{hashlib.sha256(bucket.encode()).hexdigest()[:16]}"


def _bucket(text: str) -> str:
    """Return the address of a bucket; empty for a folder. What is refused is not shown, for it may hold a secret."""
    if "://" not in text:
        return ""
    if not re.fullmatch(r"(s3|az|gs)://[^/@?#\s]+(/[^@?#]*)?", text):
        found = "LANDLIKE_DATA is an address, and not of a bucket with a prefix alone"
        remedy = "give s3://bucket/prefix, az://container/prefix or gs://bucket/prefix, or a folder"
        raise SettingsError("Reading the settings", found, remedy)
    scheme, _, rest = text.partition("://")
    if NO_PREFIX.search(rest):
        found = "the prefix of LANDLIKE_DATA has a %, a \\, a control character, or a part that is . or .."
        raise SettingsError(
            "Reading the settings", found, "give another prefix; spaces and letters of any script may be"
        )
    return f"{scheme}://{'/'.join(part for part in rest.split('/') if part)}"


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= LAST_PORT:
        found = f"LANDLIKE_PORT is “{text}”, which is no port"
        raise SettingsError("Reading the settings", found, f"give a whole number from 0 to {LAST_PORT}, or none")
    return port


def _base_path(text: str) -> str:
    if not BASE_PATH.fullmatch(text):
        found = f"LANDLIKE_BASE_PATH is “{text}”, which no address begins with"
        raise SettingsError("Reading the settings", found, "give a path such as /land, or none")
    return f"/{text.strip('/')}" if text.strip("/") else ""


def _first_scene(text: str) -> str:
    if text not in FIRST_SCENES:
        found = f"LANDLIKE_FIRST_SCENE is “{text}”, which is no scene to begin with"
        raise SettingsError("Reading the settings", found, f"give {' or '.join(FIRST_SCENES)}, or none")
    return text


def _scheduler(env: Mapping[str, str]) -> str:
    """Return the address of the scheduler; empty for none, and where ``LANDLIKE_SCHEDULER`` is ``local``."""
    text = env.get("LANDLIKE_SCHEDULER") or env.get("DASK_SCHEDULER_ADDRESS") or next(_dask_configured(env), "")
    return "" if text in {"", "local"} else scheduler_address(text)


def scheduler_address(text: str) -> str:
    """Return the address of a scheduler as it was given, checked.

    Raises:
        SettingsError: when it has another form.
    """
    if not re.fullmatch(r"[a-z]+://([^\s/:\[\]]+|\[[0-9a-f:.]+\]):\d{1,5}/?", text):
        found = f"the address of the Dask scheduler is “{text}”"
        remedy = "give it in the form tcp://host:8786, or LANDLIKE_SCHEDULER=local for no cluster"
        raise SettingsError("Reading the settings", found, remedy)
    return text.rstrip("/")


def _dask_configured(env: Mapping[str, str]) -> Iterator[str]:
    """Give what Dask's own files say; read without Dask, which takes longer to import than a page to come."""
    places = [env.get("DASK_CONFIG"), f"{env['HOME']}/.config/dask" if env.get("HOME") else None, "/etc/dask"]
    for place in (Path(one) for one in places if one):
        for path in sorted(place.glob("*.y*ml")) if place.is_dir() else [place] * place.is_file():
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, ValueError):
                continue
            yield from re.findall(r"^scheduler-address:[ \t]*[\"']?([^\s\"'#]+)", text, re.MULTILINE)
