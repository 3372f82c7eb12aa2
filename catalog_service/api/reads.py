"""What the catalogue can be asked: the functions under REST and GraphQL, so that both say the same.

In: a reader or a snapshot, and typed arguments. Out: the Structs of `views`. Those that take a
snapshot do no I/O.
"""

from __future__ import annotations

import asyncio
import contextlib
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec.structs import replace

from catalog_service.api.answers import content_of
from catalog_service.api.cursors import check_content, decode_cursor, encode_cursor
from catalog_service.catalog.conflict import ConflictKind, Conflicts
from catalog_service.catalog.conflicts import conflicts
from catalog_service.catalog.diff import diff
from catalog_service.catalog.lookup import LookupIndex
from catalog_service.catalog.scenarios import all_scenarios, scenario_named
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import Entry, View, view
from catalog_service.export.choose import chosen
from catalog_service.export.document import AllowlistView, allowlist_view
from catalog_service.export.formats import check_members, members
from catalog_service.reader import Reader
from catalog_service.views.changes import Diff, HeldView, VersionPage, change_views, diff_view
from catalog_service.views.lookups import Lookup, lookup_view
from catalog_service.views.records import RecordPage, entry_view
from catalog_service.views.scenarios import ScenarioView, scenario_view
from catalog_service.views.sources import SourceView, source_view
from schema.errors import (
    BadParameterError,
    NoMatchError,
    NotReadyError,
    RequestError,
    UnknownSourceError,
    UnknownVersionError,
)
from schema.source import SourceInfo
from schema.version import Point, SourceState, Version

Sources = tuple[SourceInfo, ...]


async def source_views(reader: Reader, sources: Sources) -> tuple[SourceView, ...]:
    """Return every source and how it is, in the order configured."""
    states = await reader.store.sources.states()
    held = {one.source: one for one in await reader.store.sources.held()}
    empty, snapshot = SourceState(), reader.current
    now = datetime.now(UTC)
    return tuple(source_view(one, snapshot, states.get(one.name, empty), held.get(one.name), now) for one in sources)


async def version_page(reader: Reader, source: str | None, limit: int, cursor: str | None) -> VersionPage:
    """Return versions, newest first, of ``source`` (in its own spelling) or of all. Raises BadParameterError."""
    wanted = Filter(sources=(source,) if source else ())
    before = decode_cursor("versions", cursor, wanted).point.version if cursor else None
    found = await reader.versions(source=source, before=before, limit=limit + 1)
    last = Point(found[limit - 1].version) if len(found) > limit else None
    more = encode_cursor("versions", last, "", wanted) if last else None
    return VersionPage(found[:limit], more)


async def one_version(reader: Reader, spec: str) -> Version:
    """Return the version that ``spec`` names. Raises BadParameterError, UnknownVersionError."""
    with naming("version"):
        number = (await reader.resolve(spec)).version
        if number == 0:
            raise UnknownVersionError("version 0 is the empty beginning; the first one is 1", value=spec)
        return await reader.store.versions.version(number)


async def page_start(reader: Reader, wanted: Filter, at: str | None, cursor: str | None) -> tuple[Snapshot, str]:
    """Return the snapshot that a page is cut from, and the id it starts after.

    A cursor decides the version, whatever ``at`` says by now; a number that contradicts it is refused.

    Raises:
        BadParameterError, UnknownVersionError: as `Reader.resolve`; or the cursor is not one of this query.
    """
    if cursor is None:
        return await reader.at(at), ""
    start = decode_cursor("records", cursor, wanted)
    with naming("cursor"):
        snapshot = await reader.snapshot(start.point)
    check_content(start, content_of(snapshot))
    if at and at.isdecimal() and (at.lstrip("0") or "0") != str(snapshot.version):
        raise BadParameterError(f"this cursor belongs to version {snapshot.version}", parameter="cursor")
    return snapshot, start.after


