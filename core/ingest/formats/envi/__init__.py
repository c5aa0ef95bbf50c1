"""ENVI: headers beside rasters, and rasters in its own format."""
