"""Records: canonical members, ids, digests; names and ports."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schema.endpoint_set import EndpointSet, content_digest
from schema.fqdn import PatternType, canonical_fqdn, is_mid_wildcard, pattern_type, suffix_fqdns, wildcard_pattern
from schema.ports import canonical_ports
from schema.words import Cloud, Kind
from tests.records import contents, record


def test_members_are_canonical() -> None:
    """Members come sorted, unique and in canonical text, whatever order upstream has."""
    made = record("k", prefixes=("20.1.0.0/16", "20.0.0.1", "20.1.0.0/16"), fqdns=("B.example.com.", "a.example.com"))
    assert made.prefixes == ("20.0.0.1/32", "20.1.0.0/16")
    assert made.fqdns == ("a.example.com", "b.example.com")
    assert made.kinds == (Kind.PREFIX, Kind.FQDN)


def test_patterns_are_content() -> None:
    """Patterns come sorted, unique and verbatim, and the digest is of them too; no host name is one."""
    made = record("k", patterns=("localhost", "<Tenant>.example.com", "localhost"))
    assert made.patterns == ("<Tenant>.example.com", "localhost")
    assert content_digest([made]) != content_digest([record("k")])
    with pytest.raises(ValueError, match="'a.example.com' is not a pattern"):
        record("k", patterns=("a.example.com",))


def test_one_cloud_stands_alone_and_several_stand_in_order() -> None:
    """Exactly one of cloud and clouds says where a record applies."""
    one, two = record("k", clouds=(Cloud.CHINA,)), record("k", clouds=(Cloud.CHINA, Cloud.PUBLIC, Cloud.CHINA))
    assert (one.cloud, one.clouds, one.all_clouds) == (Cloud.CHINA, (), (Cloud.CHINA,))
    assert (two.cloud, two.clouds, two.all_clouds) == (None, (Cloud.PUBLIC, Cloud.CHINA), (Cloud.PUBLIC, Cloud.CHINA))
    own = record("k", cloud=Cloud.PUBLIC, clouds=(Cloud.USGOV,))
    assert (own.cloud, own.all_clouds) == (Cloud.PUBLIC, (Cloud.PUBLIC, Cloud.USGOV))


@pytest.mark.parametrize("key", ["", "a b", "a/b", "a?b", "a#b", "a%b", "a\n"])
def test_a_key_that_would_break_an_address_is_refused(key: str) -> None:
    """Ids stand in URLs: a key with white space or URL delimiters is a ValueError."""
    with pytest.raises(ValueError, match="id"):
        record(key)


@given(contents)
def test_the_digest_is_of_content_alone(content: tuple[EndpointSet, ...]) -> None:
    """Order and headings do not matter to the digest; a member does."""
    digest = content_digest(content)
    assert digest == content_digest(replace(one, heading=("elsewhere",)) for one in reversed(content))
    if content:
        assert digest != content_digest([replace(content[0], purpose="something else entirely"), *content[1:]])


@pytest.mark.parametrize(
    "name",
    [
        "*.flow.microsoft.com",
        "*cdn.onenote.net",
        "autodiscover.*.onmicrosoft.com",
        "autodiscover-*.outlook.com",
        "aka.ms",
        "a_b.c.example",
    ],
)
def test_published_names_are_canonical(name: str) -> None:
    """Wildcards as a label, in a label and in the middle are names (sources.md D1.6, M1)."""
    assert canonical_fqdn(f" {name.upper()}. ") == name


@pytest.mark.parametrize(
    "name", ["localhost", "127.0.0.1", "a b.com", "a..com", "-a.com", "a-.com", "x.*", "", "ü.com", f"{'a' * 64}.com",
             "login.microsoft.com\u200b", "*.flow.microsoft.com*.logic.azure.com", "a*b.example.com", "https://a.com", "a.com/", "a.com:443"],
)  # fmt: skip
def test_what_is_no_name_is_refused(name: str) -> None:
    """One label, numbers, empty labels, other scripts and URLs are ValueErrors."""
    with pytest.raises(ValueError, match="is not a host name"):
        canonical_fqdn(name)


@pytest.mark.parametrize(
    ("fqdn", "name", "covered"),
    [
        ("*.x.com", "a.x.com", True), ("*.x.com", "a.b.x.com", True), ("*.x.com", "x.com", False),
        ("*x.com", "ax.com", True), ("a.*.com", "a.b.com", True), ("a.*.com", "a.com", False), ("x.com", "yx.com", False),
    ],
)  # fmt: skip
def test_a_wildcard_covers_names_below_it_and_not_its_apex(fqdn: str, name: str, *, covered: bool) -> None:
    """``*`` stands for at least one character, at any depth."""
    assert bool(wildcard_pattern(fqdn).fullmatch(name)) is covered


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<tenant>.sharepoint.com", PatternType.PLACEHOLDER), ("<tenant>-my.sharepoint.com", PatternType.PLACEHOLDER),
        ("autodiscover.<tenant>.onmicrosoft.com", PatternType.PLACEHOLDER), ("*.crm#.dynamics.com", PatternType.PLACEHOLDER),
        ("{yourAppGuid}.example.com", PatternType.PLACEHOLDER), ("<your tenant>.example.com", PatternType.PLACEHOLDER),
        ("localhost", PatternType.LOCAL), ("LocalHost", PatternType.LOCAL), ("127.0.0.1", PatternType.LOCAL), ("::1", PatternType.LOCAL),
    ],
)  # fmt: skip
def test_a_pattern_has_a_type(text: str, kind: PatternType) -> None:
    """Names with holes and names of the machine itself are told by their text (sources.md D1.12)."""
    assert pattern_type(text) is kind


@pytest.mark.parametrize(
    "text",
    [
        "", "example.com", "tenant", "<tenant>", "<>.example.com", "<a>..example.com", " <a>.example.com", "a b.{c}.example.com",
        "https://<a>.example.com", "<a>.example.com/x", "a#b.example.com", "#.example.com", "x.<tld>", "20.1.2.3", "10.0.0.1", "127.0.0.0/8",
    ],
)  # fmt: skip
def test_what_is_no_pattern_is_refused(text: str) -> None:
    """Host names, junk, addresses that are not loopback and names that a hole does not explain are ValueErrors."""
    with pytest.raises(ValueError, match="is not a pattern"):
        pattern_type(text)


@given(st.text("ab.*#<>{}-1:", max_size=16))
def test_no_text_is_both_a_name_and_a_pattern(text: str) -> None:
    """What may stand in an allowlist is never a pattern, and filling no hole makes a pattern of a name."""
    both = 0
    for read in (canonical_fqdn, pattern_type):
        try:
            both += bool(read(text))
        except ValueError:
            continue
    assert both < 2


@pytest.mark.parametrize(
    ("name", "mid"),
    [
        ("autodiscover.*.onmicrosoft.com", True), ("autodiscover-*.outlook.com", True), ("*.*.example.com", True),
        ("*.example.com", False), ("*cdn.onenote.net", False), ("example.com", False),
    ],
)  # fmt: skip
def test_a_wildcard_past_the_beginning_is_flagged(name: str, *, mid: bool) -> None:
    """A star anywhere but first is what most firewalls cannot express."""
    assert is_mid_wildcard(name) is mid


def test_a_leading_dot_is_the_domain_and_all_below() -> None:
    """Both names together cover exactly the suffix; a wildcard below the dot is refused (sources.md D1.7)."""
    assert suffix_fqdns(".Microsoft.us") == ("*.microsoft.us", "microsoft.us")
    for text in ("microsoft.us", "..microsoft.us", ".*.microsoft.us", ".us", "."):
        with pytest.raises(ValueError, match="is not a"):
            suffix_fqdns(text)


@pytest.mark.parametrize(
    ("texts", "ports"),
    [
        (["443,80"], ("80", "443")), (["80,443"], ("80", "443")), (["143, 587, 993, 995"], ("143", "587", "993", "995")),
        (["3478-3481", "443"], ("443", "3478-3481")), (["80", "80"], ("80",)), ([""], ()),
    ],
)  # fmt: skip
def test_port_lists_mean_the_same_in_any_order(texts: list[str], ports: tuple[str, ...]) -> None:
    """Free-text ports come out sorted and unique (sources.md M1)."""
    assert canonical_ports(texts) == ports


@pytest.mark.parametrize("text", ["http", "0", "65536", "90-80", "80 443", "-1"])
def test_what_is_no_port_is_refused(text: str) -> None:
    """Words, zero, numbers past 65535 and reversed ranges are ValueErrors."""
    with pytest.raises(ValueError, match="is not a port"):
        canonical_ports([text])
