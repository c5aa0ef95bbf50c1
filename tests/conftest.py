"""What all tests share: models built once for the whole session, and no way beyond this computer."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import modules

OFFLINE = {
    # Read by Python processes that tests start, see the module there.
    "PYTHONPATH": os.pathsep.join(
        [str(Path(__file__).parent / "offline"), *filter(None, [os.environ.get("PYTHONPATH")])]
    ),
    # Read by libcurl, and by Python's own clients: nobody listens there.
    **dict.fromkeys(("http_proxy", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:9"),
    "no_proxy": "127.0.0.1,localhost,::1",
}
os.environ.update(OFFLINE)


@pytest.fixture(scope="session")
def models_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "models"


@pytest.fixture(scope="session")
def model(models_root: Path) -> Callable[[str], Path]:
    """``model("tiny")``: a directory not to be changed."""
    return lambda kind: modules.build(kind, models_root)
