"""REST, GraphQL and the command line tell the same of subscriptions, their deliveries, saved filters and signing keys.

They are asked of three subscriptions: a webhook with everything that one can have, whose deliveries are logged; a chat
that uses the saved filter `plant`; and one that was never verified.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import replace
from starlette.applications import Starlette

from catalog_service.access.identity import Identity, included
from catalog_service.api.app import create_app
from catalog_service.cli import exits
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.subscriptions.wanted import (
    Header,
    NewFilter,
    NewSubscription,
    Replay,
    WantedDigest,
    WantedFilter,
)
from catalog_service.views.subscriptions import DeliveryView, SigningKeyView, SubscriptionView
from schema.access import Scope
from schema.event import EventType
from schema.subscription import (
    Channel,
    DeliveryState,
    Envelope,
    Every,
    Payload,
    SavedFilter,
    Signature,
    Status,
    Weekday,
)
from schema.words import Cloud, Direction, Family, Impact, Kind, Only
from tests.api_client import SOURCES, TAGS, published
from tests.desks import KEY, SLACK, active, desk_of, logged, queue
from tests.operators import SHOWN, operator_actions
from tests.surfaces import EXITS, Asking, Question, asked_over, every_field, problem, snake

HOOK = NewSubscription(
    Channel.WEBHOOK,
    "https://hooks.contoso.example/catalog?key=t0p-of-all",
    description="ours",
    filter=WantedFilter(
        types=(EventType.HELD, EventType.COMMITTED),
        sources=(TAGS,),
        services=("Storage",),
        tags=("LogicApps",),
        clouds=(Cloud.PUBLIC, Cloud.USGOV_DOD),
        regions=("westeurope",),
        directions=(Direction.OUTBOUND,),
        kinds=(Kind.SERVICE_TAG,),
        family=Family.IPV6,
        only=Only.REMOVED,
        impacts=(Impact.MOVED_IP_OR_URL,),
        impact_at_least=Impact.REMOVED_DUPLICATE_IP_OR_URL,
        material=True,
    ),
    digest=WantedDigest(Every.WEEKLY, "07:30", "Europe/Berlin", Weekday.SUNDAY),
    settle_s=7,
    payload=Payload.THIN,
    envelope=Envelope.CLOUDEVENTS,
    signatures=(Signature.ED25519,),
    headers=(Header("X-Key", "Bearer hidden"),),
)
IDS: dict[str, str] = {}
"""Of the three, once they are made."""
WORDS: dict[str, type[Enum]] = {
    "channel": Channel,
    "clouds": Cloud,
    "directions": Direction,
    "envelope": Envelope,
    "every": Every,
    "family": Family,
    "impact_at_least": Impact,
    "impacts": Impact,
    "kinds": Kind,
    "only": Only,
    "payload": Payload,
    "signatures": Signature,
    "state": DeliveryState,
    "type": EventType,
    "types": EventType,
    "weekday": Weekday,
}
"""The vocabularies of fields, whose words GraphQL spells in its own way; and `Status`, of a text alone."""


async def fill(store: Store) -> None:
    """Make the three, and log deliveries of the first."""
    await published(store)
    desk = desk_of(store)
    await desk.save_filter("plant", NewFilter(WantedFilter(material=True), "of the plant"), "ann")
    plant = Identity("plant", included((Scope.SUBSCRIBE,)), "tok_a")
    IDS["hook"] = await active(store, desk.opened_for(plant), HOOK)
    await queue(store, IDS["hook"])
    await desk.replay(IDS["hook"], Replay(from_version=1, to_version=3), "ann")
    await logged(store, IDS["hook"], "msg_0", DeliveryState.DELIVERED)
    await desk.test(IDS["hook"], "ann")
    await logged(store, IDS["hook"], "msg_1", DeliveryState.DELIVERED, timedelta(seconds=1))
    await logged(store, IDS["hook"], "msg_2", DeliveryState.DEAD, timedelta(seconds=2))
    IDS["chat"] = await active(store, desk, replace(SLACK, saved_filter="plant"))
    await desk.pause(IDS["chat"], "ann")
    IDS["new"] = (await desk.create(replace(HOOK, url="https://b.example/"), "bob")).subscription.id
    await desk.signing_keys()


async def application(store: Store) -> Starlette:
    await fill(store)
    reader = Reader(store)
    await reader.refresh()
    return create_app(reader, SOURCES, actions=operator_actions(store))


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """The surfaces over that store, asked by an operator. To be read."""
    directory = tmp_path_factory.mktemp("asked")
    with pytest.MonkeyPatch.context() as patch, asked_over(directory, application) as asking:
        patch.setenv("CATALOG_ENCRYPTION_KEY", KEY)
        asking.client.headers.update(SHOWN)
        yield asking


class Told(Struct, frozen=True):
    """One question and what its answer is made of; ids stand in braces."""

    question: Question
    type: type[Struct]
    path: tuple[str, ...] = ()
    """Where in GraphQL's answer it is."""

    @property
    def asked(self) -> Question:
        """The question with the ids there are."""
        one = self.question
        texts = {name: getattr(one, name) for name in ("tells", "rest", "graphql", "cli")}
        for id_name, id_ in IDS.items():
            texts = {name: text and text.replace(f"<{id_name}>", id_) for name, text in texts.items()}
        return replace(one, **texts)


