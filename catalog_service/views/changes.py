"""Versions, what leads from one to another, and versions held back."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from schema.change import AttributeChange, Change, Changeset, Summary, summarize
from schema.version import HeldVersion, Point, Version
from schema.words import Disposition


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


class Diff(Struct, frozen=True, omit_defaults=True):
    """``/v1/diff``: what leads from one version to another."""

    from_: int = field(name="from")
    to: int
    summary: Summary
    changes: tuple[ChangeView, ...]
    from_as_of: datetime | None = None
    """The instant ``from`` was asked for as, when it was: upstreams as they were then."""
    to_as_of: datetime | None = None


class HeldView(Struct, frozen=True):
    """A held version, and what accepting it would change now."""

    held: HeldVersion
    changes: tuple[ChangeView, ...]


def change_views(changes: Changeset) -> tuple[ChangeView, ...]:
    """Return ``changes`` as published."""
    return tuple(_change_view(change) for change in changes)


def diff_view(since: Point, until: Point, changes: Changeset) -> Diff:
    """Return what leads from ``since`` to ``until``."""
    return Diff(since.version, until.version, summarize(changes), change_views(changes), since.as_of, until.as_of)


def _change_view(change: Change) -> ChangeView:
    return ChangeView(**{name: getattr(change, name) for name in ChangeView.__struct_fields__})
