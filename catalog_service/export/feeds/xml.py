"""Atom (RFC 4287) and RSS 2.0, by feedgenerator. Called by `formats`."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

from feedgenerator import Atom1Feed, Rss201rev2Feed  # type: ignore[import-untyped]

from catalog_service.export.feeds.feed import TITLE, Feed


class _Atom(Atom1Feed):  # type: ignore[misc]
    """Feedgenerator's, which says of an empty feed that it changed just now."""

    def latest_post_date(self) -> datetime:
        at: datetime = self.feed["updated_at"]
        return at


class _Rss(Rss201rev2Feed):  # type: ignore[misc]
    """As `_Atom`."""

    latest_post_date = _Atom.latest_post_date


def render_atom(feed: Feed) -> bytes:
    """Return ``feed`` as Atom."""
    return _rendered(_Atom, feed)


def render_rss(feed: Feed) -> bytes:
    """Return ``feed`` as RSS 2.0."""
    return _rendered(_Rss, feed)


def _rendered(type_: type[_Atom | _Rss], feed: Feed) -> bytes:
    made = type_(
        title=TITLE,
        link=feed.home_url,
        description=feed.about,
        language="en",
        author_name=TITLE,
        feed_url=feed.self_url,
        feed_guid=feed.self_url,
        updated_at=feed.updated_at,
    )
    for one in feed.entries:
        message = one.message
        own = {"description": one.html} if type_ is _Rss else {"description": None, "content": one.html}
        made.add_item(
            title=message.data.summary,
            link=message.data.links.page,
            pubdate=message.timestamp,
            updateddate=message.timestamp,
            unique_id=one.id,
            unique_id_is_permalink=False,
            categories=(message.type.value,),
            **own,
        )
    out = BytesIO()
    made.write(out, "utf-8")
    return out.getvalue()
