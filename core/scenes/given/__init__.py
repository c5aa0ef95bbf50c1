"""Labels that people gave to patches: their file, its history, and what of it suits another cut or reading."""
