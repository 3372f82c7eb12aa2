"""Sections: the role of a heading path."""

from __future__ import annotations

import pytest

from schema.words import Kind
from scrapers.docs.sections import Section, known_section, nearest_known, section_of

PORTAL = Section("portal", "Portal", r"required services")
DESKTOP = Section("desktop", "Desktop", r"desktop")


@pytest.mark.parametrize(
    ("headings", "role"),
    [
        (("Required Services",), "portal"),
        (("Desktop flows", "Required services"), "portal"),
        (("Desktop flows", "Global endpoints"), "desktop"),
        (("Desktop flows", "21Vinaet endpoints (China)"), "desktop"),
        (("Desktop flows", "Something new"), "something-new"),
        (("Something new", "Global endpoints"), "something-new"),
        (("Global endpoints",), "global-endpoints"),
        ((), "page"),
    ],
)
def test_the_innermost_heading_gives_the_role(headings: tuple[str, ...], role: str) -> None:
    """A heading that names a cloud alone asks the one above; an unknown one is a role of its own."""
    assert section_of((PORTAL, DESKTOP), headings).role == role


def test_an_unknown_section_is_titled_by_its_heading() -> None:
    """A title is words for people."""
    assert section_of((), ("Something new",)).title == "Something new"


def test_a_section_may_be_for_one_kind_of_records() -> None:
    """What is to be placed under a heading tells which of two sections it means."""
    names, addresses = Section("n", "N", "services", holds=Kind.FQDN), Section("a", "A", "services", holds=Kind.PREFIX)
    both = (names, addresses)
    assert section_of(both, ("Services",), Kind.PREFIX) is addresses
    assert section_of(both, ("Services",), Kind.FQDN) is names
    assert section_of(both, ("Services",), Kind.SERVICE_TAG).role == "services"
    assert known_section(both, "Services") is names


def test_the_nearest_known_section_passes_over_unknown_headings() -> None:
    """Prose below a question of a FAQ still stands in the section around it."""
    assert nearest_known((PORTAL, DESKTOP), ("Required services", "Desktop", "Why?")) is DESKTOP
    assert nearest_known((PORTAL, DESKTOP), ("Why?",)) is None
