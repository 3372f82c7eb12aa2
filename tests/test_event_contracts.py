"""The published schema of messages, and that every message is as it says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from catalog_service.catalog.diff import diff
from catalog_service.catalog.fold import fold
from catalog_service.catalog.judged import judged
from catalog_service.catalog.settle import taken_back
from catalog_service.contracts import PUBLISHED, events_contract
from catalog_service.events.committed import committed
from catalog_service.events.judgements import Told
from catalog_service.events.links import Origin
from catalog_service.events.messages import encoded, noticed, ping
from catalog_service.views.events import MESSAGES, Message
from schema.change import summarize
from schema.document import Provenance
from schema.endpoint_set import EndpointSet, content_digest
from schema.event import EventType, Notice
from schema.subscription import EventFilter, Payload
from schema.version import HeldVersion, Version, count
from schema.words import Family, Impact, Kind, Only
from tests.api_client import DAY, START
from tests.records import SOURCE, contents
from tests.test_contracts import references

ORIGIN = Origin("https://catalog.example")
SCHEMA: dict[str, Any] = msgspec.json.decode(events_contract())
JSON_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int}
KEYWORDS = {
    *("$ref", "anyOf", "const", "enum", "type", "format", "items", "properties", "required"),
    *("title", "description", "default"),
}

filters = st.builds(
    EventFilter,
    kinds=st.lists(st.sampled_from(Kind), max_size=1).map(tuple),
    family=st.sampled_from(Family),
    only=st.sampled_from([None, *Only]),
    impact_at_least=st.sampled_from([None, *Impact]),
    material=st.booleans(),
)


def problems(value: Any, schema: dict[str, Any], at: str = "$") -> list[str]:
    """Return where ``value`` is not as ``schema`` says; of the schema language as much as the contract uses.

    A member that the schema does not name is a problem, too: what is told is described.
    """
    assert schema.keys() <= KEYWORDS, f"this test cannot read {schema.keys() - KEYWORDS}"
    if "$ref" in schema:
        return problems(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], at)
    if "anyOf" in schema:
        found = [problems(value, one, at) for one in schema["anyOf"]]
        return min(found, key=len)
    wrong = [f"{at}: {value!r}"] if _is_other(value, schema) else []
    if isinstance(value, list) and not wrong:
        wrong += [
            one for number, item in enumerate(value) for one in problems(item, schema["items"], f"{at}[{number}]")
        ]
    if isinstance(value, dict) and not wrong:
        wrong += [f"{at}.{name} is missing" for name in schema.get("required", ()) if name not in value]
        wrong += [f"{at}.{name} is unknown" for name in value.keys() - schema["properties"].keys()]
        known = ((name, one) for name, one in schema["properties"].items() if name in value)
        wrong += [one for name, own in known for one in problems(value[name], own, f"{at}.{name}")]
    return wrong


def _is_other(value: Any, schema: dict[str, Any]) -> bool:
    if "const" in schema and value != schema["const"]:
        return True
    if "enum" in schema and value not in schema["enum"]:
        return True
    if "type" in schema and type(value) is not JSON_TYPES[schema["type"]]:
        return True
    return schema.get("format") == "date-time" and datetime.fromisoformat(value).utcoffset() is None


def checked(message: Message) -> None:
    """Hold ``message`` against its own schema, and against those of the others: it is of one type alone."""
    value = msgspec.json.decode(encoded(message))
    fitting = [one for one in EventType if not problems(value, SCHEMA["$defs"][one])]
    assert fitting == [message.type], problems(value, SCHEMA["$defs"][message.type])
    (data,) = (data for type_, data, _ in MESSAGES if type_ is message.type)
    assert msgspec.convert(value["data"], data) == message.data


def version(number: int, before: tuple[EndpointSet, ...], after: tuple[EndpointSet, ...]) -> Version:
    at, summary = START + number * DAY, summarize(diff(before, after))
    return Version(
        number, SOURCE, at, at, content_digest(after), count(after), summary, "https://x.example/", "sha256:0"
    )


@given(contents, contents, contents, filters, st.sampled_from(Payload), st.booleans())
def test_every_message_of_versions_is_as_published(
    one: tuple[EndpointSet, ...],
    two: tuple[EndpointSet, ...],
    three: tuple[EndpointSet, ...],
    wanted: EventFilter,
    payload: Payload,
    pruned: bool,
) -> None:
    """Whatever changed in two versions, and whatever is asked of them."""
    steps, after = [diff(one, two), diff(two, three)], {record.id: record for record in three}
    changes = fold(steps)
    versions = (version(1, one, two), version(2, two, three))
    told = Told(versions, 0, None if pruned else judged(changes, after), taken_back(steps, changes, after))
    message = committed(told, wanted, payload, ORIGIN)
    if message:
        checked(message)
    assert message or not pruned
    everything = committed(told, EventFilter(), payload, ORIGIN)
    assert bool(everything) is (pruned or bool(changes))


@pytest.mark.parametrize("base", [None, 7])
@pytest.mark.parametrize("since", [None, START])
def test_every_notice_and_ping_is_as_published(base: int | None, since: datetime | None) -> None:
    """With what may be absent, and without."""
    provenance = Provenance(url="https://page.example/", fetched_at=START, digest="sha256:11")
    held = HeldVersion("0123456789ab", SOURCE, START, ("why",), "sha256:1", count(()), summarize(()), provenance, base)
    notices = [
        Notice(EventType.HELD, START, SOURCE, held.reasons, held),
        Notice(EventType.DEGRADED, START, SOURCE, ("why",)),
        Notice(EventType.RECOVERED, START, SOURCE, since=since),
        Notice(EventType.DISABLED, START, "sub_1", ("why",), since=since),
    ]
    messages = [noticed(one, EventFilter(types=tuple(EventType)), ORIGIN) for one in notices]
    messages += [ping("sub_1", START, ORIGIN, challenge) for challenge in (None, "c4")]
    for message in messages:
        assert message
        checked(message)
    assert {EventType.COMMITTED, *(message.type for message in messages if message)} == set(EventType)


def test_the_schema_is_complete_and_tells_types_apart() -> None:
    """Every type has its own, every reference leads somewhere, the file is what the code says."""
    assert {one["$ref"] for one in SCHEMA["oneOf"]} == {f"#/$defs/{type_}" for type_ in EventType}
    assert {one.removeprefix("#/$defs/") for one in references(SCHEMA)} <= SCHEMA["$defs"].keys()
    for type_, data, _ in MESSAGES:
        own = SCHEMA["$defs"][type_]
        assert own["properties"]["type"] == {"const": type_}
        assert set(SCHEMA["$defs"][data.__name__]["properties"]) == {one.encode_name for one in fields(data)}
    assert (PUBLISHED / "events.schema.json").read_text() == events_contract()


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"type": "subscription.pong"}, "$.type: 'subscription.pong'"),
        ({"timestamp": "2026-11-02T06:00:00"}, "$.timestamp: '2026-11-02T06:00:00'"),
        ({"data": {}}, "$.data.subscription is missing"),
        ({"more": 1}, "$.more is unknown"),
    ],
)
def test_a_message_that_is_otherwise_is_seen(wrong: dict[str, Any], where: str) -> None:
    """The check that the other tests rely on finds what is wrong."""
    value = msgspec.json.decode(encoded(ping("sub_1", START, ORIGIN)))
    assert problems(value, SCHEMA["$defs"]["subscription.ping"]) == []
    assert where in problems({**value, **wrong}, SCHEMA["$defs"]["subscription.ping"])
