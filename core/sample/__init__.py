"""The sample scene: a real one that an installed package of data holds, and what is known of it."""
