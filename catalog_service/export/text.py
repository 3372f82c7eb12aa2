"""``txt``: one prefix or name a line, prefixes first, LF, no header and no comment.

So ``13.66.60.119/32`` and ``*.flow.microsoft.com`` are two lines. Devices that read such a file use the same renderer.
"""

from __future__ import annotations

from catalog_service.export.format import Content, Format


def render_text(content: Content) -> bytes:
    """Return the members, one a line."""
    return "".join(f"{member}\n" for member in (*content.listed.prefixes, *content.listed.fqdns)).encode()


TXT = Format("txt", "text/plain", "txt", render_text, "One prefix or name a line, prefixes first.", ranges=True)
