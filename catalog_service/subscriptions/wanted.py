"""What a person wants of the desk, as it is sent: JSON becomes Structs, and what nobody knows is refused.

A misspelled word of a filter must not become a filter that keeps everything, so that these are stricter than what is
stored. Called by the API and the command line; `desk` takes the Structs.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict

from schema.errors import BadParameterError
from schema.subscription import Channel, Digest, Envelope, EventFilter, Payload, Signature

_PATH = re.compile(r" - at `\$\.([^`]+)`$")
_FIELD = re.compile(r"field `([^`]+)`")


class WantedFilter(EventFilter, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An `EventFilter`, of words that it knows."""


class WantedDigest(Digest, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A `Digest`, of words that it knows."""


class Header(Struct, frozen=True, forbid_unknown_fields=True):
    """A header of a webhook."""

    name: str
    value: str
    """Never shown again."""

    def __repr__(self) -> str:
        return f"Header({self.name!r}, ...)"


class NewSubscription(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A subscription as it is asked for."""

    channel: Channel
    url: str
    """An https address; ``mailto:`` and addresses for e-mail; for apprise an address of its own."""
    description: str = ""
    filter: WantedFilter | None = None
    """None, and no ``saved_filter``: every version."""
    saved_filter: str = ""
    """The name of a saved filter, in place of ``filter``."""
    digest: WantedDigest | None = None
    settle_s: int | None = None
    """None: what the service is set to."""
    payload: Payload = Payload.FULL
    envelope: Envelope = Envelope.STANDARD
    """Of webhooks, as are ``signatures`` and ``headers``."""
    signatures: tuple[Signature, ...] = (Signature.HMAC,)
    headers: tuple[Header, ...] = ()

    def __repr__(self) -> str:
        return f"NewSubscription({self.channel!r}, ...)"  # addresses hold secrets


class SubscriptionEdit(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is to be another of a subscription; what is left out stays as it is."""

    channel: Channel | UnsetType = UNSET
    url: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    filter: WantedFilter | UnsetType = UNSET
    """Takes the place of a saved one, and the other way round."""
    saved_filter: str | UnsetType = UNSET
    digest: WantedDigest | UnsetType | None = UNSET
    """None: each version by itself."""
    settle_s: int | UnsetType = UNSET
    payload: Payload | UnsetType = UNSET
    envelope: Envelope | UnsetType = UNSET
    signatures: tuple[Signature, ...] | UnsetType = UNSET
    headers: tuple[Header, ...] | UnsetType = UNSET
    """All of them: those left out are sent no more."""

    def __repr__(self) -> str:
        return "SubscriptionEdit(...)"


class Replay(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is to be told again: a delivery, the versions from one to another, or all since a moment."""

    delivery: str | None = None
    from_version: int | None = None
    to_version: int | None = None
    """None, with ``from_version``: the newest."""
    since: datetime | None = None


class NewFilter(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A filter that is to be saved under a name."""

    filter: WantedFilter
    description: str = ""


T = TypeVar("T", bound=Struct)


def read_wanted(body: bytes, type_: type[T]) -> T:
    """Return the ``type_`` that the JSON ``body`` holds. Raises BadParameterError that names the field."""
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadParameterError(f"the body cannot be read: {error}", parameter=_field(str(error))) from None


def stored_filter(wanted: EventFilter) -> EventFilter:
    """Return ``wanted`` as it is stored and compared."""
    return EventFilter(**asdict(wanted))


def stored_digest(wanted: Digest | None) -> Digest | None:
    """Return ``wanted`` as it is stored and compared."""
    return Digest(**asdict(wanted)) if wanted else None


def _field(told: str) -> str:
    """Return the field that msgspec complains of, ``body`` where it is none of them."""
    path, field = _PATH.search(told), _FIELD.search(told)
    return ".".join(found[1] for found in (path, field) if found) or "body"
