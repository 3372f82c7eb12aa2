"""Azure service tags: the weekly file, and everything that came back instead of it."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import UNSET, structs

from catalog_service.catalog.diff import diff
from schema.change import AttributeChange
from schema.document import Document, Provenance, Reading
from schema.endpoint_set import Attributes, EndpointSet, content_digest, endpoint_set
from schema.errors import FetchError, ParseError
from schema.version import SourceState
from schema.words import Cloud
from scrapers.client import ClientSettings, LiveUpstream
from scrapers.service_tags import parse_service_tags
from scrapers.source import Source
from scrapers.sources import SOURCES
from tests.upstream import Answer, UpstreamServer

PUBLIC, USGOV = SOURCES[0], SOURCES[1]
NAME = "ServiceTags_Public_20260504.json"
BODY = (Path(__file__).parent / "fixtures" / "service-tags" / NAME).read_bytes()
NOW = datetime(2026, 5, 5, 6, 0, tzinfo=UTC)
NOTHING_KNOWN = SourceState()


def document(body: bytes) -> Document:
    """A document of ``body``."""
    return Document(body, Provenance(url=f"https://h/{NAME}", fetched_at=NOW, digest="sha256:0"))


def read(body: bytes, source: Source = PUBLIC) -> Reading:
    """What the parser makes of ``body``."""
    return parse_service_tags(source, document(body))


def refusal(body: bytes, source: Source = PUBLIC) -> tuple[str, ...]:
    """Why the parser refuses ``body``."""
    with pytest.raises(ParseError) as caught:
        read(body, source)
    assert caught.value.facts["url"] == f"https://h/{NAME}"
    return caught.value.reasons


def tag(name: str, **fields: object) -> EndpointSet:
    """A record as this source builds it."""
    return structs.replace(
        endpoint_set(PUBLIC.name, name, service=name.partition(".")[0], title=name, clouds=(Cloud.PUBLIC,)), **fields
    )


def test_golden() -> None:
    """Every field of a tag is read, in canonical order; absent, null and [] networkFeatures stay three things."""
    reading = read(BODY)
    assert reading.upstream_version == "398"
    assert reading.endpoint_sets == (
        tag(
            "ActionGroup",
            attributes=Attributes(
                change_number=9, region_id=0, platform="Azure", system_service="ActionGroup", network_features=()
            ),
        ),
        tag(
            "AzureCloud.westeurope",
            region="westeurope",
            prefixes=("13.69.0.0/17", "20.31.0.0/16", "2603:1020:200::/46"),
            attributes=Attributes(
                change_number=41, region_id=18, platform="Azure", system_service="", network_features=("API", "NSG")
            ),
        ),
        tag(
            "AzureFrontDoor.Frontend",
            prefixes=("13.107.213.0/24",),
            attributes=Attributes(change_number=2, platform="Azure", system_service="AzureFrontDoor"),
        ),
        tag(
            "Storage.WestUS2",
            region="westus2",
            prefixes=("13.66.176.16/28", "20.38.99.0/24", "2603:1030:c06::/48"),
            attributes=Attributes(
                change_number=7, region_id=40, platform="Azure", system_service="AzureStorage", network_features=None
            ),
        ),
    )
    features = [record.attributes.network_features for record in reading.endpoint_sets if record.attributes]
    assert features == [(), ("API", "NSG"), UNSET, None]


@pytest.mark.parametrize(
    ("name", "said", "region", "kept"),
    [
        ("Storage.WestUS2", "westus2", "westus2", UNSET),
        ("Storage.FranceCentral", "centralfrance", "francecentral", "centralfrance"),
        ("AzureCloud.centralfrance", "centralfrance", "francecentral", "centralfrance"),
        ("AzureCloud.italnorth", "italnorth", "italynorth", "italnorth"),
        ("AzureCloud.EastUS2Stage", "eastus2", "eastus2stage", "eastus2"),
        ("AzureCloud.EastUSSTG", "usstagee", "eastusstg", "usstagee"),
        ("Storage.EastUS", "", "eastus", ""),
        ("AzureFrontDoor.Backend", "", None, UNSET),
        ("AzurePortal.AzureAppServiceUx", "usgovtexas", "usgovtexas", UNSET),
        ("AzureCloud.Australia", "", None, UNSET),
        ("Storage.NowhereEast9", "nowheree9", "nowheree9", UNSET),
        ("Storage", "", None, UNSET),
    ],
)
def test_regions(name: str, said: str, region: str | None, kept: object) -> None:
    """The suffix names the region, else properties.region does; its spelling is kept where it differs (T4)."""
    body = edit('"region": "westus2"', f'"region": "{said}"').replace(b'"Storage.WestUS2"', f'"{name}"'.encode())
    (found,) = (record for record in read(body).endpoint_sets if record.title == name)
    assert found.region == region
    assert found.attributes is not None
    assert found.attributes.upstream_region == kept


def test_an_edit_of_the_upstreams_region_is_a_change() -> None:
    """Storage.EastUS lost its region on 20240122: the record stays regional, and the edit is told (T2)."""
    lost = read(edit('"region": "westus2"', '"region": ""'))
    (change,) = diff(read(BODY).endpoint_sets, lost.endpoint_sets)
    assert change.attributes == (AttributeChange("upstream_region", UNSET, ""),)


def test_form_is_not_content() -> None:
    """A byte order mark, CRLF, the order of tags, prefixes and features, and unknown keys change nothing."""
    text = BODY.decode()
    swapped = text.replace('"NSG",\n          "API"', '"API",\n          "NSG"').replace(
        '"platform"', '"unheardOf": [1],\n        "platform"'
    )
    assert swapped.count("unheardOf") == 4
    other = "\ufeff" + swapped.replace("\n", "\r\n")
    assert read(other.encode()) == read(BODY)


def edit(old: str, new: str) -> bytes:
    """The fixture with one text replaced."""
    assert old in BODY.decode()
    return BODY.decode().replace(old, new).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        (b"<html>" + b"x" * 2000, "HTML"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Error/>", "XML"),
        (b'{"changeNumber": 1, "cloud": "Public", "values": []}', "too small"),
        (BODY[:-40], "not a service-tag file"),
        (BODY.decode().encode("utf-16"), "not a service-tag file"),
        (b'{"changeNumber": 1, "cloud": "Public", "values": []' + b" " * 2000 + b"}", "holds no tags"),
        (b'{"changeNumber": 1, "cloud": "Public"' + b" " * 2000 + b"}", "not a service-tag file"),
        (b"[" + b" " * 2000 + b"]", "not a service-tag file"),
        (edit('"cloud": "Public"', '"cloud": "China"'), "cloud 'China'"),
        (edit('"addressPrefixes"', '"addressPrefix"'), "values[0]"),
        (edit('"name": "ActionGroup"', '"name": "Storage.WestUS2"'), "twice"),
        (edit('"id": "ActionGroup"', '"id": "ActionGroups"'), "has the id 'ActionGroups'"),
        (edit('"ActionGroup"', '"Action Group"'), "'Action Group': the name cannot"),
        (edit("13.69.0.0/17", "13.69.0.1/17"), "'AzureCloud.westeurope': '13.69.0.1/17' has host bits set"),
        (edit("13.69.0.0/17", "westeurope"), "is not an address"),
        (edit('"20.31.0.0/16"', "20"), "'AzureCloud.westeurope'"),
        (edit('"addressPrefixes": []', '"addressPrefixes": null'), "'ActionGroup'"),
        (edit('"regionId": 18', '"regionId": "18"'), "values[0]"),
    ],
)
def test_refused(body: bytes, reason: str) -> None:
    """What is not a whole file of this cloud is refused, saying why."""
    assert any(reason in one for one in refusal(body)), refusal(body)


def test_every_reason_is_listed() -> None:
    """One bad row fails the file, and every bad row is named, whether its shape or its content is bad."""
    content = BODY.replace(b"13.69.0.0/17", b"13.69.0.0/33").replace(b"13.107.213.0/24", b"13.107.213.1/24")
    assert len(refusal(content.replace(b'"Public"', b'"China"'))) == 3
    shape = BODY.replace(b'"changeNumber": 41', b'"changeNumber": "41"').replace(b'"region": "westus2"', b'"region": 2')
    assert [reason[:9] for reason in refusal(shape)] == ["values[0]", "values[1]"]


def test_another_clouds_file() -> None:
    """The Public file does not pass for the US Government's."""
    assert "not 'AzureGovernment'" in refusal(BODY, USGOV)[0]


