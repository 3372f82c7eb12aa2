"""Host names and addresses outside tables."""

from __future__ import annotations

import pytest

from scrapers.docs.markdown import page_from_markdown
from scrapers.docs.mentions import (
    is_evident_host,
    lists_addresses,
    lists_host_names,
    opening_names,
    opening_span,
    spf_addresses,
)
from scrapers.docs.page import BulletList, Text


def bullets(markdown: str) -> BulletList:
    block = page_from_markdown(markdown).blocks[-1]
    assert isinstance(block, BulletList)
    return block


def test_lists_of_host_names_are_announced() -> None:
    """Bullets are host names only at the beginning, in code or all of them, below a sentence that asks to allow them."""
    assert lists_host_names(bullets("Ensure your proxy allows traffic to:\n- `*.powerautomate.com` (service)"))
    assert not lists_host_names(bullets("Files:\n- `settings.json` (settings)"))
    assert not lists_host_names(bullets("Allow traffic:\n- The portal at `*.powerautomate.com`"))
    assert lists_host_names(bullets("Allow traffic to:\n- a.example.com (x)\n- https://b.example.com/y"))
    assert not lists_host_names(bullets("Allow traffic:\n- a.example.com\n- The portal"))
    assert not lists_host_names(bullets("The files:\n- settings.json"))
    assert not lists_host_names(bullets("Don't allow these domains:\n- a.example.com"))


@pytest.mark.parametrize(
    ("markdown", "hosts"),
    [
        ("The mobile app also needs:\n- `collector.azure.cn` (telemetry)\n- a.example.com", True),
        ("Open port 443 to these destinations:\n- a.example.com\n- *.b.example.com", True),
        ("- a.example.com\n- b.example.com", True),
        ("- Node.js\n- ASP.NET\n- settings.json", False),
        ("- a.example.com\n- The portal", False),
        ("- a.example.com serves the portal", False),
        ("No longer use these:\n- a.example.com", False),
    ],
)
def test_bullets_that_are_nothing_but_host_names_need_no_sentence(markdown: str, hosts: bool) -> None:
    """Nested below a word, below a sentence of other words, or below none; not below one against them."""
    assert lists_host_names(bullets(markdown)) is hosts


@pytest.mark.parametrize("word", ["Node.js", "ASP.NET", "settings.json", "https://a.example.com/x", "a.com/b", "com"])
def test_other_words_with_a_dot_are_no_evident_host_names(word: str) -> None:
    """What may be a product, a file or a link is nothing to refuse a page for."""
    assert not is_evident_host(word)


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
