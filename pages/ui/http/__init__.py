"""Our own routes beside the pages."""
