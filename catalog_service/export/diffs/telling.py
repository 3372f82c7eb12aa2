"""What renderers of diffs say alike: counts in words, values on one line."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from catalog_service.catalog.space import AddressSpace, Extent
from catalog_service.views.diffs import ChangeView, DiffEntry
from schema.change import AttributeValue, Summary
from schema.words import Disposition, Significance

WORDS = {Disposition.ADD: "added", Disposition.CHANGE: "changed", Disposition.REMOVE: "removed"}


def in_words(summary: Summary) -> str:
    """Return the counts of a changeset as one line."""
    sets = [
        f"{count} endpoint set{'' if count == 1 else 's'} {word}"
        for count, word in (
            (summary.endpoint_sets_added, "added"),
            (summary.endpoint_sets_removed, "removed"),
            (summary.endpoint_sets_changed, "changed"),
        )
        if count
    ]
    parts = (", ".join(sets), members_counted(summary))
    return "; ".join(part for part in parts if part) or "no differences"


def members_counted(summary: Summary) -> str:
    """Return how many members a changeset adds and removes, as `members_in_words`."""
    return _members(summary.prefixes_added, summary.prefixes_removed, summary.fqdns_added, summary.fqdns_removed)


def entry_in_words(entry: DiffEntry) -> str:
    """Return what happened to one record: ``changed, +1 -2 prefixes; AddedIp``, and which kind of noise it is."""
    members = members_in_words(entry)
    noise = "" if entry.significance is Significance.MATERIAL else f" ({entry.significance} only)"
    space = f"; {space_in_words(entry.space)}" if entry.space else ""
    return f"{WORDS[entry.disposition]}{', ' if members else ''}{members}; {entry.impact}{noise}{space}"


def space_in_words(space: AddressSpace) -> str:
    """Return the counts of addresses gained and lost."""
    return f"gained {extent_in_words(space.gained)}, lost {extent_in_words(space.lost)}"


def extent_in_words(extent: Extent) -> str:
    """Return how many addresses there are: ``256 IPv4 addresses``, ``no addresses``."""
    counts = ((extent.ipv4_addresses, "IPv4"), (extent.ipv6_addresses, "IPv6"))
    told = [f"{count} {family}" for count, family in counts if count != "0"]
    return f"{' and '.join(told) or 'no'} addresses"


def value_text(value: AttributeValue | UnsetType) -> str:
    """Return a value on one line; empty where it is absent."""
    if value is UNSET:
        return ""
    if isinstance(value, tuple):
        return one_line(", ".join(value))
    if value is None:
        return "null"
    return one_line(str(value).lower() if isinstance(value, bool) else str(value))


def one_line(text: str) -> str:
    """Return ``text`` without control characters: upstream's words can neither end a line nor steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def cut(text: str, most: int) -> str:
    """Return ``text`` on one line of 1 to ``most`` characters, ``-`` in place of none: chats take no empty text."""
    text = one_line(text).strip() or "-"
    return text if len(text) <= most else f"{text[: most - 1]}…"


def members_in_words(change: DiffEntry | ChangeView) -> str:
    """Return how many members one record gained and lost: ``+1 -2 prefixes, +1 -0 fqdns``; empty where none."""
    counts = (change.prefixes_added, change.prefixes_removed, change.fqdns_added, change.fqdns_removed)
    return _members(*map(len, counts))


def _members(prefixes_added: int, prefixes_removed: int, fqdns_added: int, fqdns_removed: int) -> str:
    counts = (("prefixes", prefixes_added, prefixes_removed), ("fqdns", fqdns_added, fqdns_removed))
    return ", ".join(f"+{added} -{removed} {name}" for name, added, removed in counts if added or removed)
