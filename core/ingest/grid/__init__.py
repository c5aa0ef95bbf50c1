"""Where pixels lie, and reading those of one grid on another."""
