"""Conflicts: sources that speak of the same thing and disagree, compared by meaning and not by text."""

from __future__ import annotations

import random

import pytest

from catalog_service.catalog.conflict import Conflict, ConflictKind, Party
from catalog_service.catalog.conflicts import conflicts
from schema.endpoint_set import EndpointSet
from schema.words import US_GOVERNMENT, Cloud, Direction
from tests.catalogs import CONNECTORS, GOV_TAGS, LOGIC_APPS, PUBLIC_TAGS, SEED, WORLDWIDE, row, snapshot_of, tag

NAME = "login.example.com"
OUT = Direction.OUTBOUND
BOTH = (Cloud.PUBLIC, Cloud.USGOV)


def docs(key: str = "names", source: str = SEED, **fields: object) -> EndpointSet:
    """Return a row of names that says https."""
    return row(source, key, **{"direction": OUT, "fqdns": [NAME], "protocols": ["https"], **fields})


def m365(key: str = "1", *ports: str, **fields: object) -> EndpointSet:
    """Return a Microsoft 365 endpoint set."""
    defaults = {"direction": OUT, "fqdns": [NAME], "tcp_ports": ports or ("443",), "clouds": BOTH}
    return row(WORLDWIDE, key, **{**defaults, **fields})


def found(*records: EndpointSet) -> tuple[Conflict, ...]:
    """Return the conflicts among ``records``."""
    return conflicts(snapshot_of(records))


def test_ports_that_differ_are_a_conflict() -> None:
    """The page says https, Microsoft 365 says 80 and 443: each side's surplus is told."""
    assert found(docs(), m365("1", "80", "443")) == (
        Conflict(
            ConflictKind.PORTS,
            NAME,
            (
                Party(WORLDWIDE, (f"{WORLDWIDE}:1",), ("tcp/80", "tcp/443"), only=("tcp/80",)),
                Party(SEED, (f"{SEED}:names",), ("tcp/443",), lacks=("tcp/80",)),
            ),
            (Cloud.PUBLIC,),
        ),
    )


def test_https_and_443_are_the_same() -> None:
    """A protocol stands for its port; a source without either says nothing of ports."""
    assert found(docs(), m365("1", "443")) == ()
    assert found(docs(protocols=()), m365("1", "80")) == ()


def test_ranges_are_compared_by_ports() -> None:
    """A list and a range of the same ports agree."""
    listed = docs(protocols=(), udp_ports=["3478,3479,3480,3481"])
    assert found(listed, m365(tcp_ports=(), udp_ports=["3478-3481"])) == ()


def test_rows_of_one_source_complete_each_other() -> None:
    """Two rows that say http and https together say both: only sources disagree."""
    assert found(docs("a", protocols=["http"]), docs("b"), m365("1", "80", "443")) == ()
    assert found(docs("a", protocols=["http"]), docs("b")) == ()


def test_ports_are_compared_within_a_cloud() -> None:
    """What one source says of GCC does not contradict what another says of the public cloud."""
    assert found(docs(clouds=(Cloud.USGOV,)), m365("1", "80", clouds=(Cloud.PUBLIC,))) == ()
    (one,) = found(docs(clouds=BOTH), m365("1", "80", "443"))
    assert one.clouds == BOTH


def test_protocols_alone_are_a_conflict_of_protocols() -> None:
    """Two pages name protocols and no port."""
    (one,) = found(docs(), docs("other", source="power-apps-limits", protocols=["http"]))
    assert (one.kind, [party.says for party in one.parties]) == (ConflictKind.PROTOCOL, [("http",), ("https",)])


def test_clouds_that_share_none_are_a_conflict() -> None:
    """One page lists a name for GCC, another, which speaks for GCC elsewhere, lists it for the public cloud."""
    records = (
        docs(clouds=(Cloud.USGOV,)),
        docs("x", source="b"),
        docs("y", source="b", fqdns=["b.example"], clouds=BOTH),
    )
    (one,) = found(*records)
    assert one.kind is ConflictKind.CLOUD
    assert [(party.source, party.says, party.only) for party in one.parties] == [
        ("b", ("public",), ("public",)),
        (SEED, ("usgov",), ("usgov",)),
    ]


def test_sources_of_different_clouds_do_not_disagree() -> None:
    """Each instance of Microsoft 365 speaks for its own cloud: the same name in two of them is no conflict."""
    dod = row("microsoft-365-usgov-dod", "1", direction=OUT, fqdns=[NAME], clouds=(Cloud.USGOV_DOD,))
    assert found(m365(), dod) == ()


def test_clouds_that_overlap_do_not_disagree() -> None:
    """One source may say more than another."""
    assert found(docs(), m365()) == ()


WEST = tag("AzureConnectors.WestEurope", "20.0.0.0/24")
NORTH = tag("AzureConnectors.NorthEurope", "20.1.0.0/24")


def connectors(region: str, *prefixes: str, source: str = CONNECTORS) -> EndpointSet:
    """Return a region's row of connectors."""
    return row(source, f"connectors:{region}", service="Managed connectors", region=region, prefixes=prefixes)


