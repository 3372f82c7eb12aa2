"""GraphQL: the same answers as REST, coded errors, and limits on what one request may ask."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import get_introspection_query

from catalog_service.api.graphql.view import MAX_BODY_BYTES
from catalog_service.store.connect import Store
from tests.api_client import (
    DAY,
    PAGE,
    PAGE_HELD,
    SOURCES,
    START,
    TAGS,
    application,
    away,
    catalog_client,
    client,
    graphql,
    hold,
    published,
)

CHANGES = """
  changes { nodes { id disposition source service title impact significance cloud clouds region direction
                    prefixesAdded prefixesRemoved fqdnsAdded fqdnsRemoved attributes { name previous current } } }
"""
SUMMARY = """
  summary { endpointSetsAdded endpointSetsRemoved endpointSetsChanged
            prefixesAdded prefixesRemoved fqdnsAdded fqdnsRemoved }
"""
RECORD = """
  id source service title cloud clouds region direction prefixes fqdns tcpPorts udpPorts protocols category required
  serviceTags purpose
  provenance { url version fetchedAt document heading upstreamVersion upstreamAt firstSeen lastChanged }
  attributes { changeNumber regionId platform systemService networkFeatures expressRoute serviceArea
               serviceAreaDisplayName endpointType when upstreamRegion gatewayRegions }
"""
ENUMS = {"cloud", "clouds", "direction", "significance", "relation"}
WORDS = {"disposition", "impact"}


def as_rest(value: Any, name: str = "") -> Any:
    """Return a GraphQL answer in REST's words: its casing, its enums, and nothing where nothing applies."""
    if isinstance(value, dict):
        if name == "changes" and "nodes" in value:  # a page of all there is
            return as_rest(value["nodes"], name)
        value = {"items" if key == "nodes" else key: one for key, one in value.items()}
        plain = {_snake(key): as_rest(one, _snake(key)) for key, one in value.items()}
        return {key: one for key, one in plain.items() if one not in (None, [])}
    if isinstance(value, list):
        return [as_rest(one, name) for one in value]
    if name in WORDS:
        return "".join(part.capitalize() for part in value.split("_"))
    return value.lower().replace("_", "-") if name in ENUMS and isinstance(value, str) else value


def bare(value: Any) -> Any:
    """Return a REST answer without the nulls and empty lists that GraphQL cannot leave out, and without cursors."""
    if isinstance(value, dict):
        return {key: bare(one) for key, one in value.items() if one not in (None, []) and key != "next"}
    return [bare(one) for one in value] if isinstance(value, list) else value


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def codes(answer: dict[str, Any]) -> list[str]:
    """Return the codes of an answer's errors."""
    return [error["extensions"]["code"] for error in answer.get("errors", ())]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        (
            f'diff(from: "latest~1", to: "latest") {{ from to {SUMMARY} {CHANGES} moves {{ member }} }}',
            "/v1/diff/latest~1...latest",
        ),
        (
            f'diff(from: "0", to: "3", filter: {{source: ["{TAGS}"]}}) {{ from to {SUMMARY} {CHANGES} }}',
            f"/v1/diff/0...3?source={TAGS}",
        ),
        (
            (
                'lookup(query: "13.66.60.65") { query version matches { id source service title relation prefix fqdn cloud clouds '
                "region direction category protocols tcpPorts udpPorts } missing }"
            ),
            "/v1/lookup?q=13.66.60.65",
        ),
        (
            "allowlist { version prefixes fqdns missing unresolved { by tag cloud source unasked } }",
            "/v1/allowlist?format=json",
        ),
        (
            'allowlist(filter: {service: ["AzureConnectors"], cloud: [PUBLIC]}, at: "1") { version prefixes fqdns missing }',
            "/v1/allowlist?format=json&service=AzureConnectors&cloud=public&at=1",
        ),
        (f"endpoints {{ version nodes {{ {RECORD} }} missing }}", "/v1/endpoints"),
        (
            (
                'endpoints(filter: {kind: [FQDN, SERVICE_TAG], direction: OUTBOUND}, at: "2") '
                f"{{ version nodes {{ {RECORD} }} missing }}"
            ),
            "/v1/endpoints?kind=fqdn,service-tag&direction=outbound&at=2",
        ),
        (f'endpoint(id: "{PAGE}:flow") {{ {RECORD} }}', f"/v1/endpoints/{PAGE}:flow"),
        (
            (
                "versions(first: 2) { nodes { version source fetchedAt committedAt digest url document previous upstreamVersion "
                f"counts {{ endpointSets prefixes fqdns }} {SUMMARY} }} }}"
            ),
            "/v1/versions?limit=2",
        ),
        (
            (
                "version(number: 2) { version source fetchedAt committedAt digest url document previous upstreamVersion "
                f"counts {{ endpointSets prefixes fqdns }} {SUMMARY} }}"
            ),
            "/v1/versions/2",
        ),
        (
            (
                "regions { version regions { code name clouds geography staging spellings } "
                "geographies { code name clouds regions spellings } unknown { spelling source endpointSetCount } }"
            ),
            "/v1/regions",
        ),
        (
            (
                'heldVersion(id: "0123456789ab") { held { id source heldAt reasons digest base '
                f"counts {{ endpointSets prefixes fqdns }} {SUMMARY} provenance {{ url fetchedAt digest }} }} {CHANGES} }}"
            ),
            "/v1/held/0123456789ab",
        ),
    ],
)
async def test_graphql_says_what_rest_says(store: Store, query: str, path: str) -> None:
    """Both ask the same functions: field by field, the answers are equal."""
    async with catalog_client(store) as opened:
        await hold(store, PAGE, PAGE_HELD, START + 3 * DAY)
        answer = await graphql(opened, f"{{ {query} }}")
        rest = await opened.get(path)
    assert "errors" not in answer
    assert rest.status_code == 200
    (value,) = answer["data"].values()
    assert as_rest(value) == bare(rest.json())


