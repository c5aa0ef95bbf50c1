"""How much land each class covers and how right a map is, estimated from a sample that people judged."""
