"""Clouds of rows, in every way pages have stated them since 2020 (sources.md D2)."""

from __future__ import annotations

import pytest

from schema.words import EVERY_CLOUD, US_GOVERNMENT, Cloud
from scrapers.docs.clouds import (
    heading_clouds,
    is_cloud_heading,
    refuse_unread_heading,
    region_clouds,
    row_clouds,
    unknown_of_series,
)

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
        ("USGov", US_GOVERNMENT),
        ("US-Gov", US_GOVERNMENT),
        ("Azure Gov", US_GOVERNMENT),
        ("Azure Government", US_GOVERNMENT),
        ("Government", US_GOVERNMENT),
        ("Government endpoints", US_GOVERNMENT),
        ("U.S. Federal", US_GOVERNMENT),
        ("Sovereign clouds", US_GOVERNMENT),
        ("National clouds", (*US_GOVERNMENT, CHINA)),
        ("US national clouds", US_GOVERNMENT),
        ("Germany", (Cloud.GERMANY,)),
        ("All clouds", EVERY_CLOUD),
        ("All endpoints (except China)", SOVEREIGN),
        ("Worldwide (except China)", (PUBLIC,)),
    ],
)
def test_the_endpoint_type_states_the_clouds(endpoint_type: str, clouds: tuple[Cloud, ...]) -> None:
    """Every label and typo of the "Endpoint type" column is read."""
    assert row_clouds("", endpoint_type, (), PUBLIC) == clouds


@pytest.mark.parametrize("endpoint_type", ["Bleu endpoints", "Vainet", "Worldwide, Vinnet"])
def test_an_endpoint_type_of_an_unknown_cloud_is_refused(endpoint_type: str) -> None:
    """A new cloud's rows, and those of a cloud's new typo, are not taken for public ones."""
    with pytest.raises(ValueError, match="names no known cloud"):
        row_clouds("", endpoint_type, (), PUBLIC)


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
        (("Desktop", "Government cloud endpoints"), US_GOVERNMENT),
        (("Federal endpoints",), US_GOVERNMENT),
        (("National cloud endpoints",), (*US_GOVERNMENT, CHINA)),
        (("Germany endpoints",), (Cloud.GERMANY,)),
        (("All clouds",), EVERY_CLOUD),
        (("Endpoints for all clouds except US Government",), (PUBLIC, CHINA)),
        (("Global endpoints", "Not for China"), SOVEREIGN),
        (("Allow all cloud flows to call your services",), (PUBLIC,)),
        (("Endpoints that are not behind a proxy in GCC",), (GCC,)),
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
        ("Access to tables. For GCC only.", (), (GCC,)),
        ("Access to tables. Only for GCC High.", (), (GCCHIGH,)),
        ("For GCC High and DoD customers.", (), (GCCHIGH, DOD)),
        ("Needed for GCC High and for DoD.", (), (GCCHIGH, DOD)),
        ("China only", (), (CHINA,)),
        ("Access to tables, Mooncake only.", (), (CHINA,)),
        ("Required in US Government clouds", (), US_GOVERNMENT),
        ("21Vianet operated", (), (CHINA,)),
        ("Azure operated by 21Vianet", (), (CHINA,)),
        ("Needed for all clouds.", (), EVERY_CLOUD),
        ("Tables (GCC tenants)", (), (GCC,)),
        ("Tables (GCC customers only)", (), (GCC,)),
        ("Tables (Government only)", (), US_GOVERNMENT),
        ("Tables (U.S. Government (GCC) only)", (), (GCC,)),
        ("Tables\uff08GCC only\uff09", (), (GCC,)),
        ("Tables (also available for GCC High, DoD)", (), (PUBLIC, GCCHIGH, DOD)),
        ("Tables (also valid in GCC)", (), (PUBLIC, GCC)),
        ("Tables (including China)", (), (PUBLIC, CHINA)),
        ("Also required for GCC High.", (), (PUBLIC, GCCHIGH)),
        ("Required for GCC High as well.", (), (PUBLIC, GCCHIGH)),
        ("Tables (except China)", ("Global endpoints",), SOVEREIGN),
        ("Tables (except China)", (), (PUBLIC,)),
        ("Tables (not available in GCC)", US_HEADING, (GCCHIGH, DOD)),
        ("Not needed in the U.S. for GCC", (), (PUBLIC,)),
        ("Runs of all cloud flows (needed for all endpoints).", (), (PUBLIC,)),
        ("Relay (*.relay.gov.example.us).", (), (PUBLIC,)),
        ("Relay (see the article on US Government).", (), (PUBLIC,)),
        ("Relay (Germany West Central).", (), (PUBLIC,)),
        ("Access to tables in GCC High", (), (GCCHIGH,)),
        ("GCC High: access to tables", (), (GCCHIGH,)),
        ("Access to tables. Applies to DoD.", (), (DOD,)),
        ("This applies only to China regions.", (), (CHINA,)),
        ("Access to tables in China", (), (CHINA,)),
        ("Access to tables for government tenants", (), US_GOVERNMENT),
        ("Tables (Fairfax)", (), US_GOVERNMENT),
        ("Tables (Gallatin)", (), (CHINA,)),
        ("Tables (L5)", (), (DOD,)),
        ("Tables (DoD IL5 only)", (), (DOD,)),
        ("Tables (IL4)", (), (GCCHIGH,)),
        ("The GCC portal", US_HEADING, US_GOVERNMENT),
        ("Replace # with Japan: 7, Dynamics 365 US Government: 9", (), (PUBLIC,)),
        ("Government forms and China shipments are telemetry too.", (), (PUBLIC,)),
    ],
)
def test_uses_narrow_or_widen(uses: str, headings: tuple[str, ...], clouds: tuple[Cloud, ...]) -> None:
    """A parenthesis or phrase in the uses narrows or widens what the heading states; remarks do nothing."""
    assert row_clouds(uses, "", headings, PUBLIC) == clouds


