"""Real-looking documents damaged in every way, against every source: refused or held, never published in part."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from catalog_service.catalog.diff import diff
from catalog_service.catalog.guard import unsafe_reasons
from catalog_service.sync.candidate import compared
from schema.document import Document
from schema.endpoint_set import EndpointSet
from schema.errors import ParseError
from schema.version import SourceState
from scrapers.demo import DATES, demo_folders
from scrapers.mirror import FolderMirror
from scrapers.source import Source, synced
from scrapers.sources import SOURCES
from tests.local_source import NOW
from tests.soak.report import Row, keep

pytestmark = pytest.mark.soak
FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
PAGES = {
    "power-automate-ip-address-configuration": "power-automate",
    "logic-apps-limits-and-configuration": "logic-apps",
    "power-automate-limits": "power-automate-limits",
    "power-platform-requirements": "power-platform-requirements",
}
"""Sources that have real pages among the fixtures, both forms."""
CUTS, OTHERS = 60, 15
SEED = 23

Damage = Callable[[bytes, Random], bytes]


def cut(body: bytes, random: Random) -> bytes:
    return body[: random.randrange(len(body))]


def lines_dropped(body: bytes, random: Random) -> bytes:
    share = random.choice((0.02, 0.2, 0.6))
    return b"\n".join(line for line in body.split(b"\n") if random.random() > share)


def bytes_flipped(body: bytes, random: Random) -> bytes:
    damaged = bytearray(body)
    for _ in range(random.choice((1, 10, 200))):
        damaged[random.randrange(len(damaged))] = random.randrange(256)
    return bytes(damaged)


def cells_dropped(body: bytes, random: Random) -> bytes:
    """A table's cells, or a JSON document's strings."""
    pattern = rb"<td.*?</td>|\|[^|\n]+(?=\|)|\"[^\"\n]{3,}\",?"
    share = random.choice((0.02, 0.3))
    return re.sub(pattern, lambda found: b"" if random.random() < share else found[0], body, flags=re.DOTALL)


def columns_renamed(body: bytes, random: Random) -> bytes:
    """The words of one head of a table, or one key."""
    heads = re.findall(rb"<th[^>]*>.*?</th>|^\|[^\n]+(?=\n\|? ?:?-)|\"\w+\":", body, flags=re.DOTALL | re.MULTILINE)
    chosen = random.choice(heads) if heads else b"\n"
    return body.replace(chosen, re.sub(rb"[A-Za-z]{3,}", b"Renamed", chosen))


def parts_swapped(body: bytes, random: Random) -> bytes:
    """Two blocks, such as tables, change places."""
    blocks = body.split(b"\n\n") if b"\n\n" in body else re.split(rb"(?<=</table>)|(?<=},)", body)
    if len(blocks) > 1:
        one, two = random.sample(range(len(blocks)), 2)
        blocks[one], blocks[two] = blocks[two], blocks[one]
    return (b"\n\n" if b"\n\n" in body else b"").join(blocks)


def block_doubled(body: bytes, random: Random) -> bytes:
    start, end = sorted(random.sample(range(len(body)), 2))
    return body[:end] + body[start:end] + body[end:]


def hole(body: bytes, random: Random) -> bytes:
    start, end = sorted(random.sample(range(len(body)), 2))
    return body[:start] + body[end:]


DAMAGES: tuple[Damage, ...] = (
    *(cut, lines_dropped, bytes_flipped, cells_dropped, columns_renamed, parts_swapped, block_doubled, hole),
)


async def documents(folder: Path) -> list[tuple[Source, Document]]:
    """Return a document of every source, and the real pages that there are; limits are judged without a least count."""
    mirror = FolderMirror(dict(demo_folders(folder))[DATES[0]])
    found = []
    for source in synced(SOURCES):
        known = replace(source, guard=replace(source.guard, min_endpoint_sets=1))
        document = await source.read(mirror, SourceState(), NOW)
        assert document
        found.append((known, document))
        for path in sorted((FIXTURES / PAGES[source.name]).glob("*.[hm][td]*") if source.name in PAGES else ()):
            media_type = "text/html" if path.suffix == ".html" else "text/markdown"
            provenance = replace(document.provenance, media_type=media_type)
            found.append((known, Document(path.read_bytes(), provenance)))
    return found


def judged(source: Source, document: Document, body: bytes) -> tuple[str, tuple[EndpointSet, ...]]:
    """Return what sync would do with ``body`` after ``document``, and the records that it says."""
    before = source.records(document).endpoint_sets
    try:
        candidate = compared(source, Document(body, document.provenance), None)
    except ParseError:
        return "refused", ()
    changes = diff(before, candidate.records)
    if not changes:
        return "unchanged", candidate.records
    reasons = unsafe_reasons(source.guard, before, candidate.records, changes)
    return ("held" if reasons else "published"), candidate.records


def members(records: tuple[EndpointSet, ...]) -> set[tuple[str, str]]:
    """Return every member and port with its record's id, and each record."""
    return {
        (one.id, member)
        for one in records
        for member in ("", *one.prefixes, *one.fqdns, *one.service_tags, *one.tcp_ports, *one.udp_ports)
    }


async def test_damaged_documents(tmp_path: Path) -> None:
    """Cut at any byte: never published with less. Else what passes is an edit within the limits of the guard."""
    random, begun_s, results, troubles, runs = Random(SEED), time.monotonic(), Counter[str](), list[str](), 0
    for source, document in await documents(tmp_path):
        before = members(source.records(document).endpoint_sets)
        assert before
        for damage in DAMAGES:
            for _ in range(CUTS if damage is cut else OTHERS):
                runs += 1
                body = damage(document.body, random)
                result, records = judged(source, document, body)
                results[f"{damage.__name__} {result}"] += 1
                after = members(records)
                if result == "published" and not after:
                    troubles.append(f"{source.name}: {damage.__name__}: published empty")
                if result == "published" and damage is columns_renamed and len(before - after) > source.guard.small:
                    troubles.append(f"{source.name}: a column was renamed and {len(before - after)} members are gone")
                if result == "published" and damage is cut and before - after:
                    end = body[-60:]
                    troubles.append(
                        f"{source.name}: cut at {len(body)} of {len(document.body)}: {len(before - after)} members less, it ends with {end!r}"
                    )
    refused = sum(count for name, count in results.items() if name.endswith(("refused", "held")))
    keep(
        Row(
            name="garbage",
            fault="garbage: documents of every source cut at any byte, cells, lines and blocks dropped, doubled, swapped,"
            " columns renamed, bytes flipped",
            runs=runs,
            lost=len(troubles),
            refused=refused,
            held="refused or held; what passes is an edit within the guard's limits; never empty, never a cut document",
            seconds=round(time.monotonic() - begun_s, 1),
            facts={name.replace("_", " "): str(count) for name, count in sorted(results.items())},
        )
    )
    assert troubles == []
