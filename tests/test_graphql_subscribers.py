"""GraphQL about subscriptions: the desk's verbs and views, for who shows the operator's token."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from msgspec import Struct
from msgspec.structs import fields

from catalog_service.api.app import create_app
from catalog_service.api.graphql import subscriber_inputs as inputs
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.subscriptions import wanted
from catalog_service.subscriptions.desk import OVERLAP
from catalog_service.views import subscriptions as views
from schema.access import Scope
from schema.subscription import Attempt, DeliveryState, Digest, EventFilter, Health, SavedFilter
from tests.api_client import SOURCES, TAGS, client, published
from tests.desks import KEY, code_of, desk_of, logged, queue
from tests.local_source import NOW
from tests.operators import TOKEN, operator_actions, token_with
from tests.surfaces import fields_of
from tests.test_graphql_mutations import refused

HOOK = "https://hooks.contoso.example/catalog?key=t0p-of-all"
CREATE = """mutation ($input: NewSubscriberInput!) {
  createSubscription(input: $input, by: "ann") { secret subscription { id url status settleS headers hint createdBy
    signatures filter { types sources regions family impactAtLeast material } digest { every at zone } } }
}"""
EDIT = """mutation ($id: ID!, $input: SubscriberEdit!) { editSubscription(id: $id, input: $input, by: "bob") {
  url status description settleS savedFilter payload headers filter { types material } digest { every weekday } } }"""
VERIFY = "mutation ($id: ID!, $code: String!) { verifySubscription(id: $id, code: $code) { status hint } }"
DELIVERIES = """query ($id: ID!, $first: Int, $after: String) { subscription(id: $id) {
  deliveries(first: $first, after: $after) {
    edges { cursor node { id } } nodes { id state type first attempts { status error latencyMs } }
    pageInfo { hasNextPage hasPreviousPage endCursor } } } }"""
LIST = """query ($first: Int, $after: String) { subscriptions(first: $first, after: $after) {
  nodes { url } totalCount pageInfo { hasNextPage endCursor } } }"""
ONE = "mutation ($id: ID!) { VERB(id: $id) { status } }"
WEBHOOK = {"channel": "WEBHOOK", "url": HOOK, "headers": [{"name": "X-Key", "value": "Bearer hidden"}]}


class Asking(Struct, frozen=True):
    """The API over a store, as an operator asks it."""

    store: Store
    http: httpx.AsyncClient

    async def __call__(self, query: str, token: str | None = TOKEN, **variables: object) -> dict[str, Any]:
        """Return the whole answer, which says nothing secret that it was not asked for."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        assert not any(secret in response.text for secret in ("t0p-of-all", "Bearer hidden")), response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def value(self, query: str, token: str | None = TOKEN, **variables: object) -> Any:
        """Return the one value that is answered without an error."""
        answer = await self(query, token, **variables)
        assert "errors" not in answer, answer
        (value,) = answer["data"].values()
        return value

    async def created(self, **wanted: object) -> str:
        """Return the id of a new subscription."""
        found: str = (await self.value(CREATE, input={**WEBHOOK, **wanted}))["subscription"]["id"]
        return found

    async def active(self) -> str:
        """Return the id of a new subscription whose receiver answered."""
        id_ = await self.created()
        await self.value(VERIFY, id=id_, code=await code_of(self.store, id_))
        return id_


@contextlib.asynccontextmanager
async def opened(store: Store, key: str = KEY) -> AsyncIterator[Asking]:
    """Give the API over the catalogue of three versions."""
    await published(store)
    reader = Reader(store)
    await reader.refresh()
    app = create_app(reader, SOURCES, actions=operator_actions(store, desk_of(store, key=key)))
    async with client(app) as http:
        yield Asking(store, http)


