"""What the gate is told by the settings of the same names. Made by the composition root."""

from __future__ import annotations

from msgspec import Struct


class GateRules(Struct, frozen=True):
    """The rules; by default everybody may ask as much as they like, for any host, from their own origin."""

    rate_limit: int = 0
    """Requests a minute of one client, over all replicas; 0: as many as come."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks whose X-Forwarded-For and -Proto are believed."""
    allowed_hosts: tuple[str, ...] = ()
    """Lower case, without ports; ``*.contoso.example`` is every name below. Empty: any."""
    cors_origins: tuple[str, ...] = ()
    """Lower case; ``*``: all. Empty: no page of another origin reads anything."""
    hsts_s: int = 31_536_000
    graphiql: bool = True
    docs: bool = True
    streams_most: int = 10_000
    """Of SSE and websockets together, in this process."""
