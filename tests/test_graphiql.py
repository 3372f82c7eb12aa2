"""GraphiQL: our own page, from our own origin alone."""

from __future__ import annotations

import gzip
import json
import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import graphql as language
import pytest

from catalog_service.api.graphiql.assets import BUILT, built_assets
from catalog_service.api.graphiql.page import example_queries
from catalog_service.api.graphql.schema import schema
from catalog_service.store.connect import Store
from tests.api_client import catalog_client, graphql

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
EXAMPLES = tuple(query.replace("LAST_WEEK", "2026-11-03") for query in example_queries())
QUERIES = tuple(query for query in EXAMPLES if "\nsubscription " not in query)


class Linked(HTMLParser):
    """Collects what a page loads, its data, and whether it has script of its own inside."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline = False
        self.data = ""
        self._in_data = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        linked = [address for name in ("src", "href") if (address := given.get(name))]
        self.addresses += [address for address in linked if not address.startswith("data:image/")]
        self._in_data = given.get("type") == "application/json"
        self.inline |= tag == "style" or (tag == "script" and not given.get("src") and not self._in_data)
        self.inline |= any(name.startswith("on") or name == "style" for name in given)

    def handle_data(self, data: str) -> None:
        self.data += data if self._in_data else ""

    def handle_endtag(self, tag: str) -> None:
        self._in_data = False


async def test_the_page_loads_from_its_own_origin_alone(store: Store) -> None:
    """Every address on the page is relative and served here, its policy allows no other host, nothing is inline."""
    async with catalog_client(store) as opened:
        page = await opened.get("/graphql", headers=BROWSER)
        linked = Linked()
        linked.feed(page.text)
        for address in linked.addresses:
            assert not urlsplit(address).netloc
            asset = await opened.get(urljoin("/graphql", address))
            assert asset.status_code == 200
            assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert [address.rpartition("/")[2] for address in linked.addresses] == ["app.css", "app.js"]
    assert not linked.inline
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy
    assert "http" not in policy


async def test_the_page_carries_its_tabs(store: Store) -> None:
    """The examples stand in the page as data, in the order of their names: what changed this week comes first."""
    async with catalog_client(store) as opened:
        page = await opened.get("/graphql", headers=BROWSER)
    linked = Linked()
    linked.feed(page.text)
    assert tuple(json.loads(linked.data)) == example_queries()
    titles = re.findall(r"^(?:query|subscription) (\w+)", "\n".join(example_queries()), re.MULTILINE)
    assert titles == [
        "WhatChangedThisWeek",
        "ThisTagOverTime",
        "WhichTagIsThisAddress",
        "PowerAutomateInEurope",
        "WhatIsRead",
        "WhatChangesNext",
    ]


async def test_only_a_browser_gets_the_page(store: Store) -> None:
    """A browser that opens the address gets the page; with a query, or another Accept, it is GraphQL."""
    async with catalog_client(store) as opened:
        page = await opened.get("/graphql", headers=BROWSER)
        query = await opened.get("/graphql?query={catalogVersion}", headers=BROWSER)
        program = await opened.get("/graphql", headers={"Accept": "*/*"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert query.json() == {"data": {"catalogVersion": 3}}
    assert program.status_code == 400


@pytest.mark.parametrize("demo", [False, True])
async def test_a_demo_says_so_on_the_page(store: Store, *, demo: bool) -> None:
    """The banner stands on the page of a demo, and on no other."""
    async with catalog_client(store, demo=demo) as opened:
        page = await opened.get("/graphql", headers=BROWSER)
    assert ("DEMO DATA" in page.text) is demo
    assert ("x-catalog-demo" in page.headers) is demo


async def test_a_file_is_sent_as_it_lies_or_unpacked(store: Store) -> None:
    """Files lie compressed: who takes gzip gets them so, who does not gets the same file."""
    path = f"/assets/graphiql/{built_assets().digest}/app.css"
    async with catalog_client(store) as opened:
        packed = await opened.get(path, headers={"Accept-Encoding": "gzip, br"})
        plain = await opened.get(path, headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["content-type"] == plain.headers["content-type"] == "text/css; charset=utf-8"
    assert packed.content == plain.content == gzip.decompress((BUILT / "app.css.gz").read_bytes())


@pytest.mark.parametrize("path", ["{digest}/inputs.txt", "{digest}/..%2Fpage.py", "{digest}/none.js", "0000/app.js"])
async def test_only_what_was_built_is_there(store: Store, path: str) -> None:
    """No other file, and no file of another build: a browser never mixes two."""
    async with catalog_client(store) as opened:
        answer = await opened.get(f"/assets/graphiql/{path.format(digest=built_assets().digest)}")
    assert answer.status_code == 404


@pytest.mark.skipif((BUILT / "fallback.txt").exists(), reason="npm was out of reach: GraphiQL 2 is in its place")
def test_the_files_of_graphiql_5_are_whole() -> None:
    """What the files name among themselves is there, the licenses of what they hold, and no package folder."""
    files = built_assets().files
    named = {name for packed in files.values() for name in re.findall(rb'"\./([\w.-]+\.js)"', gzip.decompress(packed))}
    assert len(named) > 10
    assert {name.decode() for name in named} <= files.keys()
    workers = {"editor.worker.js", "graphql.worker.js", "json.worker.js"}
    assert workers | {"app.js", "app.css"} <= files.keys()
    assert b"\ngraphiql 5." in gzip.decompress(files["LICENSES.txt"])


@pytest.mark.parametrize("query", QUERIES)
async def test_each_example_runs(store: Store, query: str) -> None:
    """Every tab's query is answered with data."""
    async with catalog_client(store) as opened:
        answer = await graphql(opened, query)
    assert "errors" not in answer
    assert all(answer["data"].values())


@pytest.mark.parametrize("query", EXAMPLES)
def test_each_example_is_valid(query: str) -> None:
    """Every tab, the subscription too, asks for what the schema has."""
    sdl = language.build_schema(schema().as_str())
    assert language.validate(sdl, language.parse(query)) == []
