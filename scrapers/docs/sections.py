"""Sections keep their role when a page renames, moves or deepens their heading (sources.md D1.22, D3).

A page's parser lists the headings each role has had; ids and categories are made from the role.
"""

from __future__ import annotations

import re

from msgspec import Struct

from scrapers.docs.clouds import is_cloud_heading
from scrapers.docs.page import Headings
from scrapers.docs.records import slug


class Section(Struct, frozen=True):
    """What a heading stands for. ``pattern`` finds every wording it has had, in any case."""

    role: str
    """Stable: part of ids, and the records' category."""
    title: str
    pattern: str


def section_of(sections: tuple[Section, ...], headings: Headings) -> Section:
    """Return what a heading path stands for; the first section that matches wins.

    The innermost heading decides; one that only names a cloud (``### Global endpoints``) leaves it to the
    heading above. An unknown heading is a section of its own.
    """
    for heading in reversed(headings):
        if known := known_section(sections, heading):
            return known
        if not is_cloud_heading(heading):
            return _unknown(heading)
    return _unknown(headings[-1] if headings else "page")


def known_section(sections: tuple[Section, ...], text: str) -> Section | None:
    """Return the first section whose headings look like ``text``, or None."""
    return next((section for section in sections if re.search(section.pattern, text, re.IGNORECASE)), None)


def _unknown(heading: str) -> Section:
    return Section(role=slug(heading), title=heading, pattern=re.escape(heading))