@pytest.mark.parametrize(
    "uses",
    [
        "Tables (GCC Hihg only)",
        "Tables (Vainet only)",
        "Relay (Germany)",
        "Tables (handled by China)",
        "(only DoD forms)",
        "Tables (GCC L4)",
    ],
)
def test_a_parenthesis_that_names_a_cloud_in_other_words_is_refused(uses: str) -> None:
    """A row whose clouds are stated and not understood is no public row."""
    with pytest.raises(ValueError, match="names a cloud in words that are not known"):
        row_clouds(uses, "", (), PUBLIC)


@pytest.mark.parametrize(
    "uses",
    [
        "Access to the portal. For GCC, the address is gov.flow.microsoft.us.",
        "Used for desktop flows. In GCC tenants, use the addresses below.",
        "Not used in GCC; for GCC use login.microsoftonline.us",
        "Access to the portal. For US Government, see Power Automate US Government.",
        "Retrieves CRLs. For China, allow crl.digicert.cn instead.",
        "Learn more in Power Automate for US Government customers.",
        "Access to the tables (for example, China East)",
    ],
)
def test_a_sentence_that_points_elsewhere_says_nothing_of_the_row(uses: str) -> None:
    """A row does not leave its allowlist because its uses mention where another cloud's endpoints are."""
    assert row_clouds(uses, "Worldwide endpoints", (), PUBLIC) == (PUBLIC,)
    assert row_clouds(uses, "", ("Required services",), PUBLIC) == (PUBLIC,)


@pytest.mark.parametrize(
    ("uses", "clouds"),
    [
        ("Required for customers in GCC, GCC High, and DoD", US_GOVERNMENT),
        ("Required for worldwide and US Government", SOVEREIGN),
        ("Needed for runs (Government Community Cloud only)", (GCC,)),
    ],
)
def test_lists_of_clouds_are_read_whole(uses: str, clouds: tuple[Cloud, ...]) -> None:
    """Every cloud of an enumeration counts."""
    assert row_clouds(uses, "", (), PUBLIC) == clouds


def test_uses_against_the_place_of_the_row_are_refused() -> None:
    """A row below one cloud whose uses are for another is a contradiction, and no guess settles it."""
    with pytest.raises(ValueError, match="its uses are for usgov, its place for public"):
        row_clouds("Access to the portal (GCC only)", "Worldwide endpoints", (), PUBLIC)


