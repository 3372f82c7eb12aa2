"""Freshness: was what is served confirmed as upstream's lately enough, and may it be behind? Pure.

In: a source, how it is, and the time. Out: yes or no. Called by views, by `freshness` and by `scrape`.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import datetime

from schema.source import SourceInfo
from schema.version import HeldVersion, SourceState


def is_fresh(source: SourceInfo, state: SourceState, now: datetime) -> bool:
    """Tell whether what is served of ``source`` was confirmed within its objective. Of an archive nothing is due."""
    if source.archive:
        return True
    return state.ok_at is not None and (now - state.ok_at).total_seconds() <= source.fresh_within_s


def is_degraded(state: SourceState, held: HeldVersion | None) -> bool:
    """Tell whether a source is failing, held, rejected or stale: what is served of it may be behind upstream."""
    return bool(state.failures or held or state.stale_since)


def stale_sources(
    sources: tuple[SourceInfo, ...], served: Container[str], states: Mapping[str, SourceState], now: datetime
) -> tuple[str, ...]:
    """Return the names of ``sources`` that are ``served`` and not fresh, in their order.

    A source of which nothing is served yet is missing, which answers say already.
    """
    never = SourceState()
    return tuple(
        one.name for one in sources if one.name in served and not is_fresh(one, states.get(one.name, never), now)
    )
