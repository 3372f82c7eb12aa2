"""A diff is asked for in the same words over REST and on the command line, and answered the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from catalog_service.api.reads.diffs import diff_between, diff_span
from catalog_service.catalog.compare import DiffFilter
from catalog_service.catalog.select import Filter
from catalog_service.cli import exits
from catalog_service.cli.app import main
from catalog_service.cli.wiring import opened_store
from catalog_service.reader import Reader
from catalog_service.settings import load_settings
from catalog_service.store.connect import Store
from schema.version import Point
from tests.api_client import DAY, PAGE, PAGE_1, START, TAGS, TAGS_2, catalog_client, commit, published, tag

Invoke = Callable[..., tuple[int, str, str]]

QUESTIONS: tuple[tuple[dict[str, str], list[str]], ...] = (
    ({}, ["AzureConnectors", "LogicApps", "Storage", "flow", "references"]),
    ({"source": TAGS}, ["AzureConnectors", "LogicApps", "Storage"]),
    ({"service": "storage"}, ["Storage"]),
    ({"tag": "logicapps"}, ["LogicApps", "references"]),
    ({"tag": "AzureConnectors", "impact_at_least": "AddedUrl"}, ["AzureConnectors", "references"]),
    ({"cloud": "usgov"}, ["flow"]),
    ({"direction": "outbound"}, ["flow", "references"]),
    ({"kind": "fqdn"}, ["flow"]),
    ({"kind": "service-tag"}, ["references"]),
    ({"family": "6"}, ["AzureConnectors", "flow", "references"]),
    ({"family": "6", "kind": "prefix"}, ["AzureConnectors"]),
    ({"only": "removed"}, ["AzureConnectors", "LogicApps"]),
    ({"impact": "AddedIp"}, ["AzureConnectors", "Storage", "references"]),
    ({"impact": "removediporurl"}, ["LogicApps"]),
    ({"impact_at_least": "AddedUrl"}, ["AzureConnectors", "Storage", "flow", "references"]),
    ({"impact_at_least": "removediporurl"}, ["AzureConnectors", "LogicApps", "Storage", "flow", "references"]),
    ({"impact_at_least": "RemovedIpOrUrl", "impact": "RemovedIpOrUrl,MovedIpOrUrl"}, ["LogicApps"]),
    ({"material": "yes", "space": "yes"}, ["AzureConnectors", "LogicApps", "Storage", "flow", "references"]),
    ({"region": "westeurope"}, []),
)
FLAGS = ("material", "space")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the small catalogue of the API's tests. To be read."""
    data_dir = tmp_path_factory.mktemp("filled")

    async def fill() -> None:
        async with opened_store(load_settings({"data_dir": str(data_dir)})) as store:
            await published(store)

    asyncio.run(fill())
    return data_dir


