"""Areas that somebody drew or gave: their shape, and those by which scenes are cut."""
