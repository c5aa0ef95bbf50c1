"""Pixels of a canonical scene on disk: the writer of its file, and its overviews."""
