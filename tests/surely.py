"""A history, subscriptions to it, and whether what arrived is what should have: each version once, in order.

What a filter keeps is worked out from the history itself, one step after another, not by the product. Used by
tests/notify_crash.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

from msgspec import Struct

from schema.endpoint_set import EndpointSet, content_digest
from schema.subscription import Envelope, EventFilter, Payload, Subscription
from schema.words import Family, Only
from tests.api_client import PAGE, TAGS, row, tag
from tests.telling import subscription

_SERVICES = ("LogicApps", "Sql", "Storage")
_REGION = "westeurope"


class Touched(NamedTuple):
    """One record that a step adds members to or takes members from."""

    service: str
    region: str | None
    is_added: bool
    is_v6: bool = False


class Step(Struct, frozen=True):
    """One version: a source's whole content, and what is new in it."""

    number: int
    source: str
    records: tuple[EndpointSet, ...]
    touched: tuple[Touched, ...]

    @property
    def digest(self) -> str:
        return content_digest(self.records)


class Arrival(Struct, frozen=True):
    """One POST, as its receiver saw it; in the order in which they came."""

    subscription: str
    id: str
    versions: tuple[int, ...]
    body: str
    """Its hash."""
    is_taken: bool
    """The receiver answered 204, or would have, had the sender lived."""


class Left(Struct, frozen=True):
    """What the store holds once all is over."""

    is_whole: bool
    """The contents of versions 1, 2, 3 ... are those of the history."""
    relayed: int
    waiting: int = 0
    dead: int = 0
    due: int = 0
    claims: int = 0
    inactive: int = 0


def history(random: Random, count: int) -> tuple[Step, ...]:
    """Return ``count`` versions of two sources: nothing that went ever returns, so nothing can settle to nothing."""
    tags = {
        f"{service}{suffix}": [f"{10 + at}.{spare}.0.0/16" for spare in range(count)]
        for at, (service, suffix) in enumerate((one, end) for one in _SERVICES for end in ("", ".WestEurope"))
    }
    names = {key: [f"{spare}.{key}.example" for spare in range(count)] for key in ("flow", "portal")}
    steps = [_step(1, TAGS, tags, tuple(_tagged(one, is_added=True) for one in tags))]
    for number in range(2, count + 1):
        if number == 2 or random.random() < 0.4:
            key, is_added = random.choice(sorted(names)), number == 2 or random.random() < 0.6
            _move(names[key], f"n{number}.{key}.example", is_added)
            steps.append(_step(number, PAGE, names, (Touched("Power Automate", None, is_added),)))
        else:
            key, is_added, is_v6 = random.choice(sorted(tags)), random.random() < 0.6, random.random() < 0.3
            _move(tags[key], f"2603:{number:x}::/32" if is_v6 else f"40.{number}.0.0/16", is_added)
            steps.append(_step(number, TAGS, tags, (_tagged(key, is_added=is_added, is_v6=is_added and is_v6),)))
    return tuple(steps)


def _move(members: list[str], new: str, is_added: bool) -> None:
    if is_added:
        members.append(new)
    else:
        members.pop(0)  # of those that were there from the beginning


def _tagged(key: str, *, is_added: bool, is_v6: bool = False) -> Touched:
    service, _, region = key.partition(".")
    return Touched(service, _REGION if region else None, is_added, is_v6)


def _step(number: int, source: str, members: Mapping[str, Sequence[str]], touched: tuple[Touched, ...]) -> Step:
    if source == PAGE:
        records = [row(key, *found) for key, found in members.items()]
    else:
        records = [tag(key, *found, region=_REGION if "." in key else None) for key, found in members.items()]
    return Step(number, source, tuple(sorted(records, key=lambda one: one.id)), touched)


