"""Archives as containers of a source: checked as a whole, unpacked file by file; no name in them becomes a path."""
