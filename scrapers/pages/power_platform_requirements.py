"""The page "Power Platform URLs and IP address ranges": Dynamics 365's URLs, tags of addresses, Dataverse's ports.

    |  Endpoint URL | Justification  |
    | https://*.crm#.dynamics.com and http://*.crm#.dynamics.com | Required for environments access. |
        -> dynamics-365:public:crm-dynamics-com, the pattern alone, http and https
    add the IP address values specified under the `AzureCloud` service tag      -> ip-addresses:AzureCloud, outbound
    Dataverse exposes ports *1433* and *5558* to ...                            -> ports:dataverse, TCP, no member

The table of links to other pages holds no endpoint. An empty justification is the one above (sources.md
D1.25), and the ports stand in prose (D1.38). `sources.py` lists the source.
"""

from __future__ import annotations

import re

from schema.endpoint_set import EndpointSet, endpoint_set
from schema.words import Direction
from scrapers.docs.build import service_tags
from scrapers.docs.page import BulletList, Paragraph
from scrapers.docs.rules import TAGS_IN_GENERAL, PageRules, Spot
from scrapers.docs.sections import Section, nearest_known
from scrapers.docs.stars import with_stars
from scrapers.docs.tag_mentions import mentioned_tags

_ADDRESSES = Section(
    "ip-addresses",
    "IP addresses required",
    r"\brequired ip addresses\b|\bip addresses required\b",
    direction=Direction.OUTBOUND,
    required=True,
)
_PORTS = Section(
    "ports",
    "Dataverse Tabular Data Stream",
    r"^(?:required )?(?:tcp )?ports(?: required)?$",
    service="Dataverse",
    required=True,
)
_EXPOSED = re.compile(
    r"\bports?\s+(?P<ports>\d+(?:(?:,\s*|,?\s*(?:\b(?:and|or)\b|&)\s*)\d+)*)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.])\d{2,5}(?![\w]|\.\d)")


def _tags(spot: Spot, block: BulletList | Paragraph) -> tuple[EndpointSet, ...] | None:
    """Read the service tags that sentences name: all of them belong to one section or to none."""
    if not isinstance(block, Paragraph) or block.text.strikes:
        return None
    section = nearest_known((_ADDRESSES,), spot.headings) or TAGS_IN_GENERAL
    return tuple(service_tags(spot, section, (mention.tag,)) for mention in mentioned_tags(block.text)) or None


def _ports(spot: Spot, block: BulletList | Paragraph) -> tuple[EndpointSet, ...] | None:
    """Read the ports of the Tabular Data Stream, which is TCP; for which names, the page does not say.

    Raises:
        ValueError: the paragraph holds another number that may be a port.
    """
    section = nearest_known((_PORTS,), spot.headings[-1:])
    if section is None or not isinstance(block, Paragraph):
        return None
    text = block.text.text
    ports = tuple(port for found in _EXPOSED.finditer(text) for port in re.findall(r"\d+", found["ports"]))
    if not ports:
        return None
    others = _NUMBER.findall(_EXPOSED.sub(" ", text))
    if others:
        raise ValueError(f"{', '.join(others)} in {text[:120]!r} may be a port too")
    record = endpoint_set(
        spot.source.name,
        f"{section.role}:dataverse",
        service=section.service or spot.rules.service,
        title=section.title,
        category=section.role,
        clouds=(spot.source.cloud,),
        direction=Direction.OUTBOUND,
        tcp_ports=ports,
        purpose=text,
        heading=spot.headings,
    )
    return (record,)


RULES = PageRules(
    service="Power Platform",
    sections=(
        Section(
            "power-platform",
            "Power Platform services",
            r"\burls for power platform services\b|\bpower platform(?: services)? urls\b",
            links_only=True,
        ),
        Section(
            "dynamics-365",
            "Dynamics 365 services",
            r"\burls for dynamics 365 services\b|\bdynamics 365(?: services)? urls\b",
            service="Dynamics 365",
            required=True,
        ),
        _ADDRESSES,
        _PORTS,
    ),
    inherits_uses=True,
    prose_readers=(_tags, _ports),
    mend=with_stars,
)
