"""What leads from one version to another, as far as it is asked for."""

from __future__ import annotations

import asyncio

from catalog_service.api.reads.asked import naming
from catalog_service.catalog.compare import DiffFilter, compare
from catalog_service.catalog.judged import pair_of
from catalog_service.catalog.scope import clouds_of
from catalog_service.catalog.select import Filter, select
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.reader import Reader
from catalog_service.store.contents import Difference
from catalog_service.views.diffs import Diff, diff_view
from schema.endpoint_set import EndpointSet
from schema.errors import NoMatchError
from schema.version import Point


async def diff_span(reader: Reader, since: str, until: str) -> tuple[Point, Point]:
    """Return the points that ``since`` and ``until`` name. Raises BadParameterError, UnknownVersionError.

    Both are of one moment: a version that comes between the two would make ``latest~1...latest`` two steps long.
    """
    served = reader.current
    with naming("from"):
        first = await reader.resolve(since, served)
    with naming("to"):
        return first, await reader.resolve(until, served)


async def diff_between(reader: Reader, since: Point, until: Point, wanted: DiffFilter, *, space: bool = False) -> Diff:
    """Return what ``wanted`` asks of what leads from one point to another; with ``space``, the addresses too.

    Raises:
        BadParameterError: nothing knows a region.
        NoMatchError: no record at the later point, and none that changed, is of a service or a tag asked for.
    """
    found = await reader.difference(since, until)
    after = await reader.snapshot(until)
    return await asyncio.to_thread(_answer, since, after, found, wanted, space=space)


def _answer(since: Point, after: Snapshot, found: Difference, wanted: DiffFilter, *, space: bool) -> Diff:
    _check_words(after, found, wanted.records)
    unknown = set(found.missing)
    records = {id_: one for id_, one in after.by_id.items() if one.source not in unknown} if unknown else after.by_id
    sources = {source.casefold() for source in wanted.records.sources}
    missing = tuple(source for source in found.missing if not sources or source.casefold() in sources)
    return diff_view(since, after.point, compare(found.changes, records, wanted, space=space), missing)


def _check_words(after: Snapshot, found: Difference, wanted: Filter) -> None:
    """Refuse a region, a service or a tag that no record has or had: "nothing changed" would be no answer to it."""
    if not (wanted.regions or wanted.services or wanted.tags):
        return
    left = tuple(pair.before or pair.record for pair in (pair_of(change, after.by_id) for change in found.changes))
    for region in wanted.regions:
        if not _has(left, Filter(regions=(region,))):
            clouds_of(after, region)
    for service in wanted.services:
        if not _has((*after.endpoint_sets, *left), Filter(services=(service,))):
            message = f"no endpoint set {after.name} is of a service or has a title {service!r}, and none that changed"
            raise NoMatchError(message, parameter="service", value=service, version=after.version)
    for tag in wanted.tags:
        if not _has((*after.endpoint_sets, *left), Filter(tags=(tag,))):
            message = f"no endpoint set {after.name} is the service tag {tag!r} or refers to it, and none that changed"
            raise NoMatchError(message, parameter="tag", value=tag, version=after.version)


def _has(records: tuple[EndpointSet, ...], wanted: Filter) -> bool:
    return bool(select(records, wanted))
