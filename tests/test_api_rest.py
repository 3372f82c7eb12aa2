"""REST: every route on a real store."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest

from catalog_service.export.document import AllowlistView
from catalog_service.store.connect import Store
from catalog_service.views.diffs import Diff, HeldView, VersionPage
from catalog_service.views.lookups import Lookup
from catalog_service.views.records import Record, RecordPage
from catalog_service.views.sources import SourceView
from schema.version import Version
from schema.words import Disposition
from tests.api_client import (
    DAY,
    PAGE,
    PAGE_1,
    PAGE_HELD,
    START,
    TAGS,
    TAGS_1,
    application,
    catalog_client,
    client,
    commit,
    hold,
)


async def answer(opened: httpx.AsyncClient, path: str, **headers: str) -> httpx.Response:
    """Return the answer to ``path``, which must be a 200."""
    response = await opened.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert response.status_code == 200, response.text
    return response


def problem(response: httpx.Response) -> dict[str, Any]:
    """Return a problem's body, which must be one."""
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == response.status_code
    assert {"type", "title", "detail", "code"} <= body.keys()
    return body


async def test_sources_say_how_they_are(store: Store) -> None:
    """Each source is listed in the order configured, with its status, its version and what is held."""
    async with catalog_client(store) as opened:
        held = await hold(store, PAGE, PAGE_HELD, START + 3 * DAY)
        body = (await answer(opened, "/v1/sources")).content
    items = msgspec.json.decode(body, type=dict[str, tuple[SourceView, ...]])["items"]
    assert [(one.name, one.status, one.version) for one in items] == [
        (TAGS, "ok", 3),
        (PAGE, "held", 2),
        ("never-read", "never", None),
    ]
    assert items[1].held == held.id


async def test_versions_come_newest_first(store: Store) -> None:
    """All versions, or those of one source, newest first, with times in UTC ending in Z."""
    async with catalog_client(store) as opened:
        everything = (await answer(opened, "/v1/versions")).content
        of_tags = (await answer(opened, f"/v1/versions?source={TAGS}")).content
    page = msgspec.json.decode(everything, type=VersionPage)
    assert [one.version for one in page.items] == [3, 2, 1]
    assert page.next is None
    assert [one.version for one in msgspec.json.decode(of_tags, type=VersionPage).items] == [3, 1]
    assert b'"committed_at":"2026-11-04T06:00:00Z"' in everything


@pytest.mark.parametrize(
    ("spec", "number"), [("1", 1), ("latest", 3), ("latest~2", 1), ("2026-11-03", 2), ("2026-11-04T05:59:59Z", 2)]
)
async def test_a_version_by_any_of_its_names(store: Store, spec: str, number: int) -> None:
    """One version is named by number, from the newest, by date or by date-time."""
    async with catalog_client(store) as opened:
        body = (await answer(opened, f"/v1/versions/{spec}")).content
    assert msgspec.json.decode(body, type=Version).version == number


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", ["AzureConnectors", "AzureConnectors.WestEurope", "Storage", "flow", "references"]),
        (f"source={TAGS}", ["AzureConnectors", "AzureConnectors.WestEurope", "Storage"]),
        ("service=azureconnectors", ["AzureConnectors", "AzureConnectors.WestEurope"]),
        ("service=AzureConnectors.WestEurope,Storage", ["AzureConnectors.WestEurope", "Storage"]),
        ("service=AzureConnectors.WestEurope&service=Storage", ["AzureConnectors.WestEurope", "Storage"]),
        ("cloud=usgov", ["flow"]),
        ("cloud=USGOV", ["flow"]),
        ("region=westeurope", ["AzureConnectors.WestEurope"]),
        ("region=West+Europe", ["AzureConnectors.WestEurope"]),
        ("region=Europe,Japan", ["AzureConnectors.WestEurope"]),
        ("direction=outbound", ["flow", "references"]),
        ("kind=fqdn,service-tag", ["flow", "references"]),
        ("at=1&service=LogicApps", ["LogicApps"]),
        ("at=2026-11-02&kind=prefix", ["AzureConnectors", "AzureConnectors.WestEurope", "LogicApps"]),
        ("at=2026-11-02T08:00:00+01:00&service=LogicApps", ["LogicApps"]),
    ],
)
async def test_endpoints_are_filtered(store: Store, query: str, keys: list[str]) -> None:
    """Filters are alternatives within a field and restrict one another; `at` looks back."""
    async with catalog_client(store) as opened:
        body = (await answer(opened, f"/v1/endpoints?{query}")).content
    page = msgspec.json.decode(body, type=RecordPage)
    assert [one.id.partition(":")[2] for one in page.items] == keys


