"""The feed for mirrors: what they apply, page by page, is the catalogue."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog_service.catalog.diff import diff
from catalog_service.reader import Reader
from catalog_service.store import keys
from catalog_service.store.connect import Store
from schema.endpoint_set import EndpointSet
from tests.api_client import DAY, PAGE, PAGE_1, START, TAGS, TAGS_1, TAGS_2, application, client, commit, published, tag

VOLATILE = ("version", "fetched_at", "document", "upstream_version", "url", "upstream_at")
"""What provenance says of the source's version, whether it touched the record or not."""
TEN = tuple(tag(f"Tag{number}", f"20.{number}.0.0/16") for number in range(10))


class Mirror:
    """A client that keeps records as it is told to."""

    def __init__(self, opened: httpx.AsyncClient, query: str = "", limit: int = 500) -> None:
        self.held: dict[str, Any] = {}
        self.since: str | None = None
        self.resets = 0
        self._opened = opened
        self._pending: list[dict[str, Any]] = []
        self._query = f"limit={limit}&{query}"

    async def page(self, cursor: str | None = None) -> dict[str, Any]:
        """Fetch a page; with the last one, apply them all."""
        since = f"&since={self.since}" if self.since else ""
        path = f"/v1/changes?{self._query}{since}{f'&cursor={cursor}' if cursor else ''}".replace("&&", "&")
        response = await self._opened.get(path.replace("?&", "?"))
        assert response.status_code == 200, response.text
        page: dict[str, Any] = response.json()
        self._pending = [*(self._pending if cursor else ()), page]
        if page["next"] is None:
            assert page["next_since"]
            self._apply()
        return page

    def _apply(self) -> None:
        for page in self._pending:
            if page["reset"]:
                self.held.clear()
                self.resets += 1
            self.held |= {one["id"]: essence(one) for one in page["items"]}
            for one in page["removed"]:
                self.held.pop(one["id"], None)
        self.since = self._pending[-1]["next_since"]

    async def sync(self) -> None:
        """Follow the feed to its end."""
        page = await self.page()
        while page["next"]:
            assert page["next_since"] is None
            page = await self.page(page["next"])

    async def whole(self, query: str = "") -> dict[str, Any]:
        """Return what is current, by its own resource."""
        items = (await self._opened.get(f"/v1/endpoints?limit=5000&{query}")).json()["items"]
        return {one["id"]: essence(one) for one in items}


