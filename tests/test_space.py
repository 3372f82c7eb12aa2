"""Address space is compared by addresses, however they are cut into prefixes."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from catalog_service.catalog.space import address_space, as_prefixes, common, covered, shift, without

prefixes = st.lists(
    st.tuples(st.integers(0, 255), st.integers(24, 32)).map(
        lambda one: str(ipaddress.ip_network((f"20.0.0.{one[0]}", one[1]), strict=False))
    )
    | st.tuples(st.integers(0, 15), st.integers(124, 128)).map(
        lambda one: str(ipaddress.ip_network((f"2603::{one[0]:x}", one[1]), strict=False))
    ),
    max_size=12,
)


def addresses(listed: tuple[str, ...] | list[str]) -> set[str]:
    """Return every address of ``listed``."""
    return {str(address) for prefix in listed for address in ipaddress.ip_network(prefix)}


@given(prefixes)
def test_covering_keeps_every_address(listed: list[str]) -> None:
    """What goes in comes out, in as few prefixes as there can be."""
    found = as_prefixes(covered(listed))
    assert addresses(found) == addresses(listed)
    assert len(found) <= len(set(listed))


@given(prefixes, prefixes)
def test_a_difference_is_one_of_addresses(one: list[str], other: list[str]) -> None:
    """What only one list covers is what set arithmetic over single addresses says."""
    assert addresses(as_prefixes(without(covered(one), covered(other)))) == addresses(one) - addresses(other)


def test_split_and_merged_are_the_same() -> None:
    """Two halves are their whole: no conflict, no difference."""
    assert covered(["20.0.0.0/25", "20.0.0.128/25"]) == covered(["20.0.0.0/24"])


@given(prefixes, prefixes, prefixes)
def test_a_shift_is_what_the_whole_gained_and_lost(kept: list[str], added: list[str], removed: list[str]) -> None:
    """Sweeping what moved alone says what sets of single addresses say."""
    gained, lost = (addresses(as_prefixes(spans)) for spans in shift(added, removed, kept))
    assert gained == addresses([*kept, *added]) - addresses([*kept, *removed])
    assert lost == addresses([*kept, *removed]) - addresses([*kept, *added])


@given(prefixes, prefixes)
def test_common_is_what_both_cover(one: list[str], other: list[str]) -> None:
    """The intersection of two lists is that of their addresses."""
    assert addresses(as_prefixes(common(covered(one), covered(other)))) == addresses(one) & addresses(other)


def test_any_span_is_cut_into_the_fewest_prefixes() -> None:
    """From the first address to the last of either family, aligned or not."""
    for family, bits in ((ipaddress.IPv4Address, 32), (ipaddress.IPv6Address, 128)):
        for first, last in ((0, 2**bits - 1), (0, 0), (1, 2**bits - 2), (5, 12), (2**bits - 1, 2**bits - 1)):
            expected = list(ipaddress.summarize_address_range(family(first), family(last)))
            found = as_prefixes(((4 if bits == 32 else 6, first, last),))
            assert list(map(ipaddress.ip_network, found)) == expected


def test_addresses_are_counted_as_text() -> None:
    """IPv6 counts are beyond what JSON numbers hold: all counts are decimal text."""
    space = address_space(covered(["20.0.0.0/24", "2603::/32"]), ())
    assert (space.gained.ipv4_addresses, space.gained.ipv6_addresses) == ("256", str(2**96))
    assert (space.lost.prefixes, space.lost.ipv4_addresses, space.lost.ipv6_addresses) == ((), "0", "0")
