"""The calendar: days from which what upstreams announced may be in use."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar
from msgspec.structs import replace

from catalog_service.catalog.diff import diff
from catalog_service.store.commits import Commit
from catalog_service.store.connect import Store
from schema.change import summarize
from schema.endpoint_set import EndpointSet, content_digest, endpoint_set
from schema.version import SourceState, Version, count
from schema.words import Cloud
from tests.api_client import DAY, START, TAGS, TAGS_1, TAGS_2, application, catalog_client, client, commit, tag

M365 = "microsoft-365-worldwide"


def set_of(key: str, *fqdns: str, title: str = "Exchange") -> EndpointSet:
    """Return an endpoint set of Microsoft 365."""
    return endpoint_set(M365, key, service=title, title=title, clouds=[Cloud.PUBLIC], fqdns=fqdns)


async def announce(
    store: Store, source: str, records: tuple[EndpointSet, ...], at: datetime, upstream_at: datetime | None, **more: Any
) -> Version:
    """Publish ``records``, which upstream dates ``upstream_at``."""
    previous = await store.contents.content(source)
    changes = diff(previous.endpoint_sets if previous else (), records)
    version = Version(
        version=0, source=source, fetched_at=at, committed_at=at, digest=content_digest(records),
        counts=count(records), summary=summarize(changes), url="https://x.example/", document="sha256:00",
        previous=previous.version.version if previous else None, upstream_at=upstream_at, **more,
    )  # fmt: skip
    async with store.leases.hold(source) as lease:
        assert lease is not None
        return await store.commits.commit(lease, Commit(version, changes, records, SourceState(checked_at=at)))


async def calendar(store: Store, query: str = "") -> list[Any]:
    """Return the events of the calendar as icalendar reads them."""
    app, _ = await application(store)
    async with client(app) as opened:
        answer = await opened.get(f"/v1/calendar.ics{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))
    assert b"\n" not in answer.content.replace(b"\r\n", b"")
    found = Calendar.from_ical(answer.content)
    assert not found.errors
    assert str(found["VERSION"]) == "2.0"
    return list(found.walk("VEVENT"))


async def test_each_source_has_its_own_notice(store: Store) -> None:
    """Microsoft 365 30 days after its date, service tags a week; a first version and a mere removal announce nothing."""
    await announce(store, M365, (set_of("1", "a.example"),), START, START)
    await announce(store, M365, (set_of("1", "a.example", "b.example"),), START + 3 * DAY, START + 1 * DAY)
    await announce(store, TAGS, TAGS_1, START, None)
    await announce(store, TAGS, TAGS_2, START + 2 * DAY, START)
    await announce(store, TAGS, TAGS_2[:1], START + 3 * DAY, START + 3 * DAY)
    found = await calendar(store)
    assert [(one.decoded("DTSTART"), str(one["SUMMARY"])) for one in found] == [
        (date(2026, 11, 9), "Azure service tags, Public: 2 prefixes of version 4 may be in use"),
        (date(2026, 12, 3), "microsoft-365-worldwide: 1 name of version 2 may be in use"),
    ]
    assert [one.decoded("DTSTAMP") for one in found] == [START + 2 * DAY, START + 3 * DAY]
    assert str(found[0]["URL"]).startswith("http://127.0.0.1:8080/diff/3...4?")
    assert "20.60.0.0/16" not in str(found[0]["DESCRIPTION"])
    assert "one week" in str(found[0]["DESCRIPTION"])
    assert "30 days" in str(found[1]["DESCRIPTION"])


async def test_equal_calendars_are_equal_bytes(store: Store) -> None:
    """What is there has the same id and the same stamp the next time, and nobody is sent it again."""
    async with catalog_client(store) as opened:
        first = await opened.get("/v1/calendar.ics")
        known = await opened.get("/v1/calendar.ics", headers={"If-None-Match": first.headers["etag"]})
    app, _ = await application(store)
    async with client(app) as opened:
        again = await opened.get("/v1/calendar.ics")
    assert first.content == again.content
    assert known.status_code == 304
    assert len({str(one["UID"]) for one in await calendar(store)}) == 1


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("?service=Storage", ["1 prefix"]),
        ("?service=LogicApps", []),
        (f"?source={M365}", []),
        ("?kind=fqdn", []),
        ("?tag=AzureConnectors", ["1 prefix"]),
        ("?family=6", []),
    ],
)
async def test_filters(store: Store, query: str, days: list[str]) -> None:
    """Only what is added of what was asked for."""
    await announce(store, M365, (set_of("1", "a.example"),), START, START)
    await commit(store, TAGS, TAGS_1, START)
    await commit(store, TAGS, TAGS_2, START + DAY)
    found = [str(one["SUMMARY"]).partition(": ")[2].partition(" of ")[0] for one in await calendar(store, query)]
    assert found == days


async def test_what_is_long_past_or_no_news_is_left_out(store: Store) -> None:
    """Nothing older than 120 days, nothing that a person rolled back to; a date ahead is not believed."""
    await announce(store, TAGS, TAGS_1, START - timedelta(days=200), None)
    await announce(store, TAGS, TAGS_2, START - timedelta(days=150), None)
    await announce(store, TAGS, TAGS_1, START - timedelta(days=10), None, rolled_back_to=1)
    await announce(store, TAGS, TAGS_2, START, START + timedelta(days=300))
    found = await calendar(store)
    assert [one.decoded("DTSTART") for one in found] == [(START + 7 * DAY).date()]


async def test_upstream_cannot_write_a_line_of_its_own(store: Store) -> None:
    """Line breaks, commas and semicolons of a title are text, and long lines are folded between letters."""
    await commit(store, TAGS, TAGS_1, START)
    nasty = replace(tag("x", "20.9.0.0/16"), title="ö" * 40 + "\r\nEND:VEVENT\nX-A;B,C:\\n")
    await commit(store, TAGS, (*TAGS_1, nasty), START + DAY)
    (found,) = await calendar(store)
    assert "END:VEVENT X-A;B,C:" in str(found["DESCRIPTION"]) or "…" in str(found["DESCRIPTION"])
    assert "X-A" not in found
