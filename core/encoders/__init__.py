"""Encoders: one file a kind; ``registry`` lists them without importing TensorFlow or OpenVINO."""

import logging

# Its warnings about retracing are of no use to people who train an encoder.
logging.getLogger("tensorflow").setLevel(logging.ERROR)