# --- fetching -------------------------------------------------------------------------------------


@pytest.fixture
async def server() -> AsyncIterator[UpstreamServer]:
    """The upstream."""
    async with UpstreamServer() as running:
        yield running


@pytest.fixture
async def live() -> AsyncIterator[LiveUpstream]:
    """A client that may ask loopback alone."""
    settings = ClientSettings(attempts=1, min_interval_s=0, allowed_hosts=("127.0.0.1",), http_hosts=("127.0.0.1",))
    async with LiveUpstream(settings) as client:
        yield client


def served(
    server: UpstreamServer, name: str = NAME, etag: str | None = None, last_modified: str | None = None
) -> Source:
    """The Public source on ``server``, whose page names ``name``."""
    url = server.script(f"/download/{name}", Answer(BODY, etag=etag, last_modified=last_modified))
    page = server.script("/details.aspx?id=56519", Answer(f'<a href="{url}">'.encode(), media_type="text/html"))
    return structs.replace(PUBLIC, url=page)


async def test_fetch(server: UpstreamServer, live: LiveUpstream) -> None:
    """The page leads to the file, and the document says where both came from and of which date it is."""
    source = served(server, etag='"1"', last_modified="Mon, 04 May 2026 19:00:00 GMT")
    fetched = await source.read(live, NOTHING_KNOWN, NOW)
    assert fetched is not None
    assert fetched.body == BODY
    assert fetched.provenance == Provenance(
        url=f"{server.url}/download/{NAME}",
        fetched_at=NOW,
        digest=f"sha256:{hashlib.sha256(BODY).hexdigest()}",
        etag='"1"',
        last_modified="Mon, 04 May 2026 19:00:00 GMT",
        page_url=source.url,
        upstream_at=datetime(2026, 5, 4, tzinfo=UTC),
    )
    assert source.records(fetched) == read(BODY)


