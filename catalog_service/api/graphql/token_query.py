"""The part of GraphQL's query about who may what: tokens, the audit, and who asks."""

from __future__ import annotations

import strawberry

from catalog_service.api.graphql import change_types, token_types
from catalog_service.api.graphql.acting import allowed
from catalog_service.api.graphql.asked import Context
from catalog_service.api.graphql.query import question
from catalog_service.api.reads.whoami import WhoAmI, whoami
from catalog_service.store.audit import AuditFilter
from schema.access import ApiToken
from schema.errors import BadParameterError
from schema.version import AuditEntry

_AUDIT_MOST, _AUDIT_KEPT = 500, 10_000


@strawberry.type(name="Query")
class TokenQuery:
    """Joined to the root by `schema`."""

    @question(token_types.WhoAmI | None, description="Who asks, and what they may.")
    async def whoami(self, info: Context) -> WhoAmI:
        return whoami(await info.context.door.identity())

    @question(list[token_types.ApiToken] | None, description="Every token, oldest first.")
    async def api_tokens(self, info: Context) -> tuple[ApiToken, ...]:
        return await (await allowed(info)).actions.tokens.all()

    @question(list[change_types.AuditEntry] | None, description="What people did, newest first.")
    async def audit(
        self,
        info: Context,
        first: int = 50,
        skip: int = 0,
        action: str | None = None,
        who: str | None = None,
        subject: str | None = None,
        token: str | None = None,
    ) -> tuple[AuditEntry, ...]:
        await allowed(info)
        if not 1 <= first <= _AUDIT_MOST:
            raise BadParameterError(f"first is a number from 1 to {_AUDIT_MOST}", parameter="first", value=first)
        if not 0 <= skip <= _AUDIT_KEPT:
            raise BadParameterError(f"skip is a number from 0 to {_AUDIT_KEPT}", parameter="skip", value=skip)
        return await info.context.reader.store.audit.newest(first, skip, AuditFilter(action, who, subject, token))
