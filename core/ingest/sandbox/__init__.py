"""The locked-down process that alone opens files from outside."""
