"""Features of patches: made, kept, read."""
