"""Types of values, and how a mistake in them is reported."""
