"""What a client wants of what is offered: media types by Accept, codings by Accept-Encoding (RFC 9110 12.5).

Called by `rest` for allowlists (where ``format=`` wins over Accept), for `/`, which people and programs both
open, and by `answers` for every body.
"""

from __future__ import annotations

CODINGS = ("zstd", "gzip")
"""What bodies are compressed to, the better one first. Brotli would need a library that nothing else here needs."""


def coding(accept_encoding: str) -> str:
    """Return the coding of `CODINGS` that ``accept_encoding`` likes best; empty: the body as it is.

    The heaviest weight wins, between equals the better coding. What weighs nothing is refused, and where no
    coding is taken the body goes as it is, even if that was refused: a 406 would help nobody.
    """
    weights = dict(_accepted(accept_encoding))
    anything = weights.get("*", 0.0)
    best = max(CODINGS, key=lambda one: weights.get(one, anything))
    weight = weights.get(best, anything)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else ""


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
    """Return what ``header`` names, with its weights; what cannot be read weighs nothing."""
    found = []
    for part in header.lower().split(","):
        pattern, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        try:
            found.append((pattern, float(weight) if float(weight) <= 1 else 0.0))  # not for nan, inf, 7
        except ValueError:
            found.append((pattern, 0.0))
    return tuple(found)
