"""Host names: lower case, with ``*`` where upstreams write a wildcard.

In: a name as upstreams write it. Out: its canonical text, or ValueError. ``*`` may be a label
(``*.flow.microsoft.com``, ``autodiscover.*.onmicrosoft.com``), begin one (``*cdn.onenote.net``) or end
one after a dash (``autodiscover-*.outlook.com``): all are published (sources.md D1.6, M1). Elsewhere in
a label it is the mark of two names glued into one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_LABEL = r"(?:(?:\*[a-z0-9_-]{0,62}|(?!-)[a-z0-9_-]{1,63})(?<!-)|[a-z0-9][a-z0-9_-]{0,60}-\*)"
_FQDN = re.compile(rf"^(?:{_LABEL}\.)+(?!\d+$)[a-z0-9-]{{2,63}}$")


def canonical_fqdn(text: str) -> str:
    """Return ``text`` in lower case without a final dot.

    Raises:
        ValueError: not a host name of at least two labels (RFC 1123 with ``_`` and ``*``, RFC 1035
            length), or its last label is a wildcard or a number.
    """
    name = text.strip().rstrip(".").lower()
    if len(name) > 253 or not _FQDN.match(name):
        raise ValueError(f"{text!r} is not a host name")
    return name


def canonical_fqdns(texts: Iterable[str]) -> tuple[str, ...]:
    """Return ``texts`` canonical, sorted, unique. Raises ValueError as `canonical_fqdn`."""
    return tuple(sorted({canonical_fqdn(text) for text in texts}))


@lru_cache(maxsize=4096)
def wildcard_pattern(fqdn: str) -> re.Pattern[str]:
    """Return the pattern of names that ``fqdn`` covers: ``*`` stands for one or more characters.

    ``*.x`` covers every name below ``x``, at any depth, and not ``x`` itself.
    """
    return re.compile(".+".join(re.escape(part) for part in fqdn.split("*")))
