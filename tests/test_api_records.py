"""Lists of records: sorted, with some of their fields, in pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from catalog_service.catalog.sort import SortKey
from catalog_service.store.connect import Store
from catalog_service.views.sparse import FIELDS
from schema.words import Cloud
from tests.api_client import (
    DAY,
    PAGE,
    PAGE_1,
    START,
    TAGS,
    application,
    away,
    catalog_client,
    client,
    commit,
    published,
    row,
)

CLOUDS = ("public", "usgov", "usgov-gcchigh", "usgov-dod", "china", "germany")


async def walked(opened: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    """Return the items of every page, following Link."""
    found: list[dict[str, Any]] = []
    following: str | None = path
    while following:
        response = await opened.get(following)
        assert response.status_code == 200, response.text
        found += response.json()["items"]
        link = response.headers.get("link")
        following = urljoin(path, link.partition(">")[0].removeprefix("<")) if link else None
    return found


def value(record: dict[str, Any], key: str) -> Any:
    """Return what a record is sorted by."""
    if key == "last_changed":
        return record["provenance"]["last_changed"]
    if key == "cloud":
        clouds = record.get("clouds") or [record["cloud"]]
        return CLOUDS.index(clouds[0])
    return record.get(key)


@pytest.mark.parametrize("key", [*SortKey])
@pytest.mark.parametrize("sign", ["", "-"])
async def test_any_order_in_pages_of_any_size(store: Store, key: str, sign: str) -> None:
    """Sorted by the key, ties by id, records without a value last; pages of two join to the same list as one page."""
    await published(store)
    other = row("other-clouds", "gov.example.com", clouds=(Cloud.USGOV, Cloud.CHINA))
    await commit(store, PAGE, (*PAGE_1, other), START + 4 * DAY)
    app, _ = await application(store)
    async with client(app) as opened:
        plain = await walked(opened, "/v1/endpoints")
        whole = await walked(opened, f"/v1/endpoints?sort={sign}{key}")
        paged = await walked(opened, f"/v1/endpoints?sort={sign}{key}&limit=2")
    valued = [one for one in plain if value(one, key) is not None]
    expected = sorted(valued, key=lambda one: value(one, key), reverse=bool(sign))
    assert len({value(one, key) for one in valued}) > 1 or len(valued) < len(plain)
    assert whole == paged == [*expected, *(one for one in plain if value(one, key) is None)]


async def test_a_cursor_belongs_to_its_order(store: Store) -> None:
    """A cursor of one order is refused in another one, or pages would repeat and leave out records."""
    async with catalog_client(store) as opened:
        cursor = (await opened.get("/v1/endpoints?sort=title&limit=1")).json()["next"]
        for sort in ("-title", "id", "service"):
            refused = await opened.get(f"/v1/endpoints?limit=1&sort={sort}&cursor={cursor}")
            assert (refused.status_code, refused.json()["parameter"]) == (400, "cursor")
        assert (await opened.get(f"/v1/endpoints?limit=1&sort=title&cursor={cursor}")).status_code == 200


async def test_fields_are_those_asked_for_and_the_id(store: Store) -> None:
    """A field asked for is there on every record, null or empty where it does not apply; nothing else is."""
    async with catalog_client(store) as opened:
        page = (await opened.get("/v1/endpoints?fields=region,prefixes,provenance.last_changed")).json()
        one = (await opened.get(f"/v1/endpoints/{PAGE}:flow?fields=provenance&fields=title,provenance.url")).json()
        whole = (await opened.get(f"/v1/endpoints/{PAGE}:flow")).json()
    assert all(
        item.keys() == {"id", "region", "prefixes", "provenance"} and item["provenance"].keys() == {"last_changed"}
        for item in page["items"]
    )
    assert {item["region"] for item in page["items"]} == {None, "westeurope"}
    assert {"version", "items", "next", "missing"} == page.keys()
    assert one.keys() == {"id", "title", "provenance"}
    assert {name: part for name, part in one["provenance"].items() if part not in (None, [])} == whole["provenance"]


@pytest.mark.parametrize("name", FIELDS)
async def test_every_field_can_be_asked_for(store: Store, name: str) -> None:
    """Each field alone gives what the whole record has."""
    top, _, part = name.partition(".")
    async with catalog_client(store) as opened:
        sparse = (await opened.get(f"/v1/endpoints/{PAGE}:flow?fields={name}")).json()
        whole = (await opened.get(f"/v1/endpoints/{PAGE}:flow")).json()
    assert sparse.keys() == {"id", top}
    given = sparse[top][part] if part else sparse[top]
    known = whole.get(top, {}).get(part) if part else whole.get(top)
    if name == "provenance":
        given = {key: each for key, each in given.items() if key in known}
    assert given == known or (given in (None, []) and known is None)


async def test_fields_and_pages_go_together(store: Store) -> None:
    """Link keeps the fields; equal wishes in another order are the same answer, other wishes another one."""
    async with catalog_client(store) as opened:
        found = await walked(opened, "/v1/endpoints?limit=2&sort=-service&fields=service")
        etags = [
            (await opened.get(f"/v1/endpoints?fields={wish}")).headers["etag"]
            for wish in ("service,title", "title&fields=service,id", "title")
        ]
    assert [one["service"] for one in found] == sorted((one["service"] for one in found), reverse=True)
    assert all(one.keys() == {"id", "service"} for one in found)
    assert etags[0] == etags[1] != etags[2]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("sort=colour", "sort"),
        ("sort=--id", "sort"),
        ("sort=-", "sort"),
        ("sort=id,title", "sort"),
        ("sort=id&sort=id", "sort"),
        ("fields=colour", "fields"),
        ("fields=provenance.colour", "fields"),
        ("fields=", "fields"),
        ("fields=title,,id", "fields"),
    ],
)
async def test_what_nobody_knows_is_refused(store: Store, query: str, parameter: str) -> None:
    """An order or a field that does not exist is a 400 that lists those that do."""
    async with catalog_client(store) as opened:
        refused = await opened.get(f"/v1/endpoints?{query}")
    assert (refused.status_code, refused.json()["parameter"]) == (400, parameter)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/endpoints?limit=2", f"/v1/endpoints/{TAGS}:Storage", "/v1/allowlist", "/v1/versions", "/v1/versions/1",
        "/v1/changes", "/v1/labels", "/v1/sources", "/v1/scenarios", "/v1/regions", "/v1/conflicts", "/v1/held",
        "/v1/lookup?q=13.66.60.1", "/openapi.json", "/docs", "/healthz", "/readyz", "/", "/v1/endpoints/nothing",
    ],
)  # fmt: skip
async def test_head_is_get_without_the_body(store: Store, path: str) -> None:
    """The same status and headers, the length with them."""
    async with catalog_client(store) as opened:
        opened.headers["X-Request-Id"] = "both"
        got, head = await opened.get(path), await opened.head(path)
    moving = {"date", *(("content-length",) if path == "/readyz" else ())}  # that one tells its age
    same = [name for name in got.headers if name not in moving]
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert {name: head.headers[name] for name in same} == {name: got.headers[name] for name in same}
    assert int(head.headers["content-length"]) > 0


async def test_labels_are_listed(store: Store) -> None:
    """Sorted by name, each with its version and who set it; and `at` takes them, in the path too."""
    async with catalog_client(store) as opened:
        assert (await opened.get("/v1/labels")).json() == {"items": []}
        now = (await store.versions.version(3)).committed_at
        await store.labels.set("prod", 2, "ada", now)
        await store.labels.set("canary", 3, "ada", now)
        items = (await opened.get("/v1/labels")).json()["items"]
        version = (await opened.get("/v1/versions/PROD")).json()["version"]
        page = (await opened.get("/v1/endpoints?at=prod")).headers["x-catalog-version"]
    assert [(one["name"], one["version"], one["set_by"]) for one in items] == [("canary", 3, "ada"), ("prod", 2, "ada")]
    assert (version, page) == (2, "2")


async def test_labels_need_the_store(store: Store) -> None:
    """Away, they are a 503 to try again."""
    await published(store)
    app, reader = await application(store)
    reader.store = away()
    async with client(app) as opened:
        assert (await opened.get("/v1/labels")).status_code == 503
