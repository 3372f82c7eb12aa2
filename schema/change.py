"""Changes: one endpoint set before and after, and all of them between two versions.

A changeset is enough by itself to go forward (`apply`), to be folded with the next one and to be
shown: a Remove carries the record it removes.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from msgspec import UNSET, Struct, UnsetType

from schema.endpoint_set import EndpointSet
from schema.words import Disposition

AttributeValue = str | int | bool | None | tuple[str, ...]


class AttributeChange(Struct, frozen=True, omit_defaults=True, gc=False):
    """One field or upstream attribute before and after; a side is absent where the field was."""

    name: str
    previous: AttributeValue | UnsetType = UNSET
    current: AttributeValue | UnsetType = UNSET


class Change(Struct, frozen=True, omit_defaults=True, gc=False):
    """One endpoint set between two versions. Member lists are in canonical order.

    An Add and a Remove list all members and carry the whole ``record``; a Change lists what differs.
    """

    id: str
    disposition: Disposition
    prefixes_added: tuple[str, ...] = ()
    prefixes_removed: tuple[str, ...] = ()
    fqdns_added: tuple[str, ...] = ()
    fqdns_removed: tuple[str, ...] = ()
    attributes: tuple[AttributeChange, ...] = ()
    """Sorted by name; only on a Change."""
    record: EndpointSet | None = None
    """The record added or removed; None on a Change."""


Changeset = tuple[Change, ...]
"""Sorted by id, one change an id, never an empty change."""


class Summary(Struct, frozen=True):
    """Counts of a changeset. Prefixes and fqdns are counted as (record, member) pairs."""

    endpoint_sets_added: int = 0
    endpoint_sets_removed: int = 0
    endpoint_sets_changed: int = 0
    prefixes_added: int = 0
    prefixes_removed: int = 0
    fqdns_added: int = 0
    fqdns_removed: int = 0


class Counted(Protocol):
    """What `summarize` counts: a `Change`, or one as it is published."""

    @property
    def disposition(self) -> Disposition: ...
    @property
    def prefixes_added(self) -> tuple[str, ...]: ...
    @property
    def prefixes_removed(self) -> tuple[str, ...]: ...
    @property
    def fqdns_added(self) -> tuple[str, ...]: ...
    @property
    def fqdns_removed(self) -> tuple[str, ...]: ...


def summarize(changes: Collection[Counted]) -> Summary:
    """Count ``changes``."""
    by_disposition = [change.disposition for change in changes]
    return Summary(
        endpoint_sets_added=by_disposition.count(Disposition.ADD),
        endpoint_sets_removed=by_disposition.count(Disposition.REMOVE),
        endpoint_sets_changed=by_disposition.count(Disposition.CHANGE),
        prefixes_added=sum(len(change.prefixes_added) for change in changes),
        prefixes_removed=sum(len(change.prefixes_removed) for change in changes),
        fqdns_added=sum(len(change.fqdns_added) for change in changes),
        fqdns_removed=sum(len(change.fqdns_removed) for change in changes),
    )