async def test_lists_without_a_page_agree_too(store: Store) -> None:
    """Sources and held versions are REST's items."""
    async with catalog_client(store) as opened:
        await hold(store, PAGE, PAGE_HELD, START + 3 * DAY)
        answer = await graphql(
            opened,
            "{ catalogVersion held { id reasons } sources { name title cloud url intervalS status version upstreamVersion "
            "checkedAt okAt failures degraded ageS fresh freshWithinS held counts { endpointSets prefixes fqdns } } }",
        )
        sources = (await opened.get("/v1/sources")).json()["items"]
        held = (await opened.get("/v1/held")).json()["items"]
    assert answer["data"]["catalogVersion"] == 3
    assert as_rest(answer["data"]["sources"]) == [{"failures": 0, "degraded": False, **bare(one)} for one in sources]
    assert [one["id"] for one in answer["data"]["held"]] == [one["id"] for one in held]
    assert len(sources) == len(SOURCES)


async def test_the_first_few_changes(store: Store) -> None:
    """A client may take the first changes of many; the summary counts them all."""
    async with catalog_client(store) as opened:
        answer = await graphql(opened, f"{{ diff {{ {SUMMARY} changes(first: 1) {{ totalCount nodes {{ id }} }} }} }}")
        refused = await graphql(opened, "{ diff { changes(first: -1) { totalCount } } }")
    changes = answer["data"]["diff"]["changes"]
    assert changes == {"totalCount": 3, "nodes": [{"id": f"{TAGS}:AzureConnectors"}]}
    assert answer["data"]["diff"]["summary"]["endpointSetsAdded"] == 1
    assert codes(refused) == ["BAD_PARAMETER"]


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ('{ endpoints(at: "2026-13-01") { version } }', "BAD_PARAMETER", "at"),
        ("{ endpoints(first: 5001) { version } }", "BAD_PARAMETER", "first"),
        ("{ versions(first: 0) { totalCount } }", "BAD_PARAMETER", "first"),
        ('{ endpoints(after: "nonsense") { version } }', "BAD_PARAMETER", "after"),
        ("{ allowlist(filter: {service: []}) { version } }", "BAD_PARAMETER", "service"),
        ('{ allowlist(filter: {region: [" "]}) { version } }', "BAD_PARAMETER", "region"),
        ('{ lookup(query: "300.1.1.1") { version } }', "BAD_PARAMETER", "query"),
        ('{ diff(from: "9", to: "1") { to } }', "UNKNOWN_VERSION", "from"),
        ('{ diff(from: "1", to: "9") { to } }', "UNKNOWN_VERSION", "to"),
        ("{ version(number: 0) { version } }", "UNKNOWN_VERSION", "version"),
        ('{ endpoints(filter: {source: ["nobody"]}) { version } }', "UNKNOWN_SOURCE", "source"),
        ('{ endpoint(id: "nobody:x") { id } }', "UNKNOWN_ENDPOINT_SET", "id"),
        ('{ heldVersion(id: "000000000000") { held { id } } }', "UNKNOWN_HELD", "id"),
        ('{ allowlist(filter: {service: ["Storage", "Nothing"]}) { fqdns } }', "NO_MATCH", "service"),
    ],
)
async def test_errors_carry_their_code_and_the_parameter(store: Store, query: str, code: str, parameter: str) -> None:
    """An error has the code REST has and names the argument; the field is null and the others are answered."""
    async with catalog_client(store) as opened:
        answer = await graphql(opened, query.replace("{", "{ catalogVersion ", 1))
    assert codes(answer) == [code]
    assert answer["errors"][0]["extensions"]["parameter"] == parameter
    assert answer["data"].pop("catalogVersion") == 3
    assert list(answer["data"].values()) == [None]


