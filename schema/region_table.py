"""The region crosswalk as data: every region and geography, and how upstreams spell them.

Measured over 664 service-tag files of four clouds (2019-2025) and every docs page of these sources
(sources.md T4). A spelling that differs from a code or name by case, white space, hyphens or dots alone
needs no line here: `regions` does not see the difference.

Spellings that look alike and are not: ``EastUS2Stage`` and ``NorthCentralUSStage`` carry the real region in
their ``properties.region``; ``isrealcentral`` (2021) shares one of its six prefixes with ``israelcentral``.
"""

from __future__ import annotations

from msgspec import Struct

from schema.words import Cloud


class Region(Struct, frozen=True, gc=False):
    """An Azure region. ``code`` is its ARM name, or the only name upstream gave it."""

    code: str
    name: str
    clouds: tuple[Cloud, ...]
    geography: str | None
    """Code of the Power Platform geography that is at home there; None where no page says."""
    staging: bool
    """Not for customers: a canary, a stage, or a region that leaked into the files and never opened."""
    spellings: tuple[str, ...]
    """Further spellings, besides ``code`` and ``name``."""


class Geography(Struct, frozen=True, gc=False):
    """A Power Platform geography: what its pages call a region."""

    code: str
    name: str
    clouds: tuple[Cloud, ...]
    regions: tuple[str, ...]
    """Codes of its Azure regions, in the order documented; empty where Microsoft documents none."""
    spellings: tuple[str, ...]


def _geography(
    code: str, name: str, *regions: str, spellings: tuple[str, ...] = (), cloud: Cloud = Cloud.PUBLIC
) -> Geography:
    return Geography(code, name, (cloud,), regions, spellings)


_UNITED_STATES = (
    *("centralus", "eastus", "eastus2", "northcentralus", "southcentralus", "westus", "westus2", "westus3"),
    "westcentralus",
)

# Regions: the gateway table of the regions overview page (its newest form included) and the regions that
# Microsoft's own scripts accept for a geography's virtual networks. "East US 3", "North India" and "UK East"
# stand in the former and are regions nowhere else: they are left unknown.
# South America is Brazil: pa-limits 119 gives Brazil the addresses that the page before gave South America.
GEOGRAPHIES = (
    _geography("asia", "Asia", "eastasia", "southeastasia", spellings=("Asia Pacific", "Asia/Pacific")),
    _geography("australia", "Australia", "australiaeast", "australiasoutheast", "australiacentral"),
    _geography("canada", "Canada", "canadacentral", "canadaeast"),
    _geography("europe", "Europe", "northeurope", "westeurope"),
    _geography("france", "France", "francecentral", "francesouth"),
    _geography("germany", "Germany", "germanynorth", "germanywestcentral"),
    _geography("india", "India", "centralindia", "southindia", "westindia"),
    _geography("italy", "Italy", "italynorth"),
    _geography("japan", "Japan", "japaneast", "japanwest"),
    _geography("korea", "Korea", "koreacentral", "koreasouth", spellings=("South Korea",)),
    _geography("norway", "Norway", "norwayeast", "norwaywest"),
    _geography("singapore", "Singapore", "southeastasia"),
    _geography("south-africa", "South Africa", "southafricanorth", "southafricawest"),
    _geography("south-america", "South America", "brazilsouth", spellings=("Brazil",)),
    _geography("sweden", "Sweden", "swedencentral"),
    _geography("switzerland", "Switzerland", "switzerlandnorth", "switzerlandwest"),
    _geography(
        "united-arab-emirates",
        "United Arab Emirates",
        *("uaecentral", "uaenorth"),
        spellings=("UAE", "Unified Arab Emirates"),
    ),
    _geography("united-kingdom", "United Kingdom", "uksouth", "ukwest", spellings=("UK",)),
    # One row of the regions overview page speaks of both the United States and their preview.
    _geography(
        "united-states", "United States", *_UNITED_STATES, spellings=("United States including Preview", "US", "USA")
    ),
    _geography(
        "preview-united-states",
        "Preview (United States)",
        *_UNITED_STATES,
        spellings=(
            "United States (Early Access)",
            "United States (First Release)",
            "United States First Release",
            "United States (Preview)",
        ),
    ),
    # Of Azure Government: the regions that the US Government page sends each of these to.
    _geography(
        "gcc",
        "US Government (GCC)",
        *("usgovtexas", "usgovvirginia"),
        spellings=("GCC", "United States Government (GCC)", "U.S. Government - GCC"),
        cloud=Cloud.USGOV,
    ),
    _geography(
        "gcc-high",
        "US Government (GCC High)",
        *("usgovtexas", "usgovvirginia"),
        spellings=("GCC High", "GCCH", "United States Government (GCC High)", "U.S. Government - GCC High"),
        cloud=Cloud.USGOV_GCCHIGH,
    ),
    _geography(
        "dod",
        "US Government (DoD)",
        *("usdodcentral", "usdodeast"),
        spellings=("DoD", "Department of Defense (DoD)", "Department of Defense (DoD) in Azure Government"),
        cloud=Cloud.USGOV_DOD,
    ),
    # No page says which of its Azure regions Power Platform uses: all of them, then.
    _geography("china", "China", spellings=("China (21Vianet)", "21Vianet"), cloud=Cloud.CHINA),
)

