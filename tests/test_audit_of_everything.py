"""Every mutation there is, as the contracts list them: refused without the token or its scope, audited with both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click
import httpx
import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import asdict, replace
from structlog.typing import EventDict

from catalog_service.access.identity import Identity, included
from catalog_service.access.scopes import needed
from catalog_service.api.graphql.schema import schema
from catalog_service.api.openapi import openapi_document
from catalog_service.cli.app import cli
from catalog_service.store import codec, keys
from catalog_service.store.connect import Store
from catalog_service.subscriptions.desk import Desk
from catalog_service.subscriptions.wanted import NewFilter, WantedFilter
from catalog_service.sync.asked import import_asked, reparse_asked, sync_asked
from schema.access import Scope
from schema.errors import CorruptContentError
from schema.version import AuditEntry
from scrapers.history.files import HistoricFile
from tests.api_client import PAGE, PAGE_HELD, START, TAGS, catalog_client, hold
from tests.desks import HOOK, WEBHOOK, active, code_of, desk_of
from tests.local_source import NOW, Clock, Shelf, body, local_source
from tests.operators import operator_actions, shows, token_with

QUESTIONS = {("POST", "/v1/lookup")}
"""What changes nothing though it is no GET."""


class Ask(Struct, frozen=True):
    """How a mutation is asked for; `{name}` stands for what `filled` made."""

    rest: tuple[str, str] | None = None
    body: dict[str, object] | None = None
    field: str = ""
    text: str = ""
    """What the field is given, and what of its answer is selected."""

    @property
    def operation(self) -> str:
        return f"{self.rest[0]} {self.rest[1]}" if self.rest else self.field


SECRET_OR_SAME = ("subscription-verify", "subscription-test", "subscription-rotate")
"""Actions whose before and after are nothing to show: of one that is verified, of a ping, of a secret."""
SUBSCRIPTION, FILTER, TOKEN = "/v1/subscriptions/{id}", "/v1/filters/{name}", "/v1/tokens/{id}"
HELD = "0123456789ab"
REST = (
    Ask(("POST", "/v1/subscriptions"), {"channel": "webhook", "url": HOOK}),
    Ask(("PATCH", SUBSCRIPTION), {"description": "plant"}),
    Ask(("POST", f"{SUBSCRIPTION}/verify"), {"code": "{code}"}),
    Ask(("POST", f"{SUBSCRIPTION}/test")),
    Ask(("POST", f"{SUBSCRIPTION}/pause")),
    Ask(("POST", f"{SUBSCRIPTION}/resume")),
    Ask(("POST", f"{SUBSCRIPTION}/rotate")),
    Ask(("POST", f"{SUBSCRIPTION}/replay"), {"from_version": 1}),
    Ask(("DELETE", SUBSCRIPTION)),
    Ask(("PUT", FILTER), {"filter": {"clouds": ["public"]}}),
    Ask(("DELETE", FILTER)),
    Ask(("POST", "/v1/tokens"), {"name": "new", "scopes": ["read"]}),
    Ask(("DELETE", TOKEN)),
)
GRAPHQL = (
    Ask(field="sync", text=f'(source: "{TAGS}") {{ result }}'),
    Ask(field="rejectHeld", text=f'(id: "{HELD}") {{ id }}'),
    Ask(field="acceptHeld", text=f'(id: "{HELD}") {{ version }}'),
    Ask(field="setLabel", text='(name: "prod", at: "2") { version }'),
    Ask(field="deleteLabel", text='(name: "old") { version }'),
    Ask(field="rollback", text=f'(source: "{TAGS}", to: 1) {{ version }}'),
    Ask(field="createSubscription", text=f'(input: {{channel: WEBHOOK, url: "{HOOK}"}}) {{ secret }}'),
    Ask(field="editSubscription", text='(id: "{id}", input: {description: "a"}) { id }'),
    Ask(field="verifySubscription", text='(id: "{id}", code: "{code}") { id }'),
    Ask(field="testSubscription", text='(id: "{id}")'),
    Ask(field="pauseSubscription", text='(id: "{id}") { id }'),
    Ask(field="resumeSubscription", text='(id: "{id}") { id }'),
    Ask(field="rotateSecret", text='(id: "{id}") { secret }'),
    Ask(field="replay", text='(id: "{id}", input: {fromVersion: 1})'),
    Ask(field="deleteSubscription", text='(id: "{id}")'),
    Ask(field="saveFilter", text='(name: "mine", input: {filter: {}}) { name }'),
    Ask(field="deleteFilter", text='(name: "gone") { name }'),
    Ask(field="createApiToken", text='(name: "newer", scopes: [READ]) { secret }'),
    Ask(field="revokeApiToken", text='(id: "{token}") { id }'),
)
EVERY = (*REST, *GRAPHQL)


class Filled(Struct, frozen=True):
    """A catalogue with something for every mutation to change."""

    names: dict[str, str]
    tokens: dict[Scope, str]

    def bearing(self, scope: Scope) -> dict[str, str]:
        return shows(self.tokens[scope])


async def filled(store: Store, desk: Desk) -> Filled:
    """Make one of everything, and a token of each scope."""
    await hold(store, PAGE, PAGE_HELD, START)
    await store.labels.set("old", 1, "ann", START)
    await desk.save_filter("gone", NewFilter(WantedFilter()), "ann")
    tokens = {scope: await token_with(store, scope, name=scope) for scope in Scope}
    owner = Identity(Scope.SUBSCRIBE, included((Scope.SUBSCRIBE,)), token="tok_a")
    id_ = await active(store, desk.opened_for(owner), WEBHOOK)
    await token_with(store, Scope.READ, name="spare")
    spare = next(one.id for one in await store.tokens.all() if one.name == "spare")
    return Filled({"id": id_, "code": await code_of(store, id_), "token": spare}, tokens)


async def send(http: httpx.AsyncClient, ask: Ask, known: Filled, headers: dict[str, str]) -> httpx.Response:
    """Ask for a mutation."""
    if ask.rest is None:
        query = f"mutation {{ {ask.field}{put_in(ask.text, known.names)} }}"
        return await http.post("/graphql", json={"query": query}, headers=headers)
    method, template = ask.rest
    names = {**known.names, "name": "gone"}
    if template == TOKEN:
        names["id"] = known.names["token"]
    sent = {name: put_in(value, names) if isinstance(value, str) else value for name, value in (ask.body or {}).items()}
    given: dict[str, Any] = {"json": sent} if ask.body is not None else {}
    return await http.request(method, put_in(template, names), headers=headers, **given)


def put_in(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def code_of_refusal(response: httpx.Response) -> str:
    """Return why nothing was done, by either contract."""
    answer = response.json()
    found: str = answer["errors"][0]["extensions"]["code"] if "errors" in answer else answer["code"]
    return found


READ: dict[str, Callable[[Any, bytes], Any]] = {
    "string": lambda redis, key: redis.get(key),
    "hash": lambda redis, key: redis.hgetall(key),
    "zset": lambda redis, key: redis.zrange(key, 0, -1, withscores=True),
    "set": lambda redis, key: redis.smembers(key),
    "list": lambda redis, key: redis.lrange(key, 0, -1),
    "stream": lambda redis, key: redis.xrange(key),
}


async def dump(store: Store) -> dict[bytes, object]:
    """Return all that is stored but when tokens were used, and how often clients asked."""
    redis: Any = store.redis
    found: dict[bytes, object] = {}
    async for key in redis.scan_iter("*"):
        if key != keys.TOKENS_USED.encode() and b":rate" not in key:
            found[key] = await READ[(await redis.type(key)).decode()](redis, key)
    return found


def name_of(ask: Ask) -> str:
    """Return the name that the table of scopes has for a mutation."""
    if ask.rest is None:
        return "".join(f"_{one.lower()}" if one.isupper() else one for one in ask.field)
    method, path = ask.rest
    found: str = msgspec.json.decode(openapi_document())["paths"][path][method.lower()]["operationId"]
    return found


def test_every_mutation_is_in_the_table() -> None:
    """Each operation of REST that is no GET, and each field of GraphQL's mutations, is asked for here."""
    document = msgspec.json.decode(openapi_document())
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert {one for one in described if one[0] != "GET"} - QUESTIONS == {ask.rest for ask in REST}
    mutation = schema()._schema.mutation_type
    assert mutation
    assert mutation.fields.keys() == {ask.field for ask in GRAPHQL}
    for ask in GRAPHQL:
        assert f"Needs the scope `{needed(name_of(ask))}`." in str(mutation.fields[ask.field].description)


