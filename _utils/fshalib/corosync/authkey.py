"""corosync's shared key: what a good one is, without ever saying what it is."""

import base64
import binascii
import hashlib
import hmac

from fshalib.errors import CorosyncError

# TOTEM_PRIVATE_KEY_LEN_MIN and _MAX in include/corosync/totem/totem.h of corosync 3.1.
MIN_BYTES = 128
MAX_BYTES = 4096
# A random key of 128 bytes has about 100 different ones; text or a pattern far fewer.
MIN_DISTINCT = 32


class AuthkeyError(CorosyncError):
    """A key that corosync would refuse, or that protects nothing; never says the key."""


def decode(text: str) -> bytes:
    """Return the key that stands in Base64, as in pillar; white space is ignored.

    Raises :class:`AuthkeyError`.
    """
    try:
        key = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise AuthkeyError("the authkey is not valid Base64.") from None
    return check(key)


def check(key: bytes) -> bytes:
    """Return the key if it has a length that corosync takes and looks random.

    Raises :class:`AuthkeyError`.
    """
    if not MIN_BYTES <= len(key) <= MAX_BYTES:
        raise AuthkeyError(
            f"the authkey has {len(key)} bytes, {MIN_BYTES} to {MAX_BYTES} expected; "
            "corosync-keygen makes a good one."
        )
    if len(set(key)) < MIN_DISTINCT:
        raise AuthkeyError("the authkey is not random; corosync-keygen makes a good one.")
    return key


def same(one: bytes, other: bytes) -> bool:
    """Tell whether two keys are the same, in a time that says nothing about them."""
    return hmac.compare_digest(one, other)


def fingerprint(key: bytes) -> str:
    """Return what tells two keys apart and nothing more; for corosync's own memory only."""
    return hashlib.sha256(b"fsha authkey " + key).hexdigest()
