"""From a map of classes that a person gives to the truth of a scene."""
