"""Cells: names, prefixes, protocols and service tags, in every separator they were published with."""

from __future__ import annotations

import pytest

from scrapers.docs.cells import read_names, read_prefixes, read_protocols, read_service_tags
from scrapers.docs.page import Text


def cell(*lines: str) -> Text:
    return Text(lines=lines)


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (("graph.microsoft.com", "graph.windows.net"), ("graph.microsoft.com", "graph.windows.net")),
        (("*.flow.microsoft.com", r"\*.logic.azure.com"), ("*.flow.microsoft.com", "*.logic.azure.com")),
        (("a.example.com, b.example.com;c.example.com",), ("a.example.com", "b.example.com", "c.example.com")),
        (("a.example.com, b.example.com, and c.example.com",), ("a.example.com", "b.example.com", "c.example.com")),
        (("a.example.com and *.b.example.com",), ("a.example.com", "*.b.example.com")),
        (("a.example.com b.example.com",), ("a.example.com", "b.example.com")),
        (("a.example.com、b.example.com",), ("a.example.com", "b.example.com")),
        (("*mobile.events.data.microsoft.com",), ("*mobile.events.data.microsoft.com",)),
        (("autodiscover.*.onmicrosoft.com",), ("autodiscover.*.onmicrosoft.com",)),
        (("PrdNorwayEast-V2.servicebus.windows.net",), ("prdnorwayeast-v2.servicebus.windows.net",)),
        (("b.example.com", "a.example.com", "b.example.com"), ("b.example.com", "a.example.com")),
        (("dynamics.com",), ("dynamics.com",)),
    ],
)
def test_names_are_read_in_the_order_written(lines: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Breaks, commas, "and" and spaces part names; escapes go; doubled names are one."""
    assert read_names(cell(*lines)).fqdns == names


def test_a_url_gives_its_host_and_its_scheme() -> None:
    """Full addresses give the host as name and the scheme as protocol."""
    names = read_names(cell("https://crl.microsoft.com/pki/crl/products/root.crl", "http://a.example.com"))
    assert (names.fqdns, names.protocols) == (("crl.microsoft.com", "a.example.com"), ("http", "https"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        ". microsoft.com",
        ".azureedge.net",
        "*. azure-apim.net",
        "autodiscover..onmicrosoft.com",
        "https://gov.flow.microsoft.us (GCC)",
        "N/A",
        "127.0.0.1",
        "a.example.com:8080",
        "https://*.crm#.dynamics.com",
    ],
)
def test_what_is_no_host_name_is_refused(text: str) -> None:
    """A cell with anything that is not a host name is refused, never read in part."""
    with pytest.raises(ValueError, match="is not a host name|there is no host name"):
        read_names(cell("good.example.com", text) if text else cell())


def test_every_wrong_name_of_a_cell_is_said() -> None:
    """One error names all names that cannot be read."""
    with pytest.raises(ValueError, match=r"'\.one' is not a host name; 'localhost' is not"):
        read_names(cell(".one", "good.example.com", "localhost"))


def test_emphasis_in_a_cell_of_names_is_refused() -> None:
    """Emphasis means that stars are gone."""
    with pytest.raises(ValueError, match="emphasis"):
        read_names(Text(lines=(".a.example.com",), emphases=(".a.example.com",)))


@pytest.mark.parametrize(
    ("text", "prefixes"),
    [
        ("13.67.8.240 - 13.67.8.255, 52.175.23.169", ("13.67.8.240/28", "52.175.23.169/32")),
        ("13.67.8.240-13.67.8.255,52.175.23.169", ("13.67.8.240/28", "52.175.23.169/32")),
        ("13.67.8.240 – 13.67.8.255", ("13.67.8.240/28",)),
        ("13.67.8.240 から 13.67.8.255、52.175.23.169", ("13.67.8.240/28", "52.175.23.169/32")),
        ("51.116.211.212 and 51.116.236.78", ("51.116.211.212/32", "51.116.236.78/32")),
        ("51.116.211.212、および 51.116.236.78", ("51.116.211.212/32", "51.116.236.78/32")),
        ("40.90.0.0/24, 2603:1000::/40", ("40.90.0.0/24", "2603:1000::/40")),
        ("51.140.80.51, 51.140.80.51", ("51.140.80.51/32",)),
        ("51.116.60.192, 51.116.60.192 - 51.116.60.223", ("51.116.60.192/27",)),
        ("127.0.0.1", ("127.0.0.1/32",)),
        ("10.0.0.1 - 10.0.0.2", ("10.0.0.1/32", "10.0.0.2/32")),
    ],
)
def test_addresses_ranges_and_blocks_become_prefixes(text: str, prefixes: tuple[str, ...]) -> None:
    """Every form of an address list is read; doubled and contained addresses are dropped."""
    assert read_prefixes(cell(text)) == prefixes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fdfdf",
        "13.67.8.255 - 13.67.8.240",
        "13.67.8.241/28",
        "1.2.3.4 - 1.2.3.5 - 1.2.3.6",
        "1.2.3",
        "1.2.3.4 (East)",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """Junk, reversed ranges and host bits are refused, never skipped."""
    with pytest.raises(ValueError, match=r"is not|there is no address|has host bits|does not appear"):
        read_prefixes(cell(*filter(None, ("1.1.1.1" if text else "", text))))


@pytest.mark.parametrize(
    ("text", "protocols"),
    [("HTTPS", ("https",)), ("http, https", ("http", "https")), ("http/https", ("http", "https"))],
)
def test_protocols_are_lower_case_words(text: str, protocols: tuple[str, ...]) -> None:
    """Both protocols of a cell are read."""
    assert read_protocols(cell(text)) == protocols


def test_a_port_is_no_protocol() -> None:
    """A number in the column of protocols is refused."""
    with pytest.raises(ValueError, match="'443' is not a protocol"):
        read_protocols(cell("https 443"))


def test_struck_out_and_glued_members_are_refused() -> None:
    """What is struck out is no longer meant, and a name in code may not touch another."""
    with pytest.raises(ValueError, match=r"'a\.example\.com' is struck out"):
        read_names(Text(lines=("a.example.com",), strikes=("a.example.com",)))
    with pytest.raises(ValueError, match=r"'1\.1\.1\.1' is struck out"):
        read_prefixes(Text(lines=("1.1.1.1",), strikes=("1.1.1.1",)))
    with pytest.raises(ValueError, match=r"'b\.example\.com' runs together"):
        read_names(Text(lines=("a.example.comb.example.com",), codes=("b.example.com",)))


def test_service_tags_keep_their_case() -> None:
    """Names of service tags, regional ones too, are read as written."""
    tags = read_service_tags(cell("AzureConnectors.CanadaCentral, AzureConnectors.CanadaEast"))
    assert tags == ("AzureConnectors.CanadaCentral", "AzureConnectors.CanadaEast")


@pytest.mark.parametrize("lines", [(), ("azure connectors",), ("LogicApps (all)",)])
def test_what_is_no_service_tag_is_refused(lines: tuple[str, ...]) -> None:
    """An empty cell or a phrase is no service tag."""
    with pytest.raises(ValueError, match="service tag"):
        read_service_tags(cell(*lines))
