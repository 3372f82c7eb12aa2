"""Mirrors: addresses as files, folders and HTTP servers that hold them, and filling one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from schema.errors import FetchError
from schema.version import SourceState
from scrapers.client import ClientSettings, LiveUpstream
from scrapers.mirror import FolderMirror, HttpMirror, fill, guessed_media_type, mirror_name, write_copies
from scrapers.source import Source
from scrapers.sources import SOURCES, source_named
from tests.upstream import Answer, UpstreamServer

FIXTURES = Path(__file__).parent / "fixtures"
NOW = datetime(2026, 5, 5, 6, 0, tzinfo=UTC)
NOTHING_KNOWN = SourceState()
SETTINGS = ClientSettings(attempts=1, min_interval_s=0, allowed_hosts=("127.0.0.1",), http_hosts=("127.0.0.1",))


@pytest.fixture
async def server() -> AsyncIterator[UpstreamServer]:
    """An upstream, or the server of a mirror."""
    async with UpstreamServer() as running:
        yield running


@pytest.fixture
async def live() -> AsyncIterator[LiveUpstream]:
    """A client that may ask loopback alone."""
    async with LiveUpstream(SETTINGS) as client:
        yield client


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (
            "https://www.microsoft.com/download/details.aspx?id=56519",
            "www.microsoft.com/download/details.aspx?id=56519",
        ),
        ("https://H.example/A/b.json", "h.example/A/b.json"),
        ("https://h/a?x=1&ClientRequestId=2&y=3", "h/a?x=1&y=3"),
        ("https://h/version/China?ClientRequestId=2", "h/version/China"),
        ("https://h", "h/index"),
        ("https://h/", "h/index"),
        ("https://h/a/", "h/a/index"),
        ("https://h/a/?x=1", "h/a/index?x=1"),
        ("https://h/a?accept=text/markdown", "h/a?accept=text/markdown"),
        ("https://h/a%20b#part", "h/a%20b"),
        ("http://127.0.0.1:8080/a", "127.0.0.1:8080/a"),
    ],
)
def test_names(url: str, name: str) -> None:
    """An address is the file host/path?query, without ClientRequestId; an empty last segment is index."""
    assert mirror_name(url) == name


@pytest.mark.parametrize(
    "url",
    [
        "https://h/../../etc/passwd",
        "https://h/a/..",
        "https://h/a/./b",
        "https://h/a//b",
        "https://h/a?x=/../../../etc/passwd",
        "https://../etc/passwd",
        "https://h/a\0b",
        "https://h/a\\..\\b",
        "https:///etc/passwd",
        "/etc/passwd",
        "",
        "https://[",
        "https://h:port/a",
    ],
)
async def test_names_never_leave_the_root(tmp_path: Path, url: str) -> None:
    """An address that would leave the folder, or is none, is refused by name, reader and writer."""
    with pytest.raises(FetchError):
        mirror_name(url)
    with pytest.raises(FetchError):
        await FolderMirror(tmp_path).get(url)
    with pytest.raises(FetchError):
        write_copies(tmp_path, ((url, b"x"),))
    assert not any(tmp_path.iterdir())


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_name_stays_inside(path: str, query: str) -> None:
    """Whatever an address holds, its file lies below the folder of its host."""
    try:
        name = mirror_name(f"https://h.example/{path}?{query}")
    except FetchError:
        return
    assert (Path("/root") / name).resolve().is_relative_to("/root/h.example")


async def test_folder(tmp_path: Path) -> None:
    """A copy is read under its upstream address, and not again while its bytes are the same."""
    write_copies(tmp_path, (("https://h/a?id=1", b'{"a": 1}'),))
    mirror = FolderMirror(tmp_path)
    answer = await mirror.get("https://h/a?id=1&ClientRequestId=9")
    assert answer is not None
    assert (answer.url, answer.body, answer.media_type) == ("https://h/a?id=1", b'{"a": 1}', "application/json")
    assert await mirror.get("https://h/a?id=1", etag=answer.etag) is None
    write_copies(tmp_path, (("https://h/a?id=1", b'{"a": 2}'),))
    changed = await mirror.get("https://h/a?id=1", etag=answer.etag)
    assert changed is not None
    assert changed.body == b'{"a": 2}'


async def test_folder_without_the_file(tmp_path: Path) -> None:
    """A missing copy is a 404 that names the file looked for; a folder in its place is missing too."""
    write_copies(tmp_path, (("https://h/a/b", b"x"),))
    for url, name in (("https://h/c?id=1", "h/c?id=1"), ("https://h/a", "h/a"), ("https://h/a/b/c", "h/a/b/c")):
        with pytest.raises(FetchError) as caught:
            await FolderMirror(tmp_path).get(url)
        assert caught.value.facts["status"] == 404
        assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"\xef\xbb\xbf<!DOCTYPE html><html>", "text/html"),
        (b"\n <HTML>", "text/html"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "application/xml"),
        (b'{\r\n  "changeNumber": 1}', "application/json"),
        (b'\xef\xbb\xbf[\n  {"id": 1}]', "application/json"),
        (b"[]", "application/json"),
        (b"---\ntitle: IP address configuration\n", "text/markdown"),
        (b"[!INCLUDE[footer](x.md)]", "text/markdown"),
        (b"# Heading", "text/markdown"),
        (b"", "text/markdown"),
    ],
)
def test_media_type(body: bytes, media_type: str) -> None:
    """A copy has no headers: its first bytes say what it is."""
    assert guessed_media_type(body) == media_type


async def test_http_mirror_of_files(server: UpstreamServer, live: LiveUpstream) -> None:
    """A static file server is asked for the file's name, with its question mark escaped, and only once."""
    server.script("/copies/h/a%3Fid=1", Answer(b"[]", etag='"1"', media_type="application/octet-stream"))
    mirror = HttpMirror(live, server.url + "/copies/")
    answer = await mirror.get("https://h/a?id=1&ClientRequestId=9")
    assert answer is not None
    assert (answer.url, answer.body, answer.media_type) == ("https://h/a?id=1", b"[]", "application/json")
    assert await mirror.get("https://h/a?id=1", etag=answer.etag) is None
    assert server.paths == ("/copies/h/a%3Fid=1",) * 2


