"""The live client, against a real server on loopback that answers and breaks as scripted."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import pairwise

import pytest
from aiohttp import web
from msgspec import structs
from stamina.instrumentation import RetryDetails, get_on_retry_hooks, set_on_retry_hooks
from yarl import URL

from schema.errors import FetchError
from scrapers.client import ClientSettings, LiveUpstream, allowed_address, public_address, redirect_target, user_agent
from scrapers.upstream import Response
from tests.upstream import Answer, Fault, UpstreamServer, gzip_bomb, redirect

SETTINGS = ClientSettings(
    total_timeout_s=5,
    idle_timeout_s=0.2,
    max_bytes=100_000,
    attempts=3,
    backoff_initial_s=0.001,
    backoff_max_s=0.002,
    min_interval_s=0,
    contact="https://example.test/ops",
    allowed_hosts=("127.0.0.1",),
    http_hosts=("127.0.0.1",),
)


@pytest.fixture
async def server() -> AsyncIterator[UpstreamServer]:
    """The upstream."""
    async with UpstreamServer() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[LiveUpstream]:
    """A client with short times."""
    async with LiveUpstream(SETTINGS) as opened:
        yield opened


async def test_whole_answer(server: UpstreamServer, client: LiveUpstream) -> None:
    """A 200 gives body, media type in lower case without parameters, and validators."""
    answer = Answer(b"{}", media_type="Application/JSON; charset=utf-8", etag='"1"', last_modified="Mon, 04 May 2026")
    url = server.script("/file?id=1", answer)
    assert await client.get(url) == Response(url, b"{}", "application/json", '"1"', "Mon, 04 May 2026")


async def test_honest_name(server: UpstreamServer, client: LiveUpstream) -> None:
    """Requests say what asks and who runs it, carry the Accept asked for and no validators unless given."""
    await client.get(server.script("/file", Answer(b"x")), accept="text/html")
    asked = server.asked[0]
    assert asked.header("user-agent") == user_agent("https://example.test/ops")
    assert user_agent("https://example.test/ops").startswith("endpoint-catalog/")
    assert user_agent("https://example.test/ops").endswith(" (+https://example.test/ops)")
    assert asked.header("accept") == "text/html"
    assert asked.header("if-none-match") is None
    assert asked.header("if-modified-since") is None


async def test_not_modified(server: UpstreamServer, client: LiveUpstream) -> None:
    """A 304 to a conditional request is None; both validators are sent."""
    url = server.script("/file", Answer(b"x", etag='"1"'))
    assert await client.get(url, etag='"1"', last_modified="Mon, 04 May 2026 00:00:00 GMT") is None
    assert server.asked[0].header("if-modified-since") == "Mon, 04 May 2026 00:00:00 GMT"


async def test_not_modified_unasked(server: UpstreamServer, client: LiveUpstream) -> None:
    """A 304 to an unconditional request is an error, not "nothing new"."""
    with pytest.raises(FetchError) as caught:
        await client.get(server.script("/file", Answer(status=304)))
    assert caught.value.facts["status"] == 304


async def test_reasons_quote_no_pages(client: LiveUpstream) -> None:
    """What upstream sends is not told on as the reason: neither a page after a wrong length nor a long status line."""
    page = b"<html>" + b"secret " * 1000
    answers = [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\n" + page,
        b"HTTP/1.1 403 No\x1b[31m" + b"secret " * 100 + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.test/" + b"x" * 9000 + b"\r\nContent-Length: 0\r\n\r\n",
    ]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = await reader.readuntil(b"\r\n\r\n")
        writer.write(answers[int(path.split(b" ", 2)[1][1:])])
        with suppress(OSError):
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as raw:
        base = f"http://127.0.0.1:{raw.sockets[0].getsockname()[1]}"
        for number, told in enumerate(("Data after `Connection: close`", "answered 403 No", "not on an allowed host")):
            with pytest.raises(FetchError, match=told) as caught:
                await client.get(f"{base}/{number}")
            assert len(str(caught.value)) < 300
            assert str(caught.value).isprintable()


@pytest.mark.parametrize("status", [201, 204, 206, 400, 401, 403, 404, 410, 451, 501])
async def test_final_statuses(server: UpstreamServer, client: LiveUpstream, status: int) -> None:
    """Any other answer fails at once, naming address and status."""
    url = server.script("/file", Answer(b"no", status=status))
    with pytest.raises(FetchError) as caught:
        await client.get(url)
    assert caught.value.facts["status"] == status
    assert caught.value.facts["url"] == url
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_transient_statuses(server: UpstreamServer, client: LiveUpstream, status: int) -> None:
    """A status that may be gone in a moment is tried again."""
    answer = await client.get(server.script("/file", Answer(status=status), Answer(status=status), Answer(b"x")))
    assert answer is not None
    assert answer.body == b"x"
    assert len(server.asked) == 3


async def test_retries_are_named(server: UpstreamServer, client: LiveUpstream) -> None:
    """Whoever watches retries is told which address is tried again, without ClientRequestId."""
    seen: list[RetryDetails] = []

    def watch(details: RetryDetails) -> None:
        seen.append(details)

    watching = get_on_retry_hooks()
    set_on_retry_hooks([watch])
    try:
        url = server.script("/file?x=1", Answer(status=503), Answer(b"x"))
        await client.get(f"{url}&ClientRequestId=b10c5ed1-bad1-445f-b386-b919946339a7")
    finally:
        set_on_retry_hooks(watching)
    assert [(details.name, details.args, details.kwargs) for details in seen] == [(url, (), {})]


async def test_attempts_end(server: UpstreamServer, client: LiveUpstream) -> None:
    """After the last attempt the error carries the last status."""
    with pytest.raises(FetchError) as caught:
        await client.get(server.script("/file", Answer(status=502), Answer(status=502), Answer(status=503)))
    assert caught.value.facts["status"] == 503
    assert len(server.asked) == 3


DATE = ("Date", "Mon, 04 May 2026 10:00:00 GMT")


@pytest.mark.parametrize(
    ("headers", "requests"),
    [
        ((("Retry-After", "0"),), 2),
        ((DATE, ("Retry-After", "Mon, 04 May 2026 10:00:00 GMT")), 2),
        ((("Retry-After", "soon"),), 2),
        ((("Retry-After", "3600"),), 1),
        ((DATE, ("Retry-After", "Mon, 04 May 2026 11:00:00 GMT")), 1),
    ],
)
async def test_retry_after(
    server: UpstreamServer, client: LiveUpstream, headers: tuple[tuple[str, str], ...], requests: int
) -> None:
    """A short Retry-After is waited for; a long one ends the run, so that a throttling service is left alone."""
    url = server.script("/file", Answer(status=429, headers=headers), Answer(b"x"))
    if requests == 1:
        with pytest.raises(FetchError) as caught:
            await client.get(url)
        assert caught.value.facts["retry_after_s"] == 3600
    else:
        assert await client.get(url)
    assert len(server.asked) == requests


async def test_retry_after_is_waited_for(server: UpstreamServer) -> None:
    """The pause upstream asks for is the one taken."""
    url = server.script("/file", Answer(status=503, headers=(("Retry-After", "1"),)), Answer(b"x"))
    async with LiveUpstream(SETTINGS) as client:
        await client.get(url)
    first, second = server.asked
    assert second.at_s - first.at_s >= 0.95


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.TRUNCATED, Fault.TRUNCATED_CHUNKS])
async def test_broken_connection(server: UpstreamServer, client: LiveUpstream, fault: Fault) -> None:
    """A connection that breaks before the body is whole is tried again and never gives a part."""
    broken = Answer(b"part of it", fault=fault)
    answer = await client.get(server.script("/file", broken, Answer(b"all of it")))
    assert answer is not None
    assert answer.body == b"all of it"
    with pytest.raises(FetchError):
        await client.get(server.script("/file", broken))


async def test_stall(server: UpstreamServer) -> None:
    """A server that says nothing is given up after the idle timeout."""
    async with LiveUpstream(structs.replace(SETTINGS, attempts=1)) as client:
        with pytest.raises(FetchError, match="cannot be read"):
            await client.get(server.script("/file", Answer(fault=Fault.STALL)))


async def test_nobody_listens(client: LiveUpstream) -> None:
    """A refused connection is a FetchError."""
    async with UpstreamServer() as gone:
        url = gone.url
    with pytest.raises(FetchError):
        await client.get(url)


async def test_size_cap(server: UpstreamServer, client: LiveUpstream) -> None:
    """A body of exactly the cap passes, one byte more is refused and not asked again."""
    whole = await client.get(server.script("/whole", Answer(bytes(SETTINGS.max_bytes))))
    assert whole is not None
    assert len(whole.body) == SETTINGS.max_bytes
    with pytest.raises(FetchError, match="larger than"):
        await client.get(server.script("/more", Answer(bytes(SETTINGS.max_bytes + 1))))
    assert server.paths == ("/whole", "/more")


async def test_gzip_bomb(server: UpstreamServer, client: LiveUpstream) -> None:
    """The cap counts decoded bytes: a small file that unpacks to a large one is refused."""
    bomb = gzip_bomb(10_000_000)
    assert len(bomb.body) < SETTINGS.max_bytes
    with pytest.raises(FetchError, match="larger than"):
        await client.get(server.script("/file", bomb))
    small = await client.get(server.script("/small", gzip_bomb(1000)))
    assert small is not None
    assert small.body == bytes(1000)


WHOLE = gzip.compress(bytes(range(256)) * 8)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (WHOLE[:-20], "gzip"),
        (WHOLE[:-1], "gzip"),
        (WHOLE[:-8] + bytes(8), "gzip"),
        (WHOLE + WHOLE, "gzip"),
        (b"not gzip at all", "gzip"),
        (b"", "gzip"),
        (b"x", "br"),
        (zlib.compress(b"x"), "deflate"),
    ],
)
async def test_damaged_encoding(server: UpstreamServer, client: LiveUpstream, body: bytes, encoding: str) -> None:
    """A compressed body that ends early, is damaged or comes in another encoding is an error, never a part."""
    headers = (("Content-Encoding", encoding),)
    with pytest.raises(FetchError):
        await client.get(server.script("/file", Answer(body, headers=headers)))
    whole = await client.get(server.script("/whole", Answer(WHOLE, headers=(("Content-Encoding", "gzip"),))))
    assert whole is not None
    assert whole.body == gzip.decompress(WHOLE)


async def test_endless_tail(endless: str) -> None:
    """Bytes after the end of a gzip stream end the request at once: they are neither kept nor counted."""
    async with LiveUpstream(structs.replace(SETTINGS, attempts=1)) as client:
        with pytest.raises(FetchError, match="goes on after its gzip stream"):
            await client.get(endless)


@pytest.fixture
async def endless() -> AsyncIterator[str]:
    """The address of a server whose every answer is a whole gzip stream that never stops being followed."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Encoding": "gzip"})
        await response.prepare(request)
        await response.write(WHOLE)
        with suppress(ConnectionError):
            while True:
                await response.write(bytes(64 * 1024))
        return response

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}/"
    await runner.cleanup()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect(server: UpstreamServer, client: LiveUpstream, status: int) -> None:
    """Redirects are followed, relative ones too, and the answer has the final address."""
    server.script("/a/old", redirect("../b/mid?x=1", status))
    final = server.script("/b/new", Answer(b"x"))
    server.script("/b/mid?x=1", redirect(final, status))
    answer = await client.get(server.url + "/a/old")
    assert answer is not None
    assert answer.url == final


