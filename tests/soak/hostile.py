"""An upstream on loopback that has every source's documents, and plays any fault to those who ask for some of them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from scrapers.demo.build import answers
from scrapers.mirror import guessed_media_type, mirror_name
from tests.certificates import certified

MOST_BYTES = 1 << 20
"""The largest document that is read here."""
_ROUND = "round"
_ETAG = '"the-only-one"'
Play = Callable[["Hostile", asyncio.StreamWriter, bytes], Awaitable[None]]


class Hostile:
    """``fault`` is played where one of ``victims`` is asked for; everything else is answered well."""

    def __init__(self, step: int = 1) -> None:
        self.documents = {mirror_name(url): body for url, body in answers(step)}
        self.fault: Play | None = None
        self.victims: frozenset[str] = frozenset()
        self.asked: set[str] = set()
        self.url = ""
        self.tls_url = ""

    @contextlib.asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[Self]:
        """Serve on two ports; one speaks TLS, with a certificate that nobody trusts."""
        tls, _ = certified(folder)
        async with (
            await asyncio.start_server(self._serve, "127.0.0.1", 0) as plain,
            await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls) as sealed,
        ):
            self.url = f"http://127.0.0.1:{plain.sockets[0].getsockname()[1]}"
            self.tls_url = f"https://127.0.0.1:{sealed.sockets[0].getsockname()[1]}"
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        name = unquote(head.split(b" ", 2)[1].decode()).lstrip("/")
        self.asked.add(name)
        body = self.documents.get(name)
        if name == _ROUND:
            await send(writer, b"", f"Location: {self.url}/{_ROUND}", status="302 Found")
        elif body is None:
            await send(writer, b"", status="404 Not Found")
        elif self.fault and name in self.victims:
            await self.fault(self, writer, body)
        elif _ETAG.encode() in head:  # the documents never change
            await send(writer, b"", f"ETag: {_ETAG}", status="304 Not Modified")
        else:
            await send(writer, body, f"ETag: {_ETAG}", f"Content-Type: {guessed_media_type(body)}")


async def send(writer: asyncio.StreamWriter, body: bytes, *headers: str, status: str = "200 OK") -> None:
    """Answer whole."""
    length = () if any(one.startswith("Content-Length") for one in headers) else (f"Content-Length: {len(body)}",)
    lines = (f"HTTP/1.1 {status}", "Connection: close", *length, *headers, "", "")
    writer.write("\r\n".join(lines).encode() + body)
    await writer.drain()


def status(line: str, body: bytes = b"<html><body>Sorry</body></html>", *headers: str) -> Play:
    """Answer with another status."""
    return lambda _, writer, __: send(writer, body, *headers, status=line)


def garbage(made: Callable[[bytes], bytes]) -> Play:
    """Answer 200 with something that is no document, under the document's type."""
    return lambda _, writer, body: send(writer, made(body), f"Content-Type: {guessed_media_type(body)}")


def typed(media_type: str, made: Callable[[bytes], bytes] = lambda body: body) -> Play:
    """Answer 200 with what is made of the document, under another type."""
    return lambda _, writer, body: send(writer, made(body), f"Content-Type: {media_type}")


def redirect(to: str) -> Play:
    """Lead elsewhere."""
    return lambda hostile, writer, _: send(
        writer, b"", f"Location: {to.format(own=hostile.url, tls=hostile.tls_url)}", status="302 Found"
    )


async def hanging(_: Hostile, writer: asyncio.StreamWriter, __: bytes) -> None:
    await _gone(writer)


async def slow(_: Hostile, writer: asyncio.StreamWriter, body: bytes) -> None:
    """A byte now and then, so that it is never silent for long."""
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    for at in range(len(body)):
        writer.write(body[at : at + 1])
        await writer.drain()
        await asyncio.sleep(0.1)


