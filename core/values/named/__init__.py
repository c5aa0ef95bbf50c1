"""Classes that a classifier or a map gives patches, how sure that is, and why a class does not count."""
