"""The spine: what is published, what is not, and what a person decides."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import pytest

from catalog_service.api.reads.held import held_view
from catalog_service.catalog.diff import diff
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.sync.held import accept, reject
from catalog_service.sync.run import Outcome, run_source
from schema.errors import UnknownHeldError
from schema.event import Place
from schema.version import Point
from tests.local_source import Clock, Shelf, body, local_source

ONE = {f"t{i}": [f"20.{i}.0.0/16"] for i in range(30)}
TWO = {**ONE, "t1": ["20.1.0.0/17"]}
THREE = {**TWO, "t30": ["20.30.0.0/16"]}
SHRUNK = {"t1": ["20.1.0.0/16"]}


class Bench(NamedTuple):
    store: Store
    shelf: Shelf
    clock: Clock

    async def sync(
        self, records: dict[str, list[str]] | bytes, at: str | None = None, name: str = "a-source"
    ) -> Outcome:
        """Put ``records`` up as what upstream has, and run the source once."""
        source = local_source(name)
        self.shelf.bodies[source.url] = records if isinstance(records, bytes) else body(records, at)
        return await run_source(source, self.shelf, self.store, self.clock)

    async def served(self, name: str = "a-source") -> dict[str, tuple[str, ...]]:
        content = await self.store.contents.content(name)
        return {one.title: one.prefixes for one in content.endpoint_sets} if content else {}


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store, Shelf(), Clock())


async def test_news_makes_a_version_and_no_news_makes_none(bench: Bench) -> None:
    """Content that changed is committed once; content that did not is not, whatever its bytes."""
    results = [await bench.sync(records) for records in (ONE, ONE, TWO)]
    reordered = dict(reversed(TWO.items()))
    results.append(await bench.sync(reordered))
    assert [(one.result, one.version) for one in results] == [
        ("committed", 1), ("unchanged", None), ("committed", 2), ("unchanged", None),
    ]  # fmt: skip
    version = await bench.store.versions.version(2)
    assert (version.previous, version.counts.prefixes, version.summary.prefixes_added) == (1, 30, 1)
    assert await bench.store.events.newest() == Place(2)


async def test_each_source_has_its_versions_in_one_line(bench: Bench) -> None:
    """Versions are numbered across sources; a snapshot holds each source's newest."""
    for name, records in (("a-source", ONE), ("b-source", ONE), ("a-source", TWO)):
        await bench.sync(records, name=name)
    reader = Reader(bench.store)
    snapshot = await reader.refresh()
    assert {name: content.version.version for name, content in snapshot.by_source.items()} == {
        "a-source": 3,
        "b-source": 2,
    }
    assert [version.version for version in await reader.versions()] == [3, 2, 1]
    assert [version.version for version in await reader.versions(source="a-source")] == [3, 1]
    assert (await reader.at("2")).by_id["a-source:t1"].prefixes == ("20.1.0.0/16",)


@pytest.mark.parametrize(
    "bad", [b"", b"<html>no</html>", b"{}", b'{"at": null, "tags": {"t1": ["20.0.0.1/8"]}}', body({})]
)
async def test_a_body_that_is_not_the_document_publishes_nothing(bench: Bench, bad: bytes) -> None:
    """The last good version goes on being served, and the state says what is wrong."""
    await bench.sync(ONE)
    outcome = await bench.sync(bad)
    assert outcome.result in {"failed", "held"}
    assert (await bench.store.versions.head(), len(await bench.served())) == (1, 30)
    if outcome.result == "failed":
        state = await bench.store.sources.state("a-source")
        assert (state.failures, state.error_code, state.error) == (1, outcome.code, outcome.message)


