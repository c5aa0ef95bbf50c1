"""What the image is built from, and the image itself where this computer has a container engine."""
