"""The guards over every real version there is: which changes a person sees, and that bad ones never publish."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

from bench.corpus import Line, data_lines, docs_lines, opened_line, rendered
from bench.replay import ACCEPTED, DROPPED, PUBLISHED, REFUSED, STALE, UNCHANGED, Outcome
from bench.replay import replay as replayed
from catalog_service.catalog.diff import diff
from catalog_service.catalog.guard import member_count, unsafe_reasons
from schema.change import summarize
from schema.document import Document
from schema.endpoint_set import EndpointSet
from schema.errors import ParseError
from scrapers.history.files import HistoricFile
from scrapers.source import Source

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus of real upstream data here")

PAGES = {line.name: line for line in docs_lines(CORPUS)} if CORPUS.is_dir() else {}
TABLES = {line.name: line for line in data_lines(CORPUS)} if CORPUS.is_dir() else {}
ENGLISH = tuple(
    name for name in PAGES if not name.startswith("localized/") and not name.endswith(("es-ES", "zh-TW"))
)  # fmt: skip
NOW = datetime(2026, 11, 23, tzinfo=UTC)

# What a person sees of every page's past, and what became of it; docs/adr/0007 says why each is right.
HELD = {
    "power-automate-ip-address-configuration": {"009": ACCEPTED, "017": ACCEPTED},
    "power-automate-limits-and-config": {
        "002": ACCEPTED,
        "032": DROPPED,
        "040": DROPPED,
        "042": DROPPED,
        "050": ACCEPTED,
        "060": DROPPED,
        "119": DROPPED,
        "later": ACCEPTED,
    },
    "power-automate-regions-overview": {"007": ACCEPTED, "011": DROPPED, "040": ACCEPTED, "043": ACCEPTED},
    "power-automate-us-govt": {"010": ACCEPTED, "042": ACCEPTED},
    "power-automate-approvals-email": {"003": ACCEPTED},
    "power-apps-limits-and-config": {"005": ACCEPTED, "012": ACCEPTED},
    "power-platform-online-requirements": {},
    "logic-apps-limits-and-config/en": {},
}
WORLDWIDE_HELD = ("2018083000", "2018100100", "2018102900", "2020022800")
"""Eight records of mail, two of sharing and one of Teams kept one or two of dozens of prefixes; 30 % of all (10-01)."""
REFUSALS = {
    "power-automate-limits-and-config": {str(number) for number in range(109, 119)},
    "power-automate-regions-overview": {"036", "037", "038", "039", "046"},
    "power-apps-limits-and-config": {"002", "003", "004"},
    "logic-apps-limits-and-config/en": {"older", "newer"},
}


@cache
def outcomes(name: str) -> tuple[Outcome, ...]:
    line = PAGES.get(name) or TABLES[name]
    with opened_line(line) as files:
        return tuple(replayed(line.source, files))


@pytest.mark.parametrize("name", ENGLISH)
def test_a_page_s_past_holds_just_the_few_that_a_person_should_see(name: str) -> None:
    """Each real version of the page is published, unchanged or stale, save those named, which are held or refused."""
    found = outcomes(name)
    short = {one.file.partition("_")[0]: one.result for one in found}
    assert {key: result for key, result in short.items() if result in {ACCEPTED, DROPPED}} == HELD[name]
    assert {key for key, result in short.items() if result == REFUSED} == REFUSALS.get(name, set())
    assert all(one.reasons for one in found if one.result not in {PUBLISHED, UNCHANGED})


def test_most_commits_of_a_page_change_nothing() -> None:
    """Half to two thirds of a page's edits are prose, layout or another table (sources.md D3)."""
    found = outcomes("power-automate-limits-and-config")
    assert 0.5 <= [one.result for one in found].count(UNCHANGED) / (len(found) - 1) <= 0.7


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ENGLISH])
def test_a_page_in_another_language_is_refused(name: str) -> None:
    """Its headers are not the ones this catalogue knows: nothing of it is guessed (sources.md D1.27, D1.35, D1.36)."""
    assert {one.result for one in outcomes(name)} == {REFUSED}


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("microsoft-365/worldwide", []),
        ("microsoft-365/from-docs/Worldwide", [f"Worldwide_{day}.json" for day in WORLDWIDE_HELD]),
        ("microsoft-365/from-docs/USGovDoD", []),
        ("microsoft-365/from-docs/USGovGCCHigh", ["USGovGCCHigh_2020082800.json"]),
        ("microsoft-365/from-docs/China", []),
        ("service-tags/AzureGermany", []),
    ],
)
def test_the_services_pasts_hold_next_to_nothing(name: str, held: list[str]) -> None:
    """Years of answers pass, but records that lost nearly all they had; what is refused is the summer of 2018, whose cells hold lists with spaces (D1.3)."""
    found = outcomes(name)
    assert [one.file for one in found if one.result in {ACCEPTED, DROPPED}] == held
    assert all("_20180" in one.file for one in found if one.result == REFUSED)


