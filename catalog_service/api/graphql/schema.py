"""The schema: questions, actions and subscriptions, under the limits of `operation` and with the loop of `fast`."""

from __future__ import annotations

from datetime import UTC, datetime

import strawberry
from graphql import GraphQLError, GraphQLSchema
from msgspec import UNSET
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import create_type
from strawberry.types import ExecutionContext, get_object_definition

from catalog_service.api.graphql.errors import tell
from catalog_service.api.graphql.fast import Executor
from catalog_service.api.graphql.mutation import Mutation
from catalog_service.api.graphql.operation import Documents, Operation
from catalog_service.api.graphql.query import Query
from catalog_service.api.graphql.subscriber_mutation import SubscriberMutation
from catalog_service.api.graphql.subscriber_query import SubscriberQuery
from catalog_service.api.graphql.subscription import Subscription
from catalog_service.api.graphql.token_mutation import TokenMutation
from catalog_service.api.graphql.token_query import TokenQuery


class _Schema(strawberry.Schema):
    """A schema whose errors all pass `tell`; strawberry would log a client's mistakes as errors."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Make ``errors`` say what a client is told."""
        for error in errors:
            tell(error)


def plain(value: object, name: str) -> object:
    """Return the attribute ``name``; None where the upstream does not say."""
    found = getattr(value, name)
    return None if found is UNSET else found


def utc_text(moment: datetime) -> str:
    """Return ``moment`` as REST writes it: ISO 8601, UTC, with a Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment(text: object) -> datetime:
    """Return the moment that ``text`` names. Raises GraphQLError."""
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        raise GraphQLError("a DateTime is ISO 8601, such as 2026-11-23T08:00:00Z") from None


DATE_TIME = strawberry.scalar(
    name="DateTime", description="ISO 8601, UTC, ending in Z.", serialize=utc_text, parse_value=moment
)


def schema(*, fast: bool = True) -> strawberry.Schema:
    """Return the schema; ``fast`` False is for comparison with graphql-core's own way."""

    def core() -> GraphQLSchema:
        return made._schema  # noqa: SLF001 - strawberry has no public name for it

    documents = Documents(core)
    made = _Schema(
        _joined(Query, SubscriberQuery, TokenQuery),
        _joined(Mutation, SubscriberMutation, TokenMutation),
        Subscription,
        extensions=[lambda: Operation(documents)],
        execution_context_class=Executor if fast else None,
        config=StrawberryConfig(default_resolver=plain, scalar_map={datetime: DATE_TIME}),
    )
    return made


def _joined(*parts: type) -> type:
    """Return a type with the fields of all ``parts``, named and described as the first of them."""
    first, *others = (get_object_definition(part, strict=True) for part in parts)
    fields = [field for part in (first, *others) for field in part.fields]
    return create_type(first.name, fields, description=first.description)