def test_a_row_that_excepts_its_only_cloud_is_refused() -> None:
    """No record speaks for no cloud."""
    with pytest.raises(ValueError, match="leaves no cloud"):
        row_clouds("Tables (except China)", "China", (), PUBLIC)


def test_the_heading_over_a_table_may_not_name_an_unread_cloud() -> None:
    """A cloud's new typo is refused in a table's own heading; other headings are free."""
    with pytest.raises(ValueError, match="'Vainet endpoints' names no known cloud"):
        refuse_unread_heading(("Desktop", "Vainet endpoints"))
    for headings in ((), ("Vainet", "Desktop"), *((heading,) for heading in (*PUBLIC_HEADING, *US_HEADING))):
        refuse_unread_heading(headings)
    assert heading_clouds(("Vainet",)) == ()


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
        ("USGov Virginia", US_GOVERNMENT),
        ("usgovvirginia", US_GOVERNMENT),
        ("US Gov Arizona", US_GOVERNMENT),
        ("usdodeast", (DOD,)),
        ("chinanorth3", (CHINA,)),
    ],
)
def test_a_region_may_name_its_cloud(region: str, clouds: tuple[Cloud, ...]) -> None:
    """Regions of government clouds say so in their name."""
    assert region_clouds(region, (), PUBLIC) == clouds


def test_a_region_without_a_cloud_has_that_of_its_heading() -> None:
    """The region's own words come first, then the headings', then the source's."""
    assert region_clouds("Virginia", US_HEADING, PUBLIC) == US_GOVERNMENT
    assert region_clouds("China East", US_HEADING, PUBLIC) == (CHINA,)
    assert region_clouds("Virginia", ("Connectors",), CHINA) == (CHINA,)


def test_a_heading_of_a_cloud_alone_is_told_from_a_section() -> None:
    """Only a heading without any other word leaves the section to the heading above it."""
    alone = (
        "Government cloud endpoints",
        "Endpoints for GCC customers",
        "Global endpoints",
        "Public endpoints",
        "U.S. Government endpoints",
        "21Vinaet endpoints (China)",
    )
    assert all(map(is_cloud_heading, alone))
    assert not any(map(is_cloud_heading, ("Required services", "Public endpoints for hosted machines", "Endpoints")))


@pytest.mark.parametrize("uses", ["The GCC High portal", "Telemetry of DoD forms", "The Fairfax relay"])
def test_a_cloud_s_own_name_left_unread_is_refused_where_no_place_states_a_cloud(uses: str) -> None:
    """Its row would be public in silence."""
    with pytest.raises(ValueError, match="in words that are not known"):
        row_clouds(uses, "", (), PUBLIC)


@pytest.mark.parametrize(
    ("heading", "clouds"),
    [
        ("Public and GCC endpoints for machines", (PUBLIC, GCC)),
        ("Worldwide and GCC endpoints", (PUBLIC, GCC)),
        ("Commercial (public) and GCC endpoints", (PUBLIC, GCC)),
        ("Endpoints for machines (commercial and US Government)", (PUBLIC, *US_GOVERNMENT)),
        ("GCC/public endpoints", (PUBLIC, GCC)),
        ("Public", (PUBLIC,)),
        ("Public IP addresses in GCC", (GCC,)),
    ],
)
def test_public_beside_another_cloud_in_a_heading_is_a_cloud(heading: str, clouds: tuple[Cloud, ...]) -> None:
    """Joined to a cloud's name it is one; in "public IP addresses" it is none."""
    assert heading_clouds((heading,)) == clouds


def test_an_unknown_name_in_a_series_of_cloud_headings_is_seen() -> None:
    """The same words after "endpoints" as a cloud's heading, and no cloud before it."""
    series = ["US Government endpoints for machines", "Public endpoints for machines", "Endpoints for the app"]
    assert unknown_of_series("Bleu endpoints (France) for machines", series)
    assert unknown_of_series("USNat and USSec endpoints for machines", series)
    assert not unknown_of_series("Telemetry endpoints for the portal", series)
    assert not unknown_of_series("21Vianet endpoints (China) for machines", series)
    assert not unknown_of_series("Bleu endpoints for machines", ["Telemetry endpoints for machines"])