async def test_nothing_is_done_without_the_scope(store: Store) -> None:
    """Who shows nothing gets a 401, who shows a token of every other scope a 403; the store is as it was."""
    desk = desk_of(store)
    async with catalog_client(store, actions=operator_actions(store, desk)) as http:
        known = await filled(store, desk)
        before = await dump(store)
        for ask in EVERY:
            scope = needed(name_of(ask))
            assert scope is not Scope.READ
            nobody = await send(http, ask, known, {})
            assert code_of_refusal(nobody) == "UNAUTHENTICATED", ask.operation
            assert nobody.status_code == (401 if ask.rest else 200)
            for lesser in set(Scope) - {scope, Scope.ADMIN}:
                refused = await send(http, ask, known, known.bearing(lesser))
                assert code_of_refusal(refused) == "FORBIDDEN", ask.operation
                assert f"needs the scope {scope}; the token {str(lesser)!r}" in refused.text
            assert await dump(store) == before, ask.operation


async def test_everything_that_is_done_is_audited(store: Store, logged: list[EventDict]) -> None:
    """With the token of its scope each is done, its entry tells who, and through which token; the log says the same."""
    for asks in (REST, GRAPHQL):
        await store.redis.flushall()
        desk = desk_of(store)
        async with catalog_client(store, actions=operator_actions(store, desk)) as http:
            known = await filled(store, desk)
            ids = {one.name: one.id for one in await store.tokens.all()}
            for ask in asks:
                scope = needed(name_of(ask))
                count = len(await store.audit.newest(10_000))
                logged.clear()
                done = await send(http, ask, known, known.bearing(scope))
                assert done.is_success, done.text
                assert "errors" not in done.text, done.text
                line, *others = await store.audit.newest(10_000)
                assert len(others) == count, ask.operation
                told = {"event": "audit", "log_level": "info", **asdict(line), "at": line.at.isoformat()}
                assert [one for one in logged if one["event"] == "audit"] == [told]
                assert (line.who, line.token) == (scope, ids[scope]), ask.operation
                assert line.before + line.after or line.action in SECRET_OR_SAME, line
        assert (await store.audit.checked())[0] == len(await store.audit.newest(10_000))


