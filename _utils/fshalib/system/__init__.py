"""Programs, files, clocks, waiting: all access to the host."""
