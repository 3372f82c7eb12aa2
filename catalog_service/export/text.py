"""``txt``: one prefix or name a line, prefixes first, LF, no header and no comment.

So ``13.66.60.119/32`` and ``*.flow.microsoft.com`` are two lines.
"""

from __future__ import annotations

from catalog_service.catalog.select import Allowlist
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import View


def render_text(_snapshot: Snapshot, listed: Allowlist, _view: View) -> bytes:
    """Return the members of ``listed``, one a line."""
    return "".join(f"{member}\n" for member in (*listed.prefixes, *listed.fqdns)).encode()
