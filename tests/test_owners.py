"""Whose a subscription is: its maker's and who may operate; to other tokens there is none, whatever they ask."""

from __future__ import annotations

import re
from typing import Any

import httpx
import msgspec
import pytest
from strawberry.utils.str_converters import to_snake_case

from catalog_service.access.identity import Identity, included
from catalog_service.access.scopes import needed
from catalog_service.api.graphql.schema import schema
from catalog_service.api.openapi import openapi_document
from catalog_service.store import keys
from catalog_service.store.connect import Store
from catalog_service.subscriptions.replays import replayed
from catalog_service.subscriptions.wanted import NewFilter, NewSubscription, Replay, WantedFilter
from schema.access import Scope
from schema.errors import BadParameterError, UnknownSubscriptionError
from schema.event import EventType, Place
from schema.subscription import Channel, DeliveryState, EventFilter
from tests.api_client import START, catalog_client, published
from tests.desks import HOOK, active, code_of, desk_of, logged
from tests.local_source import Clock
from tests.operators import SHOWN, operator_actions, shows, token_with
from tests.telling import notifying, receiving, subscribed, subscription
from tests.test_audit_of_everything import GRAPHQL, REST, SUBSCRIPTION, Ask, dump, name_of, put_in

AT = "/v1/subscriptions"
STRANGE = "sub_aaaaaaaaaaaaaaaa"
READS = (
    Ask(("GET", SUBSCRIPTION)),
    Ask(("GET", f"{SUBSCRIPTION}/deliveries")),
    Ask(("GET", f"{SUBSCRIPTION}/deliveries/{{delivery}}")),
    Ask(field="subscription", text='(id: "{id}") { id deliveries { nodes { id } } delivery(id: "{delivery}") { id } }'),
)
ORDERS = tuple(
    ask for ask in (*REST, *GRAPHQL) if needed(name_of(ask)) is Scope.SUBSCRIBE and "{id}" in ask.operation + ask.text
)
EVERY = (*READS, *sorted(ORDERS, key=lambda ask: "delete" in name_of(ask)))
"""All that is asked of one subscription, what ends it last."""
OF_NONE = {
    *(f"GET {AT}", f"POST {AT}", "PUT /v1/filters/{name}", "DELETE /v1/filters/{name}"),
    *("subscriptions", "createSubscription", "saveFilter", "deleteFilter"),
}
"""What needs the scope and is asked of no subscription."""


def identity(name: str, *scopes: Scope) -> Identity:
    """Whoever has a token of that name."""
    return Identity(name, included(scopes or (Scope.SUBSCRIBE,)), token=f"tok_{name}")


async def made(store: Store, http: httpx.AsyncClient, headers: dict[str, str], by: str) -> dict[str, str]:
    """A webhook made over REST in another's name, verified, with a delivery in its log: what asks are filled with."""
    answer = await http.post(f"{AT}?by={by}", json={"channel": "webhook", "url": HOOK}, headers=headers)
    id_ = answer.json()["subscription"]["id"]
    code = await code_of(store, id_)
    verified = await http.post(f"{AT}/{id_}/verify", json={"code": code}, headers=headers)
    assert (verified.json()["status"], verified.json()["created_by"]) == ("active", by)
    await logged(store, id_, "msg_a", DeliveryState.DELIVERED)
    return {"id": id_, "code": code, "delivery": "msg_a"}


async def send(http: httpx.AsyncClient, ask: Ask, names: dict[str, str], headers: dict[str, str]) -> httpx.Response:
    if ask.rest is None:
        kind = "query" if ask in READS else "mutation"
        query = f"{kind} {{ {ask.field}{put_in(ask.text, names)} }}"
        return await http.post("/graphql", json={"query": query}, headers=headers)
    method, path = ask.rest
    given: dict[str, Any] = {}
    if ask.body is not None:
        given["json"] = {key: put_in(one, names) if isinstance(one, str) else one for key, one in ask.body.items()}
    return await http.request(method, put_in(path, names), headers=headers, **given)


def told(response: httpx.Response, id_: str) -> tuple[int, str]:
    """What an answer says but for the subscription it names and the request's id."""
    text = response.text.replace(id_, "ID").replace(response.headers["x-request-id"], "")
    return response.status_code, text


