"""What people bring and Landlike does not read: told, so that it is refused by its true name."""
