"""What every question shares: is there anything yet, which parameter was wrong, what an answer lacks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from msgspec.structs import replace

from catalog_service.catalog.resolve import Unresolved
from catalog_service.catalog.view import Note, Unpublished, View
from catalog_service.reader import Reader
from schema.errors import NotReadyError, RequestError
from schema.source import SourceInfo
from schema.words import Cloud

Sources = tuple[SourceInfo, ...]
"""Every source there is to tell of, in the order configured."""


class Answer(Protocol):
    """An answer that says what it was asked for and what it lacks, as `View` does."""

    @property
    def clouds(self) -> tuple[Cloud, ...]: ...
    @property
    def missing(self) -> tuple[str, ...]: ...
    @property
    def unresolved(self) -> tuple[Unresolved, ...]: ...
    @property
    def unpublished(self) -> tuple[Unpublished, ...]: ...
    @property
    def notes(self) -> tuple[Note, ...]: ...


def check_ready(reader: Reader, at: str | None = None) -> None:
    """Raise NotReadyError before the first version, when ``at`` asks for the newest: nothing yet is not nothing."""
    if reader.current.version == 0 and (at or "latest") in {"latest", "0"}:
        raise NotReadyError("nothing has been published yet")


@contextlib.contextmanager
def naming(parameter: str, *, instead_of: str | None = None) -> Iterator[None]:
    """Let errors of the block name ``parameter`` as the one to correct (only in place of ``instead_of``, if given)."""
    try:
        yield
    except RequestError as error:
        if instead_of in (None, error.facts.get("parameter")):
            error.facts["parameter"] = parameter
        raise


def with_missing(found: View, missing: tuple[str, ...]) -> View:
    """Return ``found`` with ``missing`` before the sources it lacks, each once."""
    return replace(found, missing=tuple(dict.fromkeys((*missing, *found.missing))))
