"""Pacemaker's own tools: what is asked of them and what they answer."""