def test_everything_about_a_subscription_is_in_the_table() -> None:
    """Each operation of REST and each field of GraphQL that needs the scope is asked here, or of no subscription."""
    paths = msgspec.json.decode(openapi_document())["paths"]
    described = {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method, one in methods.items()
        if needed(one["operationId"]) is Scope.SUBSCRIBE or "/subscriptions/{" in path
    }
    known = schema()._schema
    assert known.query_type
    assert known.mutation_type
    fields = {
        name
        for root in (known.query_type, known.mutation_type)
        for name in root.fields
        if needed(to_snake_case(name)) is Scope.SUBSCRIBE
    }
    assert described | fields == {ask.operation for ask in EVERY} | OF_NONE
    subscriber: Any = known.type_map["Subscriber"]
    asked = {name for name, field in subscriber.fields.items() if field.args}
    assert asked <= set(re.findall(r"\w+", READS[-1].text))


async def test_what_another_made_is_as_unknown_as_what_nobody_did(store: Store) -> None:
    """Each answers word for word as for an id that there is not, and nothing changes."""
    async with catalog_client(store, actions=operator_actions(store)) as http:
        owner, stranger = [shows(await token_with(store, Scope.SUBSCRIBE, name=name)) for name in ("plant", "other")]
        names = await made(store, http, owner, by="other")
        before = await dump(store)
        for ask in EVERY:
            other = told(await send(http, ask, names, stranger), names["id"])
            assert other == told(await send(http, ask, {**names, "id": STRANGE}, stranger), STRANGE), ask.operation
            assert (other[0], "UNKNOWN_SUBSCRIPTION" in other[1]) == (404 if ask.rest else 200, True), ask.operation
            assert await dump(store) == before, ask.operation


@pytest.mark.parametrize("who", ["its owner", "operate", "made again", "operator"])
async def test_who_manages_a_subscription(store: Store, who: str) -> None:
    """Who made it, who may operate, and the bearer of a new token of the same name: everything answers."""
    actions = operator_actions(store)
    async with catalog_client(store, actions=actions) as http:
        shown = owner = shows(await token_with(store, Scope.SUBSCRIBE, name="plant"))
        over = {transport: await made(store, http, owner, by="ann") for transport in ("rest", "graphql")}
        if who == "operate":
            shown = shows(await token_with(store, Scope.SUBSCRIBE, Scope.OPERATE, name="ops"))
        elif who == "operator":
            shown = SHOWN
        elif who == "made again":
            (token,) = await store.tokens.all()
            await actions.tokens.revoke(token.id, "ann", "cli")
            shown = shows(await token_with(store, Scope.SUBSCRIBE, name="plant"))
        for ask in EVERY:
            names = over["rest" if ask.rest else "graphql"]
            answer = await send(http, ask, names, shown)
            assert answer.is_success, (ask.operation, answer.text)
            assert "errors" not in answer.text, (ask.operation, answer.text)
    assert await store.subscriptions.all() == ()


async def test_lists_counts_and_pages_are_of_ones_own(store: Store) -> None:
    """Over REST, GraphQL and in a browser each sees what it made, who may operate all, with the owner."""
    async with catalog_client(store, actions=operator_actions(store)) as http:
        plant, other = [shows(await token_with(store, Scope.SUBSCRIBE, name=name)) for name in ("plant", "other")]
        ops = shows(await token_with(store, Scope.SUBSCRIBE, Scope.OPERATE, name="ops"))
        ids = {name: (await made(store, http, who, "ann"))["id"] for name, who in (("plant", plant), ("other", other))}
        ids[""] = (await made(store, http, SHOWN, "ann"))["id"]
        query = "{ subscriptions { totalCount nodes { id owner } } }"
        for headers, owners in ((plant, ["plant"]), (other, ["other"]), (ops, ["plant", "other", ""])):
            own = {ids[name]: name for name in owners}
            rest = (await http.get(AT, headers=headers)).json()["items"]
            graphql = (await http.post("/graphql", json={"query": query}, headers=headers)).json()["data"]
            page = await http.get("/subscriptions", headers=headers)
            assert {one["id"]: one.get("owner", "") for one in rest} == own
            assert {one["id"]: one["owner"] for one in graphql["subscriptions"]["nodes"]} == own
            assert graphql["subscriptions"]["totalCount"] == len(own)
            assert set(re.findall(r"sub_[a-z2-7]{16}", page.text)) == own.keys()
            for id_ in ids.values():
                one, none = [await http.get(f"/subscriptions/{each}", headers=headers) for each in (id_, STRANGE)]
                after = await http.get(f"/subscriptions?after={id_}", headers=headers)
                is_own = id_ in own
                assert (one.status_code, after.status_code) == ((200, 200) if is_own else (404, 400))
                assert is_own or told(one, id_) == told(none, STRANGE)


