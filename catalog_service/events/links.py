"""Where a message leads to: absolute addresses of pages and of REST, as `api` serves them.

In: what a message is about, and the filter it was matched with. Out: `Links`. Called by `committed` and `messages`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote, urlencode

from msgspec import Struct

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
    query = urlencode((*(("source", source) for source in sources), *_query(wanted)))
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


def _query(wanted: EventFilter) -> Iterator[tuple[str, str]]:
    """Yield which changes ``wanted`` keeps, as parameters of `/v1/diff`, in one order; its sources left out."""
    several = (
        ("service", wanted.services),
        ("tag", wanted.tags),
        ("cloud", wanted.clouds),
        ("region", wanted.regions),
        ("direction", wanted.directions),
        ("kind", wanted.kinds),
        ("impact", wanted.impacts),
    )
    yield from ((name, value) for name, values in several for value in values)
    if wanted.impact_at_least:
        yield "impact_at_least", wanted.impact_at_least
    if wanted.family is not Family.BOTH:
        yield "family", wanted.family
    if wanted.only:
        yield "only", wanted.only
    if wanted.material:
        yield "material", "yes"
