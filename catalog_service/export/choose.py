"""The records of an allowlist, or an error: never a list that is silently empty or short.

In: a snapshot and a `Filter`. Out: the view of it. Called by REST, GraphQL and the command line.
"""

from __future__ import annotations

from catalog_service.catalog.select import Filter, select
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import View, view
from schema.errors import NoMatchError, UnresolvedTagsError


def chosen(snapshot: Snapshot, wanted: Filter) -> View:
    """Return what ``wanted`` sees of ``snapshot``: entries sorted by id, never none.

    Each value given must keep at least one record: one that keeps none beside others that do, misspelled
    or not published yet, would shorten the list without a sign. What is short because a source was not read
    yet is the view's ``missing``, for the caller to tell.

    Raises:
        NoMatchError: nothing is kept, or one of those words keeps nothing.
        UnresolvedTagsError: it refers to tags without a prefix.
    """
    found = view(snapshot, wanted)
    _check_published(snapshot, wanted, found)
    _check_resolved(snapshot, found)
    if not found.entries:
        raise NoMatchError(f"no endpoint set of version {snapshot.version} passes the filter", version=snapshot.version)
    # A record without members (a geography's row) lists nothing, whatever it is called.
    listed = tuple(record for record in found.records if record.kinds)
    for parameter, alone in _words(wanted):
        for value, one in alone:
            if not select(listed, one):
                raise _adds_nothing(parameter, value, snapshot)
    uses = {use for entry in found.entries for use in entry.scenarios}
    for name in wanted.scenarios:
        if name not in {use.scenario for use in uses}:
            raise _adds_nothing("scenario", name, snapshot)
    for direction in wanted.directions if wanted.scenarios else ():
        if direction not in {use.direction for use in uses}:
            raise _adds_nothing("direction", direction.value, snapshot)
    return found


def _check_published(snapshot: Snapshot, wanted: Filter, found: View) -> None:
    """Refuse a scenario without an answer, at all or for a cloud asked for by name, and what is only unread."""
    answered = {use.scenario for entry in found.entries for use in entry.scenarios}
    if found.missing and not found.entries:
        message = f"there is nothing of {' and '.join(found.missing)} at version {snapshot.version}"
        raise NoMatchError(message, missing=found.missing, version=snapshot.version)
    lacking = [one for one in found.unpublished if one.cloud in wanted.clouds or one.scenario not in answered]
    if lacking:
        sentences = " ".join(dict.fromkeys(one.sentence for one in lacking))
        message = f"{lacking[0].scenario}: {sentences}"
        raise NoMatchError(message, parameter="scenario", value=lacking[0].scenario, version=snapshot.version)


def _check_resolved(snapshot: Snapshot, found: View) -> None:
    """Refuse what would lack the prefixes of a tag whose file was read."""
    lost = [one for one in found.unresolved if not one.unread]
    if lost:
        tags = tuple(dict.fromkeys(f"{one.source}:{one.tag}" for one in lost))
        message = f"no file of version {snapshot.version} has the prefixes of {', '.join(tags)}"
        by = tuple(dict.fromkeys(one.by for one in lost))
        raise UnresolvedTagsError(message, parameter="resolve", tags=tags, by=by, version=snapshot.version)


def _adds_nothing(parameter: str, value: str, snapshot: Snapshot) -> NoMatchError:
    message = f"{parameter} {value!r} adds no endpoint set at version {snapshot.version}"
    return NoMatchError(message, parameter=parameter, value=value, version=snapshot.version)


def _words(wanted: Filter) -> tuple[tuple[str, tuple[tuple[str, Filter], ...]], ...]:
    """Return each value by itself as a filter, by parameter.

    A scenario judges its clouds, regions and directions by itself: what is not regional belongs to every region,
    and a service tag is of no direction.
    """
    words = (
        ("source", tuple((value, Filter(sources=(value,))) for value in wanted.sources)),
        ("service", tuple((value, Filter(services=(value,))) for value in wanted.services)),
        ("kind", tuple((value.value, Filter(kinds=(value,))) for value in wanted.kinds)),
    )
    if wanted.scenarios:
        return words
    return (
        *words,
        ("cloud", tuple((value.value, Filter(clouds=(value,))) for value in wanted.clouds)),
        ("region", tuple((value, Filter(regions=(value,))) for value in wanted.regions)),
        ("direction", tuple((value.value, Filter(directions=(value,))) for value in wanted.directions)),
    )
