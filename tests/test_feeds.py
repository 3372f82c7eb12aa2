"""Feeds: what readers of Atom, RSS and JSON Feed make of them."""

from __future__ import annotations

import json
from typing import Any

import feedparser  # type: ignore[import-untyped]
import httpx
import pytest
from bs4 import BeautifulSoup

from catalog_service.api.app import create_app
from catalog_service.api.reads.past import Past
from catalog_service.events.bodies import Bodies
from catalog_service.events.committed import committed
from catalog_service.events.judgements import Judgements
from catalog_service.events.links import Origin
from catalog_service.reader import Reader
from catalog_service.store import keys
from catalog_service.store.connect import Store
from catalog_service.store.leases import Ask
from schema.endpoint_set import endpoint_set
from schema.event import EventType, Place
from schema.subscription import EventFilter, Parcel, Payload, SavedFilter
from schema.version import AuditEntry
from schema.words import Cloud
from tests.api_client import (
    DAY,
    PAGE,
    PAGE_HELD,
    SOURCES,
    START,
    TAGS,
    TAGS_1,
    TAGS_2,
    application,
    catalog_client,
    client,
    commit,
    hold,
    published,
    tag,
)

FORMATS = {"atom": "application/atom+xml", "rss": "application/rss+xml", "json": "application/feed+json"}


def entries(answer: httpx.Response) -> list[tuple[str, str, str, str]]:
    """Return (id, link, title, content) of each entry, as a reader of its format finds them."""
    assert answer.status_code == 200, answer.text
    if answer.headers["content-type"] == FORMATS["json"]:
        return [(one["id"], one["url"], one["title"], one["content_html"]) for one in answer.json()["items"]]
    found = parsed(answer)
    return [
        (one.id, one.link, one.title, one.content[0].value if "content" in one else one.summary)
        for one in found.entries
    ]


def parsed(answer: httpx.Response) -> Any:
    """Return an XML feed as feedparser reads it, which has nothing to complain of."""
    found = feedparser.parse(answer.content, response_headers={"content-type": answer.headers["content-type"]})
    assert not found.bozo, found.get("bozo_exception")
    return found


@pytest.mark.parametrize(("name", "media_type"), FORMATS.items())
async def test_readers_read_it(store: Store, name: str, media_type: str) -> None:
    """Newest first; the title is a sentence, the link a page, the content the changes as a table."""
    async with catalog_client(store) as opened:
        answer = await opened.get(f"/v1/feed.{name}")
    assert answer.headers["content-type"].partition(";")[0] == media_type
    found = entries(answer)
    assert [link.partition("?")[0] for _, link, _, _ in found] == [
        f"http://127.0.0.1:8080/diff/{span}" for span in ("2...3", "1...2", "0...1")
    ]
    assert found[0][2].startswith("Azure service tags, Public, version 3: AddedIp in 2 endpoint sets")
    table = BeautifulSoup(found[0][3], "lxml")
    rows = [[cell.get_text(" ") for cell in row.find_all(["th", "td"])] for row in table.find_all("tr")]
    assert rows[1:] == [
        ["AzureConnectors", "changed, +1 -1 prefixes; AddedIp change_number: 1 → 2", "13.67.0.0/16", "2603:1000::/40"],
        ["LogicApps", "removed, +0 -1 prefixes; RemovedIpOrUrl", "", "20.1.2.0/24"],
        ["Storage", "added, +1 -0 prefixes; AddedIp", "20.60.0.0/16", ""],
    ]
    assert len({id_ for id_, *_ in found}) == 3
    assert all(id_.startswith("urn:uuid:") for id_, *_ in found)


