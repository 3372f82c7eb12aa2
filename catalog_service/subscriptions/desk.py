"""The desk of subscriptions: every verb, with its rules and its audit entry. No network.

In: what a person wants, and who that is. Out: views; what that one does not manage is as unknown as what there is not.
REST, GraphQL, pages and the command line call nothing else; the notifier finds what the desk queued in the store.
"""

from __future__ import annotations

import base64
import contextlib
import copy
from datetime import timedelta

from msgspec import UNSET
from msgspec.structs import replace

from catalog_service.access.identity import Identity
from catalog_service.store.audit import person
from catalog_service.store.connect import Store
from catalog_service.store.queues import QUEUE_MOST
from catalog_service.subscriptions import making
from catalog_service.subscriptions.challenge import challenge_of, is_code
from catalog_service.subscriptions.ids import delivery_id
from catalog_service.subscriptions.making import Step, Taken, filter_name, in_short, pairs, ping
from catalog_service.subscriptions.names import Published, check_names, check_saved, check_unused
from catalog_service.subscriptions.replays import replayed
from catalog_service.subscriptions.resealing import resealed
from catalog_service.subscriptions.rules import Rules, check_description, checked_headers
from catalog_service.subscriptions.shown import delivery_of, every_view, managed, page_of, view_of
from catalog_service.subscriptions.signing_key import renewed, signing_key
from catalog_service.subscriptions.vault import Vault, new_secret, public_text
from catalog_service.subscriptions.wanted import NewFilter, NewSubscription, Replay, SubscriptionEdit, stored_filter
from catalog_service.views.subscriptions import (
    Created,
    DeliveryPage,
    DeliveryView,
    Rotated,
    SigningKeyView,
    SubscriptionView,
)
from schema.access import Scope
from schema.clock import Clock, RandomBytes
from schema.errors import BadParameterError, SealedError, StaleHeadError, UnknownSubscriptionError
from schema.subscription import Channel, SavedFilter, Sealed, Signature, Status, Subscription
from schema.version import AuditEntry

OVERLAP = timedelta(hours=24)
"""How long a secret signs on after it was rotated."""
_ATTEMPTS = 20
_MOST_TESTS = 100
"""Beside what else waits: a full queue is no reason to try nothing."""
_ID_BYTES = 10


