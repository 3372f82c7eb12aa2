"""Lists over the limit of a device: refused with the numbers, or cut as asked and with a count."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from catalog_service.catalog.select import Allowlist
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import Entry, View
from catalog_service.export.format import Content, Dropped, DropReason, Format, Limit, Wildcards
from catalog_service.export.formats import FORMATS, LISTED, format_named, render
from catalog_service.export.limits import Fit, fitted
from catalog_service.export.options import PART_MOST, PLAIN, Options, Overflow, Ranges
from catalog_service.export.prepare import prepared
from catalog_service.export.text import render_text
from schema.endpoint_set import EndpointSet
from schema.errors import BadParameterError, CorruptContentError, NoMatchError, OverLimitError
from schema.words import Family, Kind
from tests.catalogs import SEED, row, snapshot_of
from tests.device_lists import addresses, read

HALVES = tuple(f"20.{number >> 1}.{(number & 1) * 128}.0/17" for number in range(8))
SPLIT_UP = row(SEED, "split-up", prefixes=HALVES, fqdns=("a.example", "*.a.example"))
SMALL = Format(
    "small", "text/plain", "txt", render_text, "A test's.", limit=Limit(5, "a test", "this", date(2026, 11, 23), 60)
)


def seen(snapshot: Snapshot) -> View:
    return View(tuple(map(Entry, snapshot.endpoint_sets)))


def rendered(name: str, options: Options, *records: EndpointSet) -> bytes:
    snapshot = snapshot_of(records or (SPLIT_UP,))
    return render(name, snapshot, seen(snapshot), (), options).data


def small(options: Options, *records: EndpointSet, format_: Format = SMALL) -> Content:
    snapshot = snapshot_of(records or (SPLIT_UP,))
    return prepared(format_, snapshot, seen(snapshot), (), options)


def test_a_list_over_the_limit_is_refused_with_the_numbers() -> None:
    """Entries, limit, by how much, and what an aggregate would have: all in the error."""
    with pytest.raises(
        OverLimitError, match=r"10 entries, 5 over the limit of 5.*aggregated it has 3 \(which fits"
    ) as over:
        small(PLAIN)
    assert over.value.code == "OVER_LIMIT"
    assert over.value.facts == {
        "parameter": "overflow",
        "entries": 10,
        "limit": 5,
        "over": 5,
        "aggregated": 3,
        "product": "a test",
    }


def test_a_list_over_the_bytes_is_refused_with_the_numbers() -> None:
    """A file may be too long before its entries are too many."""
    long = row(SEED, "long", fqdns=("a-name-of-some-length.example", "another-name-of-length.example"))
    with pytest.raises(OverLimitError, match="61 bytes, 1 over the limit of 60") as over:
        small(PLAIN, long)
    assert (over.value.facts["bytes"], over.value.facts["max_bytes"]) == (61, 60)
    assert small(Options(overflow=Overflow.TRUNCATE), long).cut.truncated == 1
    assert small(Options(overflow=Overflow.SPLIT), long).cut.parts == 2


@pytest.mark.parametrize("count", [4, 5, 6])
def test_the_limit_itself_fits(count: int) -> None:
    """As many entries as the limit are a list, one more is none."""
    some = row(SEED, "some", prefixes=HALVES[:count])
    if count > 5:
        with pytest.raises(OverLimitError):
            small(Options(limit=5), some, format_=replace(SMALL, limit=None))
    else:
        assert small(Options(limit=5), some, format_=replace(SMALL, limit=None)).cut.entries == count


def test_truncated_is_the_beginning_and_a_count() -> None:
    """The first entries in catalogue order, and how many are cut off."""
    cut = small(Options(overflow=Overflow.TRUNCATE, limit=9), format_=format_named("txt"))
    assert cut.listed == Allowlist(HALVES, ("*.a.example",))
    assert (cut.cut.entries, cut.cut.truncated) == (9, 1)


def test_aggregated_is_lossless_or_refused() -> None:
    """`overflow=aggregate` aggregates what is over, leaves what fits as it is, and never adds an address."""
    fits = small(Options(overflow=Overflow.AGGREGATE, limit=3), format_=format_named("txt"))
    assert fits.listed.prefixes == tuple(map(str, addresses(HALVES)))
    assert fits.cut.entries == 3
    whole = small(Options(overflow=Overflow.AGGREGATE, limit=10), format_=format_named("txt"))
    assert whole.listed.prefixes == HALVES
    with pytest.raises(OverLimitError, match="too many as well"):
        small(Options(overflow=Overflow.AGGREGATE, limit=2), format_=format_named("txt"))


def test_a_smaller_limit_keeps_the_bytes_and_a_larger_one_lifts_them() -> None:
    """A limit above the known one tells of another device, whose bytes nobody knows."""
    long = row(SEED, "long", fqdns=tuple(f"{letter * 30}.example" for letter in "abcdef"))
    with pytest.raises(OverLimitError):
        small(Options(limit=4), row(SEED, "two", fqdns=long.fqdns[:2]))
    assert small(Options(limit=6), long).cut.entries == 6


def test_a_part_that_is_not_there_is_a_bad_parameter() -> None:
    """Part 3 of 2 is no empty file."""
    with pytest.raises(BadParameterError, match="there are 2 parts") as refused:
        small(Options(overflow=Overflow.SPLIT, limit=5, part=3), format_=format_named("txt"))
    assert refused.value.facts["parameter"] == "part"


def test_a_limit_that_makes_too_many_parts_is_a_bad_parameter() -> None:
    """Nobody loads a thousand files."""
    listed = Allowlist(tuple(f"20.{number >> 8}.{number & 255}.0/24" for number in range(1001)), ())
    with pytest.raises(BadParameterError, match="1001 parts"):
        fitted(SMALL, listed, Options(overflow=Overflow.SPLIT, limit=1), lambda: listed)
    assert fitted(SMALL, listed, Options(overflow=Overflow.SPLIT, limit=2, part=501), lambda: listed) == Fit(
        Allowlist(listed.prefixes[-1:], ()), part=501, parts=501
    )


@pytest.mark.parametrize(
    ("name", "most"),
    [("panos-ip", 50_000), ("panos-url", 50_000), ("fortigate-ip", 131_072), ("fortigate-fqdn", 131_072)],
)
def test_a_device_has_its_known_limit(name: str, most: int) -> None:
    """The number, whose it is, where it stands and when that was read."""
    limit = format_named(name).limit
    assert limit is not None
    assert (limit.entries, bool(limit.product), bool(limit.source)) == (most, True, True)
    assert limit.checked_on <= date.today()  # noqa: DTZ011 - a day is all that is meant


@pytest.mark.parametrize(
    ("name", "options", "parameter"),
    [
        ("txt", Options(name="x"), "name"),
        ("csv", Options(ranges=Ranges.RANGE), "ranges"),
        ("ipset", Options(ranges=Ranges.RANGE), "ranges"),
        ("panos-url", Options(family=Family.IPV4), "family"),
        ("panos-url", Options(aggregate=True), "aggregate"),
        ("fortigate-fqdn", Options(overflow=Overflow.AGGREGATE), "overflow"),
        ("txt", Options(overflow=Overflow.SPLIT), "overflow"),
        ("nftables", Options(overflow=Overflow.TRUNCATE), "overflow"),
        ("txt", Options(part=1), "part"),
        ("txt", Options(overflow=Overflow.SPLIT, limit=1, part=0), "part"),
        ("txt", Options(overflow=Overflow.SPLIT, limit=1, part=1001), "part"),
        ("txt", Options(limit=0), "limit"),
        ("txt", Options(limit=10_000_001), "limit"),
    ],
)
def test_an_option_that_would_not_be_heard_is_refused(name: str, options: Options, parameter: str) -> None:
    """What has no meaning in a format is a bad parameter, and named."""
    with pytest.raises(BadParameterError) as refused:
        rendered(name, options)
    assert refused.value.facts["parameter"] == parameter


@pytest.mark.parametrize("format_", [one for one in LISTED if one.name_length], ids=lambda one: one.name)
@pytest.mark.parametrize(
    "name",
    [
        "",
        " x",
        "x y",
        "1x",
        "-x",
        "_x",
        "x;",
        'x"',
        "x{",
        "x\n",
        "x\nadd table",
        "x\r",
        "x\0",
        "é",
        "x.y",
        "$x",
        "../x",
    ],
)
def test_a_name_cannot_say_more_than_a_name(format_: Format, name: str) -> None:
    """Nothing that a device reads as syntax, and no line end, is part of a name."""
    with pytest.raises(BadParameterError) as refused:
        rendered(format_.name, Options(name=name))
    assert refused.value.facts["parameter"] == "name"


@pytest.mark.parametrize("format_", [one for one in LISTED if one.name_length], ids=lambda one: one.name)
def test_a_name_may_be_as_long_as_the_device_takes(format_: Format) -> None:
    """The longest name makes a valid file even as the last of all the parts there may be; one character more is refused."""
    longest = "x" * format_.name_length
    options = Options(name=longest, overflow=Overflow.SPLIT, limit=1, part=PART_MOST)
    many = row(SEED, "many", prefixes=tuple(f"20.{number >> 8}.{number & 255}.0/24" for number in range(PART_MOST)))
    names = read(format_.name, rendered(format_.name, options, many)).names
    assert names
    assert all(f"{longest}_{PART_MOST}" in one for one in names)
    with pytest.raises(BadParameterError):
        rendered(format_.name, Options(name=f"{longest}x"))


HOSTILE = (
    "20.0.0.0/24\nadd rule inet filter input accept",
    "20.0.0.0/24 }",
    "a.example\r\nb.example",
    'a.example", "b.example',
    "a.example;b.example",
    "=cmd|' /C calc'!A0",
    "a.example\0",
    "ä.example",
)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_members_never_reach_a_file(name: str, text: str) -> None:
    """Records refuse such text; one that were there all the same is no line of any file."""
    for field in ("prefixes", "fqdns"):
        with pytest.raises(ValueError, match=".+"):
            row(SEED, "bad", **{field: (text,)})
        bad = replace(SPLIT_UP, **{field: (text,)})
        with pytest.raises((CorruptContentError, ValueError)):
            rendered(name, PLAIN, bad)


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_words_around_a_member_stay_words(name: str) -> None:
    """Line ends and quotes in what upstream says of a record change nothing of what its file holds."""
    hostile = '\n20.9.9.0/24,prefix,"x",\r\n{"member":"20.9.9.0/24"}\n=1+1'
    odd = replace(SPLIT_UP, service=hostile, title=hostile, id=f"{SEED}:{hostile}", region=hostile)
    assert read(name, rendered(name, PLAIN, odd))[:2] == read(name, rendered(name, PLAIN))[:2]


def test_what_a_format_cannot_hold_is_counted_by_reason() -> None:
    """Prefixes, families, names, wildcards and names with a hole, each for itself."""
    mixed = row(
        SEED,
        "mixed",
        prefixes=("20.1.2.0/24", "2603:1000::/40", "2603:1000:100::/40"),
        fqdns=("a.example", "*.b.example", "a.*.c.example", "*cdn.d.example", "a-*.e.example"),
        patterns=("<tenant>.f.example", "localhost"),
    )
    lost = (("prefix", 3), ("wildcard", 2), ("pattern", 2))
    assert _dropped(format_named("panos-url"), mixed) == lost
    assert _dropped(format_named("fortigate-fqdn"), mixed) == (("prefix", 3), ("wildcard", 3), ("pattern", 2))
    assert _dropped(format_named("panos-ip"), mixed) == (("fqdn", 5), ("pattern", 2))
    assert _dropped(format_named("txt"), mixed) == (("pattern", 2),)
    only_v4 = Format("v4", "text/plain", "txt", render_text, "A test's.", families=(4,), wildcards=Wildcards.LABELS)
    assert _dropped(only_v4, mixed) == (("ipv6", 2), ("wildcard", 2), ("pattern", 2))


def _dropped(format_: Format, record: EndpointSet) -> tuple[tuple[str, int], ...]:
    return tuple((one.reason.value, one.count) for one in small(PLAIN, record, format_=format_).cut.dropped)


def test_a_kind_that_was_not_asked_for_is_not_dropped() -> None:
    """Who asks for prefixes misses no names."""
    snapshot = snapshot_of((SPLIT_UP,))
    assert render("panos-ip", snapshot, seen(snapshot), (Kind.PREFIX,)).cut.dropped == ()
    assert render("panos-ip", snapshot, seen(snapshot), ()).cut.dropped == (Dropped(DropReason.FQDN, 2),)


@pytest.mark.parametrize(
    ("name", "options", "parameter"),
    [
        ("panos-url", PLAIN, "format"),
        ("txt", Options(family=Family.IPV6), "family"),
    ],
)
def test_a_list_that_would_be_empty_is_an_error(name: str, options: Options, parameter: str) -> None:
    """Prefixes alone make no list of names, IPv4 alone none of IPv6."""
    with pytest.raises(NoMatchError) as refused:
        rendered(name, options, row(SEED, "v4", prefixes=("20.1.2.0/24",)))
    assert refused.value.facts["parameter"] == parameter


def test_each_family_asked_for_has_its_set_even_an_empty_one() -> None:
    """Rules refer to both sets, whatever is in them; who asks for one family gets one."""
    only = row(SEED, "v4", prefixes=("20.1.2.0/24",))
    for name, both in (
        ("nftables", ("ms_v4", "ms_v6")),
        ("ipset", ("ms-v4", "ms-v6")),
        ("tfvars", ("ms_ipv4", "ms_ipv6", "ms_fqdns")),
    ):
        assert read(name, rendered(name, Options(name="ms"), only)).names == both
    assert read("nftables", rendered("nftables", Options(name="ms", family=Family.IPV4), only)).names == ("ms_v4",)


def test_an_ipset_has_the_whole_of_a_family_as_its_halves() -> None:
    """`hash:net` takes no block of length 0."""
    everything = replace(SPLIT_UP, prefixes=("0.0.0.0/0", "::/0"))
    found = read("ipset", rendered("ipset", PLAIN, everything)).prefixes
    assert tuple(map(str, addresses(found))) == ("0.0.0.0/0", "::/0")
