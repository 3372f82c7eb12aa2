"""Composition of what tells subscribers: the desk that takes orders, and the notifier that carries them out.

Called by the commands that serve, notify or manage subscriptions.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
from collections.abc import AsyncIterator

from catalog_service.catalog.snapshot import Snapshot
from catalog_service.cli.wiring import utc_now
from catalog_service.events.bodies import Bodies
from catalog_service.events.judgements import Judgements
from catalog_service.events.links import Origin
from catalog_service.notify.channels.apprise import Apprise, apprise_installed
from catalog_service.notify.channels.mail import Mailer
from catalog_service.notify.client import Client
from catalog_service.notify.notifier import Notifier
from catalog_service.notify.relay import Relay
from catalog_service.notify.sender import Sender, Ways
from catalog_service.reader import Reader
from catalog_service.settings import Settings
from catalog_service.store.connect import Store
from catalog_service.subscriptions.desk import Desk
from catalog_service.subscriptions.rules import Rules
from catalog_service.subscriptions.signing_key import signing_key
from catalog_service.subscriptions.targets import Policy
from catalog_service.subscriptions.vault import Vault
from schema.source import SourceInfo
from schema.subscription import Signature
from scrapers.client import user_agent


def desk_of(store: Store, settings: Settings, sources: tuple[SourceInfo, ...], reader: Reader | None = None) -> Desk:
    """Return the desk of subscriptions over ``store``; ``reader`` is the process's, where it has one that follows."""
    rules = Rules(
        _policy(settings),
        mail=bool(settings.smtp_url and settings.mail_from),
        apprise=apprise_installed(),
        known_sources=lambda: tuple(source.name for source in sources),
    )

    async def snapshot() -> Snapshot:
        return reader.current if reader else await Reader(store).refresh()

    return Desk(store, _vault(settings), rules, utc_now, os.urandom, settle_s=settings.settle_s, snapshot=snapshot)


def origin_of(settings: Settings, sources: tuple[SourceInfo, ...], url: str = "") -> Origin:
    """Return where messages say they come from: as it is set, else the ``url`` served on."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return Origin(settings.public_url or url or f"http://{host}:{settings.port}", sources)


async def check_secrets(store: Store, settings: Settings) -> None:
    """Refuse to go on where there are subscriptions, and a key of what is sealed is missing. Raises SealedError."""
    vault = _vault(settings)
    for id_, sealed in await store.subscriptions.every_sealed():
        vault.check(id_, sealed)
    if any(Signature.ED25519 in one.signatures for one in await store.subscriptions.all()):
        await signing_key(store, vault, os.urandom)


@contextlib.asynccontextmanager
async def opened_notifier(reader: Reader, settings: Settings, origin: Origin) -> AsyncIterator[Notifier]:
    """Give a worker that tells subscribers for a block."""
    store, vault, policy = reader.store, _vault(settings), _policy(settings)
    bodies = Bodies(Judgements(reader), origin)
    async with Client(policy, user_agent=user_agent(settings.contact)) as client:
        mailer = Mailer(settings.smtp_url) if settings.smtp_url else None
        ways = Ways(client, mailer, settings.mail_from, Apprise(policy) if apprise_installed() else None)
        key = functools.partial(signing_key, store, vault, os.urandom)
        sender = Sender(store, bodies, vault, key, ways, origin, utc_now)
        relay = Relay(store, bodies)
        yield Notifier(store, relay, sender, utc_now, random.random, os.urandom, grace_s=settings.grace_s)


def _vault(settings: Settings) -> Vault:
    return Vault(settings.encryption_key)


def _policy(settings: Settings) -> Policy:
    return Policy(settings.webhook_http, settings.webhook_ports, settings.webhook_networks)
