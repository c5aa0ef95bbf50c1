"""The data folder as the working copy of a bucket that several computers share; see ``README.md``."""
