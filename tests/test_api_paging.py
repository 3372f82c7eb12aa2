"""Pages: they fit together, whatever is committed in between."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin

import httpx

from catalog_service.store.connect import Store
from catalog_service.sync.history import import_history
from scrapers.history.files import HistoricFile
from tests.api_client import DAY, START, TAGS, application, client, commit, graphql, tag
from tests.local_source import Clock, body, local_source

TEN = tuple(tag(f"Tag{number}", f"20.{number}.0.0/16") for number in range(10))
OTHERS = tuple(tag(f"Other{number}", f"20.{number}.0.0/16") for number in range(10))


async def pages(opened: httpx.AsyncClient, path: str) -> list[httpx.Response]:
    """Return every page, following Link."""
    found = [await opened.get(path)]
    while "link" in found[-1].headers:
        target, _, relation = found[-1].headers["link"].partition(">; ")
        assert relation == 'rel="next"'
        found.append(await opened.get(urljoin(path, target.removeprefix("<"))))
    return found


def titles(response: httpx.Response) -> list[str]:
    """Return the titles on a page of records."""
    return [one["title"] for one in response.json()["items"]]


async def test_pages_hold_every_record_once(store: Store) -> None:
    """Following Link to the end gives each record once, in order; the last page has no next."""
    await commit(store, TAGS, TEN, START)
    app, _ = await application(store)
    async with client(app) as opened:
        found = await pages(opened, "/v1/endpoints?limit=4&kind=prefix,fqdn")
        whole = await opened.get("/v1/endpoints?limit=10")
    assert [len(titles(one)) for one in found] == [4, 4, 2]
    assert [title for one in found for title in titles(one)] == [one.title for one in TEN]
    assert found[-1].json()["next"] is None
    assert "link" not in whole.headers


async def test_a_cursor_stays_with_its_version(store: Store) -> None:
    """A commit between two pages does not show on the second: it is of the first one's version."""
    await commit(store, TAGS, TEN, START)
    app, reader = await application(store)
    async with client(app) as opened:
        first = await opened.get("/v1/endpoints?limit=6")
        await commit(store, TAGS, OTHERS, START + DAY)
        await reader.refresh()
        second = await opened.get("/v1/endpoints", params={"limit": "6", "cursor": first.json()["next"]})
        anew = await opened.get("/v1/endpoints?limit=6")
    assert titles(first) + titles(second) == [one.title for one in TEN]
    assert second.headers["x-catalog-version"] == "1"
    assert titles(anew) == [f"Other{number}" for number in range(6)]


async def test_a_cursor_belongs_to_its_query(store: Store) -> None:
    """A cursor with another filter, or with a number that contradicts it, is a bad parameter."""
    await commit(store, TAGS, TEN, START)
    await commit(store, TAGS, OTHERS, START + DAY)
    app, _ = await application(store)
    async with client(app) as opened:
        cursor = (await opened.get("/v1/endpoints?limit=1")).json()["next"]
        for query in (f"cursor={cursor}&kind=prefix", f"cursor={cursor}&at=1"):
            refused = await opened.get(f"/v1/endpoints?{query}")
            assert (refused.status_code, refused.json()["parameter"]) == (400, "cursor")
        assert (await opened.get(f"/v1/endpoints?cursor={cursor}&at=2")).status_code == 200


async def test_versions_are_paged_downwards(store: Store) -> None:
    """New versions come before the first page and move no later one."""
    for number in range(5):
        await commit(store, TAGS, TEN[: number + 1], START + number * DAY)
    app, reader = await application(store)
    async with client(app) as opened:
        first = await opened.get("/v1/versions?limit=2")
        await commit(store, TAGS, TEN, START + 9 * DAY)
        await reader.refresh()
        rest = await pages(opened, f"/v1/versions?limit=2&cursor={first.json()['next']}")
    numbers = [[one["version"] for one in page.json()["items"]] for page in (first, *rest)]
    assert numbers == [[5, 4], [3, 2], [1]]


