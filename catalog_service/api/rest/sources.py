"""``/v1/sources``, ``/v1/scenarios`` and ``/v1/regions``: what is read, what can be asked, how regions are spelled."""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from catalog_service.api.answers import Body
from catalog_service.api.context import Context, encode
from catalog_service.api.reads.scenarios import scenario_views
from catalog_service.api.reads.sources import source_views
from catalog_service.api.rest.operation import Operation
from catalog_service.catalog.regions import Regions, all_regions
from catalog_service.views.scenarios import ScenarioView
from catalog_service.views.sources import SourceView


class SourceList(Struct, frozen=True):
    """``/v1/sources``, in the order configured."""

    items: tuple[SourceView, ...]


class ScenarioList(Struct, frozen=True):
    """``/v1/scenarios``."""

    items: tuple[ScenarioView, ...]


async def sources(context: Context, request: Request) -> Response:
    """Every source and how it is."""
    views = await source_views(context.reader, context.sources)
    return await context.answers.unversioned(request, Body(encode(SourceList(views))))


async def scenarios(context: Context, request: Request) -> Response:
    """The questions that ``scenario=`` takes."""
    return await context.answers.unversioned(request, Body(encode(ScenarioList(scenario_views()))))


async def regions(context: Context, request: Request) -> Response:
    """The crosswalk of region spellings, and the spellings of the current version that it does not know."""
    return await context.answers.unversioned(request, Body(encode(all_regions(context.reader.current))))


OPERATIONS = (
    Operation("/v1/sources", sources, SourceList, problems=(503,)),
    Operation("/v1/scenarios", scenarios, ScenarioList),
    Operation("/v1/regions", regions, Regions),
)
