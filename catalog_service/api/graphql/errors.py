"""Errors as GraphQL tells them: the code and facts of the error tree, nothing from inside, no suggestions.

Every error of every transport passes `tell`: HTTP, SSE and websockets read ``error.formatted`` afterwards.
"""

from __future__ import annotations

import re

import msgspec
from graphql import GraphQLError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from catalog_service.api.problems import told

BAD_QUERY = "BAD_QUERY"
_SUGGESTION = re.compile(r" Did you mean [^?]*\?")
# What was given for an argument may be an address of a chat, or a secret header: the path says which one it is.
_ECHOES = (
    re.compile(r"()(?:,| Did you mean [^?]*\?) [fF]ound: .*", re.DOTALL),
    re.compile(r"(cannot represent [^:]*): .*", re.DOTALL),
    re.compile(r"(\bValue) '.*'(?= does not exist in )", re.DOTALL),
)
_OF_THE_QUERY = (GraphQLError, CannotGetOperationTypeError, InvalidOperationTypeError)


def tell(error: GraphQLError) -> None:
    """Make ``error`` say what a client is told of it; of an error inside, what `told` tells."""
    original = error.original_error
    if original is None or isinstance(original, _OF_THE_QUERY):  # syntax, validation, limits, variables
        code = (error.extensions or {}).get("code", BAD_QUERY)
        error.message, error.extensions = _without_values(error.message), {"code": code}
    elif isinstance(original, RecursionError):
        error.message, error.extensions = "this query is nested too deeply", {"code": BAD_QUERY}
    else:
        what = told(original if isinstance(original, Exception) else RuntimeError())
        facts = msgspec.to_builtins(what.facts, enc_hook=str)
        error.message, error.extensions = what.detail, {"code": what.code, **facts}


def _without_values(message: str) -> str:
    for echo in _ECHOES:
        message = echo.sub(r"\1", message)
    return _SUGGESTION.sub("", message)
