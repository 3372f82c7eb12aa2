"""Prefixes in canonical text and order."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.prefix import canonical_prefix, canonical_prefixes, merge_prefixes, parse_block, split_range, unsafe_reason

networks = st.one_of(
    st.builds(
        lambda value, length: ipaddress.IPv4Network((value, length), strict=False),
        st.integers(0, 2**32 - 1),
        st.integers(0, 32),
    ),
    st.builds(
        lambda value, length: ipaddress.IPv6Network((value, length), strict=False),
        st.integers(0, 2**128 - 1).filter(lambda value: value >> 64 != 0),
        st.integers(0, 128).filter(lambda length: length > 64),
    ),
)


@given(networks)
def test_canonical_prefix_agrees_with_the_standard_library(network: ipaddress.IPv4Network) -> None:
    """Every network's text, long or short, has the text the standard library gives it."""
    assert canonical_prefix(str(network)) == str(network)
    assert canonical_prefix(network.exploded) == str(network)


@given(st.text(alphabet="0123456789abcdef:./% x", max_size=24))
def test_nothing_is_a_prefix_that_the_standard_library_refuses(text: str) -> None:
    """A text is accepted only where ipaddress accepts it, with the same meaning."""
    try:
        accepted = canonical_prefix(text)
    except ValueError:
        return
    assert ipaddress.ip_network(accepted) == ipaddress.ip_network(text)


@pytest.mark.parametrize(
    "text",
    ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/08", "1.2.3.5/24", "01.2.3.4", "1.2.3.4%eth0", "fe80::1%1", "::/129",
     "1.2.3.4/-1", "1.2.3.4/+8", "1.2.3.4/255.0.0.0", "0x7f000001", "2130706433", "1.2.3.4 /32", "a.b.c.d"],
)  # fmt: skip
def test_other_texts_are_refused(text: str) -> None:
    """What is not an address or a CIDR block with clear host bits is a ValueError that quotes it."""
    with pytest.raises(ValueError, match="has|is not"):
        canonical_prefix(text)


@given(st.lists(networks.map(str)))
def test_prefixes_come_in_catalog_order_once(texts: list[str]) -> None:
    """v4 stands before v6, then by first address, then by length, each once."""
    ordered = canonical_prefixes(texts + texts[:1])
    blocks = [parse_block(text) for text in ordered]
    assert [(b.family, b.first, b.length) for b in blocks] == sorted({(b.family, b.first, b.length) for b in blocks})
    assert set(ordered) == set(texts)


@given(st.lists(networks.map(str), unique=True), st.data())
def test_merging_equals_canonical_order_of_the_result(texts: list[str], data: st.DataObject) -> None:
    """Members inserted and removed in place give what sorting everything gives."""
    before = data.draw(st.lists(st.sampled_from(texts), unique=True)) if texts else []
    added = [text for text in texts if text not in before]
    removed = set(data.draw(st.lists(st.sampled_from(before), unique=True))) if before else set()
    merged = merge_prefixes(canonical_prefixes(before), canonical_prefixes(added), removed)
    assert merged == canonical_prefixes({*before, *added} - removed)


@pytest.mark.parametrize(
    ("first", "last", "blocks"),
    [
        ("13.75.36.64", "13.75.36.79", ("13.75.36.64/28",)),
        (" 40.120.8.0", "40.120.8.31 ", ("40.120.8.0/27",)),
        ("20.0.0.1", "20.0.0.2", ("20.0.0.1/32", "20.0.0.2/32")),
        ("2603::", "2603::ffff", ("2603::/112",)),
    ],
)
def test_a_range_becomes_the_blocks_that_cover_it(first: str, last: str, blocks: tuple[str, ...]) -> None:
    """A published range is covered exactly (sources.md D1.25)."""
    assert split_range(first, last) == blocks


@pytest.mark.parametrize(("first", "last"), [("20.0.0.2", "20.0.0.1"), ("20.0.0.1", "2603::"), ("x", "20.0.0.1")])
def test_a_range_that_is_none_is_refused(first: str, last: str) -> None:
    """Reversed, mixed and unreadable ranges are ValueErrors."""
    with pytest.raises(ValueError, match="is not|does not appear"):
        split_range(first, last)


@pytest.mark.parametrize(
    "prefix",
    ["127.0.0.1/32", "10.0.0.0/8", "192.168.1.0/24", "169.254.169.254/32", "100.64.0.0/10", "224.0.0.0/8", "0.0.0.0/0",
     "::1/128", "fe80::/10", "fc00::/7", "::/0", "ff02::/16", "168.63.129.16/32", "12.0.0.0/7", "2602::/15"],
)  # fmt: skip
def test_addresses_with_no_place_in_an_allowlist_are_named(prefix: str) -> None:
    """Private, loopback, link-local, shared, multicast, host-agent and over-wide blocks give a reason."""
    assert prefix in (unsafe_reason(prefix) or "")


@pytest.mark.parametrize("prefix", ["13.64.0.0/11", "20.0.0.0/8", "40.74.30.128/29", "2603:1000::/24", "168.61.0.0/16"])
def test_public_addresses_are_safe(prefix: str) -> None:
    """Public blocks of ordinary size give none."""
    assert unsafe_reason(prefix) is None
