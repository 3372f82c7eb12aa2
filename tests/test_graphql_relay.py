"""Relay: nodes by id, connections forwards and backwards, cursors that belong to their list; and reads REST has too."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from catalog_service.store.connect import Store
from tests.api_client import DAY, PAGE, PAGE_HELD, START, TAGS, TAGS_1, catalog_client, commit, graphql, hold

INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
IDS = [
    f"{TAGS}:AzureConnectors",
    f"{TAGS}:AzureConnectors.WestEurope",
    f"{TAGS}:Storage",
    f"{PAGE}:flow",
    f"{PAGE}:references",
]


async def page(
    client: httpx.AsyncClient, arguments: str, field: str = "endpoints", inner: str = "id"
) -> dict[str, Any]:
    """Return one page."""
    query = (
        f"{{ {field}{arguments} {{ totalCount {INFO} nodes {{ {inner} }} edges {{ cursor node {{ {inner} }} }} }} }}"
    )
    answer = await graphql(client, query)
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"][field]
    assert found["nodes"] == [edge["node"] for edge in found["edges"]]
    cursors = [edge["cursor"] for edge in found["edges"]]
    info = found["pageInfo"]
    assert [info["startCursor"], info["endCursor"]] == ([cursors[0], cursors[-1]] if cursors else [None, None])
    return found


def ids(found: dict[str, Any]) -> list[str]:
    """Return the ids of a page."""
    return [node["id"] for node in found["nodes"]]


@pytest.mark.parametrize(
    ("id_", "at", "fields", "said"),
    [
        (IDS[0], None, "prefixes", {"prefixes": ["13.66.60.0/24", "13.67.0.0/16"]}),
        (IDS[0], "1", "prefixes", {"prefixes": ["13.66.60.0/24", "2603:1000::/40"]}),
        ("2", None, "source", {"source": PAGE}),
        (TAGS, None, "title", {"title": "Azure service tags, Public"}),
        ("0123456789ab", None, "base", {"base": 2}),
    ],
)
async def test_a_node_by_its_id(store: Store, id_: str, at: str | None, fields: str, said: dict[str, object]) -> None:
    """Ids are REST's; `at` says when an endpoint set is asked for; the same id comes back."""
    types = {":": "EndpointSet", "2": "Version", "a": "Source", "0": "HeldVersion"}
    type_ = types[":" if ":" in id_ else id_[0]]
    query = (
        f"query ($id: ID!, $at: String) {{ node(id: $id, at: $at) {{ __typename id ... on {type_} {{ {fields} }} }} }}"
    )
    async with catalog_client(store) as opened:
        await hold(store, PAGE, PAGE_HELD, START + 3 * DAY)
        answer = await graphql(opened, query, id=id_, at=at)
    assert answer == {"data": {"node": {"__typename": type_, "id": id_, **said}}}


@pytest.mark.parametrize(
    "id_", ["nobody:x", f"{TAGS}:LogicApps", "99", "0", "1" * 40, "ffffffffffff", "nobody", "", "٣"]
)
async def test_a_node_that_is_not_there(store: Store, id_: str) -> None:
    """What has no such id (any more) is null, as Relay wants it."""
    async with catalog_client(store) as opened:
        assert await graphql(opened, "query ($id: ID!) { node(id: $id) { id } }", id=id_) == {"data": {"node": None}}


async def test_ids_in_lists_are_nodes(store: Store) -> None:
    """Every id that a list tells can be asked for."""
    query = "{ sources { id } versions { nodes { id } } endpoints { nodes { id } } held { id } }"
    async with catalog_client(store) as opened:
        await hold(store, PAGE, PAGE_HELD, START + 3 * DAY)
        data = (await graphql(opened, query))["data"]
        listed = [*data["sources"], *data["versions"]["nodes"], *data["endpoints"]["nodes"], *data["held"]]
        for one in listed:
            assert (await graphql(opened, "query ($id: ID!) { node(id: $id) { id } }", **one))["data"]["node"] == one
    assert len({one["id"] for one in listed}) == len(listed) == 3 + 3 + 5 + 1


