"""A small bundled upstream for trying the product without internet: every default source, at three dates.

In: a folder. Out: mirrors in it that `scrapers.mirror.FolderMirror` reads, one a date. The formats
are the real ones, the sentences are our own and the addresses are examples: never an allowlist.
Called by the composition root under an explicit flag alone.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import structs

from schema.errors import BadParameterError
from schema.guard import GuardLimits
from scrapers.demo.build import STEPS, answers, day
from scrapers.mirror import write_copies
from scrapers.source import Source, synced

DATES: tuple[str, ...] = tuple(day(step).isoformat() for step in range(1, STEPS + 1))
"""The dates to sync in this order, ISO 8601."""

_GUARD = GuardLimits(
    min_endpoint_sets=3,
    max_members_removed_share=0.5,
    max_endpoint_sets_removed_share=0.5,
    max_members_added_share=1.0,
)


def demo_mirror(root: Path, date: str) -> None:
    """Write the mirror of one of `DATES` into ``root``. Raises BadParameterError for another date."""
    if date not in DATES:
        raise BadParameterError(f"the demo has no date {date}; it has {', '.join(DATES)}", parameter="date")
    write_copies(root, tuple(answers(DATES.index(date) + 1)))


def demo_folders(root: Path) -> tuple[tuple[str, Path], ...]:
    """Write every mirror, ``root/<date>``. Returns (date, folder) in order."""
    folders = tuple((date, root / date) for date in DATES)
    for date, folder in folders:
        demo_mirror(folder, date)
    return folders


def demo_sources(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Return ``sources`` with limits for the demo's few records and titles that say what they are."""
    return tuple(structs.replace(source, title=f"{source.title} (demo)", guard=_GUARD) for source in synced(sources))
