"""Host names: lower case, with ``*`` where upstreams write a wildcard.

In: a name as upstreams write it. Out: its canonical text, or ValueError. ``*`` may be a label
(``*.flow.microsoft.com``, ``autodiscover.*.onmicrosoft.com``), begin one (``*cdn.onenote.net``) or end
one after a dash (``autodiscover-*.outlook.com``): all are published (sources.md D1.6, M1). Elsewhere in
a label it is the mark of two names glued into one.

What stands among host names and is none, but says what is meant, is a pattern and has a type: a name
with a hole (``<tenant>.sharepoint.com``) or the machine itself (``localhost``; D1.12).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

_LABEL = r"(?:(?:\*[a-z0-9_-]{0,62}|(?!-)[a-z0-9_-]{1,63})(?<!-)|[a-z0-9][a-z0-9_-]{0,60}-\*)"
_FQDN = re.compile(rf"^(?:{_LABEL}\.)+(?!\d+$)[a-z0-9-]{{2,63}}$")
# <tenant>, {yourAppGuid}, and the number in crm#.
_HOLE = re.compile(r"<[\w .-]+>|\{[\w .-]+\}|(?<=[a-z])#+(?=\.)", re.IGNORECASE)


class PatternType(StrEnum):
    """Why a pattern is no host name."""

    PLACEHOLDER = "placeholder"
    """A name with a hole the customer fills: ``<tenant>.sharepoint.com``, ``*.crm#.dynamics.com``."""
    LOCAL = "local"
    """The customer's own machine: ``localhost`` or a loopback address."""


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


def is_mid_wildcard(fqdn: str) -> bool:
    """Say whether ``fqdn`` has a wildcard past its beginning, which most firewalls cannot express.

    ``autodiscover.*.onmicrosoft.com`` and ``autodiscover-*.outlook.com`` do, ``*cdn.onenote.net`` does not.
    """
    return "*" in fqdn[1:]


def pattern_type(text: str) -> PatternType:
    """Return what kind of pattern ``text`` is. No host name is one.

    Raises:
        ValueError: neither a name that its holes alone keep from being a host name, nor the machine itself.
            An address that is not loopback is none: it belongs among prefixes, where it is exported.
    """
    if text.lower() == "localhost" or _is_loopback(text):
        return PatternType.LOCAL
    filled, holes = _HOLE.subn("0", text)
    if not holes or text != text.strip():
        raise ValueError(f"{text!r} is not a pattern of host names")
    try:
        canonical_fqdn(filled)
    except ValueError:
        raise ValueError(f"{text!r} is not a pattern of host names") from None
    return PatternType.PLACEHOLDER


def canonical_patterns(texts: Iterable[str]) -> tuple[str, ...]:
    """Return ``texts`` verbatim, sorted, unique. Raises ValueError as `pattern_type`."""
    patterns = tuple(sorted(set(texts)))
    for pattern in patterns:
        pattern_type(pattern)
    return patterns


def suffix_fqdns(text: str) -> tuple[str, str]:
    """Return what a name with a leading dot stands for, everything below it and itself.

    ``.microsoft.us`` -> ``*.microsoft.us``, ``microsoft.us`` (sources.md D1.7, beside ``*.x`` in one list; proxies
    read it so). Either name alone would be narrower, and no wildcard covers both.

    Raises:
        ValueError: no leading dot, or what follows is not a host name without a wildcard.
    """
    name = canonical_fqdn(text[1:] if text.startswith(".") else "")
    if "*" in name:
        raise ValueError(f"{text!r} is not a suffix of host names")
    return f"*.{name}", name


def _is_loopback(text: str) -> bool:
    if not text or text[0] not in "0123456789:":  # names are many, and raising is slow
        return False
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def wildcard_pattern(fqdn: str) -> re.Pattern[str]:
    """Return the pattern of names that ``fqdn`` covers: ``*`` stands for one or more characters.

    ``*.x`` covers every name below ``x``, at any depth, and not ``x`` itself.
    """
    return re.compile(".+".join(re.escape(part) for part in fqdn.split("*")))
