"""Report cards: measured, worded, kept."""
