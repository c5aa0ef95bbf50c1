"""Scenes on disk: their pixels, patches, places, classes and records."""
