"""Every change has one of Microsoft's nine words, and is noise or not."""

from __future__ import annotations

import pytest
from hypothesis import given

from catalog_service.catalog.compare import Compared, DiffFilter, compare
from catalog_service.catalog.diff import diff
from catalog_service.catalog.impact import COUNTERS, WORDING
from schema.change import Change
from schema.endpoint_set import Attributes, EndpointSet
from schema.words import Cloud, Direction, Impact, Significance
from tests.records import contents, record

Content = tuple[EndpointSet, ...]


def judged(before: Content, after: Content) -> dict[str, Compared]:
    """Return what leads from ``before`` to ``after``, by the record's key."""
    found = compare(diff(before, after), {one.id: one for one in after}, DiffFilter())
    return {one.record.title: one for one in found.entries}


def one(**fields: object) -> Content:
    """Return the record ``k`` alone."""
    return (record("k", **fields),)  # type: ignore[arg-type]


A, B, C = "20.0.0.0/24", "20.0.1.0/24", "2603:1000::/40"
NAME, OTHER, WILD = "login.example.com", "www.example.com", "*.example.com"


@pytest.mark.parametrize(
    ("before", "after", "impact"),
    [
        ((), one(prefixes=(A,)), Impact.ADDED_IP),
        ((), one(fqdns=(NAME,)), Impact.ADDED_URL),
        ((), one(prefixes=(A,), fqdns=(NAME,)), Impact.ADDED_IP_AND_URL),
        ((), one(service_tags=("Storage",)), Impact.OTHER_NON_PRIORITY_CHANGES),
        (one(prefixes=(A,)), (), Impact.REMOVED_IP_OR_URL),
        (one(service_tags=("Storage",)), (), Impact.OTHER_NON_PRIORITY_CHANGES),
        (one(prefixes=(A,)), one(prefixes=(A, C)), Impact.ADDED_IP),
        (one(prefixes=(A,)), one(prefixes=(B,)), Impact.ADDED_IP),
        (one(prefixes=(A,), fqdns=(NAME,)), one(prefixes=(B,)), Impact.ADDED_IP),
        (one(fqdns=(NAME,)), one(fqdns=(OTHER,)), Impact.ADDED_URL),
        (one(prefixes=(A,)), one(prefixes=(A, B), fqdns=(NAME,)), Impact.ADDED_IP_AND_URL),
        (one(fqdns=(WILD,)), one(fqdns=(NAME, OTHER)), Impact.ADDED_SUBSTITUTE_URL),
        (one(fqdns=(WILD,)), one(fqdns=("example.com",)), Impact.ADDED_URL),
        (one(fqdns=(WILD,)), one(fqdns=(NAME, "other.example.net")), Impact.ADDED_URL),
        (one(fqdns=(WILD,)), one(fqdns=(WILD, NAME)), Impact.ADDED_URL),
        (one(fqdns=(WILD,)), one(fqdns=(NAME,), prefixes=(A,)), Impact.ADDED_IP_AND_URL),
        (one(prefixes=(A, B)), one(prefixes=(A,)), Impact.REMOVED_IP_OR_URL),
        (one(fqdns=(NAME, OTHER)), one(fqdns=(OTHER,)), Impact.REMOVED_IP_OR_URL),
        (one(fqdns=(NAME, WILD)), one(fqdns=(WILD,)), Impact.REMOVED_DUPLICATE_IP_OR_URL),
        (
            one(attributes=Attributes(express_route=True)),
            one(attributes=Attributes(express_route=False)),
            Impact.CHANGED_IS_EXPRESS_ROUTE,
        ),
        (
            one(prefixes=(A,), attributes=Attributes(express_route=True)),
            one(prefixes=(A, B), attributes=Attributes(express_route=False)),
            Impact.ADDED_IP,
        ),
        (one(tcp_ports=("80",)), one(tcp_ports=("443",)), Impact.OTHER_NON_PRIORITY_CHANGES),
        (one(prefixes=(A,)), one(prefixes=("20.0.0.0/25", "20.0.0.128/25")), Impact.OTHER_NON_PRIORITY_CHANGES),
        (one(prefixes=(A, "20.0.0.0/25")), one(prefixes=(A,)), Impact.OTHER_NON_PRIORITY_CHANGES),
        (one(prefixes=(A,)), one(prefixes=("20.0.0.0/25",)), Impact.REMOVED_IP_OR_URL),
        (one(prefixes=("20.0.0.0/25",)), one(prefixes=(A,)), Impact.ADDED_IP),
    ],
)
def test_each_row_of_the_table_has_its_word(before: Content, after: Content, impact: Impact) -> None:
    """The impact is that of the first row of the decision table that holds."""
    assert judged(before, after)["k"].impact is impact


PLACES: dict[str, dict[str, object]] = {
    "public": {},
    "both": {"clouds": (Cloud.PUBLIC, Cloud.USGOV)},
    "china": {"clouds": (Cloud.CHINA,)},
    "in": {"direction": Direction.INBOUND},
}


@pytest.mark.parametrize(
    ("before", "after", "members", "impact"),
    [
        ("public", "both", {"prefixes": (A,)}, Impact.ADDED_IP),
        ("public", "china", {"fqdns": (NAME,)}, Impact.ADDED_URL),
        ("public", "in", {"prefixes": (A,), "fqdns": (NAME,)}, Impact.ADDED_IP_AND_URL),
        ("both", "public", {"prefixes": (A,)}, Impact.REMOVED_IP_OR_URL),
        ("both", "public", {}, Impact.OTHER_NON_PRIORITY_CHANGES),
        ("public", "both", {}, Impact.OTHER_NON_PRIORITY_CHANGES),
    ],
)
def test_a_record_that_comes_to_a_cloud_is_new_there(
    before: str, after: str, members: dict[str, tuple[str, ...]], impact: Impact
) -> None:
    """All that a record holds is to be opened where it was not published before, whether or not its list changed."""
    one_place, other_place = one(**members, **PLACES[before]), one(**members, **PLACES[after])
    assert judged(one_place, other_place)["k"].impact is impact