async def test_graphql_pages_the_same(store: Store) -> None:
    """`after` takes `endCursor`, and a page is of the version its cursor was given at."""
    await commit(store, TAGS, TEN, START)
    app, reader = await application(store)
    fields = "version nodes { title } pageInfo { endCursor hasNextPage }"
    query = f"query($after: String) {{ endpoints(first: 6, after: $after) {{ {fields} }} }}"
    async with client(app) as opened:
        first = (await graphql(opened, query))["data"]["endpoints"]
        await commit(store, TAGS, OTHERS, START + DAY)
        await reader.refresh()
        second = (await graphql(opened, query, after=first["pageInfo"]["endCursor"]))["data"]["endpoints"]
    assert [one["title"] for one in (*first["nodes"], *second["nodes"])] == [one.title for one in TEN]
    assert (second["version"], second["pageInfo"]["hasNextPage"]) == (1, False)


async def imported(store: Store, folder: Path) -> None:
    """Import two sources of the very same day: versions 1 and 2."""
    sources = (local_source("a-source"), local_source("b-source"))
    for source, octet in zip(sources, (20, 30), strict=True):
        path = folder / f"{source.name}_20240506.json"
        path.write_bytes(body({f"t{number}": [f"{octet}.{number}.0.0/16"] for number in range(5)}))
        file = HistoricFile(path.name, path, datetime(2024, 5, 6, tzinfo=UTC))
        await import_history(source, (file,), store, Clock())


async def test_diffs_of_versions_of_the_same_instant_are_told_apart(store: Store, tmp_path: Path) -> None:
    """Two numbers that name one instant are two questions, on the page's permanent link too."""
    await imported(store, tmp_path)
    app, _ = await application(store)
    async with client(app) as opened:
        one, two = [await opened.get(f"/v1/diff/0...{number}") for number in (1, 2)]
        page = await opened.get("/diff/0...2", headers={"accept": "text/html"})
    counts = [answer.json()["summary"]["endpoint_sets_added"] for answer in (one, two)]
    assert counts == [5, 10]
    assert one.headers["etag"] != two.headers["etag"]
    assert "v1/diff/0...2" in page.text


async def test_pages_of_an_imported_version_are_of_that_version(store: Store, tmp_path: Path) -> None:
    """Another source's version of the same day does not slip in, whichever way the next page is asked for."""
    await imported(store, tmp_path)
    app, _ = await application(store)
    async with client(app) as opened:
        found = await pages(opened, "/v1/endpoints?limit=2&at=1")
        bare = await opened.get(f"/v1/endpoints?limit=2&cursor={found[0].json()['next']}")
        dated = await pages(opened, "/v1/endpoints?limit=4&at=2024-05-06")
    assert [{one["source"] for one in page.json()["items"]} for page in found] == [{"a-source"}] * 3
    assert bare.json()["items"] == found[1].json()["items"]
    assert sum(len(titles(one)) for one in dated) == 10


async def test_a_date_that_became_fuller_begins_anew(store: Store) -> None:
    """Pages of two states never join: the second page is refused once more is known of that day."""
    await commit(store, TAGS, TEN, START)
    app, reader = await application(store)
    async with client(app) as opened:
        first = (await opened.get(f"/v1/endpoints?limit=4&at={START + DAY:%Y-%m-%d}")).json()
        await commit(store, TAGS, TEN[:9], START + DAY)
        await reader.refresh()
        second = await opened.get(f"/v1/endpoints?limit=4&cursor={first['next']}")
        other = await opened.get(f"/v1/versions?cursor={first['next']}")
        odd = await opened.get(f"/v1/endpoints?limit=4&at=%C2%B2&cursor={first['next']}")
    assert (second.status_code, second.json()["parameter"]) == (400, "cursor")
    assert "begin anew" in second.json()["detail"]
    assert (other.status_code, odd.status_code) == (400, 400)
