"""Layouts of the plot."""