async def test_http_mirror_of_a_proxy(server: UpstreamServer, live: LiveUpstream) -> None:
    """A server that keeps queries as queries is asked second."""
    server.script("/h/a?id=1", Answer(b"---\n"))
    answer = await HttpMirror(live, server.url).get("https://h/a?id=1")
    assert answer is not None
    assert answer.media_type == "text/markdown"
    assert server.paths == ("/h/a%3Fid=1", "/h/a?id=1")


async def test_http_mirror_fails(server: UpstreamServer, live: LiveUpstream) -> None:
    """A copy missing in both forms is a 404; any other fault is not hidden by asking again."""
    with pytest.raises(FetchError) as caught:
        await HttpMirror(live, server.url).get("https://h/a?id=1")
    assert caught.value.facts["status"] == 404
    server.asked.clear()
    server.script("/h/a%3Fid=1", Answer(status=403))
    server.script("/h/a?id=1", Answer(b"x"))
    with pytest.raises(FetchError) as caught:
        await HttpMirror(live, server.url).get("https://h/a?id=1")
    assert caught.value.facts["status"] == 403
    assert len(server.asked) == 1


def file(*parts: str) -> bytes:
    """A fixture's bytes."""
    return FIXTURES.joinpath(*parts).read_bytes()


def live_sources(server: UpstreamServer) -> tuple[Source, ...]:
    """The Public service tags and Microsoft 365 Worldwide, both served by ``server``."""
    tags = server.script(
        "/d/7/ServiceTags_Public_20260504.json", Answer(file("service-tags", "ServiceTags_Public_20260504.json"))
    )
    page = server.script("/details.aspx?id=56519", Answer(f'<html><a href="{tags}">'.encode()))
    server.script("/version/Worldwide", Answer(file("microsoft-365", "version.json")))
    endpoints = server.script("/endpoints/Worldwide", Answer(file("microsoft-365", "worldwide.json")))
    return (
        structs.replace(source_named(SOURCES, "azure-service-tags-public"), url=page),
        structs.replace(source_named(SOURCES, "microsoft-365-worldwide"), url=endpoints),
    )