async def test_whom_it_was_done_for(store: Store) -> None:
    """`by` names another; the token tells who said so."""
    async with catalog_client(store, actions=operator_actions(store)) as http:
        secret = await token_with(store, Scope.OPERATE, name="ci")
        ask = Ask(field="setLabel", text='(name: "prod", by: "ann") { setBy }')
        await send(http, ask, Filled({}, {}), shows(secret))
        (token,) = await store.tokens.all()
    line = (await store.audit.newest(1))[0]
    assert (line.who, line.token) == ("ann", token.id)


READING = {
    *("run", "serve", "notify", "sources", "versions", "diff", "lookup", "history", "regions", "scenarios"),
    *("conflicts", "export", "audit", "mirror", "document", "held list", "held show", "label list", "token list"),
    *("filter list", "filter show", "subscription list", "subscription show", "subscription deliveries", "backup"),
    *("subscription delivery",),
}
"""Commands that change nothing in the catalogue for a person: what `run` and `sync --every` do is in the versions."""


def commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            yield from commands(one, f"{before}{name} ")
        else:
            yield f"{before}{name}", one


def test_every_command_that_changes_something_says_for_whom() -> None:
    """It takes `--by`; but `sync`, which a clock may start, is its user's."""
    unnamed = {name for name, one in commands(cli) if not any("--by" in parameter.opts for parameter in one.params)}
    assert unnamed - READING == {"sync"}
    assert unnamed >= READING


