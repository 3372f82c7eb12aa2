"""Freshness: each source has an objective, and every answer says when what it holds was not confirmed in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.routing import Route

from catalog_service.api.app import create_app
from catalog_service.catalog.fresh import is_fresh, stale_sources
from catalog_service.cli.wiring import chosen_sources
from catalog_service.reader import Reader
from catalog_service.settings import load_settings
from catalog_service.store.connect import Store
from schema.errors import UnknownSourceError
from schema.version import SourceState
from tests.api_client import PAGE, SOURCES, START, TAGS, away, client, graphql, published
from tests.local_source import Clock

HOURS = timedelta(hours=1)
SINCE_TAGS = START + timedelta(days=2)
"""When the tags were confirmed last; the page a day before. Both are due within three hours."""


@pytest.mark.parametrize(
    ("state", "after", "fresh"),
    [
        (SourceState(), 0 * HOURS, False),
        (SourceState(ok_at=START), 3 * HOURS, True),
        (SourceState(ok_at=START), 3 * HOURS + timedelta(seconds=1), False),
        (SourceState(ok_at=START), -HOURS, True),  # a clock that went back
        (SourceState(ok_at=START, failures=9), HOURS, True),  # only time counts
        (SourceState(checked_at=START + 4 * HOURS), 4 * HOURS, False),  # asked, and not confirmed
    ],
)
def test_fresh_is_confirmed_in_time(state: SourceState, after: timedelta, *, fresh: bool) -> None:
    """A source is fresh for as long as its objective after what is served was confirmed, whatever its last run was."""
    assert is_fresh(SOURCES[0], state, START + after) is fresh


def test_an_archive_and_what_is_missing_are_not_stale() -> None:
    """Upstream of an archive is closed, and of a missing source nothing is served: neither is stale."""
    archive, missing = replace(SOURCES[0], archive=True), SOURCES[1]
    assert stale_sources((archive, missing), {archive.name}, {}, START) == ()
    assert stale_sources((SOURCES[0], missing), {TAGS}, {}, START) == (TAGS,)


def test_objectives_are_set_by_name() -> None:
    """The objective is three intervals unless it is set; a name that no source has ends the start, with a hint."""
    sources = chosen_sources(load_settings({"fresh_s": {TAGS: 600}}))
    within = {one.name: one.info.fresh_within_s for one in sources}
    assert within[TAGS] == 600
    assert within[PAGE] == 3 * next(one.interval_s for one in sources if one.name == PAGE)
    with pytest.raises(UnknownSourceError, match=f"did you mean {TAGS}"):
        chosen_sources(load_settings({"fresh_s": {f"{TAGS}x": 600}}))


@pytest.fixture
def now() -> Clock:
    """A clock at which the tags were just confirmed."""
    return Clock(SINCE_TAGS)


@pytest.fixture
async def app(store: Store, now: Clock) -> Starlette:
    await published(store)
    reader = Reader(store)
    await reader.refresh()
    reader.refreshed_at = now()
    return create_app(reader, SOURCES, clock=now)


@pytest.fixture
async def opened(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with client(app) as made:
        yield made


async def said(client: httpx.AsyncClient, url: str, name: str = "stale", **headers: str) -> str | None:
    response = await client.get(url, headers=headers)
    assert response.status_code in {200, 304}, response.text
    told: str | None = response.headers.get(f"x-catalog-{name}")
    return told


async def test_answers_name_what_is_stale(app: Starlette, opened: httpx.AsyncClient, now: Clock) -> None:
    """The header appears on kept answers and on 304 as soon as a source is stale, and goes when it is confirmed."""
    etag = (await opened.get("/v1/allowlist")).headers["etag"]
    assert await said(opened, "/v1/allowlist") is None  # kept from now on
    await app.state.freshness.refresh()
    assert await said(opened, "/v1/allowlist") == PAGE
    now.forward(hours=4)
    await app.state.freshness.refresh()
    for url in (
        "/v1/allowlist",
        "/v1/endpoints",
        "/v1/sources",
        "/v1/lookup?q=13.66.60.1",
        "/graphql?query={catalogVersion}",
    ):
        assert await said(opened, url) == f"{TAGS}, {PAGE}"
    assert await said(opened, "/v1/allowlist", **{"If-None-Match": etag}) == f"{TAGS}, {PAGE}"
    assert await said(opened, "/", Accept="text/html") == f"{TAGS}, {PAGE}"
    await confirmed(app, now())
    assert await said(opened, "/v1/allowlist") == PAGE


async def confirmed(app: Starlette, at: datetime) -> None:
    """Have a run confirm the tags at ``at``."""
    store: Store = app.state.freshness._reader.store
    async with store.leases.hold(TAGS) as lease:
        assert lease
        await store.sources.record(lease, SourceState(checked_at=at, ok_at=at))
    await app.state.freshness.refresh()


async def test_only_what_it_is_due_of(app: Starlette, opened: httpx.AsyncClient, now: Clock) -> None:
    """Older versions, answers for ever, other sources' answers and what is no content do not have the header."""
    await app.state.freshness.refresh()
    assert await said(opened, f"/v1/endpoints?source={PAGE}") == PAGE
    assert await said(opened, f"/v1/endpoints?source={TAGS},{PAGE.upper()}") == PAGE
    for url in (
        f"/v1/endpoints?source={TAGS}",
        "/v1/endpoints?at=3",
        "/v1/endpoints?at=latest~1",
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/metrics",
    ):
        assert await said(opened, url) is None, url


