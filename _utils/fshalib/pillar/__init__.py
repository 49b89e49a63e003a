"""The pillar: its schema, its checks, and the way back from a cluster to a pillar."""