def record_page(snapshot: Snapshot, sources: Sources, wanted: Filter, after: str, limit: int) -> RecordPage:
    """Return up to ``limit`` records past the id ``after``, sorted by id. Raises BadParameterError."""
    found = _with_missing(view(snapshot, wanted), missing_sources(snapshot, sources, wanted))
    rest = found.entries[bisect_right(found.entries, after, key=_id) :]
    more = _cursor(snapshot, rest[limit - 1].record.id, wanted) if len(rest) > limit else None
    items = tuple(entry_view(snapshot, entry) for entry in rest[:limit])
    return RecordPage(
        snapshot.version,
        items,
        more,
        snapshot.as_of,
        found.clouds,
        found.unresolved,
        found.unpublished,
        found.notes,
        found.missing,
    )


async def diff_span(reader: Reader, since: str, until: str) -> tuple[Point, Point]:
    """Return the points that ``since`` and ``until`` name. Raises BadParameterError, UnknownVersionError."""
    with naming("from"):
        first = await reader.resolve(since)
    with naming("to"):
        return first, await reader.resolve(until)


async def diff_between(reader: Reader, since: Point, until: Point, sources: tuple[str, ...]) -> Diff:
    """Return what leads from one point to another, of ``sources`` or of all when there are none."""
    found = await reader.difference(since, until)
    changes, missing = found.changes, found.missing
    if sources:
        wanted = {source.casefold() for source in sources}
        changes = tuple(change for change in changes if change.id.partition(":")[0].casefold() in wanted)
        missing = tuple(source for source in missing if source.casefold() in wanted)
    return await asyncio.to_thread(diff_view, since, until, changes, missing)


def looked_up(snapshot: Snapshot, sources: Sources, query: str, wanted: Filter) -> Lookup:
    """Return the records that cover ``query``: all, or those that scenarios want. Raises BadParameterError."""
    found = view(snapshot, wanted) if wanted.scenarios else View()
    index = LookupIndex(found.records) if wanted.scenarios else snapshot.index
    told = _with_missing(found, missing_sources(snapshot, sources, wanted))
    return lookup_view(query.strip(), snapshot, index.lookup(query), told)


def exported(reader: Reader, snapshot: Snapshot, sources: Sources, wanted: Filter, *, partial: bool = False) -> View:
    """Return the view of an allowlist, never without entries or members.

    ``partial``: without the pages of scenarios that nothing was published of yet; at an older version that is told,
    and no error.

    Raises:
        BadParameterError, NoMatchError, UnresolvedTagsError: as `chosen`.
        NotReadyError: what it needs was not read yet.
    """
    missing = check_published(reader, snapshot, sources, wanted)
    try:
        found = chosen(snapshot, wanted)
        check_members(snapshot, found, wanted.kinds)
    except NoMatchError as error:
        if error.facts.get("missing") and snapshot is reader.current:
            raise NotReadyError(str(error), **error.facts) from error
        raise
    if found.missing and snapshot is reader.current and not partial:
        names = " ".join(found.missing)
        message = (
            f"scenarios need {' and '.join(found.missing)}, and nothing of that was published yet: see"
            f" `catalog-service sync {names}` and `held list`; partial=yes (--partial) answers without"
        )
        raise NotReadyError(message, missing=found.missing)
    return _with_missing(found, missing)


def allowed(
    reader: Reader, snapshot: Snapshot, sources: Sources, wanted: Filter, *, partial: bool = False
) -> AllowlistView:
    """Return the allowlist as a document, never empty. Raises as `exported`."""
    found = exported(reader, snapshot, sources, wanted, partial=partial)
    return allowlist_view(snapshot, members(snapshot, found, wanted.kinds), found)


def scenario_views() -> tuple[ScenarioView, ...]:
    """Return every scenario."""
    return tuple(map(scenario_view, all_scenarios()))


