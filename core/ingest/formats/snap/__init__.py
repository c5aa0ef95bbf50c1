"""What SNAP writes: its own products, and its tag in GeoTIFFs."""
