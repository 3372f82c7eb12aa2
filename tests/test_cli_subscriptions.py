"""Commands about subscriptions, saved filters and signing keys, as people and as scripts see them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
import structlog

from catalog_service.access.identity import Identity, included
from catalog_service.cli import exits
from catalog_service.cli.app import main
from catalog_service.store.connect import Store, open_store
from catalog_service.store.queues import Settlement
from catalog_service.subscriptions.vault import new_secret
from schema.access import Scope
from schema.subscription import Attempt, Delivery, DeliveryState, Health
from tests.api_client import published, served_url
from tests.desks import KEY, active, code_of, desk_of
from tests.desks import opened as opened_of

HOOK = "https://hooks.contoso.example/catalog?key=t0p-of-all"
SLACK = "https://hooks.slack.com/services/T00/B00/XXX"
SECRETS = ("t0p-of-all", "Bearer hidden", "T00/B00/XXX")
T = TypeVar("T")
Done = tuple[int, str, str]


class Shell:
    """A shell on a store with the catalogue of three versions."""

    def __init__(self, url: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self._url = url
        self._folder = folder
        self._capfd = capfd

    def __call__(self, *arguments: str) -> Done:
        """Run a command; gives exit code, stdout and stderr, neither of which says anything secret."""
        self._capfd.readouterr()
        code = main([*arguments, "--redis-url", self._url])
        out, err = self._capfd.readouterr()
        assert not any(secret in out + err for secret in SECRETS)
        return code, out, err

    def json(self, *arguments: str) -> object:
        """Return what a command prints with ``--json``."""
        code, out, err = self(*arguments, "--json")
        assert code == exits.FINE, err
        return json.loads(out)

    def value(self, *arguments: str) -> dict[str, object]:
        """Return the object that a command prints."""
        found = self.json(*arguments)
        assert isinstance(found, dict)
        return found

    def items(self, *arguments: str) -> list[dict[str, object]]:
        """Return the list that a command prints."""
        found: list[dict[str, object]] = self.value(*arguments)["items"]  # type: ignore[assignment]
        return found

    def stored(self, work: Callable[[Store], Awaitable[T]]) -> T:
        """Return what ``work`` makes of the store."""

        async def run() -> T:
            async with open_store(self._url, self._folder, service=False) as store:
                return await work(store)

        return asyncio.run(run())

    def added(self, url: str = HOOK, *flags: str) -> str:
        """Return the id of a new subscription."""
        made: dict[str, str] = self.value("subscription", "add", url, *flags)["subscription"]  # type: ignore[assignment]
        return made["id"]

    def active(self) -> str:
        """Return the id of a new subscription whose receiver answered."""
        id_ = self.added()
        code = self.stored(lambda store: code_of(store, id_))
        assert self("subscription", "verify", id_, code) == (exits.FINE, "", f"{id_}: active\n")
        return id_


@pytest.fixture
def shell(
    redis_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shell]:
    for name in [name for name in os.environ if name.startswith("CATALOG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CATALOG_ENCRYPTION_KEY", KEY)
    handlers, level = logging.root.handlers[:], logging.root.level
    with served_url(redis_url, tmp_path, published) as url:
        yield Shell(url, tmp_path, capfd)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Puts bytes on the stdin of the command that follows."""
    return lambda given: monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))


def test_the_secret_alone_is_on_stdout(shell: Shell) -> None:
    """A script takes it from there; a person is told what comes next, and that nobody shows it again."""
    code, out, err = shell("subscription", "add", HOOK, "--by", "ann", "--header", "X-Key: Bearer hidden")
    assert (code, out[:6], out.count("\n")) == (exits.FINE, "whsec_", 1)
    (id_,) = (str(one["id"]) for one in shell.items("subscription", "list"))
    first, second, *rest = err.splitlines()
    assert first == f"{id_}: webhook https://hooks.contoso.example/catalog?key=..."
    assert (second[:11], "challenge" in second, "catalog-service run" in rest[0]) == ("unverified:", True, True)
    shown = shell.value("subscription", "show", id_)
    assert (shown["created_by"], shown["headers"], "secret" in shown) == ("ann", ["X-Key"], False)


