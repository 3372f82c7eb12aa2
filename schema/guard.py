"""The limits a source's changeset must stay within to be published without a person."""

from __future__ import annotations

from msgspec import Struct


class GuardLimits(Struct, frozen=True):
    """Limits of one source. Shares are of the previous version's count, 0.05 = 5 %.

    Measured on 245 real weekly Public files (limits-and-faults.md A9): removed pairs at most 4.40 %,
    tags removed at most 13.7 %, no tag ever emptied, pairs added at most 24 %.
    """

    min_endpoint_sets: int
    """Fewer records than this, at any version, is not the whole document."""
    max_members_removed_share: float = 0.05
    """Prefixes and fqdns together, as (record, member) pairs."""
    max_endpoint_sets_removed_share: float = 0.20
    max_members_added_share: float = 0.50
    small: int = 10
    """Up to this many members or records removed or added are not judged by share."""
