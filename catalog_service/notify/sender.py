"""One attempt: the head of a claimed queue becomes a message, and the message goes where the subscription says.

In: a claim. Out: what came of it (`Tried`), None where there is nothing to tell. An address is checked, a secret opened
and a signature made anew at every attempt. Called by `notifier`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from catalog_service.events.bodies import Bodies, Rendered
from catalog_service.events.links import Origin
from catalog_service.events.messages import cloud_event, encoded, ping
from catalog_service.notify.channels.apprise import Apprise
from catalog_service.notify.channels.mail import Mailer, mail
from catalog_service.notify.channels.slack import slack_body
from catalog_service.notify.channels.teams import teams_body
from catalog_service.notify.client import Answer, Client
from catalog_service.notify.hiding import without_secrets
from catalog_service.notify.retry import succeeded
from catalog_service.notify.settling import Tried
from catalog_service.notify.signing import signed_headers
from catalog_service.store.connect import Store
from catalog_service.store.queues import Claim
from catalog_service.subscriptions.challenge import challenge_of, is_answer
from catalog_service.subscriptions.filters import filter_of, filters_by_name
from catalog_service.subscriptions.targets import check_mail
from catalog_service.subscriptions.vault import Opened, Vault
from schema.clock import Clock
from schema.errors import CatalogError, DeliveryError, SealedError, StoreError
from schema.event import EventType, Notice
from schema.subscription import Attempt, Channel, Envelope, Signature, Status, Subscription

_JSON = (("Content-Type", "application/json"),)
_CLOUD_EVENT = (("Content-Type", "application/cloudevents+json"),)
_ANSWER_BYTES = 1000


class Ways(Struct, frozen=True):
    """How subscribers are reached."""

    client: Client
    mailer: Mailer | None = None
    mail_from: str = ""
    apprise: Apprise | None = None


class Sender(Struct, frozen=True):
    """What an attempt needs."""

    store: Store
    bodies: Bodies
    vault: Vault
    signing_key: Callable[[], Awaitable[Ed25519PrivateKey]]
    ways: Ways
    origin: Origin
    clock: Clock
    monotonic_s: Callable[[], float] = time.perf_counter

    async def send(self, claim: Claim, id_: str) -> Tried | None:
        """Make one attempt at the head of ``claim``'s queue, under ``id_``; None: its filter keeps nothing of it.

        Raises:
            StoreError, RedisError: nothing was sent.
        """
        now, begun_s, opened = self.clock(), self.monotonic_s(), None
        try:
            opened = self._opened(claim, now)
            rendered = await self._rendered(claim, opened)
            if rendered is None:
                return None
            begun_s = self.monotonic_s()
            answer = await self._sent(claim.subscription, rendered, opened, id_, now)
        except StoreError:
            raise
        except CatalogError as error:
            status = error.facts.get("status")
            told = _without_secrets(str(error), claim, opened) if opened else str(error)
            return Tried(Attempt(now, self._since(begun_s), status if isinstance(status, int) else None, told))
        return self._tried(claim, opened, answer, now, begun_s)

    def _opened(self, claim: Claim, now: datetime) -> Opened:
        if claim.sealed is None:
            raise SealedError(f"{claim.subscription.id} has no secret in the store")
        return self.vault.opened(claim.subscription.id, claim.sealed, now)

    async def _rendered(self, claim: Claim, opened: Opened) -> Rendered | None:
        item, subscription = claim.item, claim.subscription
        if item.type is EventType.PING:
            is_new = subscription.status is Status.UNVERIFIED
            message = ping(subscription.id, item.at, self.origin, _challenge(subscription, opened) if is_new else None)
            return Rendered(message, encoded(message))
        saved = await filters_by_name(self.store) if subscription.saved_filter else {}
        notice = None if item.type is EventType.COMMITTED else await self._notice(claim)
        return await self.bodies.body(item.parcel, notice, filter_of(subscription, saved), subscription.payload)

    async def _notice(self, claim: Claim) -> Notice:
        event = await self.store.events.at(claim.item.parcel.first)
        if event is None or event.notice is None:
            raise DeliveryError(f"the changeset stream has no event {claim.item.parcel.first} any more")
        return event.notice

    async def _sent(
        self, subscription: Subscription, rendered: Rendered, opened: Opened, id_: str, now: datetime
    ) -> Answer:
        """Hand the message over, in the way of the channel. Raises DeliveryError, StoreError."""
        url, message, ways = opened.url, rendered.message, self.ways
        match subscription.channel:
            case Channel.WEBHOOK:
                return await self._posted(subscription, rendered, opened, id_, now)
            case Channel.SLACK:
                return await ways.client.post(url, slack_body(message), _JSON, now)
            case Channel.TEAMS:
                return await ways.client.post(url, teams_body(message), _JSON, now)
            case Channel.EMAIL if ways.mailer:
                letter = mail(message, check_mail(url), ways.mail_from, id_, now)
                return Answer(200, (await ways.mailer.send(letter)).encode())
            case Channel.APPRISE if ways.apprise:
                await ways.apprise.send(url, message)
                return Answer(200)
        raise DeliveryError(f"this service has no way to send by {subscription.channel}")

    async def _posted(
        self, subscription: Subscription, rendered: Rendered, opened: Opened, id_: str, now: datetime
    ) -> Answer:
        body, kind = rendered.body, _JSON
        if subscription.envelope is Envelope.CLOUDEVENTS:
            body, kind = cloud_event(rendered.message, id_, self.origin.base_url), _CLOUD_EVENT
        secrets = opened.secrets if Signature.HMAC in subscription.signatures else ()
        signing = (await self.signing_key(),) if Signature.ED25519 in subscription.signatures else ()
        headers = (*kind, *opened.headers, *signed_headers(id_, now, body, secrets, signing))
        return await self.ways.client.post(opened.url, body, headers, now)

    def _tried(self, claim: Claim, opened: Opened, answer: Answer, now: datetime, begun_s: float) -> Tried:
        error, confirms = "", False
        if not succeeded(answer.status):
            error = f"the receiver answered {answer.status}"
        elif claim.item.type is EventType.PING and claim.subscription.channel is Channel.WEBHOOK:
            confirms = is_answer(_challenge(claim.subscription, opened), answer.body)
            if claim.subscription.status is Status.UNVERIFIED and not confirms:
                error = "the answer does not hold the challenge"
        text = _without_secrets(answer.body.decode(errors="replace"), claim, opened).encode()[:_ANSWER_BYTES]
        attempt = Attempt(now, self._since(begun_s), answer.status, error, text.decode(errors="ignore"))
        return Tried(attempt, answer.retry_after_s, confirms)

    def _since(self, begun_s: float) -> int:
        return round((self.monotonic_s() - begun_s) * 1000)


def _challenge(subscription: Subscription, opened: Opened) -> str:
    return challenge_of(opened.secrets[0], subscription.id, opened.url)


def _without_secrets(text: str, claim: Claim, opened: Opened) -> str:
    code = _challenge(claim.subscription, opened) if claim.item.type is EventType.PING else ""
    return without_secrets(text, claim.subscription.channel, opened, code)
