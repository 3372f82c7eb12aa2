"""HTTP caching: ETags, 304, gzip, and what proxies may keep."""

from __future__ import annotations

import gzip

import httpx
import pytest
from starlette.requests import Request

from catalog_service.api.answers import IMMUTABLE, REVALIDATE, Answers, Body, Subject
from catalog_service.store.connect import Store
from tests.api_client import (
    DAY,
    PAGE,
    PAGE_1,
    START,
    TAGS,
    TAGS_2,
    application,
    away,
    catalog_client,
    client,
    commit,
    published,
    tag,
)

VERSIONED = (
    "/v1/versions",
    "/v1/versions/latest",
    "/v1/endpoints",
    f"/v1/endpoints/{PAGE}:flow",
    "/v1/diff/1...latest",
    "/v1/lookup?q=13.66.60.65",
    "/v1/allowlist?format=csv",
)
MANY = tuple(tag(f"Tag{number}", f"20.{number}.0.0/16") for number in range(200))


def request(**headers: str) -> Request:
    """Return a GET with these headers."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": raw})


@pytest.mark.parametrize("path", VERSIONED)
async def test_a_client_that_has_it_is_told_so(store: Store, path: str) -> None:
    """A versioned answer names its version and has a strong ETag; with it, the next request is a 304 without a body."""
    async with catalog_client(store) as opened:
        first = await opened.get(path)
        again = await opened.get(path, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
        anything = await opened.get(path, headers={"If-None-Match": "*"})
        other = await opened.get(path, headers={"If-None-Match": '"other"'})
    assert first.headers["x-catalog-version"] in {"2", "3"}
    assert first.headers["etag"].startswith('"')
    assert first.headers["cache-control"] == REVALIDATE
    assert (again.status_code, again.content, anything.status_code, other.status_code) == (304, b"", 304, 200)
    for name in ("etag", "cache-control", "vary", "x-catalog-version"):
        assert again.headers[name] == first.headers[name]


@pytest.mark.parametrize("path", ["/v1/sources", "/v1/held"])
async def test_what_moves_without_a_version_is_revalidated_by_its_bytes(store: Store, path: str) -> None:
    """Sources and held versions have an ETag too, and no version."""
    async with catalog_client(store) as opened:
        first = await opened.get(path)
        again = await opened.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert "x-catalog-version" not in first.headers
    assert again.status_code == 304


async def test_equal_queries_share_an_etag_and_different_ones_do_not(store: Store) -> None:
    """Order and repetition of values do not matter; another filter, format or version does."""
    async with catalog_client(store) as opened:

        async def etag(query: str) -> str:
            return str((await opened.get(f"/v1/allowlist?{query}")).headers["etag"])

        same = {await etag(query) for query in ("kind=fqdn,prefix", "kind=prefix&kind=fqdn", "kind=PREFIX,fqdn,fqdn")}
        other = {await etag(query) for query in ("kind=fqdn", "kind=prefix", "at=1", "format=json", "format=csv")}
    assert len(same) == 1
    assert len(other | same) == 6


async def test_a_new_version_has_a_new_etag(store: Store) -> None:
    """After a commit the old ETag no longer answers for the list."""
    await published(store)
    app, reader = await application(store)
    async with client(app) as opened:
        first = await opened.get("/v1/allowlist")
        await commit(store, TAGS, (*TAGS_2, tag("Zone", "20.99.0.0/16")), START + 5 * DAY)
        await reader.refresh()
        second = await opened.get("/v1/allowlist", headers={"If-None-Match": first.headers["etag"]})
    assert (second.status_code, second.headers["x-catalog-version"]) == (200, "4")
    assert "20.99.0.0/16" in second.text


async def test_another_catalogue_with_the_same_numbers_has_other_etags(store: Store) -> None:
    """A catalogue begun anew is not taken for the one a client remembers."""
    await commit(store, PAGE, PAGE_1, START)
    app, _ = await application(store)
    async with client(app) as opened:
        first = await opened.get("/v1/allowlist")
    await store.redis.flushall()
    await commit(store, TAGS, TAGS_2, START)
    app, _ = await application(store)
    async with client(app) as opened:
        second = await opened.get("/v1/allowlist", headers={"If-None-Match": first.headers["etag"]})
    assert first.headers["x-catalog-version"] == second.headers["x-catalog-version"] == "1"
    assert second.status_code == 200


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/v1/endpoints?at=3", IMMUTABLE),
        ("/v1/allowlist?at=1", IMMUTABLE),
        ("/v1/lookup?q=13.66.60.1&at=1", IMMUTABLE),
        ("/v1/versions/1", IMMUTABLE),
        ("/v1/diff/1...2", IMMUTABLE),
        ("/v1/diff/1...latest", REVALIDATE),
        ("/v1/endpoints?at=latest", REVALIDATE),
        ("/v1/endpoints?at=2026-11-30", REVALIDATE),
    ],
)
async def test_only_a_version_by_number_may_be_kept_for_good(store: Store, path: str, kept: str) -> None:
    """What is asked for by number never changes; every other name may mean another version tomorrow."""
    async with catalog_client(store) as opened:
        assert (await opened.get(path)).headers["cache-control"] == kept


async def test_a_demo_is_marked_and_never_kept(store: Store) -> None:
    """Every answer of a demo says so, and none may outlive it in a cache."""
    async with catalog_client(store, demo=True) as opened:
        for path in ("/v1/endpoints?at=1", "/v1/nothing", "/healthz", "/graphql", "/assets/graphiql/graphiql.min.css"):
            response = await opened.get(path)
            assert response.headers["x-catalog-demo"] == "true"
            assert "immutable" not in response.headers.get("cache-control", "")


async def test_large_answers_are_compressed_for_those_who_take_it(store: Store) -> None:
    """gzip has its own ETag, either ETag is a 304, and small answers stay as they are."""
    await commit(store, TAGS, MANY, START)
    app, _ = await application(store)
    async with client(app) as opened:
        packed = await opened.get("/v1/allowlist", headers={"Accept-Encoding": "gzip"})
        plain = await opened.get("/v1/allowlist", headers={"Accept-Encoding": "gzip;q=0, *"})
        small = await opened.get("/v1/allowlist?service=Tag1", headers={"Accept-Encoding": "gzip"})
        again = await opened.get("/v1/allowlist", headers={"If-None-Match": packed.headers["etag"]})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.text == plain.text
    assert packed.headers["etag"] != plain.headers["etag"]
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in small.headers
    assert (again.status_code, again.headers["etag"]) == (304, packed.headers["etag"])


async def test_a_body_is_rendered_once() -> None:
    """The second client gets the kept body, in either encoding, and a 304 renders nothing at all."""
    rendered = []

    async def render() -> Body:
        rendered.append(1)
        return Body(b"x" * 5000)

    answers, subject = Answers(), Subject("content", 1, "route")
    known = await answers.versioned(request(if_none_match=f'"{subject.etag}"'), subject, render)
    first = await answers.versioned(request(accept_encoding="gzip"), subject, render)
    await answers.versioned(request(), subject, render)
    assert (known.status_code, len(rendered)) == (304, 1)
    assert gzip.decompress(bytes(first.body)) == b"x" * 5000


@pytest.mark.parametrize(("max_entries", "max_bytes"), [(2, 1 << 20), (100, 2500)])
async def test_the_bodies_kept_are_bounded(max_entries: int, max_bytes: int) -> None:
    """The body used longest ago goes first, by number and by size."""
    rendered: list[str] = []
    answers = Answers(max_entries=max_entries, max_bytes=max_bytes)

    async def ask(route: str) -> None:
        async def render() -> Body:
            rendered.append(route)
            return Body(b"x" * 1000)

        await answers.versioned(request(), Subject("content", 1, route), render)

    for route in ("a", "b", "a", "c", "a", "b"):
        await ask(route)
    assert rendered == ["a", "b", "c", "b"]


async def test_reads_of_the_current_version_do_not_ask_redis(store: Store) -> None:
    """Records, lookups and allowlists of the newest version come from memory."""
    await published(store)
    app, reader = await application(store)
    reader.store = away()
    async with client(app) as opened:
        answers: list[httpx.Response] = [
            await opened.get(path) for path in ("/v1/endpoints", "/v1/lookup?q=20.60.0.1", "/v1/allowlist?at=3")
        ]
    assert [one.status_code for one in answers] == [200, 200, 200]
