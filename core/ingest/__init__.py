"""Sources: one file a kind of input; everything that turns what a person gives into a canonical scene."""
