"""The desk of subscriptions: every verb does what it says, is audited, and shows no secret."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from catalog_service.store import codec, keys
from catalog_service.store.connect import Store
from catalog_service.store.queues import QUEUE_MOST, Settlement
from catalog_service.subscriptions.ids import parcel_told
from catalog_service.subscriptions.vault import Opened, decoded, new_private, new_secret
from catalog_service.subscriptions.wanted import (
    Header,
    NewFilter,
    NewSubscription,
    Replay,
    SubscriptionEdit,
    WantedDigest,
    WantedFilter,
    read_wanted,
)
from catalog_service.views.subscriptions import shown_url
from schema.errors import (
    BadParameterError,
    GoneError,
    RefusedTargetError,
    RequestError,
    SealedError,
    UnknownSubscriptionError,
)
from schema.event import EventType, Place
from schema.subscription import (
    Channel,
    DeliveryState,
    Envelope,
    EventFilter,
    Every,
    Health,
    Signature,
    Status,
)
from schema.words import Impact
from tests.api_client import PAGE, START, TAGS, published
from tests.desks import HOOK, KEY, SLACK, WEBHOOK, active, code_of, desk_of, logged, opened, queue
from tests.local_source import NOW, Clock

SECRETS = ("t0p-of-all", "Bearer hidden", "whsec_", "T00/B00/XXX", "ops@")


async def test_a_new_subscription_waits_for_its_receiver_to_answer(store: Store) -> None:
    """Its secret is shown once; the challenge is queued; the code makes it active, another one does not."""
    desk = desk_of(store)
    made = await desk.create(WEBHOOK, " ann ")
    id_, view = made.subscription.id, made.subscription
    assert (id_[:4], len(id_), id_[4:].isalnum()) == ("sub_", 20, True)
    assert (view.status, view.settle_s, view.created_by, view.waiting_count) == (Status.UNVERIFIED, 60, "ann", 1)
    assert "challenge" in view.hint
    assert made.secret is not None
    assert await opened(store, id_) == Opened(HOOK, (decoded(made.secret),), (("Authorization", "Bearer hidden"),))
    with pytest.raises(BadParameterError) as refused:
        await desk.verify(id_, "aaaaaaaaaaaaaaaa", "ann")
    assert refused.value.facts["parameter"] == "code"
    assert (await desk.subscription(id_)).status is Status.UNVERIFIED
    verified = await desk.verify(id_, (await code_of(store, id_)).upper(), "ann")
    assert (verified.status, verified.hint) == (Status.ACTIVE, "")
    [ping] = await queue(store, id_)
    assert (ping.type, ping.settled) == (EventType.PING, True)
    assert await desk.subscriptions() == (replace(verified, waiting_count=0, next_at=None),)


async def test_nothing_secret_is_shown_stored_in_the_open_or_audited(store: Store) -> None:
    """Values of headers, of queries, addresses of chats, local parts of mailboxes, the secret: in no view or repr."""
    desk = desk_of(store)
    mail = NewSubscription(Channel.EMAIL, "mailto:ops@contoso.example")
    made = [await desk.create(one, "ann") for one in (WEBHOOK, SLACK, mail)]
    first = made[0].subscription.id
    edit = SubscriptionEdit(url=f"{HOOK}2", headers=(Header("X-Key", "Bearer hidden"), Header("X-More", "t0p-of-all")))
    views = [await desk.edit(first, edit, "ann"), *await desk.subscriptions()]
    rotated = await desk.rotate(first, "ann")
    shown = [msgspec.json.encode(views).decode(), repr((views, made, rotated, edit, edit.headers, WEBHOOK, SLACK))]
    shown.append(repr(await store.audit.newest()))
    assert [secret for secret in SECRETS for text in shown if secret in text] == []
    assert [one.secret is None for one in made] == [False, True, True]
    assert {one.url for one in views} == {
        "https://hooks.contoso.example/catalog?key=...",
        "https://hooks.slack.com/...",
        "mailto:...@contoso.example",
    }
    assert views[0].headers == ("X-Key", "X-More")
    stored = await store.redis.hgetall(keys.SEALED)
    for value in (b"Bearer hidden", b"whsec_", b"t0p-of-all"):
        assert all(value not in data for data in stored.values())


@pytest.mark.parametrize(
    ("channel", "url", "shown"),
    [(Channel.WEBHOOK, "https://a.example/x/y", "https://a.example/x/y"),
     (Channel.WEBHOOK, "https://a.example:8443/?a=1&token&b=", "https://a.example:8443/?a=...&...&b=..."),
     (Channel.TEAMS, "https://b.logic.example/w/1?sig=s", "https://b.logic.example/..."),
     (Channel.EMAIL, "mailto:a@x.example,b@y.example", "mailto:...@x.example,...@y.example"),
     (Channel.APPRISE, "tgram://token/chat", "tgram://...")],
)  # fmt: skip
def test_an_address_is_shown_without_what_may_be_secret(channel: Channel, url: str, shown: str) -> None:
    """A name in a query without a value may be the secret itself."""
    assert shown_url(channel, url) == shown


async def test_an_edit_changes_what_it_has_and_no_more(store: Store) -> None:
    """Left-out fields and header values stay; the audit has what was and what is; an unchanged address stays active."""
    desk = desk_of(store)
    id_ = await active(store, desk)
    before = await desk.subscription(id_)
    wanted = WantedFilter(regions=("West Europe", "westeurope"), sources=(TAGS.upper(),))
    after = await desk.edit(id_, SubscriptionEdit(filter=wanted, url=HOOK, description="prod"), "bob")
    kept = EventFilter(regions=("westeurope",), sources=(TAGS,))
    assert after == replace(before, filter=kept, description="prod")
    assert (await opened(store, id_)).headers == (("Authorization", "Bearer hidden"),)
    [entry] = await store.audit.newest(1)
    assert (entry.who, entry.action, entry.subject) == ("bob", "subscription-edit", id_)
    assert msgspec.json.decode(entry.before) == {"description": "", "filter": {}}
    assert msgspec.json.decode(entry.after)["description"] == "prod"
    digest = WantedDigest(Every.WEEKLY, zone="Europe/Berlin")
    assert (await desk.edit(id_, SubscriptionEdit(digest=digest), "bob")).digest is not None
    assert (await desk.edit(id_, SubscriptionEdit(digest=None), "bob")).digest is None


async def test_another_address_has_to_be_verified_anew(store: Store) -> None:
    """With another code and a new ping before all that waits."""
    desk = desk_of(store)
    id_ = await active(store, desk)
    old = await code_of(store, id_)
    moved = await desk.edit(id_, SubscriptionEdit(url="https://other.contoso.example/"), "ann")
    assert (moved.status, moved.waiting_count) == (Status.UNVERIFIED, 2)
    with pytest.raises(BadParameterError):
        await desk.verify(id_, old, "ann")
    assert (await desk.verify(id_, await code_of(store, id_), "ann")).status is Status.ACTIVE
    chat = await desk.edit(id_, SubscriptionEdit(channel=Channel.TEAMS, headers=()), "ann")
    assert (chat.status, chat.headers, (await opened(store, id_)).headers) == (Status.UNVERIFIED, (), ())


async def test_it_is_paused_and_resumed(store: Store) -> None:
    """A disabled one too, whose failures are forgotten; an unverified one is neither."""
    desk = desk_of(store)
    new = (await desk.create(SLACK, "ann")).subscription.id
    for verb in (desk.pause, desk.resume):
        with pytest.raises(BadParameterError, match="unverified|not verified"):
            await verb(new, "ann")
    id_ = await active(store, desk)
    assert (await desk.pause(id_, "ann")).status is Status.PAUSED
    assert (await desk.resume(id_, "ann")).status is Status.ACTIVE
    disabled = replace(await store.subscriptions.get(id_), status=Status.DISABLED, why="410")
    [claim] = [one for one in (await store.queues.claim("t", NOW, NOW, 9)).claims if one.subscription.id == id_]
    failing = Health(failing_since=NOW, error="410")
    assert await store.queues.settle([Settlement(claim, NOW, failing, is_done=True, after=disabled)], NOW) == (True,)
    view = await desk.subscription(id_)
    assert (view.status, view.why, view.health) == (Status.DISABLED, "410", failing)
    with pytest.raises(BadParameterError):
        await desk.pause(id_, "ann")
    resumed = await desk.resume(id_, "ann")
    assert (resumed.status, resumed.why, resumed.health.failing_since) == (Status.ACTIVE, "", None)


async def test_a_test_goes_before_all_that_waits(store: Store) -> None:
    """Its delivery has the id that was answered; each test is one of its own."""
    desk = desk_of(store)
    await published(store)
    id_ = await active(store, desk)
    await queue(store, id_)
    await desk.replay(id_, Replay(from_version=1, to_version=1), "ann")
    ids = [await desk.test(id_, "ann") for _ in range(2)]
    assert len({*ids}) == 2
    assert all(one.startswith("msg_") for one in ids)
    assert [one.type for one in await queue(store, id_)] == [EventType.PING, EventType.PING, EventType.COMMITTED]


async def test_a_rotated_secret_overlaps_with_the_one_before(store: Store) -> None:
    """For 24 hours; the one before that is over at once; headers stay; only webhooks have a secret."""
    clock = Clock()
    desk = desk_of(store, clock)
    made = await desk.create(WEBHOOK, "ann")
    id_ = made.subscription.id
    code = await code_of(store, id_)
    second, third = await desk.rotate(id_, "ann"), await desk.rotate(id_, "ann")
    assert third.previous_until == NOW + timedelta(hours=24)
    now = await opened(store, id_)
    assert now.secrets == (decoded(third.secret), decoded(second.secret))
    assert now.headers == (("Authorization", "Bearer hidden"),)
    clock.forward(hours=24)
    assert (await opened(store, id_, clock)).secrets == (decoded(third.secret),)
    with pytest.raises(BadParameterError):
        await desk.verify(id_, code, "ann")  # of a secret that is over
    slack = (await desk.create(SLACK, "ann")).subscription.id
    with pytest.raises(BadParameterError, match="only webhooks"):
        await desk.rotate(slack, "ann")


async def test_what_was_deleted_is_gone(store: Store) -> None:
    """With its secrets; every verb says so."""
    desk = desk_of(store)
    id_ = await active(store, desk)
    await desk.delete(id_, "ann")
    assert (await desk.subscriptions(), await store.subscriptions.sealed(id_)) == ((), None)
    for asked in (
        *(verb(id_, "ann") for verb in (desk.delete, desk.pause, desk.resume, desk.test, desk.rotate)),
        *(desk.subscription(id_), desk.deliveries(id_), desk.delivery(id_, "x"), desk.verify(id_, "x", "ann")),
        *(desk.edit(id_, SubscriptionEdit(), "ann"), desk.replay(id_, Replay(delivery="x"), "ann")),
    ):
        with pytest.raises(UnknownSubscriptionError):
            await asked


async def test_every_verb_is_audited_in_the_persons_name(store: Store) -> None:
    """In the order they came; without a name nothing is done."""
    desk = desk_of(store)
    await published(store)
    id_ = await active(store, desk)
    await desk.edit(id_, SubscriptionEdit(description="x"), "ann")
    for verb in (desk.test, desk.pause, desk.resume, desk.rotate):
        await verb(id_, "ann")
    await desk.replay(id_, Replay(since=START), "ann")
    await desk.delete(id_, "ann")
    await desk.save_filter("Prod", NewFilter(WantedFilter()), "ann")
    await desk.delete_filter("prod", "ann")
    told = [(one.action, one.who, one.subject) for one in reversed(await store.audit.newest())]
    verbs = ("create", "verify", "edit", "test", "pause", "resume", "rotate", "replay", "delete")
    assert told == [
        *((f"subscription-{verb}", "ann", id_) for verb in verbs),
        *(("filter-set", "ann", "prod"), ("filter-delete", "ann", "prod")),
    ]
    for nobody in ("", " ", "a\nb"):
        with pytest.raises(BadParameterError, match="by is a name"):
            await desk.create(WEBHOOK, nobody)


@pytest.mark.parametrize(
    ("asked", "versions"),
    [(Replay(from_version=1, to_version=3), {1: TAGS, 2: PAGE, 3: TAGS}), (Replay(from_version=2, to_version=2), {2: PAGE}),
     (Replay(from_version=2), {2: PAGE, 3: TAGS}),
     (Replay(since=START + timedelta(days=1)), {2: PAGE, 3: TAGS}), (Replay(since=START + timedelta(days=9)), {})],
)  # fmt: skip
async def test_a_range_or_all_since_a_moment_is_replayed(store: Store, asked: Replay, versions: dict[int, str]) -> None:
    """In the stream's order, behind what waits, each as the relay hands it out: under the id it had then."""
    desk = desk_of(store)
    await published(store)
    id_ = await active(store, desk)
    assert await desk.replay(id_, asked, "ann") == len(versions)
    ping, *items = await queue(store, id_)
    assert ping.type is EventType.PING
    assert [(one.parcel.first.version, one.parcel.source) for one in items] == list(versions.items())
    relayed = {await parcel_told(store, event) for event in await store.events.after(Place(0), 9)}
    assert {one.parcel for one in items} <= relayed
    assert all(one.settled for one in items)


