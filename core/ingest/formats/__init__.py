"""Kinds of input, one module each, listed in ``registry``; and reading the formats of files they come in."""
