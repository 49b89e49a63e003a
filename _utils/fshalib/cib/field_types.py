"""Types of values that the CIB has: ids, names of nodes, agents, rules."""

import re

from fshalib.cib import rule
from fshalib.schema.report import Location, nearest, printable, quoted
from fshalib.schema.types import INVALID, Plain, Text

# RFC 1123 labels, and the underscore, which Linux and every tool of the cluster take as well. A
# node's name is at most HOST_NAME_MAX, which is 64 on Linux.
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
HOST_PATTERN = rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*"
_NODE = rf"(?=.{{1,64}}$){_LABEL}(?:\.{_LABEL})*"
# An XML NCName, ASCII only: what every tool of the cluster can take as an argument.
_ID = r"[A-Za-z_][A-Za-z0-9._-]{0,199}"

_REASON = 200

AGENT_CLASSES = ("ocf", "lsb", "systemd", "service", "stonith")
# What clusters of Pacemaker 2 may still have; not in a suggestion.
OLD_CLASSES = ("heartbeat", "upstart", "nagios")
PROVIDER_CLASSES = frozenset({"ocf"})
PLAIN_CLASSES = frozenset({"lsb", "systemd", "service"})
"""Classes whose agents take no parameters."""


ID = Text("an id (letters, digits, dots, - and _, with a letter or _ first)", _ID)
HOST = Text("a host name", HOST_PATTERN)
NODE_NAME = Text('a host name as "uname -n" prints it', _NODE)
PARAMETER = Text("a parameter's name", r"[A-Za-z0-9_#][A-Za-z0-9_.:#/@+-]*")
PARAMETER_VALUE = Plain(lines=True)


class AgentName:
    """A resource agent: ``ocf:PROVIDER:TYPE``, ``lsb:TYPE``, ``systemd:UNIT`` and so on."""

    expected = "a resource agent (ocf:heartbeat:IPaddr2, lsb:FSSofia, systemd:freeswitch)"
    _part = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_.@/+\\-]*", re.ASCII)

    def check(self, value: object, at: Location) -> object:
        """Return the name unchanged."""
        text = Text(self.expected).check(value, at)
        if not isinstance(text, str):
            return INVALID
        standard, _, rest = text.partition(":")
        if standard not in (*AGENT_CLASSES, *OLD_CLASSES):
            return self._unknown_class(text, standard, at)
        provider, colon, kind = rest.partition(":")
        parts = [provider, kind] if standard in PROVIDER_CLASSES else [rest]
        if standard in PROVIDER_CLASSES and not colon:
            at.error(f'ocf:PROVIDER:TYPE is expected, not "{text}"; '
                     f'did you mean "ocf:heartbeat:{rest}"?')  # fmt: skip
            return INVALID
        if not all(self._part.fullmatch(part) for part in parts):
            at.error(f'{self.expected} is expected, not "{text}".')
            return INVALID
        return text

    def _unknown_class(self, text: str, standard: str, at: Location) -> object:
        near = nearest(standard, AGENT_CLASSES)
        hint = f'; did you mean "{near}"?' if near else f"; known: {', '.join(AGENT_CLASSES)}."
        at.error(f"an agent of a known class is expected, not {quoted(text)}{hint}")
        return INVALID


class RuleText:
    """The text of a rule, as ``fshalib.cib.rule`` reads it."""

    expected = 'a rule expression ("#uname eq fs1", "pingd lt 1 or not_defined pingd")'

    def check(self, value: object, at: Location) -> object:
        """Return the text unchanged."""
        text = Text(self.expected).check(value, at)
        if not isinstance(text, str):
            return INVALID
        try:
            rule.parse(text)
        except rule.RuleError as wrong:
            reason = str(wrong)
            if len(reason) > _REASON:
                # The sentence is cut at its end, where the expected value would be.
                reason = f"{self.expected} is expected, not {quoted(text)}"
            at.error(f"{printable(reason, _REASON)}.")
            return INVALID
        return text
