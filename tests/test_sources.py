"""The list of sources, and what an operator may change about it."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec import Struct

from catalog_service.catalog.diff import diff
from catalog_service.catalog.guard import unsafe_reasons
from schema.document import Document, Provenance
from schema.endpoint_set import EndpointSet
from schema.errors import FetchError, ParseError, UnknownSourceError
from schema.version import SourceState
from schema.words import Cloud
from scrapers.client import ClientSettings, allowed_address
from scrapers.mirror import guessed_media_type
from scrapers.source import Source
from scrapers.sources import SOURCES, allowed_hosts, configured, source_named
from scrapers.upstream import Response, Upstream
from tests.test_service_tags import NOW, files

NAMES = (
    "azure-service-tags-public",
    "azure-service-tags-usgov",
    "azure-service-tags-china",
    "azure-service-tags-germany",
    "microsoft-365-worldwide",
    "microsoft-365-usgov-dod",
    "microsoft-365-usgov-gcchigh",
    "microsoft-365-china",
    "power-automate-ip-address-configuration",
    "power-automate-limits-and-config",
    "power-automate-regions-overview",
    "managed-connectors-outbound-ip-addresses",
    "logic-apps-limits-and-configuration",
    "power-automate-approval-email",
    "power-platform-online-requirements",
    "power-automate-us-government",
    "power-apps-limits",
)


PAGES = (
    "power-automate/ip-address-configuration",
    "power-automate/limits-and-config",
    "power-automate/regions-overview",
    "connectors/common/outbound-ip-addresses",
    "azure/logic-apps/logic-apps-limits-and-configuration",
    "troubleshoot/power-platform/power-automate/approvals/power-automate-approval-email-information",
    "power-platform/admin/online-requirements",
    "power-automate/us-govt",
    "power-apps/limits-and-config",
)


def test_default_addresses() -> None:
    """Seventeen sources, in the order people see them, at their public addresses (sources.md)."""
    assert tuple(source.name for source in SOURCES) == NAMES
    download = "https://www.microsoft.com/en-us/download/details.aspx?id="
    assert [source.url for source in SOURCES[:4]] == [f"{download}{page}" for page in (56519, 57063, 57062, 57064)]
    instances = ("Worldwide", "USGOVDoD", "USGOVGCCHigh", "China")
    assert [source.url.rpartition("/endpoints/")[2] for source in SOURCES[4:8]] == list(instances)
    assert [source.url for source in SOURCES[8:]] == [f"https://learn.microsoft.com/en-us/{page}" for page in PAGES]
    assert [source.cloud for source in SOURCES[4:8]] == [
        Cloud.PUBLIC,
        Cloud.USGOV_DOD,
        Cloud.USGOV_GCCHIGH,
        Cloud.CHINA,
    ]
    assert [source.name for source in SOURCES if source.archive] == ["azure-service-tags-germany"]


def test_every_source_says_what_it_gives_and_has_a_band() -> None:
    """Words for people who choose, and limits that are of this source: at least and at most so many records."""
    for source in SOURCES:
        assert source.gives
        assert 1 < source.guard.min_endpoint_sets < source.guard.max_endpoint_sets < 10_000


def test_own_addresses() -> None:
    """An operator's address replaces the default of one source and leaves the others."""
    own = "https://copies.example/service-tags.aspx"
    sources = configured(((NAMES[1], own),))
    assert sources[1].url == own
    assert sources[:1] + sources[2 : len(SOURCES)] == SOURCES[:1] + SOURCES[2:]
    assert sources[1].guard == SOURCES[1].guard


def test_address_of_no_source() -> None:
    """An address for a source that does not exist is refused, naming the closest ones."""
    with pytest.raises(UnknownSourceError, match="did you mean microsoft-365-china") as caught:
        configured((("microsoft365-china", "https://h/"),))
    assert "microsoft-365-china" in str(caught.value.facts["close"])


def test_source_named() -> None:
    """A source is found by its name; for a name like no other all are listed."""
    assert source_named(SOURCES, NAMES[4]) is SOURCES[4]
    with pytest.raises(UnknownSourceError, match="there are azure-service-tags-public"):
        source_named(SOURCES, "qqq")


