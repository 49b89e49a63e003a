"""corosync's shared key: read it and check it; no message ever shows it."""

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
    """A key that corosync would refuse, or that protects nothing; the message never shows it."""


def decode(text: str) -> bytes:
    """Decode a key in Base64, as in the pillar; white space is ignored.

    Raises :class:`AuthkeyError`.
    """
    try:
        key = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise AuthkeyError("the authkey is not valid Base64.") from None
    return check(key)


def check(key: bytes) -> bytes:
    """Return the key if corosync takes its length and it looks random.

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


def same(first: bytes, second: bytes) -> bool:
    """Tell whether two keys are the same; the time that it takes does not depend on them."""
    return hmac.compare_digest(first, second)


def fingerprint(key: bytes) -> str:
    """Return a hash of the key, to compare it with the one in corosync's memory."""
    return hashlib.sha256(b"fsha authkey " + key).hexdigest()
