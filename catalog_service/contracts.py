"""The published contracts, out of the code that keeps them: ``python -m catalog_service.contracts [--check]``.

Writes ``schema/published/catalog.graphql`` (GraphQL's schema), ``openapi.json`` (REST), ``records.schema.json`` (JSON
Schema of what REST and ``--json`` answer with) and ``events.schema.json`` (of what subscribers are told). With
``--check`` it writes nothing, and ends with 1 and a diff on standard output when a file is not what the code says.
"""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import msgspec

import schema
from catalog_service.api.graphql.schema import schema as graphql_schema
from catalog_service.api.openapi import openapi_document
from catalog_service.catalog.conflict import Conflicts
from catalog_service.catalog.regions import Regions
from catalog_service.export.document import AllowlistView
from catalog_service.views.diffs import Diff, HeldView, VersionPage
from catalog_service.views.events import MESSAGES
from catalog_service.views.lookups import Lookup
from catalog_service.views.mirrors import MirrorPage
from catalog_service.views.records import Record, RecordPage
from catalog_service.views.scenarios import ScenarioView
from catalog_service.views.schemas import Schema, components
from catalog_service.views.sources import SourceView
from schema.event import EventType
from schema.version import Version

PUBLISHED = Path(schema.__file__).parent / "published"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/{name}"
_PUBLIC = (
    AllowlistView,
    Conflicts,
    Diff,
    HeldView,
    Lookup,
    MirrorPage,
    Record,
    RecordPage,
    Regions,
    ScenarioView,
    SourceView,
    Version,
    VersionPage,
)


def contracts() -> tuple[tuple[str, str], ...]:
    """Return the name and the text of each contract."""
    return (
        ("catalog.graphql", graphql_contract()),
        ("events.schema.json", events_contract()),
        ("openapi.json", openapi_document().decode()),
        ("records.schema.json", json_contract()),
    )


def graphql_contract() -> str:
    """Return GraphQL's schema as SDL."""
    return f"{graphql_schema().as_str().strip()}\n"


def json_contract() -> str:
    """Return the JSON Schema (2020-12) of the public Structs, under ``$defs``."""
    _, definitions = components(_PUBLIC, _REFERENCE)
    document = {
        "$schema": _DIALECT,
        "title": "Records of the endpoint catalogue",
        "description": "What REST and --json answer with. A field that does not apply is absent.",
        "$defs": definitions,
    }
    return _pretty(document)


def events_contract() -> str:
    """Return the JSON Schema (2020-12) of every message, each under its type in ``$defs``."""
    schemas, definitions = components((data for _, data, _ in MESSAGES), _REFERENCE)
    messages: dict[str, Schema] = {type_: _message(type_, schemas[data], says) for type_, data, says in MESSAGES}
    document = {
        "$schema": _DIALECT,
        "title": "Messages of the endpoint catalogue",
        "description": "Bodies of webhooks by Standard Webhooks. A field that does not apply is absent.",
        "oneOf": [{"$ref": _REFERENCE.format(name=type_)} for type_ in messages],
        "$defs": messages | definitions,
    }
    return _pretty(document)


def _message(type_: EventType, data: Schema, says: str) -> Schema:
    return {
        "title": type_,
        "description": says,
        "type": "object",
        "properties": {
            "type": {"const": type_},
            "timestamp": {
                "type": "string",
                "format": "date-time",
                "description": "When it happened; the same at every attempt.",
            },
            "data": data,
        },
        "required": ["type", "timestamp", "data"],
    }


def _pretty(document: Schema) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def outdated(published: Path) -> str:
    """Return the diff from the files in ``published`` to what the code says; empty when they agree."""
    lines: list[str] = []
    for name, text in contracts():
        path = published / name
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        lines += difflib.unified_diff(before.splitlines(), text.splitlines(), f"published/{name}", name, lineterm="")
    return "\n".join(lines)


def write(published: Path) -> None:
    """Write every contract into ``published``."""
    published.mkdir(exist_ok=True)
    for name, text in contracts():
        (published / name).write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Run as a command; return the exit code."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m catalog_service.contracts [--check]\n")
        return 2
    if not arguments:
        write(PUBLISHED)
        return 0
    difference = outdated(PUBLISHED)
    sys.stdout.write(f"{difference}\n" if difference else "")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
