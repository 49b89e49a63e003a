"""Passwords of the store: made, and handed to PostgreSQL only as what checks them."""

import base64
import hashlib
import hmac
import secrets

ITERATIONS = 4096
"""PostgreSQL's own number (scram-common.h)."""


def of_pair(authkey: bytes) -> str:
    """Return the password of the replication, the same on both nodes.

    authkey
        Corosync's key, which both nodes have and nobody else.
    """
    digest = hmac.new(authkey, b"fsha recovery store, replication", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def fresh() -> str:
    """Return a new password of letters, digits, ``-`` and ``_``."""
    return secrets.token_urlsafe(24)


def verifier(password: str, salt: bytes | None = None) -> str:
    """Return what PostgreSQL keeps of a password (SCRAM-SHA-256, RFC 5802).

    So no password is in any statement, log or list of processes. ASCII passwords only.
    """
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    client = hmac.new(salted, b"Client Key", hashlib.sha256).digest()
    server = hmac.new(salted, b"Server Key", hashlib.sha256).digest()
    stored = hashlib.sha256(client).digest()
    coded = [base64.b64encode(part).decode("ascii") for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${ITERATIONS}:{coded[0]}${coded[1]}:{coded[2]}"


def is_of(verifier_: str, password: str) -> bool:
    """Tell whether a verifier that PostgreSQL has is that of a password."""
    parts = verifier_.split("$")
    if len(parts) != 3 or parts[0] != "SCRAM-SHA-256":
        return False
    iterations, _, salt = parts[1].partition(":")
    if iterations != str(ITERATIONS):
        return False
    return hmac.compare_digest(verifier(password, base64.b64decode(salt)), verifier_)
