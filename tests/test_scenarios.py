"""Scenarios: every question has an answer for every cloud and region, or a sentence that says why not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from catalog_service.catalog.scenarios import all_scenarios, read_scenarios, scenario_named
from catalog_service.catalog.scope import clouds_of, scopes
from catalog_service.catalog.select import Filter
from catalog_service.catalog.view import Use, View, view
from catalog_service.export.choose import chosen
from schema.errors import BadParameterError, NoMatchError, UnresolvedTagsError
from schema.words import EVERY_CLOUD, Cloud, Direction, Kind
from tests.catalogs import CHINA_TAGS, CONNECTORS, GOV_TAGS, LOGIC_APPS, PUBLIC_TAGS, SEED, row, snapshot_of, tag

LIMITS, MAIL, GOVERNMENT = (
    "power-automate-limits-and-config",
    "power-automate-approval-email",
    "power-automate-us-government",
)
TAGS = ("AzureConnectors", "LogicApps", "PowerPlatformInfra", "PowerPlatformPlex")
OUT = Direction.OUTBOUND
SNAPSHOT = snapshot_of(
    (
        *(tag(name, f"20.{number}.0.0/16") for number, name in enumerate(TAGS)),
        *(tag(f"{name}.WestEurope", f"20.{number}.1.0/24") for number, name in enumerate(TAGS)),
        *(tag(f"{name}.NorthEurope", f"20.{number}.2.0/24") for number, name in enumerate(TAGS)),
        *(tag(name, f"52.{number}.0.0/16", source=GOV_TAGS) for number, name in enumerate(TAGS)),
        *(tag(f"{name}.USDoDEast", f"52.{number}.1.0/24", source=GOV_TAGS) for number, name in enumerate(TAGS)),
        *(tag(name, f"40.{number}.0.0/16", source=CHINA_TAGS) for number, name in enumerate(TAGS)),
        row(SEED, "connectors", category="connectors", service_tags=["AzureConnectors"]),
        row(SEED, "http", category="http-actions", service_tags=["LogicApps"]),
        row(SEED, "portal", category="portal", direction=OUT, fqdns=["make.example.com"], clouds=EVERY_CLOUD),
        row(SEED, "mobile", category="mobile-app", direction=OUT, fqdns=["app.example.com"]),
        row(SEED, "trigger", category="http-trigger", direction=OUT, fqdns=["run.example.com"]),
        row(
            SEED,
            "relay",
            category="desktop-flows-runtime",
            direction=OUT,
            fqdns=["*.relay.example.com"],
            purpose="Listens on Service Bus Relay over TCP.",
        ),
        row(
            SEED,
            "installer",
            category="desktop-installer",
            direction=OUT,
            fqdns=["aka.example.com"],
            clouds=EVERY_CLOUD,
        ),
        row(CONNECTORS, "europe", service="Managed connectors", region="europe", service_tags=["AzureConnectors"]),
        row(CONNECTORS, "japan", service="Managed connectors", region="japan", prefixes=["13.0.0.0/24"]),
        row(LOGIC_APPS, "in", service="Logic Apps", region="westeurope", prefixes=["13.1.0.0/24"], direction=OUT),
        row(LOGIC_APPS, "out", service="Logic Apps", region="westeurope", prefixes=["13.2.0.0/24"]),
        row(LOGIC_APPS, "north", service="Logic Apps", region="northeurope", prefixes=["13.3.0.0/24"]),
        row(LOGIC_APPS, "far", service="Logic Apps", region="japaneast", prefixes=["13.4.0.0/24"]),
        row(LIMITS, "limits", category="desktop-flows-namespaces", direction=OUT, fqdns=["a.relay.example.com"]),
        row(MAIL, "mail", prefixes=["13.9.0.1"]),
        *(
            tag(f"AzureCloud.{name}", f"52.{number}.0.0/16", source=GOV_TAGS)
            for number, name in enumerate(("usgovtexas", "usgovvirginia", "usdodcentral", "usdodeast"), start=100)
        ),
        row(
            GOVERNMENT, "url", category="service-urls", direction=OUT, fqdns=["gov.example.com"], clouds=(Cloud.USGOV,)
        ),
    )
)


def asked(*names: str, **fields: object) -> Filter:
    """Return a filter of scenarios."""
    return Filter(scenarios=names, **fields)  # type: ignore[arg-type]


def keys(seen: View) -> list[str]:
    """Return the ids of a view, sources left out where they are pages."""
    return [record.id.removeprefix(f"{record.source}:") for record in seen.records]


def test_the_data_file_has_every_question_of_the_page() -> None:
    """Nine questions, each with a title and a question mark."""
    assert [one.name for one in all_scenarios()] == [
        *("http-actions", "connectors", "azure-sql-firewall", "makers-and-users", "http-request-trigger"),
        *("approval-email", "desktop-flows-runtime", "desktop-flows-installer", "gateway-relay"),
    ]
    assert all(one.question.endswith("?") and one.title for one in all_scenarios())


@pytest.mark.parametrize("cloud", EVERY_CLOUD)
def test_each_cloud_has_selections_or_a_sentence(cloud: Cloud) -> None:
    """Never both, never neither; and the closed German cloud has its sentence everywhere."""
    for one in all_scenarios():
        assert bool(one.selections(cloud)) is not bool(one.sentence(cloud))
        assert one.sentence(Cloud.GERMANY)


ONE = """
[[scenario]]
name = "a"
title = "A"
question = "A?"
[[scenario.selection]]
source = "b"
direction = "inbound"
clouds = ["public", "usgov", "usgov-gcchigh", "usgov-dod", "china"]
"""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("source =", "sauce ="), "unknown field"),
        (('"inbound"', '"inward"'), "inward"),
        (('"b"', '"b"\ntags = ["C"]'), "either a source or tags"),
        (('source = "b"', ""), "either a source or tags"),
        ((', "china"', ""), "a: china has to have either"),
        (('"china"]', '"china"]\n[[scenario.nothing]]\nclouds = ["china"]\nsentence = "No."'), "a: china has to have"),
        (("[[scenario]]", ONE.replace("A", "B") + "[[scenario]]"), "a is there twice"),
        (("[[scenario]]", "[[scenario"), "TOML|Expected|Invalid"),
    ],
)
def test_a_data_file_with_a_fault_is_refused(change: tuple[str, str], reason: str) -> None:
    """A misspelled key, word or cloud would silently shorten answers: the file is refused, and says why."""
    assert [one.name for one in read_scenarios(ONE.encode())] == ["a"]
    with pytest.raises(ValueError, match=reason):
        read_scenarios(ONE.replace(*change, 1).encode())


def test_a_name_is_found_in_any_case_or_refused() -> None:
    """An unknown scenario is a bad parameter that names the known ones."""
    assert scenario_named(" Connectors").name == "connectors"
    with pytest.raises(BadParameterError) as refused:
        scenario_named("connector")
    assert "connectors" in str(refused.value)


def test_a_geography_covers_its_regions_and_prefers_their_tags() -> None:
    """HTTP actions in Europe: rows of both Azure regions, regional tags in place of the whole one."""
    seen = view(SNAPSHOT, asked("http-actions", clouds=(Cloud.PUBLIC,), regions=("Europe",)))
    assert keys(seen) == ["LogicApps.NorthEurope", "LogicApps.WestEurope", "north", "out", "http"]
    resolved = next(entry for entry in seen.entries if entry.record.id == f"{SEED}:http")
    assert [via.tag for via in resolved.via] == ["LogicApps.NorthEurope", "LogicApps.WestEurope"]
    assert seen.unresolved == ()


def test_an_azure_region_takes_the_row_of_its_geography() -> None:
    """Connectors in West Europe: its tag, and the geography's row with all that this names."""
    seen = view(SNAPSHOT, asked("connectors", regions=("West Europe",)))
    assert keys(seen) == ["AzureConnectors.WestEurope", "europe", "connectors"]
    vias = {entry.record.id: [via.tag for via in entry.via] for entry in seen.entries}
    assert vias[f"{CONNECTORS}:europe"] == ["AzureConnectors.NorthEurope", "AzureConnectors.WestEurope"]
    assert vias[f"{SEED}:connectors"] == ["AzureConnectors.WestEurope"]


