"""What somebody may have meant by a name that is not there. Pure; called wherever a name is refused."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

CUTOFF = 0.6


def nearest(value: str, known: Iterable[str], cutoff: float = CUTOFF) -> str | None:
    """Return that of ``known`` that is spelled most nearly as ``value``, in any case; None where none is near."""
    names = {name.casefold(): name for name in known}
    close = get_close_matches(value.casefold(), names, n=1, cutoff=cutoff)
    return names[close[0]] if close else None
