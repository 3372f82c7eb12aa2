"""What a subscription may be: every rule, whoever asks for it.

In: a `Subscription` as it would be stored, or a part of one. Out: the same in its own spelling, or a
BadParameterError that names the field. Called by `desk`, and by feeds and streams for a filter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import cache
from typing import NoReturn
from zoneinfo import available_timezones

from msgspec import Struct
from msgspec.structs import replace

from catalog_service.catalog.event_filter import diff_filter
from catalog_service.catalog.spelling import nearest
from catalog_service.subscriptions.targets import Policy, check_headers, check_mail, check_url
from catalog_service.subscriptions.vault import Headers
from schema.errors import BadParameterError
from schema.event import EventType
from schema.regions import known_region
from schema.subscription import Channel, Digest, Envelope, EventFilter, Signature, Subscription

_MOST_DESCRIPTION = 200
_MOST_SETTLE_S = 3600
_MOST_VALUES = 100
_MOST_WORD = 200
_MOST_HEADERS = 10
_MOST_HEADER_VALUE = 1000
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)
_OWN_HEADERS = re.compile(r"(?:content|webhook|ce)-.*", re.IGNORECASE)
"""What a message says of itself."""
_APPRISE_URL = re.compile(r"[a-z][a-z0-9+.-]*://[!-~]+", re.IGNORECASE)
_MOST_URL = 2000


class Rules(Struct, frozen=True):
    """What the operator allows, and what there is."""

    policy: Policy
    mail: bool
    """Whether a mail server and a sender are set."""
    apprise: bool
    """Whether apprise is installed."""
    known_sources: Callable[[], tuple[str, ...]]

    def checked(self, wanted: Subscription) -> Subscription:
        """Return ``wanted`` with its filter and signatures in their own spelling. Raises BadParameterError.

        Its address is apart (`checked_url`): a `Subscription` never holds the whole of it.
        """
        check_description(wanted.description)
        if not 0 <= wanted.settle_s <= _MOST_SETTLE_S:
            _refuse(f"settle_s is a number of seconds from 0 to {_MOST_SETTLE_S}", "settle_s")
        if wanted.digest:
            _check_digest(wanted.digest)
        _check_signing(wanted)
        return replace(
            wanted,
            filter=self.checked_filter(wanted.filter),
            signatures=tuple(one for one in Signature if one in wanted.signatures),
        )

    def checked_url(self, channel: Channel, url: str) -> str:
        """Return ``url`` in its own spelling. Raises RefusedTargetError, BadParameterError."""
        if channel is Channel.EMAIL:
            if not self.mail:
                _refuse("e-mail needs the settings CATALOG_SMTP_URL and CATALOG_MAIL_FROM", "channel")
            return f"mailto:{','.join(check_mail(url))}"
        if channel is Channel.APPRISE:
            if not self.apprise:
                _refuse("this channel needs the extra apprise: pip install 'catalog-service[apprise]'", "channel")
            if len(url) > _MOST_URL or not _APPRISE_URL.fullmatch(url):
                _refuse(f"an address of apprise is needed: scheme://..., at most {_MOST_URL} characters", "url")
            return url
        return check_url(url, self.policy)

    def checked_filter(self, wanted: EventFilter) -> EventFilter:
        """Return ``wanted`` with sources and regions in their own spelling. Raises BadParameterError."""
        if EventType.PING in wanted.types:
            _refuse("a ping is sent to one subscription alone, whatever its filter", "filter.types")
        if not wanted.types:
            _refuse("at least one type of event is needed", "filter.types")
        for name in ("types", "sources", "services", "tags", "clouds", "regions", "directions", "kinds", "impacts"):
            values: tuple[str, ...] = getattr(wanted, name)
            if len(values) > _MOST_VALUES:
                _refuse(f"at most {_MOST_VALUES} values are taken", f"filter.{name}")
            if not all(one.strip() and one.isprintable() and len(one) <= _MOST_WORD for one in values):
                _refuse(f"a value is 1 to {_MOST_WORD} printable characters", f"filter.{name}")
        try:
            diff_filter(wanted)
        except BadParameterError as error:
            _refuse(str(error), "filter.impact_at_least")
        return replace(
            wanted,
            sources=_spelled(wanted.sources, self.known_sources()),
            regions=tuple(dict.fromkeys(map(_region, wanted.regions))),
        )


def check_description(description: str) -> None:
    """Raise BadParameterError for a description that is long, or could forge a line."""
    if len(description) > _MOST_DESCRIPTION or not description.isprintable():
        _refuse(f"a description has at most {_MOST_DESCRIPTION} printable characters", "description")


def checked_headers(channel: Channel, headers: Headers) -> Headers:
    """Return ``headers`` of a webhook. Raises BadParameterError that names the header, never its value."""
    if headers and channel is not Channel.WEBHOOK:
        _refuse("only webhooks have headers", "headers")
    if len(headers) > _MOST_HEADERS or len({name.lower() for name, _ in headers}) < len(headers):
        _refuse(f"at most {_MOST_HEADERS} headers are sent, each once", "headers")
    check_headers(headers)
    for name, value in headers:
        if _OWN_HEADERS.fullmatch(name):
            _refuse(f"header {name!r} is the message's own", "headers")
        if not 1 <= len(value) <= _MOST_HEADER_VALUE:
            _refuse(f"the value of {name!r} is not 1 to {_MOST_HEADER_VALUE} characters", "headers")
    return headers


def _check_digest(digest: Digest) -> None:
    if not _TIME.fullmatch(digest.at):
        _refuse("the time of a digest is HH:MM, from 00:00 to 23:59", "digest.at")
    if digest.zone not in _zones():
        close = get_close_matches(digest.zone, _zones(), n=1)
        hint = f"; did you mean {close[0]}?" if close else ", such as Europe/Berlin"
        _refuse(f"the zone of a digest is a name of the IANA time zone database{hint}", "digest.zone")


def _check_signing(wanted: Subscription) -> None:
    if not wanted.signatures:
        _refuse("at least one signature is needed: v1, v1a", "signatures")
    if wanted.channel is Channel.WEBHOOK:
        return
    if wanted.envelope is not Envelope.STANDARD:
        _refuse("only webhooks have an envelope", "envelope")
    if wanted.signatures != (Signature.HMAC,):
        _refuse("only webhooks are signed", "signatures")


@cache
def _zones() -> frozenset[str]:
    # Reads a folder: once a process. The two are no places: the machine's own zone, and one that was never set.
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _spelled(names: tuple[str, ...], sources: tuple[str, ...]) -> tuple[str, ...]:
    known = {name.casefold(): name for name in sources}
    for name in names:
        if name.casefold() not in known:
            close = nearest(name, sources)
            hint = f"did you mean {close}?" if close else f"there are {', '.join(sorted(sources))}"
            _refuse(f"no source is named {name!r}; {hint}", "filter.sources")
    return tuple(dict.fromkeys(known[name.casefold()] for name in names))


def _region(text: str) -> str:
    """Return the code of a region; a misspelled one would be a subscription that is silent for ever."""
    known = known_region(text)
    if not known:
        message = f"{text!r} is no region that this catalogue knows; `catalog-service regions` lists them"
        _refuse(message, "filter.regions")
    return known.code


def _refuse(reason: str, parameter: str) -> NoReturn:
    raise BadParameterError(reason, parameter=parameter)
