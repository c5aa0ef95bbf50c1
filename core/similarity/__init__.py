"""What is like what: neighbours, groups, and why."""
