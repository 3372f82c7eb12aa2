"""The Power Automate page "Limits and configuration": endpoints among tables of limits, in every form since 2017.

    #### Services                                  (its region rows are the connectors', its names the portal's)
    | Region | Outbound IP |
    | Japan | 13.78.108.0 - 13.78.108.15, 13.71.153.19 |       -> connectors:japan, inbound
    ## Allowlist of namespaces endpoints required for desktop flows runtime
    | URI | Power Platform Region | Is preview |
    | prdnzammrns-1-x.servicebus.windows.net | South Africa | No |   -> one outbound record a name

A page of limits alone (2020-10, when the endpoints went to "IP address configuration") is refused: nothing
is published and the last good version stays (sources.md D3). `sources.py` lists the source.
"""

from __future__ import annotations

from schema.words import Kind
from scrapers.docs.rules import PageRules
from scrapers.docs.sections import Section

# First match wins. "Services" stood over the connectors' addresses, and in 2018 over the portal's names too.
_SECTIONS = (
    # Allowlist of namespaces endpoints required for desktop flows runtime
    Section("desktop-flows-namespaces", "Desktop flows runtime namespaces", r"\bnamespaces?\b"),
    # UI Flows required services
    Section("desktop-flows-runtime", "Desktop flows runtime", r"\b(?:desktop|ui) flows?\b.*\brequired\b"),
    Section("logic-apps", "Logic Apps", r"^logic apps?(?: service)?$", service="Logic Apps"),
    # Services, Required services
    Section("portal", "Power Automate web portal", r"^services$", holds=Kind.FQDN),
    Section("portal", "Power Automate web portal", r"^required services$"),
    Section("connectors", "Connectors", r"^(?:connectors|services)$", sentence=r"connector"),
    Section("ip-addresses", "IP addresses", r"^ip address(?:es| configuration)?$"),
)
RULES = PageRules(service="Power Automate", sections=_SECTIONS)
