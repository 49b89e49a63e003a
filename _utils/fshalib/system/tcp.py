"""Does anybody listen on a TCP port? Asked before a program that would wait for it for minutes."""

import socket
from urllib.parse import urlsplit


def listens(host: str, port: int, seconds: float = 1.0) -> bool:
    """Tell whether a connection to a port is accepted in time."""
    try:
        with socket.create_connection((host, port), seconds):
            return True
    except OSError:
        return False


def may_answer(uri: str) -> bool:
    """Tell whether somebody listens at an address such as ``tcp://192.0.2.1:4506``.

    ``True`` where there is nothing to be asked.
    """
    try:
        parts = urlsplit(uri)
        return not (parts.hostname and parts.port) or listens(parts.hostname, parts.port)
    except ValueError:
        return True
