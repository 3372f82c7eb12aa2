"""Every format, read back by its parser: what goes in comes out, less what is reported, whatever the options."""

from __future__ import annotations

import ipaddress
import re
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import Entry, View
from catalog_service.export.choose import chosen
from catalog_service.export.format import DropReason, Format
from catalog_service.export.formats import FORMATS, File, format_named, render
from catalog_service.export.options import PLAIN, Options, Overflow, Ranges
from schema.endpoint_set import EndpointSet
from schema.errors import BadParameterError, NoMatchError
from schema.words import Family, Kind
from tests.catalogs import SEED, row, snapshot_of
from tests.device_lists import Read, addresses, read

# What each format takes, said once more and apart from the code: prefixes, names, which wildcards.
HOLDS = {
    "panos-ip": (True, None),
    "panos-url": (False, r"(\*|[^*]+)(\.(\*|[^*]+))*"),
    "fortigate-ip": (True, None),
    "fortigate-fqdn": (False, r"(\*\.)?[^*]+"),
    "nftables": (True, None),
    "ipset": (True, None),
    "cisco-asa": (True, None),
}
ANYTHING = (True, r".*")
RANGES = ("txt", "panos-ip", "fortigate-ip", "nftables")

prefixes = st.one_of(
    # Close together, so that some touch, some lie in others and some are single addresses.
    st.tuples(st.integers(0, 63), st.integers(24, 32)).map(lambda one: block(f"20.1.{one[0]}.0/{one[1]}")),
    st.tuples(st.integers(0, 15), st.integers(28, 32)).map(lambda one: block(f"20.1.2.{one[0] * 16}/{one[1]}")),
    st.tuples(st.integers(0, 15), st.integers(32, 128)).map(lambda one: block(f"2603:10{one[0]:x}0::/{one[1]}")),
)
fqdns = st.from_regex(r"\A(\*\.|a\.\*\.|a-\*\.|\*cdn\.)?[a-f][a-f0-9]{0,3}\.(example|de)\Z")
patterns = st.sampled_from(["<tenant>.sharepoint.com", "localhost", "{guid}.example.com"])