async def test_fill_and_read_back(server: UpstreamServer, live: LiveUpstream, tmp_path: Path) -> None:
    """A mirror filled from the live sources gives the same records, from the folder and over HTTP, offline."""
    sources = live_sources(server)
    filled = await fill(tmp_path, live, sources, NOW)
    host = server.url.removeprefix("http://")
    assert [one.error for one in filled] == [None, None]
    assert filled[0].files == (f"{host}/details.aspx?id=56519", f"{host}/d/7/ServiceTags_Public_20260504.json")
    assert filled[1].files == (f"{host}/version/Worldwide", f"{host}/endpoints/Worldwide")
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert written == sorted(name for one in filled for name in one.files)
    async with UpstreamServer() as static:
        for name in written:
            static.script(f"/{quote(name, safe='/=:')}", Answer((tmp_path / name).read_bytes()))
        for source in sources:
            original = await source.read(live, NOTHING_KNOWN, NOW)
            for mirror in (FolderMirror(tmp_path), HttpMirror(live, static.url)):
                copy = await source.read(mirror, NOTHING_KNOWN, NOW)
                assert original is not None
                assert copy is not None
                assert copy.body == original.body
                assert copy.provenance.url == original.provenance.url
                assert source.records(copy) == source.records(original)


async def test_fill_keeps_good_copies(server: UpstreamServer, live: LiveUpstream, tmp_path: Path) -> None:
    """A source that fails, or answers what cannot be parsed, keeps its older copies; the others go on."""
    tags, endpoints = live_sources(server)
    await fill(tmp_path, live, (tags, endpoints), NOW)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    server.script("/d/7/ServiceTags_Public_20260504.json", Answer(b"<html>An error occurred</html>"))
    fuller = file("microsoft-365", "worldwide.json").replace(b"smtp.office365.com", b"mail.office365.com")
    server.script("/endpoints/Worldwide", Answer(fuller))
    failed, well = await fill(tmp_path, live, (tags, endpoints), NOW)
    assert (failed.source, failed.error_code, failed.files) == (tags.name, "PARSE_FAILED", ())
    assert failed.error is not None
    assert "HTML" in failed.error
    assert well.error is None
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    changed = [path.name for path in after if after[path] != before.get(path)]
    assert changed == ["Worldwide"]
    server.script("/details.aspx?id=56519", Answer(status=404))
    (gone,) = await fill(tmp_path, live, (tags,), NOW)
    assert gone.error_code == "FETCH_FAILED"


async def test_fill_is_unconditional(server: UpstreamServer, live: LiveUpstream, tmp_path: Path) -> None:
    """Filling asks for everything, whatever an earlier run saw."""
    sources = live_sources(server)
    for _ in range(2):
        assert all(one.files for one in await fill(tmp_path, live, sources, NOW))
    assert not any(asked.header("if-none-match") for asked in server.asked)
    assert len(server.asked) == 8


async def test_fill_where_nothing_can_be_written(server: UpstreamServer, live: LiveUpstream, tmp_path: Path) -> None:
    """A folder that cannot be written is an error of each source, not a crash."""
    (tmp_path / "file").write_bytes(b"")
    filled = await fill(tmp_path / "file", live, live_sources(server), NOW)
    assert all(one.error and "cannot be written" in one.error for one in filled)
