"""The made-up landscape."""
