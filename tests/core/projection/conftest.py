"""What umap-learn compiles anew for each layout by densMAP, compiled once for all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numba
import pytest


@pytest.fixture(scope="session", autouse=True)
def _compiled_for_all_layouts() -> Iterator[None]:
    """Give who asks numba for the same function in the same way what was made the first time, with what it compiled."""
    plain, made = numba.njit, dict[tuple[Any, ...], Any]()

    def njit(*functions: Callable[..., Any], **options: Any) -> Any:
        if not functions or getattr(functions[0], "__module__", "") != "umap.layouts":
            return plain(*functions, **options)
        key = (*functions, *sorted(options.items()))
        if key not in made:
            made[key] = plain(*functions, **options)
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba, "njit", njit)
        yield
