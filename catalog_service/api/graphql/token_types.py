"""GraphQL's types of tokens and of who asks."""

from __future__ import annotations

from datetime import datetime

import strawberry

from catalog_service.api.graphql.words import TokenScope


@strawberry.type(description="A token as it is known here; never its secret.")
class ApiToken:
    id: strawberry.ID
    name: str
    scopes: list[TokenScope]
    created_at: datetime
    created_by: str
    expires_at: datetime | None = strawberry.field(description="From when on it is refused; null: never.")
    last_used_at: datetime | None = strawberry.field(description="To about a minute; null: not yet.")


@strawberry.type(description="A new token, and what its bearer shows: here, and never again.")
class IssuedApiToken:
    token: ApiToken
    secret: str


@strawberry.type(description="Who asks, and what they may.")
class WhoAmI:
    name: str = strawberry.field(description="The token's; operator: that of the settings; anonymous: none was shown.")
    scopes: list[TokenScope] = strawberry.field(description="With all that they include.")
    token: str | None = strawberry.field(description="The token's id.")
    expires_at: datetime | None
