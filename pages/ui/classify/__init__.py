"""What the Classify page draws: a patch to label, how well its classes are told apart, areas, files."""