async def test_redirect_loop(server: UpstreamServer, client: LiveUpstream) -> None:
    """Six redirects are one too many."""
    with pytest.raises(FetchError, match="too often"):
        await client.get(server.script("/loop", redirect("/loop")))
    assert len(server.asked) == SETTINGS.max_redirects + 1


async def test_redirect_elsewhere(server: UpstreamServer, client: LiveUpstream) -> None:
    """A redirect to a host that is not allowed is refused, and that host is never asked."""
    elsewhere = server.url.replace("127.0.0.1", "localhost") + "/b"
    server.script("/b", Answer(b"x"))
    with pytest.raises(FetchError, match="allowed host"):
        await client.get(server.script("/a", redirect(elsewhere)))
    assert server.paths == ("/a",)


@pytest.mark.parametrize(
    "location", ["http://a.example/x", "ftp://a.example/x", "https://b.example/x", "https://[", "//c/x"]
)
def test_redirect_target_refused(location: str) -> None:
    """From https, neither plain http (even to a host that may be asked plainly) nor another host is followed."""
    settings = ClientSettings(allowed_hosts=("a.example",), http_hosts=("a.example",))
    with pytest.raises(FetchError):
        redirect_target(URL("https://a.example/"), location, settings)
    assert redirect_target(URL("http://a.example/"), "https://a.example/x", settings).scheme == "https"


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://a.example/x", True),
        ("https://A.Example/x", True),
        ("https://sub.b.example/x", True),
        ("https://b.example/x", False),
        ("https://evilb.example/x", False),
        ("https://a.example.evil.example/x", False),
        ("https://a.example@evil.example/x", False),
        ("https://user@a.example/x", False),
        ("http://a.example/x", False),
        ("http://plain.example/x", True),
        ("file:///etc/passwd", False),
        ("https://127.0.0.1/x", False),
        ("https://[::1]/x", False),
        ("a.example/x", False),
        ("", False),
    ],
)
def test_allowed_address(*, address: str, allowed: bool) -> None:
    """Only https to an allowed host passes; http where the operator named the host for it."""
    settings = ClientSettings(
        allowed_hosts=("a.example", "*.b.example", "plain.example"), http_hosts=("plain.example",)
    )
    if allowed:
        assert allowed_address(address, settings)
    else:
        with pytest.raises(FetchError):
            allowed_address(address, settings)