class Desk:
    """Takes orders about subscriptions.

    ``settle_s``: the settle window of those that name none; ``snapshot`` gives what is published now.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        rules: Rules,
        clock: Clock,
        random_bytes: RandomBytes,
        *,
        settle_s: int,
        snapshot: Published,
    ) -> None:
        self._store = store
        self._vault = vault
        self._rules = rules
        self._clock = clock
        self._random = random_bytes
        self._settle_s = settle_s
        self._snapshot = snapshot
        self.asker = Identity("", frozenset(Scope))
        """Who asks: until `opened_for` somebody without a name, who manages all."""

    def opened_for(self, asker: Identity) -> Desk:
        """Return this desk for ``asker``, to whom it knows what they manage; the audit tells of their token."""
        opened = copy.copy(self)
        opened.asker = asker
        return opened

    async def create(self, wanted: NewSubscription, by: str) -> Created:
        """Make a subscription that is unverified until its receiver answers the challenge, which is queued.

        Raises:
            BadParameterError, RefusedTargetError: it cannot be made so; there are 10,000.
            SealedError: there is no encryption key, or not the one that others were sealed with.
        """
        who, now = person(by), self._clock()
        if other := await self._store.subscriptions.any_sealed():
            self._vault.check(*other)
        id_ = f"sub_{base64.b32encode(self._random(_ID_BYTES)).decode().lower()}"
        address = self._rules.checked_url(wanted.channel, wanted.url)
        made = making.made(replace(wanted, url=address), id_, who, self.asker.owner, now, self._settle_s)
        new = self._rules.checked(made)
        headers = checked_headers(new.channel, pairs(wanted.headers))
        await self._check(new)
        secret = new_secret(self._random)
        sealed = self._vault.seal_new(id_, secret, address, headers)
        entry = AuditEntry(now, who, "subscription-create", id_, "", making.named(new), self.asker.shown)
        await self._store.subscriptions.add(new, sealed, ping(self._random, now), entry)
        return Created(await view_of(self._store, new), secret if new.channel is Channel.WEBHOOK else None)

    async def edit(self, id_: str, changes: SubscriptionEdit, by: str) -> SubscriptionView:
        """Change what ``changes`` has. Another address or channel is unverified, with a new challenge.

        Raises:
            BadParameterError, RefusedTargetError, UnknownSubscriptionError, SealedError
        """

        async def step(before: Subscription, read: Sealed | None) -> Step:
            after = self._rules.checked(making.edited(before, changes))
            await self._check(after)
            sealed = self._with_headers(after, read, changes)
            taken = Step(after, sealed, headers=sealed is not None)
            if changes.url is UNSET and changes.channel is UNSET:
                return taken
            known = self._known(id_, read)
            was = self._vault.opened(id_, known, self._clock()).url
            url = self._rules.checked_url(after.channel, was if changes.url is UNSET else changes.url)
            if (after.channel, url) == (before.channel, was):
                return taken
            sealed = replace(sealed or known, url=self._vault.seal(url.encode(), id_))
            return replace(
                taken, after=making.moved(after, url), sealed=sealed, asked=ping(self._random, self._clock()), anew=True
            )

        return await view_of(self._store, await self._change(id_, by, "subscription-edit", step))

    async def verify(self, id_: str, code: str, by: str) -> SubscriptionView:
        """Take the code of a challenge, which holds up nothing then; what is verified already stays as it is.

        Raises:
            BadParameterError: it is not the code.
            UnknownSubscriptionError, SealedError
        """

        async def step(before: Subscription, read: Sealed | None) -> Step:
            opened = self._vault.opened(id_, self._known(id_, read), self._clock())
            if not any(is_code(challenge_of(secret, id_, opened.url), code) for secret in opened.secrets):
                raise BadParameterError("this is not the code that the receiver was sent last", parameter="code")
            is_new = before.status is Status.UNVERIFIED
            return Step(replace(before, status=Status.ACTIVE) if is_new else before, anew=is_new)

        return await view_of(self._store, await self._change(id_, by, "subscription-verify", step))

    async def test(self, id_: str, by: str) -> str:
        """Queue a ping before all that waits, whatever the status, and return the id of its delivery.

        An unverified subscription is sent its challenge again.

        Raises:
            BadParameterError: a hundred tests wait beside a full queue.
            UnknownSubscriptionError
        """
        asked = ping(self._random, self._clock())

        async def step(before: Subscription, _: Sealed | None) -> Step:
            if (await self._store.queues.counts(id_))[0] >= QUEUE_MOST + _MOST_TESTS:
                raise BadParameterError(f"{id_} has too many tests waiting: none is sent", parameter="id")
            return Step(before, asked=asked)

        await self._change(id_, by, "subscription-test", step)
        return delivery_id(id_, asked)

    async def pause(self, id_: str, by: str) -> SubscriptionView:
        """Hold an active subscription back; what happens meanwhile waits. Raises BadParameterError, ..."""

        async def step(before: Subscription, _: Sealed | None) -> Step:
            if before.status not in {Status.ACTIVE, Status.PAUSED}:
                raise BadParameterError(f"{id_} is {before.status}: nothing is sent to it anyway", parameter="id")
            return Step(replace(before, status=Status.PAUSED))

        return await view_of(self._store, await self._change(id_, by, "subscription-pause", step))

    async def resume(self, id_: str, by: str) -> SubscriptionView:
        """Let a paused or disabled one be told again, what waits first; its failures are forgotten.

        Raises:
            BadParameterError: it is not verified.
            UnknownSubscriptionError
        """

        async def step(before: Subscription, _: Sealed | None) -> Step:
            if before.status is Status.UNVERIFIED:
                raise BadParameterError(f"{id_} is not verified: its challenge is to be answered", parameter="id")
            return Step(replace(before, status=Status.ACTIVE, why=""), anew=before.status is not Status.ACTIVE)

        return await view_of(self._store, await self._change(id_, by, "subscription-resume", step))

    async def rotate(self, id_: str, by: str) -> Rotated:
        """Give a webhook a new secret; the one before signs too for 24 hours, one before that no more.

        Raises:
            BadParameterError: it is no webhook.
            UnknownSubscriptionError, SealedError
        """
        secret, until = new_secret(self._random), self._clock() + OVERLAP

        async def step(before: Subscription, read: Sealed | None) -> Step:
            if before.channel is not Channel.WEBHOOK:
                raise BadParameterError(f"{id_} has no secret: only webhooks are signed", parameter="id")
            known, new = self._known(id_, read), self._vault.seal(secret.encode(), id_)
            return Step(before, replace(known, secret=new, previous=known.secret, previous_until=until))

        await self._change(id_, by, "subscription-rotate", step)
        return Rotated(secret, until)

    async def reseal(self, by: str) -> int:
        """Seal what older keys sealed with the first, so that they can be dropped. Returns, raises as `resealed`."""
        return await resealed(self._store, self._vault, person(by), self._clock(), self.asker.shown)

    async def delete(self, id_: str, by: str) -> None:
        """Delete a subscription with its queue and its log. Raises UnknownSubscriptionError."""
        who, token = person(by), self.asker.shown
        for _ in range(_ATTEMPTS):
            before = await managed(self._store, id_, self.asker)
            entry = AuditEntry(self._clock(), who, "subscription-delete", id_, making.named(before), "", token)
            if await self._store.subscriptions.delete(before, entry):
                return
        raise _contested(id_)

    async def replay(self, id_: str, wanted: Replay, by: str) -> int:
        """Queue what ``wanted`` is behind all that waits, and return how many events or deliveries that is.

        Raises:
            BadParameterError: see `replays.replayed`; the subscription is not verified.
            UnknownSubscriptionError, GoneError
        """
        who, now = person(by), self._clock()
        subscription = await managed(self._store, id_, self.asker)
        if subscription.status is Status.UNVERIFIED:
            raise BadParameterError(f"{id_} is not verified: nothing is sent to it yet", parameter="id")
        items = await replayed(self._store, subscription, wanted, now)
        if items:
            told, token = str(len(items)), self.asker.shown
            entry = AuditEntry(now, who, "subscription-replay", id_, in_short(wanted), told, token)
            await self._store.queues.put(id_, items, now, entry, front=False)
        return len(items)

    async def subscriptions(self) -> tuple[SubscriptionView, ...]:
        """Return every subscription that who asks manages, and how it is, oldest first."""
        return await every_view(self._store, self.asker)

    async def subscription(self, id_: str) -> SubscriptionView:
        """Return one and how it is. Raises UnknownSubscriptionError."""
        return await view_of(self._store, await managed(self._store, id_, self.asker))

    async def deliveries(self, id_: str, count: int = 50, before: str | None = None) -> DeliveryPage:
        """Return up to ``count`` deliveries to ``id_``, newest first, those past the delivery ``before``.

        Raises:
            BadParameterError: ``count`` is not 1 to 200.
            UnknownSubscriptionError: there is no such subscription, or no delivery ``before`` in its log any more.
        """
        await managed(self._store, id_, self.asker)
        return await page_of(self._store, id_, count, before)

    async def delivery(self, id_: str, delivery: str) -> DeliveryView:
        """Return one delivery and its attempts. Raises UnknownSubscriptionError."""
        return await delivery_of(self._store, id_, delivery, self.asker)

    async def save_filter(self, name: str, wanted: NewFilter, by: str) -> SavedFilter:
        """Save a filter, in place of one with its name. Raises BadParameterError, StaleHeadError."""
        who, now, known = person(by), self._clock(), filter_name(name, "name")
        check_description(wanted.description)
        kept = self._rules.checked_filter(stored_filter(wanted.filter))
        await check_names(self._snapshot, kept)
        saved = SavedFilter(known, kept, now, who, wanted.description)
        was = ""
        with contextlib.suppress(UnknownSubscriptionError):
            was = in_short((await self._store.saved_filters.get(known)).filter)
        entry = AuditEntry(now, who, "filter-set", known, was, in_short(kept), self.asker.shown)
        await self._store.saved_filters.set(saved, entry)
        return saved

    async def delete_filter(self, name: str, by: str) -> SavedFilter:
        """Delete the filter ``name`` and return it.

        Raises:
            BadParameterError: a subscription uses it.
            UnknownSubscriptionError, StaleHeadError
        """
        who, known = person(by), filter_name(name, "name")
        was = await self._store.saved_filters.get(known)
        await check_unused(self._store, known, self.asker)
        entry = AuditEntry(self._clock(), who, "filter-delete", known, in_short(was.filter), "", self.asker.shown)
        return await self._store.saved_filters.delete(known, entry)

    async def signing_keys(self) -> tuple[SigningKeyView, ...]:
        """Return the public halves of the keys that sign, made at the first use. Raises SealedError."""
        return (SigningKeyView(public_text(await signing_key(self._store, self._vault, self._random))),)

    async def renew_signing_key(self, by: str) -> SigningKeyView:
        """Sign with a new key from now on, also where nobody can open the old one. Raises SealedError."""
        who = person(by)
        entry = AuditEntry(self._clock(), who, "signing-key-renew", "signing key", "", "", self.asker.shown)
        return SigningKeyView(public_text(await renewed(self._store, self._vault, self._random, entry)))

    async def _change(self, id_: str, by: str, action: str, step: Taken) -> Subscription:
        """Take ``step`` from what is stored, again where others changed it meanwhile; return what is stored then."""
        who = person(by)
        for _ in range(_ATTEMPTS):
            before, read = await managed(self._store, id_, self.asker), await self._store.subscriptions.sealed(id_)
            taken = await step(before, read)
            was, told = making.difference(before, taken.after, headers=taken.headers)
            entry = AuditEntry(self._clock(), who, action, id_, was, told, self.asker.shown)
            if await self._store.subscriptions.replace(
                before, taken.after, entry, read=read, sealed=taken.sealed, asked=taken.asked, anew=taken.anew
            ):
                return taken.after
        raise _contested(id_)

    def _with_headers(self, after: Subscription, read: Sealed | None, changes: SubscriptionEdit) -> Sealed | None:
        """Return the secrets with other headers, None where they stay."""
        if changes.headers is UNSET:
            if after.headers and after.channel is not Channel.WEBHOOK:
                raise BadParameterError("only webhooks have headers: give none", parameter="headers")
            return None
        headers = checked_headers(after.channel, pairs(changes.headers))
        return replace(self._known(after.id, read), headers=self._vault.seal_headers(after.id, headers))

    def _known(self, id_: str, read: Sealed | None) -> Sealed:
        """Return what is sealed of ``id_``, whose key is here: parts sealed with different keys open for nobody."""
        if read is None:
            raise SealedError(f"the store has no secret of {id_}")
        self._vault.check(id_, read)
        return read

    async def _check(self, one: Subscription) -> None:
        """Refuse a filter that nothing goes by, and a signature that nobody can make."""
        await check_saved(self._store, one.saved_filter)
        await check_names(self._snapshot, one.filter)
        if Signature.ED25519 in one.signatures:
            await signing_key(self._store, self._vault, self._random)


def _contested(id_: str) -> StaleHeadError:
    return StaleHeadError(f"others change {id_} faster than this", subscription=id_)
