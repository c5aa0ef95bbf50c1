"""Which band is which, and what its numbers mean."""
