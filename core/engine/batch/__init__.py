"""Many scenes at once, from files to one collection of embeddings; resumed, repeated and shared without harm."""
