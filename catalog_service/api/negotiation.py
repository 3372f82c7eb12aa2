"""Which format a client wants: ``format=`` wins over Accept (RFC 9110 12.5.1), and text over nothing.

Called by `rest` for allowlists, and for `/`, which people and programs both open.
"""

from __future__ import annotations


def preferred(accept: str, offered: tuple[str, ...]) -> str:
    """Return the media type of ``offered`` that ``accept`` likes best; the first one when it likes none or all."""
    best, best_weight = offered[0], 0.0
    for pattern, weight in _accepted(accept):
        for media_type in offered:
            if weight > best_weight and pattern == media_type:
                best, best_weight = media_type, weight
    return best


def takes_html(accept: str) -> bool:
    """Tell a browser's request for a page by its ``accept``: only they name text/html."""
    return any(pattern == "text/html" and weight > 0 for pattern, weight in _accepted(accept))


def _accepted(header: str) -> tuple[tuple[str, float], ...]:
    """Return the media types that ``header`` names, with their weights; what cannot be read weighs nothing."""
    found = []
    for part in header.lower().split(","):
        pattern, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        try:
            found.append((pattern, float(weight)))
        except ValueError:
            found.append((pattern, 0.0))
    return tuple(found)