async def test_a_record_says_what_applies_and_where_it_is_from(store: Store) -> None:
    """Fields that do not apply are absent; provenance names the document, its version and the heading."""
    async with catalog_client(store) as opened:
        body = (await answer(opened, f"/v1/endpoints/{PAGE}:flow")).json()
    assert body == {
        "id": f"{PAGE}:flow",
        "source": PAGE,
        "service": "Power Automate",
        "title": "flow",
        "provenance": {
            "url": f"https://{PAGE}.example/file",
            "version": 2,
            "fetched_at": "2026-11-03T06:00:00Z",
            "document": "sha256:00",
            "heading": ["Services", "Required"],
            "upstream_version": "20261103",
            "first_seen": 2,
            "last_changed": 2,
        },
        "clouds": ["public", "usgov"],
        "direction": "outbound",
        "fqdns": ["*.flow.microsoft.com", "make.powerautomate.com"],
        "tcp_ports": ["443"],
        "protocols": ["https"],
        "purpose": "Needed to open flows.",
    }


@pytest.mark.parametrize("encoded", [False, True])
async def test_a_record_by_its_id(store: Store, *, encoded: bool) -> None:
    """An id stands in the path as it is, or percent-encoded; `at` gives it as it was."""
    id_ = f"{TAGS}:AzureConnectors.WestEurope"
    async with catalog_client(store) as opened:
        path = f"/v1/endpoints/{quote(id_, safe='') if encoded else id_}?at=1"
        body = (await answer(opened, path)).content
    assert msgspec.json.decode(body, type=Record).id == id_


@pytest.mark.parametrize("span", ["2...3", "latest~1...latest", "2026-11-03...2026-11-04T06:00:00Z"])
async def test_a_diff_by_any_name_of_its_versions(store: Store, span: str) -> None:
    """A diff says what was added, removed and changed, counted and one by one."""
    async with catalog_client(store) as opened:
        body = (await answer(opened, f"/v1/diff/{span}")).content
    diff = msgspec.json.decode(body, type=Diff)
    assert (diff.from_, diff.to) == (2, 3)
    assert diff.summary.endpoint_sets_removed == diff.summary.endpoint_sets_added == 1
    assert [(one.id.partition(":")[2], one.disposition) for one in diff.changes] == [
        ("AzureConnectors", Disposition.CHANGE),
        ("LogicApps", Disposition.REMOVE),
        ("Storage", Disposition.ADD),
    ]
    assert diff.changes[0].prefixes_added == ("13.67.0.0/16",)
    assert diff.changes[0].attributes[0].name == "change_number"


async def test_a_diff_backwards_and_of_one_source(store: Store) -> None:
    """A diff may go back in time, and may be narrowed to sources."""
    async with catalog_client(store) as opened:
        back = (await answer(opened, "/v1/diff/3...2")).json()
        of_page = (await answer(opened, f"/v1/diff/0...latest?source={PAGE}")).json()
    assert [one["disposition"] for one in back["changes"]] == ["Change", "Add", "Remove"]
    assert {one["id"].partition(":")[0] for one in of_page["changes"]} == {PAGE}
    assert of_page["summary"]["endpoint_sets_added"] == 2


async def test_a_lookup_gives_the_most_specific_first(store: Store) -> None:
    """An address is found in every prefix that holds it, a name under wildcards; nothing found is an answer too."""
    async with catalog_client(store) as opened:
        address = (await answer(opened, "/v1/lookup?q=13.66.60.65")).content
        name = (await answer(opened, "/v1/lookup?q=Eu.Flow.Microsoft.com")).content
        nothing = (await answer(opened, "/v1/lookup?q=192.0.2.1")).json()
        before = (await answer(opened, "/v1/lookup?q=20.1.2.3&at=1")).content
    found = msgspec.json.decode(address, type=Lookup)
    assert [one.prefix for one in found.matches] == ["13.66.60.64/26", "13.66.60.0/24"]
    assert [one.fqdn for one in msgspec.json.decode(name, type=Lookup).matches] == ["*.flow.microsoft.com"]
    assert nothing == {"query": "192.0.2.1", "version": 3, "matches": [], "missing": ["never-read"]}
    assert msgspec.json.decode(before, type=Lookup).version == 1


