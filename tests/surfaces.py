"""The four ways to ask the catalogue, and their answers in one form: REST, GraphQL, the command line, pages.

In: a `Question`, as each way puts it. Out: plain values to compare. GraphQL is asked for every field that its schema
has, so that what one of the two does not tell is seen. Used by `test_same_answer`; pages are read by `surface_pages`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from bs4 import BeautifulSoup
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLOutputType, build_schema, get_named_type
from msgspec import Struct
from starlette.applications import Starlette

from catalog_service.api.graphql.schema import schema
from catalog_service.cli import exits
from catalog_service.cli.app import main
from catalog_service.store.connect import Store, open_store
from catalog_service.store.server_process import spawn, stop
from tests.api_client import client
from tests.pages import page

EXITS = {400: exits.USAGE, 404: exits.NOT_FOUND, 410: exits.NOT_FOUND, 422: exits.FAILED, 503: exits.NOT_FOUND}
"""What a command ends with where REST answers so."""
SAME = "the same"
_CORE = build_schema(schema().as_str())
_WAYS_ON = {"edges", "pageInfo", "totalCount", "history"}
_OF_THEIR_OWN = {
    *(("Source", "id"), ("Source", "versions"), ("Version", "id"), ("Version", "changes")),
    *(("Subscriber", "deliveries"), ("Subscriber", "delivery")),
}
"""What Relay has besides, and questions of their own inside an answer."""
_WORDS = frozenset(
    {"cloud", "clouds", "deed", "direction", "disposition", "impact", "kind", "relation", "significance", "subject"}
)
"""Fields with words of a vocabulary. A conflict's subject is none, and is read the same on both sides."""
_UNKNOWN_TYPE = ("media_type", "application/octet-stream")
"""A default, too: REST leaves it out."""
_ARGUMENTS = {"query": "q", "queries": "body", "number": "version", "impactAtLeast": "impact_at_least"}
"""Parameters of REST by GraphQL's names for them."""


class Question(Struct, frozen=True):
    """One question as each surface puts it; None: the surface does not have it."""

    tells: str
    """What stands in the answer, so that nobody agrees on nothing."""
    rest: str
    graphql: str | None
    """A field of the query with its arguments."""
    cli: str | None
    html: str | None
    """A page's address; `SAME`: REST's without what a page always tells."""
    status: int = 200
    lines: tuple[str, ...] = ()
    """What is sent with it: many to look up."""

    @property
    def name(self) -> str:
        """For people."""
        return self.rest.removeprefix("/v1/") + ("+lines" if self.lines else "")


@contextlib.contextmanager
def asked_over(directory: Path, application: Callable[[Store], Awaitable[Starlette]]) -> Iterator[Asking]:
    """Give the surfaces over a Redis of its own in ``directory``, which ``application`` fills."""
    socket = directory / "s"
    process, opened = spawn(directory, socket), contextlib.AsyncExitStack()

    async def asking(loop: asyncio.Runner) -> Asking:
        while not socket.exists():
            await asyncio.sleep(0.01)
        url = f"unix://{socket}"
        store = await opened.enter_async_context(open_store(url, directory, service=False))
        return Asking(loop, await opened.enter_async_context(client(await application(store))), url)

    try:
        with asyncio.Runner() as loop:
            yield loop.run(asking(loop))
            loop.run(opened.aclose())
    finally:
        stop(process, 10)


