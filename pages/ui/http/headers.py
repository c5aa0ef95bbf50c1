"""Headers of what our routes answer."""

from __future__ import annotations

SAME_ORIGIN = {"x-content-type-options": "nosniff", "cross-origin-resource-policy": "same-origin"}
FOR_EVER = {**SAME_ORIGIN, "cache-control": "public, max-age=31536000, immutable"}
"""Of what an address always shows alike, so that browsers keep it."""
