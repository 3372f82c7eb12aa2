"""References to service tags become prefixes: of the right cloud, never fewer than upstream says."""

from __future__ import annotations

import pytest

from catalog_service.catalog.resolve import AZURE_CLOUDS, Unresolved, Via, azure_regions, resolved, tag_records
from catalog_service.catalog.select import Filter
from catalog_service.catalog.view import view
from schema.endpoint_set import EndpointSet
from schema.words import Cloud, Kind
from tests.catalogs import CONNECTORS, GOV_TAGS, PUBLIC_TAGS, SEED, row, snapshot_of, tag

EVERYWHERE = tag("AzureConnectors", "20.0.0.0/16", "20.1.0.0/16", "20.9.0.0/16")
WEST, NORTH = tag("AzureConnectors.WestEurope", "20.0.0.0/16"), tag("AzureConnectors.NorthEurope", "20.1.0.0/16")
GOV = tag("AzureConnectors", "52.0.0.0/16", source=GOV_TAGS)
REGIONS = (tag("AzureCloud.westeurope", "20.0.0.0/8"), tag("AzureCloud.northeurope", "21.0.0.0/8"))
SNAPSHOT = snapshot_of(
    (EVERYWHERE, WEST, NORTH, *REGIONS, GOV, row(SEED, "connectors", service_tags=["AzureConnectors"]))
)


def reference(*tags: str, **fields: object) -> EndpointSet:
    """Return a row that names tags."""
    return row(SEED, "reference", service_tags=tags, **fields)


def test_a_reference_becomes_the_prefixes_of_its_tag() -> None:
    """The record keeps its own prefixes and gains the tag's; the chain names the tag, its version and its document."""
    found = resolved(SNAPSHOT, reference("AzureConnectors", prefixes=["13.0.0.0/24"]))
    assert found.record.prefixes == ("13.0.0.0/24", *EVERYWHERE.prefixes)
    assert found.record.service_tags == ()
    assert found.record.id == f"{SEED}:reference"
    assert found.via == (Via("AzureConnectors", EVERYWHERE.id, PUBLIC_TAGS, 1, "sha256:01"),)
    assert found.unresolved == ()


def test_a_record_without_references_stays_as_it_is() -> None:
    """Nothing is made up for a row of addresses."""
    plain = row(SEED, "plain", prefixes=["13.0.0.0/24"])
    assert resolved(SNAPSHOT, plain).record is plain


@pytest.mark.parametrize(
    ("clouds", "ids"),
    [
        ((Cloud.PUBLIC,), [EVERYWHERE.id]),
        ((Cloud.USGOV,), [GOV.id]),
        ((Cloud.USGOV_GCCHIGH,), [GOV.id]),
        ((Cloud.USGOV_DOD,), [GOV.id]),
        ((Cloud.PUBLIC, Cloud.USGOV_DOD), [EVERYWHERE.id, GOV.id]),
    ],
)
def test_each_cloud_has_its_own_file(clouds: tuple[Cloud, ...], ids: list[str]) -> None:
    """GCC, GCC High and DoD run in Azure Government: a row of several clouds resolves in each."""
    assert [via.id for via in resolved(SNAPSHOT, reference("AzureConnectors", clouds=clouds)).via] == ids


def test_only_the_clouds_asked_for_are_resolved() -> None:
    """A row of two clouds gives the one that the question is about."""
    both = reference("AzureConnectors", clouds=(Cloud.PUBLIC, Cloud.USGOV))
    assert resolved(SNAPSHOT, both, (Cloud.USGOV,)).record.prefixes == GOV.prefixes


def test_every_cloud_has_an_azure_cloud() -> None:
    """No reference of any cloud is without a file to look in."""
    assert AZURE_CLOUDS.keys() == set(Cloud)


@pytest.mark.parametrize(
    ("region", "ids"),
    [
        ("westeurope", [WEST.id]),
        ("europe", [NORTH.id, WEST.id]),
        ("francecentral", [EVERYWHERE.id]),
        ("atlantis", [EVERYWHERE.id]),
    ],
)
def test_a_regional_row_means_the_regional_tags(region: str, ids: list[str]) -> None:
    """A geography is its Azure regions; where one has no tag of its own, the whole tag is taken, not a part."""
    assert [via.id for via in resolved(SNAPSHOT, reference("AzureConnectors", region=region)).via] == ids


def test_a_row_without_a_region_names_the_whole_tag() -> None:
    """Nothing is guessed narrower than upstream says; a question for a region is what narrows it."""
    whole = reference("AzureConnectors")
    assert [via.id for via in resolved(SNAPSHOT, whole).via] == [EVERYWHERE.id]
    assert [via.id for via in resolved(SNAPSHOT, whole, regions=azure_regions("westeurope")).via] == [WEST.id]


