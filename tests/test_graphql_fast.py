"""The compiled loop over lists: the same data and the same errors as graphql-core's own way, in less time."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import strawberry
from graphql import GraphQLError
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Struct
from strawberry.schema.config import StrawberryConfig

from catalog_service.api.graphql.asked import Door
from catalog_service.api.graphql.fast import Executor
from catalog_service.api.graphql.pages import answered
from catalog_service.api.graphql.schema import DATE_TIME, plain, schema
from catalog_service.api.hub import Hub
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.reader import Reader
from schema.endpoint_set import Attributes, endpoint_set
from schema.fqdn import PatternType
from schema.words import Cloud, Direction
from tests.api_client import away
from tests.catalogs import PUBLIC_TAGS, SEED, row, snapshot_of, tag

FAST, SLOW = schema(), schema(fast=False)
RECORDS = (
    tag("AzureConnectors", "13.66.60.0/24", "2603:1000::/40"),
    tag("AzureConnectors.WestEurope", "13.66.60.64/26"),
    endpoint_set(
        PUBLIC_TAGS,
        "Storage",
        service="Storage",
        title="Storage",
        attributes=Attributes(change_number=7, network_features=("API", "NSG"), region_id=0),
    ),
    row(SEED, "flow", fqdns=("*.flow.microsoft.com", "a.*.b.com"), patterns=("<tenant>.x.com",), heading=("A", "B")),
    row(SEED, "both", clouds=(Cloud.PUBLIC, Cloud.USGOV), tcp_ports=("443",), required=False, purpose="To see."),
)


async def both(query: str, snapshot: Snapshot | None = None, **variables: object) -> tuple[Any, Any]:
    """Return what each way answers, as a client would read it."""
    reader = Reader(away())
    reader.current = snapshot or snapshot_of(RECORDS)
    door = Door(reader, (), Hub(reader))
    answers = []
    for one in (FAST, SLOW):
        result = await one.execute(query, context_value=door, variable_values=variables)
        answers.append((msgspec.json.encode(result.data), [error.formatted for error in result.errors or ()]))
    return answers[0], answers[1]


LEAVES = [
    "id",
    "source",
    "service",
    "title",
    "cloud",
    "clouds",
    "region",
    "direction",
    "prefixes",
    "fqdns",
    "tcpPorts",
    "udpPorts",
    "protocols",
    "category",
    "required",
    "serviceTags",
    "purpose",
    "midWildcards",
    "__typename",
]
NESTED = (
    "provenance { url version fetchedAt heading firstSeen __typename }",
    "attributes { changeNumber regionId platform networkFeatures gatewayRegions }",
    "patterns { text type }",
    "scenarios { scenario direction }",
    "via { tag }",
)
names = st.from_regex(r"[a-z]{1,4}[0-9]{2}", fullmatch=True)
fields = st.one_of(
    st.sampled_from(LEAVES),
    st.sampled_from(NESTED),
    st.builds("{}: {}".format, names, st.sampled_from([*LEAVES, *NESTED])),
    st.builds("{} @skip(if: {})".format, st.sampled_from(LEAVES), st.sampled_from(["true", "false", "$yes", "$no"])),
    st.builds("... @include(if: {}) {{ {} }}".format, st.sampled_from(["$yes", "$no"]), st.sampled_from(LEAVES)),
    st.builds("... on EndpointSet {{ {} }}".format, st.sampled_from([*LEAVES, *NESTED])),
    st.builds("... on Node {{ {} }}".format, st.just("id")),
    st.just("...more"),
)
FRAGMENT = "fragment more on EndpointSet { title provenance { document upstreamAt } attributes { when } }"


@settings(max_examples=150)
@given(selected=st.lists(fields, min_size=1, max_size=8), page=st.sampled_from(["nodes", "edges { cursor node"]))
def test_whatever_is_selected_is_equal(selected: list[str], page: str) -> None:
    """Aliases, fragments, directives, type names, nested objects, dates, enums: byte for byte, in the same order."""
    inside = f"_1: id @skip(if: $no) _2: id @include(if: $yes) {' '.join(selected)}"
    body = f"nodes {{ {inside} }}" if page == "nodes" else f"{page} {{ {inside} }} }}"
    query = f"query ($yes: Boolean = true, $no: Boolean = false) {{ endpoints {{ totalCount {body} }} }}"
    query += f" {FRAGMENT}" if "...more" in query else ""
    fast, slow = asyncio.run(both(query))
    assert fast == slow
    conflict = slow[1] and "conflict" in slow[1][0]["message"]
    assert conflict or len(msgspec.json.decode(fast[0])["endpoints"][page.split(maxsplit=1)[0]]) == len(RECORDS)


async def test_lists_of_other_things_are_equal_too() -> None:
    """Regions, scenarios, allowlists, lookups: nested lists of objects, of enums and of texts."""
    query = """{ regions { regions { code clouds spellings } geographies { code regions } unknown { source } }
        scenarios { name clouds nothing { cloud sentence } } allowlist { prefixes fqdns origins { id via { tag } } }
        lookup(query: "13.66.60.65") { matches { id relation prefix clouds scenarios { scenario } } }
        conflicts { nodes { kind subject parties { source says } } } }"""
    fast, slow = await both(query)
    assert fast == slow
    assert b'"matches":[{' in fast[0]


class Thing(Struct):
    """What a resolver may return by mistake."""

    text: Any = "x"
    number: Any = 1
    yes: Any = True
    kind: Any = next(iter(PatternType))
    at: Any = datetime(2026, 1, 1, tzinfo=UTC)
    texts: Any = ("a",)
    kinds: Any = ()
    maybe: Any = None
    inner: Any = None
    inners: Any = ()


WRONG = (None, UNSET, 1, 2**40, "x", 1.5, float("nan"), True, (None,), (1,), ["a"], "abc", ValueError("x"), object())


@strawberry.type(name="Inner")
class InnerType:
    text: str


@strawberry.type(name="Thing")
class ThingType:
    text: str
    number: int
    yes: bool
    kind: PatternType
    at: datetime
    texts: list[str]
    kinds: list[Direction]
    maybe: str | None
    inner: InnerType | None
    inners: list[InnerType]


THINGS: list[Thing] = []


@strawberry.type
class Root:
    things: list[ThingType] | None = answered(lambda: THINGS, list[ThingType] | None)


def _schema(executor: type[Executor] | None) -> strawberry.Schema:
    class Quiet(strawberry.Schema):
        def process_errors(self, errors: list[GraphQLError], execution_context: object = None) -> None:
            pass

    config = StrawberryConfig(default_resolver=plain, scalar_map={datetime: DATE_TIME})
    return Quiet(Root, execution_context_class=executor, config=config)


EXECUTORS = (_schema(Executor), _schema(None))


@pytest.mark.parametrize("name", Thing.__struct_fields__)
async def test_what_is_not_of_its_type_fails_as_before(name: str) -> None:
    """A null too much, another type, an exception: the same nulls and the same errors, word for word."""
    inner = " { text }" if name.startswith("inner") else ""
    for wrong in WRONG:
        THINGS[:] = [Thing(), Thing(**{name: wrong}), Thing()]
        fast, slow = [await one.execute(f"{{ things {{ {name}{inner} number text }} }}") for one in EXECUTORS]
        told = [[error.formatted for error in one.errors or ()] for one in (fast, slow)]
        assert told[0] == told[1], repr(wrong)
        assert repr(msgspec.json.encode(fast.data)) == repr(msgspec.json.encode(slow.data)), repr(wrong)


async def test_a_page_of_a_thousand_records_is_several_times_as_fast() -> None:
    """1,000 records with 6 plain fields; measured at 15 times, asserted at 4 on a busy machine."""
    snapshot = snapshot_of(tag(f"Tag{number:04}", f"10.{number >> 8}.{number & 255}.0/24") for number in range(1000))
    query = "{ endpoints(first: 1000) { nodes { id source service title region cloud } } }"
    reader = Reader(away())
    reader.current = snapshot
    door = Door(reader, (), Hub(reader))

    async def taken(one: strawberry.Schema) -> float:
        started = time.perf_counter()
        result = await one.execute(query, context_value=door)
        assert result.data is not None
        assert len(result.data["endpoints"]["nodes"]) == 1000
        return time.perf_counter() - started

    times = [(await taken(FAST), await taken(SLOW)) for _ in range(6)]
    assert min(fast for fast, _ in times) * 4 < min(slow for _, slow in times)