async def test_a_run_that_a_person_asked_for(store: Store) -> None:
    """What it published or held is told of with it, what else it came to right after; a clock's says what it did."""
    source, shelf, clock = local_source(), Shelf(), Clock()

    async def run(content: dict[str, list[str]] | None, *, always: bool = True) -> None:
        shelf.bodies = {source.url: body(content)} if content is not None else {}
        await sync_asked(source, shelf, store, clock, "ann", "tok_a", always=always)

    full = {str(number): [f"20.{number}.0.0/16"] for number in range(10)}
    await run(full)
    await run(full)
    await run(full, always=False)
    await run({"0": ["20.0.0.0/16"]})
    await run(None, always=False)
    await reparse_asked(source, store, clock, "bob", "cli")
    held = await store.sources.held()
    entry = AuditEntry(NOW, "ann", "sync", source.name, "1", "", "tok_a")
    assert await store.audit.newest() == (
        replace(entry, who="bob", action="reparse", token="cli", after=f"held {held[0].id}"),
        replace(entry, after=f"held {held[0].id}"),
        replace(entry, after="unchanged"),
        replace(entry, before="", after="1"),
    )


async def test_an_import_is_audited_also_where_it_breaks_off(store: Store, tmp_path: Any) -> None:
    """With how many files became what, until then."""
    source, files = local_source(), []
    for day in (1, 2, 3):
        path = tmp_path / f"{day}.json"
        path.write_bytes(body({"old": [f"20.{day}.0.0/16"]}) if day < 3 else b"{}")
        files.append(HistoricFile(path.name, path, START.replace(day=day)))
    await import_asked(source, tuple(files), store, Clock(), "ann", "cli")

    def break_off(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await import_asked(source, tuple(files), store, Clock(), "bob", "cli", break_off)
    entry = AuditEntry(NOW, "ann", "import", source.name, "", "2 imported, 1 refused", "cli")
    assert await store.audit.newest() == (replace(entry, who="bob", after="1 unchanged"), entry)


async def test_the_audit_over_rest_and_graphql(store: Store) -> None:
    """Newest first, a page at a time, of what is asked for alone; for admins."""
    entries = [AuditEntry(NOW, "ann", f"act-{n % 2}", f"s{n}", "", str(n), "cli") for n in range(7)]
    async with catalog_client(store, actions=operator_actions(store)) as http:
        http.headers.update(shows(await token_with(store, Scope.ADMIN)))
        for entry in entries:
            await store.audit.tell(entry)
        found, url = [], httpx.URL("http://catalog.test/v1/audit?limit=2&action=act-0&token=cli&who=ann")
        while True:
            page = await http.get(url)
            found += [one["subject"] for one in page.json()["items"]]
            if "next" not in page.json():
                break
            url = url.join(page.links["next"]["url"])
        one = (await http.get("/v1/audit?subject=s3")).json()
        query = '{ audit(first: 2, skip: 1, action: "act-1") { subject token } }'
        asked = (await http.post("/graphql", json={"query": query})).json()
        wrong = await http.get("/v1/audit?cursor=x")
    assert found == ["s6", "s4", "s2", "s0"]
    assert one["items"] == [msgspec.to_builtins(entries[3]) | {"at": "2026-11-23T12:00:00Z"}]
    assert asked == {"data": {"audit": [{"subject": "s3", "token": "cli"}, {"subject": "s1", "token": "cli"}]}}
    assert (wrong.status_code, wrong.json()["parameter"]) == (400, "cursor")


async def test_the_chain_tells_what_was_changed(store: Store) -> None:
    """Entries of older releases stand before it; one that was changed, put in or taken out breaks it."""
    redis: Any = store.redis
    old = AuditEntry(NOW, "ann", "prune", "versions", "", "1")
    await redis.xadd(keys.AUDIT, {"entry": codec.pack(old)})
    for number in range(4):
        await store.audit.tell(replace(old, after=str(number), token="cli"))
    count, newest = await store.audit.checked()
    entries = await redis.xrange(keys.AUDIT)
    assert (count, newest) == (4, entries[-1][1][b"chain"].decode())
    middle, fields = entries[3]
    forged = codec.pack(replace(old, who="eve"))
    for instead in ({**fields, b"entry": forged}, {b"entry": forged}, None):
        await redis.delete(keys.AUDIT)
        for place, kept in entries:
            if place != middle or instead:
                await redis.xadd(keys.AUDIT, instead if place == middle and instead else kept, id=place)
        with pytest.raises(CorruptContentError, match="the audit was changed"):
            await store.audit.checked()
    assert (await store.audit.newest(1))[0].after == "3"
