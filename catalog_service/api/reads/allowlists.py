"""Allowlists: never empty, never short in silence."""

from __future__ import annotations

from catalog_service.api.reads.asked import Sources, with_missing
from catalog_service.api.reads.sources import missing_sources
from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.catalog.view import View
from catalog_service.export.choose import chosen
from catalog_service.export.document import AllowlistView
from catalog_service.export.formats import document
from catalog_service.export.prepare import check_members
from catalog_service.reader import Reader
from schema.errors import NoMatchError, NotReadyError


def exported(reader: Reader, snapshot: Snapshot, sources: Sources, wanted: Filter, *, partial: bool = False) -> View:
    """Return the view of an allowlist, never without entries or members.

    ``partial``: without the pages of scenarios that nothing was published of yet; at an older version that is told,
    and no error.

    Raises:
        BadParameterError, NoMatchError, UnresolvedTagsError: as `chosen`.
        NotReadyError: what it needs was not read yet.
    """
    missing = check_published(reader, snapshot, sources, wanted)
    try:
        found = chosen(snapshot, wanted)
        check_members(snapshot, found, wanted.kinds)
    except NoMatchError as error:
        if error.facts.get("missing") and snapshot is reader.current:
            raise NotReadyError(str(error), **error.facts) from error
        raise
    if found.missing and snapshot is reader.current and not partial:
        names = " ".join(found.missing)
        message = (
            f"scenarios need {' and '.join(found.missing)}, and nothing of that was published yet: see"
            f" `catalog-service sync {names}` and `held list`; partial=yes (--partial) answers without"
        )
        raise NotReadyError(message, missing=found.missing)
    return with_missing(found, missing)


def allowed(
    reader: Reader,
    snapshot: Snapshot,
    sources: Sources,
    wanted: Filter,
    *,
    partial: bool = False,
) -> AllowlistView:
    """Return the allowlist as a document, never empty. Raises as `exported`."""
    found = exported(reader, snapshot, sources, wanted, partial=partial)
    return document(snapshot, found, wanted.kinds)


def check_published(reader: Reader, snapshot: Snapshot, sources: Sources, wanted: Filter) -> tuple[str, ...]:
    """Return `missing_sources`, when there are others to draw from.

    Raises:
        NotReadyError: of the sources asked for by name there is nothing now: that is not an empty list.
        NoMatchError: there was nothing of them yet at an older version.
    """
    missing = missing_sources(snapshot, sources, wanted)
    if wanted.sources and not set(wanted.sources) - set(missing):
        message = f"there is nothing of {' and '.join(missing)} {snapshot.name}"
        raise (NotReadyError if snapshot is reader.current else NoMatchError)(message, sources=missing)
    return missing
