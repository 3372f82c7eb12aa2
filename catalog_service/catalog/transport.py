"""Ports and protocols of a record: what must be opened besides its addresses and names.

In: records. Out: ports as text, ``tcp/443``, or whether one asks for more than another. Called by `impact` and
`name_conflicts`.
"""

from __future__ import annotations

from schema.endpoint_set import EndpointSet

_PORTS_OF = {"https": "tcp/443", "http": "tcp/80"}


def transport(record: EndpointSet) -> set[str]:
    """Return the ports that ``record`` says: ``tcp/443``; those of its protocols where it names none."""
    numbered = {f"tcp/{port}" for port in record.tcp_ports} | {f"udp/{port}" for port in record.udp_ports}
    return numbered or {_PORTS_OF.get(protocol, protocol) for protocol in record.protocols}


def asks_more(before: EndpointSet, after: EndpointSet) -> bool:
    """Tell whether ``after`` asks for ports that ``before`` does not; who names none asks for any."""
    was, now = transport(before), transport(after)
    return bool(was) and not (now and now <= was)
