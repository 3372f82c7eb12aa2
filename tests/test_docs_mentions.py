"""Service tags and host names outside tables."""

from __future__ import annotations

import pytest

from scrapers.docs.markdown import page_from_markdown
from scrapers.docs.mentions import lists_host_names, lists_service_tags, mentioned_tags, opening_span
from scrapers.docs.page import BulletList, Paragraph


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
    """Bullets are host names only in code, at the beginning, below a sentence that asks to allow them."""
    assert lists_host_names(bullets("Ensure your proxy allows traffic to:\n- `*.powerautomate.com` (service)"))
    assert not lists_host_names(bullets("Files:\n- `settings.json` (settings)"))
    assert not lists_host_names(bullets("Allow traffic:\n- The portal at `*.powerautomate.com`"))


def test_the_opening_span_is_the_first_thing_of_a_bullet() -> None:
    """A span later in the bullet opens nothing."""
    items = bullets("- `a.example.com` (x)\n- **LogicApps** too\n- see `b.example.com`").items
    assert [opening_span(item) for item in items] == ["a.example.com", "LogicApps", ""]