def test_entry_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another distribution adds its sources through an entry point, after our own."""
    (tmp_path / "another.py").write_text(
        "from msgspec.structs import replace\nfrom scrapers.sources import SOURCES\n"
        "ONE = replace(SOURCES[0], name='another-one')\nTWO = (replace(SOURCES[0], name='another-two'),)\n"
    )
    info = tmp_path / "another-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: another\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[catalog_service.sources]\none = another:ONE\ntwo = another:TWO\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert tuple(source.name for source in configured()) == (*NAMES, "another-one", "another-two")


def test_allowed_hosts() -> None:
    """Default addresses, the files their pages name and an operator's own host may be asked; nothing else."""
    hosts = allowed_hosts(configured(((NAMES[0], "https://copies.example/x"),)))
    assert list(hosts) == sorted(hosts)
    settings = ClientSettings(allowed_hosts=hosts)
    file = "https://download.microsoft.com/download/7/1/d/71d86715/ServiceTags_Public_20260504.json"
    for url in (*(source.url for source in SOURCES), file, "https://copies.example/y"):
        assert allowed_address(url, settings)
    assert "copies.example" not in allowed_hosts(SOURCES)


class Everywhere(Struct, frozen=True):
    """An upstream that answers every address with one body."""

    body: bytes

    async def get(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = "*/*"
    ) -> Response | None:
        """Answer."""
        return Response(url, self.body, guessed_media_type(self.body))


async def records(source: Source, upstream: Upstream) -> tuple[EndpointSet, ...]:
    """What a run would publish."""
    document = await source.read(upstream, SourceState(), NOW)
    assert document is not None
    return source.records(document).endpoint_sets


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
async def test_error_bodies_publish_nothing(corpus: Path, source: Source) -> None:
    """No body that really came back instead of a document makes a single record of any source."""
    bodies = [path.read_bytes() for path in sorted((corpus / "errors").iterdir())]
    assert len(bodies) >= 13
    for body in (*bodies, b"", b"{}", b"[]"):
        with pytest.raises((FetchError, ParseError)):
            await records(source, Everywhere(body))


def test_real_answers_pass_the_guard(corpus: Path) -> None:
    """None of the 31 stored Worldwide answers of three years would have been held."""
    source = source_named(SOURCES, "microsoft-365-worldwide")
    bodies = [path.read_bytes() for path in sorted((corpus / "microsoft-365" / "worldwide").glob("*.json"))]
    provenance = Provenance(url=source.url, fetched_at=NOW, digest="sha256:0")
    contents = [source.records(Document(body, provenance)).endpoint_sets for body in bodies]
    for previous, current in pairwise(contents):
        assert unsafe_reasons(source.guard, previous, current, diff(previous, current)) == ()


@pytest.mark.parametrize(
    ("position", "archive", "since", "held"),
    [
        (0, "Public-2025", 2025, ["20250303"]),  # one tag keeps 4 of 272 prefixes
        (1, "AzureGovernment-2019-2025", 2025, []),
        (2, "China-2020-2025", 2024, []),
    ],
)
def test_real_weeks_pass_the_guard(corpus: Path, position: int, archive: str, since: int, held: list[str]) -> None:
    """Of two recent years of weekly files none would have been held but the one named."""
    source = SOURCES[position]
    provenance = Provenance(url=source.url, fetched_at=NOW, digest="sha256:0")
    wanted = re.compile(rf"_({since}|{since + 1})\d{{4}}\.json$")
    weeks = files(corpus / "service-tags" / f"{archive}.tar.xz", lambda name: bool(wanted.search(name)))
    contents = ((name, source.records(Document(body, provenance)).endpoint_sets) for name, body in weeks)
    verdicts = {
        name: unsafe_reasons(source.guard, previous, current, diff(previous, current))
        for (_, previous), (name, current) in pairwise(contents)
    }
    assert [name for name, reasons in verdicts.items() if reasons] == held
    assert len(verdicts) >= 20
