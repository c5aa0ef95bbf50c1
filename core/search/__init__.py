"""Searching: by good and bad examples, by words, by thresholds and filters, over all patches at once."""
