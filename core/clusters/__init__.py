"""What clusters of alike patches are called, renamed and merged to, and which of their patches are typical or odd."""