async def test_a_replay_leaves_out_what_the_filter_never_asked_for(store: Store) -> None:
    """By type and source, saved filters too; what of the changes matches is the notifier's to see."""
    desk = desk_of(store)
    await published(store)
    await desk.save_filter("pages", NewFilter(WantedFilter(sources=(PAGE,))), "ann")
    by_name = await active(store, desk, replace(WEBHOOK, saved_filter="PAGES"))
    held = await active(store, desk, replace(WEBHOOK, filter=WantedFilter(types=(EventType.HELD,))))
    every = Replay(from_version=1, to_version=3)
    assert [await desk.replay(id_, every, "ann") for id_ in (by_name, held)] == [1, 0]


async def test_one_delivery_is_replayed_as_it_was(store: Store) -> None:
    """The same parcel, and so the same id; a ping is not, nor what the log does not have."""
    desk = desk_of(store)
    await published(store)
    id_ = await active(store, desk)
    await queue(store, id_)
    await desk.replay(id_, Replay(from_version=1, to_version=1), "ann")
    item = await logged(store, id_, "msg_a", DeliveryState.DEAD)
    assert (await desk.subscription(id_)).dead_count == 1
    assert await desk.replay(id_, Replay(delivery="msg_a"), "ann") == 1
    [again] = await queue(store, id_)
    assert (again.parcel, again.type) == (item.parcel, item.type)
    await desk.test(id_, "ann")
    await logged(store, id_, "msg_b", DeliveryState.DELIVERED)
    with pytest.raises(BadParameterError, match="a ping"):
        await desk.replay(id_, Replay(delivery="msg_b"), "ann")
    with pytest.raises(UnknownSubscriptionError, match="no delivery"):
        await desk.replay(id_, Replay(delivery="msg_c"), "ann")


