"""Every change has one of Microsoft's nine words, and is noise or not."""

from __future__ import annotations

import ipaddress
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog_service.catalog.compare import Compared, DiffFilter, compare
from catalog_service.catalog.diff import diff
from catalog_service.catalog.impact import COUNTERS, WORDING
from schema.change import Change
from schema.endpoint_set import Attributes, EndpointSet
from schema.words import Cloud, Direction, Impact, Significance
from tests.records import SOURCE, contents, record

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
        ((), one(service_tags=("Storage",)), Impact.ADDED_IP),
        ((), one(service_tags=("Storage",), fqdns=(NAME,)), Impact.ADDED_IP_AND_URL),
        (one(service_tags=("Sql",)), one(service_tags=("Sql", "Storage")), Impact.ADDED_IP),
        (one(service_tags=("Sql", "Storage")), one(service_tags=("Sql",)), Impact.REMOVED_IP_OR_URL),
        (one(prefixes=(A,)), (), Impact.REMOVED_IP_OR_URL),
        (one(service_tags=("Storage",)), (), Impact.REMOVED_IP_OR_URL),
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
    "443": {"tcp_ports": ("443",)},
    "west": {"region": "westus"},
    "sql": {"service": "Sql"},
    "80,443": {"tcp_ports": ("80", "443")},
    "udp": {"tcp_ports": ("443",), "udp_ports": ("443",)},
    "https": {"protocols": ("https",)},
    "amqp": {"protocols": ("amqp", "https")},
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
        ("443", "80,443", {"prefixes": (A,)}, Impact.ADDED_IP),
        ("443", "udp", {"fqdns": (NAME,)}, Impact.ADDED_URL),
        ("https", "amqp", {"fqdns": (NAME,)}, Impact.ADDED_URL),
        ("443", "public", {"prefixes": (A,)}, Impact.ADDED_IP),
        ("80,443", "443", {"prefixes": (A,)}, Impact.OTHER_NON_PRIORITY_CHANGES),
        ("https", "443", {"prefixes": (A,)}, Impact.OTHER_NON_PRIORITY_CHANGES),
        ("public", "443", {"prefixes": (A,)}, Impact.OTHER_NON_PRIORITY_CHANGES),
        ("public", "west", {"prefixes": (A,)}, Impact.ADDED_IP),
        ("public", "sql", {"prefixes": (A,)}, Impact.ADDED_IP),
    ],
)
def test_a_record_is_new_wherever_it_was_not_open(
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
    tagged, kept = record("k", service_tags=("Sql",)), record("rest", service_tags=("Sql",))
    assert judged((tagged, kept), (record("k"), kept))["k"].impact is Impact.REMOVED_DUPLICATE_IP_OR_URL
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
    "elsewhere", [{"service": "Sql"}, {"region": "westus"}, {"tcp_ports": ("25",)}, {"tcp_ports": ("443", "80")}]
)
def test_what_moves_to_where_it_was_not_open_is_an_addition(elsewhere: dict[str, object]) -> None:
    """Whoever allows one service, region or port has to open what moved to it; where it left, it has only moved."""
    here = record("k", region="eastus", tcp_ports=("443",))
    there = replace(here, id=f"{SOURCE}:other", title="other", **elsewhere)
    before = (replace(here, prefixes=(A,), fqdns=(WILD,)), there)
    after = (here, replace(there, prefixes=(A,), fqdns=(WILD,)))
    assert {key: one.impact for key, one in judged(before, after).items()} == {
        "k": Impact.MOVED_IP_OR_URL,
        "other": Impact.ADDED_IP_AND_URL,
    }
    back = judged(after, before)["k"].impact
    fewer = elsewhere == {"tcp_ports": ("443", "80")}
    assert back is (Impact.MOVED_IP_OR_URL if fewer else Impact.ADDED_IP_AND_URL)


@pytest.mark.parametrize("elsewhere", [{"clouds": (Cloud.CHINA,)}, {"direction": Direction.INBOUND}])
def test_what_another_cloud_or_direction_lists_is_no_duplicate(elsewhere: dict[str, object]) -> None:
    """What is gone here is to be closed here, wherever else it is still published; who speaks for more covers it."""
    there = record("other", prefixes=(A,), fqdns=(WILD,), **elsewhere)
    before = (record("k", prefixes=(A,), fqdns=(NAME,)), there)
    assert judged(before, (record("k"), there))["k"].impact is Impact.REMOVED_IP_OR_URL
    both = record("other", prefixes=(A,), fqdns=(WILD,), clouds=(Cloud.PUBLIC, Cloud.USGOV))
    assert judged((before[0], both), (record("k"), both))["k"].impact is Impact.REMOVED_DUPLICATE_IP_OR_URL


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


few = st.builds(
    record,
    st.sampled_from("abc"),
    service=st.sampled_from(["Storage", "Sql"]),
    prefixes=st.sets(st.sampled_from([A, "20.0.0.0/25", "20.0.0.128/25", "20.0.0.0/32"])).map(tuple),
    fqdns=st.sets(st.sampled_from([NAME, WILD])).map(tuple),
    service_tags=st.sets(st.sampled_from(["Sql", "Storage"])).map(tuple),
    clouds=st.sampled_from([(Cloud.PUBLIC,), (Cloud.CHINA,), (Cloud.PUBLIC, Cloud.CHINA)]),
    region=st.sampled_from([None, "eastus"]),
    direction=st.sampled_from([None, Direction.INBOUND]),
    tcp_ports=st.sampled_from([(), ("443",), ("80", "443")]),
)
few_contents = st.lists(few, max_size=3, unique_by=lambda one: one.id).map(
    lambda several: tuple(sorted(several, key=lambda one: one.id))
)


def rules(records: Content) -> set[tuple[object, ...]]:
    """Return what whoever allows one service in one region of one cloud opens, port by port."""
    return {
        (one.service, one.region, cloud, one.direction, port, member)
        for one in records
        for cloud in one.all_clouds
        for port in one.tcp_ports or ("80", "443", "any")
        for member in (
            *one.fqdns,
            *one.service_tags,
            *map(str, chain.from_iterable(map(ipaddress.ip_network, one.prefixes))),
        )
    }


@given(few_contents, few_contents)
def test_what_has_to_be_opened_is_always_called_an_addition(before: Content, after: Content) -> None:
    """No word that asks for nothing, and no noise, where somebody's list now holds what it did not."""
    held, now = rules(before), {one.id: one for one in after}
    for entry in judged(before, after).values():
        if entry.change.id in now and rules((now[entry.change.id],)) - held:
            assert entry.impact.startswith("Added")
            assert entry.significance is Significance.MATERIAL
