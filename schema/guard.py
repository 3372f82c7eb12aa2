"""The limits a source's changeset must stay within to be published without a person."""

from __future__ import annotations

from msgspec import Struct


class GuardLimits(Struct, frozen=True):
    """Limits of one source. Shares are of the previous version's count, 0.05 = 5 %.

    Measured on 245 real weekly Public files (limits-and-faults.md A9): removed pairs at most 4.40 %,
    tags removed at most 13.7 %, no tag ever emptied, pairs added at most 24 %; a tag of 20 or more that lost nine
    tenths: 3 times. In what any source ever published at most 7 % of the members moved between records.
    """

    min_endpoint_sets: int
    """Fewer records than this, at any version, is not the whole document."""
    max_endpoint_sets: int = 1_000_000
    """More records than this, at any version, is another document."""
    max_members_removed_share: float = 0.05
    """Of all members: prefixes, fqdns, service tags, patterns and gateway regions, as (record, member) pairs."""
    max_endpoint_sets_removed_share: float = 0.20
    max_endpoint_sets_removed: int | None = None
    """So many records at most, whatever the share; None: the share alone counts."""
    max_members_added_share: float = 0.50
    max_members_moved_share: float = 0.10
    """Of all members, those that left one record and came to another: two tables that changed places look so."""
    small: int = 10
    """Up to this many members or records removed, added or moved are not judged by share."""
    holds_mere_losses: bool = False
    """Hold what only takes away: so looks a document that was cut short, where its form cannot tell (Markdown)."""