@pytest.mark.parametrize(
    "wanted",
    [Replay(), Replay(delivery="a", since=START), Replay(from_version=9), Replay(to_version=1),
     Replay(from_version=2, to_version=1), Replay(from_version=0, to_version=1), Replay(from_version=1, to_version=4),
     Replay(from_version=1, to_version=2, since=START), Replay(since=START.replace(tzinfo=None))],
)  # fmt: skip
async def test_a_replay_is_asked_for_in_one_way(store: Store, wanted: Replay) -> None:
    """Exactly one of the three, of versions that are there."""
    desk = desk_of(store)
    await published(store)
    id_ = await active(store, desk)
    with pytest.raises(BadParameterError):
        await desk.replay(id_, wanted, "ann")


async def test_a_replay_is_refused_where_it_cannot_be_whole(store: Store) -> None:
    """Of pruned versions, of over a thousand events, and before the receiver was verified."""
    desk = desk_of(store)
    await published(store)
    some = await store.versions.version(3)
    for number in range(4, 1_003):
        data = codec.pack(replace(some, version=number))
        await store.redis.xadd(keys.EVENTS, {"version": data}, id=f"{number}-0")
    id_ = await active(store, desk)
    for wanted in (Replay(from_version=1, to_version=1_001), Replay(since=START)):
        with pytest.raises(BadParameterError, match="at most 1,000"):
            await desk.replay(id_, wanted, "ann")
    assert await desk.replay(id_, Replay(from_version=3, to_version=1_002), "ann") == 1_000
    await store.redis.set(keys.FLOOR, 3)
    with pytest.raises(GoneError):
        await desk.replay(id_, Replay(from_version=2, to_version=4), "ann")
    new = (await desk.create(SLACK, "ann")).subscription.id
    with pytest.raises(BadParameterError, match="not verified"):
        await desk.replay(new, Replay(since=START), "ann")


