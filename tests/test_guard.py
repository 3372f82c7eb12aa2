"""The guard holds what would shrink, empty or open up an allowlist, and lets real weeks through."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from catalog_service.catalog.diff import diff
from catalog_service.catalog.guard import unsafe_reasons
from schema.endpoint_set import Attributes, EndpointSet
from schema.guard import GuardLimits
from tests.records import record

LIMITS = GuardLimits(min_endpoint_sets=2)


def judged(before: tuple[EndpointSet, ...], after: tuple[EndpointSet, ...], limits: GuardLimits = LIMITS) -> str:
    return "; ".join(unsafe_reasons(limits, before, after, diff(before, after)))


def many(count: int, prefixes_each: int = 20, start: int = 0) -> tuple[EndpointSet, ...]:
    return tuple(
        record(f"tag{i:03}", prefixes=tuple(f"20.{i}.{j}.0/24" for j in range(start, start + prefixes_each)))
        for i in range(count)
    )


def test_an_ordinary_week_passes() -> None:
    """A few prefixes in, a few out, a tag added: nothing to hold."""
    before = many(50)
    after = (*many(50, 21)[:5], *before[5:49], record("tag049", prefixes=before[49].prefixes[1:]), record("tag050"))
    assert judged(before, after) == ""


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (many(1), "1 endpoint sets, fewer than the 2"),
        (many(25), r"500 of 1000 members removed (50.0%)"),
        (many(39), r"11 of 50 endpoint sets removed (22.0%)"),
        (many(50, 18), r"100 of 1000 members removed (10.0%)"),
        (many(50, 31), r"550 of 1000 members added (55.0%)"),
        ((record("tag000"), *many(50)[1:]), "emptied: a-source:tag000"),
        ((), "0 endpoint sets"),
    ],
)
def test_a_shrinking_flooding_or_emptied_source_is_held(after: tuple[EndpointSet, ...], reason: str) -> None:
    """Each limit gives its own sentence with the numbers."""
    assert reason in judged(many(50), after)


@pytest.mark.parametrize(
    ("prefix", "reason"),
    [("127.0.0.1", "127.0.0.1/32 is not public"), ("10.0.0.0/8", "not public"), ("0.0.0.0/0", "too wide")],
)
def test_addresses_that_are_not_public_are_held_from_the_first_version(prefix: str, reason: str) -> None:
    """Loopback was published once (sources.md D1.28): it is held, also before a first version."""
    bad = (*many(5), record("bad", prefixes=(prefix,)))
    assert reason in judged((), bad)
    assert reason in judged(many(5), bad)


def test_a_name_that_covers_a_top_level_domain_is_held() -> None:
    """``*.com`` is no endpoint."""
    assert "*.com covers a whole top-level domain" in judged(many(5), (*many(5), record("bad", fqdns=("*.com",))))


def test_a_few_members_are_not_judged_by_share_unless_they_are_most_of_all() -> None:
    """Three of twelve names may go; nine of twelve may not."""
    names = tuple(f"h{i:02}.example.com" for i in range(12))
    before = (record("a", fqdns=names), record("b", prefixes=("20.0.0.0/16",)))
    assert judged(before, (record("a", fqdns=names[:9]), before[1])) == ""
    assert "9 of 13 members removed" in judged(before, (record("a", fqdns=names[:3]), before[1]))


def test_service_tags_patterns_and_gateway_regions_are_members_too() -> None:
    """A row that loses one of its two tags is half gone; one that loses all, with nothing instead, is emptied."""
    before = tuple(tagged(f"r{i}", f"T.a{i}", f"T.b{i}") for i in range(20))
    assert "20 of 40 members removed (50.0%)" in judged(before, tuple(tagged(f"r{i}", f"T.a{i}") for i in range(20)))
    assert "emptied: a-source:r0" in judged(before, (tagged("r0"), *before[1:]))
    assert judged(before, (replace(tagged("r0"), prefixes=("20.0.0.0/16",)), *before[1:])) == ""
    assert "80 of 40 members added (200.0%)" in judged(
        before, tuple(tagged(f"r{i}", *(f"T.{x}{i}" for x in "abcdef")) for i in range(20))
    )
    regions = tuple(replace(record(f"g{i}"), attributes=Attributes(gateway_regions=("a", "b"))) for i in range(20))
    halves = tuple(replace(one, attributes=Attributes(gateway_regions=("a",))) for one in regions)
    assert "20 of 40 members removed" in judged(regions, halves)
    holes = tuple(replace(record(f"p{i}"), patterns=("<a>.x.com", "<b>.x.com")) for i in range(20))
    assert "40 of 40 members removed" in judged(holes, tuple(replace(one, patterns=()) for one in holes))


def test_more_records_than_a_source_ever_has_are_held() -> None:
    """A band has two ends, from the first version on."""
    limits = GuardLimits(min_endpoint_sets=2, max_endpoint_sets=9)
    assert judged((), many(9), limits) == ""
    assert "10 endpoint sets, more than the 9 this source has at most" in judged((), many(10), limits)


def test_mere_losses_are_held_where_a_cut_document_looks_like_any_other() -> None:
    """One record less and nothing new; with anything new beside it, it is an edit."""
    limits = replace(LIMITS, holds_mere_losses=True)
    before = many(50)
    assert judged(before, before[:49]) == ""
    assert "1 endpoint sets and 20 members less, and nothing else" in judged(before, before[:49], limits)
    shorter = record("tag049", prefixes=before[49].prefixes[1:])
    assert "0 endpoint sets and 1 members less" in judged(before, (*before[:49], shorter), limits)
    assert judged(before, (*before[:49], record("other", prefixes=("20.99.0.0/16",))), limits) == ""
    assert judged(before, (*before[:49], replace(before[49], title="Another")), limits) == ""
    one_edited = (replace(before[0], title="Another"), *before[1:49])
    assert "1 endpoint sets" in judged(before, one_edited, limits)  # the row that the cut went through
    assert judged(before, (replace(before[1], title="Another"), *one_edited[:1], *one_edited[2:]), limits) == ""


def tagged(key: str, *tags: str) -> EndpointSet:
    return replace(record(key), service_tags=tags)


def test_a_large_record_that_keeps_next_to_nothing_is_held() -> None:
    """Of twenty members or more nine tenths gone are held, whatever came instead; of nineteen they are not."""
    rest = many(200)[1:]
    for size, kept, new, held in (
        (40, 5, 0, False),
        (40, 4, 0, True),
        (40, 4, 40, True),
        (20, 0, 1, True),
        (19, 0, 1, False),
    ):
        before = record("big", prefixes=tuple(f"51.0.{i}.0/24" for i in range(size)))
        after = record("big", prefixes=(*before.prefixes[:kept], *(f"52.0.{i}.0/24" for i in range(new))))
        told = judged((*rest, before), (*rest, after), replace(LIMITS, max_members_added_share=1.0))
        assert told == (f"nearly emptied: a-source:big lost {size - kept} of {size}" if held else ""), (size, kept, new)


def test_tables_that_changed_places_are_held() -> None:
    """Members that left one record for another, more than a tenth of all; a few may move, as an edit does."""
    before = many(20, prefixes_each=5)
    assert judged(before, (before[0], *exchanged(before[1], before[2]), *before[3:])) == ""
    after = (*exchanged(before[0], before[1]), *exchanged(before[2], before[3]), *before[4:])
    assert judged(before, after, replace(LIMITS, max_members_removed_share=1.0)) == (
        "20 of 100 members moved to other endpoint sets (20.0%), more than 10%"
    )


def exchanged(one: EndpointSet, other: EndpointSet) -> tuple[EndpointSet, EndpointSet]:
    return replace(one, prefixes=other.prefixes), replace(other, prefixes=one.prefixes)


def test_more_records_gone_than_ever_is_held_though_the_share_is_small() -> None:
    """Thirty of 240 tags may go at once, 31 may not."""
    before, limits = many(240, 1), replace(LIMITS, max_endpoint_sets_removed=30, max_members_removed_share=1.0)
    assert judged(before, before[30:], limits) == ""
    assert judged(before, before[31:], limits) == "31 endpoint sets removed, more than 30"


def test_a_long_list_of_faults_is_cut_with_its_count() -> None:
    """The first few are named, the rest counted."""
    bad = tuple(record(f"bad{i}", prefixes=(f"10.0.{i}.0/24",)) for i in range(9))
    assert judged(many(5), (*many(5), *bad)).endswith("and 4 more")