def test_opened_to() -> None:
    """An operator's own address opens its host, and plain http only where it was written so."""
    settings = ClientSettings(allowed_hosts=("a.example",)).opened_to(("http://mirror.test:8/x", "https://b.example/"))
    assert settings.allowed_hosts == ("a.example", "b.example", "mirror.test")
    assert settings.http_hosts == ("mirror.test",)


async def test_request_id_is_sent_and_forgotten(server: UpstreamServer, client: LiveUpstream) -> None:
    """ClientRequestId reaches upstream, but neither an answer's address nor an error names it."""
    url = server.script("/version?x=1", Answer(b"{}"), Answer(status=404))
    asked = url + "&ClientRequestId=b10c5ed1-bad1-445f-b386-b919946339a7"
    answer = await client.get(asked)
    assert answer is not None
    assert answer.url == url
    with pytest.raises(FetchError) as caught:
        await client.get(asked)
    assert "b10c5ed1" not in str(caught.value) + str(caught.value.facts)
    assert "ClientRequestId=b10c5ed1" in server.paths[0]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h/a?clientrequestid=1", "https://h/a"),
        ("https://h/a?x=1&ClientRequestId=1&y=2#part", "https://h/a?x=1&y=2"),
        ("https://h/a?x=%20b", "https://h/a?x=%20b"),
    ],
)
def test_public_address(url: str, shown: str) -> None:
    """ClientRequestId and fragments go, everything else stays as written."""
    assert public_address(url) == shown


