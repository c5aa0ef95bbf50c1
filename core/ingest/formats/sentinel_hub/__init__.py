"""Requests to Sentinel Hub that lie beside its answers: what they state of bands, numbers, date, level and place."""
