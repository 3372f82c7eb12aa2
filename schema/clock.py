"""Time and chance, as functions that are handed in: nothing below the composition root asks the machine for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Gives the time now, UTC."""
Random = Callable[[], float]
"""Gives a number from 0 to 1."""
RandomBytes = Callable[[int], bytes]
"""Gives so many bytes that nobody can guess."""
