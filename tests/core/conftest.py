"""What tests of the core share: they ask what compiled code gives, not how fast it is."""

from __future__ import annotations

import os

# Read when umap-learn is first used; its functions compile for seconds in each process that does.
os.environ.setdefault("NUMBA_OPT", "1")
