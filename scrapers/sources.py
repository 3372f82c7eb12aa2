"""The sources this catalogue reads, as values in one list, and the ways to change that list.

In: the operator's addresses and the entry points of other distributions. Out: `Source` values and
the hosts they may be read from. Called by the composition root; a new source is one more value here
(README.md has the checklist).
"""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches
from importlib.metadata import entry_points
from urllib.parse import urlsplit

from msgspec import structs

from schema.errors import BadParameterError, UnknownSourceError
from schema.guard import GuardLimits
from schema.words import Cloud
from scrapers.microsoft_365 import fetch_microsoft_365, parse_microsoft_365
from scrapers.pages.sources import DOCS_PAGES
from scrapers.service_tags import fetch_service_tags, parse_service_tags
from scrapers.source import Source

ENTRY_POINTS = "catalog_service.sources"
"""Each names a `Source` or a tuple of them."""

_HOUR = 3600
_GERMANY_CLOSED_AT = datetime(2022, 3, 14, tzinfo=UTC)
"""A week after the last file known; the cloud itself ended on 2021-10-29."""
_DOWNLOAD = "https://www.microsoft.com/en-us/download/details.aspx?id="
_ENDPOINTS = "https://endpoints.office.com/endpoints/"
_HOSTS = (
    "*.download.microsoft.com",
    "docs.microsoft.com",
    "download.microsoft.com",
    "endpoints.office.com",
    "learn.microsoft.com",
    "www.microsoft.com",
)
"""Where the addresses below are, where the download pages point to, and where either may redirect."""


def _service_tags(name: str, title: str, cloud: Cloud, page: int, sets: tuple[int, int]) -> Source:
    # Of all weekly files 2019-2025, gaps between archives included: members removed at most 3.5 % (4.4 % in 2022),
    # tags removed at most 5.8 % (13.7 % in 2023). Held (sources.md T3, limits-and-faults.md A9, C2, docs/adr/0007):
    # more than 30 tags gone at once, four times; more than a quarter of the members added, each after months without
    # files: Public 44 %, China 28 %, US Government 80 % and 62 %.
    return Source(
        name=f"azure-service-tags-{name}",
        title=f"Azure service tags, {title}",
        cloud=cloud,
        url=f"{_DOWNLOAD}{page}",
        fetch=fetch_service_tags,
        parse=parse_service_tags,
        gives="IP prefixes of every Azure service, by region, with the features that take the tag",
        guard=GuardLimits(
            min_endpoint_sets=sets[0],
            max_endpoint_sets=sets[1],
            max_members_removed_share=0.05,
            max_endpoint_sets_removed_share=0.20,
            max_endpoint_sets_removed=30,
            max_members_added_share=0.25,
        ),
        interval_s=6 * _HOUR,
    )


def _microsoft_365(
    name: str, instance: str, title: str, cloud: Cloud, sets: tuple[int, int], members_removed: float
) -> Source:
    # A month touches one to three sets. Members removed between answers of Worldwide 2020-2023: at most 17.3 %
    # (2021-12), sets 10.2 % (2022-03); of the small instances' tables 2018-2020: 28.7 % (2019-01, one
    # address plan), sets 6.2 %; members added anywhere at most 12.2 %.
    return Source(
        name=f"microsoft-365-{name}",
        title=f"Microsoft 365 endpoints, {title}",
        cloud=cloud,
        url=f"{_ENDPOINTS}{instance}",
        fetch=fetch_microsoft_365,
        parse=parse_microsoft_365,
        gives="domains, IP prefixes and ports by service area, category and whether they are required",
        guard=GuardLimits(
            min_endpoint_sets=sets[0],
            max_endpoint_sets=sets[1],
            max_members_removed_share=members_removed,
            max_endpoint_sets_removed_share=0.15,
            max_members_added_share=0.25,
        ),
        interval_s=_HOUR,
    )


SOURCES: tuple[Source, ...] = (
    _service_tags("public", "public cloud", Cloud.PUBLIC, 56519, (500, 6000)),
    _service_tags("usgov", "US Government", Cloud.USGOV, 57063, (100, 1000)),
    _service_tags("china", "China", Cloud.CHINA, 57062, (100, 1000)),
    structs.replace(
        _service_tags("germany", "Germany (closed)", Cloud.GERMANY, 57064, (60, 200)), closed_at=_GERMANY_CLOSED_AT
    ),
    _microsoft_365("worldwide", "Worldwide", "worldwide and GCC", Cloud.PUBLIC, (40, 250), 0.20),  # 63 sets in 2026
    _microsoft_365("usgov-dod", "USGOVDoD", "US Government DoD", Cloud.USGOV_DOD, (12, 60), 0.30),  # 17 to 23 sets
    _microsoft_365(
        "usgov-gcchigh", "USGOVGCCHigh", "US Government GCC High", Cloud.USGOV_GCCHIGH, (12, 60), 0.30
    ),  # 17 to 23 sets
    _microsoft_365("china", "China", "operated by 21Vianet", Cloud.CHINA, (8, 50), 0.30),  # 11 to 16 sets
    *DOCS_PAGES,
)
"""In the order people see them."""


def configured(
    addresses: tuple[tuple[str, str], ...] = (), fresh: tuple[tuple[str, int], ...] = ()
) -> tuple[Source, ...]:
    """Return every source, entry points after our own, with ``addresses`` (source name, url) in place of the defaults.

    ``fresh`` (source name, seconds) sets objectives of freshness.

    Raises:
        UnknownSourceError: an address or an objective names no source.
        BadParameterError: two sources have one name, or an entry point is not a source.
    """
    sources = (*SOURCES, *_from_entry_points())
    names = [source.name for source in sources]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise BadParameterError(f"two sources are named {', '.join(doubled)}", parameter="sources")
    for name, _ in (*addresses, *fresh):
        source_named(sources, name)
    replaced, objectives = dict(addresses), dict(fresh)
    return tuple(
        structs.replace(source, url=replaced.get(source.name, source.url), fresh_s=objectives.get(source.name))
        for source in sources
    )


def source_named(sources: tuple[Source, ...], name: str) -> Source:
    """Return the source called ``name``. Raises UnknownSourceError, naming the closest ones."""
    for source in sources:
        if source.name == name:
            return source
    names = [source.name for source in sources]
    close = tuple(get_close_matches(name, names, n=3, cutoff=0.4))
    hint = f"; did you mean {' or '.join(close)}?" if close else f"; there are {', '.join(names)}"
    raise UnknownSourceError(f"no source is named {name!r}{hint}", parameter="source", source=name, close=close)


def allowed_hosts(sources: tuple[Source, ...]) -> tuple[str, ...]:
    """Return the hosts that ``sources`` may be read from, redirects included, sorted: the known ones and their own."""
    return tuple(sorted({*_HOSTS, *(host for source in sources if (host := urlsplit(source.url).hostname))}))


def _from_entry_points() -> tuple[Source, ...]:
    found: list[Source] = []
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        value = point.load()
        several = value if isinstance(value, tuple) else (value,)
        if not all(isinstance(one, Source) for one in several):
            raise BadParameterError(f"entry point {point.name} is not a Source or a tuple of them", parameter="sources")
        found.extend(several)
    return tuple(found)
