"""The names of the resource agents that a voice pair is made of."""

VOICE_AGENTS = frozenset({"FSSofia", "freeswitch"})
VIP_AGENTS = frozenset({"IPaddr2", "IPaddr"})