def block(text: str) -> str:
    return str(ipaddress.ip_network(text, strict=False))


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Draw a catalogue of a few records that share members."""
    sets = draw(
        st.lists(
            st.tuples(st.sets(prefixes, max_size=8), st.sets(fqdns, max_size=6), st.sets(patterns, max_size=2)),
            min_size=1,
            max_size=4,
        )
    )
    return snapshot_of(
        row(SEED, f"r{number}", prefixes=tuple(sorted(one)), fqdns=tuple(names), patterns=tuple(holes))
        for number, (one, names, holes) in enumerate(sets)
    )


def seen(snapshot: Snapshot) -> View:
    return View(tuple(map(Entry, snapshot.endpoint_sets)))


def expected(name: str, records: tuple[EndpointSet, ...], family: Family) -> Read:
    """Return what a file of ``records`` should say, in any order."""
    holds_prefixes, wildcards = HOLDS.get(name, ANYTHING)
    listed = {prefix for one in records for prefix in one.prefixes if holds_prefixes}
    named = {fqdn for one in records for fqdn in one.fqdns}
    return Read(
        tuple(one for one in listed if family in ("both", str(ipaddress.ip_network(one).version))),
        tuple(sorted(one for one in named if wildcards is not None and re.fullmatch(wildcards, one))),
    )


def dropped(file: File) -> int:
    """Return how many members a file says it lacks, names with a hole left aside."""
    return sum(one.count for one in file.cut.dropped if one.reason is not DropReason.PATTERN)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40)
@given(snapshot=snapshots(), family=st.sampled_from(Family))
def test_what_goes_in_comes_out(name: str, snapshot: Snapshot, family: Family) -> None:
    """A file has the very members that its format holds, each once and in catalogue order; the rest is counted."""
    if not HOLDS.get(name, ANYTHING)[0]:
        family = Family.BOTH
    wanted = expected(name, snapshot.endpoint_sets, family)
    if wanted == Read():
        with pytest.raises(NoMatchError):
            render(name, snapshot, seen(snapshot), (), Options(family=family))
        return
    file = render(name, snapshot, seen(snapshot), (), Options(family=family))
    found = read(name, file.data)
    assert sorted(found.prefixes) == sorted(wanted.prefixes)
    assert list(found.prefixes) == sorted(
        found.prefixes, key=lambda one: ipaddress.get_mixed_type_key(ipaddress.ip_network(one))
    )
    assert found.fqdns == wanted.fqdns
    whole = expected("txt", snapshot.endpoint_sets, family)
    assert file.cut.entries == len(found.prefixes) + len(found.fqdns)
    assert file.cut.entries + dropped(file) == len(whole.prefixes) + len(whole.fqdns)
    holes = {pattern for one in snapshot.endpoint_sets for pattern in one.patterns}
    assert {one.count for one in file.cut.dropped if one.reason is DropReason.PATTERN} == (
        {len(holes)} if holes else set()
    )


@pytest.mark.parametrize("name", [name for name in FORMATS if HOLDS.get(name, ANYTHING)[0]])
@settings(max_examples=40)
@given(snapshot=snapshots(), family=st.sampled_from(Family), ranges=st.sampled_from(Ranges))
def test_an_aggregate_has_the_same_addresses_in_the_fewest_entries(
    name: str, snapshot: Snapshot, family: Family, ranges: Ranges
) -> None:
    """Aggregated, as blocks or as ranges, not an address comes or goes, and no shorter list has them all."""
    ranges = ranges if name in RANGES else Ranges.CIDR
    wanted = expected(name, snapshot.endpoint_sets, family)
    assume(wanted != Read())
    file = render(name, snapshot, seen(snapshot), (), Options(family=family, aggregate=True, ranges=ranges))
    found = read(name, file.data)
    fewest = addresses(wanted.prefixes)
    assert addresses(found.prefixes) == fewest
    if ranges is Ranges.CIDR:
        assert found.prefixes == tuple(map(str, fewest))
    else:
        gaps = sum(int(a[-1]) + 1 != int(b[0]) or a.version != b.version for a, b in pairwise(fewest))
        assert len(found.prefixes) == gaps + bool(fewest)
    assert file.cut.entries == len(found.prefixes) + len(found.fqdns)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40)
@given(snapshot=snapshots(), limit=st.integers(1, 12), aggregate=st.booleans())
def test_the_parts_are_the_list(name: str, snapshot: Snapshot, limit: int, aggregate: bool) -> None:
    """Put together again, the parts of a split list are the whole, none over the limit and each named apart."""
    wanted = expected(name, snapshot.endpoint_sets, Family.BOTH)
    assume(wanted != Read())
    options = Options(aggregate=aggregate and HOLDS.get(name, ANYTHING)[0])
    whole = read(name, render(name, snapshot, seen(snapshot), (), options).data)
    files = [_part(name, snapshot, options, limit, 1)]
    files += [_part(name, snapshot, options, limit, part) for part in range(2, files[0].cut.parts + 1)]
    parts = [read(name, file.data) for file in files]
    assert tuple(one for part in parts for one in part.prefixes) == whole.prefixes
    assert tuple(one for part in parts for one in part.fqdns) == whole.fqdns
    assert all(1 <= file.cut.entries <= limit for file in files)
    assert [file.cut.entries == limit for file in files[:-1]] == [True] * (len(files) - 1)
    names = [one for part in parts for one in part.names]
    assert len(set(names)) == len(names)
    assert len({file.name for file in files}) == len(files)


def _part(name: str, snapshot: Snapshot, options: Options, limit: int, part: int) -> File:
    cut = Options(aggregate=options.aggregate, overflow=Overflow.SPLIT, limit=limit, part=part)
    return render(name, snapshot, seen(snapshot), (), cut)


@given(snapshot=snapshots(), family=st.sampled_from(Family), part=st.integers(1, 3))
def test_the_holders_of_an_aggregate_are_those_of_its_prefixes(snapshot: Snapshot, family: Family, part: int) -> None:
    """Aggregated, the csv credits a prefix to each record that has a part of it, and to no other, in every part."""
    assume(expected("txt", snapshot.endpoint_sets, family).prefixes)
    options = Options(family=family, aggregate=True, overflow=Overflow.SPLIT, limit=2, part=part)
    try:
        table = render("csv", snapshot, seen(snapshot), (Kind.PREFIX,), options).data.decode()
    except BadParameterError:  # it has fewer parts
        assume(False)
    for line in table.splitlines()[1:]:
        member, _, ids, *_ = line.split(",")
        whole = ipaddress.ip_network(member)
        parts = [one.id for one in snapshot.endpoint_sets if any(_inside(prefix, whole) for prefix in one.prefixes)]
        assert ids.split() == parts


def _inside(prefix: str, whole: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    inner = ipaddress.ip_network(prefix)
    return inner.version == whole.version and inner.subnet_of(whole)  # type: ignore[arg-type]


@pytest.mark.parametrize("format_", [format_named(name) for name in FORMATS], ids=FORMATS)
def test_a_format_says_what_it_holds(format_: Format) -> None:
    """Its data agree with what its consumer takes."""
    holds_prefixes, wildcards = HOLDS.get(format_.name, ANYTHING)
    assert (Kind.PREFIX in format_.kinds, Kind.FQDN in format_.kinds) == (holds_prefixes, wildcards is not None)
    assert format_.ranges == (format_.name in RANGES)
    assert format_.holds.endswith(".")


def test_a_list_of_the_catalogue_is_chosen_and_rendered_alike() -> None:
    """What `chosen` returns goes through every format."""
    snapshot = snapshot_of([row(SEED, "one", prefixes=("20.1.2.0/24",), fqdns=("*.a.example",))])
    for name in FORMATS:
        found = read(name, render(name, snapshot, chosen(snapshot, Filter()), (), PLAIN).data)
        assert {*found.prefixes, *found.fqdns} <= {"20.1.2.0/24", "*.a.example"}
        assert found.prefixes or found.fqdns
