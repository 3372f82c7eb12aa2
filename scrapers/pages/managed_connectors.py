"""The page "Managed connectors outbound IP addresses": what connectors call from, by region or geography.

    ## Azure Logic Apps
    | Region | Outbound IP addresses |                 -> a record a region
    | Multi-tenant region | Logic Apps IP | Managed connectors IP |     -> two, of two services
    ## Power Platform
    | Geo (multi-tenant region) | Service tags |        -> a record a geography, with all its tags
    **PowerPlatformPlex** in a sentence                 -> a record of that tag

No capture of the page exists (sources.md D0): both forms, of addresses and of service tags, are read under either
heading. All of it comes into the customer's network. `sources.py` lists the source.
"""

from __future__ import annotations

from schema.words import Direction
from scrapers.docs.rules import PageRules
from scrapers.docs.sections import Section
from scrapers.docs.tables import Column

_LOGIC_APPS_ITSELF = Section(
    "logic-apps-outbound", "Logic Apps outbound addresses", "^$", service="Logic Apps", direction=Direction.INBOUND
)

RULES = PageRules(
    service="Managed connectors",
    sections=(
        # The page's anchors are #azure-logic-apps and #power-platform: other pages link to them.
        Section("logic-apps", "Managed connectors in Logic Apps", r"\blogic apps\b", direction=Direction.INBOUND),
        Section(
            "power-platform",
            "Managed connectors in Power Platform",
            r"\bpower (?:platform|automate|apps)\b",
            direction=Direction.INBOUND,
            required=True,
        ),
    ),
    column_sections=((Column.LOGIC_APPS_IPS, _LOGIC_APPS_ITSELF),),
)
"""Power Platform's section is what the seed page points to: a page without it is not this page."""