@pytest.mark.parametrize(
    ("accept", "format_", "media_type"),
    [
        ("*/*", "", "text/plain; charset=utf-8"),
        ("image/png", "", "text/plain; charset=utf-8"),
        ("text/csv", "", "text/csv; charset=utf-8"),
        ("text/plain;q=0.5, application/json", "", "application/json"),
        ("text/csv", "json", "application/json"),
        ("application/json", "txt", "text/plain; charset=utf-8"),
    ],
)
async def test_an_allowlist_in_the_format_asked_for(store: Store, accept: str, format_: str, media_type: str) -> None:
    """`format=` wins over Accept; an Accept nobody can serve gets text."""
    query = f"service=Storage{f'&format={format_}' if format_ else ''}"
    async with catalog_client(store) as opened:
        response = await answer(opened, f"/v1/allowlist?{query}", accept=accept)
    assert response.headers["content-type"] == media_type
    assert ("Accept," in response.headers["vary"]) is not bool(format_)
    assert b"20.60.0.0/16" in response.content


async def test_an_allowlist_lists_each_member_once(store: Store) -> None:
    """Prefixes come in numerical order, names after them, and `at` gives the list of back then."""
    async with catalog_client(store) as opened:
        text = (await answer(opened, "/v1/allowlist")).text
        old = (await answer(opened, "/v1/allowlist?format=json&at=1")).content
    assert text.splitlines() == [
        "13.66.60.0/24",
        "13.66.60.64/26",
        "13.67.0.0/16",
        "20.60.0.0/16",
        "*.flow.microsoft.com",
        "make.powerautomate.com",
    ]
    assert msgspec.json.decode(old, type=AllowlistView) == AllowlistView(
        1, ("13.66.60.0/24", "13.66.60.64/26", "20.1.2.0/24", "2603:1000::/40"), (), missing=(PAGE, "never-read")
    )


@pytest.mark.parametrize(
    "query",
    [
        "service=Nothing",
        "service=Storage,Nothing",
        "kind=service-tag",
        "cloud=china",
        f"source={TAGS}&kind=fqdn",
        "at=0",
    ],
)
async def test_an_allowlist_is_never_empty_or_short(store: Store, query: str) -> None:
    """A filter that keeps nothing, or one word of it that does, is a 404 with a code, in every format."""
    async with catalog_client(store) as opened:
        for format_ in ("txt", "csv", "json"):
            response = await opened.get(f"/v1/allowlist?{query}&format={format_}")
            assert response.status_code == 404
            assert problem(response)["code"] == "NO_MATCH"


async def test_no_allowlist_before_the_first_version(store: Store) -> None:
    """Before anything is published an allowlist is a 503 to try again, other reads are empty at version 0."""
    app, _ = await application(store)
    async with client(app) as opened:
        response = await opened.get("/v1/allowlist")
        page = (await answer(opened, "/v1/endpoints")).json()
    assert response.status_code == 503
    assert problem(response)["code"] == "NOT_READY"
    assert int(response.headers["retry-after"]) > 0
    assert page == {"version": 0, "items": [], "next": None, "missing": [TAGS, PAGE, "never-read"]}


async def test_an_answer_names_the_sources_it_could_not_draw_from(store: Store) -> None:
    """While a source was never published, lists that could hold it say so, and asking for it alone is an error."""
    await commit(store, TAGS, TAGS_1, START)
    app, _ = await application(store)
    async with client(app) as opened:
        for path in (
            "/v1/allowlist?format=json",
            "/v1/endpoints?cloud=public",
            "/v1/lookup?q=20.0.0.1",
            "/v1/conflicts",
        ):
            response = await opened.get(path)
            assert response.headers["x-catalog-missing-sources"] == f"{PAGE}, never-read"
            assert response.json()["missing"] == [PAGE, "never-read"]
        assert (await opened.get(f"/v1/allowlist?source={TAGS},{PAGE}")).status_code == 404
        assert "x-catalog-missing-sources" not in (await opened.get(f"/v1/allowlist?source={TAGS}")).headers
        alone = await opened.get(f"/v1/allowlist?source={PAGE}")
        ready = (await opened.get("/readyz")).json()
    assert (alone.status_code, problem(alone)["code"]) == (503, "NOT_READY")
    assert PAGE in problem(alone)["detail"]
    assert (ready["missing"][0], ready["troubles"]) == (PAGE, [])


