"""What pages share: session, caches, plot, map, gallery."""
