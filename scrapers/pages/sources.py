"""The docs pages this catalogue reads, as values: `scrapers.sources` lists them after the downloads and services.

Limits were fitted by replaying every version of each page that the corpus has (``python -m bench.replay``); the
numbers, and the few real changes that a person sees, are in docs/adr/0007.
"""

from __future__ import annotations

from functools import partial

from schema.guard import GuardLimits
from schema.words import Cloud
from scrapers.docs.fetch import fetch_docs_page
from scrapers.docs.parse import parse_docs_page
from scrapers.docs.rules import PageRules
from scrapers.pages import (
    approval_email,
    logic_apps_limits,
    managed_connectors,
    power_apps_limits,
    power_automate_ip_addresses,
    power_automate_limits,
    power_automate_us_government,
    power_platform_requirements,
)
from scrapers.pages.power_automate_regions import parse_regions_overview
from scrapers.source import Parse, Source

_SITE = "https://learn.microsoft.com/en-us/"
_INTERVAL_S = 6 * 3600


def _page(
    name: str,
    title: str,
    path: str,
    parse: Parse,
    *,
    gives: str,
    guard: GuardLimits,
    cloud: Cloud = Cloud.PUBLIC,
) -> Source:
    url = f"{_SITE}{path}"
    return Source(name, title, cloud, url, fetch_docs_page, parse, guard, _INTERVAL_S, gives=gives)


def _read_by(rules: PageRules) -> Parse:
    return partial(parse_docs_page, rules)


def _limits(
    sets: tuple[int, int], *, members_removed: float = 0.30, sets_removed: float = 0.30, members_added: float = 1.00
) -> GuardLimits:
    """Return limits of a page with that many records, at least and at most; shares are of what was there before.

    A person restructures a page of some 20 to 100 records in one edit, and half a page gone is still more likely
    a page that changed shape (sources.md D3). On so few records ten members are no handful: three are.
    """
    return GuardLimits(
        min_endpoint_sets=sets[0],
        max_endpoint_sets=sets[1],
        max_members_removed_share=members_removed,
        max_endpoint_sets_removed_share=sets_removed,
        max_members_added_share=members_added,
        small=3,
        holds_mere_losses=True,
    )


DOCS_PAGES: tuple[Source, ...] = (
    _page(
        "power-automate-ip-address-configuration",
        "Power Automate IP address configuration",
        "power-automate/ip-address-configuration",
        _read_by(power_automate_ip_addresses.RULES),
        gives="domains and protocols by use and cloud; until 2021 the connectors' addresses by region; service tags",
        guard=_limits((10, 250), members_added=2.00),  # 16 to 73 records, 17.9 % removed, 150 % added (2022 to 2023)
    ),
    _page(
        "power-automate-limits-and-config",
        "Power Automate limits and configuration",
        "power-automate/limits-and-config",
        _read_by(power_automate_limits.RULES),
        gives="desktop flows namespaces by region; until 2020 domains and the connectors' addresses by region",
        guard=_limits(
            (10, 1500), members_removed=0.40, sets_removed=0.40
        ),  # 13 to 25; 36.9 %, 36 %; hundreds of namespaces later
    ),
    _page(
        "power-automate-regions-overview",
        "Power Automate regions overview",
        "power-automate/regions-overview",
        parse_regions_overview,
        gives="geographies of environments and their gateway regions; no endpoints",
        guard=_limits((5, 60), sets_removed=0.40),  # 6 to 11
    ),
    _page(
        "managed-connectors-outbound-ip-addresses",
        "Managed connectors outbound IP addresses",
        "connectors/common/outbound-ip-addresses",
        _read_by(managed_connectors.RULES),
        gives="what connectors call from: addresses or service tags, by region or geography",
        guard=_limits((10, 300)),  # no capture (sources.md D0)
    ),
    _page(
        "logic-apps-limits-and-configuration",
        "Logic Apps limits and configuration",
        "azure/logic-apps/logic-apps-limits-and-configuration",
        _read_by(logic_apps_limits.RULES),
        gives="inbound and outbound addresses of Logic Apps and its connectors by region and cloud; service tags",
        guard=_limits((40, 600)),  # 128
    ),
    _page(
        "power-automate-approval-email",
        "Power Automate approval email information",
        "troubleshoot/power-platform/power-automate/approvals/power-automate-approval-email-information",
        _read_by(approval_email.RULES),
        gives="addresses that approval e-mail comes from, by cloud",
        guard=_limits((3, 12)),  # 3, one a cloud
    ),
    _page(
        "power-platform-online-requirements",
        "Power Platform URLs and IP address ranges",
        "power-platform/admin/online-requirements",
        _read_by(power_platform_requirements.RULES),
        gives="domains of Power Platform and Dynamics 365 services, Dataverse ports, service tags by cloud",
        guard=_limits((15, 200)),  # 22
    ),
    _page(
        "power-automate-us-government",
        "Power Automate US Government",
        "power-automate/us-govt",
        _read_by(power_automate_us_government.RULES),
        gives="service URLs, domains to allow and service tags for GCC, GCC High and DoD",
        guard=_limits((2, 150), members_added=2.00),  # 2 to 35; 12.5 %, 20 %; 200 %
        cloud=Cloud.USGOV,
    ),
    _page(
        "power-apps-limits",
        "Power Apps system requirements, limits and configuration",
        "power-apps/limits-and-config",
        _read_by(power_apps_limits.RULES),
        gives="domains of the Power Apps portal, mobile app and data sources, with protocols",
        guard=_limits((10, 120)),  # 14 to 18
    ),
)
