"""The CIB: its objects, how they are written, compared and merged."""
