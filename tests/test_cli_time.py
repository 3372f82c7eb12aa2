"""Commands about time: labels, rollback, prune and the audit, as people and as scripts see them."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from catalog_service.cli import exits
from catalog_service.cli.app import main
from catalog_service.store.connect import Store, open_store
from catalog_service.sync.run import run_source
from tests.local_source import NOW, Clock, Shelf, body, local_source

SOURCE = "azure-service-tags-public"
MANY = {f"t{i}": [f"22.{i}.0.0/16"] for i in range(30)}
Invoke = Callable[..., tuple[int, str, str]]


async def _publish(store: Store) -> None:
    await store.redis.flushall()
    await store.ping()
    source, shelf = local_source(SOURCE), Shelf()
    for number in range(1, 7):
        shelf.bodies[source.url] = body({**MANY, "t1": [f"20.{number}.0.0/16"]})
        await run_source(source, shelf, store, Clock(NOW + timedelta(days=number)))


@pytest.fixture
def invoke(
    redis_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Invoke]:
    """Run a command on a store of six versions of one source; gives exit code, stdout and stderr."""
    for name in [name for name in os.environ if name.startswith("CATALOG_")]:
        monkeypatch.delenv(name)

    async def publish() -> None:
        async with open_store(redis_url, tmp_path, service=False) as store:
            await _publish(store)

    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main([*arguments, "--redis-url", redis_url])
        out, err = capfd.readouterr()
        return code, out, err

    handlers, level = logging.root.handlers[:], logging.root.level
    asyncio.run(publish())
    yield run
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


def test_labels_are_set_listed_read_and_deleted(invoke: Invoke) -> None:
    """By number or relative to the newest; every read takes them."""
    assert invoke("label", "list") == (exits.FINE, "", "there are no labels\n")
    assert invoke("label", "set", "prod", "latest~2", "--by", "ann") == (exits.FINE, "", "prod is version 4\n")
    code, out, _ = invoke("label", "list", "--json")
    (item,) = json.loads(out)["items"]
    assert (code, item["name"], item["version"], item["set_by"]) == (exits.FINE, "prod", 4, "ann")
    code, out, _ = invoke("lookup", "20.4.0.1", "--at", "PROD", "--json")
    assert (code, json.loads(out)["version"]) == (exits.FINE, 4)
    assert "prod" in invoke("label", "list")[1]
    assert invoke("label", "delete", "prod") == (exits.FINE, "", "deleted prod, which was version 4\n")
    code, _, err = invoke("lookup", "20.4.0.1", "--at", "prod")
    assert (code, "not a label here" in err) == (exits.NOT_FOUND, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("label", "set", "latest", "1"), exits.USAGE, "cannot be a label"),
        (("label", "set", "prod", "2026-11-24"), exits.USAGE, "names no version of its own"),
        (("label", "set", "prod", "7"), exits.NOT_FOUND, "the newest is 6"),
        (("label", "delete", "prod"), exits.NOT_FOUND, "no label"),
        (("label", "set", "prod", "1", "--by", "ann\n2026-11-24 bob"), exits.USAGE, "by is a name"),
        (("label", "set", "prod", "1", "--by", "a\x1b[2Jnn"), exits.USAGE, "by is a name"),
        (("label", "set", "prod", "1", "--by", "ann\udcff"), exits.USAGE, "by is a name"),
        (("label", "set", "prod", "1", "--by", "a" * 81), exits.USAGE, "by is a name"),
        (("rollback", "no-source", "1"), exits.NOT_FOUND, "no-source"),
        (("rollback", "managed-connectors-outbound-ip-addresses", "1"), exits.NOT_FOUND, "had no version"),
        (("prune",), exits.USAGE, "CATALOG_VERSIONS_KEPT"),
        (("prune", "--keep", "0"), exits.USAGE, "--keep"),
    ],
)
def test_what_cannot_be_done_is_said(invoke: Invoke, arguments: tuple[str, ...], code: int, said: str) -> None:
    """With the exit code of its kind, on stderr."""
    got, out, err = invoke(*arguments)
    assert (got, out, said in err) == (code, "", True)


def test_a_rollback_is_published_and_told(invoke: Invoke) -> None:
    """The version says what it went back to; once more there is nothing to do; the audit has who it was."""
    code, out, _ = invoke("rollback", SOURCE, "latest~3", "--by", "ann", "--json")
    made = json.loads(out)
    assert (code, made["version"], made["rolled_back_to"], made["accepted_by"]) == (exits.FINE, 7, 3, "ann")
    code, _, err = invoke("rollback", SOURCE, "3")
    assert (code, err) == (exits.FINE, "what is served is equal to it already: nothing to publish\n")
    (entry,) = json.loads(invoke("audit", "--json")[1])["items"]
    assert {name: entry[name] for name in ("who", "action", "subject", "before", "after")} == {
        "who": "ann", "action": "rollback", "subject": SOURCE, "before": "6", "after": "7",
    }  # fmt: skip
    assert "rolled back" in invoke("held", "list")[1]
    assert "rollback" in invoke("audit")[1]


def test_pruning_keeps_what_is_labelled_and_tells_of_the_rest(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run first; what is gone is said with the nearest that is kept."""
    invoke("label", "set", "prod", "2")
    monkeypatch.setenv("CATALOG_VERSIONS_KEPT", "2")
    code, out, _ = invoke("prune", "--dry-run", "--json")
    assert (code, json.loads(out)) == (exits.FINE, {"floor": 5, "dropped": [1, 3, 4], "labelled": [2]})
    assert invoke("lookup", "20.3.0.1", "--at", "3")[0] == exits.FINE
    assert [one["action"] for one in json.loads(invoke("audit", "--json")[1])["items"]] == ["label-set"]
    code, _, err = invoke("prune", "--keep", "2", "--by", "ann")
    assert (code, err.splitlines()) == (exits.FINE, [
        "dropped the content of 3 versions", "kept: version 5 and all after it", "kept for their labels: 2",
    ])  # fmt: skip
    code, _, err = invoke("lookup", "20.3.0.1", "--at", "3")
    assert (code, "version 3 was pruned; the nearest that is kept is 2" in err) == (exits.NOT_FOUND, True)
    assert invoke("lookup", "20.2.0.1", "--at", "prod")[0] == exits.FINE
    entry, _ = json.loads(invoke("audit", "--json")[1])["items"]
    assert {name: entry[name] for name in ("who", "action", "subject", "before", "after")} == {
        "who": "ann", "action": "prune", "subject": "versions", "before": "", "after": "5",
    }  # fmt: skip
    assert invoke("prune", "--keep", "2")[0] == exits.FINE
    assert len(json.loads(invoke("audit", "--json")[1])["items"]) == 2


def test_nobody_did_anything_yet(invoke: Invoke) -> None:
    """An empty audit is said, and is an empty list for a script."""
    assert invoke("audit") == (exits.FINE, "", "nobody did anything yet\n")
    assert json.loads(invoke("audit", "--json")[1]) == {"items": []}