def test_without_a_region_everything_belongs() -> None:
    """All rows, and the whole tags."""
    seen = view(SNAPSHOT, asked("connectors", clouds=(Cloud.PUBLIC,)))
    assert keys(seen) == ["AzureConnectors", "europe", "japan", "connectors"]


def test_a_region_decides_the_clouds() -> None:
    """Europe is in the public cloud: the tags of other clouds have no part in it."""
    seen = view(SNAPSHOT, asked("connectors", regions=("europe",)))
    assert {record.source for record in seen.records} == {PUBLIC_TAGS, CONNECTORS, SEED}
    assert seen.unpublished == ()


@pytest.mark.parametrize("cloud", [Cloud.USGOV, Cloud.USGOV_GCCHIGH, Cloud.USGOV_DOD])
def test_government_clouds_have_the_tags_of_azure_government(cloud: Cloud) -> None:
    """The page names no cloud: what it says for the public one, Azure Government's own file says there."""
    seen = view(SNAPSHOT, asked("http-actions", clouds=(cloud,)))
    assert [record.id for record in seen.records] == [f"{GOV_TAGS}:{name}" for name in TAGS[1:]]


def test_a_region_of_azure_government_serves_its_clouds() -> None:
    """US DoD East is DoD's alone, US Gov Virginia that of GCC and GCC High, US Gov Arizona that of all three."""
    seen = view(SNAPSHOT, asked("connectors", regions=("US DoD East",)))
    assert keys(seen) == ["AzureConnectors.USDoDEast"]
    assert seen.clouds == (Cloud.USGOV_DOD,)
    assert clouds_of(SNAPSHOT, "usgovvirginia") == {Cloud.USGOV, Cloud.USGOV_GCCHIGH}
    assert clouds_of(SNAPSHOT, "US Gov Arizona") == {Cloud.USGOV, Cloud.USGOV_GCCHIGH, Cloud.USGOV_DOD}
    with pytest.raises(BadParameterError, match="not in usgov-dod"):
        scopes(SNAPSHOT, (Cloud.USGOV_DOD,), ("usgovvirginia",))