@pytest.mark.parametrize(
    "operation",
    [
        "{ subscriptions { totalCount } }",
        '{ subscription(id: "sub_a") { id } }',
        'mutation { createSubscription(input: {channel: WEBHOOK, url: "https://a.example"}) { secret } }',
        'mutation { editSubscription(id: "sub_a", input: {}) { id } }',
        'mutation { verifySubscription(id: "sub_a", code: "a") { id } }',
        'mutation { testSubscription(id: "sub_a") }',
        'mutation { pauseSubscription(id: "sub_a") { id } }',
        'mutation { resumeSubscription(id: "sub_a") { id } }',
        'mutation { deleteSubscription(id: "sub_a") }',
        'mutation { rotateSecret(id: "sub_a") { secret } }',
        'mutation { replay(id: "sub_a", input: {}) }',
        'mutation { saveFilter(name: "a", input: {filter: {}}) { name } }',
        'mutation { deleteFilter(name: "a") { name } }',
    ],
)
async def test_only_for_who_has_the_token(store: Store, operation: str) -> None:
    """Who shows none, or another one, is told so, and nothing is done."""
    async with opened(store) as ask:
        assert refused(await ask(operation, None)) == "UNAUTHENTICATED"
        assert (await ask(operation, "another"))["code"] == "UNAUTHENTICATED"
        assert refused(await ask(operation, await token_with(store, Scope.OPERATE))) == "FORBIDDEN"
    assert (await store.subscriptions.count(), await store.saved_filters.all()) == (0, ())


async def test_a_subscription_is_made_verified_and_audited(store: Store) -> None:
    """Its secret is shown once; the code that its receiver was sent makes it active, another one does not."""
    wanted = {
        **WEBHOOK,
        "settleS": 5,
        "signatures": ["ED25519", "HMAC"],
        "filter": {
            "types": ["HELD"],
            "sources": [TAGS.upper()],
            "regions": ["West Europe"],
            "impactAtLeast": "ADDED_IP",
        },
        "digest": {"every": "DAILY", "at": "07:30"},
    }
    async with opened(store) as ask:
        made = await ask.value(CREATE, input=wanted)
        id_ = made["subscription"].pop("id")
        wrong = await ask(VERIFY, id=id_, code="wrong")
        right = await ask.value(VERIFY, id=id_, code=await code_of(store, id_))
    assert made["secret"].startswith("whsec_")
    assert "challenge" in made["subscription"].pop("hint")
    assert made["subscription"] == {
        "url": "https://hooks.contoso.example/catalog?key=...",
        "status": "UNVERIFIED",
        "settleS": 5,
        "headers": ["X-Key"],
        "createdBy": "ann",
        "signatures": ["HMAC", "ED25519"],
        "filter": {
            "types": ["HELD"],
            "sources": [TAGS],
            "regions": ["westeurope"],
            "family": "BOTH",
            "impactAtLeast": "ADDED_IP",
            "material": False,
        },
        "digest": {"every": "DAILY", "at": "07:30", "zone": "UTC"},
    }
    assert (refused(wrong), wrong["errors"][0]["extensions"]["parameter"]) == ("BAD_PARAMETER", "code")
    assert right == {"status": "ACTIVE", "hint": ""}
    assert [(one.who, one.action) for one in await store.audit.newest(2, 0)] == [
        ("operator", "subscription-verify"),
        ("ann", "subscription-create"),
    ]


async def test_what_an_edit_leaves_out_stays(store: Store) -> None:
    """A digest that is null is no digest any more; another address is to be verified again."""
    async with opened(store) as ask:
        await ask.value('mutation { saveFilter(name: "Plant", input: {filter: {material: true}}) { name } }')
        id_ = await ask.created(digest={"every": "WEEKLY"}, description="ours", settleS=9)
        await ask.value(VERIFY, id=id_, code=await code_of(store, id_))
        same = await ask.value(EDIT, id=id_, input={})
        saved = await ask.value(EDIT, id=id_, input={"savedFilter": "plant", "digest": None, "headers": []})
        moved = await ask.value(EDIT, id=id_, input={"filter": {"types": ["HELD"]}, "url": "https://b.example/x"})
    filter_ = {"types": ["COMMITTED"], "material": False}
    rest = {"description": "ours", "settleS": 9, "payload": "FULL", "status": "ACTIVE"}
    url = "https://hooks.contoso.example/catalog?key=..."
    digest = {"every": "WEEKLY", "weekday": "MONDAY"}
    assert same == {**rest, "url": url, "savedFilter": "", "filter": filter_, "digest": digest, "headers": ["X-Key"]}
    assert saved == {**rest, "url": url, "savedFilter": "plant", "filter": filter_, "digest": None, "headers": []}
    assert moved == {
        **rest,
        "url": "https://b.example/x",
        "status": "UNVERIFIED",
        "savedFilter": "",
        "filter": {"types": ["HELD"], "material": False},
        "digest": None,
        "headers": [],
    }


