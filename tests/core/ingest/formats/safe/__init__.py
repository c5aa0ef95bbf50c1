"""Tests of products as downloaded, made of a few pixels and of metadata that are short and real in structure."""
