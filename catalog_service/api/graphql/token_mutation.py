"""The part of GraphQL's mutations about tokens."""

from __future__ import annotations

from datetime import datetime

import strawberry

from catalog_service.access.issuing import IssuedToken, NewToken
from catalog_service.api.graphql import token_types
from catalog_service.api.graphql.acting import allowed, named_here
from catalog_service.api.graphql.asked import Context
from catalog_service.api.graphql.mutation import action
from catalog_service.api.graphql.words import TokenScope
from schema.access import ApiToken


@strawberry.type(name="Mutation")
class TokenMutation:
    """Joined to the root by `schema`."""

    @action(token_types.IssuedApiToken | None, "Make a token; the answer shows its secret once and never again.")
    async def create_api_token(
        self,
        info: Context,
        name: str,
        scopes: list[TokenScope],
        expires_at: datetime | None = None,
        by: str | None = None,
    ) -> IssuedToken:
        acting = await allowed(info)
        with named_here():
            wanted = NewToken(name, tuple(scopes), expires_at)
            return await acting.actions.tokens.create(wanted, acting.by(by), acting.token)

    @action(token_types.ApiToken | None, "Revoke a token for good; what it was.")
    async def revoke_api_token(self, info: Context, id: strawberry.ID, by: str | None = None) -> ApiToken:  # noqa: A002
        acting = await allowed(info)
        return await acting.actions.tokens.revoke(id, acting.by(by), acting.token)
