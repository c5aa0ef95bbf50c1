"""A small picture of a source that is not taken in yet, on which a part of it is chosen."""
