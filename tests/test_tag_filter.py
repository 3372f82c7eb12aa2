"""Who asks for a service tag gets the tag, and every record that refers to it, as it is published."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from catalog_service.catalog.select import Filter, allowlist, select
from catalog_service.catalog.view import View, view
from catalog_service.export.choose import chosen
from schema.errors import NoMatchError, UnresolvedTagsError
from schema.words import Cloud
from tests.catalogs import CONNECTORS, GOV_TAGS, SEED, row, snapshot_of, tag

CONNECTORS_ROW = row(SEED, "connectors", category="connectors", service_tags=["AzureConnectors"])
SNAPSHOT = snapshot_of(
    (
        tag("AzureConnectors", "20.0.0.0/16"),
        tag("AzureConnectors.WestEurope", "20.0.1.0/24"),
        tag("LogicApps", "20.1.0.0/16"),
        tag("AzureConnectors", "52.0.0.0/16", source=GOV_TAGS),
        CONNECTORS_ROW,
        row(SEED, "both", service_tags=["AzureConnectors", "LogicApps"], prefixes=["13.0.0.0/24"]),
        row(SEED, "http", category="http-actions", service_tags=["LogicApps"]),
        row(SEED, "titled", title="LogicApps", service="LogicApps", prefixes=["13.1.0.0/24"]),
        row(CONNECTORS, "europe", service="Managed connectors", region="europe", service_tags=["AzureConnectors"]),
    )
)


def keys(seen: View) -> list[str]:
    return [record.id.rpartition(":")[2] for record in seen.records]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(tags=("LogicApps",)), ["LogicApps", "both", "http"]),
        (Filter(tags=("logicAPPS", "nobody")), ["LogicApps", "both", "http"]),
        (Filter(tags=("AzureConnectors.WestEurope",)), ["AzureConnectors.WestEurope"]),
        (Filter(tags=("AzureConnectors",), clouds=(Cloud.USGOV,)), ["AzureConnectors"]),
        (Filter(tags=("AzureConnectors",), sources=(SEED, CONNECTORS)), ["both", "connectors", "europe"]),
        (Filter(tags=("LogicApps", "AzureConnectors"), sources=(SEED,)), ["both", "connectors", "http"]),
        (Filter(tags=("Azure",)), []),
    ],
)
def test_a_tag_is_itself_and_what_refers_to_it(wanted: Filter, expected: list[str]) -> None:
    """By its full name in any case; a row that only has the tag's name for its title is not the tag."""
    assert sorted(one.id.rpartition(":")[2] for one in select(SNAPSHOT.endpoint_sets, wanted)) == expected


def test_references_are_resolved_after_the_filter() -> None:
    """A row that refers to the tag keeps that it does, and has the prefixes of every tag it refers to."""
    found = chosen(SNAPSHOT, Filter(tags=("LogicApps",), sources=(SEED,), resolve=True))
    assert sorted(keys(found)) == ["both", "http"]
    assert allowlist(found.records).prefixes == ("13.0.0.0/24", "20.0.0.0/16", "20.1.0.0/16")
    assert [one.tag for entry in found.entries for one in entry.via] == ["AzureConnectors", "LogicApps", "LogicApps"]


def test_a_scenario_is_narrowed_to_a_tag() -> None:
    """Of its records those that are the tag or refer to it, resolved as ever; what it lacks of others is not told."""
    asked = Filter(scenarios=("connectors",), clouds=(Cloud.PUBLIC,), regions=("europe",))
    assert sorted(keys(view(SNAPSHOT, asked))) == ["AzureConnectors", "connectors", "europe"]
    found = chosen(SNAPSHOT, replace(asked, sources=(SEED,), tags=("AzureConnectors",)))
    assert keys(found) == ["connectors"]
    assert found.records[0].prefixes == ("20.0.0.0/16",)
    lost = snapshot_of((tag("LogicApps", "20.1.0.0/16"), replace(CONNECTORS_ROW, service_tags=("LogicApps",))))
    connectors = Filter(scenarios=("connectors",), clouds=(Cloud.PUBLIC,))
    with pytest.raises(UnresolvedTagsError):
        chosen(lost, connectors)
    assert keys(chosen(lost, replace(connectors, tags=("LogicApps",)))) == ["connectors"]


@pytest.mark.parametrize("resolve", [False, True])
def test_a_tag_that_adds_nothing_is_refused(resolve: bool) -> None:
    """Misspelled beside one that is right, it would shorten the list without a sign: the error says what was meant."""
    with pytest.raises(NoMatchError, match="did you mean LogicApps") as refused:
        chosen(SNAPSHOT, Filter(tags=("AzureConnectors", "LogicAps"), resolve=resolve))
    assert refused.value.facts["parameter"] == "tag"
    assert refused.value.facts["value"] == "LogicAps"
