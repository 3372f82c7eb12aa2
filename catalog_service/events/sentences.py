"""What a message says in one sentence, to a person who has to decide whether a firewall must change.

    Azure service tags, Public, version 3: AddedIp in 2 endpoint sets (AzureConnectors, Storage), RemovedIpOrUrl in
    LogicApps: +2 -2 prefixes, 1 endpoint set new, 1 gone; open the firewall for what was added

In: what is told, and what of it was asked for. Out: text on one line, whatever upstream wrote. Called by `committed`
and `messages`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from catalog_service.catalog.compare import Compared, Comparison
from catalog_service.export.diffs.telling import cut, in_words, members_counted, one_line
from schema.change import Summary
from schema.event import EventType, Notice
from schema.version import Version
from schema.words import Impact, Only

_NAMED = 3
_LONGEST_NAME = 60
_LONGEST_REASON = 300
_ADVICE = {
    Impact.ADDED_IP: "open the firewall for what was added",
    Impact.ADDED_URL: "open the firewall or proxy for the new names",
    Impact.ADDED_IP_AND_URL: "open the firewall for the new addresses and names",
    Impact.ADDED_SUBSTITUTE_URL: "open the firewall or proxy for the new names, which replace a wildcard",
    Impact.REMOVED_IP_OR_URL: "nothing to open, close what was removed without haste",
    Impact.CHANGED_IS_EXPRESS_ROUTE: "nothing to open, see whether routes over ExpressRoute change",
    Impact.MOVED_IP_OR_URL: "nothing to open, unless rules follow endpoint sets: members moved between them",
    Impact.REMOVED_DUPLICATE_IP_OR_URL: "nothing to do: other endpoint sets still cover what was removed",
    Impact.OTHER_NON_PRIORITY_CHANGES: "nothing to open or close",
}
"""In the order of `Impact`: what asks for most stands first (`schema.words.at_least`)."""


def committed_in_words(
    titles: Sequence[str], versions: Sequence[Version], found: Comparison, only: Only | None, taken_back_count: int
) -> str:
    """Return what ``found``, which is not empty, asks for; ``titles`` are those of the sources, never none."""
    by_impact = [(impact, [one for one in found.entries if one.impact is impact]) for impact in Impact]
    met = [(impact, several) for impact, several in by_impact if several]
    groups = ", ".join(_group(impact, several, named=place == 0) for place, (impact, several) in enumerate(met))
    moved = ", ".join(filter(None, (members_counted(found.summary), *_sets(found.summary))))
    parts = [f"{_begin(titles, versions)}: {groups}{f': {moved}' if moved else ''}"]
    if only is not Only.REMOVED:  # what there is to open is not shown then
        parts += [_ADVICE[met[0][0]]]
    if taken_back_count:
        parts += [f"{taken_back_count} more came and went, or left and returned, meanwhile"]
    return "; ".join(parts)


def pruned_in_words(titles: Sequence[str], versions: Sequence[Version], summary: Summary) -> str:
    """Return what is still known of versions whose content is gone."""
    why = "its changes are not kept any more, so they cannot be shown or filtered"
    return f"{_begin(titles, versions)}: {in_words(summary)}; {why}"


def noticed_in_words(title: str, notice: Notice, served: int | None) -> str:
    """Return what happened to the source ``title``; ``served`` is the version of a held one's source."""
    why = _reasons_in_words(notice.reasons)
    if notice.type is EventType.HELD:
        changes = f"; accepting it means {in_words(notice.held.summary)}" if notice.held else ""
        last = f"version {served} goes on being served" if served else "nothing is served of it yet"
        return f"{one_line(title)}: a new version waits for a person to accept or reject it{why}{changes}; {last}"
    if notice.type is EventType.DEGRADED:
        return f"{one_line(title)} may be behind upstream{why}; the last good version goes on being served"
    since = f", degraded since {notice.since:%Y-%m-%d %H:%M}Z" if notice.since else ""
    return f"{one_line(title)} is read again{since}"


def disabled_in_words(id_: str, reasons: tuple[str, ...]) -> str:
    """Return why nothing more is sent to the subscription ``id_``."""
    return f"Subscription {id_} is disabled{_reasons_in_words(reasons)}; it waits for a person to resume it"


def ping_in_words(id_: str, *, is_challenge: bool) -> str:
    """Return what a ping of the subscription ``id_`` is for."""
    if is_challenge:
        return f"Subscription {id_} begins once its challenge is answered, or its code confirmed"
    return f"A test of subscription {id_}: messages arrive here"


def _begin(titles: Sequence[str], versions: Sequence[Version]) -> str:
    several = f" and {len(titles) - 1} more source{'' if len(titles) == 2 else 's'}" if len(titles) > 1 else ""
    first, last = versions[0].version, versions[-1].version
    numbers = f"version {last}" if first == last else f"versions {first} to {last}"
    return f"{cut(titles[0], _LONGEST_NAME)}{several}, {numbers}"


def _group(impact: Impact, entries: Sequence[Compared], *, named: bool) -> str:
    """Return how many records an impact is said of, and which: the first few, where they are ``named``."""
    if len(entries) == 1:
        return f"{impact} in {_name(entries[0])}"
    names = tuple(dict.fromkeys(map(_name, entries)))  # rows of a page share their title
    between = "; " if any("," in name for name in names) else ", "
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    which = f" endpoint sets ({between.join(names[:_NAMED])}{more})" if named else ""
    return f"{impact} in {len(entries)}{which}"


def _sets(summary: Summary) -> Iterator[str]:
    if count := summary.endpoint_sets_added:
        yield f"{count} endpoint set{'' if count == 1 else 's'} new"
    if count := summary.endpoint_sets_removed:
        yield (
            f"{count} gone" if summary.endpoint_sets_added else f"{count} endpoint set{'' if count == 1 else 's'} gone"
        )


def _name(entry: Compared) -> str:
    return cut(entry.record.title, _LONGEST_NAME)


def _reasons_in_words(reasons: tuple[str, ...]) -> str:
    if not reasons:
        return ""
    more = f" (and {len(reasons) - 1} more reason{'' if len(reasons) == 2 else 's'})" if len(reasons) > 1 else ""
    return f": {cut(reasons[0], _LONGEST_REASON)}{more}"
