"""Ids of a docs page's records: made from content, distinct, the same wherever the row stands."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

import msgspec

from schema.endpoint_set import EndpointSet, content_digest
from schema.words import EVERY_CLOUD, US_GOVERNMENT, Cloud

_NOT_SLUG = re.compile(r"[^\w]+|_+")


def slug(text: str, max_length: int = 80) -> str:
    """Return the letters and digits of ``text`` in lower case, joined by ``-``; ``section`` when there are none."""
    return _NOT_SLUG.sub("-", text.lower()).strip("-")[:max_length].strip("-") or "section"


def cloud_slug(clouds: tuple[Cloud, ...]) -> str:
    """Return ``public``, ``all``, ``usgov-all``, or the clouds joined by ``+``, in the order of `Cloud`."""
    if clouds == EVERY_CLOUD:
        return "all"
    return "usgov-all" if clouds == US_GOVERNMENT else "+".join(clouds)


def distinct(records: Iterable[EndpointSet]) -> tuple[EndpointSet, ...]:
    """Return the records sorted by id, ids unique.

    Records that are equal but for their heading collapse to the first. Where an id is left twice,
    the first of protocols, purpose, title, direction and content that tells the records apart goes into it.
    """
    kept = {content_digest([record]): record for record in reversed(list(records))}
    told_apart = tuple(reversed(kept.values()))
    for suffix in (_protocols, _purpose, _title, _direction, _content):
        told_apart = _tell_apart(told_apart, suffix)
    return tuple(sorted(told_apart, key=lambda record: record.id))


def _tell_apart(records: tuple[EndpointSet, ...], suffix: Callable[[EndpointSet], str]) -> tuple[EndpointSet, ...]:
    counts = Counter(record.id for record in records)
    suffixes: defaultdict[str, set[str]] = defaultdict(set)
    for record in records:
        suffixes[record.id].add(suffix(record))
    return tuple(
        msgspec.structs.replace(record, id=f"{record.id}:{suffix(record)}")
        if counts[record.id] > 1 and len(suffixes[record.id]) > 1
        else record
        for record in records
    )


def _protocols(record: EndpointSet) -> str:
    return "+".join(record.protocols) or "any"


def _purpose(record: EndpointSet) -> str:
    return slug(record.purpose or "none")


def _title(record: EndpointSet) -> str:
    return slug(record.title)


def _direction(record: EndpointSet) -> str:
    return record.direction or "none"


def _content(record: EndpointSet) -> str:
    return content_digest([record]).removeprefix("sha256:")[:8]