@pytest.fixture
def invoke(capfd: pytest.CaptureFixture[str], filled: Path) -> Invoke:
    """Run the program on it in this process: its exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["--data-dir", str(filled), *arguments])
        return code, *capfd.readouterr()

    return run


def options(question: dict[str, str]) -> list[str]:
    """Return ``question`` as it is asked on the command line."""
    return [
        part
        for name, value in question.items()
        for one in value.split(",")
        for part in ([f"--{name}"] if name in FLAGS else [f"--{name.replace('_', '-')}", one])
    ]


async def over_http(store: Store, *questions: dict[str, str]) -> list[httpx.Response]:
    async with catalog_client(store) as opened:
        return [await opened.get("/v1/diff/1...3", params=one) for one in questions]


def keys(diff: dict[str, Any]) -> list[str]:
    return [one["id"].partition(":")[2] for one in diff["changes"]]


async def test_each_filter_keeps_what_it_says(store: Store) -> None:
    """Every parameter by itself, over REST."""
    responses = await over_http(store, *(question for question, _ in QUESTIONS))
    assert [response.status_code for response in responses] == [200] * len(QUESTIONS)
    assert [keys(response.json()) for response in responses] == [expected for _, expected in QUESTIONS]


def test_the_command_line_answers_the_same(invoke: Invoke) -> None:
    """Every parameter by itself, as an option."""
    for question, expected in QUESTIONS:
        code, out, err = invoke("diff", "1", "3", "--json", *options(question))
        assert (code, err) == (exits.FINE, "")
        assert keys(json.loads(out)) == expected, question


async def test_space_is_told_where_it_is_asked_for(store: Store) -> None:
    """Addresses gained and lost by all together and by each record; without the question, none of it."""
    asked, unasked = (one.json() for one in await over_http(store, {"space": "yes", "service": "AzureConnectors"}, {}))
    assert asked["space"]["gained"] == {"prefixes": ["13.67.0.0/16"], "ipv4_addresses": "65536", "ipv6_addresses": "0"}
    assert asked["space"]["lost"]["ipv6_addresses"] == str(2**88)
    assert asked["changes"][0]["space"] == asked["space"]
    assert "space" not in unasked
    assert not any("space" in one for one in unasked["changes"])


async def test_a_change_says_of_what_it_is(store: Store) -> None:
    """Service, title, cloud and direction stand with each change, with its impact and significance."""
    (response,) = await over_http(store, {"source": PAGE})
    flow = response.json()["changes"][0]
    told = ("source", "service", "title", "clouds", "direction", "impact", "significance")
    assert [flow[name] for name in told] == [
        PAGE,
        "Power Automate",
        "flow",
        ["public", "usgov"],
        "outbound",
        "AddedUrl",
        "material",
    ]


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("json", "application/json"), ("markdown", "text/markdown"), ("text", "text/plain"), ("csv", "text/csv")],
)
async def test_format_and_accept_ask_for_the_same(store: Store, name: str, media_type: str) -> None:
    """A format is had by its name or by its media type, and a cache is told which decided."""
    async with catalog_client(store) as opened:
        named = await opened.get("/v1/diff/1...3", params={"format": name}, headers={"Accept": "text/html"})
        accepted = await opened.get("/v1/diff/1...3", headers={"Accept": media_type})
    for response in (named, accepted):
        assert response.headers["content-type"].partition(";")[0] == media_type
    assert named.content == accepted.content
    assert (named.headers["vary"], accepted.headers["vary"]) == ("Accept-Encoding", "Accept, Accept-Encoding")


@pytest.mark.parametrize(
    ("name", "start"), [("markdown", "# Changes from version 1 to version 3\n"), ("csv", "source,")]
)
def test_the_command_line_has_the_formats(invoke: Invoke, name: str, start: str) -> None:
    """What is printed is the file, and nothing else."""
    code, out, err = invoke("diff", "1", "3", "--format", name)
    assert (code, err) == (exits.FINE, "")
    assert out.startswith(start)


@pytest.mark.parametrize(
    ("question", "status", "parameter"),
    [
        ({"only": "both"}, 400, "only"),
        ({"only": "added,removed"}, 400, "only"),
        ({"family": "5"}, 400, "family"),
        ({"impact": "Severe"}, 400, "impact"),
        ({"impact_at_least": "Severe"}, 400, "impact_at_least"),
        ({"impact_at_least": "AddedIp,AddedUrl"}, 400, "impact_at_least"),
        ({"impact_at_least": "AddedIp", "impact": "MovedIpOrUrl"}, 400, "impact_at_least"),
        ({"tag": "Logic"}, 404, "tag"),
        ({"material": "maybe"}, 400, "material"),
        ({"space": "1"}, 400, "space"),
        ({"format": "html"}, 400, "format"),
        ({"kind": ""}, 400, "kind"),
        ({"region": "atlantis"}, 400, "region"),
        ({"service": "Strage"}, 404, "service"),
        ({"source": "nobody"}, 404, "source"),
        ({"at": "1"}, 400, "at"),
    ],
)
async def test_what_cannot_be_understood_is_named(
    store: Store, question: dict[str, str], status: int, parameter: str
) -> None:
    """A word that is none, or that no record has, is a problem that names its parameter: never "nothing changed"."""
    (response,) = await over_http(store, question)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["parameter"] == parameter


async def test_a_service_that_is_gone_can_be_asked_for(store: Store) -> None:
    """What only the earlier version had is known as well."""
    (response,) = await over_http(store, {"service": "LogicApps"})
    assert keys(response.json()) == ["LogicApps"]


async def test_a_reference_that_is_gone_can_be_asked_for(store: Store) -> None:
    """A record that refers to a tag no more is a change of what refers to it."""
    await commit(store, PAGE, PAGE_1, START)
    await commit(store, PAGE, (PAGE_1[0], replace(PAGE_1[1], service_tags=("LogicApps",))), START + DAY)
    reader = Reader(store)
    await reader.refresh()
    found = await diff_between(reader, Point(1), Point(2), DiffFilter(Filter(tags=("azureconnectors",))))
    assert [one.id for one in found.changes] == [PAGE_1[1].id]


async def test_what_came_later_is_not_counted(store: Store) -> None:
    """A diff between old versions judges and counts by the later of the two, not by what is served now."""
    async with catalog_client(store) as opened:
        await commit(store, TAGS, (*TAGS_2, tag("Sql", "20.1.2.0/24")), START + 3 * DAY)
        response = await opened.get("/v1/diff/1...3", params={"service": "LogicApps", "space": "yes"})
    diff = response.json()
    assert diff["changes"][0]["impact"] == "RemovedIpOrUrl"
    assert diff["space"]["lost"]["prefixes"] == ["20.1.2.0/24"]


async def test_a_service_that_a_record_left_is_still_one_to_ask_for(store: Store) -> None:
    """As is its region: a record that goes by another name now is found by the one it had."""
    last = replace(TAGS_2[-1], service="Blobs", title="Blobs", region="a-region")
    for number, record in enumerate((TAGS_2[-1], last, replace(last, region="another-region"))):
        await commit(store, TAGS, (*TAGS_2[:-1], record), START + number * DAY)
    reader = Reader(store)
    await reader.refresh()
    for wanted, since in ((Filter(services=(TAGS_2[-1].service,)), 1), (Filter(regions=("a-region",)), 2)):
        found = await diff_between(reader, Point(since), Point(since + 1), DiffFilter(wanted))
        assert [one.id for one in found.changes] == [last.id]


async def test_a_diff_by_dates_is_gone_with_what_was_valid_then(store: Store) -> None:
    """Also for one that was asked for before, as JSON and as a page."""
    async with catalog_client(store) as opened:
        paths = [f"{root}/diff/{START + DAY:%Y-%m-%d}...{START + 3 * DAY:%Y-%m-%d}" for root in ("/v1", "")]
        assert [(await opened.get(path)).status_code for path in paths] == [200, 200]
        assert (await store.retention.prune(1)).dropped == (1,)
        assert [(await opened.get(path)).status_code for path in paths] == [410, 410]


async def test_both_ends_are_of_one_moment(store: Store) -> None:
    """A version that comes while the first end is looked up moves neither: one step back is one step long."""
    await published(store)
    reader, newer = Reader(store), Reader(store)
    await reader.refresh()
    await commit(store, TAGS, (tag("LogicApps", "20.9.0.0/16"),), START + 9 * DAY)
    await newer.refresh()
    asked = asyncio.create_task(diff_span(reader, "latest~1", "latest"))
    await asyncio.sleep(0)  # now it waits for Redis
    reader.current = newer.current
    assert await asked == (Point(2), Point(3))