async def test_a_full_queue_takes_no_replay(store: Store) -> None:
    """A replay that does not fit beside what waits is refused as a whole; a test goes before a full queue."""
    desk = desk_of(store)
    await published(store)
    id_ = await active(store, desk)
    await store.redis.rpush(keys.queue(id_), *["{}"] * (QUEUE_MOST - 3))  # and the challenge
    with pytest.raises(BadParameterError, match="10,000 waiting"):
        await desk.replay(id_, Replay(from_version=1, to_version=3), "ann")
    assert await desk.replay(id_, Replay(from_version=1, to_version=2), "ann") == 2
    for _ in range(100):
        await desk.test(id_, "ann")
    with pytest.raises(BadParameterError, match="too many tests"):
        await desk.test(id_, "ann")


async def test_the_log_is_read_newest_first_in_pages(store: Store) -> None:
    """Dead and delivered ones together, each once; a page says where the next begins."""
    desk = desk_of(store)
    await published(store)
    id_ = await active(store, desk)
    await queue(store, id_)
    await desk.replay(id_, Replay(from_version=1, to_version=3), "ann")
    states = (DeliveryState.DELIVERED, DeliveryState.DEAD, DeliveryState.DELIVERED)
    for number, state in enumerate(states):
        await logged(store, id_, f"msg_{number}", state, timedelta(seconds=number))
    first = await desk.deliveries(id_, 2)
    assert ([one.id for one in first.items], first.next) == (["msg_2", "msg_1"], "msg_1")
    rest = await desk.deliveries(id_, 2, first.next)
    assert ([(one.id, one.first, one.source) for one in rest.items], rest.next) == ([("msg_0", "1", TAGS)], None)
    assert (await desk.delivery(id_, "msg_1")).attempts[0].status == 500
    for count in (0, 201):
        with pytest.raises(BadParameterError):
            await desk.deliveries(id_, count)
    with pytest.raises(UnknownSubscriptionError):
        await desk.deliveries(id_, 2, "msg_9")


