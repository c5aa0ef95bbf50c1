"""Values of patches, one entry a value, read by plot, legend, map, filter, export and routes. No pages in here."""
