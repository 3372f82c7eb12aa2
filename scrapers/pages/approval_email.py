"""The page "Power Automate approval email information": the addresses that approval e-mail comes from.

    ## Commercial
    v=spf1 ip4:52.165.175.144 ip4:20.118.139.208/30 ~all    -> commercial:public, inbound, both
    ## China
    - 103.9.8.121                                           -> china:china, inbound, the whole list

Mail comes into the customer's network; the page names no protocol or port. Its only endpoints stand in lists
and in an SPF string (sources.md D1.31). `sources.py` lists the source.
"""

from __future__ import annotations

from schema.words import Cloud, Direction
from scrapers.docs.rules import PageRules
from scrapers.docs.sections import Section

RULES = PageRules(
    service="Power Automate",
    sections=(
        Section(
            "commercial",
            "Approval e-mail, commercial",
            r"\bcommercial\b|\bpublic\b",
            direction=Direction.INBOUND,
            clouds=(Cloud.PUBLIC,),
            required=True,
        ),
        # GCC (Government), Sovereign Clouds: the sentence before the list says which.
        Section(
            "us-government",
            "Approval e-mail, US Government",
            r"\bgcc\b|\bgovernment\b|\bsovereign clouds?\b",
            direction=Direction.INBOUND,
            required=True,
        ),
        Section(
            "china",
            "Approval e-mail, China",
            r"\bchina\b|\b21vianet\b",
            direction=Direction.INBOUND,
            clouds=(Cloud.CHINA,),
            required=True,
        ),
    ),
    needs_table=False,
    prose_addresses=True,
)
"""Each section is required, under whichever of its headings: one that is gone takes a cloud's addresses along."""
