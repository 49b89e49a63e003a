"""The Event Socket (inbound): authentication, api, bgapi, exit; no events."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import uuid
from collections.abc import Awaitable, Callable

from .faults import Faults

HANG_POLL = 0.1
MAX_REQUEST = 65536
Execute = Callable[[str], Awaitable[str]]


class EventSocket:
    """The server side; ``execute`` runs an api line and returns its text."""

    def __init__(self, password: str, faults: Faults, execute: Execute) -> None:
        self._password = password
        self._faults = faults
        self._execute = execute
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self._jobs: set[asyncio.Task[str]] = set()

    async def open(self, host: str, port: int) -> None:
        """Listen; raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=MAX_REQUEST)

    def close(self) -> None:
        """Stop listening and drop every client."""
        if self._server is not None:
            self._server.close()
        for writer in self._clients:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._unless_hung()
                writer.write(b"Content-Type: auth/request\n\n")
                if await self._authenticate(reader, writer):
                    await self._commands(reader, writer)
        finally:
            self._clients.discard(writer)
            writer.close()

    async def _authenticate(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        while True:
            command = await self._read(reader)
            word, _, rest = command.partition(" ")
            if word == "exit":
                await self._reply(writer, "+OK bye")
                return False
            if word == "auth":
                accepted = hmac.compare_digest(rest.encode(), self._password.encode())
                await self._reply(writer, "+OK accepted" if accepted else "-ERR invalid")
                return accepted
            await self._reply(writer, "-ERR command not found")

    async def _commands(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            command = await self._read(reader)
            word, _, rest = command.partition(" ")
            if word in ("exit", "..."):
                await self._reply(writer, "+OK bye")
                return
            if word == "api":
                body = (await self._execute(rest) or "-ERR no reply\n").encode()
                head = f"Content-Type: api/response\nContent-Length: {len(body)}\n\n"
                await self._send(writer, head.encode() + body)
            elif word == "bgapi":
                await self._background(writer, rest)
            else:
                await self._reply(writer, "-ERR command not found")

    async def _background(self, writer: asyncio.StreamWriter, line: str) -> None:
        job = str(uuid.uuid4())
        task = asyncio.ensure_future(self._execute(line))
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
        text = f"Content-Type: command/reply\nReply-Text: +OK Job-UUID: {job}\nJob-UUID: {job}\n\n"
        await self._send(writer, text.encode())

    async def _read(self, reader: asyncio.StreamReader) -> str:
        """Return the first line of the next request; its header lines are not used here."""
        while True:
            block = (await reader.readuntil(b"\n\n")).decode("utf-8", "replace")
            await self._unless_hung()
            line = block.strip("\r\n").partition("\n")[0].rstrip("\r")
            if line:
                return line

    async def _reply(self, writer: asyncio.StreamWriter, text: str) -> None:
        await self._send(writer, f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode())

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        await self._unless_hung()
        writer.write(data)
        await writer.drain()

    async def _unless_hung(self) -> None:
        while self._faults.on("hang-esl"):
            await asyncio.sleep(HANG_POLL)
