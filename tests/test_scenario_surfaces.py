"""Scenarios, resolved references and conflicts: REST, GraphQL and the command line say the same."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from catalog_service.api.app import create_app
from catalog_service.catalog.scenarios import all_scenarios
from catalog_service.cli import exits
from catalog_service.cli.app import main
from catalog_service.reader import Reader
from catalog_service.store.connect import Store, open_store
from schema.endpoint_set import EndpointSet
from schema.words import Cloud, Direction
from scrapers.sources import SOURCES as SOURCES_READ
from tests.api_client import DAY, START, application, client, commit, graphql, served_url
from tests.catalogs import CONNECTORS, GOV_TAGS, PUBLIC_TAGS, SEED, WORLDWIDE, row, tag
from tests.test_graphql import RECORD, as_rest, bare

OUT = Direction.OUTBOUND
TAGS: tuple[EndpointSet, ...] = (
    tag("AzureConnectors", "20.0.0.0/16"),
    tag("AzureConnectors.NorthEurope", "20.0.2.0/24"),
    tag("AzureConnectors.WestEurope", "20.0.1.0/24"),
)
GOVERNMENT = (tag("AzureConnectors", "52.0.0.0/16", source=GOV_TAGS),)
PAGE = (
    row(
        SEED, "connectors", category="connectors", service_tags=["AzureConnectors"], clouds=(Cloud.PUBLIC, Cloud.USGOV)
    ),
    row(SEED, "lost", category="faq", service_tags=["NoSuchTag"]),
    row(
        SEED,
        "portal",
        category="portal",
        clouds=(Cloud.PUBLIC, Cloud.USGOV),
        direction=OUT,
        fqdns=["make.example.com", "autodiscover.*.example.com"],
        protocols=["https"],
        patterns=["<tenant>.example.com"],
    ),
)
SETS = (row(WORLDWIDE, "1", direction=OUT, fqdns=["make.example.com"], tcp_ports=["80,443"]),)
REGIONS = (row(CONNECTORS, "europe", service="Managed connectors", region="europe", prefixes=["20.0.1.0/24"]),)
SOURCES = {PUBLIC_TAGS: TAGS, GOV_TAGS: GOVERNMENT, SEED: PAGE, WORLDWIDE: SETS, CONNECTORS: REGIONS}


async def filled(store: Store) -> None:
    """Publish every source, a version each."""
    for number, (source, records) in enumerate(SOURCES.items()):
        kept = tuple(sorted(records, key=lambda one: one.id))
        await commit(store, source, kept, START + number * DAY)


@pytest.fixture
async def opened(store: Store) -> httpx.AsyncClient:
    """A client of the catalogue."""
    await filled(store)
    app, _ = await application(store)
    return client(app)


async def body(opened: httpx.AsyncClient, path: str) -> Any:
    """Return the JSON of a 200."""
    response = await opened.get(path)
    assert response.status_code == 200, response.text
    return response.json()


USES = "scenarios { scenario direction } via { tag id source version document }"
LACKS = (
    "clouds unresolved { by tag cloud source unread unasked } unpublished { scenario cloud sentence } "
    "notes { scenario cloud sentence } missing"
)
ALLOWED = f"version prefixes fqdns origins {{ id source direction {USES} }} {LACKS}"
CONFLICT = "kind subject clouds region direction parties { source ids says only lacks }"


@pytest.mark.parametrize(
    ("query", "path"),
    [
        (
            'endpoints(filter: {scenario: ["connectors"], region: ["Europe"], cloud: [PUBLIC]})',
            "/v1/endpoints?scenario=connectors&region=Europe&cloud=public",
        ),
        ("endpoints(filter: {resolve: [TAGS]})", "/v1/endpoints?resolve=tags"),
        (
            'endpoints(filter: {scenario: ["gateway-relay"], cloud: [CHINA]})',
            "/v1/endpoints?scenario=gateway-relay&cloud=china",
        ),
        ('endpoints(filter: {scenario: ["approval-email"]})', "/v1/endpoints?scenario=approval-email"),
    ],
)
async def test_records_agree(opened: httpx.AsyncClient, query: str, path: str) -> None:
    """Records with the scenarios that want them, the tags behind them, and all that the answer lacks."""
    answer = await graphql(opened, f"{{ {query} {{ version nodes {{ {RECORD} {USES} }} {LACKS} }} }}")
    expected = bare(await body(opened, path))
    shown = as_rest(answer["data"]["endpoints"])
    assert _without_marks(shown) == _without_marks(expected)


def _without_marks(page: dict[str, Any]) -> dict[str, Any]:
    """Return ``page`` with what both sides say by default left out: false, empty, and fields not asked for."""
    items = [
        {
            **{key: value for key, value in item.items() if key not in ("patterns", "mid_wildcards")},
            "provenance": {key: item["provenance"][key] for key in ("url", "version", "document")},
        }
        for item in page.get("items", ())
    ]
    said = {"unread": False, "unasked": False}
    lost = [{**said, **one} for one in page.get("unresolved", ())]
    return {**page, "items": items, "unresolved": lost}


@pytest.mark.parametrize(
    ("filter_", "query"),
    [
        (
            '{scenario: ["connectors"], cloud: [PUBLIC], region: ["west europe"]}',
            "scenario=connectors&cloud=public&region=west europe",
        ),
        (
            f'{{source: ["{SEED}"], service: ["connectors"], resolve: [TAGS]}}',
            f"source={SEED}&service=connectors&resolve=tags",
        ),
    ],
)
async def test_allowlists_agree(opened: httpx.AsyncClient, filter_: str, query: str) -> None:
    """The members, and the records and tags that they come from."""
    answer = await graphql(opened, f"{{ allowlist(filter: {filter_}, partial: true) {{ {ALLOWED} }} }}")
    expected = await body(opened, f"/v1/allowlist?format=json&partial=yes&{query}")
    assert as_rest(answer["data"]["allowlist"]) == bare(expected)
    assert expected["origins"]


async def test_conflicts_and_scenarios_agree(opened: httpx.AsyncClient) -> None:
    """One function stands behind both."""
    answer = await graphql(
        opened,
        f"{{ conflicts {{ version nodes {{ {CONFLICT} }} missing }} "
        "scenarios { name title question clouds nothing { cloud sentence } } }",
    )
    conflicts, scenarios = await body(opened, "/v1/conflicts"), await body(opened, "/v1/scenarios")
    kinds = {one["kind"] for one in conflicts["items"]}
    assert kinds == {"ports", "prefixes", "pattern", "mid-wildcard"}
    shown = as_rest(answer["data"]["conflicts"])
    for one in shown["items"]:
        one["kind"] = one["kind"].lower().replace("_", "-")
    assert shown == bare(conflicts)
    assert as_rest(answer["data"]["scenarios"]) == bare(scenarios["items"])
    assert [one["name"] for one in scenarios["items"]] == [one.name for one in all_scenarios()]


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("", ["make.example.com", "AzureConnectors", "<tenant>.example.com", "autodiscover.*.example.com"]),
        (f"source={WORLDWIDE}", ["make.example.com"]),
        ("kind=prefixes,pattern", ["AzureConnectors", "<tenant>.example.com"]),
        (f"source={WORLDWIDE}&kind=prefixes", []),
        ("at=3&kind=ports", []),
    ],
)
async def test_conflicts_are_filtered(opened: httpx.AsyncClient, query: str, subjects: list[str]) -> None:
    """By a source that has a part, by kind, at any version."""
    assert [one["subject"] for one in (await body(opened, f"/v1/conflicts?{query}"))["items"]] == subjects


async def test_an_allowlist_of_a_scenario_says_in_its_headers_what_it_lacks(opened: httpx.AsyncClient) -> None:
    """Text has no room for it: sources not read yet, and clouds without an answer."""
    path = "/v1/allowlist?scenario=connectors&cloud=public&region=europe"
    response = await opened.get(f"{path}&partial=yes")
    refused = await opened.get(path)
    assert (refused.status_code, refused.json()["code"]) == (503, "NOT_READY")
    assert "catalog-service sync logic-apps-limits-and-configuration" in refused.json()["detail"]
    odd = await opened.get(f"{path}&partial=maybe")
    assert (odd.status_code, odd.json()["parameter"]) == (400, "partial")
    assert response.text == "20.0.1.0/24\n20.0.2.0/24\n"
    missing = response.headers["x-catalog-missing-sources"].split(", ")
    assert missing == ["logic-apps-limits-and-configuration", "power-automate-limits-and-config"]
    assert response.headers["x-catalog-clouds"] == "public"
    everywhere = await opened.get("/v1/allowlist?scenario=makers-and-users&source=" + SEED)
    assert everywhere.headers["x-catalog-clouds"] == "public, usgov"
    assert everywhere.headers["x-catalog-notes"] == "makers-and-users:usgov"
    assert "makers-and-users:china" in everywhere.headers["x-catalog-unpublished"]


async def test_an_allowlist_without_resolve_says_which_tags_it_names(opened: httpx.AsyncClient) -> None:
    """In a header, in the document and in GraphQL: the prefixes behind them are not in it."""
    path = f"/v1/allowlist?source={SEED}&cloud=public"
    text, document = await opened.get(path), await body(opened, f"{path}&format=json")
    assert text.text.splitlines() == ["autodiscover.*.example.com", "make.example.com"]
    assert text.headers["x-catalog-unresolved"] == "AzureConnectors, NoSuchTag"
    assert [(one["by"], one["unasked"]) for one in document["unresolved"]] == [
        (f"{SEED}:connectors", True),
        (f"{SEED}:lost", True),
    ]
    query = f'{{ allowlist(filter: {{source: ["{SEED}"], cloud: [PUBLIC]}}) {{ {ALLOWED} }} }}'
    shown = as_rest((await graphql(opened, query))["data"]["allowlist"])
    assert [one["by"] for one in shown["unresolved"]] == [one["by"] for one in document["unresolved"]]
    problem = (await opened.get(f"/v1/allowlist?source={CONNECTORS},{SEED}&service=connectors")).json()
    assert "resolve=tags" in problem["detail"]


@pytest.mark.parametrize(
    "query", ["scenario=connectors", "scenario=connectors&cloud=china", "resolve=tags&cloud=china"]
)
async def test_an_unread_tag_file_ends_an_allowlist_and_is_told_by_reads(
    opened: httpx.AsyncClient, store: Store, query: str
) -> None:
    """503 now, 404 at an older version, each with the source and what to do; records come with what they lack."""
    china = row(SEED, "china", service_tags=["AzureConnectors"], category="connectors", clouds=(Cloud.CHINA,))
    await commit(store, SEED, tuple(sorted((*PAGE, china), key=lambda one: one.id)), START + 9 * DAY)
    app, _ = await application(store)
    async with client(app) as later:
        now = await later.get(f"/v1/allowlist?{query}")
        told = await body(later, f"/v1/endpoints?{query}")
        await commit(store, PUBLIC_TAGS, TAGS[:1], START + 10 * DAY)
        app, _ = await application(store)
        async with client(app) as latest:
            then = await latest.get(f"/v1/allowlist?{query}&at=6")
    assert (now.status_code, now.json()["code"]) == (503, "NOT_READY")
    assert (then.status_code, then.json()["code"]) == (404, "NO_MATCH")
    for problem in (now.json(), then.json()):
        assert "catalog-service sync azure-service-tags-china" in problem["detail"]
        assert "cloud=" in problem["detail"]
    assert "azure-service-tags-china" in told["missing"]


@pytest.mark.parametrize(
    ("query", "immutable"),
    [
        ("allowlist?service=AzureConnectors&at=5", True),
        ("allowlist?service=AzureConnectors&region=westeurope&at=5", False),
        (f"allowlist?source={SEED}&service=connectors&resolve=tags&cloud=public&at=5", False),
        ("endpoints?scenario=connectors&cloud=public&at=5", False),
        ("lookup?q=20.0.2.9&scenario=connectors&at=5", False),
        ("lookup?q=20.0.2.9&at=5", True),
        ("conflicts?at=5", False),
    ],
)
async def test_what_depends_on_this_releases_data_is_not_kept_for_good(
    opened: httpx.AsyncClient, query: str, *, immutable: bool
) -> None:
    """Scenarios, the crosswalk and references may be read otherwise by the next release."""
    response = await opened.get(f"/v1/{query}")
    assert response.status_code == 200, response.text
    assert ("immutable" in response.headers["cache-control"]) is immutable


async def test_a_table_says_by_way_of_which_tag(opened: httpx.AsyncClient) -> None:
    """Each row has the records, the tags these were resolved by, and the scenarios with the direction."""
    response = await opened.get(
        "/v1/allowlist?scenario=connectors&cloud=public&region=northeurope&format=csv&partial=yes"
    )
    (first, *_) = csv.DictReader(io.StringIO(response.text))
    assert first["member"] == "20.0.1.0/24"
    rows = {one["member"]: one for one in csv.DictReader(io.StringIO(response.text))}
    assert rows["20.0.2.0/24"]["ids"] == f"{PUBLIC_TAGS}:AzureConnectors.NorthEurope {SEED}:connectors"
    assert rows["20.0.2.0/24"]["via"] == f"{PUBLIC_TAGS}:AzureConnectors.NorthEurope"
    assert rows["20.0.2.0/24"]["scenarios"] == "connectors:inbound"


@pytest.mark.parametrize(
    ("query", "status", "code", "words"),
    [
        ("resolve=tags", 404, "UNRESOLVED_TAGS", "NoSuchTag"),
        ("scenario=gateway-relay&cloud=china", 404, "NO_MATCH", "No source lists anything"),
        ("scenario=approval-email", 503, "NOT_READY", "power-automate-approval-email"),
        ("scenario=approval-email&at=3", 404, "NO_MATCH", "power-automate-approval-email"),
        ("scenario=no-such", 400, "BAD_PARAMETER", "connectors"),
        ("scenario=connectors&region=atlantis", 400, "BAD_PARAMETER", "atlantis"),
        ("resolve=names", 400, "BAD_PARAMETER", "tags"),
    ],
)
async def test_a_list_that_would_be_short_is_refused(
    opened: httpx.AsyncClient, query: str, status: int, code: str, words: str
) -> None:
    """A tag without prefixes, a question without an answer, a source not read, a word that is none."""
    problem = (await opened.get(f"/v1/allowlist?{query}")).json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert words in problem["detail"]


async def test_the_name_of_an_answer_includes_what_was_asked(opened: httpx.AsyncClient) -> None:
    """The same filter with and without references resolved, or of a scenario, has three ETags."""
    paths = ("", "&resolve=tags", "&scenario=connectors")
    answers = [await opened.get(f"/v1/endpoints?source={SEED}{path}") for path in paths]
    assert len({one.headers["etag"] for one in answers}) == 3


async def test_pages_of_a_scenario_fit_together(opened: httpx.AsyncClient) -> None:
    """A cursor belongs to its scenario, and the pages hold what one page holds."""
    path = "/v1/endpoints?scenario=connectors&cloud=public"
    whole = await body(opened, path)
    first = await body(opened, f"{path}&limit=1")
    rest = await body(opened, f"{path}&limit=500&cursor={first['next']}")
    assert first["items"] + rest["items"] == whole["items"]
    assert (await opened.get(f"/v1/endpoints?limit=1&cursor={first['next']}")).status_code == 400


async def test_a_lookup_may_be_asked_of_a_scenario(opened: httpx.AsyncClient) -> None:
    """Is this address one that connectors call from, in this region? By way of a reference too."""
    found = await body(opened, "/v1/lookup?q=20.0.2.9&scenario=connectors&region=europe")
    assert [one["id"] for one in found["matches"]] == [
        f"{PUBLIC_TAGS}:AzureConnectors.NorthEurope",
        f"{SEED}:connectors",
    ]
    assert found["matches"][0]["scenarios"] == [{"scenario": "connectors", "direction": "inbound"}]
    answer = await graphql(
        opened,
        '{ lookup(query: "20.0.2.9", filter: {scenario: ["connectors"], region: ["europe"]}) '
        "{ query version matches { id source service title relation prefix fqdn cloud clouds region direction category "
        f"protocols tcpPorts udpPorts scenarios {{ scenario direction }} }} {LACKS} }} }}",
    )
    assert as_rest(answer["data"]["lookup"]) == bare(found)
    assert found["clouds"] == ["public"]
    assert "power-automate-limits-and-config" in found["missing"]
    nothing = await body(opened, "/v1/lookup?q=20.0.2.9&scenario=makers-and-users")
    assert nothing["matches"] == []
    assert {one["cloud"] for one in nothing["unpublished"]} >= {"china"}
    assert {one["cloud"] for one in nothing["notes"]} == {"usgov"}
    unread = await body(opened, "/v1/lookup?q=20.0.2.9&scenario=connectors&cloud=china")
    assert [one["source"] for one in unread["unresolved"]] == ["azure-service-tags-china"]
    narrowed = await body(opened, "/v1/lookup?q=20.0.2.9&region=northeurope")
    assert [one["id"] for one in narrowed["matches"]] == [f"{PUBLIC_TAGS}:AzureConnectors.NorthEurope"]


# The command line, on the same store


@pytest.fixture
def redis_url(redis_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of a store with the same catalogue."""
    with served_url(redis_url, tmp_path, filled) as url:
        yield url


