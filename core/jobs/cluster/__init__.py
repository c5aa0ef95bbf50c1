"""A Dask cluster as the place where jobs are done; imported only where one is named in the settings."""
