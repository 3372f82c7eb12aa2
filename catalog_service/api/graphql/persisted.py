"""Automatic persisted queries, as Apollo's clients send them: a hash alone first, the query with it when it is unknown.

In: a request's data. Out: the same with its query. Queries are kept by the hash of their text, so that nobody can
put another query behind a hash; the least recently used go first. Called by `view`.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from graphql import GraphQLError
from strawberry.http import GraphQLRequestData

NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
_MAX_QUERIES = 500
_MAX_LENGTH = 16_000


class PersistedQueries:
    """The queries of one process, up to 500 of 16,000 characters; a longer one is answered and not kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, str] = OrderedDict()

    def completed(self, data: GraphQLRequestData) -> GraphQLRequestData:
        """Return ``data`` with the query that its hash stands for.

        Raises:
            GraphQLError: nobody sent that query yet; the hash is another query's; another version of the protocol.
        """
        asked = (data.extensions or {}).get("persistedQuery")
        if asked is None:
            return data
        name = asked.get("sha256Hash") if isinstance(asked, dict) and asked.get("version") == 1 else None
        if not isinstance(name, str):
            raise GraphQLError("persistedQuery takes a version, 1, and a sha256Hash", extensions={"code": "BAD_QUERY"})
        if data.query is None:
            data.query = self._known(name)
        else:
            self._keep(name, data.query)
        return data

    def _known(self, name: str) -> str:
        if name not in self._kept:
            raise GraphQLError("PersistedQueryNotFound", extensions={"code": NOT_FOUND})
        self._kept.move_to_end(name)
        return self._kept[name]

    def _keep(self, name: str, query: str) -> None:
        if hashlib.sha256(query.encode()).hexdigest() != name:
            raise GraphQLError("sha256Hash is not that of this query", extensions={"code": "BAD_QUERY"})
        if len(query) <= _MAX_LENGTH:
            self._kept[name] = query
            self._kept.move_to_end(name)
        if len(self._kept) > _MAX_QUERIES:
            self._kept.popitem(last=False)
