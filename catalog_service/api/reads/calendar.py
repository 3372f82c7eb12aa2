"""Days from which what upstreams announced may be in use.

Microsoft 365 publishes additions 30 days before they are used (features.md C1), Azure service tags a week before
(sources.md T); of other sources nothing is known. In: a filter. Out: days, in their order. Called by `rest.calendar`.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from msgspec.structs import replace

from catalog_service.api.reads.past import Past
from catalog_service.catalog.event_filter import passes
from catalog_service.events.committed import committed
from catalog_service.events.judgements import Told
from catalog_service.events.links import Origin
from catalog_service.export.feeds.calendar import Effective
from catalog_service.export.feeds.feed import event_id
from catalog_service.reader import Reader
from catalog_service.views.events import CommittedData
from schema.change import Summary
from schema.event import Event, EventType, Place
from schema.subscription import EventFilter, Payload
from schema.version import Version
from schema.words import Only

_Announcement = tuple[str, timedelta, str]
_AHEAD: tuple[_Announcement, ...] = (
    ("microsoft-365-", timedelta(days=30), "Microsoft 365 publishes additions 30 days before they are used."),
    ("azure-service-tags-", timedelta(weeks=1), "New prefixes of service tags are not used for at least one week."),
)
"""How a source's name begins, how long ahead it publishes, and that in words."""
_SINCE = timedelta(days=120)
_MOST_A_SOURCE = 100


async def effective_days(reader: Reader, past: Past, origin: Origin, wanted: EventFilter) -> tuple[Effective, ...]:
    """Return the days of what ``wanted`` keeps, of versions within 120 days before the newest; the earliest first.

    Raises:
        RedisError, OSError: the store is away.
    """
    if wanted.only is Only.REMOVED or not reader.current.contents:
        return ()
    added = replace(wanted, types=(EventType.COMMITTED,), only=Only.ADDED)
    since = max(one.version.committed_at for one in reader.current.contents) - _SINCE
    found: list[Effective] = []
    for announcement in _AHEAD:
        versions = await _announced(reader, announcement[0], since, added)
        async with past.walk() as walk:
            for version in versions:
                told = await walk.told(version)
                if day := await asyncio.to_thread(_day, told, origin, added, announcement):
                    found.append(day)
    return tuple(sorted(found, key=lambda one: (one.day, one.id)))


async def _announced(reader: Reader, name: str, since: datetime, wanted: EventFilter) -> list[Version]:
    """Return the versions of sources called ``name``... that announce something: a first one is no news."""
    numbers = [
        number
        for source in reader.current.by_source
        if source.startswith(name)
        for number in await reader.store.versions.line(source, reader.current.version + 1, _MOST_A_SOURCE)
    ]
    return [
        one
        for one in await reader.store.versions.versions(numbers)
        if one.committed_at >= since
        and one.previous
        and not one.rolled_back_to
        and (one.summary.prefixes_added or one.summary.fqdns_added)
        and passes(_event(one), wanted)
    ]


def _day(told: Told, origin: Origin, wanted: EventFilter, announcement: _Announcement) -> Effective | None:
    """Return from when what a version adds may be in use; None where it adds nothing that is wanted."""
    version, (_, ahead, rule) = told.versions[0], announcement
    message = committed(told, wanted, Payload.THIN, origin)
    if message is None or not isinstance(data := message.data, CommittedData):
        return None
    if not (data.counts.prefixes_added or data.counts.fqdns_added):
        return None
    published = min(version.upstream_at or version.fetched_at, version.fetched_at)
    return Effective(
        id=event_id(_event(version)),
        day=(published + ahead).date(),
        told_at=version.committed_at,
        summary=f"{origin.title(version.source)}: {_counted(data.counts)} of version {version.version} may be in use",
        description=f"{data.summary}. {rule}",
        url=data.links.page,
    )


def _event(version: Version) -> Event:
    return Event(Place(version.version), version)


def _counted(counts: Summary) -> str:
    """Return how much is added: ``3 prefixes and 1 name``."""
    told = ((counts.prefixes_added, "prefix", "prefixes"), (counts.fqdns_added, "name", "names"))
    return " and ".join(f"{count} {one if count == 1 else many}" for count, one, many in told if count)