# Singapore, the preview and GCC High share regions with Asia, the United States and GCC, which stand first: home.
_HOMES = {code: geography.code for geography in reversed(GEOGRAPHIES) for code in geography.regions}


def _regions(cloud: Cloud, *names: str | tuple[str, str, str], staging: bool = False) -> list[Region]:
    """Return a region for each ``"Display Name"`` or ``("Display Name", code, further spelling)``."""
    found = []
    for given in names:
        name, code, *spellings = (given, given.replace(" ", "").lower()) if isinstance(given, str) else given
        found.append(Region(code, name, (cloud,), _HOMES.get(code), staging, tuple(spellings)))
    return found


REGIONS = (
    *_regions(
        Cloud.PUBLIC,
        *("Australia Central", "Australia Central 2", "Australia East", "Australia Southeast", "Austria East"),
        *("Belgium Central", "Brazil South", ("Brazil Southeast", "brazilsoutheast", "brazilse")),
        *("Canada Central", "Canada East", "Central India", "Central US"),
        *(("Chile Central", "chilecentral", "chilec"), "East Asia", "East US", "East US 2"),
        ("France Central", "francecentral", "centralfrance"),
        ("France South", "francesouth", "southfrance"),
        ("Germany North", "germanynorth", "germanyn"),
        ("Germany West Central", "germanywestcentral", "germanywc"),
        *("Indonesia Central", "Israel Central", "Israel Northwest"),
        ("Italy North", "italynorth", "italnorth"),  # renamed on 20210816, with the same prefixes
        *("Japan East", "Japan West", "Jio India Central", "Jio India West", "Korea Central", "Korea South"),
        *("Malaysia South", "Malaysia West", "Mexico Central", "New Zealand North", "North Central US", "North Europe"),
        ("Norway East", "norwayeast", "norwaye"),
        ("Norway West", "norwaywest", "norwayw"),
        *("Northeast US 5", "Poland Central", "Qatar Central", "South Africa North", "South Africa West"),
        *("South Central US", "South Central US 2", "South India", "Southeast Asia", "Southeast US", "Spain Central"),
        *("Sweden Central", "Sweden South"),
        ("Switzerland North", "switzerlandnorth", "switzerlandn"),
        ("Switzerland West", "switzerlandwest", "switzerlandw"),
        *("Taiwan North", "Taiwan Northwest", "UAE Central", "UAE North", "UK South", "UK West"),
        *("West Central US", "West Europe", "West India", "West US", "West US 2", "West US 3"),
    ),
    *_regions(
        Cloud.PUBLIC,
        *("Central US EUAP", "East US 2 EUAP", "East US SLV"),
        ("East US STG", "eastusstg", "usstagee"),
        ("South Central US STG", "southcentralusstg", "usstagec"),
        *("East US 2 Stage", "North Central US Stage"),
        *("Southeast US 3", "UK North", "UK South 2"),
        *("brazilne", "easteurope", "isrealcentral", "koreas2", "northeurope2"),  # never shown by another name
        staging=True,
    ),
    *_regions(
        Cloud.USGOV,
        *("US DoD Central", "US DoD East", "US Gov Arizona", "US Gov Iowa", "US Gov Texas", "US Gov Virginia"),
    ),
    *_regions(
        Cloud.CHINA,
        *("China East", "China East 2", "China East 3", "China North", "China North 2", "China North 3"),
    ),
    *_regions(Cloud.GERMANY, "Germany Central", "Germany Northeast"),
)
