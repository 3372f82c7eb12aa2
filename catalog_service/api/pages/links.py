"""Addresses of pages and of REST, relative to where the service is mounted; a page puts its own way up before them."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from schema.version import Version

_IN_PATH = ":@!$&'()*+,;=~."


Query = tuple[tuple[str, str], ...]


def link(path: str, asked: Query = (), **query: object) -> str:
    """Return ``path`` with what was ``asked``, and those of ``query`` that have a value in place of the same there."""
    own = [(name, str(value)) for name, value in query.items() if value not in (None, "", ())]
    given = [*((name, value) for name, value in asked if name not in query), *own]
    return f"{path}?{urlencode(given)}" if given else path


def endpoint_link(id_: str, **query: object) -> str:
    """Return the page of a record."""
    return link(f"endpoints/{quote(id_, safe=_IN_PATH)}", (), **query)


def diff_link(since: object, until: object, asked: Query = (), **query: object) -> str:
    """Return the page of what leads from ``since`` to ``until``, both as `at` takes them."""
    return link(f"diff/{span(since, until)}", asked, **query)


def span(since: object, until: object) -> str:
    """Return the two ends of a diff as they stand in an address."""
    return quote(f"{since}...{until}", safe=":.~")


def version_link(version: Version) -> str:
    """Return the page of what ``version`` changed in its source."""
    return diff_link(version.previous or 0, version.version, source=version.source)


GLOBALS = {
    "link": link,
    "endpoint_link": endpoint_link,
    "diff_link": diff_link,
    "version_link": version_link,
    "span": span,
}
"""By the names that templates know them by."""