async def test_an_allowlist_before_the_first_version(store: Store) -> None:
    """There is no list yet, not an empty one."""
    app, _ = await application(store)
    async with client(app) as opened:
        answer = await graphql(opened, "{ allowlist { prefixes } }")
    assert codes(answer) == ["NOT_READY"]
    assert answer["data"] == {"allowlist": None}


async def test_nothing_from_inside_is_told(store: Store) -> None:
    """Redis away, and a fault of ours, say their code and no more."""
    await published(store)
    app, reader = await application(store)
    reader.store = away()
    async with client(app) as opened:
        gone = await graphql(opened, "{ sources { name } }")
        reader.store = None  # type: ignore[assignment]
        fault = await graphql(opened, "{ sources { name } }")
    assert (codes(gone), codes(fault)) == (["STORE_UNAVAILABLE"], ["INTERNAL"])
    assert "nowhere" not in str(gone)
    assert "NoneType" not in str(fault)


async def test_a_request_is_bounded_in_size(store: Store) -> None:
    """A body past the cap is a 413, whether its length was announced or not."""

    async def chunks() -> Any:
        for _ in range(3):
            yield b" " * (MAX_BODY_BYTES // 2)

    async with catalog_client(store) as opened:
        announced = await opened.post("/graphql", json={"query": "{ catalogVersion }" + " " * 10 * MAX_BODY_BYTES})
        streamed = await opened.post("/graphql", content=chunks(), headers={"Content-Type": "application/json"})
    for response in (announced, streamed):
        assert (response.status_code, response.json()["code"]) == (413, "BODY_TOO_LARGE")


async def test_introspection_passes_the_limits(store: Store) -> None:
    """GraphiQL's introspection is answered."""
    async with catalog_client(store) as opened:
        query = get_introspection_query(specified_by_url=True, directive_is_repeatable=True, schema_description=True)
        answer = await graphql(opened, query)
    assert "errors" not in answer
    assert answer["data"]["__schema"]["queryType"]["name"] == "Query"


async def test_queries_by_get(store: Store) -> None:
    """GET takes a query, never a mutation, and says what is wrong as a problem."""
    async with catalog_client(store) as opened:
        answer = await opened.get("/graphql", params={"query": "{ catalogVersion }"})
        mutation = await opened.get("/graphql", params={"query": "mutation { catalogVersion }"})
        nothing = await opened.get("/graphql")
        form = await opened.post("/graphql", data={"query": "{ catalogVersion }"})
        batch = await opened.post("/graphql", json=[{"query": "{ catalogVersion }"}])
        broken = await opened.post("/graphql", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.json() == {"data": {"catalogVersion": 3}}
    for response in (mutation, nothing, form, batch, broken):
        assert response.status_code == 400
        assert response.headers["content-type"] == "application/problem+json"


async def test_one_request_sees_one_version(store: Store) -> None:
    """What names no version is answered from the one that was current when the request came in."""
    async with catalog_client(store) as opened:
        answer = await graphql(
            opened,
            '{ catalogVersion endpoints { version } allowlist { version } lookup(query: "20.60.0.1") { version } }',
        )
    data = answer["data"]
    assert {data["catalogVersion"], *(data[name]["version"] for name in ("endpoints", "allowlist", "lookup"))} == {3}
