"""Versions, what leads from one to another, and versions held back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct, field

from schema.change import AttributeChange, Change, Changeset, Summary, summarize
from schema.version import HeldVersion, Point, Version
from schema.words import Disposition

_HELD_OTHERWISE = ("patterns", "service_tags", "tcp_ports", "udp_ports")


class VersionPage(Struct, frozen=True):
    """``/v1/versions``: newest first."""

    items: tuple[Version, ...]
    next: str | None


class ChangeView(Struct, frozen=True):
    """One change; every list is there, empty or not."""

    id: str
    disposition: Disposition
    prefixes_added: tuple[str, ...]
    prefixes_removed: tuple[str, ...]
    fqdns_added: tuple[str, ...]
    fqdns_removed: tuple[str, ...]
    attributes: tuple[AttributeChange, ...]
    """On an Add and a Remove: what the record holds besides prefixes and names."""


class Diff(Struct, frozen=True, omit_defaults=True):
    """``/v1/diff``: what leads from one version to another."""

    from_: int = field(name="from")
    to: int
    summary: Summary
    changes: tuple[ChangeView, ...]
    from_as_of: datetime | None = None
    """The instant ``from`` was asked for as, when it was: upstreams as they were then."""
    to_as_of: datetime | None = None
    missing: tuple[str, ...] = ()
    """Sources that have no part in it: of one of the two instants nothing is known of them."""


class HeldView(Struct, frozen=True):
    """A held version, and what accepting it would change now."""

    held: HeldVersion
    changes: tuple[ChangeView, ...]


def change_views(changes: Changeset) -> tuple[ChangeView, ...]:
    """Return ``changes`` as published."""
    return tuple(_change_view(change) for change in changes)


def diff_view(since: Point, until: Point, changes: Changeset, missing: tuple[str, ...] = ()) -> Diff:
    """Return what leads from ``since`` to ``until``; ``missing`` sources have no part in it."""
    views = change_views(changes)
    return Diff(since.version, until.version, summarize(changes), views, since.as_of, until.as_of, missing)


def _change_view(change: Change) -> ChangeView:
    fields = {name: getattr(change, name) for name in ChangeView.__struct_fields__}
    return ChangeView(**{**fields, "attributes": change.attributes or tuple(_held_otherwise(change))})


def _held_otherwise(change: Change) -> Iterator[AttributeChange]:
    """Yield what a record added or removed holds besides prefixes and names: a row of tags is not an empty one."""
    for name in _HELD_OTHERWISE:
        if change.record and (value := getattr(change.record, name)):
            gone = change.disposition is Disposition.REMOVE
            yield AttributeChange(name, previous=value) if gone else AttributeChange(name, current=value)
