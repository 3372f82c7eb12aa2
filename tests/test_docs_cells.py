"""Cells: names, prefixes, protocols and service tags, in every separator they were published with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.fqdn import canonical_fqdn, pattern_type
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
        "local host",
        ". microsoft.com",
        ".azureedge.net",
        "*. azure-apim.net",
        "autodiscover..onmicrosoft.com",
        "https://gov.flow.microsoft.us (GCC)",
        "https://a.example.com/x (21Vianet) https://b.example.com",
        "a.example.com (Europe)",
        "N/A",
        "20.1.2.3",
        "10.0.0.1",
        "a.example.com:8080",
        "https://a.example.com#top",
        "<tenant>",
        "<tenant>:8080.example.com",
    ],
)
def test_what_is_no_host_name_is_refused(text: str) -> None:
    """A cell with anything that is not a host name is refused, never read in part."""
    with pytest.raises(ValueError, match="is not a host name|there is no host name"):
        read_names(cell("good.example.com", text) if text else cell())


def test_every_wrong_name_of_a_cell_is_said() -> None:
    """One error names all names that cannot be read."""
    with pytest.raises(ValueError, match=r"'\.one' is not a host name; 'two' is not"):
        read_names(cell(".one", "good.example.com", "two"))


@pytest.mark.parametrize(
    ("line", "patterns", "fqdns"),
    [
        ("https://*.crm#.dynamics.com and http://*.crm#.dynamics.com", ("*.crm#.dynamics.com",), ()),
        ("<tenant>.sharepoint.com, <tenant>-my.sharepoint.com", ("<tenant>.sharepoint.com", "<tenant>-my.sharepoint.com"), ()),
        ("<your tenant>.example.com a.example.com", ("<your tenant>.example.com",), ("a.example.com",)),
        ("{appGuid}.Example.com.", ("{appGuid}.Example.com",), ()),
        ("localhost", ("localhost",), ()),
        ("http://127.0.0.1/callback", ("127.0.0.1",), ()),
    ],
)  # fmt: skip
def test_holes_and_the_machine_itself_are_patterns(
    line: str, patterns: tuple[str, ...], fqdns: tuple[str, ...]
) -> None:
    """Names with holes and local names are kept verbatim beside the host names (sources.md D1.12)."""
    names = read_names(cell(line))
    assert (names.patterns, names.fqdns) == (patterns, fqdns)


def test_a_url_with_a_hole_keeps_its_scheme() -> None:
    """A pattern's scheme is the protocol, as a host name's is; a hole in the path is not one in the name."""
    names = read_names(cell("http://*.crm#.example.com", "https://a.example.com/apps/{app id}/open"))
    assert (names.patterns, names.fqdns, names.protocols) == (
        ("*.crm#.example.com",),
        ("a.example.com",),
        ("http", "https"),
    )


def test_a_remark_after_a_url_is_no_name() -> None:
    """``(Europe)`` after a URL goes, and what stands on both sides of it stays apart (sources.md D1.9)."""
    line = "https://eu-mobile.example.com/Collector/3.0 (Europe, Africa)https://pipe.example.com (Rest of the world)"
    assert read_names(cell(line)).fqdns == ("eu-mobile.example.com", "pipe.example.com")


def test_a_dotted_list_means_the_domain_and_all_below() -> None:
    """Where the list writes suffixes, each is two names, however the dot is spaced (sources.md D1.7)."""
    names = read_names(cell(". microsoft.com", ".azure.us *.example.us"), dotted=True)
    assert names.fqdns == ("*.microsoft.com", "microsoft.com", "*.azure.us", "azure.us", "*.example.us")
    with pytest.raises(ValueError, match="not a"):
        read_names(cell("..azure.us"), dotted=True)


_LABELS = st.text("abcxyz019", min_size=1, max_size=8)
_NAMES = st.tuples(_LABELS, _LABELS).map(lambda labels: ".".join((*labels, "example.com")))
_HOLES = st.sampled_from(["<tenant>", "{guid}", "<your region>", "crm#"])
_PATTERNS = st.tuples(_HOLES, _NAMES).map(lambda parts: f"{parts[0]}.{parts[1]}") | st.sampled_from(
    ["localhost", "127.0.0.1"]
)


@given(st.lists(_NAMES | _PATTERNS, min_size=1), st.sampled_from([", ", " and ", " ", "; "]))
def test_nothing_of_a_cell_is_lost(words: list[str], between: str) -> None:
    """Each word of a cell is a host name or a pattern, once, whatever stands between them."""
    names = read_names(cell(between.join(words)))
    assert {*names.fqdns, *names.patterns} == set(words)
    assert len(names.fqdns) + len(names.patterns) == len(set(words))
    assert not any(map(_is_hole_or_local, names.fqdns))
    assert all(map(_is_hole_or_local, names.patterns))


@given(st.text("ab.*#<>{} :/-", max_size=20))
def test_a_cell_is_read_whole_or_refused(text: str) -> None:
    """Odd text either gives canonical names and typed patterns or a ValueError."""
    try:
        names = read_names(cell(text))
    except ValueError:
        return
    assert names.fqdns or names.patterns
    assert tuple(map(canonical_fqdn, names.fqdns)) == names.fqdns
    assert all(pattern_type(pattern) for pattern in names.patterns)


def _is_hole_or_local(name: str) -> bool:
    return name in {"localhost", "127.0.0.1"} or any(mark in name for mark in "<{#")


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


def test_words_of_another_column_are_no_protocols() -> None:
    """Where a cell is missing its neighbor stands in its place: its words are refused, each named."""
    with pytest.raises(ValueError, match=r"'drivers', 'that' is not a protocol"):
        read_protocols(cell("https drivers that"))


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
