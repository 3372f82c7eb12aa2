"""When somebody is told that a source is behind, and when that it is read again: once each."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from catalog_service.catalog.degraded import FAILED_RUNS, announced
from catalog_service.store.connect import Store
from catalog_service.sync.run import reparse_source, run_source
from schema.document import Document, Reading
from schema.errors import FetchError, ParseError
from schema.event import EventType, Notice, Place
from schema.version import SourceState
from scrapers.source import Source
from tests.api_client import START
from tests.local_source import Clock, Shelf, body, local_source, parse

SOURCE = local_source()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def failed(count: int, at: datetime = START, code: str = FetchError.code) -> SourceState:
    return SourceState(checked_at=at, failures=count, error="it failed", error_code=code)


def told(*states: SourceState) -> list[Notice | None]:
    """What each of ``states`` is told of, one after the other, each remembering what was told before."""
    since, notices = None, []
    for state in states:
        after, notice = announced("a-source", replace(state, degraded_since=since))
        since = after.degraded_since
        notices.append(notice)
    return notices


def types(*states: SourceState) -> list[EventType | None]:
    return [one.type if one else None for one in told(*states)]


def test_a_run_or_two_that_fail_are_not_told() -> None:
    """Three in a row are, once, and the run that succeeds after them; neither is what comes after two."""
    runs = [failed(count, START + count * HOUR) for count in range(1, FAILED_RUNS + 3)]
    well = SourceState(checked_at=START + DAY, ok_at=START + DAY)
    assert types(*runs[:2], well) == [None] * 3
    assert types(*runs, well, well) == [None, None, EventType.DEGRADED, None, None, EventType.RECOVERED, None]
    recovered = told(*runs, well)[-1]
    assert recovered
    assert (recovered.at, recovered.since) == (START + DAY, START + FAILED_RUNS * HOUR)


def test_what_cannot_be_parsed_or_is_superseded_is_told_at_once() -> None:
    """That is no weather: a person has to look, and waiting for more runs tells nothing new."""
    assert types(failed(1, code=ParseError.code)) == [EventType.DEGRADED]
    stale = SourceState(checked_at=START, stale_since=START)
    assert types(stale, stale, replace(stale, stale_since=None)) == [EventType.DEGRADED, None, EventType.RECOVERED]


def test_one_reason_after_another_is_one_time_of_being_degraded() -> None:
    """A fetch that fails while a page cannot be parsed recovers nothing."""
    assert types(failed(1, code=ParseError.code), failed(2), SourceState(checked_at=START)) == [
        *(EventType.DEGRADED, None, EventType.RECOVERED)
    ]


def test_a_source_that_was_never_read_is_not_degraded() -> None:
    """Nothing is known of it."""
    assert types(SourceState(), SourceState(stale_since=START)) == [None, None]


async def test_a_mended_parser_recovers_a_source_once(store: Store) -> None:
    """Reading the kept document again is told as a run is; what was told is told no second time, then or later."""

    def broken(source: Source, document: Document) -> Reading:
        if b"t2" in document.body:
            raise ParseError("t2 is not understood", reasons=("t2",))
        return parse(source, document)

    clock, shelf = Clock(), Shelf()
    documents = (body({"t1": ["20.1.0.0/16"]}), body({"t1": ["20.1.0.0/16"], "t2": ["20.2.0.0/16"]}))
    for document in documents:
        shelf.bodies[SOURCE.url] = document
        clock.forward(hours=6)
        await run_source(replace(SOURCE, parse=broken), shelf, store, clock)
    clock.forward(hours=1)
    roomy = replace(SOURCE, guard=replace(SOURCE.guard, max_members_added_share=99.0))
    assert (await reparse_source(roomy, store, clock)).result == "committed"
    clock.forward(hours=6)
    await run_source(roomy, shelf, store, clock)
    found = [(event.place, event.type) for event in await store.events.after(Place(0), 9)]
    assert found == [
        (Place(1), EventType.COMMITTED),
        (Place(1, 1), EventType.DEGRADED),
        (Place(2), EventType.COMMITTED),
        (Place(2, 1), EventType.RECOVERED),
    ]
