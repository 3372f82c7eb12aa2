"""The error tree, split by what the operator must do about each branch.

Every error carries its facts as keyword arguments; ``str(error)`` is the sentence for a person,
``error.facts`` the same facts for a machine and ``error.code`` the stable name that REST, GraphQL
and ``--json`` show.
"""

from __future__ import annotations


class CatalogError(Exception):
    """Root of every error this project raises on purpose."""

    code = "CATALOG_ERROR"

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.facts = {name: value for name, value in facts.items() if value is not None}


class FetchError(CatalogError):
    """The upstream could not be read now; the next run may succeed. Nothing to do."""

    code = "FETCH_FAILED"


class ParseError(CatalogError):
    """The document is not what it should be: a person must look at the page or the parser.

    ``facts["reasons"]`` lists every problem found, not the first one alone.
    """

    code = "PARSE_FAILED"

    def __init__(self, message: str, *, reasons: tuple[str, ...] = (), **facts: object) -> None:
        super().__init__(message, reasons=reasons, **facts)
        self.reasons = reasons


class UnsafeChangesetError(CatalogError):
    """The guard refused a changeset; a person decides (``held accept`` or ``held reject``)."""

    code = "UNSAFE_CHANGESET"

    def __init__(self, message: str, *, reasons: tuple[str, ...], **facts: object) -> None:
        super().__init__(message, reasons=reasons, **facts)
        self.reasons = reasons


class DeliveryError(CatalogError):
    """A subscriber could not be told now; it is tried again."""

    code = "DELIVERY_FAILED"


class SealedError(CatalogError):
    """There is no encryption key, or it is not the one that the subscriptions' secrets were sealed with."""

    code = "SEALED"


class StoreError(CatalogError):
    """Redis cannot be started, reached or written."""

    code = "STORE_UNAVAILABLE"


class StaleHeadError(StoreError):
    """Another writer moved the source's newest version first: read it again and retry now."""

    code = "STALE_HEAD"


class FencedError(StoreError):
    """The lease was lost to another runner; what this runner computed must be thrown away."""

    code = "FENCED"


class LeaseTakenError(StoreError):
    """Another runner holds the lease of this source: try again in a moment."""

    code = "LEASE_TAKEN"


class DataDirInUseError(StoreError):
    """Another service already runs on this data directory."""

    code = "DATA_DIR_IN_USE"


class CorruptContentError(StoreError):
    """Stored content does not match its digest."""

    code = "CORRUPT_CONTENT"


class RequestError(CatalogError):
    """The client asked for something that does not exist or cannot be read. ``facts["parameter"]`` names it."""

    code = "BAD_REQUEST"


class BadParameterError(RequestError):
    """A parameter has a value that cannot be understood."""

    code = "BAD_PARAMETER"


class UnauthenticatedError(RequestError):
    """Only who shows a token may do this, or the one shown is wrong, revoked or expired."""

    code = "UNAUTHENTICATED"


class ForbiddenError(RequestError):
    """The token lacks the scope that this needs (``facts["needed"]``), or nobody may do it here."""

    code = "FORBIDDEN"


class UnknownTokenError(RequestError):
    """No API token has this id."""

    code = "UNKNOWN_TOKEN"


class UnknownVersionError(RequestError):
    """No such version, label or date in this catalogue."""

    code = "UNKNOWN_VERSION"


class GoneError(RequestError):
    """The version was pruned (docs/adr/0009). ``facts["nearest"]`` is the number closest to it that is kept."""

    code = "GONE"


class UnknownSourceError(RequestError):
    """No source has this name."""

    code = "UNKNOWN_SOURCE"


class UnknownEndpointSetError(RequestError):
    """No endpoint set has this id in the version asked for."""

    code = "UNKNOWN_ENDPOINT_SET"


class UnknownHeldError(RequestError):
    """No held version has this id."""

    code = "UNKNOWN_HELD"


class UnknownSubscriptionError(RequestError):
    """No subscription, delivery or saved filter has this name."""

    code = "UNKNOWN_SUBSCRIPTION"


class RefusedTargetError(RequestError):
    """Nothing may be sent there: not public, not https, or an odd port (limits-and-faults.md C3)."""

    code = "REFUSED_TARGET"


class UnknownDocumentError(RequestError):
    """No kept document has this digest."""

    code = "UNKNOWN_DOCUMENT"


class NoMatchError(RequestError):
    """A filter keeps nothing: an empty list is an error here, never an answer."""

    code = "NO_MATCH"


class UnresolvedTagsError(NoMatchError):
    """Records refer to service tags that no file has: a list without their prefixes would be short."""

    code = "UNRESOLVED_TAGS"


class OverLimitError(RequestError):
    """A list has more entries or bytes than its device reads, and nobody asked to cut it."""

    code = "OVER_LIMIT"


class NotReadyError(CatalogError):
    """Nothing has been published yet: ask again after the first sync."""

    code = "NOT_READY"
