"""A small SMTP server on loopback for tests: it keeps what it is told, and answers as it is asked to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager


class SmtpServer:
    """Commands and messages as they came.

    ``answers`` are replies by the beginning of a command, in place of the usual ones; an empty one is never sent.
    With ``tls`` it offers STARTTLS.
    """

    def __init__(self, answers: Mapping[str, str], tls: ssl.SSLContext | None) -> None:
        self.answers, self.tls = answers, tls
        self.commands: list[str] = []
        self.mails: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one conversation."""
        await self._say(writer, "", "220 ready")
        while line := (await reader.readline()).decode().strip():
            self.commands.append(line)
            verb = line.split(" ")[0].upper()
            if verb == "DATA" and await self._say(writer, "DATA", "354 go on"):
                self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                await self._say(writer, ".", "250 queued as 4711")
            elif verb == "STARTTLS" and self.tls:
                await self._say(writer, verb, "220 go on")
                await writer.start_tls(self.tls)
            elif verb != "DATA":
                await self._say(writer, line, self._usual(verb, writer))
        writer.close()

    def _usual(self, verb: str, writer: asyncio.StreamWriter) -> str:
        if verb != "EHLO":
            return {"AUTH": "235 welcome", "QUIT": "221 bye"}.get(verb, "250 ok")
        offers_tls = self.tls and not writer.get_extra_info("sslcontext")
        return "250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN" if offers_tls else "250-here\r\n250 AUTH PLAIN"

    async def _say(self, writer: asyncio.StreamWriter, command: str, usual: str) -> bool:
        """Answer, and return whether as usual."""
        begin = next((begin for begin in self.answers if command and command.startswith(begin)), None)
        text = usual if begin is None else self.answers[begin]
        writer.write(f"{text}\r\n".encode() if text else b"")
        await writer.drain()
        return begin is None


@asynccontextmanager
async def smtp_server(
    answers: Mapping[str, str] | None = None,
    *,
    starttls: ssl.SSLContext | None = None,
    smtps: ssl.SSLContext | None = None,
) -> AsyncIterator[SmtpServer]:
    """Serve on a free port of 127.0.0.1."""
    served = SmtpServer(answers or {}, starttls)
    open_ones: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.add(writer)
        try:
            await served.serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=smtps)
    served.port = listening.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        listening.close()
        for writer in open_ones:
            writer.close()
