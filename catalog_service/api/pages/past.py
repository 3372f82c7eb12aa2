"""The past of what a page shows, beside what is served now. Called by `lookups` and `endpoints`."""

from __future__ import annotations

from catalog_service.api.context import Context
from catalog_service.api.pages.errors import FAULTS
from catalog_service.api.problems import told
from catalog_service.api.reads.biographies import biography
from catalog_service.views.biographies import Biography
from schema.errors import RequestError


async def past(context: Context, query: str, on: str | None = None) -> Biography | None:
    """Return when ``query`` was listed; None while that cannot be read: what is in memory is shown all the same.

    Raises:
        RequestError: as `biography`.
    """
    try:
        return await biography(context.reader, context.sources, query, on=on)
    except RequestError:
        raise
    except FAULTS as error:
        told(error)  # logs it
        return None