# Bad ones never publish


def newest(line: Line, *, with_addresses: bool = False) -> tuple[Document, tuple[EndpointSet, ...]]:
    """The newest file of a line that can be read (and lists addresses), and what it says."""
    with opened_line(line) as files:
        for file in reversed(files):
            document = file.document(NOW)
            try:
                records = line.source.records(document).endpoint_sets
            except ParseError:
                continue
            if any(record.prefixes for record in records) or not with_addresses:
                return document, records
    raise AssertionError(line.name)


def published(source: Source, document: Document, full: tuple[EndpointSet, ...]) -> tuple[EndpointSet, ...] | None:
    """What would be published of ``document`` where ``full`` is served; None: it is refused or held."""
    try:
        records = source.records(document).endpoint_sets
    except ParseError:
        return None
    changes = diff(full, records)
    return None if unsafe_reasons(source.guard, full, records, changes) else records


def cuts(body: bytes, count: int) -> Iterator[bytes]:
    """``body`` cut short at ends of lines and anywhere."""
    chance = random.Random(len(body))
    ends = [place + 1 for place, byte in enumerate(body[:-1]) if byte == 10]
    yield from (body[:end] for end in chance.sample(ends, min(count, len(ends))))
    yield from (body[: chance.randrange(1, len(body) - 1)] for _ in range(count))


@pytest.mark.parametrize("name", [*ENGLISH, "microsoft-365/worldwide"])
def test_a_document_cut_short_never_shrinks_a_list(name: str) -> None:
    """Wherever it ends, it is refused or held, or every member is still there."""
    line = PAGES.get(name) or TABLES[name]
    document, full = newest(line)
    results = []
    for body in cuts(document.body, 25):
        records = published(line.source, replace(document, body=body), full)
        results.append(records is None)
        if records is not None:
            counts = summarize(diff(full, records))
            assert counts.endpoint_sets_removed == counts.prefixes_removed == counts.fqdns_removed == 0, body[-200:]
            assert sum(map(member_count, records)) >= sum(map(member_count, full)), body[-200:]
    assert sum(results) >= len(results) // 3


@pytest.mark.parametrize("name", ENGLISH)
def test_a_page_of_html_cut_short_is_refused(name: str) -> None:
    """A whole page ends with its closing tag."""
    line = PAGES[name]
    page = next(html for path in reversed(line.paths) if (html := rendered(path)))
    document = HistoricFile(page.name, page, NOW).document(NOW)
    end = document.body.rindex(b"</html")
    for at in [end, *random.Random(end).sample(range(1, end), 10)]:
        with pytest.raises(ParseError):
            line.source.records(replace(document, body=document.body[:at]))