def check_scenarios(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the scenarios called ``names`` in their own spelling. Raises BadParameterError."""
    return tuple(sorted({scenario_named(name).name for name in names}))


def check_place(wanted: Filter) -> None:
    """Raise BadParameterError for a lookup that names a region or a cloud without a scenario to ask there."""
    if not wanted.scenarios and (wanted.regions or wanted.clouds):
        raise BadParameterError("region and cloud go with a scenario here", parameter="scenario")


def conflicts_at(
    snapshot: Snapshot, sources: Sources, names: tuple[str, ...], kinds: tuple[ConflictKind, ...]
) -> Conflicts:
    """Return the conflicts and flags that one of the sources ``names`` has a part in, of ``kinds``; none: all."""
    return Conflicts(
        snapshot.version,
        tuple(
            one
            for one in conflicts(snapshot)
            if (not kinds or one.kind in kinds) and (not names or any(party.source in names for party in one.parties))
        ),
        missing_sources(snapshot, sources, Filter()),
        snapshot.as_of,
    )


async def held_view(reader: Reader, id_: str) -> HeldView:
    """Return a held version, and what accepting it would change now. Raises UnknownHeldError."""
    held = await reader.store.sources.held_version(id_)
    records = await reader.store.sources.held_records(id_)
    served = await reader.store.contents.content(held.source)
    changes = await asyncio.to_thread(diff, served.endpoint_sets if served else (), records)
    return HeldView(held, change_views(changes))


def check_ready(reader: Reader, at: str | None = None) -> None:
    """Raise NotReadyError before the first version, when ``at`` asks for the newest: nothing yet is not nothing."""
    if reader.current.version == 0 and (at or "latest") in {"latest", "0"}:
        raise NotReadyError("nothing has been published yet")


def check_sources(reader: Reader, sources: Sources, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sources called ``names`` in their own spelling.

    Raises:
        UnknownSourceError: a name is neither configured nor in the catalogue.
    """
    known = {name.casefold(): name for name in (*(one.name for one in sources), *reader.current.by_source)}
    for name in names:
        if name.casefold() not in known:
            listed = ", ".join(sorted(known.values()))
            message = f"no source is named {name!r}; there are {listed}"
            raise UnknownSourceError(message, parameter="source", value=name, known=tuple(sorted(known.values())))
    return tuple(known[name.casefold()] for name in names)


def missing_sources(snapshot: Snapshot, sources: Sources, wanted: Filter) -> tuple[str, ...]:
    """Return the configured sources that ``wanted`` does not leave out and that ``snapshot`` has nothing of.

    An answer is whole only when there is none. A source may speak for any cloud, so clouds do not count. Scenarios
    name the sources they need: what they miss is said in their answer.
    """
    if wanted.scenarios and not wanted.sources:
        return ()
    return tuple(
        one.name
        for one in sources
        if one.name not in snapshot.by_source and (one.name in wanted.sources if wanted.sources else not one.archive)
    )


def check_published(reader: Reader, snapshot: Snapshot, sources: Sources, wanted: Filter) -> tuple[str, ...]:
    """Return `missing_sources`, when there are others to draw from.

    Raises:
        NotReadyError: of the sources asked for by name there is nothing now: that is not an empty list.
        NoMatchError: there was nothing of them yet at an older version.
    """
    missing = missing_sources(snapshot, sources, wanted)
    if wanted.sources and not set(wanted.sources) - set(missing):
        message = f"there is nothing of {' and '.join(missing)} {snapshot.name}"
        raise (NotReadyError if snapshot is reader.current else NoMatchError)(message, sources=missing)
    return missing


@contextlib.contextmanager
def naming(parameter: str, *, instead_of: str | None = None) -> Iterator[None]:
    """Let errors of the block name ``parameter`` as the one to correct (only in place of ``instead_of``, if given)."""
    try:
        yield
    except RequestError as error:
        if instead_of in (None, error.facts.get("parameter")):
            error.facts["parameter"] = parameter
        raise


def _with_missing(found: View, missing: tuple[str, ...]) -> View:
    """Return ``found`` with ``missing`` before the sources it lacks, each once."""
    return replace(found, missing=tuple(dict.fromkeys((*missing, *found.missing))))


def _cursor(snapshot: Snapshot, after: str, wanted: Filter) -> str:
    return encode_cursor("records", snapshot.point, after, wanted, content_of(snapshot) if snapshot.as_of else "")


def _id(entry: Entry) -> str:
    return entry.record.id