async def test_politeness(server: UpstreamServer) -> None:
    """Requests to one host start at least the interval apart, however many are wanted at once."""
    url = server.script("/file", Answer(b"x"))
    async with LiveUpstream(structs.replace(SETTINGS, min_interval_s=0.05)) as client:
        await asyncio.gather(*(client.get(url) for _ in range(3)))
    times = [asked.at_s for asked in server.asked]
    assert all(later - earlier >= 0.04 for earlier, later in pairwise(times))


async def test_one_at_a_time(server: UpstreamServer) -> None:
    """A host has no more requests open than allowed: a second one waits for the first to end."""
    stalled = server.script("/stalled", Answer(fault=Fault.STALL))
    settings = structs.replace(SETTINGS, per_host_concurrency=1, attempts=1, idle_timeout_s=0.3)
    async with LiveUpstream(settings) as client:
        first = asyncio.create_task(client.get(stalled))
        await asyncio.sleep(0)
        assert await client.get(server.script("/file", Answer(b"x")))
        with pytest.raises(FetchError):
            await first
    assert server.asked[1].at_s - server.asked[0].at_s >= 0.25


async def test_no_proxy(server: UpstreamServer, client: LiveUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxy variables of the environment are not followed: the allowed hosts are what is asked."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert await client.get(server.script("/file", Answer(b"x")))
