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
from tests.records import record
from tests.soak.report import Row, keep
from tests.soak.stated import wrong

pytestmark = pytest.mark.soak
FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
PAGES = {
    "power-automate-ip-address-configuration": "power-automate",
    "logic-apps-limits-and-configuration": "logic-apps",
    "power-automate-limits-and-config": "power-automate-limits",
    "power-platform-online-requirements": "power-platform-requirements",
    "power-apps-limits": "power-apps-limits",
    "power-automate-regions-overview": "power-automate-regions",
    "managed-connectors-outbound-ip-addresses": "managed-connectors",
    "power-automate-us-government": "power-automate-us-government",
    "power-automate-approval-email": "approval-email",
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


SEAMS: dict[Damage, int] = {hole: 1, block_doubled: 1}
"""Where two ends meet that did not: a new word may come of each."""
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


def differing(body: bytes, damaged: bytes) -> int:
    """Return how many bytes are others."""
    return sum(one != two for one, two in zip(body, damaged, strict=False))


def described(records: tuple[EndpointSet, ...]) -> set[tuple[str, str]]:
    """Return every member and port with its record's id, and each record."""
    return {
        (one.id, member)
        for one in records
        for member in ("", *one.prefixes, *one.fqdns, *one.service_tags, *one.tcp_ports, *one.udp_ports)
    }


def troubles_of(
    source: Source, damage: Damage, document: Document, damaged: bytes, published: tuple[EndpointSet, ...]
) -> tuple[str, ...]:
    """Return what is wrong with what would be ``published`` of a damaged document."""
    before, small = source.records(document).endpoint_sets, source.guard.small
    new = differing(document.body, damaged) if damage is bytes_flipped else SEAMS.get(damage, 0)
    found = wrong(before, published, document.body, damaged, small, new)
    if not published:
        found += ("published empty",)
    if damage is cut and (less := described(before) - described(published)):
        found += (f"cut at {len(damaged)}: {len(less)} less, it ends with {damaged[-60:]!r}",)
    return found


def test_every_page_is_a_sources() -> None:
    """The real pages are damaged of the sources that they are of, all of them."""
    assert PAGES.keys() <= {source.name for source in SOURCES}
    assert all(any((FIXTURES / folder).glob("*.md")) for folder in PAGES.values())


async def test_damaged_documents(tmp_path: Path) -> None:
    """Cut at any byte: never published with less. Else what passes is an edit that the damaged text says."""
    random, begun_s, results, troubles, runs = Random(SEED), time.monotonic(), Counter[str](), list[str](), 0
    for source, document in await documents(tmp_path):
        for damage in DAMAGES:
            for _ in range(CUTS if damage is cut else OTHERS):
                runs += 1
                body = damage(document.body, random)
                result, records = judged(source, document, body)
                results[f"{damage.__name__} {result}"] += 1
                if result == "published":
                    found = troubles_of(source, damage, document, body, records)
                    troubles += [f"{source.name}: {damage.__name__}: {one}" for one in found]
    published = sum(count for name, count in results.items() if name.endswith("published"))
    keep(
        Row(
            name="garbage",
            fault="garbage: documents of every source cut at any byte, cells, lines and blocks dropped, doubled, swapped,"
            " columns renamed, bytes flipped",
            runs=runs,
            lost=len(troubles),
            refused=sum(count for name, count in results.items() if name.endswith(("refused", "held"))),
            held=f"refused, held, or without effect, but for {published} that were published: all that these say stands"
            " in the damaged text, what that still has is still published but for a handful, no record got another's"
            " members; none is empty, none lost by a cut",
            seconds=round(time.monotonic() - begun_s, 1),
            facts={name.replace("_", " "): str(count) for name, count in sorted(results.items())},
        )
    )
    assert troubles == []
    assert {f"{damage.__name__} refused" for damage in DAMAGES} <= results.keys()
    assert published > 0


ONE, TWO = record("one", fqdns=("a.example.com", "b.example.com")), record("two", prefixes=("20.1.0.0/16",))
SAID = b"one: a.example.com, b.example.com; two: 20.1.0.0/16"


@pytest.mark.parametrize(
    ("published", "damaged", "told"),
    [
        ((ONE, TWO), SAID, ""),
        ((ONE, TWO), SAID[:-12], "20.1.0.0/16 stands nowhere"),
        ((ONE, replace(TWO, fqdns=("c.example.com",))), SAID + b"c.example.com", "are new"),
        ((ONE,), SAID, "are gone"),
        ((ONE, replace(TWO, prefixes=(), fqdns=("a.example.com",))), SAID, "has another's members"),
        ((record("three", fqdns=ONE.fqdns), TWO), SAID, "came to other records"),
    ],
)
def test_what_is_wrong_is_found(published: tuple[EndpointSet, ...], damaged: bytes, told: str) -> None:
    """The judge of what is published finds each kind of wrong, and nothing in what is right."""
    found = "; ".join(wrong((ONE, TWO), published, SAID, damaged, small=0, new=0))
    assert told in found
    assert bool(found) == bool(told)