def test_a_rows_own_region_goes_before_the_questions() -> None:
    """A row for Europe stays one for Europe when West Europe is asked for."""
    found = resolved(SNAPSHOT, reference("AzureConnectors", region="europe"), regions=azure_regions("westeurope"))
    assert [via.id for via in found.via] == [NORTH.id, WEST.id]


def test_a_region_without_its_own_tag_makes_it_the_whole_one() -> None:
    """One Azure region of two lacks the tag: its addresses are among the whole tag's alone."""
    half = snapshot_of((EVERYWHERE, WEST, *REGIONS))
    assert tag_records(half, Cloud.PUBLIC, "AzureConnectors", azure_regions("europe")) == (EVERYWHERE,)


def test_a_region_that_the_file_does_not_have_is_not_waited_for() -> None:
    """AzureCloud names every region there is: an unopened one does not widen the answer."""
    known = snapshot_of((EVERYWHERE, WEST, REGIONS[0]))
    assert tag_records(known, Cloud.PUBLIC, "AzureConnectors", azure_regions("europe")) == (WEST,)


def test_an_exact_name_is_taken_exactly() -> None:
    """``AzureConnectors.WestEurope`` means that tag, wherever it is asked for."""
    named = reference("AzureConnectors.WestEurope")
    assert [via.id for via in resolved(SNAPSHOT, named, regions=azure_regions("northeurope")).via] == [WEST.id]


def test_a_dot_does_not_mean_a_region() -> None:
    """``AzureMonitor.Core`` is no regional tag of AzureMonitor, and neither is one whose region is another's."""
    core, odd = tag("AzureMonitor.Core", "20.3.0.0/16"), row(PUBLIC_TAGS, "AzureMonitor.Ux", prefixes=["20.4.0.0/16"])
    base = tag("AzureMonitor", "20.5.0.0/16")
    snapshot = snapshot_of((base, core, odd))
    assert tag_records(snapshot, Cloud.PUBLIC, "AzureMonitor", azure_regions("westeurope")) == (base,)


@pytest.mark.parametrize(
    ("cloud", "name", "unread"),
    [(Cloud.PUBLIC, "NoSuchTag", False), (Cloud.CHINA, "AzureConnectors", True), (Cloud.GERMANY, "LogicApps", True)],
)
def test_what_cannot_be_resolved_is_listed(cloud: Cloud, name: str, *, unread: bool) -> None:
    """A tag nobody has, and a file nobody read, are told apart; the reference stays on the record."""
    found = resolved(SNAPSHOT, reference(name, clouds=(cloud,)))
    source = f"azure-service-tags-{cloud.value}"
    assert found.unresolved == (Unresolved(f"{SEED}:reference", name, cloud, source, unread=unread),)
    assert found.record.service_tags == (name,)
    assert found.record.prefixes == ()


def test_a_tag_without_prefixes_resolves_nothing() -> None:
    """Sixteen files held empty tags (sources.md T1): that is no list of addresses."""
    empty = snapshot_of((tag("AzureConnectors"),))
    assert [one.tag for one in resolved(empty, reference("AzureConnectors")).unresolved] == ["AzureConnectors"]


def test_part_of_a_row_may_resolve() -> None:
    """What resolves is there, what does not is listed: nothing is dropped."""
    found = resolved(SNAPSHOT, reference("AzureConnectors", "NoSuchTag"))
    assert found.record.prefixes == EVERYWHERE.prefixes
    assert found.record.service_tags == ("NoSuchTag",)


def test_a_view_resolves_when_asked() -> None:
    """``resolve`` turns references of kept records into prefixes, and kinds are judged after that."""
    plain = view(SNAPSHOT, Filter(sources=(SEED,)))
    assert plain.records[0].service_tags == ("AzureConnectors",)
    as_prefixes = view(SNAPSHOT, Filter(sources=(SEED,), resolve=True, kinds=(Kind.PREFIX,)))
    assert as_prefixes.records[0].prefixes == EVERYWHERE.prefixes
    assert view(SNAPSHOT, Filter(sources=(SEED,), resolve=True, kinds=(Kind.SERVICE_TAG,))).entries == ()


def test_a_view_says_what_is_missing() -> None:
    """A file that was not read is named among the sources that the answer lacks."""
    snapshot = snapshot_of((reference("AzureConnectors"), row(CONNECTORS, "names", fqdns=["a.example.com"])))
    seen = view(snapshot, Filter(resolve=True))
    assert seen.missing == (PUBLIC_TAGS,)
    assert [one.unread for one in seen.unresolved] == [True]
    assert view(snapshot, Filter(resolve=True, kinds=(Kind.FQDN,))).unresolved == ()
