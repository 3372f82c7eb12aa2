"""Small records for tests, and hypothesis strategies that draw canonical ones."""

from __future__ import annotations

from hypothesis import strategies as st

from schema.endpoint_set import Attributes, EndpointSet, endpoint_set
from schema.words import Cloud, Direction

SOURCE = "a-source"

PREFIXES = (
    [f"20.{i}.0.0/16" for i in range(12)]
    + [f"20.{i}.8.0/24" for i in range(6)]
    + ["2603:1000::/32", "2603:1000:1::/48"]
)
FQDNS = ["*.flow.example.com", "login.example.com", "a.b.example.net", "*.example.org"]


def record(key: str, *, prefixes: tuple[str, ...] = (), fqdns: tuple[str, ...] = (), **fields: object) -> EndpointSet:
    """A record of `SOURCE` with plain defaults."""
    defaults: dict[str, object] = {"service": "Storage", "title": key, "clouds": (Cloud.PUBLIC,)}
    return endpoint_set(SOURCE, key, prefixes=prefixes, fqdns=fqdns, **{**defaults, **fields})  # type: ignore[arg-type]


attributes = st.one_of(
    st.none(),
    st.builds(
        Attributes,
        change_number=st.integers(1, 9),
        network_features=st.sampled_from([None, (), ("API",), ("API", "NSG")]),
        express_route=st.booleans(),
    ),
)

records = st.builds(
    record,
    st.sampled_from("abcdefgh"),
    prefixes=st.lists(st.sampled_from(PREFIXES)).map(tuple),
    fqdns=st.lists(st.sampled_from(FQDNS)).map(tuple),
    clouds=st.lists(st.sampled_from(list(Cloud)), min_size=1).map(tuple),
    region=st.sampled_from([None, "westeurope", "eastus"]),
    direction=st.sampled_from([None, *Direction]),
    tcp_ports=st.sampled_from([(), ("443",), ("80,443",)]),
    required=st.sampled_from([None, True, False]),
    purpose=st.sampled_from([None, "Relay", "Other"]),
    patterns=st.sampled_from([(), ("localhost",), ("<tenant>.example.com", "localhost")]),
    attributes=attributes,
)

contents = st.lists(records, max_size=8, unique_by=lambda one: one.id).map(
    lambda several: tuple(sorted(several, key=lambda one: one.id))
)
