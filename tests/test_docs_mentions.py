"""Service tags and host names outside tables."""

from __future__ import annotations

import pytest

from scrapers.docs.markdown import page_from_markdown
from scrapers.docs.mentions import (
    goes_to_service_tag,
    lists_addresses,
    lists_host_names,
    lists_service_tags,
    mentioned_tags,
    opening_names,
    opening_span,
    spf_addresses,
)
from scrapers.docs.page import BulletList, Paragraph, Text


def tags(markdown: str) -> list[str]:
    (block,) = page_from_markdown(markdown).blocks
    assert isinstance(block, Paragraph)
    return [mention.tag for mention in mentioned_tags(block.text)]


def bullets(markdown: str) -> BulletList:
    block = page_from_markdown(markdown).blocks[-1]
    assert isinstance(block, BulletList)
    return block


@pytest.mark.parametrize(
    ("sentence", "named"),
    [
        ("Allow traffic from the **AzureConnectors** service tag.", ["AzureConnectors"]),
        ("The service tags are `LogicApps` and **PowerPlatformInfra**.", ["PowerPlatformInfra", "LogicApps"]),
        ("Use the `AzureConnectors.WestEurope` service tag.", ["AzureConnectors.WestEurope"]),
        ("The file **Azure IP Ranges and Service Tags** is weekly.", []),
        ("Service tags follow the **Region** of **Environments**.", []),
        ("Use service tags. Look at **AzureConnectors**.", []),
        ("Don't use the **AzureConnectors** service tag.", []),
        ("Allow traffic from AzureConnectors, a service tag.", []),
    ],
)
def test_only_names_beside_the_words_are_tags(sentence: str, named: list[str]) -> None:
    """A tag is CamelCase, bold or code, and in a sentence that speaks of service tags."""
    assert tags(sentence) == named


def test_lists_of_tags_are_announced() -> None:
    """Bullets are tags only below a sentence about service tags."""
    assert lists_service_tags(bullets("Available service tags:\n- `PowerPlatformInfra` -- infrastructure"))
    assert not lists_service_tags(bullets("Available roles:\n- `PowerPlatformInfra` -- infrastructure"))
    assert not lists_service_tags(bullets("On service tags:\n- Learn about PowerPlatformInfra"))


def test_lists_of_host_names_are_announced() -> None:
    """Bullets are host names only at the beginning, in code or all of them, below a sentence that asks to allow them."""
    assert lists_host_names(bullets("Ensure your proxy allows traffic to:\n- `*.powerautomate.com` (service)"))
    assert not lists_host_names(bullets("Files:\n- `settings.json` (settings)"))
    assert not lists_host_names(bullets("Allow traffic:\n- The portal at `*.powerautomate.com`"))
    assert lists_host_names(bullets("Allow traffic to:\n- a.example.com (x)\n- https://b.example.com/y"))
    assert not lists_host_names(bullets("Allow traffic:\n- a.example.com\n- The portal"))
    assert not lists_host_names(bullets("The files:\n- a.example.com"))


@pytest.mark.parametrize(
    ("bullet", "names", "rest"),
    [
        ("`*.a.example.com` (x)", ("*.a.example.com",), " (x)"),
        ("`a.example.com` `b.example.com`", ("a.example.com", "b.example.com"), ""),
        ("`a.example.com, b.example.com` x", ("a.example.com", "b.example.com"), " x"),
        ("a.example.com / b.example.com, and c.example.com.", ("a.example.com", "b.example.com", "c.example.com"), "."),
        ("[a.example.com](x): y", ("a.example.com",), ": y"),
        ("`a.example.com` serves b.example.com", ("a.example.com",), " serves b.example.com"),
        ("`a.example.com` Node.js", ("a.example.com",), " Node.js"),
        ("The portal", (), "The portal"),
    ],
)
def test_the_names_that_open_a_bullet(bullet: str, names: tuple[str, ...], rest: str) -> None:
    """Names end where prose begins."""
    (item,) = bullets(f"- {bullet}").items
    opening = opening_names(item)
    assert (opening.names, opening.rest) == (names, rest)


@pytest.mark.parametrize(
    ("sentence", "outbound"),
    [
        ("Allow outbound traffic from your network to the LogicApps service tag.", True),
        ("Open connections to LogicApps and AzureConnectors service tags.", True),
        ("Allow outbound traffic to the AzureConnectors and LogicApps service tags.", True),
        ("Allow outbound access to the following service tags:", True),
        ("Allow traffic into your network from the LogicApps service tag.", False),
        ("Allow access to SharePoint from the LogicApps service tag.", False),
        ("The tag is LogicApps, as described in outbound IP addresses.", False),
        ("To enable actions to call services, allow traffic from the LogicApps service tag.", False),
    ],
)
def test_a_sentence_tells_the_direction_of_a_tag(sentence: str, outbound: bool) -> None:
    """Only a sentence that lets traffic out to the tag makes it outbound."""
    assert goes_to_service_tag(sentence, "LogicApps") is outbound


def test_the_opening_span_is_the_first_thing_of_a_bullet() -> None:
    """A span later in the bullet opens nothing."""
    items = bullets("- `a.example.com` (x)\n- **LogicApps** too\n- see `b.example.com`").items
    assert [opening_span(item) for item in items] == ["a.example.com", "LogicApps", ""]


@pytest.mark.parametrize(
    ("markdown", "addresses"),
    [
        ("Mail:\n- 1.1.1.1\n- others", True),
        ("- 1.1.1.0/24, 1.1.2.0 - 1.1.2.15", True),
        ("- <del>1.1.1.1</del>", True),
        ("Any of these IPs:\n- 1.1.1.1 (East)", True),
        ("Versions:\n- 1.1.1.1 (East)", False),
        ("Allow traffic:\n- a.example.com\n- 10.0 or later", False),
    ],
)
def test_lists_of_addresses_are_seen(markdown: str, addresses: bool) -> None:
    """One bullet that is nothing but an address tells the list, or one that begins with it below a sentence."""
    assert lists_addresses(bullets(markdown)) is addresses


def test_an_spf_string_gives_its_addresses() -> None:
    """As prefixes, up to its "all", also in the middle of a sentence and when there are two."""
    text = "It is v=spf1 ip4:1.1.1.1 +ip4:1.1.2.0/30 ~all and v=spf1 ip6:2603:1000::/32 -all today."
    assert spf_addresses(Text(lines=(text,))) == ("1.1.1.1/32", "1.1.2.0/30", "2603:1000::/32")
    assert spf_addresses(Text(lines=("A record begins with v=spf1 and a list.",))) == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("v=spf1 include:spf.example.com -all", "'include:spf.example.com'"),
        ("v=spf1 ip4:1.1.1.1 a mx ~all", "'a', 'mx'"),
        ("v=spf1 ip4:1.1.1.1", "no end"),
        ("v=spf1 ip4:1.1.1.300 ~all", "1.1.1.300"),
    ],
)
def test_an_spf_string_that_is_not_all_addresses_is_refused(text: str, reason: str) -> None:
    """What it includes from elsewhere, and what was cut off, would be missing."""
    with pytest.raises(ValueError, match=reason):
        spf_addresses(Text(lines=(text,)))
