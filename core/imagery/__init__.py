"""Pictures of scenes and patches."""