async def test_paused_resumed_tested_rotated_replayed_and_deleted(store: Store) -> None:
    """Every verb answers with what became of it; one that is gone is unknown."""
    async with opened(store) as ask:
        id_ = await ask.active()
        paused = await ask.value(ONE.replace("VERB", "pauseSubscription"), id=id_)
        resumed = await ask.value(ONE.replace("VERB", "resumeSubscription"), id=id_)
        ping = await ask.value("mutation ($id: ID!) { testSubscription(id: $id) }", id=id_)
        rotated = await ask.value("mutation ($id: ID!) { rotateSecret(id: $id) { secret previousUntil } }", id=id_)
        replay = "mutation ($id: ID!, $input: ReplayInput!) { replay(id: $id, input: $input) }"
        count = await ask.value(replay, id=id_, input={"fromVersion": 1, "toVersion": 3})
        since = await ask.value(replay, id=id_, input={"since": "2026-11-03T00:00:00Z"})
        waiting = await ask.value("query ($id: ID!) { subscription(id: $id) { waitingCount } }", id=id_)
        gone = await ask.value("mutation ($id: ID!) { deleteSubscription(id: $id) }", id=id_)
        unknown = await ask(ONE.replace("VERB", "pauseSubscription"), id=id_)
    assert (paused, resumed) == ({"status": "PAUSED"}, {"status": "ACTIVE"})
    assert ping.startswith("msg_")
    assert rotated["secret"].startswith("whsec_")
    assert rotated["previousUntil"] == f"{NOW + OVERLAP:%Y-%m-%dT%H:%M:%SZ}"
    assert (count, since, gone) == (3, 2, id_)
    assert waiting == {"waitingCount": 7}
    assert (refused(unknown), unknown["errors"][0]["extensions"]["parameter"]) == ("UNKNOWN_SUBSCRIPTION", "id")


async def test_filters_are_saved_used_and_deleted(store: Store) -> None:
    """Everybody may read them, as in REST; one that a subscription uses stays."""
    delete = 'mutation { deleteFilter(name: "plant", by: "ann") { name } }'
    async with opened(store) as ask:
        wanted = {"filter": {"clouds": ["PUBLIC"], "family": "IPV4"}, "description": "of the plant"}
        save = "mutation ($input: SavedFilterInput!) { saveFilter(name: PLANT, input: $input, by: ANN) { name } }"
        await ask.value(save.replace("PLANT", '"Plant"').replace("ANN", '"ann"'), input=wanted)
        found = await ask.value("{ savedFilters { name setBy description filter { clouds family } } }", token=None)
        id_ = await ask.created(savedFilter="plant")
        used = await ask(delete)
        await ask.value("mutation ($id: ID!) { deleteSubscription(id: $id) }", id=id_)
        await ask.value(delete)
        assert await ask.value("{ savedFilters { name } }") == []
    filter_ = {"clouds": ["PUBLIC"], "family": "IPV4"}
    assert found == [{"name": "plant", "setBy": "ann", "description": "of the plant", "filter": filter_}]
    assert (refused(used), used["errors"][0]["extensions"]["parameter"]) == ("BAD_PARAMETER", "name")


