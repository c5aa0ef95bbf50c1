"""Networks and their training by Keras."""
