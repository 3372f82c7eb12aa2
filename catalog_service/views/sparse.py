"""Records with some of their fields: for clients that want ten thousand of them and three columns.

In: a `Record` and names of its fields, ``provenance.`` and a name for one of those. Out: the same record with these
and its id; a field asked for is always there, null or empty where it does not apply. Called by `api.rest.records`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import GenericAlias
from typing import Any

from msgspec import UNSET, Struct, UnsetType, defstruct
from msgspec.structs import asdict, fields

from catalog_service.views.records import Record, RecordPage, RecordProvenance
from schema.errors import BadParameterError

_PROVENANCE = "provenance"
_PAGE_FIELDS = tuple(one.name for one in fields(RecordPage) if one.required)


def _optional(type_: type[Struct], name: str, instead: Mapping[str, object], required: tuple[str, ...] = ()) -> Any:
    """Return a Struct called ``name`` with the fields of ``type_``, each absent until given but those ``required``."""
    types: dict[str, Any] = {one.name: instead.get(one.name, one.type) for one in fields(type_)}
    optional = [(one, types[one] | UnsetType, UNSET) for one in types if one not in required]
    return defstruct(name, [*((one, types[one]) for one in required), *optional], frozen=True)


SparseProvenance = _optional(RecordProvenance, "SparseProvenance", {})
SparseRecord = _optional(Record, "SparseRecord", {_PROVENANCE: SparseProvenance}, ("id",))
SparsePage = _optional(RecordPage, "SparsePage", {"items": GenericAlias(tuple, (SparseRecord, ...))}, _PAGE_FIELDS)
"""The types of sparse answers, for the OpenAPI document."""
FIELDS = (
    *Record.__struct_fields__,
    *(f"{_PROVENANCE}.{name}" for name in RecordProvenance.__struct_fields__),
)
"""What `check_fields` takes."""


def check_fields(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``names`` in the order of `FIELDS`, the id with them, one text for equal wishes; () for none.

    Raises:
        BadParameterError: a record has no such field.
    """
    for name in names:
        if name not in FIELDS:
            message = f"{name!r} is not a field of a record; there are {', '.join(FIELDS)}"
            raise BadParameterError(message, parameter="fields", value=name, known=FIELDS)
    whole = _PROVENANCE in names
    return tuple(
        name
        for name in FIELDS
        if names and (name == "id" or name in names) and not (whole and name.startswith(f"{_PROVENANCE}."))
    )


def sparse_record(record: Record, names: tuple[str, ...]) -> Struct:
    """Return ``record`` with the fields ``names``, as `check_fields` gives them."""
    own = {name: getattr(record, name) for name in names if "." not in name}
    parts = [name.partition(".")[2] for name in names if "." in name]
    if parts:
        own[_PROVENANCE] = SparseProvenance(**{name: getattr(record.provenance, name) for name in parts})
    found: Struct = SparseRecord(**own)
    return found


def sparse_page(page: RecordPage, names: tuple[str, ...]) -> Struct:
    """Return ``page`` with the fields ``names`` of its records."""
    own = {name: value for name, value in asdict(page).items() if name in _PAGE_FIELDS or value}
    found: Struct = SparsePage(**{**own, "items": tuple(sparse_record(one, names) for one in page.items)})
    return found
