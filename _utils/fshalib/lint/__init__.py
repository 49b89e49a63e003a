"""Will it fail over? Judged from the configuration alone."""
