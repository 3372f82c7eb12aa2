"""Fetching a docs page over the wire: conditional, and as Markdown where HTML is missing or damaged."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from schema.errors import FetchError, ParseError
from schema.version import SourceState
from scrapers.client import ClientSettings, LiveUpstream
from scrapers.docs.fetch import fetch_docs_page
from scrapers.source import Source
from scrapers.sources import SOURCES, source_named
from tests.upstream import Answer, UpstreamServer

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
PAGE = "/en-us/power-automate/ip-address-configuration"
MARKDOWN_PAGE = f"{PAGE}?accept=text/markdown"
MARKDOWN = (
    b"---\ntitle: T\nms.date: 01/14/2022\n---\n# T\n\n## Required services\n\n"
    b"| Domains | Protocols | Uses |\n|---|---|---|\n| x.example.com<br>*.a.example.com<br>*.b.example.com | https | U |\n"
)
HEAD = "<meta name='git_commit_id' content='" + "c" * 40 + "'><meta name='updated_at' content='2025-12-10T08:00:00Z'>"


def html(cell: str, head: str = HEAD) -> bytes:
    return (
        f"<!DOCTYPE html><html><head>{head}</head><body><main role=main><h1>T</h1><h2>Required services</h2><table>"
        f"<tr><th>Domains</th><th>Protocols</th><th>Uses</th></tr><tr><td>{cell}</td><td>https</td><td>U</td></tr>"
        "</table></main></body></html>"
    ).encode()


WHOLE = html("x.example.com<br>*.a.example.com<br>*.b.example.com")
DAMAGED = html("x.example.com<br><em>.a.example.com<br></em>.b.example.com")


@pytest.fixture
async def server() -> AsyncIterator[UpstreamServer]:
    async with UpstreamServer() as running:
        yield running


@pytest.fixture
async def client(server: UpstreamServer) -> AsyncIterator[LiveUpstream]:
    settings = ClientSettings(attempts=1, min_interval_s=0).opened_to([server.url])
    async with LiveUpstream(settings) as live:
        yield live


@pytest.fixture
def source(server: UpstreamServer) -> Source:
    return replace(source_named(SOURCES, "power-automate-ip-address-configuration"), url=server.url + PAGE)


async def test_a_page_is_fetched_as_html(server: UpstreamServer, client: LiveUpstream, source: Source) -> None:
    """The document is the body with where it came from, its digest, validators and its own commit and date."""
    server.script(PAGE, Answer(WHOLE, media_type="text/html; charset=utf-8", etag='"1"', last_modified="L"))
    document = await fetch_docs_page(source, client, SourceState(), NOW)
    assert document is not None
    assert document.body == WHOLE
    found = document.provenance
    assert (found.url, found.fetched_at, found.media_type) == (source.url, NOW, "text/html")
    assert (found.etag, found.last_modified) == ('"1"', "L")
    assert found.digest == f"sha256:{hashlib.sha256(WHOLE).hexdigest()}"
    assert (found.upstream_version, found.upstream_at) == ("c" * 40, datetime(2025, 12, 10, 8, tzinfo=UTC))
    assert server.asked[0].header("accept") == "text/html"


async def test_a_page_that_is_not_modified_is_none(
    server: UpstreamServer, client: LiveUpstream, source: Source
) -> None:
    """Validators of this very address are sent; those of another address are not."""
    server.script(PAGE, Answer(WHOLE, media_type="text/html", etag='"1"'))
    own = SourceState(etag='"1"', validated_url=source.url)
    assert await fetch_docs_page(source, client, own, NOW) is None
    foreign = SourceState(etag='"1"', validated_url=f"{source.url}?other")
    assert await fetch_docs_page(source, client, foreign, NOW) is not None
    assert [asked.header("if-none-match") for asked in server.asked] == ['"1"', None]


async def test_eaten_stars_are_repaired_from_markdown(
    server: UpstreamServer, client: LiveUpstream, source: Source
) -> None:
    """Where emphasis took stars out of the HTML, the address that the page names gives the Markdown form."""
    named = server.script("/the/markdown", Answer(MARKDOWN, media_type="text/markdown", etag='"m"'))
    damaged = DAMAGED.replace(b"</head>", f"<meta name='markdown_url' content='{named}'></head>".encode())
    server.script(PAGE, Answer(damaged, media_type="text/html"))
    document = await fetch_docs_page(source, client, SourceState(), NOW)
    assert document is not None
    assert (document.body, document.provenance.url) == (MARKDOWN, named)
    assert source.records(document).endpoint_sets[0].fqdns == ("*.a.example.com", "*.b.example.com", "x.example.com")
    unchanged = SourceState(etag='"m"', validated_url=named)
    assert await fetch_docs_page(source, client, unchanged, NOW) is None


async def test_a_damaged_page_without_markdown_is_refused_by_its_parser(
    server: UpstreamServer, client: LiveUpstream, source: Source
) -> None:
    """Without a Markdown form the damaged page is handed on, and its parser says what is wrong."""
    server.script(PAGE, Answer(DAMAGED, media_type="text/html"))
    document = await fetch_docs_page(source, client, SourceState(), NOW)
    assert document is not None
    assert server.paths == (PAGE, MARKDOWN_PAGE)
    with pytest.raises(ParseError) as refused:
        source.records(document)
    assert "emphasis has taken the stars" in refused.value.reasons[0]


async def test_a_damaged_page_is_no_page_while_markdown_cannot_be_had(
    server: UpstreamServer, client: LiveUpstream, source: Source
) -> None:
    """A passing fault of the Markdown form is a failed fetch, which the next run repeats."""
    server.script(PAGE, Answer(DAMAGED, media_type="text/html"))
    server.script(MARKDOWN_PAGE, Answer(status=503))
    with pytest.raises(FetchError) as failed:
        await fetch_docs_page(source, client, SourceState(), NOW)
    assert failed.value.facts["status"] == 503


async def test_a_mirror_may_hold_markdown_alone(server: UpstreamServer, client: LiveUpstream, source: Source) -> None:
    """Where HTML is missing the Markdown address is asked, with its own validators."""
    server.script(MARKDOWN_PAGE, Answer(MARKDOWN, media_type="text/markdown", etag='"m"'))
    document = await fetch_docs_page(source, client, SourceState(), NOW)
    assert document is not None
    assert document.body == MARKDOWN
    assert document.provenance.upstream_at is None
    state = SourceState(etag='"m"', validated_url=document.provenance.url)
    assert await fetch_docs_page(source, client, state, NOW) is None


async def test_a_page_that_is_missing_in_both_forms_is_a_failed_fetch(
    server: UpstreamServer, client: LiveUpstream, source: Source
) -> None:
    """The error is that of the page, not of its Markdown form."""
    with pytest.raises(FetchError) as failed:
        await fetch_docs_page(source, client, SourceState(), NOW)
    assert failed.value.facts["status"] == 404
    assert failed.value.facts["url"] == source.url
    assert server.paths == (PAGE, MARKDOWN_PAGE)


async def test_other_faults_do_not_ask_for_markdown(
    server: UpstreamServer, client: LiveUpstream, source: Source
) -> None:
    """A server that is ill is not asked for another form."""
    server.script(PAGE, Answer(status=500))
    with pytest.raises(FetchError):
        await fetch_docs_page(source, client, SourceState(), NOW)
    assert server.paths == (PAGE,)
