"""Data cubes: NetCDF, HDF5 and Zarr, which hold variables on named axes and say themselves what they mean."""
