"""Points and polygons with a class each, from files of vectors."""