async def test_an_age_while_the_store_is_away(opened: httpx.AsyncClient, now: Clock) -> None:
    """Once the store has not confirmed anything for a while, answers say for how long; kept ones too, each anew."""
    assert await said(opened, "/v1/allowlist", "age") is None
    now.forward(seconds=42)
    assert await said(opened, "/v1/allowlist", "age") == "42"
    now.forward(seconds=1)
    assert await said(opened, "/v1/allowlist", "age") == "43"
    assert await said(opened, "/v1/allowlist?at=3", "age") is None


async def test_what_was_read_grows_old_without_redis(store: Store, now: Clock) -> None:
    """While Redis is away a source becomes stale by the state that was read last."""
    await published(store)
    reader = Reader(store)
    await reader.refresh()
    freshness = create_app(reader, SOURCES, clock=now).state.freshness
    await freshness.refresh()
    assert freshness.stale == (PAGE,)
    reader.store = away()
    now.forward(hours=4)
    await freshness.refresh()
    assert freshness.stale == (TAGS, PAGE)


async def test_sources_and_readiness_say_it(app: Starlette, opened: httpx.AsyncClient, now: Clock) -> None:
    """REST and GraphQL tell of each source whether it is fresh and within what; /readyz names the stale ones."""
    await confirmed(app, datetime.now(UTC))
    listed = {one["name"]: one for one in (await opened.get("/v1/sources")).json()["items"]}
    assert [(listed[name]["fresh"], listed[name]["fresh_within_s"]) for name in (TAGS, PAGE, "never-read")] == [
        (True, 10800),
        (False, 10800),
        (False, 10800),
    ]
    data = await graphql(opened, "{ sources { name fresh freshWithinS status } }")
    assert {one["name"]: one["fresh"] for one in data["data"]["sources"]} == {
        TAGS: True,
        PAGE: False,
        "never-read": False,
    }
    assert listed[PAGE]["status"] == "ok"
    now.now = datetime.now(UTC)
    await app.state.freshness.refresh()
    ready = await opened.get("/readyz")
    assert (ready.status_code, ready.json()["stale"], ready.json()["missing"]) == (200, [PAGE], ["never-read"])


async def test_the_home_page_says_it(opened: httpx.AsyncClient) -> None:
    """The page tells beside a source's state that it was not confirmed in time."""
    page = (await opened.get("/", headers={"Accept": "text/html"})).text
    assert page.count("not confirmed within 3 h") == 2


OF_NOW = {
    "/": "/",
    "/versions": "/versions",
    "/diff/{span}": "/diff/1...latest",
    "/endpoints/{id}": f"/endpoints/{TAGS}:Storage",
    "/lookup": "/lookup?q=13.66.60.1",
    "/history": "/history?q=13.66.60.1",
    "/graphql": "/graphql?query={catalogVersion}",
    "/v1/sources": "/v1/sources",
    "/v1/regions": "/v1/regions",
    "/v1/versions": "/v1/versions",
    "/v1/versions/{spec}": "/v1/versions/latest",
    "/v1/changes": "/v1/changes",
    "/v1/endpoints": "/v1/endpoints",
    "/v1/endpoints/{id}": f"/v1/endpoints/{TAGS}:Storage",
    "/v1/diff/{span}": "/v1/diff/1...latest",
    "/v1/lookup": "/v1/lookup?q=13.66.60.1",
    "/v1/history": "/v1/history?q=13.66.60.1",
    "/v1/allowlist": "/v1/allowlist",
    "/v1/conflicts": "/v1/conflicts",
    "/v1/feed.{format}": "/v1/feed.atom",
    "/v1/calendar.ics": "/v1/calendar.ics",
}
"""An address of each route that is read from the newest version."""
OF_NO_VERSION = {
    *(
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/docs",
        "/assets/pages/{name}",
        "/assets/graphiql/{digest}/{name}",
    ),
    *("/diff", "/held/{id}", "/subscriptions", "/subscriptions/{id}"),
    *("/v1/scenarios", "/v1/labels", "/v1/documents/{digest}", "/v1/held", "/v1/held/{id}", "/v1/events"),
    *("/v1/subscriptions", "/v1/subscriptions/{id}", "/v1/subscriptions/{id}/deliveries"),
    *("/v1/subscriptions/{id}/deliveries/{delivery}", "/v1/filters", "/v1/signing-keys"),
    *("/v1/tokens", "/v1/whoami", "/v1/audit"),
}


async def test_every_address_that_is_read_from_the_newest_version_says_it(
    app: Starlette, opened: httpx.AsyncClient, now: Clock
) -> None:
    """REST and pages alike, their 304 too: all routes there are either say how old it is, or read no version."""
    now.forward(hours=4)
    await app.state.freshness.refresh()
    assert {*OF_NOW, *OF_NO_VERSION} == {
        one.path for one in app.routes if isinstance(one, Route) and "GET" in (one.methods or ())
    }
    for url in OF_NOW.values():
        for accept in ("text/html", "*/*"):
            told = await opened.get(url, headers={"Accept": accept})
            again = await opened.get(url, headers={"Accept": accept, "If-None-Match": told.headers.get("etag", "")})
            for one in (told, again):
                assert one.headers.get("x-catalog-stale") == f"{TAGS}, {PAGE}", (url, one)
                assert one.headers.get("x-catalog-age") == "14400", (url, one)
    for url in ("/lookup?q=13.66.60.1&at=1", f"/endpoints/{TAGS}:LogicApps?at=1", "/v1/scenarios"):
        assert await said(opened, url, Accept="text/html") is None, url
