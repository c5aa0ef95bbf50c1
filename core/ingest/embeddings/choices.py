"""What a person is asked about a file of vectors, as a sentence, and the answers that the sentence leaves."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.errors import VectorsError
from core.ingest.messages import clean_name

_SEVERAL = "it has several columns of vectors: "
_SWAPPED = "its longitudes and latitudes seem to be exchanged: "
_QUOTED = re.compile(r"“([^“”]{1,60})”")
_MOST_ASKED = 6


def several_columns(titles: Sequence[str], remedy: str) -> VectorsError:
    """Return the question which of several columns holds the vectors."""
    listed = " and ".join(f"“{clean_name(title, 60)}”" for title in titles[:_MOST_ASKED])
    return VectorsError(found=f"{_SEVERAL}{listed}", remedy=remedy)


def seems_swapped(why: str) -> VectorsError:
    """Return the question whether latitude comes before longitude."""
    remedy = "mend the file, or say that latitude comes first: --lat-first"
    return VectorsError(found=f"{_SWAPPED}{why}", remedy=remedy)


def columns_asked(message: str) -> tuple[str, ...]:
    """Return the columns among which a sentence asks to choose; none for others."""
    found = message.partition(_SEVERAL)[2].partition(";")[0]
    return tuple(dict.fromkeys(_QUOTED.findall(found)))


def order_asked(message: str) -> bool:
    """Tell whether a sentence asks if latitude comes first."""
    return _SWAPPED in message