async def test_endpoints_forwards_and_backwards(store: Store) -> None:
    """Pages fit together from either end, and say what lies beyond them."""
    async with catalog_client(store) as opened:
        first = await page(opened, "(first: 2)")
        second = await page(opened, f'(first: 2, after: "{first["pageInfo"]["endCursor"]}")')
        third = await page(opened, f'(first: 2, after: "{second["pageInfo"]["endCursor"]}")')
        last = await page(opened, "(last: 2)")
        before = await page(opened, f'(last: 2, before: "{last["pageInfo"]["startCursor"]}")')
        between = await page(
            opened, f'(after: "{first["edges"][0]["cursor"]}", before: "{third["edges"][0]["cursor"]}")'
        )
    assert ids(first) + ids(second) + ids(third) == IDS
    assert ids(before) + ids(last) == IDS[1:]
    assert ids(between) == IDS[1:4]
    sides = [
        (one["pageInfo"]["hasPreviousPage"], one["pageInfo"]["hasNextPage"]) for one in (first, second, third, last)
    ]
    assert sides == [(False, True), (True, True), (True, False), (True, False)]
    assert {one["totalCount"] for one in (first, third, last, between)} == {5}


async def test_pages_fit_together_while_versions_move(store: Store) -> None:
    """A cursor stays with the version that it was given at."""
    async with catalog_client(store) as opened:
        first = await page(opened, "(first: 2)")
        await commit(store, TAGS, TAGS_1, START + 5 * DAY)
        rest = await graphql(
            opened, f'{{ endpoints(after: "{first["pageInfo"]["endCursor"]}") {{ version nodes {{ id }} }} }}'
        )
    assert rest["data"]["endpoints"] == {"version": 3, "nodes": [{"id": id_} for id_ in IDS[2:]]}


async def test_versions_page_by_page(store: Store) -> None:
    """Newest first; of a source also from the source itself."""
    async with catalog_client(store) as opened:
        first = await page(opened, "(first: 2)", "versions", "version")
        rest = await page(opened, f'(after: "{first["pageInfo"]["endCursor"]}")', "versions", "version")
        nested = await graphql(
            opened, f'{{ source(name: "{TAGS}") {{ versions(first: 1) {{ totalCount {INFO} nodes {{ version }} }} }} }}'
        )
    assert [one["version"] for one in (*first["nodes"], *rest["nodes"])] == [3, 2, 1]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (3, True, False)
    versions = nested["data"]["source"]["versions"]
    assert (versions["totalCount"], versions["pageInfo"]["hasNextPage"], versions["nodes"]) == (
        2,
        True,
        [{"version": 3}],
    )


