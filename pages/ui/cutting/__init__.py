"""The form that says how a scene is cut into patches."""
