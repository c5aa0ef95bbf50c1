"""Hub modules and SavedModels as encoders."""
