"""Where the corpus of real upstream data has the past of each source, line by line.

In: the corpus's folder. Out: lines: files that followed one another, oldest first, and the source whose past they
are. Called by `bench.replay`, `bench.history` and the tests of the guard.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from schema.document import Document, Reading
from scrapers.history.files import HistoricFile, opened_history
from scrapers.source import Parse, Source
from scrapers.sources import SOURCES, source_named

_DOCS = {
    "power-automate-ip-address-configuration": "power-automate-ip-address-configuration",
    "power-automate-limits-and-config": "power-automate-limits-and-config",
    "power-automate-regions-overview": "power-automate-regions-overview",
    "power-automate-us-govt": "power-automate-us-government",
    "power-automate-approvals-email": "power-automate-approval-email",
    "power-apps-limits-and-config": "power-apps-limits",
    "power-platform-online-requirements": "power-platform-online-requirements",
    "logic-apps-limits-and-config/en": "logic-apps-limits-and-configuration",
    "logic-apps-limits-and-config/es-ES": "logic-apps-limits-and-configuration",
    "logic-apps-limits-and-config/zh-TW": "logic-apps-limits-and-configuration",
}
"""Folders of pages below ``docs``. No capture of the connectors' page exists (sources.md D0)."""
_LOCALIZED = {
    "ip-address": "power-automate-ip-address-configuration",
    "pa_*limits": "power-automate-limits-and-config",
    "regions": "power-automate-regions-overview",
    "powerapps": "power-apps-limits",
}
_TAGS = {"Public": "public", "AzureGovernment": "usgov", "China": "china", "AzureGermany": "germany"}
_INSTANCES = {"Worldwide": "worldwide", "USGovDoD": "usgov-dod", "USGovGCCHigh": "usgov-gcchigh", "China": "china"}
_DATE = re.compile(r"(20\d\d)-(\d\d)-(\d\d)")
_AGES = ("oldest", "older", "newer")
_UNDATED = datetime(2016, 1, 1, tzinfo=UTC)


class Line(Struct, frozen=True):
    """One past of one source."""

    source: Source
    name: str
    """Its folder or file in the corpus."""
    paths: tuple[Path, ...]


def docs_lines(corpus: Path) -> Iterator[Line]:
    """Yield the lines of docs pages; a localized copy is a line of its own."""
    for folder, name in _DOCS.items():
        pages = sorted((corpus / "docs" / folder).glob("*.md"), key=_order)
        yield Line(source_named(SOURCES, name), folder, tuple(pages))
    for pattern, name in _LOCALIZED.items():
        for page in sorted((corpus / "docs" / "localized").glob(f"*{pattern}*.md")):
            yield Line(source_named(SOURCES, name), f"localized/{page.stem[:40]}", (page,))


def data_lines(corpus: Path) -> Iterator[Line]:
    """Yield the lines of service tags and Microsoft 365."""
    for stem, name in _TAGS.items():
        archives = tuple(sorted((corpus / "service-tags").glob(f"{stem}-*.tar.xz")))
        yield Line(source_named(SOURCES, f"azure-service-tags-{name}"), f"service-tags/{stem}", archives)
    for stem, name in _INSTANCES.items():
        tables = tuple(sorted((corpus / "microsoft-365" / "from-docs").glob(f"{stem}_*.json")))
        source = source_named(SOURCES, f"microsoft-365-{name}")
        said = replace(source, parse=partial(_as_the_service_says, source.parse))
        yield Line(said, f"microsoft-365/from-docs/{stem}", tables)
    answers = tuple(sorted((corpus / "microsoft-365" / "worldwide").glob("*.json")))
    yield Line(source_named(SOURCES, "microsoft-365-worldwide"), "microsoft-365/worldwide", answers)


def _as_the_service_says(parse: Parse, source: Source, document: Document) -> Reading:
    """Microsoft's tables show ``<tenant>`` where its service shows ``*`` (sources.md M1)."""
    return parse(source, replace(document, body=document.body.replace(b"<tenant>", b"*")))


@contextlib.contextmanager
def opened_line(line: Line) -> Iterator[tuple[HistoricFile, ...]]:
    """Give the files of ``line`` for a block, oldest first; archives are unpacked aside."""
    if all(path.suffix == ".md" for path in line.paths):
        yield tuple(HistoricFile(path.name, path, _at(path)) for path in line.paths)
        return
    with opened_history(line.paths, datetime.now(UTC)) as history:
        assert not history.refused, history.refused
        yield history.files


def rendered(path: Path) -> Path | None:
    """Return the same page as HTML, None where the corpus has none."""
    folder = "logic-apps-limits-and-config" if path.parent.name == "en" else path.parent.name
    docs = next(parent for parent in path.parents if parent.name == "docs")
    page = docs.parent / "learn-html" / folder / f"{path.stem}.html"
    return page if page.is_file() else None


def _order(path: Path) -> tuple[datetime, int, str]:
    age = path.name.partition("_")[0]
    return _at(path), _AGES.index(age) if age in _AGES else 0, path.name


def _at(path: Path) -> datetime:
    """Return the date in the name; undated pages stand first or, where the name says so, last."""
    if found := _DATE.search(path.name):
        return datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC)
    return datetime(2026, 1, 1, tzinfo=UTC) if path.name.startswith("later") else _UNDATED