def subscriptions(url: Callable[[str], str]) -> tuple[Subscription, ...]:
    """Return subscriptions with different filters; those named ``settled`` are told in rounds."""
    tags, storage, added = (
        EventFilter(sources=(TAGS,)),
        EventFilter(services=("Storage",)),
        EventFilter(only=Only.ADDED),
    )
    filters = {
        "all": EventFilter(),
        "tags": tags,
        "page": EventFilter(sources=(PAGE,)),
        "storage": storage,
        "two": EventFilter(services=("Sql", "LogicApps")),
        "added": added,
        "removed": EventFilter(only=Only.REMOVED),
        "v6": EventFilter(sources=(TAGS,), family=Family.IPV6),
        "region": EventFilter(regions=(_REGION,)),
        "both": EventFilter(services=("Storage",), only=Only.ADDED),
    }
    each = [subscription(f"sub_{name}", url(f"/sub_{name}"), filter=one) for name, one in filters.items()]
    return (
        *each,
        subscription("sub_thin", url("/sub_thin"), payload=Payload.THIN),
        subscription("sub_ce", url("/sub_ce"), filter=tags, envelope=Envelope.CLOUDEVENTS),
        subscription("sub_settled_all", url("/sub_settled_all"), settle_s=60),
        subscription("sub_settled_storage", url("/sub_settled_storage"), settle_s=30, filter=storage),
        subscription("sub_settled_added", url("/sub_settled_added"), settle_s=90, filter=added),
    )


def wanted_of(wanted: EventFilter, steps: Iterable[Step]) -> list[int]:
    """Return the numbers of ``steps`` that ``wanted`` keeps something of."""
    return [step.number for step in steps if any(_keeps(wanted, step.source, one) for one in step.touched)]


def _keeps(wanted: EventFilter, source: str, one: Touched) -> bool:
    return (
        (not wanted.sources or source in wanted.sources)
        and (not wanted.services or one.service in wanted.services)
        and (not wanted.regions or one.region in wanted.regions)
        and (wanted.only is None or one.is_added is (wanted.only is Only.ADDED))
        and (wanted.family is not Family.IPV6 or one.is_v6)
    )


def violations(
    made: Iterable[Subscription], steps: Sequence[Step], arrivals: Sequence[Arrival], left: Left
) -> Iterator[str]:
    """Yield, a sentence each, what is not as it was promised."""
    yield from of_ids(arrivals)
    for one in made:
        mine = [arrival for arrival in arrivals if arrival.subscription == one.id]
        wanted = wanted_of(one.filter, steps)
        yield from (f"{one.id}: {what}" for what in of_subscription(wanted, mine, is_settled=bool(one.settle_s)))
    if left != (rest := Left(is_whole=True, relayed=len(steps))):
        yield f"the store should be {rest}, and is {left}"


def duplicates(arrivals: Iterable[Arrival]) -> int:
    """Return how many arrivals a receiver that dedupes by id drops."""
    return sum(count - 1 for count in Counter(one.id for one in arrivals if one.is_taken).values())


def of_ids(arrivals: Iterable[Arrival]) -> Iterator[str]:
    bodies: dict[str, set[tuple[str, str]]] = {}
    for one in arrivals:
        bodies.setdefault(one.id, set()).add((one.subscription, one.body))
    yield from (f"{id_} has {len(found)} bodies" for id_, found in bodies.items() if len(found) > 1)


def of_subscription(wanted: Sequence[int], arrivals: Sequence[Arrival], *, is_settled: bool) -> Iterator[str]:
    """What is wrong at one receiver; a round may tell versions between two that match as well."""
    ids: dict[int, set[str]] = {}
    for one in arrivals:
        for version in one.versions:
            ids.setdefault(version, set()).add(one.id)
    yield from (f"version {version} has {len(found)} ids" for version, found in ids.items() if len(found) > 1)
    firsts: dict[str, Arrival] = {}
    for one in arrivals:
        if one.is_taken:
            firsts.setdefault(one.id, one)
    told = list(firsts.values())
    numbers = {version for one in told for version in one.versions}
    if missing := sorted(set(wanted) - numbers):
        yield f"versions {missing} never arrived"
    if not is_settled and (surplus := sorted(numbers - set(wanted))):
        yield f"versions {surplus} arrived and were not asked for"
    yield from (
        f"version {two.versions[-1]} arrived after {one.versions[-1]}"
        for one, two in pairwise(told)
        if two.versions[-1] <= one.versions[-1]
    )
