"""Filters over records, and an allowlist out of them.

In: a snapshot's records and a `Filter`. Out: the records that pass, in the order given; or the
unique prefixes and names they hold. Used by REST, GraphQL and the command line alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from catalog_service.catalog.resolve import tag_source
from schema.endpoint_set import EndpointSet
from schema.prefix import canonical_prefixes
from schema.regions import covered_codes
from schema.words import Cloud, Direction, Kind

_TAG_SOURCES = frozenset(map(tag_source, Cloud))


class Resolve(StrEnum):
    """What may be resolved in an answer."""

    TAGS = "tags"


class Filter(Struct, frozen=True, omit_defaults=True):
    """What to keep. Empty tuples keep everything; several values of one field are alternatives.

    Text is compared without case. ``service`` also matches a record's title, so that a full tag name
    such as ``AzureConnectors.WestEurope`` selects that tag. ``tags`` are service tags by their full names: each keeps
    the tag itself and every record that refers to it, before references are resolved. ``regions`` may be spelled any
    way the crosswalk knows, and a geography stands for its Azure regions too.
    """

    sources: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    clouds: tuple[Cloud, ...] = ()
    regions: tuple[str, ...] = ()
    directions: tuple[Direction, ...] = ()
    kinds: tuple[Kind, ...] = ()
    scenarios: tuple[str, ...] = ()
    """Names of scenarios in their own spelling; each asks for its own records, and resolves references."""
    resolve: bool = False
    """Whether references to service tags are replaced by the prefixes of those tags."""


class Allowlist(Struct, frozen=True):
    """Unique prefixes (v4 then v6, numerically sorted) and names (sorted)."""

    prefixes: tuple[str, ...]
    fqdns: tuple[str, ...]


def select(records: Iterable[EndpointSet], wanted: Filter) -> tuple[EndpointSet, ...]:
    """Return the records that ``wanted`` keeps, in their order."""
    sources, services, tags = map(_folded, (wanted.sources, wanted.services, wanted.tags))
    regions = frozenset[str]().union(*map(covered_codes, wanted.regions))
    clouds, directions, kinds = set(wanted.clouds), set(wanted.directions), set(wanted.kinds)
    return tuple(
        record
        for record in records
        if (not sources or record.source.casefold() in sources)
        and (not services or record.service.casefold() in services or record.title.casefold() in services)
        and (not tags or not tags.isdisjoint(map(str.casefold, tags_named(record))))
        and (not clouds or not clouds.isdisjoint(record.all_clouds))
        and (not regions or record.region in regions)
        and (not directions or record.direction in directions)
        and (not kinds or not kinds.isdisjoint(record.kinds))
    )


def tags_named(record: EndpointSet) -> tuple[str, ...]:
    """Return the service tags that ``record`` speaks of: the one that it is, or those it refers to."""
    return (record.title,) if record.source in _TAG_SOURCES else record.service_tags


def allowlist(records: Iterable[EndpointSet], kinds: tuple[Kind, ...] = ()) -> Allowlist:
    """Return the unique members of ``records``; ``kinds`` names which of prefixes and fqdns (default both)."""
    wanted = kinds or (Kind.PREFIX, Kind.FQDN)
    chosen = tuple(records)
    prefixes = {prefix for record in chosen for prefix in record.prefixes} if Kind.PREFIX in wanted else ()
    fqdns = {fqdn for record in chosen for fqdn in record.fqdns} if Kind.FQDN in wanted else ()
    return Allowlist(canonical_prefixes(prefixes), tuple(sorted(fqdns)))


def _folded(values: tuple[str, ...]) -> set[str]:
    return {value.casefold() for value in values}