def test_the_command_line_manages_what_tokens_made(shell: Shell) -> None:
    """It shows whose each is; what it makes is of no token."""
    plant = Identity("plant", included((Scope.SUBSCRIBE,)), "tok_a")
    id_ = shell.stored(lambda store: active(store, desk_of(store).opened_for(plant)))
    mine = shell.added()
    told = [line.split() for line in shell("subscription", "show", id_)[1].splitlines()]
    assert ["owner", "token", "plant"] in told
    assert "owner" not in shell("subscription", "show", mine)[1]
    assert shell("subscription", "delete", id_)[0] == exits.FINE


@pytest.mark.parametrize("given", [f"{SLACK}\n", f"  {SLACK}\r\nmore\n", SLACK])
def test_an_address_is_read_from_stdin(shell: Shell, piped: Callable[[bytes], None], given: str) -> None:
    """Its first line, so that no list of processes and no history of a shell shows it; an edit takes it so too."""
    piped(given.encode())
    id_ = shell.added("-", "--channel", "slack")
    assert shell.value("subscription", "show", id_)["url"] == "https://hooks.slack.com/..."
    opened = shell.stored(lambda store: opened_of(store, id_))
    assert opened.url == SLACK
    piped(f"{SLACK}-2\n".encode())
    assert shell("subscription", "edit", id_, "--url", "-")[0] == exits.FINE
    assert shell.stored(lambda store: opened_of(store, id_)).url == f"{SLACK}-2"
    assert "- to take it from" in " ".join(shell("subscription", "add", "--help")[1].split())


@pytest.mark.parametrize(
    "given", [b"", b"\n", b" \nhttps://a.example/\n", b"\xff\xfe\n", b"https://a.example/" + b"a" * 9000]
)
def test_no_address_on_stdin_is_said(shell: Shell, piped: Callable[[bytes], None], given: bytes) -> None:
    """No line, one that is no text, one without an end: refused; nothing is made."""
    piped(given)
    code, out, err = shell("subscription", "add", "-")
    assert (code, out, bool(err)) == (exits.USAGE, "", True)
    assert shell.stored(lambda store: store.subscriptions.count()) == 0