async def test_saved_filters_are_shared_by_name(store: Store) -> None:
    """In any case; one in use is not deleted; a subscription has one or its own, whichever was given last."""
    desk = desk_of(store)
    saved = await desk.save_filter(" Prod ", NewFilter(WantedFilter(clouds=()), "for all"), "ann")
    assert (saved.name, saved.set_by, await store.saved_filters.all()) == ("prod", "ann", (saved,))
    id_ = (await desk.create(replace(WEBHOOK, saved_filter="PROD"), "ann")).subscription.id
    assert (await desk.subscription(id_)).saved_filter == "prod"
    with pytest.raises(BadParameterError, match="use the filter prod"):
        await desk.delete_filter("prod", "ann")
    with pytest.raises(BadParameterError, match="in place of the saved one"):
        await desk.edit(id_, SubscriptionEdit(saved_filter=""), "ann")
    own = await desk.edit(id_, SubscriptionEdit(filter=WantedFilter(sources=(TAGS,))), "ann")
    assert (own.saved_filter, own.filter) == ("", EventFilter(sources=(TAGS,)))
    again = await desk.edit(id_, SubscriptionEdit(saved_filter="prod"), "ann")
    assert (again.saved_filter, again.filter) == ("prod", EventFilter())
    await desk.delete(id_, "ann")
    assert await desk.delete_filter("PROD", "ann") == saved
    with pytest.raises(UnknownSubscriptionError):
        await desk.delete_filter("prod", "ann")


async def test_the_signing_key_is_made_once(store: Store) -> None:
    """Whoever asks first; only its public half is shown, and none without an encryption key."""
    with pytest.raises(SealedError):
        await desk_of(store, key="").signing_keys()
    desks = [desk_of(store) for _ in range(5)]
    found = {await one for one in asyncio.as_completed([desk.signing_keys() for desk in desks])}
    [[key]] = found
    assert (key.public[:5], key.algorithm, len(decoded(key.public))) == ("whpk_", "ed25519", 32)
    assert b"whsk_" not in (await store.signing_keys.get() or b"")
    assert new_private(os.urandom)[:5] == "whsk_"


async def test_without_an_encryption_key_there_are_no_subscriptions(store: Store) -> None:
    """Nothing is stored, and the setting is named."""
    with pytest.raises(SealedError, match="CATALOG_ENCRYPTION_KEY"):
        await desk_of(store, key="").create(SLACK, "ann")
    assert await store.subscriptions.all() == ()


