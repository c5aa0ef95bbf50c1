"""Ingest: what a person gives becomes a canonical scene; ``README.md`` shows the way and how to add a kind of input."""
