"""What every handler works with: the reader, the sources, the bodies kept; and what handlers share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol
from urllib.parse import urlencode

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from starlette.datastructures import QueryParams
from starlette.requests import Request

from catalog_service.api.actions import Actions
from catalog_service.api.answers import Answers, Body, Subject
from catalog_service.api.hub import Hub
from catalog_service.api.parameters import at_of, diff_filter_of, filter_of, is_number
from catalog_service.api.reads.asked import Answer, Sources
from catalog_service.api.reads.feeds import Feeds
from catalog_service.api.reads.filters import check_filter
from catalog_service.api.reads.past import Past
from catalog_service.catalog.compare import DiffFilter
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.events.bodies import Bodies
from catalog_service.events.links import Origin
from catalog_service.reader import Reader

Headers = tuple[tuple[str, str], ...]
encode = msgspec.json.encode


class Context(Struct, frozen=True):
    """What the handlers of one process share."""

    reader: Reader
    sources: Sources
    answers: Answers
    hub: Hub
    bodies: Bodies
    past: Past
    feeds: Feeds
    origin: Origin
    actions: Actions | None = None
    """What may be done beyond reading; None: nothing."""

    @property
    def base_url(self) -> str:
        """Where users reach the service, without a slash at its end."""
        return self.origin.base_url

    def filter(self, given: QueryParams) -> Filter:
        """Return the filter over records asked for, as `check_filter`. Raises BadParameterError, UnknownSourceError."""
        return check_filter(self.reader, self.sources, filter_of(given))

    def diff_filter(self, given: QueryParams) -> DiffFilter:
        """Return the filter over changes asked for, as `check_filter`. Raises BadParameterError, UnknownSourceError."""
        wanted = diff_filter_of(given)
        return replace(wanted, records=check_filter(self.reader, self.sources, wanted.records))

    async def indexed(self, at: str | None) -> Snapshot:
        """Return the snapshot with its lookup index, built off the event loop where it is not there yet."""
        snapshot = await self.reader.at(at)
        return snapshot if snapshot.warm else await asyncio.to_thread(snapshot.warm_up)


def subject(snapshot: Snapshot, route: str, query: str, varies: str = "Accept-Encoding") -> Subject:
    """Return what an answer of ``route`` to ``query`` is read from ``snapshot`` depends on."""
    return Subject(snapshot.identity, snapshot.version, route, query, varies, snapshot.as_of)


class Page(Protocol):
    """A page of a list."""

    @property
    def next(self) -> str | None:
        """The cursor of the next page, None on the last."""


def page(request: Request, found: Page, headers: Headers = (), shown: Struct | None = None) -> Body:
    """Return ``found``, with a Link to the next page relative to the address asked for, whatever proxy is before it.

    ``shown`` is what is sent, where that is less than ``found``.
    """
    data = encode(shown or found)
    if found.next is None:
        return Body(data, headers=headers)
    given = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    link = f'<?{urlencode([*given, ("cursor", found.next)])}>; rel="next"'
    return Body(data, headers=(("Link", link), *headers))


def lasting(given: QueryParams, wanted: Filter) -> bool:
    """Tell whether an answer is good for ever: scenarios, regions and references are read by this release's data."""
    return is_number(at_of(given)) and not (wanted.scenarios or wanted.regions or wanted.resolve)


def told(answer: Answer) -> Headers:
    """Return the headers that say what an answer was asked for and what it lacks; none where nothing is to be said."""
    return (
        *listed("Clouds", answer.clouds),
        *listed("Missing-Sources", answer.missing),
        *listed("Unresolved", (one.tag for one in answer.unresolved)),
        *listed("Unpublished", (f"{one.scenario}:{one.cloud}" for one in answer.unpublished)),
        *listed("Notes", (f"{one.scenario}:{one.cloud}" for one in answer.notes)),
    )


def listed(name: str, values: Iterable[str]) -> Headers:
    """Return the header ``X-Catalog-<name>`` with ``values``, each once; none where there are none."""
    text = ", ".join(dict.fromkeys(values))
    return ((f"X-Catalog-{name}", text),) if text else ()


def canonical(wanted: Struct) -> str:
    """Return the one text of ``wanted``: equal queries are equal text."""
    return encode(wanted).decode()
