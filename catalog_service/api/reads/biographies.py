"""When something was listed: a prefix, an address, a name, a URL's host or a record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from catalog_service.api.reads.asked import Sources, naming
from catalog_service.api.reads.chronicles import chronicles_of
from catalog_service.catalog.biography import (
    Deed,
    Stay,
    Subject,
    member_stays,
    members_of,
    record_series,
    record_stays,
)
from catalog_service.catalog.chronicle import Chronicle
from catalog_service.catalog.lookup import Relation
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.target import Target, read_target
from catalog_service.reader import Reader
from catalog_service.views.biographies import (
    Biography,
    Event,
    KnownSince,
    Listing,
    ThatDay,
    life,
    member_events,
    record_events,
)
from schema.errors import BadParameterError, UnknownEndpointSetError
from schema.version import Point


async def biography(
    reader: Reader, sources: Sources, query: str, names: tuple[str, ...] = (), on: str | None = None
) -> Biography:
    """Return when what ``query`` names was listed, by the sources ``names`` or, when there are none, by any.

    ``query``: an address, a CIDR block, a host name, a URL or a record's id. ``on``: a date or date-time to tell of.

    Raises:
        BadParameterError: ``query`` or ``on`` cannot be understood.
        UnknownEndpointSetError: the id of a record that no source ever listed.
        UnknownVersionError: nothing at all is known of the time ``on``.
        NotReadyError: nothing is known of any of the sources yet.
    """
    text = query.strip()
    point = await _instant(reader, on)
    known = {one.name for one in sources} | reader.current.by_source.keys()
    if (source := text.partition(":")[0]) in known:
        if names and source not in names:
            raise BadParameterError(f"{text!r} is a record of {source}", parameter="source")
        chronicles = await chronicles_of(reader, (source,))
        return _of_record(reader.current, chronicles, text, point)
    target = read_target(text)
    chronicles = await chronicles_of(reader, names)
    there = {chronicle.source for chronicle in chronicles}
    asked = [one.name for one in sources if (one.name in names if names else not one.archive)]
    missing = tuple(name for name in asked if name not in there)
    return await asyncio.to_thread(_of_member, reader.current, chronicles, text, target, point, missing)


async def _instant(reader: Reader, on: str | None) -> Point | None:
    if on is None:
        return None
    with naming("on"):
        point = await reader.resolve(on)
        if point.as_of is None or on.strip().isdigit():
            raise BadParameterError("a date or a date-time is needed, such as 2024-05-01", parameter="on", value=on)
    return point


def _of_member(
    snapshot: Snapshot,
    chronicles: tuple[Chronicle, ...],
    query: str,
    target: Target,
    point: Point | None,
    missing: tuple[str, ...],
) -> Biography:
    found = [
        (name, relation, tuple(stay for one in chronicles for stay in member_stays(one, name, _served(snapshot, one))))
        for name, relation in members_of(chronicles, target)
    ]
    subject = Subject.FQDN if target.block is None else Subject.PREFIX if "/" in target.text else Subject.ADDRESS
    lives = tuple(life(*one) for one in found)
    events = _in_order(event for one in found for event in member_events(*one))
    return Biography(
        query,
        subject,
        snapshot.version,
        any(one.listed for one in lives),
        lives,
        events,
        _known_since(chronicles),
        missing,
        target.text if target.rewritten else None,
        events[0] if events else None,
        _that_day(chronicles, found, point),
    )


def _of_record(snapshot: Snapshot, chronicles: tuple[Chronicle, ...], id_: str, point: Point | None) -> Biography:
    chronicle = next((one for one in chronicles if id_ in one.turns), None)
    if chronicle is None:
        raise UnknownEndpointSetError(f"no endpoint set {id_!r} was ever listed", parameter="q", id=id_)
    stays = record_stays(chronicle, id_, _served(snapshot, chronicle))
    itself = life(id_, Relation.EXACT, stays)
    events = tuple(record_events(chronicle, id_))
    return Biography(
        id_,
        Subject.RECORD,
        snapshot.version,
        itself.listed,
        (itself,),
        events,
        _known_since(chronicles),
        first=events[0],
        on=_that_day(chronicles, [(None, None, stays)], point),
        series=record_series(chronicle, id_),
    )


def _served(snapshot: Snapshot, chronicle: Chronicle) -> int | None:
    """Return the step of ``chronicle`` that ``snapshot`` serves, None where it serves nothing of the source."""
    content = snapshot.by_source.get(chronicle.source)
    return chronicle.step_of(content.version.version) if content else None


def _in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return ``events`` by time; in one version who left comes first, so that a move reads as one."""
    return tuple(sorted(events, key=lambda one: (one.at, one.version or 0, one.deed is not Deed.LEFT, one.id)))


def _known_since(chronicles: tuple[Chronicle, ...]) -> tuple[KnownSince, ...]:
    return tuple(KnownSince(one.source, one.moments[0].at, one.moments[0].version) for one in chronicles)


def _that_day(
    chronicles: tuple[Chronicle, ...],
    found: Iterable[tuple[str | None, Relation | None, tuple[Stay, ...]]],
    point: Point | None,
) -> ThatDay | None:
    if point is None or (at := point.as_of) is None:
        return None
    then = [(one, one.step_at(at)) for one in chronicles]
    valid = {one.source: one.moments[step].version for one, step in then if step is not None}
    by = tuple(
        Listing(stay.source, stay.record, valid[stay.source], name, relation)
        for name, relation, stays in found
        for stay in stays
        if stay.source in valid and stay.lasted_at(at)
    )
    unknown = tuple(one.source for one, step in then if step is None)
    return ThatDay(at, bool(by), by, unknown)