def test_a_key_is_replaced(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both keys, resealed, the new one alone: who is told goes on being told."""
    other = new_secret(lambda count: b"o" * count).partition("_")[2]
    shell.added()
    shell.value("signing-keys")
    monkeypatch.setenv("CATALOG_ENCRYPTION_KEY", f"{other},{KEY}")
    code, out, err = shell("subscription", "reseal", "--by", "ann")
    assert (code, out, err.split(":")[0]) == (exits.FINE, "", "2 sealed anew")
    assert shell.value("subscription", "reseal") == {"resealed_count": 0}
    monkeypatch.setenv("CATALOG_ENCRYPTION_KEY", other)
    assert shell("notify", "--once")[0] == exits.FINE
    assert (shell.items("audit")[0]["action"], shell.items("audit")[0]["who"]) == ("subscription-reseal", "ann")
    monkeypatch.setenv("CATALOG_ENCRYPTION_KEY", KEY)
    code, out, err = shell("subscription", "reseal")
    assert (code, out, "does not hold the key" in err) == (exits.USAGE, "", True)


def test_every_flag_is_a_field(shell: Shell) -> None:
    """What is typed is what is stored; a chat has no secret."""
    shell("filter", "set", "Plant", "--material")
    flags = (
        *("--type", "catalog.version.held", "--type", "catalog.version.committed", "--family", "4", "--only", "added"),
        *(
            "--impact",
            "AddedIp",
            "--impact-at-least",
            "removediporurl",
            "--material",
            "--source",
            "azure-service-tags-public",
        ),
        *("--service", "storage,azureconnectors", "--tag", "LogicApps", "--cloud", "public", "--region", "West Europe"),
        *("--direction", "outbound", "--kind", "prefix"),
    )
    digest = ("--weekly", "FRI@07:30", "--zone", "Europe/Berlin", "--settle", "5", "--thin", "--description", "ours")
    hook = shell.value("subscription", "show", shell.added(HOOK, *flags, *digest, "--cloudevents", "--sign", "v1a"))
    made = shell.value("subscription", "add", SLACK, "--channel", "slack", "--filter", "plant", "--daily", "08:15")
    chat: dict[str, object] = made["subscription"]  # type: ignore[assignment]
    assert hook["filter"] == {
        "types": ["catalog.version.held", "catalog.version.committed"],
        "sources": ["azure-service-tags-public"],
        "services": ["azureconnectors", "storage"],
        "tags": ["LogicApps"],
        "clouds": ["public"],
        "regions": ["westeurope"],
        "directions": ["outbound"],
        "kinds": ["prefix"],
        "family": "4",
        "only": "added",
        "impacts": ["AddedIp"],
        "impact_at_least": "RemovedIpOrUrl",
        "material": True,
    }
    assert hook["digest"] == {"every": "weekly", "at": "07:30", "zone": "Europe/Berlin", "weekday": "friday"}
    assert (hook["settle_s"], hook["payload"], hook["envelope"]) == (5, "thin", "cloudevents")
    assert (hook["signatures"], hook["description"]) == (["v1a"], "ours")
    assert (list(made), chat["channel"], chat["saved_filter"]) == (["subscription"], "slack", "plant")
    assert (chat["url"], chat["digest"]) == ("https://hooks.slack.com/...", {"every": "daily", "at": "08:15"})


def test_an_edit_changes_what_is_given(shell: Shell) -> None:
    """And nothing else; a filter is taken as a whole, another address is verified anew."""
    id_ = shell.added(
        HOOK, "--material", "--region", "westeurope", "--daily", "08:00", "--header", "X-Key: a", "--thin"
    )
    before = shell.value("subscription", "show", id_)
    after = shell.value("subscription", "edit", id_, "--cloud", "china", "--at-once", "--no-headers", "--full")
    stays = {name: one for name, one in before.items() if name not in ("digest", "headers")}
    assert after == {**stays, "filter": {"clouds": ["china"]}, "payload": "full", "next_at": after["next_at"]}
    code = shell.stored(lambda store: code_of(store, id_))
    assert shell.value("subscription", "verify", id_, code)["status"] == "active"
    moved = shell("subscription", "edit", id_, "--url", "https://b.example/")
    assert (moved[0], moved[2].startswith(f"{id_}: unverified, ")) == (exits.FINE, True)


def test_it_is_paused_resumed_rotated_and_deleted(shell: Shell) -> None:
    """Each says what became of it, and is audited under the name given."""
    id_ = shell.active()
    assert shell("subscription", "pause", id_, "--by", "bob")[2] == f"{id_}: paused\n"
    assert shell("subscription", "resume", id_)[2] == f"{id_}: active\n"
    code, out, err = shell("subscription", "rotate", id_)
    assert (code, out[:6], "until" in err) == (exits.FINE, "whsec_", True)
    assert shell("subscription", "delete", id_) == (exits.FINE, "", f"deleted {id_}\n")
    assert shell("subscription", "list") == (exits.FINE, "", "there are no subscriptions\n")
    audit = shell.items("audit")
    assert [one["action"] for one in audit] == [
        f"subscription-{verb}" for verb in ("delete", "rotate", "resume", "pause", "verify", "create")
    ]
    assert audit[3]["who"] == "bob"


def test_what_was_told_is_listed_and_told_again(shell: Shell) -> None:
    """A delivery shows its attempts; a replay says how much waits."""
    id_ = shell.active()
    assert shell("subscription", "deliveries", id_) == (exits.FINE, "", f"{id_} was told nothing yet\n")
    assert str(shell.value("subscription", "test", id_)["delivery"]).startswith("msg_")
    assert "is on its way" in shell("subscription", "test", id_)[2]
    assert shell("subscription", "replay", id_, "--from", "1", "--to", "3")[2] == "3 wait to be told again\n"
    assert shell.json("subscription", "replay", id_, "--since", "2026-11-04T00:00:00Z") == {"queued_count": 1}
    shell.stored(lambda store: settled(store, id_))
    (told,) = shell.items("subscription", "deliveries", id_, "--limit", "1")
    assert (told["id"], told["state"]) == ("msg_told", "dead")
    assert shell.value("subscription", "delivery", id_, "msg_told") == told
    assert "500 it said no" in shell("subscription", "deliveries", id_)[1]
    assert "it said no" in shell("subscription", "delivery", id_, "msg_told")[1]
    assert "dead" in shell("subscription", "show", id_)[1]


async def settled(store: Store, id_: str) -> None:
    """Give up the head of the queue of ``id_``, as a notifier does."""
    now = datetime.now(UTC)
    (claim,) = (await store.queues.claim("t", now, now, 9)).claims
    attempt = Attempt(now, 12, 500, "it said no", "never")
    made = Delivery("msg_told", id_, claim.item.type, claim.item.parcel, DeliveryState.DEAD, now, (attempt,))
    await store.queues.settle([Settlement(claim, now, Health(), is_done=True, delivery=made)], now)


def test_filters_are_saved_listed_shown_and_deleted(shell: Shell) -> None:
    """In words for people; one that a subscription uses stays."""
    assert shell("filter", "list") == (exits.FINE, "", "there are no saved filters\n")
    said = shell("filter", "set", "Plant", "--cloud", "public", "--material", "--description", "ours", "--by", "ann")
    assert said == (exits.FINE, "", "plant keeps clouds public; material\n")
    (one,) = shell.items("filter", "list")
    assert one == shell.value("filter", "show", "PLANT")
    assert (one["filter"], one["set_by"], one["description"]) == (
        {"clouds": ["public"], "material": True},
        "ann",
        "ours",
    )
    assert "clouds public; material" in shell("filter", "show", "plant")[1]
    assert "clouds public; material" in shell("filter", "list")[1]
    id_ = shell.added(HOOK, "--filter", "plant")
    assert "saved as plant" in shell("subscription", "show", id_)[1]
    code, _, err = shell("filter", "delete", "plant")
    assert (code, "1 subscriptions use the filter plant" in err) == (exits.USAGE, True)
    shell("subscription", "edit", id_, "--type", "source.degraded")
    assert shell("filter", "delete", "plant")[2] == "deleted plant, which kept clouds public; material\n"
    assert "types source.degraded" in shell("subscription", "show", id_)[1]


def test_the_signing_key_is_printed(shell: Shell) -> None:
    """The same each time."""
    (key,) = shell.items("signing-keys")
    assert (str(key["public"])[:5], str(key["public"]) in shell("signing-keys")[1]) == ("whpk_", True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "https://10.0.0.1/t0p-of-all"), exits.USAGE, "10.0.0.1"),
        (("add", "http://a.example/t0p-of-all"), exits.USAGE, "https"),
        (("add", HOOK, "--header", "Bearer hidden"), exits.USAGE, "a name, a colon and a value"),
        (("add", HOOK, "--header", "X-A: Bearer hidden\nB: c"), exits.USAGE, "'X-A'"),
        (("add", HOOK, "--settle", "3601"), exits.USAGE, "from 0 to 3600"),
        (("add", HOOK, "--region", "nowhere"), exits.USAGE, "is no region"),
        (("add", HOOK, "--source", "nobody"), exits.USAGE, "no source is named"),
        (("add", HOOK, "--type", "subscription.ping"), exits.USAGE, "--type"),
        (("add", HOOK, "--daily", "25:00"), exits.USAGE, "HH:MM"),
        (("add", HOOK, "--weekly", "someday@08:00"), exits.USAGE, "monday@08:00"),
        (("add", HOOK, "--weekly", "monday"), exits.USAGE, "monday@08:00"),
        (("add", HOOK, "--weekly", "monday@08:00", "--daily", "08:00"), exits.USAGE, "--daily or --weekly"),
        (("add", HOOK, "--zone", "Europe/Berlin"), exits.USAGE, "--zone"),
        (("add", HOOK, "--filter", "a", "--material"), exits.USAGE, "not both"),
        (("add", HOOK, "--filter", "nobody"), exits.USAGE, "no filter"),
        (("add", HOOK, "--filter", ""), exits.USAGE, "--filter"),
        (("add", HOOK, "--daily", " "), exits.USAGE, "--daily"),
        (("add", HOOK, "--daily", "08:00", "--zone", ""), exits.USAGE, "--zone"),
        (("add", SLACK, "--channel", "slack", "--cloudevents"), exits.USAGE, "envelope"),
        (("add", "mailto:ops@a.example", "--channel", "email"), exits.USAGE, "CATALOG_MAIL_FROM"),
        (("add", HOOK, "--by", "a\nb"), exits.USAGE, "by is a name"),
        (("edit", "sub_a"), exits.USAGE, "give a flag"),
        (("edit", "sub_a", "--at-once", "--daily", "08:00"), exits.USAGE, "exclude"),
        (("edit", "sub_a", "--no-headers", "--header", "a: b"), exits.USAGE, "exclude"),
        (("edit", "sub_a", "--thin"), exits.NOT_FOUND, "no subscription"),
        (("show", "sub_a"), exits.NOT_FOUND, "no subscription"),
        (("show", "sub_\udcff"), exits.NOT_FOUND, "no subscription"),
        (("verify", "sub_a", "b"), exits.NOT_FOUND, "no subscription"),
        (("deliveries", "sub_a"), exits.NOT_FOUND, "no subscription"),
        (("deliveries", "sub_a", "--limit", "201"), exits.USAGE, "--limit"),
        (("delivery", "sub_a", "msg_a"), exits.NOT_FOUND, "no delivery"),
        (("replay", "sub_a"), exits.NOT_FOUND, "no subscription"),
        (("replay", "sub_a", "--since", "yesterday"), exits.USAGE, "2026-11-23T08:00:00Z"),
    ],
)
def test_what_cannot_be_done_is_said(shell: Shell, arguments: tuple[str, ...], code: int, said: str) -> None:
    """With the exit code of its kind, on stderr, without what is secret; nothing is made."""
    got, out, err = shell("subscription", *arguments)
    assert (got, out, said in err) == (code, "", True), err
    assert shell.stored(lambda store: store.subscriptions.count()) == 0


def test_a_code_or_a_replay_that_is_none(shell: Shell) -> None:
    """Refused as the desk does."""
    id_ = shell.added()
    for arguments, said in (
        (("verify", id_, "wrong"), "not the code"),
        (("verify", id_, "\udcff"), "not the code"),
        (("replay", id_, "--from", "1", "--to", "2"), "not verified"),
        (("resume", id_), "not verified"),
    ):
        code, _, err = shell("subscription", *arguments)
        assert (code, said in err) == (exits.USAGE, True), err
    code, _, err = shell("subscription", "replay", shell.active(), "--to", "1")
    assert (code, "from_version is needed" in err) == (exits.USAGE, True)


@pytest.mark.parametrize("arguments", [("subscription", "add", HOOK), ("signing-keys",)])
def test_without_a_key_nothing_is_sealed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """A setting is missing, and which one is said."""
    monkeypatch.delenv("CATALOG_ENCRYPTION_KEY")
    code, out, err = shell(*arguments)
    assert (code, out, "CATALOG_ENCRYPTION_KEY" in err) == (exits.USAGE, "", True)


def test_telling_begins_with_the_key_of_every_subscription(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without subscriptions no key is needed; with them, one that is sealed with another is enough to refuse."""
    other = new_secret(lambda count: b"o" * count).partition("_")[2]
    monkeypatch.delenv("CATALOG_ENCRYPTION_KEY")
    assert shell("notify", "--once") == (exits.FINE, "", "")
    monkeypatch.setenv("CATALOG_ENCRYPTION_KEY", KEY)
    first = shell.added()
    monkeypatch.setenv("CATALOG_ENCRYPTION_KEY", f"{other},{KEY}")
    for _ in range(5):
        shell.added(SLACK, "--channel", "slack")
    monkeypatch.setenv("CATALOG_ENCRYPTION_KEY", other)
    code, out, err = shell("notify", "--once")
    assert (code, out, f"the secrets of {first} were sealed" in err) == (exits.USAGE, "", True), err


def test_telling_begins_with_the_key_of_the_signing_key(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signing key that cannot be opened keeps nobody from starting, but signs nothing until it is renewed."""
    before = shell.value("signing-keys")
    monkeypatch.setenv("CATALOG_ENCRYPTION_KEY", new_secret(lambda count: b"o" * count).partition("_")[2])
    assert shell("notify", "--once") == (exits.FINE, "", "")
    code, out, err = shell("subscription", "add", HOOK, "--sign", "v1a")
    assert (code, out, "the secrets of the signing key were sealed" in err) == (exits.USAGE, "", True), err
    renewed = shell.value("signing-keys", "--renew", "--by", "ann")
    assert renewed != before
    assert shell.value("signing-keys") == renewed
    shell.added(HOOK, "--sign", "v1a")
    entry, *_ = json.loads(shell("audit", "--json")[1])["items"][1:]
    assert (entry["action"], entry["who"]) == ("signing-key-renew", "ann")


def test_a_service_or_tag_that_is_misspelled(shell: Shell) -> None:
    """What nothing goes by would tell nothing for ever: it is refused, with what may have been meant."""
    code, out, err = shell("subscription", "add", HOOK, "--service", "AzureConector")
    assert (code, out, "did you mean AzureConnectors?" in err) == (exits.USAGE, "", True), err
    code, out, err = shell("filter", "set", "plant", "--tag", "LogicApp")
    assert (code, out, "did you mean LogicApps?" in err) == (exits.USAGE, "", True), err
