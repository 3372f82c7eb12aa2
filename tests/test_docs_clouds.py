"""Clouds of rows, in every way pages have stated them since 2020 (sources.md D2)."""

from __future__ import annotations

import pytest

from schema.words import EVERY_CLOUD, US_GOVERNMENT, Cloud
from scrapers.docs.clouds import is_cloud_heading, region_clouds, row_clouds

PUBLIC, GCC, GCCHIGH, DOD, CHINA = EVERY_CLOUD
SOVEREIGN = (PUBLIC, *US_GOVERNMENT)
PUBLIC_HEADING = ("Desktop flows services required for runtime", "Public endpoints")
US_HEADING = ("Desktop flows services required for runtime", "U.S. Government endpoints")


@pytest.mark.parametrize(
    ("endpoint_type", "clouds"),
    [
        ("", (PUBLIC,)),
        ("Worldwide endpoints", (PUBLIC,)),
        ("Worlwide Endpoints", (PUBLIC,)),
        ("Public endpoints", (PUBLIC,)),
        ("All endpoints", EVERY_CLOUD),
        ("Global endpoints", EVERY_CLOUD),
        ("All", EVERY_CLOUD),
        ("U.S. Government GCC and GCC High endpoints", (GCC, GCCHIGH)),
        ("U.S. Government endpoints", US_GOVERNMENT),
        ("U.S. Goverment endpoints", US_GOVERNMENT),
        ("US Government endpoints", US_GOVERNMENT),
        ("U.S. Government DoD endpoints", (DOD,)),
        ("21Vianet operated endpoints", (CHINA,)),
        ("21Vinaet endpoints", (CHINA,)),
        ("XRM", (PUBLIC,)),
    ],
)
def test_the_endpoint_type_states_the_clouds(endpoint_type: str, clouds: tuple[Cloud, ...]) -> None:
    """Every label and typo of the "Endpoint type" column is read."""
    assert row_clouds("", endpoint_type, (), PUBLIC) == clouds


def test_an_endpoint_type_of_an_unknown_cloud_is_refused() -> None:
    """A new cloud's rows are not taken for public ones."""
    with pytest.raises(ValueError, match="names no known cloud"):
        row_clouds("", "Bleu endpoints", (), PUBLIC)


@pytest.mark.parametrize(
    ("headings", "clouds"),
    [
        ((), (PUBLIC,)),
        (("Required services",), (PUBLIC,)),
        (("Desktop", "Global endpoints"), EVERY_CLOUD),
        (("Global endpoints for Power Automate for desktop MSI installer",), EVERY_CLOUD),
        (PUBLIC_HEADING, (PUBLIC,)),
        (US_HEADING, US_GOVERNMENT),
        (("US Government endpoints for desktop flows runtime",), US_GOVERNMENT),
        (("21Vinaet endpoints (China)",), (CHINA,)),
        (("21Vianet endpoints (China) for desktop flows runtime",), (CHINA,)),
        (("U.S. Government endpoints", "DoD endpoints"), (DOD,)),
        (("Choose a public network",), (PUBLIC,)),
    ],
)
def test_the_innermost_heading_that_names_a_cloud_states_it(
    headings: tuple[str, ...], clouds: tuple[Cloud, ...]
) -> None:
    """Without an endpoint type the heading states the clouds; without that, the source does."""
    assert row_clouds("", "", headings, PUBLIC) == clouds


@pytest.mark.parametrize(
    ("uses", "headings", "clouds"),
    [
        ("Several APIs (U.S. Government - GCC only).", (), (GCC,)),
        ("Several APIs (US Government - GCC High only).", (), (GCCHIGH,)),
        ("Several APIs (U.S. Government - DoD only).", (), (DOD,)),
        ("Several APIs (U.S. Government only).", (), US_GOVERNMENT),
        ("Several APIs (21Vinaet - China only).", (), (CHINA,)),
        ("Several APIs (21Vianet - China only).", (), (CHINA,)),
        ("Machines for US government cloud (GCC and GCCH).", US_HEADING, (GCC, GCCHIGH)),
        ("Machines for US government cloud (DOD).", US_HEADING, (DOD,)),
        (
            "Actions (mandatory for cloud connector action in desktop flows) (US Government - GCC only).",
            US_HEADING,
            (GCC,),
        ),
        ("Tables (mandatory for actions)(also valid for GCC).", PUBLIC_HEADING, (PUBLIC, GCC)),
        ("Tables (mandatory for actions)(also valid for public clouds).", US_HEADING, SOVEREIGN),
        ("Tables (also valid for China).", PUBLIC_HEADING, (PUBLIC, CHINA)),
        ("Flighting for US government cloud.", (), US_GOVERNMENT),
        ("Telemetry for the Mooncake region from the mobile app.", (), (CHINA,)),
        ("Lists for the public cloud.", (), (PUBLIC,)),
        ("Lists for 21Vianet operated cloud.", ("Global endpoints",), (CHINA,)),
        ("Telemetry for all production regions and supported US sovereign clouds from the app.", (), SOVEREIGN),
        ("Telemetry for users outside EMEA, U.S. government, and Chinese clouds.", ("Global endpoints",), EVERY_CLOUD),
        ("Telemetry for users outside EMEA, US government, and Chinese clouds.", (), (PUBLIC,)),
        ("This isn't needed for US government cloud.", (), (PUBLIC,)),
        ("Handles telemetry for EMEA users.", PUBLIC_HEADING, (PUBLIC,)),
        ("Relay for machines (public preview).", US_HEADING, US_GOVERNMENT),
        ("NPS (Net Promoter Score).", (), (PUBLIC,)),
    ],
)
def test_uses_narrow_or_widen(uses: str, headings: tuple[str, ...], clouds: tuple[Cloud, ...]) -> None:
    """A parenthesis or phrase in the uses narrows or widens what the heading states; remarks do nothing."""
    assert row_clouds(uses, "", headings, PUBLIC) == clouds


def test_uses_narrow_within_the_endpoint_type() -> None:
    """ "for US government cloud" does not widen a row of GCC and GCC High to DoD."""
    kind = "U.S. Government GCC and GCC High endpoints"
    assert row_clouds("Access to the CRL server for US government cloud.", kind, (), PUBLIC) == (GCC, GCCHIGH)


@pytest.mark.parametrize(
    ("region", "clouds"),
    [
        ("Germany", (PUBLIC,)),
        ("Preview (United States)", (PUBLIC,)),
        ("United States Government (GCC)", (GCC,)),
        ("United States Government (GCC High)", (GCCHIGH,)),
        ("Department of Defense (DoD) in Azure Government", (DOD,)),
        ("US DoD Central", (DOD,)),
        ("China East 2", (CHINA,)),
    ],
)
def test_a_region_may_name_its_cloud(region: str, clouds: tuple[Cloud, ...]) -> None:
    """Regions of government clouds say so in their name."""
    assert region_clouds(region, PUBLIC) == clouds


def test_a_heading_of_a_cloud_alone_is_told_from_a_section() -> None:
    """Only a heading without any other word leaves the section to the heading above it."""
    alone = ("Global endpoints", "Public endpoints", "U.S. Government endpoints", "21Vinaet endpoints (China)")
    assert all(map(is_cloud_heading, alone))
    assert not any(map(is_cloud_heading, ("Required services", "Public endpoints for hosted machines", "Endpoints")))