@pytest.mark.parametrize("name", [*ENGLISH, *TABLES])
def test_half_of_a_source_gone_is_held(name: str) -> None:
    """Half the records, whichever, or half of the members of each."""
    line = PAGES.get(name) or TABLES[name]
    if line.name == "service-tags/Public":
        line = replace(line, paths=line.paths[:1])  # the smallest archive
    _, full = newest(line)
    halves = [full[: len(full) // 2], full[::2], tuple(map(halved, full))]
    for half in halves:
        assert unsafe_reasons(line.source.guard, full, half, diff(full, half))


def halved(record: EndpointSet) -> EndpointSet:
    fields = {field: kept[: len(kept) // 2] for field in ("prefixes", "fqdns", "service_tags", "patterns")
              if (kept := getattr(record, field))}  # fmt: skip
    attributes = record.attributes
    if attributes and attributes.gateway_regions:
        regions = attributes.gateway_regions
        fields["attributes"] = replace(attributes, gateway_regions=regions[: len(regions) // 2])
    return replace(record, **fields)


_ADDRESS = re.compile(rb"(?<![\d.])(?:[1-9]\d{0,2}\.)\d{1,3}\.\d{1,3}\.\d{1,3}(?:/\d+)?(?![\d.])")
_WITH_ADDRESSES = (
    "power-automate-limits-and-config",
    "power-automate-approvals-email",
    "power-apps-limits-and-config",
    "logic-apps-limits-and-config/en",
    "microsoft-365/worldwide",
    "service-tags/China",
)


_NOT_PUBLIC = (b"127.0.0.1", b"10.1.2.3", b"192.168.0.1", b"0.0.0.0", b"169.254.169.254")


@pytest.mark.parametrize("name", _WITH_ADDRESSES)
def test_an_address_that_is_not_public_never_publishes(name: str) -> None:
    """Loopback stood in a published list for months (sources.md D1.28): refused or held, also as a first version."""
    line = PAGES.get(name) or TABLES[name]
    document, full = newest(line, with_addresses=True)
    mask = b"/32" if document.provenance.media_type == "application/json" else b""
    for address in _NOT_PUBLIC:
        spoiled = replace(document, body=_ADDRESS.sub(address + mask, document.body, count=1))
        assert address in spoiled.body
        assert published(line.source, spoiled, full) is None
        assert published(line.source, spoiled, ()) is None


@pytest.mark.parametrize("name", ENGLISH)
def test_tables_of_nothing_publish_nothing(name: str) -> None:
    """The pages of 2018-11-28 that hold headings alone, and a page whose tables lost every row (sources.md D3)."""
    line = PAGES[name]
    document, full = newest(line)
    bodies = [path.read_bytes() for path in sorted((CORPUS / "docs" / "microsoft-365-includes").glob("*.md"))]
    rowless = re.sub(rb"(?m)^(?!\W*-+\W*\|)(?:\|.*|[^|\n]+\|.*|\s*[*+-] .*|.*ip4:.*)\n", b"", document.body)
    for body in (*bodies, rowless):
        assert published(line.source, replace(document, body=body), full) is None


@pytest.mark.parametrize("name", ["microsoft-365/worldwide", "service-tags/China"])
def test_lists_of_nothing_publish_nothing(name: str) -> None:
    """An empty array, and one of no tags."""
    line = TABLES[name]
    document, full = newest(line)
    for body in (b"[]", b'{"changeNumber": 1, "cloud": "China", "values": []}' + b" " * 2000):
        assert published(line.source, replace(document, body=body), full) is None


def polled(line: Line, names: tuple[str, str], folder: Path) -> list[str]:
    """The verdicts where two files of a line come in turn: N, N+1, N, N+1, N."""
    with opened_line(line) as files:
        pair = [file for file in files if Path(file.name).name.startswith(names)]
        copies = [replace(file, path=folder / str(place)) for place, file in enumerate(pair)]
        for file, copy in zip(pair, copies, strict=True):
            copy.path.write_bytes(file.path.read_bytes())
    older, newer = copies
    return [one.result for one in replayed(line.source, (older, newer, older, newer, older))]


def test_release_day_flapping_publishes_nothing_twice(tmp_path: Path) -> None:
    """One client saw N, N+1, N, N+1 within hours: that is two versions, whatever comes back (sources.md T2)."""
    weeks = ("ServiceTags_China_20250303", "ServiceTags_China_20250310")
    verdicts = [PUBLISHED, PUBLISHED, STALE, UNCHANGED, STALE]
    assert polled(TABLES["service-tags/China"], weeks, tmp_path) == verdicts


def test_a_page_that_flips_within_a_day_publishes_nothing_twice(tmp_path: Path) -> None:
    """A column came and went within hours (sources.md D3); the page's older form is not published again."""
    line = PAGES["power-automate-ip-address-configuration"]
    verdicts = [PUBLISHED, PUBLISHED, STALE, UNCHANGED, STALE]
    assert polled(line, ("006_", "007_"), tmp_path) == verdicts