async def test_an_upstream_that_is_away_publishes_nothing_and_is_asked_again(bench: Bench) -> None:
    """A failed fetch is counted, and forgotten by the next good run."""
    await bench.sync(ONE)
    bench.shelf.bodies.clear()
    outcome = await run_source(local_source(), bench.shelf, bench.store, bench.clock)
    assert (outcome.result, outcome.code) == ("failed", "FETCH_FAILED")
    assert (await bench.sync(TWO)).version == 2
    assert (await bench.store.sources.state("a-source")).failures == 0


async def test_a_shrunk_document_is_held_and_the_last_good_version_served(bench: Bench) -> None:
    """The guard's reasons are kept; the same content is held once, and withdrawn when upstream recovers."""
    await bench.sync(ONE)
    first, again = await bench.sync(SHRUNK), await bench.sync(SHRUNK)
    assert (first.result, again.held) == ("held", first.held)
    (held,) = await bench.store.sources.held()
    assert "29 of 30 members removed" in " ".join(held.reasons)
    assert len((await held_view(Reader(bench.store), held.id)).changes) == 29
    assert (await bench.store.versions.head(), len(await bench.served())) == (1, 30)
    await bench.sync(TWO)
    assert await bench.store.sources.held() == ()


async def test_a_person_can_accept_a_held_version(bench: Bench) -> None:
    """Accepting publishes the candidate in that person's name, and takes it down."""
    await bench.sync(ONE)
    held = (await bench.sync(SHRUNK)).held or ""
    version = await accept(bench.store, held, "ann", bench.clock)
    assert version is not None
    assert (version.version, version.accepted_by) == (2, "ann")
    assert await bench.served() == {"t1": ("20.1.0.0/16",)}
    assert (await bench.sync(SHRUNK)).result == "unchanged"
    with pytest.raises(UnknownHeldError):
        await accept(bench.store, held, "ann", bench.clock)


async def test_a_person_can_reject_a_held_version(bench: Bench) -> None:
    """Rejected content is put to nobody again and stays in sight; other content is judged anew."""
    await bench.sync(ONE)
    id_ = (await bench.sync(SHRUNK)).held or ""
    await reject(bench.store, id_, "ann", bench.clock)
    outcome = await bench.sync(SHRUNK)
    assert (outcome.result, outcome.held) == ("rejected", id_)
    (held,) = await bench.store.sources.held()
    assert (held.rejected_by, held.rejected_at) == ("ann", bench.clock.now)
    assert await bench.store.versions.head() == 1
    assert (await bench.sync({"t2": ["20.2.0.0/16"]})).result == "held"
    assert (await bench.sync(SHRUNK)).result == "rejected"
    assert [one.id for one in await bench.store.sources.held()] == [id_]


async def test_a_rejection_can_be_taken_back(bench: Bench) -> None:
    """What was rejected by mistake can be accepted as long as upstream serves it, and is then as any content."""
    await bench.sync(ONE)
    id_ = (await bench.sync(SHRUNK)).held or ""
    await reject(bench.store, id_, "ann", bench.clock)
    version = await accept(bench.store, id_, "bob", bench.clock)
    assert version is not None
    assert (version.version, version.accepted_by) == (2, "bob")
    assert (await bench.store.sources.state("a-source")).rejected == ()
    assert (await bench.sync(SHRUNK)).result == "unchanged"


async def test_an_upstream_that_goes_back_is_a_stale_mirror(bench: Bench) -> None:
    """N, N+1, N, N+1 on release day gives two versions and no reverse diff (sources.md T2)."""
    days = ("2026-11-16", "2026-11-23")
    results = [
        await bench.sync(records, f"{day}T00:00:00+00:00")
        for records, day in zip((ONE, TWO) * 2, days * 2, strict=True)
    ]
    assert [one.result for one in results] == ["committed", "committed", "stale", "unchanged"]
    assert await bench.store.versions.head() == 2
    assert (await bench.store.sources.state("a-source")).stale_since is None


