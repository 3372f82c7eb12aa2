"""One operation, whatever carried it: its limits, its view of the catalogue, documents parsed and validated once.

Strawberry makes one for each operation, also for each on a websocket that carries many. Called by `schema`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from functools import lru_cache

from graphql import DocumentNode, GraphQLError, GraphQLSchema, parse, specified_rules
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document
from strawberry.types.graphql import OperationType

from catalog_service.api.graphql.limits import MAX_TOKENS, beyond
from schema.errors import CatalogError

MAX_QUERY_LENGTH = 64_000
_KEPT = 64
_KEPT_LENGTH = 8_000
_NOTHING = parse("{ __typename }")

Prepare = Callable[[str], DocumentNode]
Validate = Callable[[str], list[GraphQLError]]


class Documents:
    """Parsed and validated documents of one schema: the last 64 that are not too long to keep."""

    def __init__(self, schema: Callable[[], GraphQLSchema]) -> None:
        self._schema = schema
        self._parsed = lru_cache(_KEPT)(_parsed)
        self._checked = lru_cache(_KEPT)(self._validated)

    def parsed(self, text: str) -> DocumentNode:
        """Return the document. Raises GraphQLError, RecursionError."""
        return self._parsed(text) if len(text) <= _KEPT_LENGTH else _parsed(text)

    def errors(self, text: str) -> list[GraphQLError]:
        """Return what is wrong with a document that can be parsed."""
        return self._checked(text) if len(text) <= _KEPT_LENGTH else self._validated(text)

    def _validated(self, text: str) -> list[GraphQLError]:
        return validate_document(self._schema(), self.parsed(text), tuple(specified_rules))


class Operation(SchemaExtension):
    """What strawberry runs around one operation."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def on_operation(self) -> Iterator[None]:
        """Give the operation its own view of the catalogue: a websocket lives through many versions."""
        context = self.execution_context
        context.parse_options["max_tokens"] = MAX_TOKENS
        context.context = context.context.asked()
        yield

    def on_parse(self) -> Iterator[None]:
        """Take the document from those kept. One that cannot be parsed is left to strawberry, which says so."""
        context = self.execution_context
        if self._too_long:
            context.graphql_document = _NOTHING
        else:
            with contextlib.suppress(GraphQLError, RecursionError):
                context.graphql_document = self._documents.parsed(context.query or "")
        yield

    async def on_validate(self) -> AsyncIterator[None]:
        """Refuse who may not read, and what asks too much, before anything looks at it closely."""
        context = self.execution_context
        try:
            await context.context.door.let_in()
        except CatalogError as error:
            context.pre_execution_errors = [GraphQLError(str(error), original_error=error)]
        else:
            context.pre_execution_errors = self._refused() or self._documents.errors(self._text)
        yield

    def get_results(self) -> dict[str, object]:
        """Return where a subscription goes on after a break."""
        asked = self.execution_context.context
        since = getattr(asked, "since", None)
        return {} if since is None else {"since": since}

    def _refused(self) -> list[GraphQLError]:
        context = self.execution_context
        if self._too_long:
            return [GraphQLError(f"a query has at most {MAX_QUERY_LENGTH:,} characters; give lists as variables")]
        if context.operation_type is OperationType.SUBSCRIPTION and not context.context.door.streams:
            return [GraphQLError("a subscription needs a websocket, or the header Accept: text/event-stream")]
        schema = context.schema._schema  # noqa: SLF001 - strawberry has no public name for it
        try:
            return beyond(schema, context.graphql_document or _NOTHING, context.variables or {})
        except RecursionError:
            return [GraphQLError("this query is nested too deeply")]

    @property
    def _text(self) -> str:
        return self.execution_context.query or ""

    @property
    def _too_long(self) -> bool:
        return len(self._text) > MAX_QUERY_LENGTH


def _parsed(text: str) -> DocumentNode:
    return parse(text, max_tokens=MAX_TOKENS)
