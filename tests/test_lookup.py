"""Lookup answers what a full scan answers, the most specific first."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_service.catalog.lookup import LookupIndex
from catalog_service.catalog.select import Filter, allowlist, select
from catalog_service.catalog.target import read_target
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
    ("query", "found"),
    [
        ("20.1.0.0/16", ["exact near", "exact twin", "covers wide"]),
        ("20.1.2.3", ["covers near", "covers twin", "covers wide"]),
        ("20.0.0.0/7", ["inside wide", "inside near", "inside twin"]),
        ("login.example.com", ["exact near", "covers twin"]),
        ("*.flow.example.com", ["exact near", "covers twin"]),
    ],
)
def test_each_match_says_how_it_relates(query: str, found: list[str]) -> None:
    """It is what was asked, covers it, or lies inside it."""
    assert [f"{match.relation} {match.record.title}" for match in INDEX.lookup(query)] == found


def test_a_prefix_of_one_address_is_exact() -> None:
    """With or without its length, and again when it is asked again."""
    index = LookupIndex([record("k", prefixes=("20.1.2.3/32", "20.1.2.0/24"))])
    for query in ("20.1.2.3", "20.1.2.3/32", "20.1.2.3"):
        assert [match.relation for match in index.lookup(query)] == ["exact", "covers"]
    assert [match.relation for match in index.lookup("20.1.2.4")] == ["covers"]


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("https://A.Example.com:8443/path?q=1#x", "a.example.com"),
        ("http://20.1.2.3/", "20.1.2.3"),
        ("https://[2603:1000::0:1]:443/", "2603:1000::1"),
        ("20.1.2.3:443", "20.1.2.3"),
        ("[2603:1000::1]:443", "2603:1000::1"),
        ("A.Example.com:8443", "a.example.com"),
        ("wss://*.flow.example.com", "*.flow.example.com"),
        ("http://[::ffff:20.1.2.3]/", "20.1.2.3"),
        ("::ffff:20.1.2.3", "20.1.2.3"),
        ("::FFFF:1401:203", "20.1.2.3"),
        ("::ffff:20.1.0.0/112", "20.1.0.0/16"),
    ],
)
def test_a_url_or_a_mapped_address_is_read_as_what_it_stands_for(query: str, target: str) -> None:
    """The host of a URL, the IPv4 address in an IPv6 one; the answer can say which."""
    read = read_target(query)
    assert (read.text, read.rewritten) == (target, True)


@pytest.mark.parametrize("query", ["20.1.2.3", "2603:1000::1", "20.1.0.0/16", "a.example.com", "::1.2.3.4", "::/0"])
def test_other_queries_stand_as_they_are(query: str) -> None:
    """Nothing is rewritten that need not be."""
    assert read_target(query).rewritten is False


@pytest.mark.parametrize(
    "query",
    [
        "", " ", "20.1.2.3/8", "20.1.2.256", "nonsense", "a b.com", "fe80::1%eth0", "x" * 400, "0177.0.0.1", "20.1.2",
        "0x14.1.2.3", "0x7f.0x1", "a.0x1f", "20.1.2.3.", "20.1.2.3/-1", "20.1.2.3/08", "1.2.3.4\x00",
        "[2603::1]", "20.1.2.3-20.1.2.9", "::ffff:20.1.2.3/111", "https://", "https:///path", "://a.example.com",
        "https://user@a.example.com/", "https://user:secret@a.example.com/", "https://a.example.com:http/",
        "https://[2603::1/", "https://2603::1/", "https://[a.example.com]/", "https://[fe80::1%25eth0]/",
        "https://a.example.com\\@b.example.com/", "https://a\texample.com/", "https://0x7f.1/", "https://localhost/",
        "https://a.example.com/" + "x" * 5000, "b\u00fccher.example.com", "\ud800.example.com", "20.1.2.\u0663",
    ],
)  # fmt: skip
def test_what_cannot_be_looked_up_is_named(query: str) -> None:
    """A query that is no address, block, name or URL is the client's error, and says so."""
    with pytest.raises(BadParameterError) as error:
        INDEX.lookup(query)
    assert error.value.facts["parameter"] == "q"
    assert "secret" not in f"{error.value} {error.value.facts}"


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
