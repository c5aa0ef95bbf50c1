"""A number of each patch, such as a yield: read from files that people bring, learned, kept, and written to files."""
