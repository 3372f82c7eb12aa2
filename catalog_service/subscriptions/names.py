"""What a filter names has to be there: a service that is misspelled would keep nothing, and nobody would know.

In: what is published now, and a filter, or the name of a saved one. Called by `desk`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from catalog_service.access.identity import Identity
from catalog_service.catalog.select import Filter, select, tags_named
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.spelling import nearest
from catalog_service.store.connect import Store
from schema.errors import BadParameterError, UnknownSubscriptionError
from schema.subscription import EventFilter

Published = Callable[[], Awaitable[Snapshot]]
"""Gives what is published now."""


async def check_saved(store: Store, name: str) -> None:
    """Raise BadParameterError where there is no saved filter ``name``; empty: none is named."""
    if name:
        try:
            await store.saved_filters.get(name)
        except UnknownSubscriptionError as error:
            raise BadParameterError(str(error), parameter="saved_filter") from None


async def check_unused(store: Store, name: str, asker: Identity) -> None:
    """Raise BadParameterError where subscriptions use the saved filter ``name``; it names those of ``asker``."""
    users = [one for one in await store.subscriptions.all() if one.saved_filter == name]
    if users:
        own = [one.id for one in users if asker.manages(one.owner)]
        whose, among = (str(len(own)), f", {own[0]} among them") if own else ("others'", "")
        raise BadParameterError(f"{whose} subscriptions use the filter {name}{among}", parameter="name")


async def check_names(published: Published, wanted: EventFilter) -> None:
    """Raise BadParameterError for a service or tag that no record has; a catalogue that is empty knows none."""
    records = (await published()).endpoint_sets if wanted.services or wanted.tags else ()
    if not records:
        return
    for service in wanted.services:
        if not select(records, Filter(services=(service,))):
            known = {name for record in records for name in (record.service, record.title)}
            raise _unknown("services", f"no endpoint set is of a service or has a title {service!r}", service, known)
    for tag in wanted.tags:
        if not select(records, Filter(tags=(tag,))):
            known = {name for record in records for name in tags_named(record)}
            raise _unknown("tags", f"no endpoint set is or refers to a service tag {tag!r}", tag, known)


def _unknown(field: str, message: str, value: str, known: set[str]) -> BadParameterError:
    close = nearest(value, known)
    hint = f"; did you mean {close}?" if close else ""
    return BadParameterError(f"{message}{hint}", parameter=f"filter.{field}", value=value)