async def test_deliveries_are_paged_newest_first(store: Store) -> None:
    """A cursor belongs to its subscription; one delivery is found by its id."""
    async with opened(store) as ask:
        id_, other = await ask.active(), await ask.created(url="https://b.example/")
        await queue(store, id_)
        await queue(store, other)
        replay = "mutation ($id: ID!) { replay(id: $id, input: {fromVersion: 1, toVersion: 3}) }"
        await ask.value(replay, id=id_)
        for number, state in enumerate((DeliveryState.DELIVERED, DeliveryState.DEAD, DeliveryState.DELIVERED)):
            await logged(store, id_, f"msg_{number}", state, timedelta(seconds=number))
        first = (await ask.value(DELIVERIES, id=id_, first=2))["deliveries"]
        cursor = first["pageInfo"]["endCursor"]
        rest = (await ask.value(DELIVERIES, id=id_, after=cursor))["deliveries"]
        foreign = await ask(DELIVERIES, id=other, after=cursor)
        many = await ask(DELIVERIES, id=id_, first=201)
        one = "query ($id: ID!, $one: ID!) { subscription(id: $id) { delivery(id: $one) { id state } } }"
        dead = await ask.value(one, id=id_, one="msg_1")
        none = await ask(one, id=id_, one="msg_9")
    assert [one["node"]["id"] for one in first["edges"]] == ["msg_2", "msg_1"]
    assert first["nodes"][1] == {
        "id": "msg_1",
        "state": "DEAD",
        "type": "COMMITTED",
        "first": "2",
        "attempts": [{"status": 500, "error": "", "latencyMs": 12}],
    }
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "endCursor": first["edges"][1]["cursor"],
    }
    assert ([one["id"] for one in rest["nodes"]], rest["pageInfo"]["hasNextPage"]) == (["msg_0"], False)
    assert dead == {"delivery": {"id": "msg_1", "state": "DEAD"}}
    for answer, parameter in ((foreign, "after"), (many, "first"), (none, "delivery")):
        assert answer["errors"][0]["extensions"]["parameter"] == parameter


async def test_subscriptions_are_paged_oldest_first(store: Store) -> None:
    """A page goes on after one that was deleted meanwhile, too."""
    async with opened(store) as ask:
        for number in range(3):
            await ask.created(url=f"https://{number}.example/")
        every = await ask.value(LIST)
        first = await ask.value(LIST, first=1)
        for one in await store.subscriptions.all():
            if one.url == first["nodes"][0]["url"]:
                await ask.value("mutation ($id: ID!) { deleteSubscription(id: $id) }", id=one.id)
        rest = await ask.value(LIST, after=first["pageInfo"]["endCursor"])
        bad = await ask(LIST, after="bad")
    assert (first["nodes"], first["pageInfo"]["hasNextPage"], first["totalCount"]) == (every["nodes"][:1], True, 3)
    assert (rest["nodes"], rest["pageInfo"]["hasNextPage"], rest["totalCount"]) == (every["nodes"][1:], False, 2)
    assert (refused(bad), bad["errors"][0]["extensions"]["parameter"]) == ("BAD_PARAMETER", "after")


async def test_signing_keys_are_for_everybody(store: Store) -> None:
    """Receivers need no token; a service without an encryption key says what it lacks."""
    keys = "{ signingKeys { public algorithm } }"
    async with opened(store) as ask:
        (key,) = await ask.value(keys, token=None)
        assert await ask.value(keys, token=None) == [key]
    assert (key["public"][:5], key["algorithm"]) == ("whpk_", "ed25519")
    async with opened(store, key="") as ask:
        answers = [await ask(keys), await ask(CREATE, input=WEBHOOK)]
    assert [refused(answer) for answer in answers] == ["SEALED", "SEALED"]


@pytest.mark.parametrize(
    ("wanted", "code", "parameter"),
    [
        ({"url": "https://10.0.0.1/t0p-of-all"}, "REFUSED_TARGET", "url"),
        ({"url": "http://a.example/t0p-of-all"}, "REFUSED_TARGET", "url"),
        ({"settleS": 3601}, "BAD_PARAMETER", "settleS"),
        ({"filter": {"types": []}}, "BAD_PARAMETER", "filter.types"),
        ({"filter": {"sources": ["nobody"]}}, "BAD_PARAMETER", "filter.sources"),
        ({"filter": {}, "savedFilter": "a"}, "BAD_PARAMETER", "savedFilter"),
        ({"savedFilter": "nobody"}, "BAD_PARAMETER", "savedFilter"),
        ({"digest": {"every": "DAILY", "zone": "Europe/Berln"}}, "BAD_PARAMETER", "digest.zone"),
        ({"channel": "SLACK", "envelope": "CLOUDEVENTS", "headers": []}, "BAD_PARAMETER", "envelope"),
        ({"headers": [{"name": "A", "value": "Bearer hidden\nB: c"}]}, "BAD_PARAMETER", "headers"),
        ({"headers": "X-Key: Bearer hidden"}, "BAD_QUERY", None),
        ({"headers": [{"name": "A", "value": ["Bearer hidden"]}]}, "BAD_QUERY", None),
        ({"channel": HOOK}, "BAD_QUERY", None),
        ({"chanel": "SLACK"}, "BAD_QUERY", None),
        ({"url": None}, "BAD_QUERY", None),
    ],
)
async def test_what_is_refused_is_told_without_what_is_secret(
    store: Store, wanted: dict[str, object], code: str, parameter: str | None
) -> None:
    """The code of the error tree and the field by its name here; no value of the input."""
    async with opened(store) as ask:
        (error,) = (await ask(CREATE, input={**WEBHOOK, **wanted}))["errors"]
    assert (error["extensions"]["code"], error["extensions"].get("parameter")) == (code, parameter)
    assert await store.subscriptions.count() == 0


