"""What may be published of a damaged document, judged without the parsers and without the guard: by its text.

In: the records and the bytes of the undamaged document, and those of the damaged one. Out: what is wrong, () where
nothing is. Called by test_garbage for what would be published.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address, ip_network, summarize_address_range

from schema.endpoint_set import EndpointSet

Records = tuple[EndpointSet, ...]
_NETWORKS = (re.compile(r"\d+\.\d+\.\d+\.\d+(?:/\d+)?"), re.compile(r"[0-9a-f]*:[0-9a-f:]+(?:/\d+)?"))
_RANGE = re.compile(r"(\d+\.\d+\.\d+\.\d+)\s*[-\N{EN DASH}]\s*(\d+\.\d+\.\d+\.\d+)")
_EMPHASIS = re.compile(r"[*_`\s]")
_MOST_MOVED = 0.10


def wrong(before: Records, after: Records, whole: bytes, damaged: bytes, small: int, new: int) -> tuple[str, ...]:
    """Return what is wrong with ``after``: ``small`` members may be lost or moved, and ``new`` ones may be there.

    | what must hold                                                     | because                                   |
    |--------------------------------------------------------------------|-------------------------------------------|
    | every member stands in the damaged text                            | nothing is made up                        |
    | no more than ``new`` members that the whole document does not have | damage between words makes no word        |
    | what the damaged text still has is still published, but a handful  | what cannot be read is refused, not left  |
    | no record has the members of another in place of all its own       | tables that change places are held        |
    | members that came to another record are a handful or a tenth       | so are sections that change places        |
    """
    return tuple(_found(before, after, stated(whole), stated(damaged), small, new))


def stated(body: bytes) -> Callable[[str], bool]:
    """Return what tells whether a member stands in ``body``, be it HTML, Markdown or JSON."""
    text = html.unescape(html.unescape(body.decode(errors="replace"))).replace("\\", "").lower()
    forms = (text, re.sub(r"<[^>]*>", " ", text), re.sub(r"<[^>]*>", "", text))
    networks = {one for form in forms for one in _networks(form)}
    words = tuple(_EMPHASIS.sub("", form) for form in forms)  # stars may have become emphasis (sources.md D1.5)

    def stands(member: str) -> bool:
        if "/" in member:
            return member in networks
        parts = member.split(".") if member[:1].isupper() else [member]  # "the USDoD East region of AzureCloud"
        return all(any(_EMPHASIS.sub("", part.lower()) in form for form in words) for part in parts)

    return stands


def members(record: EndpointSet) -> frozenset[str]:
    """Return the prefixes, names and tags of ``record``."""
    return frozenset((*record.prefixes, *record.fqdns, *record.service_tags))


def _found(
    before: Records, after: Records, stood: Callable[[str], bool], stands: Callable[[str], bool], small: int, new: int
) -> Iterator[str]:
    had, has = _all(before), _all(after)
    yield from (f"{one} stands nowhere in it" for one in sorted(has - had) + sorted(has & had) if not stands(one))
    if len(made := {one.removeprefix("*.") for one in has if not stood(one)}) > new:
        yield f"{sorted(made)[:5]} are new"
    if len(gone := [one for one in had - has if stands(one)]) > small:
        yield f"{sorted(gone)[:5]}, {len(gone)} in all, still stand in it and are gone"
    known = {one.id: members(one) for one in before}
    for one in after:
        own, now = known.get(one.id, frozenset()), members(one)
        if own and now and not own & now and any(now <= other for other in known.values()):
            yield f"{one.id} has another's members in place of its own"
    pairs = _pairs(before)
    left, came = pairs - _pairs(after), _pairs(after) - pairs
    moved = {member for _, member in left} & {member for _, member in came}
    if len(moved) > max(small, _MOST_MOVED * len(pairs)):
        yield f"{sorted(moved)[:5]}, {len(moved)} of {len(pairs)}, came to other records"


def _networks(text: str) -> Iterator[str]:
    for one in (found for pattern in _NETWORKS for found in pattern.findall(text)):
        try:
            yield str(ip_network(one, strict=False))
        except ValueError:
            continue
    for first, last in _RANGE.findall(text):
        try:
            yield from map(str, summarize_address_range(ip_address(first), ip_address(last)))
        except ValueError:
            continue


def _all(records: Records) -> frozenset[str]:
    return frozenset().union(*map(members, records))


def _pairs(records: Iterable[EndpointSet]) -> frozenset[tuple[str, str]]:
    return frozenset((one.id, member) for one in records for member in members(one))
