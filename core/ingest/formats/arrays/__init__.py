"""Arrays of NumPy as a source: ``.npy`` and ``.npz``, what their keys name, and what lies beside them."""
