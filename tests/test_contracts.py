"""The published contracts are what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import fields

from catalog_service.contracts import PUBLISHED, json_contract, outdated, write
from catalog_service.views.diffs import Diff
from catalog_service.views.records import Record


def references(value: Any) -> list[str]:
    """Return every ``$ref`` inside ``value``."""
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [one for inside in value.values() for one in references(inside)]
    return [one for inside in value for one in references(inside)] if isinstance(value, list) else []


def test_the_published_contracts_are_current() -> None:
    """The files in schema/published are what the code generates now; otherwise run `make contracts`."""
    assert outdated(PUBLISHED) == ""


def test_a_changed_contract_is_shown(tmp_path: Path) -> None:
    """A file that is missing or differs gives a diff that names it."""
    assert "+++ catalog.graphql" in outdated(tmp_path)
    write(tmp_path)
    assert outdated(tmp_path) == ""
    path = tmp_path / "catalog.graphql"
    path.write_text(path.read_text().replace("catalogVersion", "catalogNumber"))
    assert "-  catalogNumber: Int!" in outdated(tmp_path)


def test_every_reference_is_defined() -> None:
    """The JSON Schema is complete in itself, and describes the records that REST publishes."""
    document = msgspec.json.decode(json_contract())
    names = {reference.removeprefix("#/$defs/") for reference in references(document)}
    assert names <= document["$defs"].keys()
    record = document["$defs"]["Record"]
    assert set(record["properties"]) == set(Record.__struct_fields__)
    assert set(record["required"]) == {"id", "source", "service", "title", "provenance"}
    assert set(document["$defs"]["Diff"]["properties"]) == {one.encode_name for one in fields(Diff)}


@pytest.mark.parametrize(("arguments", "code"), [(["--check"], 0), (["--chek"], 2)])
def test_the_command_checks(arguments: list[str], code: int) -> None:
    """`python -m catalog_service.contracts --check` ends with 0 when all is current, and refuses what it does not know."""
    command = [sys.executable, "-m", "catalog_service.contracts", *arguments]
    assert subprocess.run(command, check=False, capture_output=True).returncode == code
