"""The Logic Apps page "Limits and configuration": addresses by region, and the service tags in their place.

    ### Inbound IP addresses      what the customer's clients call: outbound for the customer
    | Region | Azure Logic Apps IP |
    ### Outbound IP addresses     what workflows call from: inbound for the customer
    | Multi-tenant region | Logic Apps IP | Managed connectors IP |     -> two records of two services

An address may stand in both sections or in two rows (sources.md D1.30): each record keeps its direction.
`sources.py` lists the source.
"""

from __future__ import annotations

from schema.words import Direction
from scrapers.docs.rules import PageRules
from scrapers.docs.sections import Section
from scrapers.docs.tables import Column

_CONNECTORS = Section(
    "managed-connectors",
    "Managed connectors",
    r"^managed connectors?\b",
    service="Managed connectors",
    direction=Direction.INBOUND,
)
# Outbound IP addresses, Multi-tenant Azure - Outbound IP addresses, Azure Government - Outbound IP addresses
_OUTBOUND = Section(
    "outbound",
    "Logic Apps outbound addresses",
    r"\boutbound\b",
    direction=Direction.INBOUND,
    required=True,
)
_INBOUND = Section(
    "inbound",
    "Logic Apps inbound addresses",
    r"\binbound\b(?!.*\boutbound\b)",
    direction=Direction.OUTBOUND,
    required=True,
)

RULES = PageRules(
    service="Logic Apps",
    sections=(_INBOUND, _OUTBOUND, _CONNECTORS),
    column_sections=(
        (Column.CONNECTORS_IPS, _CONNECTORS),
        (Column.INBOUND_IPS, _INBOUND),
        (Column.OUTBOUND_IPS, _OUTBOUND),
    ),
    tag_sections=(("LogicApps", _OUTBOUND), ("LogicAppsManagement", _INBOUND), ("AzureConnectors", _CONNECTORS)),
)
"""A page without both sections is part of one: half of its addresses would go in silence."""
