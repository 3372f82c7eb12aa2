"""When a source counts as degraded, so that somebody is told; and when it has recovered. Pure; called by the store.

In: a source's state as it is about to be written. Out: the state that remembers what was told, and the notice to
put into the changeset stream in the same step.
"""

from __future__ import annotations

from msgspec.structs import replace

from schema.errors import ParseError
from schema.event import EventType, Notice
from schema.version import SourceState

FAILED_RUNS = 3
"""A run or two that fail are the weather of the Internet; so many in a row are told."""


def announced(source: str, state: SourceState) -> tuple[SourceState, Notice | None]:
    """Return ``state``, and the notice that it gives cause for; None where nothing turned.

    Degraded: `FAILED_RUNS` runs in a row failed, a document cannot be parsed, or upstream serves superseded content.
    Recovered: the last run did none of these, after a degraded one was told.
    """
    reasons = _reasons(state)
    if state.checked_at is None:
        return state, None
    if reasons and state.degraded_since is None:
        told = replace(state, degraded_since=state.checked_at)
        return told, Notice(EventType.DEGRADED, state.checked_at, source, reasons)
    if state.degraded_since and not (reasons or state.failures):
        notice = Notice(EventType.RECOVERED, state.checked_at, source, since=state.degraded_since)
        return replace(state, degraded_since=None), notice
    return state, None


def _reasons(state: SourceState) -> tuple[str, ...]:
    if state.failures and state.error_code == ParseError.code:
        return (state.error or "", *state.reasons)
    if state.failures >= FAILED_RUNS:
        return (f"{state.failures} runs in a row failed: {state.error}",)
    if state.stale_since:
        return (f"upstream serves superseded content since {state.stale_since:%Y-%m-%d %H:%M}Z",)
    return ()
