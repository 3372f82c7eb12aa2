"""A diff out of the store is the diff of the files it was filled from."""

from __future__ import annotations

import random
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from catalog_service.catalog.diff import diff
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from schema.change import Change, Changeset
from schema.document import Document, Provenance
from schema.version import Point
from schema.words import Disposition
from scrapers.sources import SOURCES, source_named
from tests.api_client import commit

WEEKS, PAIRS, SEED = 12, 10, 20251103
START = datetime(2026, 1, 5, tzinfo=UTC)
PROPERTIES = {
    "change_number": "changeNumber",
    "region": "region",
    "upstream_region": "region",
    "region_id": "regionId",
    "platform": "platform",
    "system_service": "systemService",
    "network_features": "networkFeatures",
}

Told = dict[str, tuple[Disposition, set[str], set[str], set[str]]]
"""By tag: what happened to it, its prefixes added and removed, its properties that changed."""


def naive(before: dict[str, Any], after: dict[str, Any]) -> Told:
    """Compare two files as they were published, knowing nothing of this project but three words."""
    one, two = ({tag["name"]: tag["properties"] for tag in file["values"]} for file in (before, after))
    told: Told = {}
    for name in {*one, *two}:
        was, now = one.get(name, {}), two.get(name, {})
        old, new = set(was.get("addressPrefixes", ())), set(now.get("addressPrefixes", ()))
        both = name in one and name in two
        keys = {*was, *now} - {"addressPrefixes"} if both else set()
        moved = {key for key in keys if plain(was.get(key, "absent")) != plain(now.get(key, "absent"))}
        if not both or old != new or moved:
            word = Disposition.CHANGE if both else Disposition.REMOVE if name in one else Disposition.ADD
            told[name] = (word, new - old, old - new, moved)
    return told


def plain(value: object) -> object:
    return sorted(set(value)) if isinstance(value, list) else value


def as_told(changes: Changeset) -> Told:
    """Return ``changes`` of the catalogue in the words of the files."""
    return {one.id.partition(":")[2]: _told(one) for one in changes}


def _told(change: Change) -> tuple[Disposition, set[str], set[str], set[str]]:
    moved = {PROPERTIES[one.name] for one in change.attributes}
    return change.disposition, set(change.prefixes_added), set(change.prefixes_removed), moved


def some_weeks(archive: Path, chosen: random.Random) -> list[bytes]:
    """Return `WEEKS` files of ``archive``, oldest first."""
    with tarfile.open(archive) as tar:
        names = sorted(member.name for member in tar if member.isfile())
        wanted = set(chosen.sample(names, WEEKS))
        files = {name: file.read() for name in sorted(wanted) if (file := tar.extractfile(name))}
    return list(files.values())


@pytest.mark.parametrize(
    ("name", "archive"),
    [
        ("azure-service-tags-public", "Public-2025"),
        ("azure-service-tags-usgov", "AzureGovernment-2019-2025"),
        ("azure-service-tags-china", "China-2020-2025"),
    ],
)
async def test_folded_changesets_are_the_difference_of_the_files(
    store: Store, corpus: Path, name: str, archive: str
) -> None:
    """For ten random pairs of weeks: what the store folds, what two snapshots differ in, what two files differ in."""
    chosen = random.Random(SEED)
    source = source_named(SOURCES, name)
    files = some_weeks(corpus / "service-tags" / f"{archive}.tar.xz", chosen)
    raw = [msgspec.json.decode(body) for body in files]
    for week, body in enumerate(files):
        at = START + timedelta(weeks=week)
        document = Document(body, Provenance(url="https://tags.example/", fetched_at=at, digest="sha256:00"))
        await commit(store, name, source.parse(source, document).endpoint_sets, at)
    reader = Reader(store)
    await reader.refresh()
    pairs = [chosen.sample(range(WEEKS), 2) for _ in range(PAIRS)]
    for since, until in pairs:
        found = await reader.difference(Point(since + 1), Point(until + 1))
        before, after = await reader.snapshot(Point(since + 1)), await reader.snapshot(Point(until + 1))
        assert found.changes == diff(before.endpoint_sets, after.endpoint_sets)
        assert as_told(found.changes) == naive(raw[since], raw[until])
        assert found.changes
    assert {since < until for since, until in pairs} == {True, False}
