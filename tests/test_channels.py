"""Slack and Teams: what is posted to them, and that no text of an upstream becomes markup."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given

from catalog_service.notify.channels.slack import slack_body
from catalog_service.notify.channels.teams import teams_body
from catalog_service.notify.channels.text import as_text
from catalog_service.notify.channels.words import words_of
from catalog_service.views.events import Links, Message, SourceData
from schema.event import EventType
from tests.messages import AT, LINKS, PAGE, committed, disabled, entry, messages, ping


def slack(message: Message) -> Any:
    return json.loads(slack_body(message))


def teams_card(message: Message) -> Any:
    (attachment,) = json.loads(teams_body(message))["attachments"]
    return attachment["content"]


def teams_text(message: Message) -> str:
    return "\n".join("".join(run["text"] for run in block["inlines"]) for block in teams_card(message)["body"])


def test_slack_blocks() -> None:
    """A version is a header, its sentence, a section a service with the counts of each endpoint set, and a button."""
    message = committed(entry("Storage.WestUS"), entry("Sql.<West>", service="Sql"))
    assert slack(message) == {
        "text": "Endpoint catalogue: version 42, a-source: Storage gained addresses",
        "blocks": [
            {
                "type": "header",
                "text": {"type": "plain_text", "text": "Endpoint catalogue: version 42, a-source", "emoji": False},
            },
            {"type": "section", "text": {"type": "plain_text", "text": "Storage gained addresses", "emoji": False}},
            _section("`a-source: Sql` 1 endpoint set changed; +1 -2 prefixes", "`Sql.&lt;West&gt;`"),
            _section("`a-source: Storage` 1 endpoint set changed; +1 -2 prefixes", "`Storage.WestUS`"),
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "Open in the catalogue", "emoji": False},
                        "url": PAGE,
                    }
                ],
            },
        ],
    }


def _section(head: str, title: str) -> dict[str, object]:
    text = f"{head}\n• {title} changed, +1 -2 prefixes; AddedIp"
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


@pytest.mark.parametrize("body", [slack_body, teams_body])
def test_most_endpoint_sets(body: Any) -> None:
    """Twenty endpoint sets are told one by one, the others are counted."""
    told = body(committed(*(entry(f"Storage.{number:03}") for number in range(1234)))).decode()
    assert len(re.findall(r"Storage\.\d{3}\b", told)) == 20
    assert "and 1,214 more endpoint sets" in told


def test_challenge_in_chat() -> None:
    """A challenge says what a person runs to confirm the subscription; a test does not."""
    command = "catalog-service subscription verify sub_0123456789abcdef c0de"
    assert command in slack_body(ping("c0de")).decode()
    assert command in teams_body(ping("c0de")).decode()
    assert "verify" not in slack_body(ping()).decode()


def test_thin_message() -> None:
    """Where the changes are not in the message, it says where they are."""
    told = slack_body(committed(entry(), thin=True)).decode()
    assert "The changes themselves are on the page." in told
    assert "Storage.WestUS" not in told
    assert PAGE in told


def test_reasons_are_bounded() -> None:
    """Ten reasons are told, the others are counted, and a long one is cut."""
    notes = words_of(disabled("x" * 1000, *map(str, range(24))), 20).notes
    assert (len(notes), len(notes[0]), notes[0][-1], notes[-1]) == (11, 300, "…", "and 15 more")


def test_titles() -> None:
    """The title says what happened, and to whom."""
    degraded = Message(EventType.DEGRADED, AT, SourceData("a-source", "It failed", LINKS))
    recovered = Message(EventType.RECOVERED, AT, SourceData("a-source", "It works", LINKS))
    titles = [words_of(one, 0).title.partition(": ")[2] for one in (degraded, recovered, disabled("gone"), ping("x"))]
    assert titles == [
        "a-source may be behind upstream",
        "a-source is well again",
        "subscription sub_0123456789abcdef is disabled",
        "confirm subscription sub_0123456789abcdef",
    ]


def test_slack_address_too_long() -> None:
    """A page whose address Slack does not take has no button, and the rest of the message is as ever."""
    message = Message(
        EventType.DEGRADED, AT, SourceData("a", "It failed", Links("https://c.example/" + "a" * 3000, ""))
    )
    assert [block["type"] for block in slack(message)["blocks"]] == ["header", "section"]


def test_teams_card() -> None:
    """A version is an Adaptive Card 1.4 in a message, with a button that opens the page."""
    body = json.loads(teams_body(committed(entry())))
    (attachment,) = body["attachments"]
    card = attachment["content"]
    assert (body["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open in the catalogue", "url": PAGE}]
    assert teams_text(committed(entry())).splitlines() == [
        "Endpoint catalogue: version 42, a-source",
        "Storage gained addresses",
        "a-source: Storage  1 endpoint set changed; +1 -2 prefixes",
        "Storage.WestUS  changed, +1 -2 prefixes; AddedIp",
    ]


def test_teams_bytes() -> None:
    """A card that would be over 28 kB tells fewer endpoint sets one by one."""
    wide = "\N{EXTRATERRESTRIAL ALIEN}" * 400
    message = committed(*(entry(f"{number:02}{wide}", service=f"{number:02}{wide}") for number in range(30)))
    assert len(teams_body(message)) <= 28_000
    assert "and 20 more endpoint sets" in teams_text(message)


def test_slack_limits() -> None:
    """The longest texts, all of them escaped, stay within 50 blocks of 3,000 characters: lines that do not fit are counted."""
    long = "&" * 400
    message = committed(*(entry(long, service=f"{number}{long}", id=str(number)) for number in range(30)))
    one = committed(*(entry(long, id=str(number)) for number in range(30)))
    for body in (slack(message), slack(one), slack(disabled(*[long] * 30))):
        texts = [block["text"]["text"] for block in body["blocks"] if "text" in block]
        assert len(body["blocks"]) <= 50
        assert max(map(len, texts)) <= 3000
    sections = [block["text"]["text"] for block in slack(one)["blocks"] if block["type"] == "section"]
    assert sections[1].splitlines()[-1] == "and 18 more"


@given(messages)
def test_slack_hostile_text(message: Message) -> None:
    """Whatever upstream writes, the body keeps Slack's limits, mentions nobody and breaks out of no code span."""
    body = slack(message)
    assert 2 <= len(body["blocks"]) <= 50
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", body["text"])
    for block in body["blocks"]:
        if block["type"] in {"header", "section"}:
            shown = block["text"]
            assert 1 <= len(shown["text"]) <= (150 if block["type"] == "header" else 3000)
            if shown["type"] == "mrkdwn":
                assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", shown["text"])
                assert all(line.count("`") in (0, 2) for line in shown["text"].split("\n"))


@given(messages)
def test_teams_hostile_text(message: Message) -> None:
    """Whatever upstream writes, the body keeps Teams' limit and every text is a run, which knows no markup."""
    assert len(teams_body(message)) <= 28_000
    for block in teams_card(message)["body"]:
        assert block["type"] == "RichTextBlock"
        assert all(run["type"] == "TextRun" and run["text"] for run in block["inlines"])


@given(messages)
def test_lines_stay_lines(message: Message) -> None:
    """Whatever upstream writes, it neither begins a line of plain text nor steers a terminal."""
    what = words_of(message, 20)
    lines = as_text(what, 40).split("\n")
    assert all(line.isprintable() for line in lines)
    told = {what.sentence, "", what.page, *what.notes} | {f"{one.name} ({one.counts})" for one in what.services}
    assert all(line in told or line.startswith(("* ", "    ")) for line in lines)
