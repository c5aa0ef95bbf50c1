"""Landlike's engine: from a Sentinel-2 scene to neighbours and a projection, without any user interface."""
