"""The application on a real store, with a small catalogue of our own, for the tests of the API.

`published` fills a store with three versions:

    1  azure-service-tags-public                 AzureConnectors, AzureConnectors.WestEurope, LogicApps
    2  power-automate-ip-address-configuration   a row of names, a row that names service tags
    3  azure-service-tags-public                 one prefix more and one less, LogicApps gone, Storage new
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.applications import Starlette

from catalog_service.api.actions import Actions
from catalog_service.api.app import create_app
from catalog_service.catalog.diff import diff
from catalog_service.reader import Reader
from catalog_service.store.commits import Commit
from catalog_service.store.connect import Store, open_store
from schema.change import summarize
from schema.document import Provenance
from schema.endpoint_set import Attributes, EndpointSet, content_digest, endpoint_set
from schema.source import SourceInfo
from schema.version import HeldVersion, SourceState, Version, count
from schema.words import Cloud, Direction

TAGS = "azure-service-tags-public"
PAGE = "power-automate-ip-address-configuration"
START = datetime(2026, 11, 2, 6, tzinfo=UTC)
DAY = timedelta(days=1)
SOURCES = (
    SourceInfo(TAGS, "Azure service tags, Public", Cloud.PUBLIC, "https://tags.example/", 3600),
    SourceInfo(PAGE, "Power Automate IP addresses", Cloud.PUBLIC, "https://page.example/", 3600),
    SourceInfo("never-read", "A source without a version", Cloud.CHINA, "https://never.example/", 3600),
)


def tag(name: str, *prefixes: str, number: int = 1, region: str | None = None) -> EndpointSet:
    """Return a service tag."""
    return endpoint_set(
        TAGS,
        name,
        service=name.partition(".")[0],
        title=name,
        clouds=[Cloud.PUBLIC],
        region=region,
        prefixes=prefixes,
        attributes=Attributes(change_number=number, network_features=None),
    )


def row(
    key: str, *fqdns: str, service_tags: tuple[str, ...] = (), clouds: tuple[Cloud, ...] = (Cloud.PUBLIC,)
) -> EndpointSet:
    """Return a row of the page."""
    return endpoint_set(
        PAGE,
        key,
        service="Power Automate",
        title=key,
        clouds=clouds,
        direction=Direction.OUTBOUND,
        fqdns=fqdns,
        protocols=["https"],
        tcp_ports=["443"],
        service_tags=service_tags,
        purpose="Needed to open flows.",
        heading=("Services", "Required"),
    )


TAGS_1 = (
    tag("AzureConnectors", "13.66.60.0/24", "2603:1000::/40"),
    tag("AzureConnectors.WestEurope", "13.66.60.64/26", region="westeurope"),
    tag("LogicApps", "20.1.2.0/24"),
)
TAGS_2 = (
    tag("AzureConnectors", "13.66.60.0/24", "13.67.0.0/16", number=2),
    tag("AzureConnectors.WestEurope", "13.66.60.64/26", region="westeurope"),
    tag("Storage", "20.60.0.0/16"),
)
PAGE_1 = (
    row("flow", "*.flow.microsoft.com", "make.powerautomate.com", clouds=(Cloud.PUBLIC, Cloud.USGOV)),
    row("references", service_tags=("AzureConnectors", "LogicApps")),
)
PAGE_HELD = (row("flow", "make.powerautomate.com", clouds=(Cloud.PUBLIC, Cloud.USGOV)),)


async def commit(store: Store, source: str, records: tuple[EndpointSet, ...], at: datetime) -> Version:
    """Publish ``records`` as the whole content of ``source``."""
    previous = await store.contents.content(source)
    changes = diff(previous.endpoint_sets if previous else (), records)
    version = Version(
        version=0,
        source=source,
        fetched_at=at,
        committed_at=at,
        digest=content_digest(records),
        counts=count(records),
        summary=summarize(changes),
        url=f"https://{source}.example/file",
        document="sha256:00",
        previous=previous.version.version if previous else None,
        upstream_version=f"{at:%Y%m%d}",
    )
    async with store.leases.hold(source) as lease:
        assert lease is not None
        state = SourceState(checked_at=at, ok_at=at)
        return await store.commits.commit(lease, Commit(version, changes, records, state))


async def hold(store: Store, source: str, records: tuple[EndpointSet, ...], at: datetime) -> HeldVersion:
    """Put ``records`` up for a person."""
    served = await store.contents.content(source)
    changes = diff(served.endpoint_sets if served else (), records)
    held = HeldVersion(
        id="0123456789ab",
        source=source,
        held_at=at,
        reasons=("1 of 2 endpoint sets removed (50.0%), more than 20%",),
        digest=content_digest(records),
        counts=count(records),
        summary=summarize(changes),
        provenance=Provenance(url="https://page.example/", fetched_at=at, digest="sha256:11"),
        base=served.version.version if served else None,
    )
    async with store.leases.hold(source) as lease:
        assert lease is not None
        await store.sources.record(lease, SourceState(checked_at=at), hold=(held, records))
    return held


async def published(store: Store) -> None:
    """Fill ``store`` with the three versions."""
    await commit(store, TAGS, TAGS_1, START)
    await commit(store, PAGE, PAGE_1, START + DAY)
    await commit(store, TAGS, TAGS_2, START + 2 * DAY)


@contextlib.contextmanager
def served_url(url: str, folder: Path, fill: Callable[[Store], Awaitable[None]]) -> Iterator[str]:
    """Give the address of a store filled by ``fill``, for commands run in this process; emptied afterwards."""

    async def begin(fill: Callable[[Store], Awaitable[None]] | None) -> None:
        async with open_store(url, folder, service=False) as store:
            await store.redis.flushall()
            if fill:
                await fill(store)

    asyncio.run(begin(fill))
    yield url
    asyncio.run(begin(None))


def away() -> Store:
    """Return a store whose Redis does not answer."""
    return Store(Redis(unix_socket_path="/nowhere/redis.sock", retry=Retry(NoBackoff(), 0)))


async def application(store: Store, *, demo: bool = False, actions: Actions | None = None) -> tuple[Starlette, Reader]:
    """Return the application and its reader, with the newest version loaded."""
    reader = Reader(store)
    await reader.refresh()
    return create_app(reader, SOURCES, demo=demo, actions=actions), reader


def client(app: Starlette) -> httpx.AsyncClient:
    """Return a client that talks to ``app`` in this process."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://catalog.test")


@contextlib.asynccontextmanager
async def catalog_client(
    store: Store, *, demo: bool = False, actions: Actions | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the catalogue with its three versions."""
    await published(store)
    app, _ = await application(store, demo=demo, actions=actions)
    app.state.close()  # this client reads whole answers: streams end as soon as they began
    async with client(app) as opened:
        yield opened


async def graphql(client: httpx.AsyncClient, query: str, **variables: object) -> dict[str, Any]:
    """Return GraphQL's whole answer to ``query``."""
    response = await client.post("/graphql", json={"query": query, "variables": variables})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer
