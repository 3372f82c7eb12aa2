"""Address space is compared by addresses, however they are cut into prefixes."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from catalog_service.catalog.space import as_prefixes, covered, without

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