async def test_fetch_unchanged(server: UpstreamServer, live: LiveUpstream) -> None:
    """A file that upstream says is the known one is nothing new."""
    source = served(server, etag='"1"')
    known = SourceState(etag='"1"', validated_url=f"{server.url}/download/{NAME}")
    assert await source.read(live, known, NOW) is None


async def test_validators_belong_to_an_address(server: UpstreamServer, live: LiveUpstream) -> None:
    """A file under another name is asked for whole, even where its validator happens to be the same."""
    source = served(server, etag='"1"')
    known = SourceState(etag='"1"', validated_url=f"{server.url}/download/ServiceTags_Public_20260427.json")
    assert await source.read(live, known, NOW) is not None
    assert server.asked[1].header("if-none-match") is None


async def test_name_without_a_date(server: UpstreamServer, live: LiveUpstream) -> None:
    """Seven digits, or eight that are no date, leave the upstream date unknown."""
    for digits in ("2024219", "20261345"):
        fetched = await served(server, f"ServiceTags_Public_{digits}.json").read(live, NOTHING_KNOWN, NOW)
        assert fetched is not None
        assert fetched.provenance.upstream_at is None


async def test_link_elsewhere(server: UpstreamServer, live: LiveUpstream) -> None:
    """A page that points to a host that is not allowed leads nowhere."""
    source = served(server)
    server.script(
        "/details.aspx?id=56519", Answer(b'<a href="https://files.example/ServiceTags_Public_20260504.json">')
    )
    with pytest.raises(FetchError, match="allowed host"):
        await source.read(live, NOTHING_KNOWN, NOW)


async def test_page_without_link(server: UpstreamServer, live: LiveUpstream) -> None:
    """A page that names no file is a page that changed: a person's matter."""
    source = served(server)
    server.script("/details.aspx?id=56519", Answer(b"<html>new design</html>"))
    with pytest.raises(ParseError):
        await source.read(live, NOTHING_KNOWN, NOW)


# --- real files -----------------------------------------------------------------------------------


def test_error_bodies(corpus: Path) -> None:
    """Every body that really came back instead of a file is refused."""
    bodies = sorted((corpus / "errors").iterdir())
    assert len(bodies) >= 13
    for body in bodies:
        refusal(body.read_bytes())


async def test_error_bodies_over_the_wire(corpus: Path, server: UpstreamServer, live: LiveUpstream) -> None:
    """Wherever such a body stands, as the page or as the file, no document comes of it."""
    for body in sorted((corpus / "errors").iterdir()):
        source = served(server)
        server.script(f"/download/{NAME}", Answer(body.read_bytes()))
        fetched = await source.read(live, NOTHING_KNOWN, NOW)
        assert fetched is not None
        with pytest.raises(ParseError):
            source.records(fetched)
        server.script("/details.aspx?id=56519", Answer(body.read_bytes()))
        with pytest.raises((ParseError, FetchError)):
            await source.read(live, NOTHING_KNOWN, NOW)


def files(archive: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """The weekly files of an archive whose name is wanted: (digits of the name, bytes)."""
    with tarfile.open(archive) as opened:
        for member in opened:
            content = opened.extractfile(member)
            if content and wanted(member.name):
                yield member.name[-13:-5], content.read()


@pytest.mark.parametrize(
    ("archive", "source", "every"),
    [
        ("Public-2025", PUBLIC, 1),
        ("Public-2019-2020", PUBLIC, 6),
        ("AzureGovernment-2019-2025", USGOV, 12),
        ("China-2020-2025", SOURCES[2], 12),
    ],
)
def test_weekly_files(corpus: Path, archive: str, source: Source, every: int) -> None:
    """Real files of every year and cloud parse, and need no repair."""
    count = 0
    for position, (digits, body) in enumerate(files(corpus / "service-tags" / f"{archive}.tar.xz", lambda _: True)):
        if position % every:
            continue
        reading = read(body, source)
        assert len(reading.endpoint_sets) >= min(700, source.guard.min_endpoint_sets), digits
        assert len({record.id for record in reading.endpoint_sets}) == len(reading.endpoint_sets)
        count += 1
    assert count >= 6


def test_content_is_the_identity(corpus: Path) -> None:
    """Two files of one number differ; two of different numbers and line ends are equal (sources.md T2)."""
    days = ("20250217", "20250303", "20250811", "20250818", "20251020", "20251028")
    archive = corpus / "service-tags" / "Public-2025.tar.xz"
    readings = {day: read(body) for day, body in files(archive, lambda name: name[-13:-5] in days)}
    digests = {day: content_digest(reading.endpoint_sets) for day, reading in readings.items()}
    assert readings["20250217"].upstream_version == readings["20250303"].upstream_version == "346"
    assert digests["20250217"] != digests["20250303"]
    assert digests["20250811"] == digests["20250818"]
    assert digests["20251020"] == digests["20251028"]
    assert readings["20251020"].upstream_version != readings["20251028"].upstream_version