def told(type_: type[Struct], path: str, tells: str, rest: str, graphql: str, cli: str) -> Any:
    """Return a line of the table."""
    return pytest.param(Told(Question(tells, rest, graphql, cli, None), type_, tuple(path.split())), id=rest)


ONE, DELIVERY, FILTER, KEYS = map(every_field, ("Subscriber", "Delivery", "SavedFilter", "SigningKey"))
ANSWERED = [
    told(
        SubscriptionView,
        "subscriptions nodes",
        "Europe/Berlin",
        "/v1/subscriptions",
        f"subscriptions {{ nodes {ONE} }}",
        "subscription list",
    ),
    *(
        told(
            SubscriptionView,
            "subscription",
            tells,
            f"/v1/subscriptions/<{name}>",
            f'subscription(id: "<{name}>") {ONE}',
            f"subscription show <{name}>",
        )
        for name, tells in (("hook", '"dead_count":1'), ("chat", '"paused"'), ("new", '"hint":'))
    ),
    told(
        DeliveryView,
        "subscription deliveries nodes",
        '"id":"msg_1"',
        "/v1/subscriptions/<hook>/deliveries?limit=2",
        f'subscription(id: "<hook>") {{ deliveries(first: 2) {{ nodes {DELIVERY} }} }}',
        "subscription deliveries <hook> --limit 2",
    ),
    told(
        DeliveryView,
        "subscription delivery",
        '"dead"',
        "/v1/subscriptions/<hook>/deliveries/msg_2",
        f'subscription(id: "<hook>") {{ delivery(id: "msg_2") {DELIVERY} }}',
        "subscription delivery <hook> msg_2",
    ),
    told(
        SavedFilter,
        "savedFilters",
        '"of the plant"',
        "/v1/filters",
        f"savedFilters {FILTER}",
        "filter list",
    ),
    told(SigningKeyView, "signingKeys", "whpk_", "/v1/signing-keys", f"signingKeys {KEYS}", "signing-keys"),
]
REFUSED = [
    told(
        SubscriptionView,
        "subscription",
        "UNKNOWN_SUBSCRIPTION",
        "/v1/subscriptions/sub_none",
        'subscription(id: "sub_none") { id }',
        "subscription show sub_none",
    ),
    told(
        DeliveryView,
        "subscription delivery",
        "UNKNOWN_SUBSCRIPTION",
        "/v1/subscriptions/<hook>/deliveries/msg_9",
        'subscription(id: "<hook>") { delivery(id: "msg_9") { id } }',
        "subscription delivery <hook> msg_9",
    ),
]


def read(answer: Any, type_: type[Struct]) -> tuple[Struct, ...]:
    """Return what an answer in JSON tells, one or a list."""
    found = answer.get("items", [answer])
    return msgspec.convert(found, tuple[type_, ...])  # type: ignore[valid-type]


def graphql(asking: Asking, query: str) -> dict[str, Any]:
    """Return GraphQL's answer to an operator."""
    answer: dict[str, Any] = asking.loop.run(asking.client.post("/graphql", json={"query": f"{{ {query} }}"})).json()
    return answer


def spelled(value: Any, name: str = "") -> Any:
    """Return an answer of GraphQL with the names and words of REST."""
    if isinstance(value, dict):
        return {snake(key): spelled(one, snake(key)) for key, one in value.items()}
    if isinstance(value, list):
        return [spelled(one, name) for one in value]
    vocabulary = Status if name == "status" and isinstance(value, str) else WORDS.get(name)
    return vocabulary[value].value if vocabulary and value is not None else value


@pytest.mark.parametrize("line", ANSWERED)
def test_graphql_and_commands_say_what_rest_says(asking: Asking, line: Told, capfd: pytest.CaptureFixture[str]) -> None:
    """Every field, defaults too, has the same value."""
    question = line.asked
    rest = read(asking.rest(question).json(), line.type)
    value = graphql(asking, str(question.graphql))["data"]
    for name in line.path:
        value = value[name]
    code, out, err = asking.command(question, capfd)
    assert read(spelled(value if isinstance(value, dict) else {"items": value}), line.type) == rest
    assert code == exits.FINE, err
    assert read(json.loads(out), line.type) == rest


@pytest.mark.parametrize("line", REFUSED)
def test_graphql_and_commands_refuse_as_rest_does(
    asking: Asking, line: Told, capfd: pytest.CaptureFixture[str]
) -> None:
    """The same code, sentence and facts; the exit code of that kind of error."""
    question = replace(line.asked, status=404)
    rest = asking.rest(question)
    (error,) = graphql(asking, str(question.graphql))["errors"]
    code, out, err = asking.command(question, capfd)
    assert {"detail": error["message"], **error["extensions"]} == problem(rest)
    assert (code, out, err) == (EXITS[404], "", f"error: {rest.json()['detail']}\n")