async def test_an_older_document_that_was_never_seen_is_stale_too(bench: Bench) -> None:
    """A mirror that lags behind by upstream's own date publishes nothing."""
    await bench.sync(TWO, "2026-11-23T00:00:00+00:00")
    assert (await bench.sync(ONE, "2026-11-16T00:00:00+00:00")).result == "stale"
    assert await bench.store.versions.head() == 1


@pytest.mark.parametrize(("at", "days"), [("2026-11-30T00:00:00+00:00", 0), (None, 4)])
async def test_an_upstream_that_insists_on_old_content_is_for_a_person(bench: Bench, at: str | None, days: int) -> None:
    """Old content under a new date, or served for days, is held, never published unasked and never ignored."""
    await bench.sync(ONE, at and "2026-11-16T00:00:00+00:00")
    await bench.sync(TWO, at and "2026-11-23T00:00:00+00:00")
    if days:
        assert (await bench.sync(ONE, at)).result == "stale"
        bench.clock.forward(days=days)
    outcome = await bench.sync(ONE, at)
    assert (outcome.result, outcome.reasons) == ("held", ("upstream went back to the content of version 1",))


async def test_two_syncs_at_once_commit_once(bench: Bench) -> None:
    """Runners that race for one source make one version; the others are busy or see no change."""
    source = local_source()
    bench.shelf.bodies[source.url] = body(ONE)
    outcomes = await asyncio.gather(*(run_source(source, bench.shelf, bench.store, bench.clock) for _ in range(8)))
    assert {one.result for one in outcomes} <= {"committed", "unchanged", "busy"}
    assert sum(one.result == "committed" for one in outcomes) == 1
    assert await bench.store.versions.head() == 1


async def test_many_sources_at_once_give_a_line_without_gaps(bench: Bench) -> None:
    """Sources commit side by side: every number once, every event once."""
    names = [f"s{i}" for i in range(12)]
    await asyncio.gather(*(bench.sync(ONE, name=name) for name in names))
    versions = await Reader(bench.store).store.versions.versions(range(1, 13))
    assert sorted(version.source for version in versions) == sorted(names)
    events: Any = await bench.store.redis.xrange("{catalog}:events")
    assert [id_ for id_, _ in events] == [f"{n}-0".encode() for n in range(1, 13)]


async def test_a_document_that_cannot_be_parsed_says_why(bench: Bench) -> None:
    """Every reason stands in the outcome and in what is known of the source, until it can be read."""
    outcome = await bench.sync(b"no tags")
    state = await bench.store.sources.state("a-source")
    assert outcome.reasons
    assert (state.error_code, state.reasons) == ("PARSE_FAILED", outcome.reasons)
    await bench.sync(ONE)
    assert (await bench.store.sources.state("a-source")).reasons == ()


async def test_any_two_versions_compare_by_folding(bench: Bench) -> None:
    """Changes between any two versions equal the diff of their contents, over keyframes and both ways."""
    contents = [ONE]
    for i in range(30):
        contents.append({**contents[-1], f"t{i % 7}": [f"20.{i}.{i}.0/24", "2603:1000::/32"]})
    for records in contents:
        await bench.sync(records)
    reader = Reader(bench.store)
    await reader.refresh()
    for since, until in ((0, 31), (1, 31), (3, 29), (27, 28), (31, 2), (26, 26)):
        before, after = (await reader.at(str(since))).endpoint_sets, (await reader.at(str(until))).endpoint_sets
        assert (await reader.difference(Point(since), Point(until))).changes == diff(before, after)


async def test_an_unchanged_document_is_not_read_again(bench: Bench) -> None:
    """The validators of what is served are sent; of what was held they are not."""
    await bench.sync(ONE)
    state = await bench.store.sources.state("a-source")
    assert state.etag is not None
    await bench.sync(SHRUNK)
    assert (await bench.store.sources.state("a-source")).etag == state.etag
    assert (await bench.sync(ONE)).result == "unchanged"
    assert await bench.store.sources.held() == ()
