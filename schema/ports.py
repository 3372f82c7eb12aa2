"""Port lists, out of the free text upstreams write.

In: ``80,443``, ``443,80``, ``143, 587, 993, 995`` or ``3478-3481`` (sources.md M1, D1.23). Out: a
numerically sorted, unique tuple of ``"443"`` and ``"3478-3481"``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PORT = re.compile(r"^(\d{1,5})(?:\s*[-–]\s*(\d{1,5}))?$")


def canonical_ports(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the ports that ``texts`` list, each text holding one or several.

    Raises:
        ValueError: a part is not a port or a range of ports from 1 to 65535.
    """
    parts = {_port_range(part.strip()) for text in texts for part in re.split(r"[,;]", text) if part.strip()}
    return tuple(str(low) if low == high else f"{low}-{high}" for low, high in sorted(parts))


def _port_range(text: str) -> tuple[int, int]:
    found = _PORT.match(text)
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= low <= high <= 65535:
        raise ValueError(f"{text!r} is not a port or a range of ports")
    return low, high
