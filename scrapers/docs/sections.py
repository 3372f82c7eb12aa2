"""Sections keep their role when a page renames, moves or deepens their heading (sources.md D1.22, D3).

A page's rules list the headings each role has had; ids and categories are made from the role.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from schema.words import Cloud, Direction, Kind
from scrapers.docs.clouds import is_cloud_heading
from scrapers.docs.page import Headings
from scrapers.docs.records import slug

_DEPRECATED = re.compile(
    r"^\W*(?:deprecated|retired)\W*$"
    r"|\b(?:deprecated|retired)\s+(?:endpoints?|domains?|urls?|hosts?|services?|service tags?|(?:ip )?addresses|ips?)\b"
    r"|\((?:deprecated|retired)\)\W*$",
    re.IGNORECASE,
)
"""Not "Deprecated TLS versions": that heading is about something else."""


class Section(Struct, frozen=True):
    """What a heading stands for. ``pattern`` finds every wording it has had, in any case."""

    role: str
    """Stable: part of ids, and the records' category."""
    title: str
    pattern: str
    service: str | None = None
    """The service behind its records where that is not the page's."""
    direction: Direction | None = None
    """Of its addresses and service tags, as the customer's firewall sees it; host names are outbound always.

    A column or a sentence that states a direction itself (``Outbound IP``) goes before it.
    """
    clouds: tuple[Cloud, ...] = ()
    """Of its records, whatever their words; empty: the words tell."""
    holds: Kind | None = None
    """It is only for records of this kind: one heading may stand over two tables. None: for all."""
    links_only: bool = False
    """Its tables point to other pages; one that holds an endpoint is refused."""
    lists_hosts: bool = False
    """Its bullets are host names, though no paragraph right before them says so."""
    required: bool = False
    """A page without a record of this section is refused: the section moved, or was given another shape."""
    sentence: str | None = None
    """Finds sentences about it: they place a service tag that stands under no known heading."""


@lru_cache(maxsize=1 << 12)  # each row of a table asks
def section_of(sections: tuple[Section, ...], headings: Headings, kind: Kind | None = None) -> Section:
    """Return what a heading path stands for; the first section that matches wins.

    The innermost heading decides; one that only names a cloud (``### Global endpoints``) leaves it to the
    heading above. An unknown heading is a section of its own. ``kind`` is what is to be placed there.
    """
    for heading in reversed(headings):
        if known := known_section(sections, heading, kind):
            return known
        if not is_cloud_heading(heading):
            return _unknown(heading)
    return _unknown(headings[-1] if headings else "page")


def nearest_known(sections: tuple[Section, ...], headings: Headings, kind: Kind | None = None) -> Section | None:
    """Return the section of the innermost heading that is known, or None: unknown headings are passed over."""
    known = (known_section(sections, heading, kind) for heading in reversed(headings))
    return next(filter(None, known), None)


def known_section(sections: tuple[Section, ...], text: str, kind: Kind | None = None) -> Section | None:
    """Return the first section for ``kind`` whose headings look like ``text``, or None."""
    fitting = (section for section in sections if kind is None or section.holds in (None, kind))
    return next((section for section in fitting if re.search(section.pattern, text, re.IGNORECASE)), None)


def is_deprecated(headings: Headings) -> bool:
    """Say whether some heading is of deprecated endpoints: none of them is one to allow."""
    return any(map(_DEPRECATED.search, headings))


def _unknown(heading: str) -> Section:
    return Section(role=slug(heading), title=heading, pattern=re.escape(heading))
