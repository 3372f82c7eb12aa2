"""The region crosswalk: every spelling leads to one region, and nothing is guessed."""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_service.catalog.regions import UnknownRegion, all_regions, unknown_regions
from catalog_service.catalog.select import Filter, select
from catalog_service.catalog.snapshot import Snapshot, SourceContent
from schema.change import Summary
from schema.endpoint_set import Attributes, EndpointSet
from schema.regions import GEOGRAPHIES, REGIONS, Geography, Region, covered_codes, known_region, region_code
from schema.version import Version, count
from tests.records import SOURCE, record

DAY = datetime(2026, 11, 23, tzinfo=UTC)

ENTRIES: tuple[Region | Geography, ...] = (*REGIONS, *GEOGRAPHIES)
SPELLED = [(spelling, entry) for entry in ENTRIES for spelling in (entry.code, entry.name, *entry.spellings)]


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("francecentral", "francecentral"),
        ("France Central", "francecentral"),
        ("FranceCentral", "francecentral"),
        ("centralfrance", "francecentral"),
        ("southfrance", "francesouth"),
        ("germanywc", "germanywestcentral"),
        ("germanyn", "germanynorth"),
        ("norwaye", "norwayeast"),
        ("norwayw", "norwaywest"),
        ("switzerlandn", "switzerlandnorth"),
        ("switzerlandw", "switzerlandwest"),
        ("brazilse", "brazilsoutheast"),
        ("chilec", "chilecentral"),
        ("usstagee", "eastusstg"),
        ("SouthCentralUSSTG", "southcentralusstg"),
        ("italnorth", "italynorth"),
        ("EastUS2Stage", "eastus2stage"),
        ("East US 2", "eastus2"),
        ("east-us-2", "eastus2"),
        ("US Gov Arizona", "usgovarizona"),
        ("US DoD Central", "usdodcentral"),
        ("China North 3", "chinanorth3"),
        ("Asia", "asia"),
        ("Asia Pacific", "asia"),
        ("Brazil", "south-america"),
        ("South America", "south-america"),
        ("United States", "united-states"),
        ("unitedstates", "united-states"),
        ("United States (Early Access)", "preview-united-states"),
        ("Preview (United States)", "preview-united-states"),
        ("GCC", "gcc"),
        ("Mexico Central*", "mexicocentral"),
        ("China (21Vianet)", "china"),
        ("Department of Defense (DoD) in Azure Government", "dod"),
    ],
)
def test_spellings(spelling: str, code: str) -> None:
    """Suffixes, regions of the files, display names, renamed regions and geographies have one code each."""
    assert region_code(spelling) == code


@pytest.mark.parametrize("text", ["Europ", "eastus22", "fdfdf", "West", "dfdfdf", "", "UK East", "u"])
def test_nothing_is_guessed(text: str) -> None:
    """What resembles a region is none: it stays what upstream wrote, in lower case."""
    assert known_region(text) is None
    assert region_code(text) == text.lower()


def test_unknown_text_is_collapsed() -> None:
    """An unknown spelling loses nothing but its case and the amount of white space."""
    assert region_code("  New\u00a0 Zealand  South ") == "new zealand south"


def test_no_spelling_stands_twice() -> None:
    """Each spelling of each entry leads back to it, so no two entries share one."""
    assert {spelling: known_region(spelling) for spelling, _ in SPELLED} == dict(SPELLED)
    assert Counter(entry.code for entry in ENTRIES).most_common(1)[0][1] == 1


@given(st.sampled_from(SPELLED), st.randoms(use_true_random=False))
def test_case_space_hyphens_and_dots_do_not_count(spelled: tuple[str, Region | Geography], random: Random) -> None:
    """However a spelling is cased and broken up, it is the same entry."""
    spelling, entry = spelled
    breaks = ["", " ", "-", ".", "\u200b"]
    mangled = "".join(random.choice([one, one.upper()]) + random.choice(breaks) for one in spelling)
    assert known_region(mangled) is entry


@given(st.one_of(st.text(max_size=20), st.sampled_from([spelling for spelling, _ in SPELLED])))
def test_codes_are_fixed_points(text: str) -> None:
    """A code is its own code, known or not, and a query for a code covers it."""
    code = region_code(text)
    assert region_code(code) == code
    assert code in covered_codes(text)


