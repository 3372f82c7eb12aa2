"""Subscriptions over REST: what the desk does, its statuses and headers, and what the document says of it."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from catalog_service.api.openapi import openapi_document
from catalog_service.api.problems import told
from catalog_service.api.rest.routes import OPERATIONS
from catalog_service.store.connect import Store
from catalog_service.subscriptions.signing_key import signing_key
from catalog_service.subscriptions.vault import Vault, public_text
from schema.access import Scope
from schema.errors import StaleHeadError
from schema.subscription import DeliveryState
from tests.api_client import TAGS, catalog_client
from tests.desks import KEY, code_of, desk_of, logged
from tests.operators import operator_actions, operator_client

HOOK = "https://hooks.contoso.example/catalog?key=t0p-of-all"
WANTED = {"channel": "webhook", "url": HOOK, "headers": [{"name": "Authorization", "value": "Bearer hidden"}]}
AT = "/v1/subscriptions"
OF_HTTP = {"content-type", "content-length", "x-content-type-options", "referrer-policy"}


async def made(http: httpx.AsyncClient, store: Store, **fields: Any) -> str:
    """Return the id of a subscription that was verified."""
    created = (await http.post(AT, json={**WANTED, **fields})).json()
    id_: str = created["subscription"]["id"]
    verified = await http.post(f"{AT}/{id_}/verify", json={"code": await code_of(store, id_)})
    assert verified.json()["status"] == "active"
    return id_


def code_and_parameter(response: httpx.Response) -> tuple[int, str, str | None]:
    """Return what a problem says."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    return response.status_code, body["code"], body.get("parameter")


async def test_a_subscription_from_its_making_to_its_end(store: Store) -> None:
    """Made, found where Location says, verified, changed, held back and told again, and gone; each step audited."""
    async with operator_client(store) as http:
        created = await http.post(f"{AT}?by=ann", json=WANTED)
        there = created.url.join(created.headers["location"])
        one = await http.get(there)
        wrong = await http.post(f"{there}/verify", json={"code": "aaaaaaaaaaaaaaaa"})
        right = await http.post(f"{there}/verify", json={"code": await code_of(store, one.json()["id"])})
        edited = await http.patch(f"{there}", json={"description": "plant", "digest": {"every": "weekly"}})
        undone = await http.patch(f"{there}", json={"digest": None})
        paused = await http.post(f"{there}/pause")
        resumed = await http.post(f"{there}/resume")
        listed = await http.get(AT)
        gone = await http.delete(f"{there}?by=bob")
        after = [await http.get(there), await http.delete(there), await http.get(f"{there}/deliveries")]
    assert (created.status_code, created.json()["subscription"], one.status_code) == (201, one.json(), 200)
    assert created.json()["secret"].startswith("whsec_")
    assert (one.json()["status"], one.json()["created_by"], one.json()["waiting_count"]) == ("unverified", "ann", 1)
    assert code_and_parameter(wrong) == (400, "BAD_PARAMETER", "code")
    assert (right.json()["status"], paused.json()["status"], resumed.json()["status"]) == ("active", "paused", "active")
    assert edited.json() == {**right.json(), "description": "plant", "digest": {"every": "weekly"}}
    assert undone.json() == {**right.json(), "description": "plant"}
    assert listed.json() == {"items": [resumed.json()]}
    assert (gone.status_code, gone.content) == (204, b"")
    assert [code_and_parameter(each) for each in after] == [(404, "UNKNOWN_SUBSCRIPTION", "id")] * 3
    audit = [(entry.who, entry.action) for entry in reversed(await store.audit.newest())]
    assert (audit[0], audit[-1]) == (("ann", "subscription-create"), ("bob", "subscription-delete"))
    assert {who for who, _ in audit[1:-1]} == {"operator"}


