"""The layer of kept answers before the router: the very answers that the application gives, or none."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from catalog_service.api.front import MAY_KEEP, Front
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from tests.api_client import DAY, PAGE, START, TAGS, TAGS_2, application, away, client, commit, published, tag

MANY = tuple(tag(f"Tag{number}", f"20.{number}.0.0/16") for number in range(200))
PATHS = (
    "/v1/endpoints",
    "/v1/endpoints?limit=2&sort=-title&fields=service,prefixes",
    f"/v1/endpoints/{PAGE}:flow",
    "/v1/endpoints?at=latest&cloud=public",
    "/v1/allowlist",
    "/v1/allowlist?at=3&kind=prefix",
    "/v1/lookup?q=13.66.60.65",
    "/v1/conflicts",
    "/v1/regions",
    "/v1/scenarios",
    # Never kept:
    "/v1/endpoints?at=1",
    "/v1/endpoints?at=2026-11-03",
    "/v1/versions",
    "/v1/sources",
    "/v1/changes",
    "/v1/endpoints?limit=0",
    f"/v1/endpoints/{PAGE}:nothing",
    "/v1/nothing",
)
ASKED: tuple[dict[str, str], ...] = (
    {"Accept-Encoding": "identity"},
    {"Accept-Encoding": "gzip"},
    {"Accept-Encoding": "zstd, gzip;q=0.5"},
    {"Accept-Encoding": "gzip", "Accept": "text/csv"},
    {"Accept-Encoding": "gzip", "If-None-Match": '"other"'},
    {"Accept-Encoding": "gzip", "If-None-Match": "*"},
)

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


async def raw(opened: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]) -> Answer:
    """Return status, headers and undecoded body, as they were sent."""
    async with opened.stream(method, path, headers=headers) as response:
        content = b"".join([part async for part in response.aiter_raw()])
        return response.status_code, response.headers.raw, content


async def same(fresh: httpx.AsyncClient, kept: httpx.AsyncClient, method: str, path: str) -> None:
    """Ask both for everything, the second one twice: from the router, then from what it keeps."""
    for headers in ASKED:
        wanted = await raw(fresh, method, path, headers)
        assert [await raw(kept, method, path, headers) for _ in range(2)] == [wanted] * 2
        etag = dict(wanted[1]).get(b"etag", b'"none"').decode()
        known = {**headers, "If-None-Match": etag}
        wanted = await raw(fresh, method, path, known)
        assert [await raw(kept, method, path, known) for _ in range(2)] == [wanted] * 2
        assert wanted[0] == (304 if etag != '"none"' else wanted[0])


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_kept_is_what_the_router_says(store: Store, path: str) -> None:
    """Status, headers and body are the same from the router and from memory, before and after a new version."""
    await published(store)
    (fresh_app, fresh_reader), (kept_app, kept_reader) = await application(store), await application(store)
    async with client(kept_app) as kept, client(fresh_app) as fresh:
        assert isinstance(kept_app.state.front, Front)
        kept_app.middleware_stack = (
            kept_app.state.front
        )  # without the gate, whose answers tell one request from another
        fresh_app.middleware_stack = fresh_app.build_middleware_stack()
        for method in ("GET", "HEAD"):
            await same(fresh, kept, method, path)
        await commit(store, TAGS, (*TAGS_2, *MANY), START + 5 * DAY)
        await fresh_reader.refresh()
        await kept_reader.refresh()
        for method in ("HEAD", "GET"):
            await same(fresh, kept, method, path)


class Counted:
    """An application that counts how often it is asked and answers as told."""

    def __init__(self, reader: Reader, *, keep: bool = True, parts: int = 1, status: int = 200) -> None:
        self.asked = 0
        self._reader = reader
        self._told = (keep, parts, status)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        keep, parts, status = self._told
        self.asked += 1
        scope[MAY_KEEP] = keep
        version = str(self._reader.current.version).encode()
        await send({"type": "http.response.start", "status": status, "headers": [(b"x-catalog-version", version)]})
        for number in range(parts):
            more = number < parts - 1
            await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": more})


async def ask(front: Front, path: str = "/v1/endpoints", *, query: bytes = b"", method: str = "GET") -> list[Message]:
    """Return what is sent to a client."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": []}
    await front(scope, receive, send)
    return sent


def reader_at(version: int) -> Reader:
    """Return a reader that serves an empty catalogue of this version, without a store."""
    reader = Reader(away())
    reader.current = Snapshot(version, ())
    return reader


async def test_an_answer_is_made_once() -> None:
    """The second request does not reach the application; HEAD has the headers of GET and no body."""
    reader = reader_at(3)
    app = Counted(reader)
    front = Front(app, reader)
    first, second = await ask(front), await ask(front)
    head = [await ask(front, method="HEAD") for _ in range(2)][1]
    assert first[0] == second[0] == head[0]
    assert (second[1]["body"], head[1]["body"], app.asked) == (b"x" * 1000, b"", 2)


async def test_another_snapshot_begins_anew() -> None:
    """Nothing outlives the snapshot it was read from, even where the next one has the same number."""
    reader = reader_at(3)
    app = Counted(reader)
    front = Front(app, reader)
    for _ in range(3):
        await ask(front)
        await ask(front)
        reader.current = Snapshot(3, ())
    assert app.asked == 3


async def test_an_answer_that_a_swap_overtook_is_not_kept() -> None:
    """What was asked of one snapshot and answered during another one may be of either."""
    reader = reader_at(3)
    app = Counted(reader)

    async def swapping(scope: Scope, receive: Receive, send: Send) -> None:
        reader.current = Snapshot(3, ())
        await app(scope, receive, send)

    front = Front(swapping, reader)
    await ask(front)
    await ask(front)
    assert app.asked == 2


@pytest.mark.parametrize("told", [{"keep": False}, {"parts": 2}, {"status": 404}, {"status": 503}])
async def test_only_whole_answers_that_may_be_kept_are(told: dict[str, int]) -> None:
    """No error, no stream and nothing that the route does not vouch for."""
    reader = reader_at(3)
    app = Counted(reader, **told)  # type: ignore[arg-type]
    front = Front(app, reader)
    await ask(front)
    await ask(front)
    assert app.asked == 2


@pytest.mark.parametrize("at", ["prod", "2026-11-23", "latest~1", "LATEST", "3x"])
async def test_what_a_name_means_may_change(at: str) -> None:
    """A label, a date and a distance are asked for anew each time."""
    reader = reader_at(3)
    app = Counted(reader)
    front = Front(app, reader)
    for _ in range(2):
        await ask(front, query=f"at={quote(at)}".encode())
    assert app.asked == 2


@pytest.mark.parametrize(("entries", "size"), [(2, 1 << 20), (100, 2 * 2500)])
async def test_what_is_kept_is_bounded(entries: int, size: int) -> None:
    """By number and by size; what was asked for longest ago goes first."""
    reader = reader_at(3)
    app = Counted(reader)
    front = Front(app, reader, max_entries=entries, max_bytes=size)
    for path in ("/a", "/b", "/a", "/c"):
        await ask(front, path)
    assert app.asked == 3
    await ask(front, "/a")
    assert app.asked == 3
    await ask(front, "/b")
    assert app.asked == 4


async def test_an_address_without_end_is_not_kept() -> None:
    """Names of 5 kB would fill the memory with themselves."""
    reader = reader_at(3)
    app = Counted(reader)
    front = Front(app, reader)
    for _ in range(2):
        await ask(front, query=b"q=" + b"a" * 5000)
    assert app.asked == 2
