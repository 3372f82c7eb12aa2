"""Messages: what a filter keeps of what happened, in a sentence, in counts, in changes and in links."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from catalog_service.catalog.compare import DiffFilter, asked
from catalog_service.events.bodies import Bodies
from catalog_service.events.committed import MOST_BYTES
from catalog_service.events.judgements import Judgements
from catalog_service.events.links import Origin
from catalog_service.events.messages import cloud_event, encoded, noticed, ping
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.views.diffs import diff_entries
from catalog_service.views.events import CommittedData, Message
from schema.endpoint_set import EndpointSet
from schema.event import EventType, Notice, Place
from schema.subscription import EventFilter, Parcel, Payload
from schema.words import Cloud, Direction, Family, Impact, Kind, Only
from tests.api_client import (
    DAY,
    PAGE,
    PAGE_1,
    PAGE_HELD,
    SOURCES,
    START,
    TAGS,
    TAGS_1,
    TAGS_2,
    application,
    client,
    commit,
    hold,
    published,
    tag,
)

ORIGIN = Origin("https://catalog.example/base/", SOURCES)
BASE = "https://catalog.example/base"
EVERYTHING = EventFilter()
EVERY_TYPE = EventFilter(types=tuple(EventType))


def plain(value: object) -> Any:
    """Return ``value`` as JSON has it."""
    return msgspec.json.decode(msgspec.json.encode(value))


async def bodies(store: Store) -> Bodies:
    reader = Reader(store)
    await reader.refresh()
    return Bodies(Judgements(reader), ORIGIN)


async def committed(
    store: Store,
    first: int,
    last: int,
    wanted: EventFilter = EVERYTHING,
    *,
    payload: Payload = Payload.FULL,
    source: str | None = None,
) -> CommittedData | None:
    """What is said of the versions from ``first`` to ``last``."""
    parcel = Parcel(Place(first), Place(last), source)
    rendered = await (await bodies(store)).body(parcel, None, wanted, payload)
    if rendered is None:
        return None
    assert rendered.body == encoded(rendered.message)
    assert rendered.message.type is EventType.COMMITTED
    assert isinstance(rendered.message.data, CommittedData)
    assert rendered.message.timestamp == rendered.message.data.committed_at
    return rendered.message.data


async def told(store: Store, first: int, last: int, wanted: EventFilter = EVERYTHING, **more: Any) -> CommittedData:
    data = await committed(store, first, last, wanted, **more)
    assert data is not None
    return data


async def test_a_version_is_told_in_a_sentence_that_says_what_to_do(store: Store) -> None:
    """Who published it, what it asks for and of which records, how much, and what to do about it."""
    await published(store)
    data = await told(store, 3, 3)
    assert data.summary == (
        "Azure service tags, Public, version 3: AddedIp in 2 endpoint sets (AzureConnectors, Storage), "
        "RemovedIpOrUrl in LogicApps: +2 -2 prefixes, 1 endpoint set new, 1 gone; open the firewall for what was added"
    )
    assert (data.version, data.previous_version, data.versions, data.sources) == (3, 2, (3,), (TAGS,))
    assert data.committed_at == START + 2 * DAY
    assert data.changes is not None
    assert [change.title for change in data.changes] == ["AzureConnectors", "LogicApps", "Storage"]
    assert (data.counts.prefixes_added, data.counts.prefixes_removed) == (2, 2)
    assert data.settled is None


@pytest.mark.parametrize(
    ("wanted", "titles", "ending"),
    [
        (
            EventFilter(only=Only.REMOVED),
            ["AzureConnectors", "LogicApps"],
            "AddedIp in AzureConnectors, RemovedIpOrUrl in LogicApps: +0 -2 prefixes, 1 endpoint set gone",
        ),
        (
            EventFilter(services=("storage", "logicapps"), family=Family.IPV4),
            ["LogicApps", "Storage"],
            (
                "AddedIp in Storage, RemovedIpOrUrl in LogicApps: +1 -1 prefixes, 1 endpoint set new, 1 gone; "
                "open the firewall for what was added"
            ),
        ),
        (
            EventFilter(impacts=(Impact.REMOVED_IP_OR_URL,)),
            ["LogicApps"],
            (
                "RemovedIpOrUrl in LogicApps: +0 -1 prefixes, 1 endpoint set gone; "
                "nothing to open, close what was removed without haste"
            ),
        ),
    ],
)
async def test_a_filter_keeps_its_part_and_the_sentence_tells_of_that(
    store: Store, wanted: EventFilter, titles: list[str], ending: str
) -> None:
    """Counts, changes and sentence are of what was asked for; what there is to open is not said where it is not shown."""
    await published(store)
    data = await told(store, 3, 3, wanted)
    assert data.changes is not None
    assert [change.title for change in data.changes] == titles
    assert data.summary == f"Azure service tags, Public, version 3: {ending}"


@pytest.mark.parametrize(
    "wanted",
    [
        EventFilter(services=("Sql",)),
        EventFilter(sources=(PAGE,)),
        EventFilter(clouds=(Cloud.CHINA,)),
        EventFilter(directions=(Direction.INBOUND,)),
        EventFilter(kinds=(Kind.FQDN,)),
        EventFilter(types=(EventType.HELD,)),
        EventFilter(impacts=(Impact.MOVED_IP_OR_URL,)),
        EventFilter(impacts=(Impact.MOVED_IP_OR_URL,), impact_at_least=Impact.ADDED_IP),
    ],
)
async def test_a_filter_that_keeps_nothing_gives_no_message(store: Store, wanted: EventFilter) -> None:
    """Nobody is told of what they did not ask for, not even by an empty message."""
    await published(store)
    assert await committed(store, 3, 3, wanted) is None


@pytest.mark.parametrize(
    ("wanted", "spans"),
    [
        (EVERYTHING, ((1, 1), (2, 2), (3, 3), (1, 3))),
        (EventFilter(tags=("LogicApps", "Sql")), ((1, 1), (2, 2), (3, 3), (1, 3))),
        (
            EventFilter(
                sources=(TAGS, PAGE),
                services=("LogicApps", "AzureConnectors", "Power Automate", "not there yet"),
                clouds=(Cloud.PUBLIC,),
                kinds=(Kind.PREFIX, Kind.FQDN),
                family=Family.IPV4,
                only=Only.ADDED,
                impacts=(Impact.ADDED_IP, Impact.ADDED_URL, Impact.MOVED_IP_OR_URL),
                impact_at_least=Impact.ADDED_IP,
                material=True,
            ),
            ((2, 2), (3, 3), (1, 3)),
        ),
        (EventFilter(regions=("West Europe", "nowhere")), ((1, 1),)),
    ],
)
async def test_links_lead_to_the_very_same_changes(
    store: Store, wanted: EventFilter, spans: tuple[tuple[int, int], ...]
) -> None:
    """REST answers the address of a message with the changes that the message holds, and there is a page of them."""
    await published(store)
    app, _ = await application(store)
    async with client(app) as asking:
        for first, last in spans:
            data = await told(store, first, last, wanted)
            assert data.links.rest.startswith(f"{BASE}/v1/diff/{first - 1}...{data.version}")
            answer = await asking.get(data.links.rest.removeprefix(BASE))
            assert answer.status_code == 200, answer.text
            assert answer.json()["changes"] == plain(data.changes)
            assert answer.json()["summary"] == plain(data.counts)
            page: httpx.Response = await asking.get(data.links.page.removeprefix(BASE))
            assert page.status_code == 200, page.text


async def test_several_versions_are_told_as_one_with_what_they_took_back(store: Store) -> None:
    """What left and returned within them is no change, and is listed as such; the newest is in force."""
    await commit(store, TAGS, TAGS_1, START)
    await commit(store, TAGS, (*TAGS_2, tag("Sql", "20.9.0.0/16", "2603:9::/32")), START + DAY)
    await commit(store, PAGE, PAGE_1, START + 2 * DAY)
    await commit(store, TAGS, (*TAGS_1[:2], TAGS_2[2]), START + 3 * DAY)
    data = await told(store, 2, 4, source=TAGS)
    assert (data.version, data.previous_version, data.versions) == (4, 1, (2, 4))
    assert data.changes is not None
    assert [change.title for change in data.changes] == ["LogicApps", "Storage"]
    assert data.settled is not None
    assert data.settled.prefixes == ("13.67.0.0/16", "20.9.0.0/16", "2603:9::/32", "2603:1000::/40")
    assert data.summary.startswith("Azure service tags, Public, versions 2 to 4: AddedIp in Storage, RemovedIpOrUrl in")
    assert data.summary.endswith("; 4 more came and went, or left and returned, meanwhile")
    narrow = await told(store, 2, 4, EventFilter(services=("Sql", "Storage"), family=Family.IPV4), source=TAGS)
    assert narrow.settled is not None
    assert narrow.settled.prefixes == ("20.9.0.0/16",)
    assert (await told(store, 2, 4, EventFilter(services=("Storage",)), source=TAGS)).settled is None
    assert await committed(store, 2, 4, EventFilter(services=("Sql",)), source=TAGS) is None


async def test_a_digest_tells_of_every_source_that_has_something_to_tell(store: Store) -> None:
    """Versions of other sources are left out of it."""
    await published(store)
    every = await told(store, 1, 3)
    assert (every.versions, every.sources) == ((1, 2, 3), (TAGS, PAGE))
    assert every.summary.startswith("Azure service tags, Public and 1 more source, versions 1 to 3: ")
    pages = await told(store, 1, 3, EventFilter(services=("Power Automate",)))
    assert (pages.version, pages.versions, pages.sources) == (2, (2,), (PAGE,))


async def test_a_long_message_goes_without_its_changes(store: Store) -> None:
    """Up to 20,000 bytes it holds them, beyond and where thin ones are asked for it holds counts and links."""
    content: tuple[EndpointSet, ...] = TAGS_1
    sizes = []
    await commit(store, TAGS, content, START)
    reader = Reader(store)
    for number, count in enumerate((700, 1140, 1180, 1220, 1260, 4000)):
        content = (*content, tag(f"T{number}", *(f"21.{number}.{one // 250}.{one % 250}/32" for one in range(count))))
        version = await commit(store, TAGS, content, START + DAY * (number + 1))
        data = await told(store, version.version, version.version)
        judged = (await Judgements(reader).told(Parcel(Place(version.version), Place(version.version)))).judged
        assert judged is not None
        full = replace(data, changes=diff_entries(asked(judged, DiffFilter())))
        sizes.append(len(encoded(Message(EventType.COMMITTED, data.committed_at, full))))
        assert (data.changes is not None) is (sizes[-1] <= MOST_BYTES)
        assert data.counts.prefixes_added == count
    assert any(MOST_BYTES - 2_000 < size <= MOST_BYTES for size in sizes)
    assert any(MOST_BYTES < size < MOST_BYTES + 2_000 for size in sizes)
    assert await told(store, 2, 2, payload=Payload.THIN) == replace(await told(store, 2, 2), changes=None)


async def test_pruned_versions_are_told_with_what_is_known(store: Store) -> None:
    """Counts of the whole stand for what nobody can filter any more; a source nobody asked for is left out."""
    await published(store)
    await commit(store, PAGE, PAGE_1[:1], START + 3 * DAY)
    await store.retention.prune(1)
    data = await told(store, 1, 1, EventFilter(services=("Sql",)))
    assert data.summary == (
        "Azure service tags, Public, version 1: 3 endpoint sets added; +4 -0 prefixes; "
        "its changes are not kept any more, so they cannot be shown or filtered"
    )
    assert (data.counts.prefixes_added, data.changes) == (4, None)
    assert await committed(store, 1, 1, EventFilter(sources=(PAGE,))) is None


async def test_a_body_is_made_once_for_all_who_ask_alike(store: Store) -> None:
    """Equal filters share it, whoever asks; another filter or payload has its own; no match is remembered too."""
    await published(store)
    made, parcel = await bodies(store), Parcel(Place(3), Place(3), TAGS)
    first = await made.body(parcel, None, EventFilter(services=("Storage",)), Payload.FULL)
    assert first is not None
    assert await made.body(parcel, None, EventFilter(services=("Storage",)), Payload.FULL) is first
    assert await made.body(parcel, None, EventFilter(services=("Storage",)), Payload.THIN) != first
    await store.redis.flushall()
    assert await made.body(parcel, None, EventFilter(services=("Storage",)), Payload.FULL) is first
    assert await made.body(parcel, None, EventFilter(services=("Sql",)), Payload.FULL) is None


async def test_a_held_version_is_told_with_what_accepting_it_means(store: Store) -> None:
    """Why it waits, what it would change, what is served meanwhile, and where a person decides."""
    await published(store)
    held = await hold(store, PAGE, PAGE_HELD, START + 3 * DAY)
    notice = Notice(EventType.HELD, held.held_at, PAGE, held.reasons, held)
    message = noticed(notice, EVERY_TYPE, ORIGIN)
    assert message is not None
    assert plain(message.data) == {
        "id": held.id,
        "source": PAGE,
        "reasons": ["1 of 2 endpoint sets removed (50.0%), more than 20%"],
        "summary": "Power Automate IP addresses: a new version waits for a person to accept or reject it: "
        "1 of 2 endpoint sets removed (50.0%), more than 20%; accepting it means 1 endpoint set removed, "
        "1 endpoint set changed; +0 -1 fqdns; version 2 goes on being served",
        "counts": plain(held.summary),
        "links": {"page": f"{BASE}/held/{held.id}", "rest": f"{BASE}/v1/held/{held.id}"},
        "version": 2,
    }
    app, _ = await application(store)
    async with client(app) as asking:
        for link in (message.data.links.page, message.data.links.rest):
            assert (await asking.get(link.removeprefix(BASE))).status_code == 200


def test_a_source_that_degrades_and_recovers_is_told() -> None:
    """Why it may be behind, the first twenty reasons at most, and since when it was."""
    why = tuple(f"row {number} is\nunreadable" for number in range(30))
    degraded = noticed(Notice(EventType.DEGRADED, START, TAGS, why), EVERY_TYPE, ORIGIN)
    recovered = noticed(Notice(EventType.RECOVERED, START + DAY, "odd", since=START), EVERY_TYPE, ORIGIN)
    assert degraded is not None
    assert recovered is not None
    assert plain(degraded.data) == {
        "source": TAGS,
        "summary": "Azure service tags, Public may be behind upstream: row 0 is unreadable (and 29 more reasons); "
        "the last good version goes on being served",
        "links": {"page": f"{BASE}/", "rest": f"{BASE}/v1/sources"},
        "reasons": [*why[:20], "and 10 more"],
    }
    summary = getattr(recovered.data, "summary", "")
    assert (recovered.timestamp, summary) == (START + DAY, "odd is read again, degraded since 2026-11-02 06:00Z")


def test_notices_are_told_to_those_who_ask_for_their_type_and_source() -> None:
    """Filters over changes say nothing about them."""
    degraded = Notice(EventType.DEGRADED, START, TAGS, ("gone",))
    disabled = Notice(EventType.DISABLED, START, "sub_1", ("410 Gone",), since=START - DAY)
    both = (EventType.DEGRADED, EventType.DISABLED)
    assert noticed(degraded, EVERYTHING, ORIGIN) is None
    assert noticed(degraded, EventFilter(types=both, sources=(PAGE,)), ORIGIN) is None
    assert noticed(degraded, EventFilter(types=()), ORIGIN)
    assert noticed(degraded, EventFilter(types=both, sources=(TAGS.upper(),), services=("Sql",)), ORIGIN)
    message = noticed(disabled, EventFilter(types=both, sources=(PAGE,)), ORIGIN)
    assert message is not None
    assert plain(message.data) == {
        "subscription": "sub_1",
        "summary": "Subscription sub_1 is disabled: 410 Gone; it waits for a person to resume it",
        "reasons": ["410 Gone"],
        "links": {"page": f"{BASE}/subscriptions/sub_1", "rest": f"{BASE}/v1/subscriptions/sub_1"},
        "since": "2026-11-01T06:00:00Z",
    }


def test_a_ping_is_a_test_or_a_challenge() -> None:
    """Only a challenge carries what has to be answered."""
    test, challenge = (msgspec.json.decode(encoded(ping("sub_1", START, ORIGIN, one))) for one in (None, "c4"))
    assert test["type"] == challenge["type"] == "subscription.ping"
    assert "challenge" not in test["data"]
    assert challenge["data"]["challenge"] == "c4"
    assert (
        challenge["data"]["summary"]
        == "Subscription sub_1 begins once its challenge is answered, or its code confirmed"
    )
    assert (challenge["timestamp"], list(challenge)) == ("2026-11-02T06:00:00Z", ["type", "timestamp", "data"])


async def test_a_cloud_event_says_the_same_in_another_envelope(store: Store) -> None:
    """CloudEvents 1.0, structured: its required attributes, the source as subject unless there are several."""
    await published(store)
    made = await bodies(store)
    events = []
    for first, source in ((3, TAGS), (1, None)):
        rendered = await made.body(Parcel(Place(first), Place(3), source), None, EVERYTHING, Payload.FULL)
        assert rendered is not None
        events.append(msgspec.json.decode(cloud_event(rendered.message, "msg_1", ORIGIN.base_url)))
        assert events[-1].pop("data") == msgspec.json.decode(rendered.body)["data"]
    one, several = events
    assert one == {
        "id": "msg_1",
        "source": ORIGIN.base_url,
        "type": "catalog.version.committed",
        "time": "2026-11-04T06:00:00Z",
        "subject": TAGS,
        "specversion": "1.0",
        "datacontenttype": "application/json",
    }
    assert "subject" not in several
    assert msgspec.json.decode(cloud_event(ping("sub_1", START, ORIGIN), "msg_2", BASE))["subject"] == "sub_1"


async def test_upstream_cannot_break_the_sentence(store: Store) -> None:
    """Control characters of a title become spaces, a long title is cut, and many names are counted."""
    long = tag("Long", "20.0.0.0/16")
    hostile = replace(long, title="A\nB\x1b[31m" + "x" * 100)
    many = tuple(tag(f"T{number}", f"21.{number}.0.0/16") for number in range(5))
    await commit(store, TAGS, (hostile, *many), START)
    summary = (await told(store, 1, 1)).summary
    assert summary.isprintable()
    assert (
        f"in 6 endpoint sets (A B [31m{'x' * 51}…, T0, T1 and 3 more): +6 -0 prefixes, 6 endpoint sets new" in summary
    )
