"""Service tags outside tables: which sentences ask for one, which advise against it, which lists are of them."""

from __future__ import annotations

import pytest

from schema.words import Direction
from scrapers.docs.markdown import page_from_markdown
from scrapers.docs.page import BulletList, Paragraph, Text
from scrapers.docs.tag_mentions import Stance, lists_service_tags, mentioned_tags, tag_directions, tag_mentions

OUT = Direction.OUTBOUND


def paragraph(markdown: str) -> Text:
    (block,) = page_from_markdown(markdown).blocks
    assert isinstance(block, Paragraph)
    return block.text


def tags(markdown: str) -> list[str]:
    return [mention.tag for mention in mentioned_tags(paragraph(markdown))]


def bullets(markdown: str) -> BulletList:
    block = page_from_markdown(markdown).blocks[-1]
    assert isinstance(block, BulletList)
    return block


@pytest.mark.parametrize(
    ("sentence", "named"),
    [
        ("Allow traffic from the **AzureConnectors** service tag.", ["AzureConnectors"]),
        ("The service tags are `LogicApps` and **PowerPlatformInfra**.", ["LogicApps", "PowerPlatformInfra"]),
        ("Use the `AzureConnectors.WestEurope` service tag.", ["AzureConnectors.WestEurope"]),
        ("The file **Azure IP Ranges and Service Tags** is weekly.", []),
        ("Service tags follow the **Region** of **Environments**.", []),
        ("Use service tags. Look at **AzureConnectors**.", []),
        ("Allow traffic from AzureConnectors, a service tag.", ["AzureConnectors"]),
        ("You must also allow `PowerPlatformPlex`.", ["PowerPlatformPlex"]),
        ("Calls come from these service tags: AzureConnectors and LogicApps.", ["AzureConnectors", "LogicApps"]),
        ("Allow the **NewThings** and **OtherThings** service tags.", ["NewThings", "OtherThings"]),
        ("The service tag **AzureConnectors** works in **NetworkSecurityGroup** rules.", ["AzureConnectors"]),
        ("In the **ServiceTags** file find the service tag.", []),
        ("Allow Microsoft.LogicApps or the LogicAppsOld service tag.", []),
    ],
)
def test_only_known_names_and_names_beside_the_words_are_tags(sentence: str, named: list[str]) -> None:
    """A known tag counts marked or not; another only in bold or code right beside the words "service tag"."""
    assert tags(sentence) == named


@pytest.mark.parametrize(
    ("sentence", "stance"),
    [
        ("If your firewall doesn't support regions, allow the **AzureConnectors** service tag.", Stance.ASKED),
        ("To avoid lists of addresses, use the AzureConnectors service tag.", Stance.ASKED),
        ("Service tags, not addresses, are recommended: AzureConnectors.", Stance.ASKED),
        ("Use the AzureConnectors service tag instead of addresses.", Stance.ASKED),
        ("Don't use the **AzureConnectors** service tag.", Stance.DECLINED),
        ("Do not allow or use AzureConnectors.", Stance.DECLINED),
        ("Remove the **AzureConnectors** service tag from your rules.", Stance.DECLINED),
        ("The **AzureConnectors** service tag is deprecated and no longer required.", Stance.DECLINED),
        ("Previously, the AzureConnectors service tag was used.", Stance.DECLINED),
        ("Use a regional service tag, for example AzureConnectors.WestEurope, to be narrow.", Stance.DECLINED),
        ("You do not need to add addresses where you allow AzureConnectors.", Stance.UNCLEAR),
        ("AzureConnectors is a word.", Stance.UNCLEAR),
    ],
)
def test_a_sentence_asks_for_a_tag_or_against_it(sentence: str, stance: Stance) -> None:
    """Only a negation of the allowing itself advises against; one that may be either is unclear."""
    (mention,) = tag_mentions(paragraph(sentence))
    assert mention.stance is stance


def test_lists_of_tags_are_announced() -> None:
    """Bullets are tags below a sentence about service tags, or where all of them begin with a known one."""
    assert lists_service_tags(bullets("Available service tags:\n- `PowerPlatformInfra` -- infrastructure"))
    assert lists_service_tags(bullets("Also allow these:\n- `PowerPlatformInfra`\n- the rest"))
    assert lists_service_tags(bullets("- LogicApps\n- PowerPlatformPlex"))
    assert not lists_service_tags(bullets("Available roles:\n- `PowerPlatformAdmin` -- administrators"))
    assert not lists_service_tags(bullets("Remove these service tags:\n- LogicApps"))
    assert not lists_service_tags(bullets("On service tags:\n- Learn about PowerPlatformInfra"))


@pytest.mark.parametrize(
    ("sentence", "directions"),
    [
        ("Allow outbound traffic from your network to the LogicApps service tag.", (OUT,)),
        ("Open connections to LogicApps and AzureConnectors service tags.", (OUT,)),
        ("Allow outbound traffic to the AzureConnectors and LogicApps service tags.", (OUT,)),
        ("Allow outbound access to the following service tags:", (OUT,)),
        ("Allow traffic into your network from the LogicApps service tag.", (None,)),
        ("Allow access to SharePoint from the LogicApps service tag.", (None,)),
        ("The tag is LogicApps, as described in outbound IP addresses.", (None,)),
        ("To enable actions to call services, allow traffic from the LogicApps service tag.", (None,)),
        ("Allow traffic to and from the LogicApps service tag.", (OUT, Direction.INBOUND)),
    ],
)
def test_a_sentence_tells_the_directions_of_a_tag(sentence: str, directions: tuple[Direction | None, ...]) -> None:
    """Only a sentence that lets traffic out to the tag makes it outbound; "to and from" is both."""
    assert tag_directions(sentence, "LogicApps") == directions
