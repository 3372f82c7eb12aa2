"""HTTP caching: ETags, 304, gzip, and what proxies may keep."""

from __future__ import annotations

import asyncio
import gzip

import httpx
import pytest
from starlette.requests import Request

from catalog_service.api.answers import IMMUTABLE, REVALIDATE, Answers, Body, Subject
from catalog_service.api.negotiation import coding
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


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
async def test_large_answers_are_compressed_for_those_who_take_it(store: Store, packing: str) -> None:
    """Each coding has its own ETag, each ETag is a 304, and small answers stay as they are."""
    await commit(store, TAGS, MANY, START)
    app, _ = await application(store)
    async with client(app) as opened:
        packed = await opened.get("/v1/allowlist", headers={"Accept-Encoding": packing})
        plain = await opened.get("/v1/allowlist", headers={"Accept-Encoding": "gzip;q=0, zstd;q=0, *"})
        small = await opened.get("/v1/allowlist?service=Tag1", headers={"Accept-Encoding": packing})
        again = await opened.get("/v1/allowlist", headers={"If-None-Match": packed.headers["etag"]})
    assert packed.headers["content-encoding"] == packing
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.text == plain.text
    assert packed.headers["etag"] == f'{plain.headers["etag"][:-1]}-{packing}"'
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in small.headers
    assert {one.headers["vary"] for one in (packed, plain, small)} == {"Accept, Accept-Encoding"}
    assert (again.status_code, again.headers["etag"]) == (304, packed.headers["etag"])


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("", ""),
        ("gzip", "gzip"),
        ("gzip, deflate, br", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("GZIP ; Q=0.5", "gzip"),
        ("gzip;q=0.9, zstd;q=0.8", "gzip"),
        ("zstd;q=0.1, gzip;q=0.1", "zstd"),
        ("*", "zstd"),
        ("*;q=0.5, zstd;q=0", "gzip"),
        ("gzip;q=0.5, identity", ""),
        ("identity;q=0.5, gzip", "gzip"),
        ("identity;q=0, gzip;q=0", ""),
        ("gzip;q=0", ""),
        ("gzip;q=0.000", ""),
        ("gzip;q=nan, zstd;q=inf", ""),
        ("gzip;q=-1", ""),
        ("gzip;q=x", ""),
        ("br, deflate", ""),
        (",;=,q", ""),
    ],
)
def test_the_coding_a_client_likes_best(accepted: str, chosen: str) -> None:
    """The heaviest weight wins, zstd between equals; what weighs nothing or cannot be read is not taken."""
    assert coding(accepted) == chosen


async def test_a_client_that_goes_away_stops_nobody() -> None:
    """One rendering serves all who wait for it, also when the one who began it has left."""
    started, finish = asyncio.Event(), asyncio.Event()
    rendered = []

    async def render() -> Body:
        rendered.append(1)
        started.set()
        await finish.wait()
        return Body(b"x" * 5000)

    answers, subject = Answers(), Subject("content", 1, "route")
    first, second = (asyncio.create_task(answers.versioned(request(), subject, render)) for _ in range(2))
    await started.wait()
    first.cancel()
    finish.set()
    response = await second
    assert (bytes(response.body), rendered, first.cancelled()) == (b"x" * 5000, [1], True)


async def test_a_failed_rendering_is_tried_again() -> None:
    """Everybody who waited is told of the error, and the next one begins anew."""
    answers, subject = Answers(), Subject("content", 1, "route")

    async def fails() -> Body:
        raise ValueError("once")

    async def renders() -> Body:
        return Body(b"x")

    with pytest.raises(ValueError, match="once"):
        await answers.versioned(request(), subject, fails)
    assert (await answers.versioned(request(), subject, renders)).status_code == 200


async def test_what_moves_is_compressed_once() -> None:
    """A large body without a version is kept with its compressed form, for as long as it is the same."""
    answers, body = Answers(), Body(b"x" * 50_000)
    first, second = [await answers.unversioned(request(accept_encoding="zstd"), body) for _ in range(2)]
    assert first.body is second.body
    other = await answers.unversioned(request(), Body(body.data, "text/html"))
    assert other.headers["content-type"].startswith("text/html")


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