async def test_no_answer_is_kept_and_none_shows_a_secret(store: Store) -> None:
    """All say `no-store`; the secret is in the answers that make it alone, values of headers and queries in none."""
    async with operator_client(store) as http:
        created = await http.post(AT, json=WANTED)
        id_ = created.json()["subscription"]["id"]
        rotated = await http.post(f"{AT}/{id_}/rotate")
        others = [await http.get(path) for path in (AT, f"{AT}/{id_}", f"{AT}/{id_}/deliveries")]
        others += [await http.post(f"{AT}/{id_}/test"), await http.patch(f"{AT}/{id_}", json={"payload": "thin"})]
    secrets = [created.json()["secret"], rotated.json()["secret"]]
    assert secrets[0] != secrets[1]
    for response in (created, rotated, *others):
        assert response.is_success, response.text
        assert response.headers["cache-control"] == "no-store"
        assert "etag" not in response.headers
        assert [each for each in ("t0p-of-all", "hidden") if each in response.text] == []
    assert [each for each in others if "whsec_" in each.text] == []
    assert rotated.json().keys() == {"secret", "previous_until"}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"url": "https://10.0.0.1/"}, (422, "REFUSED_TARGET", "url")),
        ({"url": "http://hooks.contoso.example/"}, (422, "REFUSED_TARGET", "url")),
        ({"url": 1}, (400, "BAD_PARAMETER", "url")),
        ({"channel": "pigeon"}, (400, "BAD_PARAMETER", "channel")),
        ({"filter": {"clouds": ["moon"]}}, (400, "BAD_PARAMETER", "filter.clouds[0]")),
        ({"filter": {"colour": "red"}}, (400, "BAD_PARAMETER", "filter.colour")),
        ({"filter": {"sources": ["azure"]}}, (400, "BAD_PARAMETER", "filter.sources")),
        ({"saved_filter": "nobody-saved"}, (400, "BAD_PARAMETER", "saved_filter")),
        ({"settle_s": 3601}, (400, "BAD_PARAMETER", "settle_s")),
        ({"colour": "red"}, (400, "BAD_PARAMETER", "colour")),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    store: Store, fields: dict[str, Any], problem: tuple[int, str, str]
) -> None:
    """The problem names the field of the body, as making and as changing; nothing is made or changed."""
    async with operator_client(store) as http:
        id_ = await made(http, store)
        before = (await http.get(AT)).json()
        refused = [await http.post(AT, json={**WANTED, **fields}), await http.patch(f"{AT}/{id_}", json=fields)]
        after = (await http.get(AT)).json()
    assert [code_and_parameter(each) for each in refused] == [problem, problem]
    assert before == after


async def test_deliveries_are_read_in_pages_and_one_by_one(store: Store) -> None:
    """Newest first; Link leads to the next page; each is found by the id that a test answered, or that it was sent as."""
    async with operator_client(store) as http:
        id_ = await made(http, store)
        await logged(store, id_, "msg_first", DeliveryState.DELIVERED)
        for number in range(2):
            tested = await http.post(f"{AT}/{id_}/test")
            await logged(store, id_, tested.json()["delivery"], DeliveryState.DEAD, timedelta(hours=number + 2))
        page = await http.get(f"{AT}/{id_}/deliveries?limit=2")
        rest = await http.get(page.url.join(page.links["next"]["url"]))
        one = await http.get(f"{AT}/{id_}/deliveries/{tested.json()['delivery']}")
        absent = [
            await http.get(f"{AT}/{id_}/deliveries{path}") for path in ("/msg_none", "?cursor=msg_none", "?limit=201")
        ]
    assert tested.status_code == 202
    assert [each["state"] for each in page.json()["items"]] == ["dead", "dead"]
    assert page.json()["items"][0] == one.json()
    assert (one.json()["type"], one.json()["attempts"][0]["status"]) == ("subscription.ping", 500)
    assert ([each["id"] for each in rest.json()["items"]], rest.links) == (["msg_first"], {})
    assert [each.status_code for each in absent] == [404, 404, 400]
    assert [each.json()["parameter"] for each in absent] == ["delivery", "cursor", "limit"]


async def test_versions_are_told_again(store: Store) -> None:
    """A replay answers how many events it queued; two ways at once, and what is not there, are refused."""
    async with operator_client(store) as http:
        id_ = await made(http, store, filter={"sources": [TAGS]})
        replay = f"{AT}/{id_}/replay"
        versions = await http.post(replay, json={"from_version": 1, "to_version": 3})
        since = await http.post(replay, json={"since": "2030-01-01T00:00:00Z"})
        both = await http.post(replay, json={"delivery": "msg_x", "since": "2026-11-01T00:00:00Z"})
        absent = await http.post(replay, json={"delivery": "msg_x"})
        unknown = await http.post(replay, json={"from_version": 1, "to_version": 4})
    assert (versions.status_code, versions.json(), since.json()) == (202, {"queued_count": 2}, {"queued_count": 0})
    assert [code_and_parameter(each) for each in (both, absent, unknown)] == [
        (400, "BAD_PARAMETER", "delivery"),
        (404, "UNKNOWN_SUBSCRIPTION", "delivery"),
        (400, "BAD_PARAMETER", "from_version"),
    ]


