"""GraphiQL: our own page, from our own origin alone."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest

from catalog_service.api.graphiql import PAGES
from catalog_service.store.connect import Store
from tests.api_client import catalog_client, graphql

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


class Linked(HTMLParser):
    """Collects what a page loads, and whether it has script of its own inside."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.addresses += [address for name in ("src", "href") if (address := given.get(name))]
        self.inline |= tag == "style" or (tag == "script" and not given.get("src"))
        self.inline |= any(name.startswith("on") or name == "style" for name in given)


def examples() -> list[str]:
    """Return the queries of the page's tabs, in order."""
    return re.findall(r"^  `(.*?)`,$", (PAGES / "graphiql.js").read_text(), re.DOTALL | re.MULTILINE)


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
            assert "max-age" in asset.headers["cache-control"]
    assert len(linked.addresses) == 7
    assert not linked.inline
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy
    assert "http" not in policy


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


def test_the_diff_comes_first() -> None:
    """The first tab asks for the last change."""
    assert 'diff(from: "latest~1", to: "latest")' in examples()[0]


@pytest.mark.parametrize("query", examples())
async def test_each_example_runs(store: Store, query: str) -> None:
    """Every tab's query is valid and answered with data."""
    async with catalog_client(store) as opened:
        answer = await graphql(opened, query)
    assert "errors" not in answer
    assert all(answer["data"].values())