async def test_another_key_seals_nothing_beside_what_it_cannot_open(store: Store) -> None:
    """Neither a new subscription nor a part of one; with the older key beside it, both go."""
    other = new_secret(lambda count: b"o" * count).partition("_")[2]
    id_ = await active(store, desk_of(store))
    before = await store.subscriptions.sealed(id_)
    wrong = desk_of(store, key=other)
    for order in (
        wrong.create(SLACK, "ann"),
        wrong.rotate(id_, "ann"),
        wrong.edit(id_, SubscriptionEdit(headers=(Header("X", "y"),)), "ann"),
        wrong.edit(id_, SubscriptionEdit(url="https://b.example/"), "ann"),
    ):
        with pytest.raises(SealedError, match=f"not hold the key with which the secrets of {id_} were sealed"):
            await order
    assert await store.subscriptions.sealed(id_) == before
    both = desk_of(store, key=f"{other},{KEY}")
    await both.rotate(id_, "ann")
    await both.create(SLACK, "ann")
    with pytest.raises(SealedError):
        await wrong.rotate(id_, "ann")  # its address is sealed with the older one still


async def test_verbs_at_the_same_time_do_not_undo_each_other(store: Store) -> None:
    """Each starts from what is stored then."""
    desk = desk_of(store)
    id_ = await active(store, desk)
    await asyncio.gather(
        desk.edit(id_, SubscriptionEdit(description="x"), "ann"),
        desk.edit(id_, SubscriptionEdit(settle_s=5), "bob"),
        desk.pause(id_, "eve"),
    )
    view = await desk.subscription(id_)
    assert (view.description, view.settle_s, view.status) == ("x", 5, Status.PAUSED)


def wanted(**other: Any) -> NewSubscription:
    return replace(WEBHOOK, **other)


def headers(*pairs: tuple[str, str]) -> NewSubscription:
    return wanted(headers=tuple(Header(*pair) for pair in pairs))


def filtered(**words: Any) -> NewSubscription:
    return wanted(filter=WantedFilter(**words))


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        (wanted(url="http://a.example/"), "url"),
        (wanted(url="https://10.0.0.1/"), "url"),
        (wanted(channel=Channel.SLACK, headers=(), url="https://169.254.169.254/"), "url"),
        (wanted(channel=Channel.EMAIL, headers=()), "url"),
        (wanted(channel=Channel.APPRISE, headers=(), url="no address"), "url"),
        (wanted(channel=Channel.SLACK), "headers"),
        (wanted(channel=Channel.TEAMS, headers=(), envelope=Envelope.CLOUDEVENTS), "envelope"),
        (wanted(channel=Channel.TEAMS, headers=(), signatures=(Signature.ED25519,)), "signatures"),
        (wanted(signatures=()), "signatures"),
        (wanted(description="a" * 201), "description"),
        (wanted(description="a\nb"), "description"),
        (wanted(settle_s=-1), "settle_s"),
        (wanted(settle_s=3601), "settle_s"),
        (wanted(digest=WantedDigest(Every.DAILY, at="24:00")), "digest.at"),
        (wanted(digest=WantedDigest(Every.DAILY, at="8:00")), "digest.at"),
        (wanted(digest=WantedDigest(Every.DAILY, at="08:00\n")), "digest.at"),
        (wanted(digest=WantedDigest(Every.DAILY, zone="Europe/Berlim")), "digest.zone"),
        (wanted(digest=WantedDigest(Every.DAILY, zone="../../etc/passwd")), "digest.zone"),
        (filtered(types=(EventType.PING,)), "filter.types"),
        (filtered(types=()), "filter.types"),
        (filtered(sources=("no-such",)), "filter.sources"),
        (filtered(regions=("westeuropa",)), "filter.regions"),
        (filtered(services=("",)), "filter.services"),
        (filtered(tags=("a\nb",)), "filter.tags"),
        (filtered(tags=("a" * 201,)), "filter.tags"),
        (filtered(services=("a",) * 101), "filter.services"),
        (filtered(impacts=(Impact.REMOVED_IP_OR_URL,), impact_at_least=Impact.ADDED_IP), "filter.impact_at_least"),
        (wanted(filter=WantedFilter(), saved_filter="prod"), "saved_filter"),
        (wanted(saved_filter="prod"), "saved_filter"),
        (wanted(saved_filter="latest"), "saved_filter"),
        (headers(*((f"X-{number}", "a") for number in range(11))), "headers"),
        (headers(("X-A", "1"), ("x-a", "2")), "headers"),
        *((headers((name, "a")), "headers") for name in (
            "Host", "Content-Type", "content-length", "Webhook-Id", "ce-id", "Connection", "TE", "Proxy-Authorization",
            "a b", "", "é")),
        *((headers(("X-A", value)), "headers") for value in ("", " a", "a\r\nX-B: 1", "é", "a" * 1001)),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused_by_name(store: Store, asked: NewSubscription, parameter: str) -> None:
    """Each rule names its field; nothing is stored, neither new nor edited."""
    desk = desk_of(store)
    with pytest.raises(RequestError) as refused:
        await desk.create(asked, "ann")
    assert isinstance(refused.value, BadParameterError | RefusedTargetError)
    assert refused.value.facts["parameter"] == parameter
    assert await store.subscriptions.all() == ()