async def test_held_versions_and_what_they_would_change(store: Store) -> None:
    """A held version is listed with its reasons, and by itself with the changes accepting it would make now."""
    async with catalog_client(store) as opened:
        assert (await answer(opened, "/v1/held")).json() == {"items": []}
        held = await hold(store, PAGE, PAGE_HELD, START + 3 * DAY)
        listed = (await answer(opened, "/v1/held")).json()
        body = (await answer(opened, f"/v1/held/{held.id}")).content
    assert [one["id"] for one in listed["items"]] == [held.id]
    view = msgspec.json.decode(body, type=HeldView)
    assert view.held == held
    assert [(one.id.partition(":")[2], one.disposition) for one in view.changes] == [
        ("flow", Disposition.CHANGE),
        ("references", Disposition.REMOVE),
    ]


async def test_regions_are_listed_with_their_spellings(store: Store) -> None:
    """The crosswalk stands at an address of its own, before the first version too."""
    app, _ = await application(store)
    async with client(app) as opened:
        body = (await answer(opened, "/v1/regions")).json()
    (france,) = (one for one in body["regions"] if one["code"] == "francecentral")
    assert france == {
        "code": "francecentral",
        "name": "France Central",
        "clouds": ["public"],
        "geography": "france",
        "staging": False,
        "spellings": ["centralfrance"],
    }
    (europe,) = (one for one in body["geographies"] if one["code"] == "europe")
    assert europe["regions"] == ["northeurope", "westeurope"]
    assert (body["version"], body["unknown"]) == (0, [])


async def test_a_date_is_answered_as_upstreams_were_then(store: Store) -> None:
    """The answer says as of when, may be kept but not for ever, and pages of it fit together."""
    async with catalog_client(store) as opened:
        first = await answer(opened, f"/v1/endpoints?limit=1&at={START + DAY:%Y-%m-%d}")
        page = first.json()
        rest = (await answer(opened, f"/v1/endpoints?limit=9&cursor={page['next']}")).json()
        found = (await answer(opened, f"/v1/lookup?q=20.1.2.3&at={START:%Y-%m-%d}")).json()
        later = await answer(opened, f"/v1/endpoints?limit=1&at={START + 9 * DAY:%Y-%m-%d}")
    as_of = f"{START + DAY:%Y-%m-%d}T23:59:59.999999"
    assert (page["version"], page["as_of"], rest["as_of"]) == (2, f"{as_of}Z", f"{as_of}Z")
    assert "x-catalog-version" not in first.headers
    assert first.headers["x-catalog-as-of"] == f"{as_of}+00:00"
    assert (first.headers["cache-control"], first.headers["etag"] != later.headers["etag"]) == ("no-cache", True)
    assert [one["id"] for one in page["items"] + rest["items"]] == sorted(one.id for one in (*TAGS_1, *PAGE_1))
    assert [one["id"] for one in found["matches"]] == [f"{TAGS}:LogicApps"]


async def test_a_row_that_came_says_what_it_holds(store: Store) -> None:
    """Its service tags are no prefixes and no names; a diff and a held version show them all the same."""
    async with catalog_client(store) as opened:
        changes = (await answer(opened, "/v1/diff/1...2")).json()["changes"]
        back = (await answer(opened, "/v1/diff/2...1")).json()["changes"]
    (came,) = (one for one in changes if one["id"] == f"{PAGE}:references")
    (went,) = (one for one in back if one["id"] == f"{PAGE}:references")
    assert {"name": "service_tags", "current": ["AzureConnectors", "LogicApps"]} in came["attributes"]
    assert {"name": "service_tags", "previous": ["AzureConnectors", "LogicApps"]} in went["attributes"]


async def test_a_diff_by_dates_names_what_it_knows_nothing_of(store: Store) -> None:
    """A source that has no past yet did not come that day."""
    async with catalog_client(store) as opened:
        response = await answer(opened, f"/v1/diff/{START:%Y-%m-%d}...{START + DAY:%Y-%m-%d}")
    body = response.json()
    assert (body["missing"], response.headers["x-catalog-missing-sources"]) == ([PAGE], PAGE)
    assert (body["changes"], "x-catalog-as-of" in response.headers) == ([], True)
