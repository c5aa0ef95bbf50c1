"""Tests of pictures of sources that are not taken in yet."""
