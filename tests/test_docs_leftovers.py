"""Endpoints that no record holds refuse the page; what is no endpoint to allow does not."""

from __future__ import annotations

import pytest

from scrapers.docs.rules import PageRules
from scrapers.docs.sections import Section
from tests.docs_pages import by_key, records, refusal

PORTAL = Section("portal", "Portal", r"^services$")
RULES = PageRules("P", (PORTAL,))
PAGE = "# T\n\n## Services\n\n| Domains | Protocols | Uses |\n|---|---|---|\n| a.b.example.com, *.c.example.com | https | U |\n\n"


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("Europe: 20.1.2.3, 20.1.2.4", "20.1.2.3, 20.1.2.4"),
        ("### Europe\n\n20.1.2.3<br>20.1.2.4", "20.1.2.3, 20.1.2.4"),
        ("- **Asia**: 20.1.2.0/24", "20.1.2.0/24"),
        ("Mail may also come from 2603:1000::/40.", "2603:1000::/40"),
        ("```\n20.1.2.3\n```", "20.1.2.3"),
        ("`d.example.com` is needed too.", "d.example.com"),
        ("<dl><dt>d.example.com</dt><dd>needed</dd></dl>", "d.example.com"),
        ("- .example.us for Dataverse", ".example.us"),
        ("Allow the following:\n\n- d.example.com\n- See [more](x.md)", "d.example.com"),
        ("Also allow *.d.example.com and a.b.example.com on port 443.", "*.d.example.com"),
        ("Don't allow these domains:\n\n- d.example.com\n", "d.example.com"),
        ("| Name | Description |\n|---|---|\n| PowerPlatformPlex | All regions |", "PowerPlatformPlex"),
        ("| Tag | Description |\n|---|---|\n| `AzureConnectors` | All |", "AzureConnectors"),
        ("LogicApps, PowerPlatformPlex and so on.", "LogicApps, PowerPlatformPlex"),
    ],
)
def test_an_endpoint_that_no_record_holds_refuses_the_page(text: str, lost: str) -> None:
    """An address or a known tag in prose, a name that opens a bullet or a paragraph, a tag in a table."""
    (reason,) = refusal(RULES, f"{PAGE}{text}\n")
    assert reason.endswith(f"names {lost}, which is in no record")


@pytest.mark.parametrize(
    "text",
    [
        "a.b.example.com is the portal.",
        "- *.c.example.com is the portal, as said above.",
        "Node.js is needed.",
        "ASP.NET runs there.",
        "settings.json holds it.",
        "https://learn.example.com/x tells more.",
        "A loopback address such as 127.0.0.1, or 10.0.0.0/8 in your network.",
        "Update to version 2.14.1.9 at 10:15:30.",
        "Search for AzureCloud, for example AzureCloud.Australia.",
        "Don't use the **AzureConnectors** service tag.",
        "<del>20.1.2.3</del> and <del>AzureConnectors</del> are gone.",
        "## Deprecated endpoints\n\n- d.example.com is gone.\n",
    ],
)
def test_what_is_no_endpoint_to_allow_does_not(text: str) -> None:
    """What a record holds, products and files, private networks, versions, examples, what is struck out or advised against."""
    if "Search" in text:
        text = f"Allow the AzureCloud service tag. {text}"
    assert "portal:public:a.b.example.com" in by_key(RULES, f"{PAGE}{text}\n")


def test_bare_names_in_bullets_are_records() -> None:
    """Below a word, below a sentence that announces nothing, nested or not."""
    page = f"{PAGE}- Authentication\n  - `login.d.example.com`\n\nThe portal also needs:\n\n- e.example.com (GCC High only)\n"
    found = by_key(RULES, page)
    assert {"portal:public:login.d.example.com", "portal:usgov-gcchigh:e.example.com"} <= set(found)


def test_a_tag_in_both_directions_is_two_records() -> None:
    """ "To and from" asks for both."""
    found = records(RULES, f"{PAGE}Allow traffic to and from the **LogicApps** service tag.\n")
    assert sorted(str(one.direction) for one in found if one.service_tags) == ["inbound", "outbound"]
