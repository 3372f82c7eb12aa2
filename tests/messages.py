"""Messages for tests of channels, and hypothesis strategies that draw hostile ones."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from catalog_service.views.diffs import DiffEntry
from catalog_service.views.events import (
    CommittedData,
    Data,
    DisabledData,
    HeldData,
    Links,
    Message,
    PingData,
    SourceData,
)
from schema.change import AttributeChange, summarize
from schema.event import EventType
from schema.words import Disposition, Impact, Significance

AT = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
PAGE = "https://catalog.example/diff/41...42?service=a%26b"
LINKS = Links(PAGE, "https://catalog.example/v1/diff/41...42")


def entry(title: str = "Storage.WestUS", *, service: str = "Storage", **fields: object) -> DiffEntry:
    """A change of one record: one prefix came, two went."""
    defaults: dict[str, object] = {
        "id": f"a-source:{title}",
        "disposition": Disposition.CHANGE,
        "source": "a-source",
        "service": service,
        "title": title,
        "impact": Impact.ADDED_IP,
        "significance": Significance.MATERIAL,
        "prefixes_added": ("20.60.0.0/16",),
        "prefixes_removed": ("20.50.0.0/16", "2603:1000::/32"),
        "fqdns_added": (),
        "fqdns_removed": (),
        "attributes": (AttributeChange("purpose", previous="Relay"),),
    }
    return DiffEntry(**{**defaults, **fields})  # type: ignore[arg-type]


def committed(*entries: DiffEntry, summary: str = "Storage gained addresses", thin: bool = False) -> Message:
    """Version 42 of ``a-source``, with ``entries``."""
    changes = tuple(sorted(entries, key=lambda one: one.id))
    counts = summarize(changes)
    data = CommittedData(42, 41, (42,), ("a-source",), AT, summary, counts, LINKS, None if thin else changes)
    return Message(EventType.COMMITTED, AT, data)


def ping(challenge: str | None = None) -> Message:
    """A test of a subscription, or its challenge."""
    return Message(EventType.PING, AT, PingData("sub_0123456789abcdef", "A test", LINKS, challenge))


def disabled(*reasons: str) -> Message:
    """A subscription that was disabled for ``reasons``."""
    data = DisabledData("sub_0123456789abcdef", "It is disabled", reasons, LINKS, AT)
    return Message(EventType.DISABLED, AT, data)


text = st.text(st.characters(), max_size=12) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "a\r\nBcc: x@evil.example",
        "<!channel> & <@U1>",
        "`*_~[x](https://evil.example)",
        "\x00\u202e\ud800",
    ]
)
"""Anything that an upstream might write, lone surrogates included."""

lines = st.lists(text, max_size=2).map(tuple)

entries = st.builds(
    entry,
    text,
    service=text,
    fqdns_added=lines,
    fqdns_removed=lines,
    attributes=st.builds(AttributeChange, text, text, lines).map(lambda one: (one,)),
)


def _data(summary: str, source: str, reasons: tuple[str, ...], several: list[DiffEntry]) -> st.SearchStrategy[Data]:
    counts = summarize(several)
    return st.sampled_from(
        [
            CommittedData(42, 40, (41, 42), (source, "b"), AT, summary, counts, LINKS, tuple(several)),
            HeldData("h1", source, reasons, summary, counts, LINKS),
            SourceData(source, summary, LINKS, reasons),
            DisabledData(source, summary, reasons, LINKS),
            PingData(source, summary, LINKS, "code"),
        ]
    )


messages = st.tuples(text, text, lines, st.lists(entries, max_size=6)).flatmap(
    lambda drawn: st.builds(Message, st.just(EventType.COMMITTED), st.just(AT), _data(*drawn))
)
"""Every kind of data, filled with hostile text."""
