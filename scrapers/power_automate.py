"""The Power Automate page "IP address configuration", in every form since 2020.

    ## Required services
    | Domains | Protocols | Uses |
    | *.flow.microsoft.com <br> *.logic.azure.com | https | Access to the Power Automate site. |
        -> portal:public:*.flow.microsoft.com, outbound, https, both names

Tables of region addresses and of service tags, service tags named in prose, and bullets that begin
with a host name are records too: all as `docs.parse` reads every page. Sections (`power_automate_sections`)
keep their role when their heading is renamed or moved.
`sources.py` lists the source; its document comes from `docs.fetch`.
"""

from __future__ import annotations

from functools import partial

from scrapers.docs.parse import parse_docs_page
from scrapers.docs.rules import PageRules
from scrapers.power_automate_sections import SECTIONS

RULES = PageRules(service="Power Automate", sections=SECTIONS)

parse_ip_address_configuration = partial(parse_docs_page, RULES)
"""(source, document) -> every endpoint of the page. Raises ParseError as `parse_docs_page`."""