async def rest(url: str, tmp_path: Path, path: str) -> Any:
    """Return what REST says on the store at ``url``."""
    async with open_store(url, tmp_path, service=False) as store:
        reader = Reader(store)
        await reader.refresh()
        async with client(create_app(reader, tuple(one.info for one in SOURCES_READ), demo=False)) as opened:
            return await body(opened, path)


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (("scenarios",), "/v1/scenarios"),
        (("scenarios", "connectors", "--cloud", "public"), "/v1/endpoints?scenario=connectors&cloud=public"),
        (("scenarios", "connectors", "--region", "EU rope"), "/v1/endpoints?scenario=connectors&region=europe"),
        (("conflicts",), "/v1/conflicts"),
        (("conflicts", "--kind", "ports", "--source", SEED), f"/v1/conflicts?kind=ports&source={SEED}"),
        (
            ("export", "--scenario", "connectors", "--region", "europe", "--partial"),
            "/v1/allowlist?scenario=connectors&region=europe&format=json&partial=yes",
        ),
        (
            ("export", "--service", "connectors", "--resolve", "tags"),
            "/v1/allowlist?service=connectors&resolve=tags&format=json",
        ),
        (
            ("lookup", "20.0.2.9", "--scenario", "connectors", "--region", "europe"),
            "/v1/lookup?q=20.0.2.9&scenario=connectors&region=europe",
        ),
    ],
)
def test_commands_say_what_rest_says(
    redis_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], path: str
) -> None:
    """``--json`` is REST's answer."""
    expected = asyncio.run(rest(redis_url, tmp_path, path))
    assert main(["--redis-url", redis_url, *arguments, "--json"]) == exits.FINE
    assert json.loads(capfd.readouterr().out) == expected


