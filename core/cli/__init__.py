"""The command line, one file a group of commands; ``core.__main__`` puts them together."""
