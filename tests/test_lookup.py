"""Lookup answers what a full scan answers, the most specific first."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_service.catalog.lookup import LookupIndex
from catalog_service.catalog.select import Filter, allowlist, select
from schema.errors import BadParameterError
from schema.fqdn import wildcard_pattern
from schema.words import Cloud, Direction, Kind
from tests.records import record

nested = st.builds(
    lambda value, length: str(ipaddress.IPv4Network((value << 20, length), strict=False)),
    st.integers(0, 40),
    st.integers(8, 32),
)


@given(st.lists(nested, max_size=30), nested)
def test_a_lookup_finds_what_a_scan_finds(prefixes: list[str], query: str) -> None:
    """Covering prefixes, innermost first, then those inside, in address order: the same as by brute force."""
    index = LookupIndex([record("k", prefixes=tuple(prefixes))])
    found = [match.prefix for match in index.lookup(query)]
    wanted = ipaddress.ip_network(query)
    networks = sorted({ipaddress.ip_network(prefix) for prefix in prefixes})
    covering = sorted((one for one in networks if wanted.subnet_of(one)), key=lambda one: -one.prefixlen)  # type: ignore[arg-type]
    inside = [one for one in networks if one.subnet_of(wanted) and one != wanted]  # type: ignore[arg-type]
    assert found == [str(one) for one in [*covering, *inside]]


INDEX = LookupIndex(
    [
        record("wide", prefixes=("20.0.0.0/8", "2603:1000::/24")),
        record("near", prefixes=("20.1.0.0/16",), fqdns=("*.flow.example.com", "login.example.com")),
        record("twin", prefixes=("20.1.0.0/16",), fqdns=("*.example.com",)),
        record("odd", fqdns=("*cdn.example.net", "auto.*.example.org")),
    ]
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("20.1.2.3", ["near 20.1.0.0/16", "twin 20.1.0.0/16", "wide 20.0.0.0/8"]),
        (" 20.2.0.0/16 ", ["wide 20.0.0.0/8"]),
        ("20.0.0.0/7", ["wide 20.0.0.0/8", "near 20.1.0.0/16", "twin 20.1.0.0/16"]),
        ("2603:1000:0:1::5", ["wide 2603:1000::/24"]),
        ("8.8.8.8", []),
        ("0.0.0.0", []),
        ("255.255.255.255", []),
        ("login.example.com", ["near login.example.com", "twin *.example.com"]),
        ("A.Flow.Example.com.", ["near *.flow.example.com", "twin *.example.com"]),
        ("flow.example.com", ["twin *.example.com"]),
        ("example.com", []),
        ("mycdn.example.net", ["odd *cdn.example.net"]),
        ("auto.tenant.example.org", ["odd auto.*.example.org"]),
        ("*.flow.example.com", ["near *.flow.example.com", "twin *.example.com"]),
    ],
)
def test_matches_come_from_most_to_least_specific(query: str, found: list[str]) -> None:
    """Records of one prefix come by id; ``*.x`` does not cover ``x``."""
    matches = INDEX.lookup(query)
    assert [f"{match.record.title} {match.prefix or match.fqdn}" for match in matches] == found


@pytest.mark.parametrize(
    "query",
    ["", " ", "20.1.2.3/8", "20.1.2.256", "nonsense", "a b.com", "fe80::1%eth0", "x" * 400, "https://a.example.com/"],
)
def test_what_cannot_be_looked_up_is_named(query: str) -> None:
    """A query that is no address, block or name is the client's error, and says so."""
    with pytest.raises(BadParameterError) as error:
        INDEX.lookup(query)
    assert error.value.facts["parameter"] == "q"


RECORDS = (
    record("AzureConnectors", prefixes=("20.1.0.0/16",), service="AzureConnectors"),
    record("AzureConnectors.WestEurope", prefixes=("20.1.8.0/24",), service="AzureConnectors", region="westeurope"),
    record("portal", fqdns=("*.flow.example.com",), clouds=(Cloud.PUBLIC, Cloud.USGOV), direction=Direction.OUTBOUND),
)


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        (Filter(), ["AzureConnectors", "AzureConnectors.WestEurope", "portal"]),
        (Filter(services=("azureconnectors",)), ["AzureConnectors", "AzureConnectors.WestEurope"]),
        (Filter(services=("AzureConnectors.WestEurope",)), ["AzureConnectors.WestEurope"]),
        (Filter(regions=("WestEurope",)), ["AzureConnectors.WestEurope"]),
        (Filter(clouds=(Cloud.USGOV,)), ["portal"]),
        (Filter(kinds=(Kind.FQDN, Kind.SERVICE_TAG)), ["portal"]),
        (Filter(directions=(Direction.INBOUND,)), []),
        (Filter(sources=("a-source",), kinds=(Kind.PREFIX,), regions=("eastus",)), []),
    ],
)
def test_filters_keep_what_they_name(wanted: Filter, titles: list[str]) -> None:
    """Values of one field are alternatives, fields must all hold."""
    assert [one.title for one in select(RECORDS, wanted)] == titles


def test_an_allowlist_holds_each_member_once_in_order() -> None:
    """Prefixes v4 then v6, names sorted; a kind can be asked for alone."""
    assert allowlist(RECORDS).prefixes == ("20.1.0.0/16", "20.1.8.0/24")
    assert allowlist(RECORDS).fqdns == ("*.flow.example.com",)
    assert allowlist(RECORDS, (Kind.FQDN,)).prefixes == ()


@given(
    st.sampled_from(["a.x.com", "x.com", "b.a.x.com", "ax.com"]),
    st.sampled_from(["*.x.com", "x.com", "*x.com", "a.*.com"]),
)
def test_name_lookup_agrees_with_the_wildcard_rule(name: str, fqdn: str) -> None:
    """A name is found exactly where the wildcard's pattern covers it."""
    found = LookupIndex([record("k", fqdns=(fqdn,))]).lookup(name)
    assert bool(found) is bool(wildcard_pattern(fqdn).fullmatch(name))
