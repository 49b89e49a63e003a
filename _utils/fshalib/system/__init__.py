"""Programs, files, waiting: the only door to the host."""
