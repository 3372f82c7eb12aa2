"""Sections: the role of a heading path."""

from __future__ import annotations

import pytest

from scrapers.docs.sections import Section, section_of

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
