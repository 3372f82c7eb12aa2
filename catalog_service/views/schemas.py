"""JSON Schemas of the Structs that are published, for the contracts and the OpenAPI document."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import msgspec

Schema = dict[str, Any]


def components(types: Iterable[type], ref_template: str) -> tuple[dict[type, Schema], dict[str, Schema]]:
    """Return the schema of each of ``types``, which refer to the definitions returned with them, sorted by name."""
    listed = tuple(dict.fromkeys(types))
    schemas, definitions = msgspec.json.schema_components(listed, ref_template=ref_template)
    described = {name: _described(one) for name, one in sorted(definitions.items())}
    return dict(zip(listed, schemas, strict=True)), described


def _described(definition: Schema) -> Schema:
    """Return ``definition`` with its description as prose: from Python 3.13 on docstrings lose their indentation."""
    if "description" not in definition:
        return definition
    return {**definition, "description": inspect.cleandoc(definition["description"])}