@pytest.mark.parametrize("region", ["China", "chinaeast2"])
def test_china_is_every_region_of_its_cloud(region: str) -> None:
    """No page says which of them Power Platform uses: its row is that of each, and theirs are its own."""
    regional = tag("AzureConnectors.ChinaEast2", "40.0.2.0/24", source=CHINA_TAGS)
    rows = [
        row(CONNECTORS, "power-platform:china", service="Managed connectors", region="china", prefixes=["13.7.0.0/24"]),
        row(LOGIC_APPS, "east", service="Managed connectors", region="chinaeast2", prefixes=["13.7.1.0/24"]),
    ]
    in_china = (replace(one, cloud=Cloud.CHINA) for one in rows)
    seen = view(snapshot_of((*SNAPSHOT.endpoint_sets, regional, *in_china)), asked("connectors", regions=(region,)))
    whole = "AzureConnectors" if region == "China" else "AzureConnectors.ChinaEast2"
    assert keys(seen) == [whole, "east", "power-platform:china"]
    assert view(SNAPSHOT, asked("connectors", regions=(region,))).clouds == (Cloud.CHINA,)


@pytest.mark.parametrize(
    ("cloud", "names"),
    [
        (Cloud.USGOV, ["usgovtexas", "usgovvirginia"]),
        (Cloud.USGOV_GCCHIGH, ["usgovtexas", "usgovvirginia"]),
        (Cloud.USGOV_DOD, ["usdodcentral", "usdodeast"]),
    ],
)
def test_sql_in_the_public_azure_lets_the_government_in(cloud: Cloud, names: list[str]) -> None:
    """The data centers that the US Government page names, beside the connectors' addresses."""
    seen = view(SNAPSHOT, asked("azure-sql-firewall", clouds=(cloud,)))
    assert keys(seen) == [*(f"AzureCloud.{name}" for name in names), "AzureConnectors"]
    assert {use.direction for entry in seen.entries for use in entry.scenarios} == {Direction.INBOUND}


def test_makers_of_the_government_reach_dataverse() -> None:
    """The US Government page names the tags of its Dataverse: they are resolved, and only for these clouds."""
    dataverse = row(
        *(GOVERNMENT, "dataverse"),
        category="dataverse",
        direction=OUT,
        clouds=(Cloud.USGOV,),
        service_tags=["AzureCloud.usgovtexas"],
    )
    snapshot = snapshot_of((*SNAPSHOT.endpoint_sets, dataverse))
    seen = view(snapshot, asked("makers-and-users", clouds=(Cloud.USGOV,)))
    assert keys(seen) == ["portal", "dataverse", "url"]
    assert next(one for one in seen.records if one.source == GOVERNMENT).prefixes == ("52.100.0.0/16",)


def test_what_has_to_be_known_stands_beside_the_answer() -> None:
    """A note of the data file, for its clouds alone, and only where there is an answer."""
    seen = view(SNAPSHOT, asked("makers-and-users"))
    assert {one.cloud for one in seen.notes} == set(EVERY_CLOUD) - {Cloud.PUBLIC}
    assert all("sign-in" in one.sentence for one in seen.notes)
    nothing = view(SNAPSHOT, asked("desktop-flows-runtime", clouds=(Cloud.CHINA,)))
    assert (len(nothing.unpublished), nothing.notes) == (1, ())


