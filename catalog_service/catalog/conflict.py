"""What a conflict is: a subject, and the parties that speak of it. Made by `conflicts`, `name_conflicts` and
`prefix_conflicts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from schema.endpoint_set import EndpointSet
from schema.words import Cloud, Direction


class ConflictKind(StrEnum):
    """What sources disagree on, or what is flagged."""

    PORTS = "ports"
    PROTOCOL = "protocol"
    CLOUD = "cloud"
    PREFIXES = "prefixes"
    PATTERN = "pattern"
    MID_WILDCARD = "mid-wildcard"


class Party(Struct, frozen=True, omit_defaults=True):
    """One source, and what it says of the subject."""

    source: str
    ids: tuple[str, ...]
    """Of the records that say so, sorted."""
    says: tuple[str, ...]
    """Ports, protocols, clouds, the type of a pattern; of prefixes their count."""
    only: tuple[str, ...] = ()
    """What no other party says."""
    lacks: tuple[str, ...] = ()
    """What others say and this one does not."""


class Conflict(Struct, frozen=True, omit_defaults=True):
    """One subject, and everyone who speaks of it: two parties or more, but for a flag."""

    kind: ConflictKind
    subject: str
    """A name, or a service."""
    parties: tuple[Party, ...]
    """Sorted by source."""
    clouds: tuple[Cloud, ...] = ()
    """Where; of a conflict of clouds none."""
    region: str | None = None
    direction: Direction | None = None


class Conflicts(Struct, frozen=True, omit_defaults=True):
    """``/v1/conflicts``: where sources disagree, and names that need a second look; sorted by kind and subject."""

    version: int
    items: tuple[Conflict, ...]
    missing: tuple[str, ...] = ()
    """Sources that have no part in it, as the catalogue has nothing of them."""
    as_of: datetime | None = None
    """Set where a date or an imported version was asked for: upstreams as they were then."""


BySource = Mapping[str, list[EndpointSet]]
"""Records, by the name of their source."""


def ids_of(records: Iterable[EndpointSet]) -> tuple[str, ...]:
    """Return the ids of ``records``, sorted, unique."""
    return tuple(sorted({record.id for record in records}))
