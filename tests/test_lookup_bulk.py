"""Thousands of lines at once say what each would say alone; a bad one takes nothing from the others."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import httpx
import pytest

from catalog_service.api.reads.lookups import MOST_ALONE, MOST_LINES, MOST_MATCHES, looked_up, looked_up_all
from catalog_service.api.rest.lookups import MOST_BYTES
from catalog_service.catalog.select import Filter
from catalog_service.cli import exits
from catalog_service.store.connect import Store
from schema.errors import BadParameterError
from tests.api_client import PAGE, TAGS, catalog_client, published
from tests.catalogs import snapshot_of, tag

LINES = ("13.66.60.65", "https://make.powerautomate.com/", "13.66.0.0/16", "198.51.100.1", "::ffff:20.60.0.1", "a.com")
TEXT = {"content-type": "text/plain; charset=utf-8"}


async def post(opened: httpx.AsyncClient, body: bytes | str, query: str = "", **headers: str) -> httpx.Response:
    return await opened.post(f"/v1/lookup{query}", content=body, headers=headers or TEXT)


async def alone(opened: httpx.AsyncClient, line: str, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = (await opened.get(f"/v1/lookup?q={line}{query}")).json()
    return {name: found[name] for name in ("query", "matches", "looked_up") if name in found}


async def test_each_line_has_the_answer_that_it_has_alone(store: Store) -> None:
    """In their order, from text or JSON; blank lines and comments are no lines."""
    async with catalog_client(store) as opened:
        expected = [await alone(opened, line) for line in LINES]
        text = "# what the log says\r\n\r\n" + "\r\n".join(f"  {line}\t" for line in LINES) + "\n\n"
        for answer in (
            await post(opened, text),
            await opened.post("/v1/lookup", json=list(LINES)),
        ):
            assert answer.status_code == 200
            assert answer.json()["items"] == expected
            assert (answer.json()["version"], answer.json()["missing"]) == (3, ["never-read"])
            assert answer.headers["x-catalog-missing-sources"] == "never-read"
        assert (await post(opened, "")).json()["items"] == []


async def test_a_bad_line_is_an_item_that_says_so(store: Store) -> None:
    """And no other line is lost."""
    async with catalog_client(store) as opened:
        lines = ["13.66.60.65", "0177.0.0.1", "13.66.60.65/8", "x y", "", "20.60.0.1\n20.60.0.2", "20.60.0.1"]
        items = (await opened.post("/v1/lookup", json=lines)).json()["items"]
        assert [item["query"] for item in items] == lines
        assert ["matches" in item for item in items] == [True, False, False, False, False, False, True]
        assert all(item["error"] for item in items[1:6])


async def test_filters_and_versions_count_for_every_line(store: Store) -> None:
    """As they do for one; a parameter that nobody knows is refused."""
    async with catalog_client(store) as opened:
        for query in (
            "&region=westeurope",
            f"&source={PAGE}",
            f"&source={TAGS}&at=1",
            "&cloud=usgov",
            "&service=Storage",
        ):
            expected = [await alone(opened, line, query) for line in LINES]
            assert (await post(opened, "\n".join(LINES), f"?{query[1:]}")).json()["items"] == expected
        assert [one["id"] for one in (await alone(opened, LINES[0], "&region=West%20Europe"))["matches"]] == [
            f"{TAGS}:AzureConnectors.WestEurope"
        ]
        for query, parameter in (
            ("?q=a.com", "q"),
            ("?cloud=mars", "cloud"),
            ("?at=nope!", "at"),
            ("?region=Mars", "region"),
        ):
            answer = await post(opened, "20.1.2.3", query)
            assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("20.1.2.3\n" * (MOST_LINES + 1), TEXT, 400),
        ("2" * (MOST_BYTES + 1), TEXT, 413),
        (b"\xff\xfe2\x000\x00", TEXT, 400),
        ('{"q": "20.1.2.3"}', {"content-type": "application/json"}, 400),
        ('["20.1.2.3", 4]', {"content-type": "application/json"}, 400),
        ('["20.1.2.3"', {"content-type": "application/json"}, 400),
        ("[" * 100_000, {"content-type": "application/json"}, 400),
        ("", {"content-type": "application/json"}, 400),
        ("20.1.2.3", {"content-type": "application/x-www-form-urlencoded"}, 415),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_problem(
    store: Store, body: bytes | str, headers: dict[str, str], status: int
) -> None:
    """Too many lines, too many bytes, no text, no array of strings, another media type."""
    async with catalog_client(store) as opened:
        answer = await post(opened, body, **headers)
        assert (answer.status_code, answer.json()["status"]) == (status, status)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_ten_thousand_lines_are_answered(store: Store) -> None:
    """The most that is taken."""
    async with catalog_client(store) as opened:
        items = (await post(opened, "\n".join(f"13.66.{n % 256}.{n % 250}" for n in range(MOST_LINES)))).json()["items"]
        assert len(items) == MOST_LINES
        assert sum(bool(item["matches"]) for item in items) == sum(n % 256 == 60 for n in range(MOST_LINES))


def test_an_answer_has_a_most_of_matches() -> None:
    """Lines past it say so, and those after them that fit are answered."""
    snapshot = snapshot_of([tag("Wide", *(f"20.{n >> 8}.{n & 255}.0/24" for n in range(1000)))])
    lines = [*["20.0.0.0/8"] * 5000, "198.51.100.1"]
    items = looked_up_all(snapshot, (), lines, Filter()).items
    fit = MOST_MATCHES // 1000
    assert [item.error is None for item in items] == [*[True] * fit, *[False] * (5000 - fit), True]


def test_a_filter_counts_before_an_answer_is_too_long() -> None:
    """A wide block of which a filter keeps a record is answered, alone and as often as it is asked."""
    wide = [tag(f"Wide{n}", *(f"20.{n}.{m}.0/24" for m in range(256))) for n in range(64)]
    snapshot, lines = snapshot_of([*wide, tag("Sql", "20.1.1.0/24")]), ["20.0.0.0/8"] * MOST_LINES
    only = Filter(services=("Sql",))
    alone = looked_up(snapshot, (), lines[0], only)
    assert [one.title for one in alone.matches] == ["Sql"]
    assert {item.matches for item in looked_up_all(snapshot, (), lines, only).items} == {alone.matches}


def test_one_block_with_too_many_matches_is_refused() -> None:
    """Alone as among others, with the most there may be; as many as that are answered."""
    snapshot = snapshot_of([tag("Wide", *(f"20.{n >> 8}.{n & 255}.0/24" for n in range(MOST_ALONE + 1)))])
    assert len(looked_up(snapshot, (), "20.0.0.0/11", Filter()).matches) == 32 * 256
    for wanted in (Filter(), Filter(services=("Wide",))):
        with pytest.raises(BadParameterError, match="more than 10000") as error:
            looked_up(snapshot, (), "0.0.0.0/0", wanted)
        assert (error.value.facts["parameter"], error.value.facts["most"]) == ("q", MOST_ALONE)
        items = looked_up_all(snapshot, (), ["0.0.0.0/0"] * MOST_LINES, wanted).items
        assert {item.error for item in items} == {str(error.value)}


async def test_the_command_line_reads_lines_from_stdin(store: Store, redis_url: str) -> None:
    """The same items as JSON; as a table the bad lines are told on stderr; no match at all is exit code 5."""
    await published(store)
    lines = "13.66.60.65\n# comment\nnonsense\n198.51.100.1\n"
    code, out, _ = said(redis_url, lines, "--json")
    items = json.loads(out)["items"]
    assert (code, [item["query"] for item in items]) == (exits.FINE, ["13.66.60.65", "nonsense", "198.51.100.1"])
    code, out, err = said(redis_url, lines, "--region", "westeurope")
    assert code == exits.FINE
    assert out.count(f"{TAGS}:") == 1
    assert "'nonsense' is not" in err
    assert "no endpoint set holds 198.51.100.1" in err
    assert said(redis_url, "198.51.100.1\n")[0] == exits.NOT_FOUND


def said(redis_url: str, lines: str, *arguments: str) -> tuple[int, str, str]:
    program = [sys.executable, "-m", "catalog_service", "lookup", "-", "--redis-url", redis_url]
    done = subprocess.run([*program, *arguments], input=lines, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr
