"""``/diff/A...B``: what leads from one version to another, side by side; ``/diff`` is where its form leads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

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
from catalog_service.catalog.compare import DiffFilter
from schema.words import Cloud, Direction, Family, Impact, Kind, Only, at_least

_NAMES = (
    *("source", "service", "tag", "cloud", "region", "direction", "kind", "family", "only"),
    *("impact", "impact_at_least", "material"),
)
_LEAST = tuple(impact for impact in Impact if impact not in at_least(Impact.ADDED_IP)[1:])
"""One word for all that ask as much."""
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
    least: tuple[str, ...] = _LEAST


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
            least=_least(wanted.impacts),
            asked=tuple(_asked(wanted)),
            whole=link(f"v1/diff/{span(first.spec, last.spec)}", tuple(_asked(wanted))),
            words=Words(tuple(one.name for one in context.sources)),
            most_moves=_MOST_MOVES,
            most_space=_MOST_SPACE,
            meanings=_MEANINGS,
        )

    asked = f"{since}\n{until}\n{first.spec}\n{last.spec}\n{await context.reader.known_of_time()}"
    identity, as_of = context.reader.current.identity, last.as_of or first.as_of
    subject = Subject(identity, last.version, "page of a diff", f"{asked}\n{canonical(wanted)}", as_of=as_of)
    return await context.answers.versioned(request, subject, rendered)


def _least(impacts: tuple[Impact, ...]) -> Impact | None:
    """Return the word that ``impacts`` are at least, None where it takes more than one to say."""
    return next((one for one in _LEAST if set(at_least(one)) == {*impacts}), None)


def _asked(wanted: DiffFilter) -> Iterator[tuple[str, str]]:
    """Yield ``wanted`` as parameters, in one order."""
    records = wanted.records
    several = (
        ("source", records.sources),
        ("service", records.services),
        ("tag", records.tags),
        ("cloud", records.clouds),
        ("region", records.regions),
        ("direction", records.directions),
        ("kind", records.kinds),
    )
    yield from ((name, value) for name, values in several for value in values)
    if least := _least(wanted.impacts):
        yield "impact_at_least", least
    else:
        yield from (("impact", impact) for impact in wanted.impacts)
    if wanted.family is not Family.BOTH:
        yield "family", wanted.family
    if wanted.only:
        yield "only", wanted.only
    if wanted.material:
        yield "material", "yes"
