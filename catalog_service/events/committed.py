"""A version that was committed, or several told as one, as the message that a filter asks for.

In: what there is to tell, and an `EventFilter`: `types` and `sources` choose among all events, the rest of it chooses
among the changes. Out: a `Message`, None where nothing was asked for. Pure; called by `bodies`.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import astuple, replace

from catalog_service.catalog.compare import Comparison, asked
from catalog_service.catalog.event_filter import diff_filter, passes
from catalog_service.catalog.judged import Judged
from catalog_service.catalog.select import Filter, select
from catalog_service.catalog.settle import TakenBack
from catalog_service.events.judgements import Told
from catalog_service.events.links import Origin, diff_links
from catalog_service.events.messages import encoded
from catalog_service.events.sentences import committed_in_words, pruned_in_words
from catalog_service.views.diffs import diff_entries
from catalog_service.views.events import CommittedData, Message, Settled
from schema.change import Summary
from schema.event import Event, EventType, Place
from schema.prefix import canonical_prefixes
from schema.subscription import EventFilter, Payload
from schema.version import Version
from schema.words import Kind, at_least

MOST_BYTES = 20_000
"""Of a message with the changes themselves; what would be longer goes without."""
_LEAST_ENTRY_BYTES = 200
_LEAST_MEMBER_BYTES = 8


def committed(told: Told, wanted: EventFilter, payload: Payload, origin: Origin) -> Message | None:
    """Return what ``wanted`` keeps of versions, as one message; None when it keeps nothing.

    Of versions that were pruned nobody knows what it would keep: they are told with the counts of the whole.
    """
    passing = tuple(one for one in told.versions if passes(Event(Place(one.version), version=one), wanted))
    if not passing or _contradicts_itself(wanted):
        return None
    if told.judged is None:
        return _pruned(told.previous, passing, wanted, origin)
    found = asked(told.judged, diff_filter(wanted))
    if not found.entries:
        return None
    sources = {entry.record.source for entry in found.entries}
    settled = _settled(told.taken_back, sources, wanted)
    count = len(settled.prefixes) + len(settled.fqdns)
    versions = tuple(one for one in passing if one.source in sources)
    summary = committed_in_words(_titles(versions, origin), versions, found, wanted.only, count)
    thin = _committed(told.previous, versions, summary, found.summary, _met(told.judged, found, wanted), origin)
    return thin if payload is Payload.THIN else _full(thin, found, settled if count else None)


def _contradicts_itself(wanted: EventFilter) -> bool:
    """Tell whether none of the impacts asked for asks as much as the least one: `impacts_asked` refuses that."""
    least = wanted.impact_at_least
    return bool(least and wanted.impacts and set(wanted.impacts).isdisjoint(at_least(least)))


def _committed(
    previous: int, versions: tuple[Version, ...], summary: str, counts: Summary, wanted: EventFilter, origin: Origin
) -> Message:
    sources = tuple(sorted({version.source for version in versions}))
    newest = versions[-1]
    data = CommittedData(
        version=newest.version,
        previous_version=previous,
        versions=tuple(version.version for version in versions),
        sources=sources,
        committed_at=newest.committed_at,
        summary=summary,
        counts=counts,
        links=diff_links(
            origin, previous, newest.version, sources if len(sources) == 1 else sorted(wanted.sources), wanted
        ),
    )
    return Message(EventType.COMMITTED, newest.committed_at, data)


def _met(whole: Judged, found: Comparison, wanted: EventFilter) -> EventFilter:
    """Return ``wanted`` without words that nothing found goes by: a link with one that is gone would be refused."""
    shown = {entry.change.id for entry in found.entries}
    sides = (side for pair in whole.pairs if pair.change.id in shown for side in (pair.before, pair.after))
    records = tuple(filter(None, sides)) if wanted.services or wanted.tags or wanted.regions else ()
    return replace(
        wanted,
        services=tuple(one for one in wanted.services if select(records, Filter(services=(one,)))),
        tags=tuple(one for one in wanted.tags if select(records, Filter(tags=(one,)))),
        regions=tuple(one for one in wanted.regions if select(records, Filter(regions=(one,)))),
    )


def _full(thin: Message, found: Comparison, settled: Settled | None) -> Message:
    """Return ``thin`` with the changes, where that is not too long."""
    members = sum(astuple(found.summary)[3:])
    if len(found.entries) * _LEAST_ENTRY_BYTES + members * _LEAST_MEMBER_BYTES > MOST_BYTES:
        return thin  # for sure: nothing is encoded to see how much
    full = replace(thin, data=replace(thin.data, changes=diff_entries(found), settled=settled))
    return full if len(encoded(full)) <= MOST_BYTES else thin


def _pruned(previous: int, versions: tuple[Version, ...], wanted: EventFilter, origin: Origin) -> Message:
    counts = Summary(*map(sum, zip(*(astuple(version.summary) for version in versions), strict=True)))
    summary = pruned_in_words(_titles(versions, origin), versions, counts)
    return _committed(previous, versions, summary, counts, wanted, origin)


def _settled(found: tuple[TakenBack, ...], sources: set[str], wanted: EventFilter) -> Settled:
    """Return what of ``found`` the message's sources took back, as far as it was asked for."""
    fields = replace(diff_filter(wanted).records, kinds=())
    passing = {record.id for record in select((one.record for one in found), fields) if record.source in sources}
    kept = [one for one in found if one.record.id in passing]
    kinds, families = wanted.kinds or tuple(Kind), wanted.family.numbers
    prefixes = {prefix for one in kept for prefix in one.prefixes if (6 if ":" in prefix else 4) in families}
    fqdns = {fqdn for one in kept for fqdn in one.fqdns}
    return Settled(
        canonical_prefixes(prefixes) if Kind.PREFIX in kinds else (),
        tuple(sorted(fqdns)) if Kind.FQDN in kinds else (),
    )


def _titles(versions: Iterable[Version], origin: Origin) -> tuple[str, ...]:
    return tuple(origin.title(source) for source in sorted({version.source for version in versions}))
