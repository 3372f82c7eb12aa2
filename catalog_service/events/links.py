"""Where a message leads to: absolute addresses of pages and of REST, as `api` serves them.

In: what a message is about, and the filter it was matched with. Out: `Links`. Called by `committed` and `messages`, and
by the pages for the parameters of a diff.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote, urlencode

from msgspec import Struct
from msgspec.structs import replace

from catalog_service.catalog.compare import DiffFilter, least_of
from catalog_service.catalog.event_filter import diff_filter
from catalog_service.views.events import Links
from schema.source import SourceInfo
from schema.subscription import EventFilter
from schema.words import Family


class Origin(Struct, frozen=True):
    """The service that messages come from."""

    base_url: str
    """Its public address."""
    sources: tuple[SourceInfo, ...] = ()
    """What people call each source; one that is not among them goes by its name."""

    def title(self, source: str) -> str:
        """Return what people call ``source``."""
        return next((one.title for one in self.sources if one.name == source), source)

    def links(self, page: str, rest: str) -> Links:
        """Return links to paths that begin with a slash."""
        base = self.base_url.rstrip("/")
        return Links(f"{base}{page}", f"{base}{rest}")


def diff_links(origin: Origin, since: int, until: int, sources: Iterable[str], wanted: EventFilter) -> Links:
    """Return where the changes are that ``wanted`` keeps, of ``sources`` (none: all), between two versions."""
    query = urlencode(tuple(diff_query(diff_filter(replace(wanted, sources=tuple(sources))))))
    path = f"/diff/{since}...{until}{'?' if query else ''}{query}"
    return origin.links(path, f"/v1{path}")


def held_links(origin: Origin, id_: str) -> Links:
    """Return where a held version is."""
    return origin.links(f"/held/{quote(id_, safe='')}", f"/v1/held/{quote(id_, safe='')}")


def source_links(origin: Origin) -> Links:
    """Return where the sources and their states are."""
    return origin.links("/", "/v1/sources")


def subscription_links(origin: Origin, id_: str) -> Links:
    """Return where a subscription is."""
    return origin.links(f"/subscriptions/{quote(id_, safe='')}", f"/v1/subscriptions/{quote(id_, safe='')}")


def diff_query(wanted: DiffFilter) -> Iterator[tuple[str, str]]:
    """Yield which changes ``wanted`` keeps, as parameters of `/diff` and `/v1/diff`, in one order."""
    records = wanted.records
    several = (
        ("source", records.sources),
        ("service", records.services),
        ("tag", records.tags),
        ("cloud", records.clouds),
        ("region", records.regions),
        ("direction", records.directions),
        ("kind", records.kinds),
    )
    yield from ((name, value) for name, values in several for value in values)
    if least := least_of(wanted.impacts):
        yield "impact_at_least", least
    else:
        yield from (("impact", impact) for impact in wanted.impacts)
    if wanted.family is not Family.BOTH:
        yield "family", wanted.family
    if wanted.only:
        yield "only", wanted.only
    if wanted.material:
        yield "material", "yes"
