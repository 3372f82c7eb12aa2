"""What operators' fields share: whether who asks may, and what else is under way. Called by queries and mutations."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from catalog_service.api.actions import Actions, BusyError, check_operator
from catalog_service.api.graphql.asked import Context
from schema.errors import LeaseTakenError, StaleHeadError


def allowed(info: Context) -> Actions:
    """Return what may be done. Raises ForbiddenError, UnauthenticatedError."""
    return check_operator(info.context.door.actions, info.context.authorization)


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Tell an operator what another one, or a sync, is doing at the moment."""
    try:
        yield
    except (LeaseTakenError, StaleHeadError) as error:
        raise BusyError(str(error)) from error
