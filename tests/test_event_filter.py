"""A subscriber is told of the events and changes that the filter keeps, and of no others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import fields

from catalog_service.catalog.compare import DiffFilter, compare
from catalog_service.catalog.diff import diff
from catalog_service.catalog.event_filter import diff_filter, passes
from catalog_service.catalog.select import Filter
from schema.change import Summary
from schema.errors import BadParameterError
from schema.event import Event, EventType, Notice, Place
from schema.subscription import EventFilter
from schema.version import Version, count
from schema.words import Cloud, Direction, Family, Impact, Kind, Only, at_least
from tests.records import SOURCE, record

NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)
COMMITTED = Event(Place(7), version=Version(7, SOURCE, NOW, NOW, "sha256:0", count(()), Summary(), "", ""))
NOTICES = {
    type_: Event(Place(7, number), notice=Notice(type_, NOW, "sub_1" if type_ is EventType.DISABLED else SOURCE))
    for number, type_ in enumerate(
        (EventType.HELD, EventType.DEGRADED, EventType.RECOVERED, EventType.DISABLED), start=1
    )
}
EVENTS = {EventType.COMMITTED: COMMITTED, **NOTICES}
FULL = EventFilter(
    types=tuple(EventType),
    sources=(SOURCE,),
    services=("Storage",),
    tags=("Sql",),
    clouds=(Cloud.PUBLIC,),
    regions=("West Europe",),
    directions=(Direction.INBOUND,),
    kinds=(Kind.PREFIX,),
    family=Family.IPV4,
    only=Only.ADDED,
    impacts=(Impact.REMOVED_IP_OR_URL, Impact.MOVED_IP_OR_URL),
    impact_at_least=Impact.CHANGED_IS_EXPRESS_ROUTE,
    material=True,
)


def kept(wanted: EventFilter) -> set[EventType]:
    return {type_ for type_, event in EVENTS.items() if passes(event, wanted)}


def test_a_filter_keeps_versions_alone_unless_it_names_other_types() -> None:
    """Nothing asked is every version and no notice; types are alternatives, and none at all are all of them."""
    assert kept(EventFilter()) == {EventType.COMMITTED}
    assert kept(EventFilter(types=(EventType.HELD, EventType.DEGRADED))) == {EventType.HELD, EventType.DEGRADED}
    assert kept(EventFilter(types=())) == set(EVENTS)


def test_an_event_is_of_its_source_in_any_case() -> None:
    """Versions and notices of other sources are left out; a subscription's is of no source, and stays."""
    assert kept(EventFilter(types=(), sources=("other", SOURCE.upper()))) == set(EVENTS)
    assert kept(EventFilter(types=(), sources=("other",))) == {EventType.DISABLED}


def test_filters_over_records_say_nothing_of_notices() -> None:
    """Who wants one service of a source is told that the source is held, whatever is in it."""
    assert kept(FULL) == set(EVENTS)


def test_every_field_of_the_filter_reaches_the_changes() -> None:
    """None is forgotten: what an event filter says of records and changes, the diff is asked."""
    asked = diff_filter(FULL)
    records = {one.name: getattr(asked.records, one.name) for one in fields(Filter)}
    assert records == {one.name: getattr(FULL, one.name, one.default) for one in fields(Filter)}
    assert (asked.family, asked.only, asked.material) == (Family.IPV4, Only.ADDED, True)
    assert asked.impacts == (Impact.REMOVED_IP_OR_URL,)
    assert diff_filter(EventFilter()) == DiffFilter()
    shared = {one.name for one in (*fields(Filter), *fields(DiffFilter))} & {one.name for one in fields(EventFilter)}
    assert {one.name for one in fields(EventFilter)} == shared | {"types", "impact_at_least"}


def test_at_least_asks_for_as_much_or_more() -> None:
    """An impact alone, and all that asks for more; changes that ask for less are left out."""
    asked = diff_filter(EventFilter(impact_at_least=Impact.REMOVED_IP_OR_URL))
    assert asked.impacts == at_least(Impact.REMOVED_IP_OR_URL)
    before = (record("gone", prefixes=("20.0.0.0/24",)), record("note", purpose="Relay"))
    after = (record("new", prefixes=("20.0.9.0/24",)), record("note", purpose="Relays"))
    found = compare(diff(before, after), {one.id: one for one in after}, asked)
    assert [one.record.title for one in found.entries] == ["gone", "new"]


def test_impacts_that_exclude_each_other_are_refused() -> None:
    """A filter that can never keep anything is an error that names its field, and not a silent subscription."""
    with pytest.raises(BadParameterError) as refused:
        diff_filter(EventFilter(impacts=(Impact.MOVED_IP_OR_URL,), impact_at_least=Impact.ADDED_URL))
    assert refused.value.facts["parameter"] == "impact_at_least"
