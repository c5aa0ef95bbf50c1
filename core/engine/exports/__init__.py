"""What can be taken away of a view: patches, maps, plots, reports and bundles, made in the page or in a worker."""
