"""The records of an allowlist, or an error: never a list that is silently empty or short.

In: a snapshot and a `Filter`. Out: the view of it. Called by REST, GraphQL and the command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from catalog_service.catalog.resolve import Unresolved, references, unresolved
from catalog_service.catalog.scope import clouds_of
from catalog_service.catalog.select import Filter, select, tags_named
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.spelling import nearest
from catalog_service.catalog.view import View, view
from schema.errors import NoMatchError, UnresolvedTagsError
from schema.words import Kind

_NEAR = 0.8
"""A hint beside other reasons has to be a good one."""


def chosen(snapshot: Snapshot, wanted: Filter) -> View:
    """Return what ``wanted`` sees of ``snapshot``: entries sorted by id, never none.

    Each value given must keep at least one record: one that keeps none beside others that do, misspelled
    or not published yet, would shorten the list without a sign. A page that was not read yet is the view's
    ``missing``, and references that nobody asked to resolve are in its ``unresolved``, for the caller to tell.

    Raises:
        BadParameterError: as `view`.
        NoMatchError: nothing is kept, or one of those words keeps nothing; ``missing`` names the sources that were
            not read yet, where they are the reason.
        UnresolvedTagsError: it refers to tags without a prefix.
    """
    found = view(snapshot, wanted)
    if not (wanted.scenarios or wanted.resolve):
        found = replace(found, unresolved=tuple(_unasked(snapshot, wanted)))
    _check_read(snapshot, found)
    _check_published(snapshot, wanted, found)
    _check_resolved(snapshot, found)
    _check_words(snapshot, wanted, found)
    if wanted.scenarios:
        _check_uses(snapshot, wanted, found)
        _check_places(snapshot, wanted)
    if not _lists(found):
        message = f"no endpoint set that passes the filter has a member {snapshot.name}{hint_of(found)}"
        raise NoMatchError(message, version=snapshot.version)
    return found


def hint_of(found: View) -> str:
    """Return what a person who finds nothing listed may have meant; empty where there is nothing to say."""
    tags = dict.fromkeys(one.tag for one in found.unresolved if one.unasked)
    return f"; resolve=tags adds the prefixes of the service tags named: {', '.join(tags)}" if tags else ""


def _unasked(snapshot: Snapshot, wanted: Filter) -> Iterator[Unresolved]:
    """Yield the references of the records kept whose prefixes are not in the answer, as nobody asked for them."""
    if wanted.kinds == (Kind.FQDN,):
        return
    kept = select(snapshot.endpoint_sets, replace(wanted, kinds=()))
    listed = {record.id for record in kept}
    for record in kept:
        for cloud, tag, targets in references(snapshot, record, wanted.clouds):
            if not targets or any(target.id not in listed for target in targets):
                yield replace(unresolved(snapshot, record.id, tag, cloud), unasked=True)


def _check_read(snapshot: Snapshot, found: View) -> None:
    """Refuse what would lack the prefixes of a tag whose file was not read, or is all that was not read."""
    lost = [one for one in found.unresolved if one.unread and not one.unasked]
    if lost:
        missing = tuple(sorted({one.source for one in lost}))
        tags = ", ".join(dict.fromkeys(one.tag for one in lost))
        names = " ".join(missing)
        sync = f"`catalog-service {f'import {names} FILES' if snapshot.as_of else f'sync {names}'}` gets them"
        message = (
            f"there is nothing of {' and '.join(missing)} {snapshot.name}, and this needs its prefixes"
            f" of {tags}: {sync}, or narrow it with cloud="
        )
        raise NoMatchError(message, missing=missing, version=snapshot.version)
    if found.missing and not found.entries:
        message = f"there is nothing of {' and '.join(found.missing)} {snapshot.name}"
        raise NoMatchError(message, missing=found.missing, version=snapshot.version)


def _check_published(snapshot: Snapshot, wanted: Filter, found: View) -> None:
    """Refuse a scenario without an answer, at all or for a cloud asked for by name."""
    answered = {use.scenario for entry in found.entries for use in entry.scenarios}
    lacking = [one for one in found.unpublished if one.cloud in wanted.clouds or one.scenario not in answered]
    if lacking:
        sentences = " ".join(dict.fromkeys(one.sentence for one in lacking))
        message = f"{lacking[0].scenario}: {sentences}"
        raise NoMatchError(message, parameter="scenario", value=lacking[0].scenario, version=snapshot.version)


def _check_resolved(snapshot: Snapshot, found: View) -> None:
    """Refuse what would lack the prefixes of a tag whose file was read."""
    lost = [one for one in found.unresolved if not one.unasked]
    if lost:
        tags = tuple(dict.fromkeys(f"{one.source}:{one.tag}" for one in lost))
        message = f"no file has the prefixes of {', '.join(tags)} {snapshot.name}"
        by = tuple(dict.fromkeys(one.by for one in lost))
        raise UnresolvedTagsError(message, parameter="resolve", tags=tags, by=by, version=snapshot.version)


def _check_words(snapshot: Snapshot, wanted: Filter, found: View) -> None:
    """Refuse a word that keeps nothing beside others; where nothing is kept, one that keeps nothing by itself."""
    # A record without members (a geography's row) lists nothing, whatever it is called.
    listed = tuple(record for record in found.records if record.kinds) or snapshot.endpoint_sets
    published = tuple(snapshot.by_id[record.id] for record in listed)  # resolved, a record names no tag
    for parameter, alone in _words(wanted):
        for value, one in alone:
            if not select(published if parameter == "tag" else listed, one):
                hint = _close(value, _known(snapshot, parameter))
                raise _adds_nothing(snapshot, parameter, value, hint or hint_of(found))


def _known(snapshot: Snapshot, parameter: str) -> Iterator[str]:
    """Yield what may have been meant by ``parameter``: services and titles, or service tags."""
    for one in snapshot.endpoint_sets:
        if parameter == "service":
            yield from (one.service, one.title)
        elif parameter == "tag":
            yield from tags_named(one)


def _close(value: str, names: Iterable[str]) -> str:
    """Return a hint at that of ``names`` that is spelled nearly as ``value``; empty where none is, or it exists."""
    close = nearest(value, names, _NEAR)
    return f"; did you mean {close}?" if close and close.casefold() != value.casefold() else ""


def _check_uses(snapshot: Snapshot, wanted: Filter, found: View) -> None:
    """Refuse a scenario that finds nothing, and a direction in which none or not each does."""
    uses = {use for entry in found.entries for use in entry.scenarios}
    for direction in wanted.directions:
        if direction not in {use.direction for use in uses}:
            raise _adds_nothing(snapshot, "direction", direction.value)
    for name in wanted.scenarios:
        if name not in {use.scenario for use in uses}:
            said = f" for scenario {name!r}"
            if wanted.directions:
                raise _adds_nothing(snapshot, "direction", " or ".join(wanted.directions), said)
            raise _adds_nothing(snapshot, "scenario", name)


def _check_places(snapshot: Snapshot, wanted: Filter) -> None:
    """Refuse a cloud or a region that finds nothing by itself, whatever the others do."""
    homes = {region: clouds_of(snapshot, region) for region in wanted.regions}
    for cloud in wanted.clouds if len(wanted.clouds) > 1 else ():
        regions = tuple(region for region in wanted.regions if cloud in homes[region])
        if not _lists(view(snapshot, replace(wanted, clouds=(cloud,), regions=regions))):
            raise _adds_nothing(snapshot, "cloud", cloud.value)
    for region in wanted.regions if len(wanted.regions) > 1 else ():
        clouds = tuple(cloud for cloud in wanted.clouds if cloud in homes[region])
        if not _lists(view(snapshot, replace(wanted, clouds=clouds, regions=(region,)))):
            raise _adds_nothing(snapshot, "region", region)


def _lists(found: View) -> bool:
    return any(record.kinds for record in found.records)


def _adds_nothing(snapshot: Snapshot, parameter: str, value: str, said: str = "") -> NoMatchError:
    message = f"{parameter} {value!r} adds no endpoint set {snapshot.name}{said}"
    return NoMatchError(message, parameter=parameter, value=value, version=snapshot.version)


def _words(wanted: Filter) -> tuple[tuple[str, tuple[tuple[str, Filter], ...]], ...]:
    """Return each value by itself as a filter, by parameter.

    A scenario judges its clouds, regions and directions by itself: what is not regional belongs to every region,
    and a service tag is of no direction.
    """
    words = (
        ("source", tuple((value, Filter(sources=(value,))) for value in wanted.sources)),
        ("service", tuple((value, Filter(services=(value,))) for value in wanted.services)),
        ("tag", tuple((value, Filter(tags=(value,))) for value in wanted.tags)),
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
