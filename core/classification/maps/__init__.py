"""Maps of classes: how a person wants the one of a scene, the classes of its patches, finer cells, and its files."""
