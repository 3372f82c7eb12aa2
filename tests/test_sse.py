"""Server-sent events: every event a client asked for once, in order, whatever breaks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from catalog_service.store.connect import Store
from schema.event import EventType, Place
from schema.subscription import EventFilter, SavedFilter
from schema.version import AuditEntry, SourceState
from tests.api_client import (
    DAY,
    PAGE,
    PAGE_1,
    PAGE_HELD,
    START,
    TAGS,
    TAGS_1,
    TAGS_2,
    catalog_client,
    commit,
    hold,
    published,
)
from tests.graphql_server import served
from tests.sse import listening

ROOT = Path(__file__).resolve().parents[1]


async def more(store: Store, first: int, last: int) -> None:
    """Commit the versions from ``first`` to ``last`` of the tags; the fourth is the first that `published` has not."""
    for number in range(first, last + 1):
        await commit(store, TAGS, TAGS_2 if number % 2 else TAGS_1, START + number * DAY)


async def degrade(store: Store) -> None:
    """Have a source fail for the third time."""
    async with store.leases.hold(TAGS) as lease:
        assert lease is not None
        await store.sources.record(lease, SourceState(checked_at=START, failures=3, error="it does not answer"))


async def save(store: Store, name: str, wanted: EventFilter) -> None:
    """Save a filter."""
    entry = AuditEntry(START, "tests", "filter-set", name, "", "")
    await store.saved_filters.set(SavedFilter(name, wanted, START, "tests"), entry)


@contextlib.asynccontextmanager
async def streams(store: Store) -> AsyncIterator[str]:
    """Serve the catalogue for a block, and give the address of its events."""
    async with served(store) as server:
        yield server.url.replace("/graphql", "/v1/events")


async def test_an_event_is_a_message_with_its_place(store: Store) -> None:
    """The stream says where it begins and when to come back; each event has its type, its place and its message."""
    await published(store)
    async with streams(store) as url, listening(url) as stream:
        assert (stream.last_id, stream.retry_ms) == ("3", 3000)
        await more(store, 4, 4)
        event = await stream.event()
    assert event is not None
    assert (event.id, event.name) == ("4", "catalog.version.committed")
    assert event.message["type"] == event.name
    data = event.message["data"]
    assert (data["version"], data["previous_version"], data["sources"]) == (4, 3, [TAGS])
    assert [one["id"] for one in data["changes"]] == [f"{TAGS}:AzureConnectors", f"{TAGS}:LogicApps", f"{TAGS}:Storage"]


async def test_a_client_resumes_by_the_last_id_alone(store: Store) -> None:
    """A browser that asks as it did at first, and names the last event it read, gets what came since."""
    await published(store)
    async with streams(store) as url:
        async with listening(url, since="1") as stream:
            assert await stream.ids(2) == ["2", "3"]
            last = stream.last_id
        await more(store, 4, 6)
        async with listening(url, last_id=last, since="1") as stream:
            assert await stream.ids(3) == ["4", "5", "6"]


async def test_notices_stand_in_their_order(store: Store) -> None:
    """Who asks for them hears of held versions and of sources that fail, and resumes between them."""
    await published(store)
    asked = {"type": "catalog.version.committed,catalog.version.held,source.degraded", "payload": "thin"}
    async with streams(store) as url:
        async with listening(url, **asked) as stream:
            await hold(store, PAGE, PAGE_HELD, START + 3 * DAY)
            await degrade(store)
            await more(store, 4, 4)
            heard = await stream.events(3)
        assert [(one.id, one.name) for one in heard] == [
            ("3-1", "catalog.version.held"),
            ("3-2", "source.degraded"),
            ("4", "catalog.version.committed"),
        ]
        assert "changes" not in heard[2].message["data"]
        async with listening(url, last_id="3-1", **asked) as stream:
            assert await stream.ids(2) == ["3-2", "4"]
        async with listening(url, since="3") as stream:
            assert await stream.ids(1) == ["4"]


@pytest.mark.parametrize(
    ("asked", "heard"),
    [
        ({"source": PAGE}, ["2", "5"]),
        ({"source": TAGS}, ["1", "3", "4", "6"]),
        ({"service": "Storage"}, ["3", "4"]),
        ({"tag": "LogicApps"}, ["1", "2", "3", "4"]),
        ({"cloud": "usgov"}, ["2", "5"]),
        ({"region": "West Europe"}, ["1", "6"]),
        ({"kind": "fqdn"}, ["2", "5"]),
        ({"only": "removed"}, ["3", "4", "5", "6"]),
        ({"impact": "RemovedIpOrUrl", "source": TAGS}, ["3", "4"]),
        ({"filter": "storage"}, ["3", "4"]),
    ],
)
async def test_filters(store: Store, asked: dict[str, str], heard: list[str]) -> None:
    """What does not pass is not told: the filters of a diff, or one that was saved."""
    await published(store)
    await save(store, "storage", EventFilter(services=("Storage",)))
    await commit(store, TAGS, TAGS_1, START + 3 * DAY)
    await commit(store, PAGE, PAGE_1[1:], START + 4 * DAY)
    await commit(store, TAGS, TAGS_1[:1] + TAGS_1[2:], START + 5 * DAY)
    async with streams(store) as url, listening(url, since="0", **asked) as stream:
        assert await stream.ids(len(heard)) == heard


REFUSED: tuple[tuple[dict[str, str], dict[str, str], int, str], ...] = (
    ({"since": "99"}, {}, 404, "since"),
    ({"since": "3-9"}, {}, 404, "since"),
    ({"since": "x"}, {}, 400, "since"),
    ({"since": "1-2-3"}, {}, 400, "since"),
    ({}, {"Last-Event-ID": "4"}, 404, "since"),
    ({"since": "1"}, {"Last-Event-ID": "x"}, 400, "Last-Event-ID"),
    ({"type": "subscription.disabled"}, {}, 400, "type"),
    ({"type": "subscription.ping"}, {}, 400, "type"),
    ({"type": "nothing"}, {}, 400, "type"),
    ({"payload": "fat"}, {}, 400, "payload"),
    ({"source": "nobody"}, {}, 404, "source"),
    ({"region": "nowhere"}, {}, 400, "region"),
    ({"filter": "nobody"}, {}, 404, "filter"),
    ({"filter": "own", "source": TAGS}, {}, 400, "source"),
    ({"filter": "own"}, {}, 400, "filter"),
    ({"until": "4"}, {}, 400, "until"),
)


@pytest.mark.parametrize(("asked", "headers", "status", "parameter"), REFUSED)
async def test_what_is_refused(
    store: Store, asked: dict[str, str], headers: dict[str, str], status: int, parameter: str
) -> None:
    """Before a stream begins, what is wrong with it is a problem document, as everywhere."""
    await save(store, "own", EventFilter(types=(EventType.DISABLED,)))
    async with catalog_client(store) as opened:
        answer = await opened.get("/v1/events", params=asked, headers=headers)
    assert (answer.status_code, answer.json()["parameter"]) == (status, parameter)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_head_has_no_end_to_wait_for(store: Store) -> None:
    """HEAD is answered with the headers alone, which keep proxies from keeping."""
    await published(store)
    async with served(store) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import sys, urllib.request as u; r = u.urlopen(u.Request(sys.argv[1], method='HEAD'),"
            " timeout=5); print(r.status, r.headers['cache-control'], r.headers['x-accel-buffering'])",
            server.url.replace("/graphql", "/v1/events"), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        told, _ = await asyncio.wait_for(process.communicate(), 20)
    assert told.decode().split() == ["200", "no-cache", "no"]


class Service:
    """The product as a process, on a store that others write to."""

    def __init__(self, url: str, folder: Path) -> None:
        self._command = [sys.executable, "-m", "catalog_service", "serve", "--redis-url", url]
        self._command += ["--port", "0", "--log-format", "json", "--data-dir", str(folder)]
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> str:
        """Start it, and return the address of its events."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        assert self._process.stderr
        while line := await asyncio.wait_for(self._process.stderr.readline(), 30):
            if url := json.loads(line).get("url"):
                return f"{url}/v1/events"
        raise AssertionError("it did not start")

    async def end(self, how: signal.Signals) -> None:
        """End it, and wait for that."""
        assert self._process
        self._process.send_signal(how)
        await asyncio.wait_for(self._process.communicate(), 20)


