"""An iCalendar (RFC 5545) of days from which what upstreams announced may be in use. Called by REST.

    BEGIN:VEVENT
    SUMMARY:Azure service tags, Public: 3 prefixes of version 41 may be in use
    DTSTART;VALUE=DATE:20261130
    DTSTAMP:20261123T060000Z
    UID:urn:uuid:...

Lines are folded and escaped by icalendar.
"""

from __future__ import annotations

from datetime import date, datetime

from icalendar import Calendar
from icalendar import Event as Component
from msgspec import Struct

from catalog_service.export.diffs.telling import one_line
from catalog_service.export.feeds.feed import TITLE


class Effective(Struct, frozen=True):
    """A day, and what is in effect from then on."""

    id: str
    day: date
    told_at: datetime
    summary: str
    description: str
    url: str


def render_calendar(days: tuple[Effective, ...]) -> bytes:
    """Return ``days`` as a calendar: equal days are equal bytes."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//catalog-service//effective dates//EN")
    calendar.add("x-wr-calname", TITLE)
    for one in days:
        calendar.add_component(_component(one))
    data: bytes = calendar.to_ical()
    return data


def _component(one: Effective) -> Component:
    event = Component()
    event.add("uid", one.id)
    event.add("dtstamp", one.told_at)
    event.add("dtstart", one.day)
    event.add("summary", one_line(one.summary))
    event.add("description", one_line(one.description))
    event.add("url", one.url)
    event.add("transp", "TRANSPARENT")  # nobody is busy on that day
    return event