def test_people_see_directions_sources_and_what_is_missing(redis_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A table of what a scenario finds; what it lacks goes to stderr."""
    assert main(["--redis-url", redis_url, "scenarios", "connectors", "--region", "europe"]) == exits.FINE
    out, err = capfd.readouterr()
    line = next(line for line in out.splitlines() if f"{SEED}:connectors" in line)
    assert line.startswith("inbound")
    assert "AzureConnectors.NorthEurope, AzureConnectors.WestEurope" in line
    assert "power-automate-limits-and-config" in err


def test_nothing_published_is_told_and_ends_with_not_found(redis_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    """The sentence, on stderr, and for an export as its error."""
    assert main(["--redis-url", redis_url, "scenarios", "gateway-relay", "--cloud", "china"]) == exits.NOT_FOUND
    assert "No source lists anything" in capfd.readouterr().err
    assert (
        main(["--redis-url", redis_url, "export", "--scenario", "gateway-relay", "--cloud", "china"]) == exits.NOT_FOUND
    )
    assert "No source lists anything" in capfd.readouterr().err


def test_people_are_told_what_an_export_lacks(redis_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Service tags nobody asked to resolve, clouds nobody named, notes of a scenario: on stderr, with the list."""
    assert main(["--redis-url", redis_url, "export", "--source", SEED, "--cloud", "public"]) == exits.FINE
    out, err = capfd.readouterr()
    assert out == "autodiscover.*.example.com\nmake.example.com\n"
    assert "2 of the endpoint sets name service tags" in err
    assert "--resolve tags" in err
    assert main(["--redis-url", redis_url, "export", "--scenario", "makers-and-users", "--source", SEED]) == exits.FINE
    err = capfd.readouterr().err
    assert "for public, usgov: narrow it" in err
    assert "makers-and-users, usgov: The page's other rows" in err
    assert main(["--redis-url", redis_url, "export", "--scenario", "connectors"]) == exits.NOT_FOUND
    assert "catalog-service sync azure-service-tags-china" in capfd.readouterr().err


def test_a_scenario_ends_with_the_command_for_its_list(redis_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    """The table has addresses and names; the line that writes the whole list can be pasted."""
    asked = ["scenarios", "connectors", "--region", "West Europe,northeurope", "--cloud", "public"]
    assert main(["--redis-url", redis_url, *asked]) == exits.FINE
    out, err = capfd.readouterr()
    assert "20.0.1.0/24" in out
    export = err.splitlines()[-1].partition(": ")[2]
    expected = "export --scenario connectors --cloud public --region 'West Europe' --region northeurope"
    assert export == f"catalog-service {expected}"
    assert main(["--redis-url", redis_url, *shlex.split(export)[1:], "--partial"]) == exits.FINE
    assert capfd.readouterr().out == "20.0.1.0/24\n20.0.2.0/24\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("scenarios", "--region", "Atlantis"), "NAME"),
        (("scenarios", "connectors", "--region", "usgov"), "--cloud usgov"),
        (("export", "--region", "nowhere"), "catalog-service regions"),
        (("export", "--region", "europe,"), "empty"),
        (("export", "--scenario", "connectors,no-such"), "no-such"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    redis_url: str, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    """A flag without the name it goes with, a cloud for a region, a word that is none: told with what to do."""
    assert main(["--redis-url", redis_url, *arguments]) == exits.USAGE
    assert words in capfd.readouterr().err


def test_the_help_shows_how_to_export_a_scenario(capfd: pytest.CaptureFixture[str]) -> None:
    """An example to paste."""
    main(["export", "--help"])
    assert "catalog-service export --scenario connectors" in capfd.readouterr().out


def test_people_see_who_disagrees(redis_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A row a party, with what only it says and what it lacks."""
    assert main(["--redis-url", redis_url, "conflicts", "--kind", "prefixes"]) == exits.FINE
    out, _ = capfd.readouterr()
    assert "AzureConnectors" in out
    assert "20.0.2.0/24" in out
    assert main(["--redis-url", redis_url, "conflicts", "--kind", "cloud"]) == exits.FINE
    assert "no conflict" in capfd.readouterr().err
