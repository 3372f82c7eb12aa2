"""Docs pages for tests: a source of any rules, a page as a document, its records, its golden and its refusals."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
import pytest

from schema.document import Document, Provenance
from schema.endpoint_set import EndpointSet
from schema.errors import ParseError
from schema.guard import GuardLimits
from schema.words import Cloud
from scrapers.docs.fetch import fetch_docs_page
from scrapers.docs.parse import parse_docs_page
from scrapers.docs.rules import PageRules
from scrapers.source import Source

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
FIXTURES = Path(__file__).parent / "fixtures"
MEDIA_TYPES = {".md": "text/markdown", ".html": "text/html"}
FORMS = tuple(MEDIA_TYPES)
NAME = "a-page"
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus of real upstream data here")


def source(rules: PageRules) -> Source:
    """A source of the public cloud, called `NAME`, whose page has ``rules``."""
    return Source(
        name=NAME,
        title="A page",
        cloud=Cloud.PUBLIC,
        url="https://learn.microsoft.com/en-us/a-page",
        fetch=fetch_docs_page,
        parse=partial(parse_docs_page, rules),
        guard=GuardLimits(min_endpoint_sets=1),
        interval_s=3600,
    )


def document(page: Path | str) -> Document:
    """A file (its suffix tells the form) or Markdown text as it was fetched."""
    body, form = (page.encode(), ".md") if isinstance(page, str) else (page.read_bytes(), page.suffix)
    provenance = Provenance(
        url="https://learn.microsoft.com/en-us/a-page",
        fetched_at=datetime(2026, 1, 1, tzinfo=UTC),
        digest=f"sha256:{hashlib.sha256(body).hexdigest()}",
        media_type=MEDIA_TYPES[form],
    )
    return Document(body, provenance)


def records(rules: PageRules, page: Path | str) -> tuple[EndpointSet, ...]:
    """The records of a file or of Markdown text."""
    return source(rules).records(document(page)).endpoint_sets


def keyed(found: tuple[EndpointSet, ...]) -> dict[str, EndpointSet]:
    """The records by id without the source's name."""
    return {record.id.removeprefix(f"{NAME}:"): record for record in found}


def by_key(rules: PageRules, page: Path | str) -> dict[str, EndpointSet]:
    """The records of a page by id without the source's name."""
    return keyed(records(rules, page))


def refusal(rules: PageRules, page: Path | str) -> tuple[str, ...]:
    """Every reason why a page is refused, which it must be."""
    with pytest.raises(ParseError) as refused:
        records(rules, page)
    return refused.value.reasons


def golden(path: Path) -> tuple[EndpointSet, ...]:
    """The records written down in a file."""
    return msgspec.json.decode(path.read_bytes(), type=tuple[EndpointSet, ...])


def corpus_pages(folder: str) -> list[Path]:
    """The pages of one folder of the corpus, oldest first; none where there is no corpus."""
    return sorted((CORPUS / "docs" / folder).glob("*.md")) if CORPUS.is_dir() else []


def rendered(page: Path) -> Path:
    """The same page of the corpus in HTML; it may not exist."""
    return CORPUS / "learn-html" / page.parent.name / f"{page.stem}.html"