async def test_changes_page_by_page(store: Store) -> None:
    """The changes of a diff, of a held version and of a version, each a connection."""
    names = f"totalCount {INFO} nodes {{ id disposition }}"
    async with catalog_client(store) as opened:
        await hold(store, PAGE, PAGE_HELD, START + 3 * DAY)
        first = (await graphql(opened, f"{{ diff {{ changes(first: 2) {{ {names} }} }} }}"))["data"]["diff"]["changes"]
        after = first["pageInfo"]["endCursor"]
        rest = (await graphql(opened, f'{{ diff {{ changes(after: "{after}") {{ {names} }} }} }}'))["data"]["diff"]
        held = await graphql(opened, f'{{ heldVersion(id: "0123456789ab") {{ changes {{ {names} }} }} }}')
        of_one = await graphql(opened, f"{{ version(number: 1) {{ changes {{ {names} }} }} }}")
        stranger = await graphql(
            opened, f'{{ diff(from: "0", to: "2") {{ changes(after: "{after}") {{ totalCount }} }} }}'
        )
    assert [one["disposition"] for one in (*first["nodes"], *rest["changes"]["nodes"])] == ["CHANGE", "REMOVE", "ADD"]
    assert held["data"]["heldVersion"]["changes"]["totalCount"] == 2
    assert of_one["data"]["version"]["changes"]["totalCount"] == 3
    assert stranger["errors"][0]["extensions"]["code"] == "BAD_PARAMETER"


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("endpoints", "endpoints(filter: {kind: [FQDN]}, after: $c) { totalCount }"),
        ("endpoints", "versions(after: $c) { totalCount }"),
        ("endpoints", "conflicts(after: $c) { totalCount }"),
        ("endpoints", 'endpoints(at: "1", after: $c) { totalCount }'),
        ("endpoints", 'endpoints(before: $c, after: "x") { totalCount }'),
        ("endpoints", "diff { changes(before: $c) { totalCount } }"),
        ("versions", "endpoints(after: $c) { totalCount }"),
        ("versions", f'versions(source: "{TAGS}", after: $c) {{ totalCount }}'),
    ],
)
async def test_a_cursor_from_another_query(store: Store, field: str, other: str) -> None:
    """It is refused, and the argument is named."""
    async with catalog_client(store) as opened:
        found = await page(opened, "(first: 1)", field, "id")
        refused = await graphql(opened, f"query ($c: String) {{ {other} }}", c=found["pageInfo"]["endCursor"])
    extensions = refused["errors"][0]["extensions"]
    assert (extensions["code"], extensions["parameter"] in {"after", "before", "cursor"}) == ("BAD_PARAMETER", True)


async def test_many_lines_at_once(store: Store) -> None:
    """Ten thousand lines are one question; a line that is none says so, and the others are answered."""
    query = """query ($lines: [String!]!) { lookupMany(queries: $lines) {
        version items { query error lookedUp matches { id prefix relation } } } }"""
    lines = ["13.66.60.65", "https://make.powerautomate.com/x", "300.1.1.1", *["20.60.0.1"] * 9_997]
    async with catalog_client(store) as opened:
        found = (await graphql(opened, query, lines=lines))["data"]["lookupMany"]
        over = await graphql(opened, query, lines=[*lines, "1.1.1.1"])
    assert [len(one["matches"] or ()) for one in found["items"][:4]] == [2, 1, 0, 1]
    assert [bool(one["error"]) for one in found["items"][:4]] == [False, False, True, False]
    assert found["items"][1]["lookedUp"] == "make.powerautomate.com"
    assert len(found["items"]) == 10_000
    assert over["errors"][0]["extensions"]["parameter"] == "queries"


async def test_a_record_and_its_history(store: Store) -> None:
    """`history` of a record is what `biography` says of its id."""
    fields = "query subject listed lives { name periods { from until } } events { at deed version } series { prefixes }"
    async with catalog_client(store) as opened:
        answer = await graphql(
            opened,
            f'{{ endpoint(id: "{IDS[0]}") {{ history {{ {fields} }} }} biography(query: "{IDS[0]}") {{ {fields} }} '
            'prefix: biography(query: "13.67.0.0/16", on: "2026-11-03") { listed on { listed } } }',
        )
    data = answer["data"]
    assert data["endpoint"]["history"] == data["biography"]
    assert [one["deed"] for one in data["biography"]["events"]] == ["CAME", "CHANGED"]
    assert data["prefix"] == {"listed": True, "on": {"listed": False}}


async def test_a_diff_as_far_as_it_is_asked_for(store: Store) -> None:
    """One side, one impact, and the addresses that were gained and lost."""
    query = """{ diff(filter: {only: ADDED, kind: [PREFIX]}, space: true) {
        changes { nodes { id prefixesAdded prefixesRemoved impact } } space { gained { prefixes ipv4Addresses } } } }"""
    async with catalog_client(store) as opened:
        diff = (await graphql(opened, query))["data"]["diff"]
    assert [one["prefixesRemoved"] for one in diff["changes"]["nodes"]] == [[], []]
    assert diff["space"]["gained"] == {"prefixes": ["13.67.0.0/16", "20.60.0.0/16"], "ipv4Addresses": "131072"}