def test_what_another_record_still_covers_was_a_duplicate() -> None:
    """A removed prefix or name that the source still lists or covers elsewhere asks for nothing; half of it does."""
    rest = record("rest", prefixes=("20.0.0.0/23",), fqdns=(WILD,))
    before = (record("k", prefixes=(A, B), fqdns=(NAME,)), rest)
    for gone in ((record("k"), rest), (rest,)):
        assert judged(before, gone)["k"].impact is Impact.REMOVED_DUPLICATE_IP_OR_URL
    half = record("rest", prefixes=(A,), fqdns=(WILD,))
    assert judged((before[0], half), (record("k"), half))["k"].impact is Impact.REMOVED_IP_OR_URL


def test_what_came_from_another_record_moved() -> None:
    """A member that left one record and came into another is neither new nor gone; one more that is new decides."""
    before = (record("k", prefixes=(A, B)), record("other", fqdns=(NAME,)))
    after = (record("k", prefixes=(A,), fqdns=(NAME,)), record("other", prefixes=(B,)))
    assert {key: one.impact for key, one in judged(before, after).items()} == {
        "k": Impact.MOVED_IP_OR_URL,
        "other": Impact.MOVED_IP_OR_URL,
    }
    more = (after[0], record("other", prefixes=(B, C)))
    assert judged(before, more)["other"].impact is Impact.ADDED_IP
    less = (record("k", fqdns=(NAME,)), after[1])
    assert judged(before, less)["k"].impact is Impact.REMOVED_IP_OR_URL


@pytest.mark.parametrize(
    "elsewhere", [{"clouds": (Cloud.CHINA,)}, {"clouds": (Cloud.PUBLIC, Cloud.USGOV)}, {"direction": Direction.INBOUND}]
)
def test_what_comes_to_another_cloud_or_direction_is_new_there(elsewhere: dict[str, object]) -> None:
    """No prefix or wildcard of one cloud or direction opens anything in another: that is an addition."""
    there = record("other", **elsewhere)  # type: ignore[arg-type]
    before = (record("k", prefixes=(A,), fqdns=(WILD,)), there)
    came = record("other", prefixes=(A,), **elsewhere)  # type: ignore[arg-type]
    named = record("other", fqdns=(NAME,), **elsewhere)  # type: ignore[arg-type]
    assert judged(before, (record("k"), came))["other"].impact is Impact.ADDED_IP
    assert judged(before, (record("k"), named))["other"].impact is Impact.ADDED_URL


def test_a_wildcard_that_another_record_keeps_is_not_substituted() -> None:
    """A name is a substitute only where the source no longer lists the wildcard that covered it."""
    keeper = record("keeper", fqdns=(WILD,))
    before, after = (record("k", fqdns=(WILD,)),), (record("k", fqdns=(NAME,)),)
    assert judged(before, after)["k"].impact is Impact.ADDED_SUBSTITUTE_URL
    assert judged((*before, keeper), (*after, keeper))["k"].impact is Impact.ADDED_URL


@pytest.mark.parametrize(
    ("before", "after", "significance"),
    [
        ((), one(), Significance.MATERIAL),
        (one(), (), Significance.MATERIAL),
        (one(prefixes=(A,)), one(prefixes=(B,)), Significance.MATERIAL),
        (one(fqdns=(WILD, NAME)), one(fqdns=(WILD,)), Significance.MATERIAL),
        (one(tcp_ports=("80",)), one(tcp_ports=("443",)), Significance.MATERIAL),
        (one(prefixes=("20.0.0.0/25", "20.0.0.128/25")), one(prefixes=(A,)), Significance.SPACE),
        (one(purpose="Relay"), one(purpose="Relays"), Significance.WORDING),
        (
            one(prefixes=("20.0.0.0/25", "20.0.0.128/25"), purpose="Relay"),
            one(prefixes=(A,), purpose="Relays"),
            Significance.SPACE,
        ),
        (
            one(purpose="Relay", attributes=Attributes(change_number=1)),
            one(attributes=Attributes(change_number=2)),
            Significance.WORDING,
        ),
        (
            one(attributes=Attributes(change_number=1)),
            one(attributes=Attributes(change_number=2)),
            Significance.COUNTER,
        ),
        (
            one(region="eastus", attributes=Attributes(change_number=1)),
            one(region="westus", attributes=Attributes(change_number=2)),
            Significance.MATERIAL,
        ),
    ],
)
def test_the_greatest_part_of_a_change_is_its_significance(
    before: Content, after: Content, significance: Significance
) -> None:
    """Material before space before wording before counter."""
    assert judged(before, after)["k"].significance is significance


def test_noise_is_named_by_fields_that_records_have() -> None:
    """The tables of noise name real fields, each once: a field that is renamed must not become noise or cease to be."""
    known = {*EndpointSet.__struct_fields__, *Attributes.__struct_fields__}
    assert known >= COUNTERS | WORDING
    assert not COUNTERS & WORDING


@given(contents, contents)
def test_every_change_has_one_word_and_only_material_ones_ask_for_something(before: Content, after: Content) -> None:
    """Judging is total, and what adds or removes for good is never called noise."""
    found = compare(diff(before, after), {one.id: one for one in after}, DiffFilter())
    changes: tuple[Change, ...] = tuple(one.change for one in found.entries)
    assert changes == diff(before, after)
    for entry in found.entries:
        if entry.impact.startswith(("Added", "Removed")):
            assert entry.significance is Significance.MATERIAL
