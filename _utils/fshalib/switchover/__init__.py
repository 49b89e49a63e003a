"""A switchover, from the order to the verification."""
