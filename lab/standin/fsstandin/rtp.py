"""RTP sockets on the profile's media address; each echoes what it gets to whoever sent it."""

from __future__ import annotations

import asyncio
import socket

BURST = 64  # datagrams read per wake-up, so that one busy call cannot starve SIP
DATAGRAM = 2048


class MediaError(Exception):
    """No RTP port could be bound; the real switch says "Bind Error"."""


class MediaPort:
    """One bound RTP socket of a call, which echoes unless ``silent``; ``close`` frees it."""

    def __init__(self, ip: str, port: int) -> None:
        self.port = port
        self.packets = 0
        self.silent = False
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            self._socket.bind((ip, port))
        except OSError as error:
            self._socket.close()
            raise MediaError(f"{ip}:{port}: {error.strerror}") from error
        self._loop.add_reader(self._socket.fileno(), self._echo)

    def close(self) -> None:
        """Stop the echo and free the port; closing twice does nothing."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _echo(self) -> None:
        for _ in range(BURST):
            try:
                data, source = self._socket.recvfrom(DATAGRAM)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error of an earlier datagram
                continue
            self.packets += 1
            if self.silent:
                continue
            try:
                self._socket.sendto(data, source)
            except OSError:  # the address has left this node: nothing can go out, as measured
                continue


class MediaPorts:
    """The even ports of ``first`` to ``last``, handed out in turn."""

    def __init__(self, first: int, last: int) -> None:
        self._ports = range(first + first % 2, last + 1, 2)
        self._next = 0

    def open_any(self, ip: str) -> MediaPort:
        """Bind the next free port on ``ip``; raises MediaError when there is none."""
        for _ in self._ports:
            port = self._ports[self._next % len(self._ports)]
            self._next += 1
            try:
                return MediaPort(ip, port)
            except MediaError:
                continue
        raise MediaError(f"{ip}: no free port in {self._ports.start}-{self._ports[-1]}")
