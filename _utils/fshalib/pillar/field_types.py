"""Types of the pillar's values: addresses, keys, paths, names."""

import ipaddress
import zlib
from itertools import pairwise

from fshalib.cib.field_types import HOST_PATTERN
from fshalib.corosync import authkey
from fshalib.schema.report import Location, show, what
from fshalib.schema.types import (
    INVALID,
    Flag,
    Text,
    Whole,
)

_PATH = r"/[A-Za-z0-9._+@/-]{0,254}"
_PROFILE = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}"


# Random bytes have more different steps from one byte to the next.
_STEPS = 32


def is_patterned(key: bytes) -> bool:
    """Tell whether bytes follow a pattern: a repeated block, or a counter."""
    steps = bytes((b - a) % 256 for a, b in pairwise(key))
    return len(set(steps)) < _STEPS or len(zlib.compress(key, 9)) < len(key) // 2


# --- types of fsha's own ---------------------------------------------------------------------


class SecretKey:
    """The authkey: Base64 of random bytes. Never shown."""

    expected = f"Base64 of {authkey.MIN_BYTES} to {authkey.MAX_BYTES} random bytes"

    def check(self, value: object, at: Location) -> object:
        """Return the key's bytes."""
        if not isinstance(value, str) or not value.isascii():
            at.error(f"{self.expected} is expected, not {what(value)}; see corosync-keygen(8).")
            return INVALID
        try:
            key = authkey.decode(value)
        except authkey.AuthkeyError as wrong:
            at.error(str(wrong))
            return INVALID
        if is_patterned(key):
            at.error("the authkey is not random; corosync-keygen makes a good one.")
            return INVALID
        return key


class Address:
    """An IPv4 or IPv6 address, with its prefix length (``prefix=True``) or without."""

    def __init__(self, prefix: bool, example: str, multicast: bool = False) -> None:
        self._prefix = prefix
        self._multicast = multicast
        kind = "a multicast address" if multicast else "an address"
        self.expected = f"{kind}{' with its prefix length' if prefix else ''} ({example})"

    def check(self, value: object, at: Location) -> object:
        """Return the text in its canonical spelling."""
        text = Text(self.expected, pattern=r"[0-9A-Fa-f.:/]{2,50}").check(value, at)
        if not isinstance(text, str):
            return INVALID
        if ("/" in text) != self._prefix:
            at.error(f'{self.expected} is expected, not "{text}".')
            return INVALID
        try:
            address = ipaddress.ip_interface(text)
        except ValueError:
            at.error(f'{self.expected} is expected, not "{text}".')
            return INVALID
        reason = self._unusable(address)
        if reason:
            at.error(f'{self.expected} is expected, but "{text}" is {reason}.')
            return INVALID
        return str(address) if self._prefix else str(address.ip)

    def _unusable(self, address: ipaddress.IPv4Interface | ipaddress.IPv6Interface) -> str:
        if self._multicast:
            return "" if address.ip.is_multicast else "none"
        for wrong, reason in (
            (address.ip.is_multicast, "a multicast address"),
            (address.ip.is_unspecified, "the unspecified address"),
            (address.ip.is_loopback, "a loopback address, which no other node can reach"),
            (self._prefix and is_network_end(address.ip, address.network),
             "no host's address but the first or last of its network"),
        ):  # fmt: skip
            if wrong:
                return reason
        return ""


def is_network_end(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> bool:
    """Tell whether an address is its network's own or its broadcast address."""
    if network.num_addresses <= 2:
        return False
    return ip == network.network_address or (ip.version == 4 and ip == network.broadcast_address)


class Ceiling:
    """A number of calls, or the word ``any``."""

    expected = "a whole number from 0 on or the word any"

    def check(self, value: object, at: Location) -> object:
        """Return the number or the word."""
        if value == "any":
            return value
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            at.error(f"{self.expected} is expected, not {show(value)}.")
            return INVALID
        return value


# --- names -----------------------------------------------------------------------------------

HOST_OR_ADDRESS = Text("a host name or an address", rf"{HOST_PATTERN}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*")
ABSOLUTE = Text("an absolute path", _PATH)
HIDDEN_PATH = Text("an absolute path", _PATH, hidden=True)


PROFILE = Text("a profile's name (letters, digits, dots, - and _)", _PROFILE)
INTERFACE = Text("a network interface (eth0)", r"[A-Za-z0-9_.-]{1,15}")
PASSWORD = Text("a password of visible ASCII characters", r"[!-~]{1,128}", hidden=True)
MILLISECONDS = Whole(0, 2**31 - 1, "milliseconds")
PORT = Whole(1, 65535)


YES_NO = Flag()
SECONDS = Whole(1, 86400, "seconds")
ADDRESS = Address(prefix=False, example="10.101.20.219")
HOST_ADDRESS = Address(prefix=True, example="10.101.20.110/24")