def test_a_row_and_its_tag_are_compared_by_addresses() -> None:
    """What only one of them covers is told as prefixes; a tag's cut into halves is no conflict."""
    (one,) = found(WEST, connectors("westeurope", "20.0.0.0/25", "20.9.0.0/24"))
    assert (one.kind, one.subject, one.region, one.direction) == (
        ConflictKind.PREFIXES,
        "AzureConnectors",
        "westeurope",
        Direction.INBOUND,
    )
    assert one.parties == (
        Party(PUBLIC_TAGS, (WEST.id,), ("1 prefix",), only=("20.0.0.128/25",), lacks=("20.9.0.0/24",)),
        Party(
            CONNECTORS,
            (f"{CONNECTORS}:connectors:westeurope",),
            ("2 prefixes",),
            only=("20.9.0.0/24",),
            lacks=("20.0.0.128/25",),
        ),
    )
    assert found(WEST, connectors("westeurope", "20.0.0.0/25", "20.0.0.128/25")) == ()


def test_a_geographys_row_is_compared_with_its_regions_tags() -> None:
    """Europe is West and North Europe together."""
    assert found(WEST, NORTH, connectors("europe", "20.0.0.0/24", "20.1.0.0/24")) == ()
    (one,) = found(WEST, NORTH, connectors("europe", "20.0.0.0/24"))
    assert one.parties[0].ids == (NORTH.id, WEST.id)
    assert one.parties[1].lacks == ("20.1.0.0/24",)


def test_a_whole_tag_is_no_answer_for_a_region() -> None:
    """It covers the world: a row for a region is not held against it."""
    assert found(tag("AzureConnectors", "20.0.0.0/8"), connectors("westeurope", "20.9.0.0/24")) == ()


def test_two_pages_are_compared_with_each_other() -> None:
    """The same region of the same service, whatever either page calls its section."""
    seed = row(SEED, "europe", category="connectors", region="europe", prefixes=["20.0.0.0/24"])
    (one,) = found(seed, connectors("europe", "20.3.0.0/24"))
    assert {party.source for party in one.parties} == {SEED, CONNECTORS}


@pytest.mark.parametrize("category", ["connectors", "ip-addresses"])
def test_the_limits_pages_addresses_are_the_connectors(category: str) -> None:
    """Whatever the section is called: it is held against the tag."""
    limits = row(
        "power-automate-limits-and-config", "we", category=category, region="westeurope", prefixes=["20.9.0.0/24"]
    )
    (one,) = found(WEST, limits)
    assert (one.subject, [party.source for party in one.parties]) == ("AzureConnectors", [PUBLIC_TAGS, limits.source])


def test_rows_that_only_name_tags_are_compared_by_their_prefixes() -> None:
    """A page that names the tag and one that lists other addresses disagree; one that names the same does not."""
    named = row(CONNECTORS, "p:europe", service="Managed connectors", region="europe", service_tags=["AzureConnectors"])
    listed = row(SEED, "europe", category="connectors", region="europe", prefixes=["20.0.0.0/24"])
    (one,) = found(WEST, NORTH, named, listed)
    assert {party.source: party.lacks for party in one.parties} == {
        PUBLIC_TAGS: (),
        CONNECTORS: (),
        SEED: ("20.1.0.0/24",),
    }
    assert found(WEST, NORTH, named) == ()
    assert found(named, listed) == ()


def test_clouds_where_all_say_the_same_make_one_conflict() -> None:
    """GCC, GCC High and DoD mean the same tags: one row for the three of them is one conflict."""
    gov = tag("LogicApps.USGovVirginia", "52.0.0.0/24", source=GOV_TAGS)
    listed = row(
        LOGIC_APPS, "va", service="Logic Apps", region="usgovvirginia", prefixes=["52.9.0.0/24"], clouds=US_GOVERNMENT
    )
    (one,) = found(gov, listed)
    assert one.clouds == US_GOVERNMENT


def test_directions_are_kept_apart() -> None:
    """Addresses that customers call are no other list of those that call them (sources.md D1.30)."""
    inbound = row(LOGIC_APPS, "in", service="Logic Apps", region="westeurope", prefixes=["20.5.0.0/24"], direction=OUT)
    assert found(tag("LogicApps.WestEurope", "20.6.0.0/24"), inbound) == ()
    outbound = row(LOGIC_APPS, "out", service="Logic Apps", region="westeurope", prefixes=["20.5.0.0/24"])
    assert [one.subject for one in found(tag("LogicApps.WestEurope", "20.6.0.0/24"), outbound)] == ["LogicApps"]


def test_names_that_need_a_second_look_are_flagged() -> None:
    """Patterns with their type, wildcards inside a name; one party is enough."""
    odd = docs(fqdns=["autodiscover.*.onmicrosoft.com"], patterns=["<tenant>.sharepoint.com", "localhost"])
    assert [(one.kind, one.subject, one.parties[0].says) for one in found(odd)] == [
        (ConflictKind.PATTERN, "<tenant>.sharepoint.com", ("placeholder",)),
        (ConflictKind.PATTERN, "localhost", ("local",)),
        (ConflictKind.MID_WILDCARD, "autodiscover.*.onmicrosoft.com", ("mid-wildcard",)),
    ]


def test_the_order_does_not_depend_on_the_order_of_records() -> None:
    """Equal content gives equal reports, sorted by kind and subject."""
    records = [
        docs(),
        m365("1", "80", "443"),
        docs("other", fqdns=["a.example.com"]),
        m365("2", "80", fqdns=["a.example.com"]),
        WEST,
        connectors("westeurope", "20.9.0.0/24"),
    ]
    expected = found(*records)
    by_source = sorted(records, key=lambda one: one.source)
    random.Random(7).shuffle(by_source)
    assert found(*by_source) == expected
    assert [one.subject for one in expected] == ["a.example.com", NAME, "AzureConnectors"]