async def cut_off(_: Hostile, writer: asyncio.StreamWriter, body: bytes) -> None:
    await send(writer, body[: len(body) // 2], f"Content-Length: {len(body)}")


async def cut_chunks(_: Hostile, writer: asyncio.StreamWriter, body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head + f"{len(body):x}\r\n".encode() + body + b"\r\n")  # and no last chunk


async def too_short(_: Hostile, writer: asyncio.StreamWriter, body: bytes) -> None:
    """Content-Length is less than there is."""
    await send(writer, body, f"Content-Length: {len(body) // 2}")


async def endless(_: Hostile, writer: asyncio.StreamWriter, __: bytes) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"<p>more</p>" * 1000)
        await writer.drain()


async def bomb(_: Hostile, writer: asyncio.StreamWriter, __: bytes) -> None:
    await send(writer, _bomb(), "Content-Encoding: gzip")


@functools.cache
def _bomb() -> bytes:
    return gzip.compress(bytes(64 * MOST_BYTES))


async def reset(_: Hostile, writer: asyncio.StreamWriter, __: bytes) -> None:
    writer.transport.abort()


async def long_headers(_: Hostile, writer: asyncio.StreamWriter, body: bytes) -> None:
    await send(writer, body, f"X-Long: {'x' * 100_000}")


async def _gone(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(30):
            while not writer.transport.is_closing():
                await asyncio.sleep(0.02)


FAULTS: dict[str, Play] = {
    "400": status("400 Bad Request"),
    "401": status("401 Unauthorized"),
    "403": status("403 Forbidden"),
    "404": status("404 Not Found"),
    "410": status("410 Gone"),
    "429": status("429 Too Many Requests", b"", "Retry-After: 3600"),
    "500": status("500 Internal Server Error"),
    "502": status("502 Bad Gateway"),
    "503": status("503 Service Unavailable", b"", "Retry-After: 3600"),
    "204": status("204 No Content", b""),
    "206": status("206 Partial Content"),
    "304": status("304 Not Modified", b""),
    "no HTTP": lambda _, writer, __: _raw(writer, b"\x16\x03\x01 what is this\r\n\r\n"),
    "slow": slow,
    "hanging": hanging,
    "cut off": cut_off,
    "without its last chunk": cut_chunks,
    "wrong length": too_short,
    "endless": endless,
    "zip bomb": bomb,
    "damaged gzip": status("200 OK", b"\x1f\x8b\x08 not really", "Content-Encoding: gzip"),
    "reset": reset,
    "long headers": long_headers,
    "redirect to another host": redirect("https://elsewhere.example/"),
    "redirect to the inside": redirect("http://169.254.169.254/latest/meta-data"),
    "redirect to a file": redirect("file:///etc/passwd"),
    "redirect in circles": redirect("{own}/round"),
    "TLS that nobody trusts": redirect("{tls}/"),
    "an error page as 200": garbage(lambda _: b"<!DOCTYPE html><html><head><title>Access denied</title></head></html>"),
    "nothing": garbage(lambda _: b""),
    "JSON of something else": garbage(lambda _: b'{"error": {"code": "Throttled"}}'),
    "an empty list": garbage(lambda _: b"[]"),
    "null": garbage(lambda _: b"null"),
    "bytes": garbage(lambda _: bytes(range(256)) * 64),
    "UTF-16": garbage(lambda body: body.decode().encode("utf-16")),
    "NUL bytes": garbage(lambda body: body.replace(b"\n", b"\0")),
    "half a document": garbage(lambda body: body[: len(body) // 2]),
    "deep JSON": garbage(lambda _: b"[" * 100_000),
    "a wrong content-type": typed("image/png"),
    "another wrong content-type": typed("application/zip"),
    "a picture as HTML": typed("text/html", lambda _: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8),
    "an archive as JSON": typed("application/json", lambda _: b"PK\x03\x04" + bytes(range(256)) * 8),
    "deep HTML": garbage(lambda _: b"<div>" * 5_000),
}


async def _raw(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