@pytest.mark.parametrize(
    ("input_", "parameter"),
    [({}, "delivery"), ({"toVersion": 2}, "fromVersion"), ({"fromVersion": 2, "toVersion": 9}, "fromVersion"),
     ({"since": "2026-11-03T00:00:00"}, "since")],
)  # fmt: skip
async def test_a_replay_that_is_none_is_refused(store: Store, input_: dict[str, object], parameter: str) -> None:
    """With the argument by its name here; a date that is none is no query."""
    async with opened(store) as ask:
        id_ = await ask.active()
        replay = "mutation ($id: ID!, $input: ReplayInput!) { replay(id: $id, input: $input) }"
        answer = await ask(replay, id=id_, input=input_)
        dateless = await ask(replay, id=id_, input={"since": "yesterday"})
    assert (refused(answer), answer["errors"][0]["extensions"]["parameter"]) == ("BAD_PARAMETER", parameter)
    assert dateless["errors"][0]["extensions"] == {"code": "BAD_QUERY"}


async def test_an_edit_that_nulls_what_cannot_be(store: Store) -> None:
    """Only a digest can be null."""
    async with opened(store) as ask:
        answer = await ask(EDIT, id=await ask.created(), input={"settleS": None})
    assert (refused(answer), answer["errors"][0]["extensions"]["parameter"]) == ("BAD_PARAMETER", "settleS")


async def test_lists_within_lists_have_a_cost(store: Store) -> None:
    """Deliveries of many subscriptions at once are refused before anything is read."""
    query = (
        "query ($first: Int) { subscriptions(first: $first) { nodes { deliveries { nodes { attempts { at } } } } } }"
    )
    async with opened(store) as ask:
        await ask.created()
        found = await ask.value(query, first=50)
        answer = await ask(query, first=500)
    assert found == {"nodes": [{"deliveries": {"nodes": []}}]}
    assert "cost" in answer["errors"][0]["message"]


PUBLISHED: dict[str, type[Struct]] = {
    "Attempt": Attempt,
    "CreatedSubscriber": views.Created,
    "Delivery": views.DeliveryView,
    "Digest": Digest,
    "EventFilter": EventFilter,
    "Health": Health,
    "RotatedSecret": views.Rotated,
    "SavedFilter": SavedFilter,
    "SigningKey": views.SigningKeyView,
    "Subscriber": views.SubscriptionView,
}
INPUTS: dict[type, type[Struct]] = {
    inputs.DigestInput: wanted.WantedDigest,
    inputs.EventFilterInput: wanted.WantedFilter,
    inputs.HeaderInput: wanted.Header,
    inputs.NewSubscriberInput: wanted.NewSubscription,
    inputs.ReplayInput: wanted.Replay,
    inputs.SavedFilterInput: wanted.NewFilter,
    inputs.SubscriberEdit: wanted.SubscriptionEdit,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_graphql_has_the_fields_of_rest(name: str) -> None:
    """None is left out."""
    assert fields_of(name) == {field.encode_name for field in fields(PUBLISHED[name])}


@pytest.mark.parametrize("input_", INPUTS)
def test_inputs_have_the_fields_of_rest(input_: type) -> None:
    """In the same order; none is left out."""
    mirrored = fields(INPUTS[input_])
    assert [one.name for one in dataclasses.fields(input_)] == [one.encode_name for one in mirrored]