@pytest.mark.parametrize(
    "changes",
    [SubscriptionEdit(channel=Channel.SLACK), SubscriptionEdit(signatures=()), SubscriptionEdit(settle_s=9999),
     SubscriptionEdit(url="https://127.0.0.1/"), SubscriptionEdit(headers=(Header("Host", "a"),)),
     SubscriptionEdit(filter=WantedFilter(), saved_filter="prod"), SubscriptionEdit(saved_filter="prod")],
)  # fmt: skip
async def test_an_edit_is_held_to_the_same_rules(store: Store, changes: SubscriptionEdit) -> None:
    """What it would become is checked as a whole, and it stays as it was."""
    desk = desk_of(store)
    id_ = await active(store, desk)
    before = await desk.subscription(id_)
    with pytest.raises((BadParameterError, RefusedTargetError)):
        await desk.edit(id_, changes, "ann")
    assert await desk.subscription(id_) == before


async def test_a_channel_needs_what_it_works_with(store: Store) -> None:
    """E-mail a mail server, apprise its extra; with them addresses of theirs are taken."""
    mail = NewSubscription(Channel.EMAIL, "mailto:ops@contoso.example")
    other = NewSubscription(Channel.APPRISE, "tgram://token/chat")
    bare, full = desk_of(store, everything=False), desk_of(store)
    for asked, needed in ((mail, "CATALOG_SMTP_URL"), (other, "catalog-service\\[apprise\\]")):
        with pytest.raises(BadParameterError, match=needed):
            await bare.create(asked, "ann")
        assert (await full.create(asked, "ann")).subscription.status is Status.UNVERIFIED


@pytest.mark.parametrize(
    ("body", "parameter"),
    [(b"{}", "channel"), (b'{"channel": "webhook", "url": 1}', "url"), (b'{"channel": "x", "url": ""}', "channel"),
     (b'{"channel": "webhook", "url": "", "filter": {"source": ["a"]}}', "filter.source"),
     (b'{"channel": "webhook", "url": "", "digest": {"every": "daily", "hour": 8}}', "digest.hour"),
     (b'{"channel": "webhook", "url": "", "headers": [{"name": "a"}]}', "headers[0].value"),
     (b'{"channel": "webhook", "url": "", "status": "active"}', "status"),
     (b"[", "body"), (b"", "body"), (b"\xff", "body"), (b"null", "body")],
)  # fmt: skip
def test_a_body_that_cannot_be_read_names_its_field(body: bytes, parameter: str) -> None:
    """A misspelled word of a filter would else be one that keeps everything."""
    with pytest.raises(BadParameterError) as refused:
        read_wanted(body, NewSubscription)
    assert refused.value.facts["parameter"] == parameter


def test_a_body_becomes_what_is_wanted() -> None:
    """Short forms are enough; an edit tells what is left out from what is cleared."""
    read = read_wanted(b'{"channel": "slack", "url": "https://hooks.slack.com/services/T00/B00/XXX"}', NewSubscription)
    assert read == SLACK
    edit = read_wanted(b'{"digest": null, "filter": {"clouds": ["china"]}}', SubscriptionEdit)
    assert edit.digest is None
    assert edit.url is msgspec.UNSET
    assert edit.filter == WantedFilter(clouds=("china",))  # type: ignore[arg-type]
