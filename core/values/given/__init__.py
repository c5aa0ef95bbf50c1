"""Values that come with a scene and are computed of nothing."""
