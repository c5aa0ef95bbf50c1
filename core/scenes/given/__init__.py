"""Labels that people gave to patches of a scene: their file, its history, and what of it suits another cut or reading."""