async def test_ids_are_the_same_wherever_and_whatever_is_asked(store: Store) -> None:
    """In every format, under every filter and address an event has one id; another catalogue's has another."""
    async with catalog_client(store) as opened:
        found = [entries(await opened.get(f"/v1/feed.{name}"))[0] for name in FORMATS]
        found += entries(await opened.get("/v1/feed.atom?service=Storage"))
    reader = Reader(store)
    await reader.refresh()
    async with client(create_app(reader, SOURCES, base_url="https://catalog.example/endpoints/")) as opened:
        elsewhere = await opened.get("/v1/feed.json?only=added")
    (moved, link, _, content), *_ = entries(elsewhere)
    assert {id_ for id_, *_ in found} == {moved}
    assert link.startswith("https://catalog.example/endpoints/diff/2...3?")
    assert elsewhere.json()["feed_url"] == "https://catalog.example/endpoints/v1/feed.json?only=added"
    assert "20.60.0.0/16" in content
    assert "20.1.2.0/24" not in content
    await store.redis.flushall()
    await commit(store, TAGS, TAGS_1, START + DAY)
    app, _ = await application(store)
    async with client(app) as opened:
        other = entries(await opened.get("/v1/feed.rss"))
    assert len(other) == 1
    assert other[0][0] != moved


@pytest.mark.parametrize("name", FORMATS)
async def test_what_upstream_writes_is_text(store: Store, name: str) -> None:
    """Markup, control characters and marks that turn text are shown, never obeyed; XML stays XML."""
    nasty = "<script>alert(1)</script>\x07\x1b[31m ]]> &amp; \u202e'\""
    record = endpoint_set(PAGE, "x", service=nasty, title=nasty, clouds=[Cloud.PUBLIC], prefixes=["20.1.2.0/24"])
    await commit(store, PAGE, (record,), START)
    app, _ = await application(store)
    async with client(app) as opened:
        ((_, _, title, content),) = entries(await opened.get(f"/v1/feed.{name}?limit=1"))
    found = BeautifulSoup(content, "lxml")
    assert not found.find("script")
    assert "<script>alert(1)</script>" in found.get_text()
    assert "\x1b" not in title + content
    assert "\u202e" not in title + content


@pytest.mark.parametrize("name", FORMATS)
async def test_what_a_client_asks_for_is_text(store: Store, name: str) -> None:
    """A feed says its own address, whatever stands in it."""
    async with catalog_client(store) as opened:
        for query in ("service=%07%00%1b", "service=%ff", "service=%3Cb%3E%22'%26", "service=%F0%9F%A6%8A"):
            answer = await opened.get(f"/v1/feed.{name}?{query}&limit=3")
            assert entries(answer) == []
            assert b"/v1/feed." in answer.content


async def test_a_long_list_is_cut(store: Store) -> None:
    """A week of thousands of prefixes is an entry that a reader can show: it says how many more there are, and where."""
    many = tuple(tag(f"T{number:03}", *(f"20.{number}.{byte}.0/24" for byte in range(9))) for number in range(120))
    await commit(store, TAGS, many, START)
    app, _ = await application(store)
    async with client(app) as opened:
        ((_, link, _, content),) = entries(await opened.get("/v1/feed.atom"))
    assert len(content) < 20_000
    found = BeautifulSoup(content, "lxml")
    assert len(found.find_all("code")) == 200
    assert "and 70 more" in found.find_all("tr")[-1].get_text()
    assert found.find_all("a")[-1]["href"] == link


@pytest.mark.parametrize(
    ("query", "versions"),
    [
        ("", [3, 2, 1]),
        ("limit=2", [3, 2]),
        (f"source={PAGE}", [2]),
        ("service=Storage", [3]),
        ("tag=LogicApps", [3, 2, 1]),
        ("only=removed", [3]),
        ("filter=pages", [2]),
        ("impact_at_least=RemovedIpOrUrl&only=removed", [3]),
        ("region=chinaeast", []),
    ],
)
async def test_filters(store: Store, query: str, versions: list[int]) -> None:
    """An entry is there where its version has a change that passes, and tells of that alone."""
    entry = AuditEntry(START, "tests", "filter-set", "pages", "", "")
    await store.saved_filters.set(SavedFilter("pages", EventFilter(sources=(PAGE,)), START, "tests"), entry)
    async with catalog_client(store) as opened:
        feed = (await opened.get(f"/v1/feed.json?{query}")).json()
        atom = parsed(await opened.get(f"/v1/feed.atom?{query}"))
    assert [one["_message"]["data"]["version"] for one in feed["items"]] == versions
    assert len(atom.entries) == len(versions)


