"""Kept documents: what versions were made from can be had again, and read again."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from catalog_service.store import keys
from catalog_service.store.connect import Store
from catalog_service.store.migrate import FORMAT
from catalog_service.sync.held import accept
from catalog_service.sync.history import import_history
from catalog_service.sync.run import Outcome, reparse_source, run_source
from schema.document import Document, Reading
from schema.errors import ParseError, UnknownDocumentError
from scrapers.history.files import HistoricFile
from scrapers.source import Source
from tests.api_client import application, client
from tests.local_source import Clock, Shelf, body, local_source, parse

SOURCE = local_source()
ONE = {f"t{i}": [f"20.{i}.0.0/16"] for i in range(30)}


def digest(document: bytes) -> str:
    return f"sha256:{hashlib.sha256(document).hexdigest()}"


def tags(number: int) -> bytes:
    return body({**ONE, "t1": [f"21.{number}.0.0/16"]})


async def sync(store: Store, document: bytes, clock: Clock, source: Source = SOURCE) -> Outcome:
    shelf = Shelf()
    shelf.bodies[source.url] = document
    clock.forward(hours=6)
    return await run_source(source, shelf, store, clock)


async def test_the_document_of_a_version_can_be_had_again(store: Store) -> None:
    """Its digest stands in the version; the bytes are those that were fetched, with where they are from."""
    await sync(store, tags(1), Clock())
    version = await store.versions.version(1)
    kept = await store.documents.get(version.document)
    assert (kept.source, kept.document.body, version.document) == (SOURCE.name, tags(1), digest(tags(1)))
    assert kept.document.provenance.url == SOURCE.url
    assert await store.documents.get(version.document.removeprefix("sha256:")[:8].upper()) == kept


@pytest.mark.parametrize("wanted", ["", "sha256:", "0123456", "0123456789", "x" * 500])
async def test_a_digest_of_nothing_kept_is_the_clients_error(store: Store, wanted: str) -> None:
    """Too short to name one, or of nothing that is kept."""
    await sync(store, tags(1), Clock())
    with pytest.raises(UnknownDocumentError):
        await store.documents.get(wanted)


async def test_the_newest_documents_are_kept_and_the_served_one_always(store: Store) -> None:
    """Past the bound the oldest goes, but never the one that is served, however many are held after it."""
    clock, small = Clock(), Store(store.redis, documents_kept=3)
    for number in range(5):
        await sync(small, tags(number), clock)
    assert await small.documents.kept(SOURCE.name) == tuple(digest(tags(number)) for number in (4, 3, 2))
    for number in range(6):
        assert (await sync(small, body({"t1": [f"20.99.{number}.0/24"]}), clock)).result == "held"
    kept = await small.documents.kept(SOURCE.name)
    assert (len(kept), kept[-1]) == (3, digest(tags(4)))


async def test_the_document_of_a_held_version_stays_with_it(store: Store) -> None:
    """Accepted, it is the document of the new version."""
    clock = Clock()
    await sync(store, tags(1), clock)
    outcome = await sync(store, body({"t1": ["20.99.0.0/24"]}), clock)
    made = await accept(store, str(outcome.held), "somebody", clock)
    assert made is not None
    assert (await store.documents.get(made.document)).document.body == body({"t1": ["20.99.0.0/24"]})


def strict(source: Source, document: Document) -> Reading:
    """A parser that cannot read what has a tag t7."""
    if b'"t7"' in document.body:
        raise ParseError("t7 is not understood", reasons=("t7",))
    return parse(source, document)


async def test_a_mended_parser_reads_what_could_not_be_read(store: Store) -> None:
    """The refused document is kept, the last one alone; reparse publishes it, and asks no upstream."""
    clock, broken = Clock(), replace(SOURCE, parse=strict)
    await sync(store, body({"a": ["20.0.0.0/16"], "b": ["20.1.0.0/16"]}), clock)
    for number in (1, 2):
        assert (await sync(store, tags(number), clock, broken)).code == "PARSE_FAILED"
    failing = await store.sources.state(SOURCE.name)
    assert (failing.last_document, failing.failures) == (digest(tags(2)), 2)
    with pytest.raises(UnknownDocumentError):
        await store.documents.get(digest(tags(1)))
    clock.forward(hours=1)
    roomy = replace(SOURCE, guard=replace(SOURCE.guard, max_members_removed_share=1.0, max_members_added_share=99.0,
                                          max_endpoint_sets_removed_share=1.0))  # fmt: skip
    outcome = await reparse_source(roomy, store, clock)
    version = await store.versions.version(2)
    state = await store.sources.state(SOURCE.name)
    assert (outcome.result, version.document, version.committed_at) == ("committed", digest(tags(2)), clock())
    assert (state.failures, state.last_document, state.checked_at) == (0, None, failing.checked_at)


async def test_reparse_reads_the_served_document_with_todays_parser(store: Store) -> None:
    """Records that the parser now makes otherwise become a version with the same document; the same ones none."""
    clock = Clock()
    await sync(store, tags(1), clock)
    assert (await reparse_source(SOURCE, store, clock)).result == "unchanged"

    def otherwise(source: Source, document: Document) -> Reading:
        reading = parse(source, document)
        return replace(reading, endpoint_sets=tuple(replace(one, title="New") for one in reading.endpoint_sets))

    outcome = await reparse_source(replace(SOURCE, parse=otherwise), store, clock)
    one, two = await store.versions.versions([1, 2])
    assert (outcome.result, two.document, two.fetched_at) == ("committed", one.document, one.fetched_at)


async def test_reparse_reads_the_newest_document_though_it_said_nothing_new(store: Store) -> None:
    """An older parser saw no change in it; the one after may. The served document goes back no step."""
    clock = Clock()
    await sync(store, tags(1), clock)
    spaced = tags(1) + b" "
    assert (await sync(store, spaced, clock)).result == "unchanged"
    assert (await store.documents.get(digest(spaced))).document.body == spaced

    def otherwise(source: Source, document: Document) -> Reading:
        number = 3 if document.body.endswith(b" ") else 2
        return parse(source, Document(tags(number), document.provenance))

    mended = replace(SOURCE, parse=otherwise)
    assert (await reparse_source(mended, store, clock)).result == "committed"
    version = await store.versions.version(2)
    assert version.document == digest(spaced)
    assert (await reparse_source(SOURCE, store, clock)).result == "committed"
    content = await store.contents.content(SOURCE.name)
    assert content is not None
    assert (
        content.endpoint_sets
        == parse(
            SOURCE, Document(tags(1), (await store.documents.get(version.document)).document.provenance)
        ).endpoint_sets
    )


async def test_reparse_leaves_what_is_known_of_upstream(store: Store) -> None:
    """An upstream that cannot be reached is still failing, and when it was asked last is as it was."""
    clock = Clock()
    await sync(store, tags(1), clock)
    clock.forward(hours=6)
    await run_source(SOURCE, Shelf(), store, clock)
    failing = await store.sources.state(SOURCE.name)
    clock.forward(hours=1)
    assert (failing.failures, (await reparse_source(SOURCE, store, clock)).result) == (1, "unchanged")
    assert await store.sources.state(SOURCE.name) == failing


async def test_a_document_that_is_kept_stays_as_it_was_fetched(store: Store, tmp_path: Path) -> None:
    """Importing the same bytes from a file does not change where the live document is from."""
    clock = Clock()
    await sync(store, tags(1), clock)
    kept = await store.documents.get(digest(tags(1)))
    (tmp_path / "tags_20240101.json").write_bytes(tags(1))
    file = HistoricFile("tags_20240101.json", tmp_path / "tags_20240101.json", datetime(2024, 1, 1, tzinfo=UTC))
    assert [one.result for one in await import_history(SOURCE, (file,), store, clock)] == ["imported"]
    assert await store.documents.get(digest(tags(1))) == kept


async def test_a_source_never_read_cannot_be_reparsed(store: Store) -> None:
    """There is no document: that is said."""
    with pytest.raises(UnknownDocumentError, match="never read"):
        await reparse_source(SOURCE, store, Clock())


async def test_documents_over_http_are_data(store: Store) -> None:
    """The bytes with their type, as an attachment that no browser runs; an unknown digest is a problem."""
    await sync(store, tags(1), Clock())
    app, _ = await application(store)
    async with client(app) as http:
        answer = await http.get(f"/v1/documents/{digest(tags(1))}")
        assert (answer.status_code, answer.content) == (200, tags(1))
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["content-disposition"] == "attachment"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert (answer.headers["x-catalog-source"], answer.headers["x-catalog-document-url"]) == (
            SOURCE.name, SOURCE.url,
        )  # fmt: skip
        missing = await http.get("/v1/documents/0123456789")
        assert (missing.status_code, missing.json()["code"]) == (404, "UNKNOWN_DOCUMENT")


async def test_data_of_the_form_before_is_brought_to_this_one(store: Store) -> None:
    """Versions of an older release answer by number and by date as before, and go on being committed to."""
    clock = Clock()
    for number in range(3):
        await sync(store, tags(number), clock)
    new = [keys.LINE, keys.LAST, keys.SOURCES, keys.MARKS, keys.TIMELINE, keys.timeline(SOURCE.name)]
    await store.redis.delete(*new)
    await store.redis.rename(keys.LIVE, f"{keys.TAG}:newest")
    await store.redis.set(keys.FORMAT, 1)
    await store.ping()
    older = Store(store.redis)
    assert int(await store.redis.get(keys.FORMAT) or 0) == FORMAT
    assert (await older.versions.last(), await older.versions.back(1)) == (3, 2)
    point = await older.versions.valid_at((await older.versions.version(2)).fetched_at)
    assert point is not None
    assert point.version == 2
    assert (await sync(older, tags(9), clock)).version == 4
    content = await Store(store.redis).contents.content(SOURCE.name)
    assert content is not None
    assert content.marks == {}
