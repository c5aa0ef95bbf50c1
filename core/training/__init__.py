"""Encoders trained on labelled patches."""
