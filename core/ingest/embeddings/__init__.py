"""From a Parquet file of vectors that somebody else computed to a scene without pixels; only in the sandbox."""
