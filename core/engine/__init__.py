"""What pages and command line both use."""
