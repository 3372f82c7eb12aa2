r"""The Power Apps page "System requirements, limits, and configuration values", in every form since 2017.

    ## Required services
    | Domain(s) | Protocols | Uses |
    | \*.azure-apim.net |https |Api Hubs - Different subdomains for each locale |  -> portal:public:*.azure-apim.net
    | http://\*.crm#.dynamics.com and https://\*.crm#.dynamics.com | http and https | ... |
        -> the pattern *.crm#.dynamics.com, http and https

Region rows (2017) are inbound; deprecated endpoints are no endpoints to allow. `sources.py` lists the source.
"""

from __future__ import annotations

from scrapers.docs.rules import PageRules
from scrapers.docs.sections import Section

_SECTIONS = (
    Section("logic-apps", "Logic Apps", r"^logic apps?(?: service)?$", service="Logic Apps"),
    # Services, IP address, IP addresses: calls made from an API connected through an app, all of them
    Section("connectors", "Connectors", r"^(?:connectors|services|ip address(?:es)?)$", sentence=r"connector"),
    # Services PowerApps uses, Services that PowerApps must use, Required services
    Section("portal", "Power Apps web portal", r"^required services$|^services\b.*\buse"),
)
RULES = PageRules(service="Power Apps", sections=_SECTIONS)
