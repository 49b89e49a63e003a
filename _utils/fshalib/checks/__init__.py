"""The checklist: what is looked at, and what is made of it."""