async def test_filters_are_saved_used_and_deleted(store: Store) -> None:
    """Everybody reads them; one in use stays; another under the same name takes its place."""
    async with operator_client(store) as http:
        first = await http.put("/v1/filters/Plant", json={"filter": {"clouds": ["public"]}})
        saved = await http.put(
            "/v1/filters/plant?by=ann", json={"filter": {"clouds": ["usgov"]}, "description": "of the plant"}
        )
        id_ = await made(http, store, saved_filter="plant")
        in_use = await http.delete("/v1/filters/plant")
        del http.headers["authorization"]
        listed = await http.get("/v1/filters")
        again = await http.get("/v1/filters", headers={"If-None-Match": listed.headers["etag"]})
    async with operator_client(store) as http:
        await http.delete(f"{AT}/{id_}")
        gone = [await http.delete("/v1/filters/plant") for _ in range(2)]
        bad = await http.put("/v1/filters/latest", json={"filter": {}})
    assert (first.json()["name"], saved.json()["set_by"]) == ("plant", "ann")
    assert code_and_parameter(in_use) == (400, "BAD_PARAMETER", "name")
    assert (listed.json(), again.status_code) == ({"items": [saved.json()]}, 304)
    assert [each.status_code for each in gone] == [204, 404]
    assert code_and_parameter(bad) == (400, "BAD_PARAMETER", "name")


async def test_everybody_reads_the_signing_key(store: Store) -> None:
    """The public half of the key that signs, the same each time; a service without a key says so, a demo has none."""
    async with catalog_client(store, actions=operator_actions(store, token="")) as http:
        found = [await http.get("/v1/signing-keys") for _ in range(2)]
    used = public_text(await signing_key(store, Vault(KEY), lambda count: b"x" * count))
    async with catalog_client(store, actions=operator_actions(store, desk_of(store, key=""))) as http:
        sealed = await http.get("/v1/signing-keys")
    async with catalog_client(store, actions=None) as http:
        assert (await http.get("/v1/signing-keys")).json() == {"items": []}
    assert [each.json() for each in found] == [{"items": [{"public": used, "algorithm": "ed25519"}]}] * 2
    assert len(base64.b64decode(used.removeprefix("whpk_"))) == 32
    assert code_and_parameter(sealed) == (503, "SEALED", None)
    assert sealed.headers["retry-after"] == "5"


async def test_without_an_encryption_key_nothing_is_made(store: Store) -> None:
    """The problem names the setting, and nothing of the store."""
    async with operator_client(store, desk_of(store, key="")) as http:
        refused = await http.post(AT, json=WANTED)
        listed = await http.get(AT)
    assert code_and_parameter(refused) == (503, "SEALED", None)
    assert "CATALOG_ENCRYPTION_KEY" in refused.json()["detail"]
    assert listed.json() == {"items": []}


def test_who_was_overtaken_is_told_to_ask_again() -> None:
    """A change that others made first is a conflict, not a fault of the store."""
    found = told(StaleHeadError("others change sub_x faster than this", subscription="sub_x"))
    assert (found.status, found.code) == (409, "STALE_HEAD")


async def test_a_head_is_asked_for_as_a_get(store: Store) -> None:
    """HEAD is answered wherever GET is, with the token; OPTIONS is told the methods."""
    async with operator_client(store) as http:
        head, options = await http.head(AT), await http.options(AT)
    assert (head.status_code, head.headers["cache-control"]) == (200, "no-store")
    assert (options.status_code, set(options.headers["allow"].split(", "))) == (405, {"GET", "HEAD", "POST"})


async def test_the_document_says_who_may_and_what_is_taken(store: Store) -> None:
    """Security, statuses and bodies as the operations have them; examples and headers as they are."""
    document: dict[str, Any] = msgspec.json.decode(openapi_document())
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert document["security"] == [{}, {"bearer": ["read"]}]
    async with operator_client(store) as http:
        id_ = await made(http, store)
        await logged(store, id_, "msg_x", DeliveryState.DELIVERED)
        for one in OPERATIONS:
            described = document["paths"][one.path][one.method.lower()]
            is_closed = one.scope is not Scope.READ
            assert described["x-scope"] == one.scope
            assert described.get("security") == ([{"bearer": [one.scope]}] if is_closed else None)
            assert ({"401", "403"} <= described["responses"].keys()) == is_closed
            assert (f"Needs the scope `{one.scope}`." in described.get("description", "")) == is_closed
            if not is_closed or one.method == "DELETE":
                continue
            path = one.path.replace("{id}", id_).replace("{delivery}", "msg_x").replace("{name}", "plant")
            if one.body is None:
                answer = await http.request(one.method, path)
            else:
                content = described["requestBody"]["content"]["application/json"]
                assert content["schema"] == {"$ref": f"#/components/schemas/{type(one.body).__name__}"}
                assert {"413", "415"} <= described["responses"].keys()
                example = {"code": await code_of(store, id_)} if path.endswith("verify") else content["example"]
                answer = await http.request(one.method, path, json=example)
            assert answer.status_code == one.status, answer.text
            headers = {name.lower() for name in described["responses"][str(one.status)]["headers"]}
            assert answer.headers.keys() - headers == OF_HTTP
