"""``/diff/A...B``: what leads from one version to another, side by side; ``/diff`` is where its form leads."""

from __future__ import annotations

import asyncio

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from catalog_service.api.answers import Body, Subject
from catalog_service.api.context import canonical
from catalog_service.api.pages.folding import folded
from catalog_service.api.pages.links import diff_link, link, span
from catalog_service.api.pages.page import Pages, given_of
from catalog_service.api.parameters import ends_of, one
from catalog_service.api.reads.diffs import diff_between, diff_span
from catalog_service.catalog.compare import LEAST, least_of
from catalog_service.events.links import diff_query
from schema.words import Cloud, Direction, Family, Impact, Kind, Only

_NAMES = (
    *("source", "service", "tag", "cloud", "region", "direction", "kind", "family", "only"),
    *("impact", "impact_at_least", "material"),
)
_MOST_MOVES = 100
_MOST_SPACE = 200
_MEANINGS = (
    (Impact.ADDED_IP, "New addresses: the firewall must open for them."),
    (Impact.ADDED_URL, "New names: the firewall or proxy must open for them."),
    (Impact.ADDED_IP_AND_URL, "New addresses and new names."),
    (Impact.ADDED_SUBSTITUTE_URL, "New names in place of a wildcard that is no longer listed."),
    (Impact.REMOVED_IP_OR_URL, "Addresses or names that the source no longer lists: close them, without haste."),
    (Impact.CHANGED_IS_EXPRESS_ROUTE, "Whether it is reached over ExpressRoute changed."),
    (Impact.MOVED_IP_OR_URL, "Addresses or names went from one record to another."),
    (Impact.REMOVED_DUPLICATE_IP_OR_URL, "Listed once less: other records of the source still cover them."),
    (Impact.OTHER_NON_PRIORITY_CHANGES, "None of these: a note, a port, another cut of the same addresses."),
)
"""As `catalog.impact` decides them, for people."""


class Words(Struct, frozen=True):
    """What the filter's lists offer."""

    sources: tuple[str, ...]
    clouds: tuple[str, ...] = tuple(Cloud)
    directions: tuple[str, ...] = tuple(Direction)
    kinds: tuple[str, ...] = tuple(Kind)
    families: tuple[str, ...] = tuple(Family)
    only: tuple[str, ...] = tuple(Only)
    impacts: tuple[str, ...] = tuple(Impact)
    least: tuple[str, ...] = LEAST


async def compare_form(_pages: Pages, request: Request) -> Response:
    """Lead from the form with two fields to the diff; without any, to what the last version changed."""
    given = given_of(request, "from", "to")
    where = diff_link(one(given, "from") or "latest~1", one(given, "to") or "latest")
    return RedirectResponse(where, headers={"Cache-Control": "no-cache"})


async def diff(pages: Pages, request: Request) -> Response:
    """Answer with a diff, as far as it is asked for."""
    given, context = given_of(request, *_NAMES), pages.context
    wanted = context.diff_filter(given)
    since, until = ends_of(request.path_params["span"])
    first, last = await diff_span(context.reader, since, until)

    async def rendered() -> Body:
        found = await diff_between(context.reader, first, last, wanted, space=True)
        shown = await asyncio.to_thread(folded, found.changes)
        return await asyncio.to_thread(
            pages.body,
            request,
            "diff.html",
            diff=found,
            shown=shown,
            since=first.spec,
            until=last.spec,
            is_permanent=(since, until) == (first.spec, last.spec),
            wanted=wanted,
            least=least_of(wanted.impacts),
            asked=tuple(diff_query(wanted)),
            whole=link(f"v1/diff/{span(first.spec, last.spec)}", tuple(diff_query(wanted))),
            words=Words(tuple(one.name for one in context.sources)),
            most_moves=_MOST_MOVES,
            most_space=_MOST_SPACE,
            meanings=_MEANINGS,
        )

    asked = f"{since}\n{until}\n{first.spec}\n{last.spec}\n{await context.reader.known_of_time()}"
    identity, as_of = context.reader.current.identity, last.as_of or first.as_of
    subject = Subject(identity, last.version, "page of a diff", f"{asked}\n{canonical(wanted)}", as_of=as_of)
    return await context.answers.versioned(request, subject, rendered)