async def test_what_an_older_release_stored_is_the_operators(store: Store) -> None:
    """It has no owner, and reads as ever: no token without `operate` has it, not even one without a name."""
    desk = desk_of(store)
    id_ = await active(store, desk)
    redis: Any = store.redis
    assert b"owner" not in await redis.hget(keys.SUBSCRIPTIONS, id_)
    assert (await desk.opened_for(identity("ops", Scope.OPERATE)).subscription(id_)).owner == ""
    for name in ("plant", "ann", ""):
        with pytest.raises(UnknownSubscriptionError):
            await desk.opened_for(identity(name)).subscription(id_)


async def test_a_changed_subscription_stays_its_owners(store: Store) -> None:
    """Whoever changes it, in whoever's name; and its owner is no field that anybody can give."""
    async with catalog_client(store, actions=operator_actions(store)) as http:
        owner = shows(await token_with(store, Scope.SUBSCRIBE, name="plant"))
        there = f"{AT}/{(await made(store, http, owner, by='ann'))['id']}"
        moved = await http.patch(f"{there}?by=other", json={"url": "https://b.example/"}, headers=SHOWN)
        given = await http.patch(there, json={"owner": "other"}, headers=owner)
        new = await http.post(AT, json={"channel": "webhook", "url": HOOK, "owner": "other"}, headers=owner)
    assert (moved.json()["owner"], given.status_code, new.status_code) == ("plant", 400, 400)


async def test_a_filter_that_others_use_is_refused_without_their_names(store: Store) -> None:
    """Filters are everybody's: one is not deleted while it is used, and who may not know by whom is not told."""
    desk, plant = desk_of(store), identity("plant")
    await desk.save_filter("used", NewFilter(WantedFilter()), "ann")
    id_ = await active(store, desk.opened_for(plant), NewSubscription(Channel.WEBHOOK, HOOK, saved_filter="used"))
    for who, said in ((identity("other"), "others'"), (plant, "1"), (identity("ops", Scope.OPERATE), "1")):
        with pytest.raises(BadParameterError) as refused:
            await desk.opened_for(who).delete_filter("used", "ann")
        assert str(refused.value).startswith(f"{said} subscriptions use the filter used")
        assert (id_ in str(refused.value)) == (said == "1")


async def test_who_hears_that_a_subscription_was_disabled(store: Store) -> None:
    """Its owner's others, those of tokens that may operate and those of no token; strangers' neither then nor replayed."""
    hears = EventFilter(types=(EventType.DISABLED,))
    for name, scope in (("plant", Scope.SUBSCRIBE), ("other", Scope.SUBSCRIBE), ("ops", Scope.OPERATE)):
        await token_with(store, scope, name=name)
    async with receiving() as receiver, notifying(store, Clock(), (receiver.port,)) as notifier:
        await store.queues.skip(Place(0))
        await subscribed(store, subscription("sub_a", receiver.url("/gone"), owner="plant"))
        every = [
            await subscribed(
                store, subscription(f"sub_{name or 'b'}", receiver.url(f"/{name}"), filter=hears, owner=name)
            )
            for name in ("plant", "other", "ops", "")
        ]
        receiver.replies["/gone"] = [410]
        await published(store)
        await notifier.once()
        assert {one.path for one in receiver.received} == {"/gone", "/plant", "/ops", "/"}
    again = {one.owner: await replayed(store, one, Replay(from_version=1), START) for one in every}
    assert {owner: len(items) for owner, items in again.items()} == {"plant": 1, "other": 0, "ops": 1, "": 1}