def test_geographies_stand_for_their_regions() -> None:
    """A geography covers its Azure regions, a region itself alone; every region named is in the table."""
    assert covered_codes("Europe") == {"europe", "northeurope", "westeurope"}
    assert covered_codes("WestEurope") == {"westeurope"}
    assert covered_codes("Nowhere") == {"nowhere"}
    assert {code for one in GEOGRAPHIES for code in one.regions} <= {one.code for one in REGIONS if not one.staging}


def test_home_geographies() -> None:
    """A region that two geographies use is at home in the one that is named for it first."""
    homes = {one.code: one.geography for one in REGIONS}
    assert (homes["southeastasia"], homes["eastus"], homes["francecentral"]) == ("asia", "united-states", "france")
    assert homes["qatarcentral"] is None


def test_a_real_region_does_not_stand_for_its_stage() -> None:
    """Stages are entries of their own: a query for the region does not return them."""
    stage = known_region("EastUS2Stage")
    assert isinstance(stage, Region)
    assert stage.staging
    assert "eastus2stage" not in covered_codes("eastus2") | covered_codes("United States")


RECORDS = (
    record("a", prefixes=("20.1.0.0/16",), region="westeurope"),
    record("b", prefixes=("20.2.0.0/16",), region="europe"),
    record("c", prefixes=("20.3.0.0/16",), region="mars", attributes=Attributes(gateway_regions=("fdfdf", "eastus"))),
    record("d", prefixes=("20.4.0.0/16",), region="mars"),
    record("e", prefixes=("20.5.0.0/16",)),
)


@pytest.mark.parametrize(
    ("regions", "titles"),
    [(("West Europe",), "a"), (("EUROPE",), "ab"), (("europe", "Mars"), "abcd"), (("east us",), ""), ((), "abcde")],
)
def test_filters_take_any_spelling(regions: tuple[str, ...], titles: str) -> None:
    """A region filter keeps what any spelling means, and a geography's Azure regions with it."""
    assert "".join(one.title for one in select(RECORDS, Filter(regions=regions))) == titles


def snapshot(*records: EndpointSet) -> Snapshot:
    """A catalogue of one source."""
    version = Version(7, SOURCE, DAY, DAY, "sha256:0", count(records), Summary(), "https://h/", "sha256:1")
    return Snapshot(7, (SourceContent(version, records),))


def test_unknown_spellings_are_reported() -> None:
    """What the crosswalk does not know is listed by spelling and source, regions of gateways too."""
    assert unknown_regions(snapshot(*RECORDS)) == (
        UnknownRegion("fdfdf", SOURCE, 1),
        UnknownRegion("mars", SOURCE, 2),
    )
    assert all_regions(snapshot()).unknown == ()


def test_the_crosswalk_knows_every_region_of_real_files(corpus: Path) -> None:
    """Suffixes are regions where properties.region is not empty; the two disagree for the stages alone (T4)."""
    disagreeing, unknown = set(), set()
    for suffix, said in _pairs(corpus / "service-tags"):
        named, region = known_region(suffix), known_region(said)
        unknown |= {said} - {""} if region is None else set()
        if named is None:
            unknown |= {suffix} - NOT_REGIONS - {""}
        elif region not in (None, named):
            disagreeing.add((suffix, said))
    assert disagreeing == {("EastUS2Stage", "eastus2"), ("NorthCentralUSStage", "northcentralus")}
    assert unknown == set()


NOT_REGIONS = {
    *("AzureAppServiceUx", "Backend", "Core", "FirstParty", "Frontend", "MicrosoftSecurity", "ServiceEndpoint"),
}
EVERY = 6
"""One file in so many: regions stay for months."""


def _pairs(folder: Path) -> set[tuple[str, str]]:
    """The (suffix, properties.region) pairs of files of all clouds and years."""
    pairs = set()
    for archive in sorted(folder.iterdir()):
        with tarfile.open(archive) as opened:
            for position, member in enumerate(opened):
                if position % EVERY == 0 and (content := opened.extractfile(member)):
                    tags = json.loads(content.read().decode("utf-8-sig"))["values"]
                    pairs |= {(tag["name"].partition(".")[2], tag["properties"]["region"]) for tag in tags}
    return pairs
