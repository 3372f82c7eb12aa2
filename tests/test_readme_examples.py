"""What the README shows works as it stands there: its requests, its GraphQL, its commands.

The demo's data is served, with a label and a file of 2024 beside it, by a real server on the loopback interface.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx
import pytest
from graphql import OperationType, build_schema, get_operation_ast, parse, validate

from catalog_service.api.app import create_app
from catalog_service.api.graphql.schema import schema
from catalog_service.cli.app import cli
from catalog_service.cli.listen import bound, serve_app
from catalog_service.cli.operate import operator_actions
from catalog_service.reader import Reader
from catalog_service.settings import load_settings
from catalog_service.store.connect import Store
from catalog_service.sync.history import import_history
from catalog_service.sync.run import run_source
from scrapers.demo import demo_folders, demo_sources
from scrapers.history.files import HistoricFile
from scrapers.mirror import FolderMirror
from scrapers.sources import SOURCES
from tests.api_client import TAGS
from tests.readme import README, blocks, commands, request

NOW = datetime(2026, 5, 19, tzinfo=UTC)
THEN = datetime(2024, 4, 29, tzinfo=UTC)
TOKEN = "a-token-of-sixteen-characters-or-more"
FEWEST = 5
STREAM = "text/event-stream"


@pytest.fixture
async def served(store: Store, tmp_path: Path) -> AsyncIterator[str]:
    """The address of the service."""
    sources, folders = demo_sources(SOURCES), demo_folders(tmp_path)
    for _, folder in folders:
        for source in sources:
            await run_source(source, FolderMirror(folder), store, lambda: NOW)
    (old,) = tmp_path.rglob("*ServiceTags_Public_20260504.json")
    tags = next(one for one in sources if one.name == TAGS)
    (imported,) = await import_history(tags, (HistoricFile(old.name, old, THEN),), store, lambda: NOW)
    assert imported.result == "imported"
    await store.labels.set("prod", 1, "ann", NOW)
    given = {"port": 0, "operator_token": TOKEN, "mirror": str(folders[-1][1])}
    settings, started = load_settings(given), asyncio.Event()
    actions = operator_actions(store, settings, sources)
    app = create_app(Reader(store), tuple(one.info for one in sources), demo=True, actions=actions)
    with bound(settings) as listening:
        serving = asyncio.create_task(serve_app(app, listening, started.set))
        await started.wait()
        yield listening.url
        serving.cancel()
        await asyncio.wait({serving})


async def test_every_request_of_the_readme_is_answered(served: str) -> None:
    """Each `curl` line gets a success with something in it; of GraphQL without an error."""
    examples = list(commands("curl"))
    assert len(examples) >= FEWEST
    wrong = []
    async with httpx.AsyncClient(timeout=30) as client:
        for example in examples:
            asked = request(example, served, TOKEN)
            async with client.stream(asked.method, asked.url, headers=asked.headers, content=asked.content) as answer:
                got = b""
                async for part in answer.aiter_bytes():
                    got += part
                    if answer.headers["content-type"].startswith(STREAM):
                        break  # it has no end
            has_body = bool(got) or asked.method == "HEAD"
            failed = asked.url.path == "/graphql" and b'"errors"' in got
            if not (answer.is_success and has_body) or failed:
                wrong.append(f"{shlex.join(example.words)}: {answer.status_code} {got[:300]!r}")
    assert wrong == []


async def test_every_query_of_the_readme_is_answered(served: str) -> None:
    """Each GraphQL block is valid; queries are run, and have no error."""
    queries = list(blocks("graphql"))
    assert queries
    core = build_schema(schema().as_str())
    async with httpx.AsyncClient(timeout=30) as client:
        for query in queries:
            document = parse(query)
            assert validate(core, document) == [], query
            if get_operation_ast(document, None).operation is OperationType.QUERY:  # type: ignore[union-attr]
                answer = (await client.post(f"{served}/graphql", json={"query": query})).json()
                assert "errors" not in answer, (query, answer)
                assert answer["data"]


_COMMAND: click.Command = cli
EXAMPLES = [one.words[1:] for one in commands("catalog-service")]


@pytest.mark.parametrize("words", EXAMPLES, ids=shlex.join)
def test_every_command_of_the_readme_is_one(words: tuple[str, ...]) -> None:
    """Its name, its options and what they take are the program's."""
    command, given = _COMMAND, list(words)
    while isinstance(command, click.Group):
        assert given[0] in command.commands
        command = command.commands[given.pop(0)]
    command.make_context(command.name, given)


def test_the_readme_shows_commands() -> None:
    """Those of the section about the command line are among them."""
    section = README.read_text(encoding="utf-8").partition("### On the command line")[2].partition("\n### ")[0]
    shown = [line.split()[1] for line in section.splitlines() if line.startswith("catalog-service ")]
    assert shown
    assert {*shown} <= {words[0] for words in EXAMPLES}