def test_the_gateway_in_china_needs_its_certificate_servers() -> None:
    """The page has a row for it and no relay: the row is the answer, the rest a note."""
    china = row(
        *(SEED, "crl"),
        clouds=(Cloud.CHINA,),
        direction=OUT,
        fqdns=["crl.example.cn"],
        purpose="Needed when connecting through the on-premises data gateway.",
    )
    seen = chosen(snapshot_of((*SNAPSHOT.endpoint_sets, china)), asked("gateway-relay", clouds=(Cloud.CHINA,)))
    assert keys(seen) == ["crl"]
    assert "21Vianet" in seen.notes[0].sentence


def test_entries_say_who_wants_them_and_in_which_direction() -> None:
    """A record that two scenarios want is there once, with both."""
    seen = view(SNAPSHOT, asked("azure-sql-firewall", "connectors", clouds=(Cloud.CHINA,)))
    (entry,) = seen.entries
    inbound = Direction.INBOUND
    assert entry.scenarios == (Use("azure-sql-firewall", inbound), Use("connectors", inbound))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("makers-and-users", ["mobile", "portal"]),
        ("http-request-trigger", ["trigger"]),
        ("approval-email", ["mail"]),
        ("desktop-flows-runtime", ["relay"]),
        ("desktop-flows-installer", ["installer"]),
        ("gateway-relay", ["relay"]),
    ],
)
def test_each_question_finds_its_rows(name: str, expected: list[str]) -> None:
    """Rows of the section that answers it, of the direction it is about."""
    assert keys(view(SNAPSHOT, asked(name, clouds=(Cloud.PUBLIC,)))) == expected


def test_other_filters_still_hold() -> None:
    """A source, a direction and a kind narrow a scenario's answer."""
    both = asked("http-actions", "makers-and-users", clouds=(Cloud.PUBLIC,))
    assert {one.source for one in view(SNAPSHOT, Filter(sources=(LOGIC_APPS,), scenarios=both.scenarios)).records} == {
        LOGIC_APPS
    }
    outward = view(SNAPSHOT, asked(*both.scenarios, clouds=(Cloud.PUBLIC,), directions=(OUT,)))
    assert keys(outward) == ["mobile", "portal"]
    assert keys(view(SNAPSHOT, asked(*both.scenarios, clouds=(Cloud.PUBLIC,), kinds=(Kind.FQDN,)))) == [
        "mobile",
        "portal",
    ]


def test_nothing_published_is_said() -> None:
    """The sentence stands in the answer, and is the error of an export."""
    nothing = asked("gateway-relay", clouds=(Cloud.GERMANY,))
    seen = view(SNAPSHOT, nothing)
    assert [(one.scenario, one.cloud) for one in seen.unpublished] == [("gateway-relay", Cloud.GERMANY)]
    with pytest.raises(NoMatchError, match="closed"):
        chosen(SNAPSHOT, nothing)


def test_nothing_found_is_said() -> None:
    """A page that was read and lists nothing for a cloud is no empty answer either."""
    seen = view(SNAPSHOT, asked("approval-email", clouds=(Cloud.CHINA,)))
    assert "at version" in seen.unpublished[0].sentence
    with pytest.raises(NoMatchError, match="lists anything"):
        chosen(SNAPSHOT, asked("approval-email", clouds=(Cloud.CHINA,)))


def test_a_cloud_without_an_answer_beside_others_is_told_or_refused() -> None:
    """Asked for by name it would be missing without a sign; as one of all it is said beside the answer."""
    with pytest.raises(NoMatchError, match="lists anything"):
        chosen(SNAPSHOT, asked("gateway-relay", clouds=(Cloud.PUBLIC, Cloud.CHINA)))
    assert Cloud.CHINA in [one.cloud for one in chosen(SNAPSHOT, asked("gateway-relay")).unpublished]


def test_sources_not_read_yet_are_named() -> None:
    """Pages that a scenario needs and the catalogue has nothing of are `missing`; with nothing else it is an error."""
    part = snapshot_of(
        (
            tag("AzureConnectors", "20.0.0.0/16"),
            row(SEED, "connectors", category="connectors", prefixes=["13.0.0.0/24"]),
        )
    )
    seen = chosen(part, asked("connectors", clouds=(Cloud.PUBLIC,)))
    assert seen.missing == (LOGIC_APPS, CONNECTORS, LIMITS)
    with pytest.raises(NoMatchError) as refused:
        chosen(part, asked("approval-email", clouds=(Cloud.PUBLIC,)))
    assert refused.value.facts["missing"] == (MAIL,)


