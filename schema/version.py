"""Versions of the catalogue, versions held back, and what is known of a source."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from schema.change import Summary
from schema.document import Provenance
from schema.endpoint_set import EndpointSet


class Counts(Struct, frozen=True):
    """Size of a source's content at a version. Prefixes and fqdns are (record, member) pairs."""

    endpoint_sets: int
    prefixes: int
    fqdns: int


def count(records: Iterable[EndpointSet]) -> Counts:
    """Count ``records`` and their members."""
    listed = tuple(records)
    return Counts(
        endpoint_sets=len(listed),
        prefixes=sum(len(record.prefixes) for record in listed),
        fqdns=sum(len(record.fqdns) for record in listed),
    )


class Point(Struct, frozen=True, omit_defaults=True):
    """One state of the whole catalogue: that of a live version, or as upstreams were at an instant.

    With ``as_of``, each source is at its newest version valid by then; ``version`` is the newest of them all,
    and of those valid since that very instant none beyond it counts.
    """

    version: int
    """0: the empty beginning."""
    as_of: datetime | None = None
    numbered: bool = False
    """With ``as_of``: named by the number of an imported version, which its instant alone does not name again."""

    @property
    def spec(self) -> str:
        """Text for ``at=`` that names this point again."""
        return self.as_of.isoformat() if self.as_of and not self.numbered else str(self.version)


class Version(Struct, frozen=True, omit_defaults=True):
    """One immutable version: the catalogue after one source's changeset. All times are UTC."""

    version: int
    """1, 2, 3 ... for the whole catalogue, without gaps, in the order of their commits."""
    source: str
    fetched_at: datetime
    committed_at: datetime
    digest: str
    """`content_digest` of the source's records at this version."""
    counts: Counts
    summary: Summary
    url: str
    document: str
    """Digest of the fetched bytes."""
    previous: int | None = None
    """The source's version before this one; of an imported one, by upstream's dates."""
    upstream_version: str | None = None
    upstream_at: datetime | None = None
    accepted_by: str | None = None
    """Who released it, when the guard had held it; who rolled back to it."""
    rolled_back_to: int | None = None
    """The earlier version of the source whose content a person brought back with this one."""
    imported: bool = False
    """History from a file: valid from the upstream's date on, never the newest (docs/adr/0006)."""


class Label(Struct, frozen=True):
    """A name that a person gave to a version; ``at=<name>`` is then ``at=<version>``. It can be moved."""

    name: str
    """Lower case: a letter, then up to 63 letters, digits, dashes, underscores and single dots; never ``latest``."""
    version: int
    set_at: datetime
    set_by: str


class AuditEntry(Struct, frozen=True, omit_defaults=True):
    """One thing a person did to the catalogue."""

    at: datetime
    who: str
    """The token's name, or whom its bearer named with ``by``; on the command line a user's name, or ``--by``."""
    action: str
    """``sync``, ``import`` or ``reparse``; ``label-set``, ``label-delete``, ``accept``, ``reject``, ``rollback`` or
    ``prune``; ``filter-set``, ``filter-delete``; ``subscription-`` and ``create``, ``edit``, ``verify``, ``test``,
    ``pause``, ``resume``, ``rotate``, ``replay``, ``delete`` or ``reseal``; ``signing-key-renew``; ``token-create``,
    ``token-revoke``; ``restore``, ``fsck-repair``."""
    subject: str
    """The label's or the saved filter's name, the id of the subscription or the token, or the source; of ``prune``
    what it dropped, which is ``versions``, of ``subscription-reseal`` what was sealed anew, ``secrets``."""
    before: str
    """What was there, as short text: a version's number, as a rule. Empty: nothing."""
    after: str
    """What is there since; of what a person had run, what it came to. Empty: nothing."""
    token: str = ""
    """Id of the token that was shown; ``operator``: the one of the settings; ``cli``: a command. Empty: from before
    there were tokens."""


class HeldVersion(Struct, frozen=True, omit_defaults=True):
    """A changeset the guard refused, waiting for a person. The last good version goes on being served."""

    id: str
    """Twelve hex digits, made from the source and the content: the same content is held once."""
    source: str
    held_at: datetime
    reasons: tuple[str, ...]
    """Never empty; every reason, as sentences."""
    digest: str
    counts: Counts
    summary: Summary
    provenance: Provenance
    base: int | None = None
    """The source's version the changes are relative to; None before its first."""
    rejected_at: datetime | None = None
    """When a person turned it down. It stays listed for as long as upstream serves it, and can still be accepted."""
    rejected_by: str | None = None


class SourceState(Struct, frozen=True, omit_defaults=True):
    """What the last runs of a source left behind. All times are UTC; None: has not happened."""

    checked_at: datetime | None = None
    """The last time upstream was asked, whatever it answered."""
    ok_at: datetime | None = None
    """The last time upstream's content was known to be what is served."""
    failures: int = 0
    """Runs in a row that ended in an error."""
    error: str | None = None
    error_code: str | None = None
    reasons: tuple[str, ...] = ()
    """Why the last document could not be parsed, every reason; () when that is not what failed."""
    stale_since: datetime | None = None
    """Since when upstream serves content that was superseded here (sources.md T2)."""
    degraded_since: datetime | None = None
    """Since when listeners were told that it is degraded, None while it is not (`catalog.degraded`)."""
    rejected: tuple[str, ...] = ()
    """Digests a person rejected: the same content is listed as rejected, and nobody is asked again."""
    read_at: datetime | None = None
    """When a whole document last said what is served."""
    etag: str | None = None
    last_modified: str | None = None
    validated_url: str | None = None
    """The address ``etag`` and ``last_modified`` belong to."""
    validated_by: str | None = None
    """The release that parsed it: a newer parser asks for the whole document again."""
    upstream_version: str | None = None
    """The upstream's number last seen with content that is served."""
    last_document: str | None = None
    """Digest of the document read last, where no version was made of it: it could not be parsed, or said nothing new.

    It is kept until the next one is read; `reparse` reads it again.
    """
