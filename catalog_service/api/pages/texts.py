"""Values as people read them: times, ages, numbers, attributes. The filters of the templates."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from markupsafe import Markup
from msgspec import UNSET, UnsetType

from catalog_service.views.biographies import KnownSince
from schema.change import AttributeValue

_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def moment(at: datetime) -> Markup:
    """Return an instant, to the minute, UTC."""
    return Markup('<time datetime="{}">{:%Y-%m-%d %H:%M}</time>').format(at.isoformat(), at)


def second(at: datetime) -> Markup:
    """Return an instant, to the second, UTC."""
    return Markup('<time datetime="{}">{:%Y-%m-%d %H:%M:%S}</time>').format(at.isoformat(), at)


def day(at: datetime) -> Markup:
    """Return the day of an instant, UTC."""
    return Markup('<time datetime="{}">{:%Y-%m-%d}</time>').format(at.isoformat(), at)


def by_day(known: Iterable[KnownSince]) -> tuple[tuple[datetime, tuple[str, ...]], ...]:
    """Return sources by the day since which they are known, each day with its first instant."""
    days = groupby(sorted(known, key=lambda one: one.since), key=lambda one: one.since.date())
    several = [list(ones) for _, ones in days]
    return tuple((ones[0].since, tuple(sorted(one.source for one in ones))) for ones in several)


def age(seconds: float) -> str:
    """Return a length of time in its largest unit, such as ``3 h``."""
    return next((f"{int(seconds // size)} {unit}" for size, unit in _STEPS if seconds >= size), "less than 1 min")


def ago(at: datetime, now: datetime) -> str:
    """Return how long ago ``at`` was."""
    return f"{age((now - at).total_seconds())} ago"


def number(count: int) -> str:
    """Return ``count`` with its thousands apart."""
    return f"{count:,}"


def many_addresses(count: str) -> str:
    """Return a number of IPv6 addresses: beyond a million, the power of two nearest below."""
    addresses = int(count)
    return number(addresses) if addresses < 1_000_000 else f"about 2^{addresses.bit_length() - 1}"


def value(of: AttributeValue | UnsetType) -> str:
    """Return one side of an attribute's change; empty where the attribute was not there."""
    if of is UNSET or of is None:
        return ""
    if isinstance(of, bool):
        return "yes" if of else "no"
    return ", ".join(of) if isinstance(of, tuple) else str(of)


def visible(text: object) -> object:
    """Return text without control characters and marks that turn its direction: what is read is what is there."""
    if type(text) is not str or text.isprintable():  # markup is made of parts that came through here
        return text
    return "".join("\N{REPLACEMENT CHARACTER}" if _is_unseen(letter) else letter for letter in text)


def _is_unseen(letter: str) -> bool:
    return letter not in "\n\t" and unicodedata.category(letter).startswith("C")


def spaced(word: str) -> str:
    """Return an identifier such as ``tcp_ports`` as words."""
    return word.replace("_", " ")


FILTERS = {
    "moment": moment,
    "second": second,
    "day": day,
    "by_day": by_day,
    "age": age,
    "ago": ago,
    "number": number,
    "many_addresses": many_addresses,
    "value": value,
    "spaced": spaced,
}
"""By the names that templates know them by."""