async def test_a_restart_loses_nothing(store: Store, redis_url: str, tmp_path: Path) -> None:
    """Killed and started again, with events before, between and after: each is heard once, in order."""
    await published(store)
    service = Service(redis_url, tmp_path)
    asked = {"type": "catalog.version.committed,source.degraded"}
    heard: list[str] = []
    async with listening(await service.start(), since="0", **asked) as stream:
        await more(store, 4, 5)
        heard += await stream.ids(5)
        await service.end(signal.SIGKILL)
        await more(store, 6, 7)
        with contextlib.suppress(aiohttp.ClientPayloadError):  # it breaks off in the middle
            assert await stream.event() is None
        last = stream.last_id
    await degrade(store)
    url = await service.start()
    async with listening(url, last_id=last, **asked) as stream:
        heard += await stream.ids(3)
        await more(store, 8, 9)
        heard += await stream.ids(2)
        await service.end(signal.SIGTERM)  # its streams end, for clients to come back
        assert await stream.event() is None
    assert heard == ["1", "2", "3", "4", "5", "6", "7", "7-1", "8", "9"]


async def test_a_closing_service_ends_streams_at_once(store: Store) -> None:
    """Nobody waits for the next heartbeat."""
    await published(store)
    async with served(store) as server, listening(server.url.replace("/graphql", "/v1/events")) as stream:
        server.app.state.close()
        assert await asyncio.wait_for(stream.event(), 5) is None


def test_a_place_is_what_an_id_says() -> None:
    """Ids sort as their events do, notices behind their version."""
    assert sorted([Place(4), Place(3, 10), Place(3), Place(3, 2)]) == [Place(3), Place(3, 2), Place(3, 10), Place(4)]
