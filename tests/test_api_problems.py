"""Errors over HTTP: each kind its status, its code and its facts, and nothing from inside."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from catalog_service.api.app import create_app
from catalog_service.reader import Reader
from catalog_service.store import keys
from catalog_service.store.connect import Store
from tests.api_client import PAGE, TAGS, application, away, catalog_client, client, graphql, published


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return a problem's body, which must be one of this status and code."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "detail"} <= body.keys()
    return body


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/endpoints?colour=red", "colour"),
        ("/v1/sources?source=x", "source"),
        ("/v1/versions/1?at=1", "at"),
        ("/v1/endpoints?cloud=moon", "cloud"),
        ("/v1/endpoints?region=nowhere", "region"),
        ("/v1/endpoints?region=westeurope,usgov", "region"),
        ("/v1/allowlist?region=nowhere", "region"),
        ("/v1/endpoints?direction=sideways", "direction"),
        ("/v1/endpoints?kind=", "kind"),
        ("/v1/endpoints?service=a,,b", "service"),
        ("/v1/allowlist?service=", "service"),
        ("/v1/endpoints?limit=0", "limit"),
        ("/v1/endpoints?limit=5001", "limit"),
        ("/v1/endpoints?limit=ten", "limit"),
        ("/v1/endpoints?limit=1&limit=2", "limit"),
        ("/v1/endpoints?at=2%20days%20ago", "at"),
        ("/v1/endpoints?cursor=nonsense", "cursor"),
        ("/v1/endpoints?cursor=%C3%A9", "cursor"),
        ("/v1/versions?cursor=W10", "cursor"),
        ("/v1/versions/first!", "version"),
        ("/v1/diff/1..2", "span"),
        ("/v1/diff/...2", "span"),
        ("/v1/diff/x!...2", "from"),
        ("/v1/diff/1...y!", "to"),
        ("/v1/lookup", "q"),
        ("/v1/lookup?q=300.1.1.1", "q"),
        ("/v1/lookup?q=13.66.60.1/24", "q"),
        ("/v1/lookup?q=1.2.3.4%25eth0", "q"),
        ("/v1/allowlist?format=xlsx", "format"),
    ],
)
async def test_a_bad_parameter_is_named(store: Store, path: str, parameter: str) -> None:
    """What cannot be understood is a 400 that names the parameter."""
    async with catalog_client(store) as opened:
        body = problem(await opened.get(path), 400, "BAD_PARAMETER")
    assert body["parameter"] == parameter


async def test_an_unknown_parameter_is_told_the_known_ones(store: Store) -> None:
    """A misspelled parameter is never ignored: its filter would be missing from the answer."""
    async with catalog_client(store) as opened:
        body = problem(await opened.get("/v1/allowlist?servce=Storage"), 400, "BAD_PARAMETER")
    assert "service" in body["known"]


@pytest.mark.parametrize(
    ("path", "code", "parameter"),
    [
        ("/v1/endpoints?at=4", "UNKNOWN_VERSION", "at"),
        ("/v1/endpoints?at=latest~9", "UNKNOWN_VERSION", "at"),
        ("/v1/allowlist?at=2020-01-01", "UNKNOWN_VERSION", "at"),
        ("/v1/versions/0", "UNKNOWN_VERSION", "version"),
        ("/v1/versions/4", "UNKNOWN_VERSION", "version"),
        ("/v1/diff/1...4", "UNKNOWN_VERSION", "to"),
        ("/v1/diff/4...1", "UNKNOWN_VERSION", "from"),
        ("/v1/endpoints?source=nobody", "UNKNOWN_SOURCE", "source"),
        ("/v1/versions?source=nobody", "UNKNOWN_SOURCE", "source"),
        ("/v1/diff/1...2?source=nobody", "UNKNOWN_SOURCE", "source"),
        (f"/v1/endpoints/{TAGS}:Nothing", "UNKNOWN_ENDPOINT_SET", "id"),
        (f"/v1/endpoints/{TAGS}:LogicApps", "UNKNOWN_ENDPOINT_SET", "id"),
        ("/v1/held/000000000000", "UNKNOWN_HELD", "id"),
        ("/v1/allowlist?service=Nothing", "NO_MATCH", "service"),
    ],
)
async def test_what_is_not_there_is_a_404(store: Store, path: str, code: str, parameter: str) -> None:
    """Unknown versions, sources, records and held versions each have their code."""
    async with catalog_client(store) as opened:
        body = problem(await opened.get(path), 404, code)
    if code != "NO_MATCH":
        assert body["parameter"] == parameter


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/versions/1", "version"),
        ("/v1/endpoints?at=1", "at"),
        (f"/v1/endpoints/{TAGS}:Storage?at=1", "at"),
        ("/v1/allowlist?at=latest~2", "at"),
        ("/v1/lookup?q=13.66.60.1&at=1", "at"),
        ("/v1/conflicts?at=1", "at"),
        ("/v1/diff/1...latest", "from"),
    ],
)
async def test_what_was_pruned_is_a_410(store: Store, path: str, parameter: str) -> None:
    """A version that retention took away is gone, not unknown, and the nearest that is kept is told."""
    await published(store)
    await store.redis.set(keys.FLOOR, 2)
    app, _ = await application(store)
    async with client(app) as opened:
        body = problem(await opened.get(path), 410, "GONE")
    assert (body["nearest"], body["parameter"]) == (2, parameter)


async def test_no_route_and_wrong_method_are_problems_too(store: Store) -> None:
    """A path nobody serves is a 404, a method it does not take a 405 that names those it does."""
    async with catalog_client(store) as opened:
        problem(await opened.get("/v2/endpoints"), 404, "NOT_FOUND")
        problem(await opened.get("/assets/graphiql/../../../etc/passwd"), 404, "NOT_FOUND")
        refused = await opened.post("/v1/endpoints")
    problem(refused, 405, "METHOD_NOT_ALLOWED")
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_the_store_away_is_a_503(store: Store) -> None:
    """While Redis is away, what needs it is a 503 to try again, without its address; the rest goes on."""
    await published(store)
    app, reader = await application(store)
    reader.store = away()
    async with client(app) as opened:
        for path in ("/v1/sources", "/v1/held", "/v1/versions", "/v1/endpoints?at=1", "/v1/diff/1...2"):
            response = await opened.get(path)
            problem(response, 503, "STORE_UNAVAILABLE")
            assert "redis" not in response.text.lower()
            assert int(response.headers["retry-after"]) > 0
        for path in ("/v1/endpoints", f"/v1/endpoints/{PAGE}:flow", "/v1/lookup?q=13.66.60.1", "/v1/allowlist"):
            assert (await opened.get(path)).status_code == 200
        assert (await opened.get("/readyz")).status_code == 200


async def test_how_sources_are_is_told_from_memory_while_the_store_is_away(store: Store) -> None:
    """What was read last is told on each surface, the home page says why it lists no versions."""
    await published(store)
    app, reader = await application(store)
    async with client(app) as opened:
        before = (await opened.get("/v1/sources")).json()
        reader.store = away()
        after = await opened.get("/v1/sources")
        assert (after.status_code, after.json()) == (200, before)
        asked = await graphql(opened, "{ sources { name status } }")
        assert [one["name"] for one in asked["data"]["sources"]] == [one["name"] for one in before["items"]]
        page = await opened.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "The store is away" in page.text
    assert before["items"][0]["title"] in page.text


async def test_damaged_content_is_a_500(store: Store) -> None:
    """Stored content that does not match its digest is refused, not served."""
    await published(store)
    app, _ = await application(store)
    await store.redis.hset(keys.KEYFRAMES, "1", b"junk")
    async with client(app) as opened:
        body = problem(await opened.get("/v1/endpoints?at=1"), 500, "CORRUPT_CONTENT")
    assert "zstd" not in body["detail"]


async def test_a_fault_of_ours_is_a_500_without_its_inside(store: Store) -> None:
    """What nobody expected is an INTERNAL problem that tells nothing from inside, marked like every answer."""
    await published(store)
    reader = Reader(store)
    await reader.refresh()
    app = create_app(reader, ("not a source",), demo=True)  # type: ignore[arg-type]
    async with client(app) as opened:
        response = await opened.get("/v1/sources")
    body = problem(response, 500, "INTERNAL")
    assert "attribute" not in body["detail"]
    assert response.headers["x-catalog-demo"] == "true"


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/v1/allowlist?service=AzureConnector", "AzureConnectors"),
        ("/v1/allowlist?service=azureconnectors.westeurop", "AzureConnectors.WestEurope"),
        ("/v1/endpoints?source=azure-service-tag-public", TAGS),
    ],
)
async def test_a_near_miss_is_named(store: Store, path: str, meant: str) -> None:
    """Whoever spells a service or a source nearly right is told what there is."""
    async with catalog_client(store) as opened:
        answer = await opened.get(path)
    assert answer.status_code == 404
    assert f"did you mean {meant}?" in answer.json()["detail"]
