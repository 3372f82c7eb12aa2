"""Which scope each operation needs, whoever carries it: REST by its ``operationId``, GraphQL by its field.

In: an operation's name in snake case. Out: a scope. What stands in no line is a read. Published with both contracts.
"""

from __future__ import annotations

from schema.access import Scope

_LINES: tuple[tuple[Scope, tuple[str, ...]], ...] = (
    (
        Scope.SUBSCRIBE,
        (
            "subscriptions",
            "subscription",
            "create_subscription",
            "edit_subscription",
            "verify_subscription",
            "test_subscription",
            "pause_subscription",
            "resume_subscription",
            "delete_subscription",
            "rotate_secret",
            "replay",
            "replay_events",
            "deliveries",
            "delivery",
            "save_filter",
            "delete_filter",
        ),
    ),
    (Scope.OPERATE, ("sync", "accept_held", "reject_held", "set_label", "delete_label", "rollback")),
    (Scope.ADMIN, ("audit", "api_tokens", "create_api_token", "revoke_api_token")),
)
_NEEDED = {name: scope for scope, names in _LINES for name in names}


def needed(operation: str) -> Scope:
    """Return the scope that ``operation`` needs."""
    return _NEEDED.get(operation, Scope.READ)