def essence(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record without what its source's version alone says."""
    provenance = {name: value for name, value in record["provenance"].items() if name not in VOLATILE}
    return {**record, "provenance": provenance}


async def test_a_mirror_follows(store: Store) -> None:
    """The full set first, then what was added and changed, and tombstones of what is gone; then nothing."""
    await commit(store, TAGS, TAGS_1, START)
    app, reader = await application(store)
    async with client(app) as opened:
        mirror = Mirror(opened)
        first = await mirror.page()
        await commit(store, PAGE, PAGE_1, START + DAY)
        await commit(store, TAGS, TAGS_2, START + 2 * DAY)
        await reader.refresh()
        second = await mirror.page()
        third = await mirror.page()
        assert mirror.held == await mirror.whole()
    assert (first["reset"], first["since"], first["version"], len(first["items"])) == (True, None, 1, 3)
    assert (second["reset"], second["since"], second["version"]) == (False, 1, 3)
    assert [one["id"].partition(":")[2] for one in second["items"]] == [
        "AzureConnectors", "Storage", "flow", "references",
    ]  # fmt: skip
    assert second["removed"] == [{"id": f"{TAGS}:LogicApps", "version": 3}]
    assert (third["items"], third["removed"], third["next_since"]) == ([], [], second["next_since"])


contents = st.lists(
    st.builds(
        tag,
        st.sampled_from([f"Tag{number}" for number in range(6)]),
        st.sampled_from(["20.0.0.0/16", "20.1.0.0/16", "20.2.0.0/16"]),
        region=st.sampled_from([None, "westeurope"]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda one: one.id,
).map(lambda several: tuple(sorted(several, key=lambda one: one.id)))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=st.lists(contents, min_size=2, max_size=6),
    limit=st.integers(1, 4),
    query=st.sampled_from(["", "region=westeurope", "service=Tag1,Tag2"]),
    polls=st.lists(st.booleans(), min_size=6, max_size=6),
)
async def test_whatever_happens_a_mirror_has_what_is_current(
    store: Store, history: list[tuple[EndpointSet, ...]], limit: int, query: str, polls: list[bool]
) -> None:
    """However often it asks, in pages of any size, with versions in between: at the end it holds the current set."""
    await store.redis.flushall()
    store.contents._recent.clear()
    made = 0
    reader = Reader(store)
    app, _ = await application(store)
    for at, content in enumerate(history):
        served = await store.contents.content(TAGS)
        if not diff(served.endpoint_sets if served else (), content):
            continue
        await commit(store, TAGS, content, START + at * DAY)
        made += 1
        if made == 1:
            app, reader = await application(store)
            opened = client(app)
            mirror = Mirror(opened, query, limit)
        if polls[at]:
            await mirror.page()  # a client that goes away in the middle begins again where it was
        await reader.refresh()
        if polls[-at - 1]:
            await mirror.sync()
    await mirror.sync()
    assert mirror.held == await mirror.whole(query)
    await opened.aclose()


async def test_pages_name_both_ends(store: Store) -> None:
    """A version between two pages does not show on the second; the next poll has it."""
    await commit(store, TAGS, TEN, START)
    app, reader = await application(store)
    async with client(app) as opened:
        mirror = Mirror(opened, limit=6)
        first = await mirror.page()
        await commit(store, TAGS, TEN[:5], START + DAY)
        await reader.refresh()
        second = await mirror.page(first["next"])
        assert len(mirror.held) == 10
        await mirror.sync()
        assert mirror.held == await mirror.whole()
    assert (second["version"], second["reset"], mirror.resets) == (1, False, 1)


@pytest.mark.parametrize("since", ["4", "999999999", "0", "3-000000000000", "999-0123456789ab"])
async def test_an_unknown_beginning_leads_to_the_full_set(store: Store, since: str) -> None:
    """A number that was never given, or a token of another catalogue, is answered from nothing."""
    await published(store)
    app, _ = await application(store)
    async with client(app) as opened:
        mirror = Mirror(opened)
        mirror.held, mirror.since = {"something:else": {}}, since
        await mirror.sync()
        assert mirror.held == await mirror.whole()
    assert mirror.resets == 1


async def test_another_filter_does_not_continue(store: Store) -> None:
    """A token given for one filter is no beginning for another one: records would be missing without a word."""
    await published(store)
    app, _ = await application(store)
    async with client(app) as opened:
        mirror = Mirror(opened, "service=Storage")
        await mirror.sync()
        other = Mirror(opened)
        other.since = mirror.since
        await other.sync()
        assert other.held == await other.whole()
        cursor = (await opened.get("/v1/changes?limit=1")).json()["next"]
        refused = await opened.get(f"/v1/changes?limit=1&service=Storage&cursor={cursor}")
    assert (refused.status_code, refused.json()["parameter"]) == (400, "cursor")


async def test_a_catalogue_begun_anew_is_noticed(store: Store) -> None:
    """The same number with other content behind it: a token tells, and the mirror begins from nothing."""
    await published(store)
    app, _ = await application(store)
    async with client(app) as opened:
        mirror = Mirror(opened, limit=2)
        await mirror.sync()
        middle = (await opened.get("/v1/changes?limit=2")).json()["next"]
    await store.redis.flushall()
    for day in range(3):
        await commit(store, TAGS, TEN[: day + 1], START + (7 + day) * DAY)
    app, _ = await application(store)
    async with client(app) as opened:
        restarted = (await opened.get(f"/v1/changes?limit=2&cursor={middle}")).json()
        anew = Mirror(opened)
        anew.held, anew.since = mirror.held, mirror.since
        await anew.sync()
        assert anew.held == await anew.whole()
    assert (anew.resets, restarted["reset"], restarted["version"]) == (1, True, 3)


async def test_a_pruned_beginning_leads_to_the_full_set(store: Store) -> None:
    """What retention took away is no error for a mirror that slept too long."""
    await published(store)
    app, _ = await application(store)
    async with client(app) as opened:
        mirror = Mirror(opened)
        mirror.since = "1"
        await store.redis.set(keys.FLOOR, 3)
        await mirror.sync()
        assert mirror.held == await mirror.whole()
    assert mirror.resets == 1


async def test_a_process_that_is_behind_sends_nothing_back(store: Store) -> None:
    """Behind a balancer: a token of a newer version than served here stays as it is, with nothing to do."""
    await published(store)
    behind_app, _ = await application(store)
    await commit(store, TAGS, TEN, START + 5 * DAY)
    app, _ = await application(store)
    async with client(app) as ahead, client(behind_app) as behind:
        token = (await ahead.get("/v1/changes")).json()["next_since"]
        page = (await behind.get(f"/v1/changes?since={token}")).json()
    assert (page["reset"], page["items"], page["removed"], page["next_since"]) == (False, [], [], token)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("since=yesterday", "since"), ("since=-1", "since"), ("since=", "since"), ("scenario=connectors", "scenario")],
)
async def test_what_cannot_be_a_beginning_is_refused(store: Store, query: str, parameter: str) -> None:
    """Neither number nor token; and scenarios, whose records change without a change of their own."""
    await published(store)
    app, _ = await application(store)
    async with client(app) as opened:
        refused = await opened.get(f"/v1/changes?{query}")
    assert (refused.status_code, refused.json()["parameter"]) == (400, parameter)


async def test_an_empty_catalogue_is_not_an_empty_set(store: Store) -> None:
    """Before the first version a mirror is told to wait, not to forget everything."""
    app, _ = await application(store)
    async with client(app) as opened:
        refused = await opened.get("/v1/changes")
    assert (refused.status_code, refused.json()["code"]) == (503, "NOT_READY")