async def test_notices_are_entries_where_they_are_asked_for(store: Store) -> None:
    """A version that waits for a person, with its reasons and the way to it."""
    await published(store)
    await hold(store, PAGE, PAGE_HELD, START + 4 * DAY)
    app, _ = await application(store)
    async with app.router.lifespan_context(app), client(app) as opened:
        first = await opened.get("/v1/feed.atom?type=catalog.version.held")
    ((_, link, title, content),) = entries(first)
    assert link == "http://127.0.0.1:8080/held/0123456789ab"
    assert "waits for a person" in title
    assert "more than 20%" in content


async def test_a_feed_is_asked_for_again_and_again(store: Store) -> None:
    """Until something happens, who has it is told so; then it is another, compressed for who takes that."""
    await published(store)
    app, reader = await application(store)
    async with client(app) as opened:
        first = await opened.get("/v1/feed.rss", headers={"Accept-Encoding": "gzip"})
        known = {"If-None-Match": first.headers["etag"], "Accept-Encoding": "gzip"}
        again = await opened.get("/v1/feed.rss", headers=known)
        await commit(store, TAGS, TAGS_1, START + 5 * DAY)
        await reader.refresh()
        later = await opened.get("/v1/feed.rss", headers=known)
    assert (first.status_code, again.status_code, later.status_code) == (200, 304, 200)
    assert first.headers["content-encoding"] == "gzip"
    assert [len(entries(one)) for one in (first, later)] == [3, 4]


async def test_an_empty_catalogue_has_no_feed_yet(store: Store) -> None:
    """Nothing yet is not nothing: it is told to come back."""
    app, _ = await application(store)
    async with client(app) as opened:
        answers = [await opened.get(path) for path in ("/v1/feed.atom", "/v1/calendar.ics")]
    assert [one.status_code for one in answers] == [503, 503]


async def test_what_was_pruned_is_still_an_entry(store: Store) -> None:
    """Its counts are known, its changes are not."""
    for number in range(4):
        await commit(store, TAGS, TAGS_2 if number % 2 else TAGS_1, START + number * DAY)
    await store.retention.prune(2)
    app, _ = await application(store)
    async with client(app) as opened:
        found = entries(await opened.get("/v1/feed.atom"))
    assert len(found) == 4
    assert "cannot be shown" in found[3][2]
    assert "<table>" in found[0][3]
    assert "<table>" not in found[3][3]


async def test_a_damaged_version_is_an_entry_without_its_changes(store: Store) -> None:
    """The others are told in full: one damaged changeset takes no feed away."""
    for number in range(4):
        await commit(store, TAGS, TAGS_2 if number % 2 else TAGS_1, START + number * DAY)
    ask: Ask = store.redis.execute_command
    await ask("HSET", keys.CHANGESETS, 3, b"damaged")
    app, _ = await application(store)
    async with client(app) as opened:
        found = entries(await opened.get("/v1/feed.atom"))
    assert ["<table>" in entry[3] for entry in found] == [True, False, True, True]


async def test_what_is_undone_is_what_was(store: Store) -> None:
    """Going back over the versions of several sources says of each what loading it says, with gaps and without."""
    await published(store)
    for number in range(4, 9):
        await commit(store, TAGS, TAGS_1 if number % 2 else TAGS_2[: number % 3], START + number * DAY)
    await commit(store, PAGE, PAGE_HELD, START + 9 * DAY)
    reader = Reader(store)
    await reader.refresh()
    versions, origin = await store.versions.after(0, 100), Origin("https://catalog.example")
    bodies = Bodies(Judgements(reader), origin)
    for step in (1, 2):
        async with Past(reader).walk() as walk:
            for version in versions[::-step]:
                found = committed(await walk.told(version), EventFilter(), Payload.FULL, origin)
                place = Place(version.version)
                loaded = await bodies.body(Parcel(place, place), None, EventFilter(), Payload.FULL)
                assert loaded
                assert found == loaded.message


async def test_the_messages_of_a_json_feed_are_those_of_webhooks(store: Store) -> None:
    """A program finds the very message that it would be sent."""
    async with catalog_client(store) as opened:
        items = json.loads((await opened.get("/v1/feed.json")).content)["items"]
    assert {one["_message"]["type"] for one in items} == {EventType.COMMITTED}
    assert [one["_message"]["timestamp"] for one in items] == [one["date_published"] for one in items]
    assert [len(one["_message"]["data"]["changes"]) for one in items] == [3, 2, 3]
