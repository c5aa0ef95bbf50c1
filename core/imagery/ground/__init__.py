"""The ground that scenes lie on: land, sea, borders and place names of the whole world, without a network."""
