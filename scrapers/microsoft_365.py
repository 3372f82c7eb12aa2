"""Microsoft 365 endpoints: the web service that says its version first.

In: the address of an instance's endpoints. Out: one record an endpoint set. The version answer may
be cached for an hour and is never throttled, the endpoints answer is (sources.md M1): it is asked
when the version is newer than the one last seen, and once a day whatever the version says.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
from msgspec import Struct

from schema.document import Document, Reading
from schema.endpoint_set import Attributes, EndpointSet, endpoint_set
from schema.errors import FetchError
from schema.version import SourceState
from schema.words import Cloud, Direction
from scrapers.json_body import json_bytes, refused, rows
from scrapers.source import Source
from scrapers.upstream import Upstream

_VERSION = re.compile(r"\d{10}")
_REREAD_AFTER_S = 24 * 60 * 60
"""How long a version stands for its content: a node that lags may have served the old endpoints under the new
version, and China's endpoints have changed under one version (sources.md M1)."""

_MIN_BYTES = 200
_FEWEST = 3
"""The smallest instance ever published, Germany, had more sets; the guard holds each source's own minimum."""


async def fetch_microsoft_365(source: Source, upstream: Upstream, state: SourceState, now: datetime) -> Document | None:
    """Return the endpoints of the instance.

    None when its version is not newer than ``state.upstream_version`` and the endpoints were read whole within
    the last 24 hours.

    Raises:
        FetchError: the service cannot be read.
        ParseError: the version answer is not one, or is for another instance.
    """
    request = f"?ClientRequestId={uuid4()}"
    version_url, instance = _version_address(source.url)
    answer = await upstream.get(version_url + request, accept="application/json")
    if answer is None:
        raise FetchError(f"{version_url} answered nothing to an unconditional request", url=version_url)
    latest = _latest(answer.body, version_url, instance)
    if not _is_due(state, latest, now):
        return None
    endpoints = await upstream.get(source.url + request, accept="application/json")
    if endpoints is None:
        raise FetchError(f"{source.url} answered nothing to an unconditional request", url=source.url)
    return endpoints.document(now, upstream_version=latest, upstream_at=_version_date(latest))


def parse_microsoft_365(source: Source, document: Document) -> Reading:
    """Return one record an endpoint set.

    ``{"id": 153, "serviceArea": "Common", "serviceAreaDisplayName": "Microsoft 365 Common",
    "urls": ["*.flow.microsoft.com"], "tcpPorts": "443", "expressRoute": false, "category": "Default",
    "required": true}``
    -> ``EndpointSet(id="microsoft-365-worldwide:153", service="Common", title="Common 153",
    direction="outbound", fqdns=("*.flow.microsoft.com",), tcp_ports=("443",), ...)``

    Blank keys are absent, ports are free text, the order of urls means nothing (sources.md M1).

    Raises:
        ParseError: not a whole list of endpoint sets; every reason is listed.
    """
    url = document.provenance.url
    text = json_bytes(document.body, url=url, min_bytes=_MIN_BYTES)
    try:
        raw = msgspec.json.decode(text, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise refused(url, (f"not a list of endpoint sets: {error}",)) from error
    sets, unreadable = rows(raw, _Set, where="endpoint sets")
    reasons = [*unreadable, *_doubts(len(raw), sets)]
    records: list[EndpointSet] = []
    for one in sets:
        try:
            records.append(_record(source, one))
        except ValueError as error:
            reasons.append(f"endpoint set {one.id}: {error}")
    if reasons:
        raise refused(url, tuple(reasons))
    records.sort(key=lambda record: record.id)
    provenance = document.provenance
    return Reading(tuple(records), upstream_version=provenance.upstream_version, upstream_at=provenance.upstream_at)


class _Set(Struct, frozen=True, rename="camel"):
    id: int
    service_area: str
    service_area_display_name: str
    express_route: bool
    category: str
    required: bool
    urls: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()
    tcp_ports: str = ""
    udp_ports: str = ""
    notes: str = ""


class _Version(Struct, frozen=True):
    instance: str
    latest: str


def _record(source: Source, one: _Set) -> EndpointSet:
    """Build the record of one set. Worldwide is published for the public cloud and holds for GCC (sources.md D2)."""
    if not one.urls and not one.ips:
        raise ValueError("it has neither urls nor ips")
    if not one.tcp_ports and not one.udp_ports:  # all of 8,600 measured sets have one: a key was renamed
        raise ValueError("it has neither tcpPorts nor udpPorts")
    return endpoint_set(
        source.name,
        str(one.id),
        service=one.service_area,
        title=f"{one.service_area} {one.id}",
        cloud=source.cloud,
        clouds=(Cloud.PUBLIC, Cloud.USGOV) if source.cloud is Cloud.PUBLIC else (source.cloud,),
        direction=Direction.OUTBOUND,
        prefixes=one.ips,
        fqdns=one.urls,
        tcp_ports=(one.tcp_ports,),
        udp_ports=(one.udp_ports,),
        category=one.category,
        required=one.required,
        purpose=one.notes,
        attributes=Attributes(
            express_route=one.express_route,
            service_area=one.service_area,
            service_area_display_name=one.service_area_display_name,
        ),
    )


def _doubts(count: int, sets: list[_Set]) -> list[str]:
    """Return what is wrong with the list as a whole."""
    doubts = [f"only {count} endpoint sets, at least {_FEWEST} expected"] if count < _FEWEST else []
    seen: set[int] = set()
    for one in sets:
        if one.id in seen:
            doubts.append(f"endpoint set {one.id} is there twice")
        seen.add(one.id)
    return doubts


def _version_address(endpoints_url: str) -> tuple[str, str]:
    """``https://host/endpoints/Worldwide`` -> ``("https://host/version/Worldwide", "Worldwide")``."""
    before, word, instance = endpoints_url.rpartition("/endpoints/")
    if not word or not instance or "/" in instance or "?" in instance:
        raise FetchError(f"{endpoints_url} does not end in /endpoints/<instance>", url=endpoints_url)
    return f"{before}/version/{instance}", instance


def _latest(body: bytes, url: str, instance: str) -> str:
    """Return the newest version, ten digits YYYYMMDDNN. Instances differ in case between clients (sources.md M1)."""
    text = json_bytes(body, url=url, min_bytes=2)
    try:
        version = msgspec.json.decode(text, type=_Version)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise refused(url, (f"not a version answer: {error}",)) from error
    if version.instance.lower() != instance.lower():
        raise refused(url, (f"the version answer is for instance {version.instance!r}, not {instance!r}",))
    if not _VERSION.fullmatch(version.latest):
        raise refused(url, (f"{version.latest!r} is not a version of ten digits",))
    return version.latest


def _is_due(state: SourceState, latest: str, now: datetime) -> bool:
    if not state.upstream_version or latest > state.upstream_version:
        return True
    return state.read_at is None or now - state.read_at > timedelta(seconds=_REREAD_AFTER_S)


def _version_date(version: str) -> datetime | None:
    try:
        return datetime(int(version[:4]), int(version[4:6]), int(version[6:8]), tzinfo=UTC)
    except ValueError:
        return None
