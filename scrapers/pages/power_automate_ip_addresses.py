"""The Power Automate page "IP address configuration", in every form since 2020.

    ## Required services
    | Domains | Protocols | Uses |
    | *.flow.microsoft.com <br> *.logic.azure.com | https | Access to the Power Automate site. |
        -> portal:public:*.flow.microsoft.com, outbound, https, both names

Tables of region addresses and of service tags, service tags named in prose, and bullets that begin with a host
name are records too: all as `docs.parse` reads every page. A section keeps its role when its heading is renamed
or moved: ids and categories are made of it (sources.md D1.22, D3). `sources.py` lists the source.
"""

from __future__ import annotations

from scrapers.docs.rules import PageRules
from scrapers.docs.sections import Section

# First match wins, innermost heading first. The headings each role has had, from 2020 to 2026:
_SECTIONS = (
    # Public endpoints for hosted machines and hosted machine groups
    Section("hosted-machines", "Hosted machines and hosted machine groups", r"\bhosted machine"),
    # Global endpoints for Power Automate for desktop MSI installer
    Section("desktop-installer", "Power Automate for desktop installer", r"\binstaller\b"),
    # UI flows required services, Desktop flows required services, Desktop flows services required for runtime,
    # Services required for desktop flows runtime, Public endpoints for desktop flows runtime,
    # Allow machines & users on your network to access Power Automate desktop services
    Section(
        "desktop-flows-runtime",
        "Desktop flows runtime",
        r"\b(?:desktop|ui) flows?\b.*\b(?:required|runtime)\b|\brequired for (?:desktop|ui) flows?\b"
        r"|\bdesktop services\b",
    ),
    # Endpoints needed to use Power Automate mobile app, Allow users on your network to use ... mobile app
    Section("mobile-app", "Power Automate mobile app", r"\bmobile app\b"),
    # Allow users on your network to use "When an HTTP request is received" trigger
    Section("http-trigger", "When an HTTP request is received", r"\bhttp request is received\b"),
    # Allowlist 'HTTP' and 'HTTP + Swagger' calls to your services
    Section("http-actions", "HTTP actions", r"\bhttp\b.*\bcalls\b"),
    # Required services, Required endpoints for Power Automate service, Use the Power Automate web portal
    Section(
        "portal",
        "Power Automate web portal",
        r"\brequired services\b|\bendpoints for power automate service\b|\bweb portal\b",
    ),
    # Connectors, Allow connector calls to your services
    Section(
        "connectors",
        "Connectors",
        r"^connectors$|\bconnector calls\b|\bmanaged connectors?\b",
        sentence=r"connector",
    ),
)
RULES = PageRules(service="Power Automate", sections=_SECTIONS)
