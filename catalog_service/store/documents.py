"""Kept documents: the bytes that versions were made from, as fetched.

Written in the same step as the version, the held version or the refusal they belong to; of each source
the newest ``most`` are kept, and always the one that is served. Called for provenance and `reparse`.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from redis.asyncio import Redis

from catalog_service.store import codec, keys
from catalog_service.store.leases import Ask
from schema.document import Document
from schema.errors import UnknownDocumentError

KEPT = 12
"""Documents of each source, when settings do not say otherwise."""


class KeptDocument(Struct, frozen=True):
    """A document and the source it is of."""

    source: str
    document: Document


class Documents:
    """Documents in Redis. ``most`` is how many of each source are kept."""

    def __init__(self, redis: Redis, most: int) -> None:
        self._ask: Ask = redis.execute_command
        self.most = most

    async def get(self, digest: str) -> KeptDocument:
        """Return the document ``digest``, ``sha256:<hex>`` or the start of the hex, at least eight digits.

        Raises:
            UnknownDocumentError: none is kept with this digest, or several begin so.
            CorruptContentError: what is stored is damaged.
        """
        wanted = f"sha256:{digest.removeprefix('sha256:').lower()}"
        found = [(source, one) for source, one in await self._listed() if one.startswith(wanted)]
        if len(wanted) < len("sha256:") + 8 or len({one for _, one in found}) != 1:
            problem = "several kept documents begin so" if found else "no document with this digest is kept"
            kept = f"of each source the newest {self.most} are (CATALOG_DOCUMENTS_KEPT)"
            message = (
                f"{digest[:80]!r}: {problem}; {kept}; a record's provenance names the address or the imported file"
            )
            raise UnknownDocumentError(message, parameter="digest", value=digest[:80])
        source, full = found[0]
        return KeptDocument(source, codec.unpack_document(await self._ask("HGET", keys.documents(source), full)))

    async def kept(self, source: str) -> tuple[str, ...]:
        """Return the digests of ``source``'s kept documents, newest first."""
        return tuple(one.decode() for one in await self._ask("ZREVRANGE", keys.fetched(source), 0, -1))

    async def _listed(self) -> list[tuple[str, str]]:
        names = {*await self._ask("SMEMBERS", keys.SOURCES), *await self._ask("HKEYS", keys.STATES)}
        sources = sorted(name.decode() for name in names)
        return [(source, digest) for source in sources for digest in await self.kept(source)]


Argument = str | bytes | float | int
"""What a script takes."""


def document_arguments(document: Document | None, most: int, at: datetime | None = None) -> list[Argument]:
    """Return digest, packed document, its place in time and bound, as the scripts of `commit` take them.

    The place is when it was fetched, or ``at``: history's documents go before those of live versions.
    """
    if document is None:
        return ["", b"", 0, most]
    place = (at or document.provenance.fetched_at).timestamp()
    return [document.provenance.digest, codec.pack_document(document), place, most]
