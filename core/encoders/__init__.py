"""Encoders: one file a kind; ``registry`` lists them without importing TensorFlow or OpenVINO."""
