"""Subscribers on loopback, and a notifier that tells them, for the tests of notifications."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from catalog_service.events.bodies import Bodies
from catalog_service.events.judgements import Judgements
from catalog_service.events.links import Origin
from catalog_service.notify.client import Client
from catalog_service.notify.notifier import CLAIM_FOR, Notifier
from catalog_service.notify.relay import Relay
from catalog_service.notify.sender import Sender, Ways
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.subscriptions.vault import Headers, Vault, new_secret, private_key
from catalog_service.views.subscriptions import shown_url
from schema.subscription import Channel, Status, Subscription
from schema.version import AuditEntry
from tests.api_client import START
from tests.local_source import Clock
from tests.receivers import loopback

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
SECRET = new_secret(lambda count: b"s" * count)
SIGNING = private_key("whsk_" + KEY)
ORIGIN = Origin("https://catalog.example")
GRACE_S = 1.0


class Received(Struct, frozen=True):
    """One POST as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def version(self) -> int:
        version: int = self.json["data"]["version"]
        return version


Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Receiver:
    """Webhook receivers, one a path, that answer 204 unless told otherwise."""

    def __init__(self) -> None:
        self.port = 0
        self.received: list[Received] = []
        self.replies: dict[str, list[int | Reply]] = {}
        """What to answer at a path, in order; the last one from then on."""
        self.came = asyncio.Event()

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Received]:
        return [one for one in self.received if one.path == path]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(request.path, headers, body))
        self.came.set()
        replies = self.replies.get(request.path, [204])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        return web.Response(status=reply) if isinstance(reply, int) else await reply(request)


async def echo(request: web.Request) -> web.StreamResponse:
    """Answer a challenge."""
    return web.Response(text=msgspec.json.decode(await request.read())["data"].get("challenge", ""))


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()


def subscription(id_: str, url: str, **fields: Any) -> Subscription:
    """Return an active subscription, made before anything happened."""
    fields = {"channel": Channel.WEBHOOK, "status": Status.ACTIVE, **fields}
    return Subscription(id=id_, url=url, created_at=START, created_by="a test", **fields)


async def subscribed(store: Store, made: Subscription, headers: Headers = ()) -> Subscription:
    """Add ``made``, with the secret `SECRET`, and return it as it is stored: its address is sealed."""
    entry = AuditEntry(START, "a test", "subscription-create", made.id, "", "")
    stored = replace(made, url=shown_url(made.channel, made.url))
    await store.subscriptions.add(stored, Vault(KEY).seal_new(made.id, SECRET, made.url, headers), None, entry)
    return stored


async def _signing_key() -> Any:
    return SIGNING


@contextlib.asynccontextmanager
async def notifying(
    store: Store,
    clock: Clock,
    ports: tuple[int, ...],
    *,
    claim_for: timedelta = CLAIM_FOR,
    timeout_s: float = 15.0,
    key: str = KEY,
) -> AsyncIterator[Notifier]:
    """Give a worker that may tell receivers on loopback, at ``ports``."""
    async with Client(loopback(*ports), timeout_s=timeout_s) as client:
        yield worker(store, clock, client, claim_for, key)


def worker(
    store: Store, clock: Callable[[], datetime], client: Client, claim_for: timedelta = CLAIM_FOR, key: str = KEY
) -> Notifier:
    bodies = Bodies(Judgements(Reader(store)), ORIGIN)
    sender = Sender(store, bodies, Vault(key), _signing_key, Ways(client), ORIGIN, clock)
    return Notifier(store, Relay(store, bodies), sender, clock, lambda: 0.0, os.urandom, claim_for, GRACE_S)