@pytest.mark.parametrize(
    "wanted",
    [
        asked("connectors", clouds=(Cloud.PUBLIC,)),
        asked("connectors", clouds=(Cloud.PUBLIC,), sources=(SEED,)),
        Filter(resolve=True),
    ],
)
def test_an_export_that_needs_an_unread_file_is_refused(wanted: Filter) -> None:
    """The page's own addresses would make a list, and a short one: the error names the file and says what to do."""
    part = snapshot_of(
        (row(SEED, "c", category="connectors", prefixes=["13.0.0.0/24"], service_tags=["AzureConnectors"]),)
    )
    assert PUBLIC_TAGS in view(part, replace(wanted, sources=())).missing
    with pytest.raises(NoMatchError, match=f"catalog-service sync {PUBLIC_TAGS}") as refused:
        chosen(part, wanted)
    assert refused.value.facts["missing"] == (PUBLIC_TAGS,)
    assert chosen(part, Filter()).unresolved[0].unasked


@pytest.mark.parametrize(
    ("wanted", "parameter", "value"),
    [
        (asked("connectors", clouds=(Cloud.PUBLIC, Cloud.USGOV), sources=(SEED,)), "cloud", "usgov"),
        (asked("connectors", regions=("japan", "westeurope"), sources=(CONNECTORS,)), None, None),
        (asked("http-actions", regions=("japaneast", "france"), sources=(LOGIC_APPS,)), "region", "france"),
        (asked("gateway-relay", clouds=(Cloud.PUBLIC,), directions=(Direction.INBOUND,)), "direction", "inbound"),
        (
            asked("connectors", "http-request-trigger", clouds=(Cloud.PUBLIC,), directions=(Direction.INBOUND,)),
            "direction",
            "inbound",
        ),
    ],
)
def test_a_word_that_adds_nothing_is_refused(wanted: Filter, parameter: str | None, value: str | None) -> None:
    """A cloud, a region or a direction without anything of its own would shorten the list in silence."""
    if parameter is None:
        assert chosen(SNAPSHOT, wanted).entries
        return
    assert view(SNAPSHOT, wanted).unpublished == ()
    with pytest.raises(NoMatchError) as refused:
        chosen(SNAPSHOT, wanted)
    assert (refused.value.facts["parameter"], refused.value.facts["value"]) == (parameter, value)


def test_a_direction_does_not_ask_for_what_it_leaves_out() -> None:
    """Sources of the other direction are not missed, and nobody says that Microsoft lists nothing."""
    part = snapshot_of((row(LIMITS, "p", category="portal", direction=OUT, fqdns=["a.example.com"]),))
    outward = asked("connectors", "makers-and-users", clouds=(Cloud.PUBLIC,), directions=(OUT,))
    assert view(part, outward).missing == (SEED,)


def test_an_export_that_would_lack_a_tag_is_refused() -> None:
    """The file was read and has no such tag: the list would be short, and the error names it."""
    lost = snapshot_of(
        (tag("LogicApps", "20.1.0.0/16"), row(SEED, "c", category="connectors", service_tags=["Azzure"]))
    )
    with pytest.raises(UnresolvedTagsError) as refused:
        chosen(lost, asked("connectors", clouds=(Cloud.PUBLIC,)))
    assert refused.value.facts["tags"] == (f"{PUBLIC_TAGS}:Azzure", f"{PUBLIC_TAGS}:AzureConnectors")
    assert refused.value.facts["by"] == (f"{SEED}:c", "scenario:connectors")


@pytest.mark.parametrize(
    ("clouds", "regions"),
    [
        ((), ("Atlantis",)),
        ((Cloud.PUBLIC,), ("US Gov Texas",)),
        ((Cloud.CHINA,), ("europe",)),
        ((Cloud.PUBLIC, Cloud.CHINA), ("europe",)),
        ((Cloud.PUBLIC,), ("europe", "China East")),
    ],
)
def test_a_region_that_is_not_there_is_refused(clouds: tuple[Cloud, ...], regions: tuple[str, ...]) -> None:
    """A misspelled region, or one of another cloud, would answer with what is global alone."""
    with pytest.raises(BadParameterError) as refused:
        scopes(SNAPSHOT, clouds, regions)
    assert refused.value.facts["parameter"] == "region"


def test_a_region_that_only_upstream_knows_is_asked_for_as_written() -> None:
    """The crosswalk lacks it, a record has it: that is where it is, and no tag is narrowed by it."""
    odd = row(CONNECTORS, "odd", service="Managed connectors", region="new region", prefixes=["13.8.0.0/24"])
    seen = view(snapshot_of((*SNAPSHOT.endpoint_sets, odd)), asked("connectors", regions=("New  Region",)))
    assert keys(seen) == ["AzureConnectors", "odd", "connectors"]
