"""Does anybody listen on a TCP port? Asked before a program that would wait for it for minutes."""

import socket


def listens(host: str, port: int, seconds: float = 1.0) -> bool:
    """Tell whether a connection to a port is accepted in time."""
    try:
        with socket.create_connection((host, port), seconds):
            return True
    except OSError:
        return False