class Asking(Struct, frozen=True):
    """The surfaces over one store."""

    loop: asyncio.Runner
    client: httpx.AsyncClient
    redis_url: str

    def rest(self, question: Question) -> httpx.Response:
        """Return REST's answer, checked to be what the question expects."""
        path = quote(question.rest, safe="/?&=.:~,*")
        if question.lines:
            work = self.client.post(path, content="\n".join(question.lines), headers={"content-type": "text/plain"})
        else:
            work = self.client.get(path)
        answer = self.loop.run(work)
        assert (answer.status_code, question.tells in answer.text) == (question.status, True), answer.text
        return answer

    def graphql(self, question: Question) -> object:
        """Return GraphQL's answer, with every field there is; of an error what it says."""
        asked = str(question.graphql)
        field = _CORE.query_type.fields[asked.partition("(")[0]]  # type: ignore[union-attr]
        lines = "query ($lines: [String!]!)" if question.lines else ""
        body = {"query": f"{lines} {{ {asked} {_all_of(field.type)} }}", "variables": {"lines": question.lines}}
        answer = self.loop.run(self.client.post("/graphql", json=body)).json()
        for error in answer.get("errors", ()):
            told = {"detail": error["message"], **error["extensions"]}
            return {name: _ARGUMENTS.get(one, one) if name == "parameter" else one for name, one in told.items()}
        (value,) = answer["data"].values()
        return value

    def command(self, question: Question, capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
        """Return what the program ends with and prints, on stdout and on stderr; JSON unless it asks for a format."""
        asked = shlex.split(str(question.cli))
        arguments = ["--redis-url", self.redis_url, *asked, *(() if "--format" in asked else ("--json",))]
        if question.lines:
            program = [sys.executable, "-m", "catalog_service", *arguments]
            done = subprocess.run(program, input="\n".join(question.lines), capture_output=True, text=True, timeout=60)
            return done.returncode, done.stdout, done.stderr
        return main(arguments), *capfd.readouterr()

    def page(self, question: Question) -> BeautifulSoup:
        """Return the page, which is sound."""
        like_rest = re.sub("^/v1|[?&]space=yes$", "", question.rest)
        path = quote(like_rest if question.html == SAME else str(question.html), safe="/?&=.:~,%")
        return self.loop.run(page(self.client, path, status=question.status))


def every_field(type_name: str) -> str:
    """Return the selection of every field that a GraphQL type has."""
    type_ = _CORE.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType)
    return _all_of(type_)


def _all_of(type_: GraphQLOutputType) -> str:
    named = get_named_type(type_)
    return f"{{ {' '.join(_fields(named))} }}" if isinstance(named, GraphQLObjectType | GraphQLInterfaceType) else ""


def _fields(type_: GraphQLObjectType | GraphQLInterfaceType) -> Iterator[str]:
    for name, field in type_.fields.items():
        if name not in _WAYS_ON and (type_.name, name) not in _OF_THEIR_OWN:
            yield f"{name} {_all_of(field.type)}".strip()


def fields_of(type_name: str) -> set[str]:
    """Return the fields that a GraphQL type has, as REST writes them; without what Relay has besides."""
    type_ = _CORE.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType)
    return {snake(one) for one in type_.fields if one not in _WAYS_ON and (type_name, one) not in _OF_THEIR_OWN}


def plain(value: Any, name: str = "") -> Any:
    """Return an answer without the casing, the pages and the defaults of its surface.

    Names are in snake_case; words of a vocabulary are lower case, in one piece; a page is its list; what is absent,
    null, empty, zero and false is nothing, as it is left out or told by habit.
    """
    if isinstance(value, dict):
        told = {
            snake(key): plain(one, snake(key)) for key, one in value.items() if key not in ("next", "ageS", "age_s")
        }
        if "nodes" in told:
            told["items"] = told.pop("nodes")
        if told.keys() == {"items"}:
            return told["items"]
        return {key: one for key, one in told.items() if one and (key, one) != _UNKNOWN_TYPE}
    if isinstance(value, list):
        return [plain(one, name) for one in value]
    if name in _WORDS and isinstance(value, str):
        return value.lower().replace("_", "").replace("-", "")
    return value


def snake(name: str) -> str:
    """Return a name of GraphQL as REST writes it."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def problem(answer: httpx.Response) -> dict[str, object]:
    """Return what REST tells of an error, as GraphQL tells it too."""
    body: dict[str, object] = answer.json()
    return {name: value for name, value in body.items() if name not in ("type", "title", "status", "request_id")}
