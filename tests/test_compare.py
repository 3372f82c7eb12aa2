"""What is asked of a diff is a part of it, never another one."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog_service.catalog.compare import Comparison, DiffFilter, compare
from catalog_service.catalog.diff import diff
from catalog_service.catalog.moves import Move
from catalog_service.catalog.select import Filter, select
from catalog_service.catalog.space import AddressSpace
from schema.change import summarize
from schema.endpoint_set import Attributes, EndpointSet
from schema.errors import CorruptContentError
from schema.words import Cloud, Direction, Family, Impact, Kind, Only, Significance
from tests.records import SOURCE, contents, record

Content = tuple[EndpointSet, ...]
A, B, C = "20.0.0.0/24", "20.0.1.0/24", "2603:1000::/40"

small = st.lists(
    st.tuples(st.integers(0, 63), st.integers(26, 32)).map(
        lambda one: str(ipaddress.ip_network((f"20.0.0.{one[0]}", one[1]), strict=False))
    )
    | st.tuples(st.integers(0, 7), st.integers(125, 128)).map(
        lambda one: str(ipaddress.ip_network((f"2603::{one[0]:x}", one[1]), strict=False))
    ),
    max_size=6,
).map(tuple)
small_contents = st.lists(
    st.builds(
        record,
        st.sampled_from("abcd"),
        prefixes=small,
        region=st.sampled_from([None, "westeurope", "eastus"]),
        clouds=st.sampled_from([(Cloud.PUBLIC,), (Cloud.CHINA,), (Cloud.PUBLIC, Cloud.USGOV)]),
        purpose=st.sampled_from([None, "Relay"]),
    ),
    max_size=4,
    unique_by=lambda one: one.id,
).map(lambda several: tuple(sorted(several, key=lambda one: one.id)))


def compared(before: Content, after: Content, wanted: DiffFilter | None = None, *, space: bool = False) -> Comparison:
    """Return what ``wanted`` asks of what leads from ``before`` to ``after``."""
    return compare(diff(before, after), {one.id: one for one in after}, wanted or DiffFilter(), space=space)


def addresses(records: Content, family: Family = Family.BOTH) -> set[str]:
    """Return every address that ``records`` cover."""
    blocks = (ipaddress.ip_network(prefix) for one in records for prefix in one.prefixes)
    return {str(address) for block in blocks if block.version in family.numbers for address in block}


def told(space: AddressSpace | None) -> tuple[set[str], set[str]]:
    """Return every address gained and lost, after checking that they are counted and cut as they should be."""
    assert space is not None
    sides = []
    for extent in (space.gained, space.lost):
        listed = {str(address) for prefix in extent.prefixes for address in ipaddress.ip_network(prefix)}
        assert int(extent.ipv6_addresses) == sum(":" in address for address in listed)
        assert int(extent.ipv4_addresses) + int(extent.ipv6_addresses) == len(listed)
        blocks = [ipaddress.ip_network(prefix) for prefix in extent.prefixes]
        fewest = [
            *ipaddress.collapse_addresses(one for one in blocks if isinstance(one, ipaddress.IPv4Network)),
            *ipaddress.collapse_addresses(one for one in blocks if isinstance(one, ipaddress.IPv6Network)),
        ]
        assert blocks == fewest
        sides.append(listed)
    return sides[0], sides[1]


@given(contents, contents)
def test_nothing_asked_is_everything(before: Content, after: Content) -> None:
    """Without a filter every change is there, whole, and counted as ever."""
    changes, found = diff(before, after), compared(before, after)
    assert tuple(one.change for one in found.entries) == changes
    assert found.summary == summarize(changes)


@given(contents, contents)
def test_impacts_part_the_changes(before: Content, after: Content) -> None:
    """Each change is found by exactly one impact, and found the same."""
    whole = compared(before, after)
    parts = [one for impact in Impact for one in compared(before, after, DiffFilter(impacts=(impact,))).entries]
    assert sorted(parts, key=lambda one: one.change.id) == list(whole.entries)


@given(contents, contents)
def test_sides_and_kinds_part_the_members(before: Content, after: Content) -> None:
    """Prefixes and names, added and removed: each member is found by one kind and one side, and by no other."""
    whole = compared(before, after).summary
    parts = [
        compared(before, after, DiffFilter(Filter(kinds=(kind,)), only=only)).summary
        for kind in (Kind.PREFIX, Kind.FQDN)
        for only in Only
    ]
    for name in ("prefixes_added", "prefixes_removed", "fqdns_added", "fqdns_removed"):
        counts = [getattr(part, name) for part in parts]
        assert sum(counts) == max(counts, default=0) == getattr(whole, name)
    four, six = (compared(before, after, DiffFilter(family=family)).summary for family in (Family.IPV4, Family.IPV6))
    assert four.prefixes_added + six.prefixes_added == whole.prefixes_added
    assert four.fqdns_added == six.fqdns_added == whole.fqdns_added


@given(contents, contents, st.sampled_from(["westeurope", "eastus"]), st.sampled_from(list(Direction)))
def test_a_record_counts_as_it_was_and_as_it_is(
    before: Content, after: Content, region: str, direction: Direction
) -> None:
    """A change is kept when its record passes the filter before or after it, and only then."""
    wanted = Filter(regions=(region,), directions=(direction,))
    passing = {one.id for content in (before, after) for one in select(content, wanted)}
    found = compared(before, after, DiffFilter(wanted))
    assert [one.change for one in found.entries] == [one for one in diff(before, after) if one.id in passing]


@given(small_contents, small_contents, st.sampled_from([(), ("westeurope",)]), st.sampled_from(list(Family)))
def test_space_is_set_arithmetic_over_addresses(
    before: Content, after: Content, regions: tuple[str, ...], family: Family
) -> None:
    """What is gained and lost is the difference of what the records that pass cover, address by address."""
    wanted = Filter(regions=regions)
    found = compared(before, after, DiffFilter(wanted, family=family), space=True)
    was, now = (addresses(select(content, wanted), family) for content in (before, after))
    assert told(found.space) == (now - was, was - now)
    for only, side in ((Only.ADDED, (now - was, set[str]())), (Only.REMOVED, (set[str](), was - now))):
        assert told(compared(before, after, DiffFilter(wanted, family, only), space=True).space) == side


@given(small_contents, small_contents)
def test_each_record_has_its_own_space(before: Content, after: Content) -> None:
    """A record gains what it covers now and did not before, whatever others cover; unasked, nothing is said."""
    then, now = ({one.id: (one,) for one in content} for content in (before, after))
    for entry in compared(before, after, space=True).entries:
        was, is_ = (addresses(content.get(entry.change.id, ())) for content in (then, now))
        assert told(entry.space) == (is_ - was, was - is_)
    assert all(entry.space is None for entry in compared(before, after).entries)


@given(small_contents)
def test_what_is_cut_another_way_is_noise_and_gains_nothing(before: Content) -> None:
    """A split or a merge of every prefix moves no address, and is called that."""
    after = tuple(replace(one, prefixes=_halves(one.prefixes)) for one in before)
    for one, two in ((before, after), (after, before)):
        found = compared(one, two, space=True)
        assert told(found.space) == (set(), set())
        for entry in found.entries:
            assert entry.significance is Significance.SPACE
            assert entry.impact in (Impact.OTHER_NON_PRIORITY_CHANGES, Impact.MOVED_IP_OR_URL)
        assert compared(one, two, DiffFilter(material=True)).entries == ()


def test_a_prefix_inside_one_that_stays_gains_nothing() -> None:
    """Half of what is there already is a new line upstream and no new address."""
    before = (record("k", prefixes=(A,)),)
    found = compared(before, (record("k", prefixes=(A, "20.0.0.0/25")),), space=True)
    assert told(found.space) == (set(), set())
    assert found.summary.prefixes_added == 1


def test_moves_name_where_a_member_was_and_is() -> None:
    """What left some records and came into others is one move, prefixes first, in their order."""
    before = (record("a", prefixes=(A, B), fqdns=("x.example.com",)), record("b", prefixes=(B,)), record("c"))
    after = (record("a"), record("b"), record("c", prefixes=(A, B), fqdns=("x.example.com",)))
    a, b, c = (f"{SOURCE}:{key}" for key in "abc")
    assert compared(before, after).moves == (
        Move(SOURCE, Kind.PREFIX, A, (a,), (c,)),
        Move(SOURCE, Kind.PREFIX, B, (a, b), (c,)),
        Move(SOURCE, Kind.FQDN, "x.example.com", (a,), (c,)),
    )
    names = compared(before, after, DiffFilter(Filter(kinds=(Kind.FQDN,))))
    assert [one.member for one in names.moves] == ["x.example.com"]


def test_nothing_moves_between_sources() -> None:
    """The same prefix gone from one source and new in another is a removal and an addition."""
    here = record("k", prefixes=(A,))
    there = replace(here, id="other:k", source="other")
    found = compared((here,), (there,))
    assert found.moves == ()
    assert {one.record.source: one.impact for one in found.entries} == {
        SOURCE: Impact.REMOVED_IP_OR_URL,
        "other": Impact.ADDED_IP,
    }


def test_a_filter_leaves_the_impact_alone() -> None:
    """What moved is called so even where the record that it came from is filtered out."""
    before, after = (record("a", prefixes=(A,)), record("b")), (record("a"), record("b", prefixes=(A,)))
    found = compared(before, after, DiffFilter(Filter(services=("b",))), space=True)
    assert [(one.record.title, one.impact) for one in found.entries] == [("b", Impact.MOVED_IP_OR_URL)]
    assert told(found.space) == (addresses((after[1],)), set())
    assert [one.member for one in found.moves] == [A]


COUNTED = (Attributes(change_number=1), Attributes(change_number=2))


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        (DiffFilter(), ["counter", "four", "six", "tags", "words"]),
        (DiffFilter(family=Family.IPV6), ["counter", "six", "tags", "words"]),
        (DiffFilter(Filter(kinds=(Kind.PREFIX,))), ["four", "six"]),
        (DiffFilter(Filter(kinds=(Kind.SERVICE_TAG,))), ["tags"]),
        (DiffFilter(Filter(kinds=(Kind.PREFIX,)), Family.IPV4), ["four"]),
        (DiffFilter(only=Only.ADDED), ["four", "tags"]),
        (DiffFilter(only=Only.REMOVED), ["six"]),
        (DiffFilter(material=True), ["four", "six", "tags"]),
        (DiffFilter(impacts=(Impact.ADDED_IP,)), ["four", "tags"]),
        (DiffFilter(Filter(services=("SQL",))), ["words"]),
        (DiffFilter(Filter(services=("nobody",))), []),
    ],
)
def test_what_trims_to_nothing_is_left_out(wanted: DiffFilter, keys: list[str]) -> None:
    """A change none of whose members was asked for goes; one that never had any goes where members are asked for."""
    before = (
        record("counter", attributes=COUNTED[0]),
        record("four", attributes=COUNTED[0]),
        record("six", prefixes=(C,), attributes=COUNTED[0]),
        record("tags"),
        record("words", purpose="Relay", service="Sql"),
    )
    after = (
        record("counter", attributes=COUNTED[1]),
        record("four", prefixes=(A,), attributes=COUNTED[1]),
        record("six", attributes=COUNTED[1]),
        record("tags", service_tags=("Storage",)),
        record("words", purpose="Relays", service="Sql"),
    )
    assert [one.record.title for one in compared(before, after, wanted).entries] == keys


def test_a_change_of_what_is_not_there_is_refused() -> None:
    """Changes and records that do not belong together are corrupt content, never a guess."""
    changes = diff((record("k", prefixes=(A,)),), (record("k", prefixes=(B,)),))
    with pytest.raises(CorruptContentError):
        compare(changes, {}, DiffFilter())


def _halves(prefixes: tuple[str, ...]) -> tuple[str, ...]:
    """Return each prefix cut in two where it can be, in catalogue order."""
    blocks = [ipaddress.ip_network(prefix) for prefix in prefixes]
    halves = [str(half) for block in blocks for half in (block.subnets() if block.num_addresses > 1 else (block,))]
    return record("any", prefixes=tuple(halves)).prefixes
