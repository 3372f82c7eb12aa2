"""What a docs page costs, against building the tree of the same page: rows of the benchmark.

The page is made up and has the seed page's structure (headings, tables of domains, code spans and breaks), as many
sections of it as give the size of the site's largest pages, 284 kB.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

from bs4 import BeautifulSoup

from bench.measure import Row, ms, timed, times
from schema.document import Document, Provenance
from schema.endpoint_set import EndpointSet
from scrapers.sources import SOURCES, source_named

SOURCE = source_named(SOURCES, "power-automate-ip-address-configuration")
_BYTES = 284_000
_ROWS = 25
_FRAME = """<!DOCTYPE html>
<html class="layout layout-holy-grail conceptual" lang="en-us" data-target="docs">
<head><title>Addresses | Example</title><meta name="ms.date" content="2026-11-23"></head>
<body><main id="main" role="main"><div data-main-column="true"><div>
<div class="content"><h1 id="addresses">Addresses</h1></div>
<div class="content">
{}
</div></div></div></main></body></html>
"""


def pages() -> Iterator[Row]:
    """Yield what reading one large page costs, as HTML and as Markdown."""
    count = 1
    while len(_html(count)) < _BYTES:
        count += 1
    html, markdown = _html(count), _markdown(count)
    tree = timed(lambda: BeautifulSoup(html, "lxml"), runs=5)
    for form, text, media_type in (("HTML", html, "text/html"), ("Markdown", markdown, "text/markdown")):
        document = _document(text, media_type)
        records = _records(document)
        assert len(records) == count * _ROWS
        ours = timed(lambda document=document: _records(document), runs=5)  # type: ignore[misc]
        yield Row(
            f"docs page, {len(text) // 1000} kB of {form}, {len(records)} records",
            ms(ours),
            f"BeautifulSoup's tree of the HTML {ms(tree)}",
            times(ours, tree),
        )


def _records(document: Document) -> tuple[EndpointSet, ...]:
    return SOURCE.records(document).endpoint_sets


def _document(text: str, media_type: str) -> Document:
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return Document(text.encode(), Provenance(SOURCE.url, datetime(2026, 11, 23, tzinfo=UTC), digest, media_type))


def _names(section: int, row: int) -> tuple[str, str]:
    return f"*.part{row}.service{section}.example.com", f"host{row}.service{section}.example.net"


def _html(sections: int) -> str:
    return _FRAME.format("\n".join(_html_section(section) for section in range(sections)))


def _html_section(section: int) -> str:
    rows = "\n".join(
        f"<tr>\n<td><code>{wild}</code><br>{host}</td>\n<td>https</td>\n<td>{_uses(section, row)}</td>\n</tr>"
        for row in range(_ROWS)
        for wild, host in [_names(section, row)]
    )
    head = "<tr>\n<th>Domains</th>\n<th>Protocols</th>\n<th>Uses</th>\n</tr>"
    return (
        f'<h2 id="part-{section}">Services of part {section}</h2>\n'
        f"<p>These endpoints are needed by part {section}.</p>\n"
        f"<table>\n<thead>\n{head}\n</thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    )


def _markdown(sections: int) -> str:
    return "# Addresses\n\n" + "\n".join(map(_markdown_section, range(sections)))


def _markdown_section(section: int) -> str:
    rows = "".join(
        f"| `{wild}`<br>{host} | https | {_uses(section, row)} |\n"
        for row in range(_ROWS)
        for wild, host in [_names(section, row)]
    )
    return (
        f"## Services of part {section}\n\nThese endpoints are needed by part {section}.\n\n"
        f"| Domains | Protocols | Uses |\n| --- | --- | --- |\n{rows}"
    )


def _uses(section: int, row: int) -> str:
    return f"Runs step {row} of the flows that part {section} keeps for the people of one environment."
