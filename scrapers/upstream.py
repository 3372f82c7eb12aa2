"""What a scraper asks of the outside: GET an address, once, conditionally.

The live client, a mirror folder and an HTTP mirror all answer to `Upstream`; a scraper cannot
tell them apart.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from schema.document import Document, Provenance


class Response(Struct, frozen=True):
    """A complete 200 answer: ``body`` is whole and content-decoded, within the caps."""

    url: str
    """The final address after redirects, as upstream would be asked (never the mirror's)."""
    body: bytes
    media_type: str
    """Lower case, without parameters."""
    etag: str | None = None
    last_modified: str | None = None

    def document(
        self,
        fetched_at: datetime,
        *,
        page_url: str | None = None,
        upstream_version: str | None = None,
        upstream_at: datetime | None = None,
    ) -> Document:
        """Return the answer as a document, with what is known of where it is from."""
        provenance = Provenance(
            url=self.url,
            fetched_at=fetched_at,
            digest=f"sha256:{hashlib.sha256(self.body).hexdigest()}",
            media_type=self.media_type,
            etag=self.etag,
            last_modified=self.last_modified,
            page_url=page_url,
            upstream_version=upstream_version,
            upstream_at=upstream_at,
        )
        return Document(self.body, provenance)


class Upstream(Protocol):
    """Reads addresses."""

    async def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        accept: str = "*/*",
    ) -> Response | None:
        """Return the answer, or None when upstream says it is not modified since the validators.

        Raises:
            FetchError: no complete 200 or 304 answer within the limits, after retries where a retry
                can help; ``facts`` name the url, and the status where there was one.
        """
        ...
