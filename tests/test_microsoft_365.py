"""Microsoft 365 endpoints: the version first, then the endpoints, whole or not at all."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from msgspec import structs

from schema.document import Document, Provenance, Reading
from schema.endpoint_set import Attributes, endpoint_set
from schema.errors import FetchError, ParseError
from schema.version import SourceState
from schema.words import Cloud, Direction
from scrapers.client import ClientSettings, LiveUpstream
from scrapers.microsoft_365 import parse_microsoft_365
from scrapers.source import Source
from scrapers.sources import SOURCES, source_named
from tests.upstream import Answer, UpstreamServer

WORLDWIDE = source_named(SOURCES, "microsoft-365-worldwide")
FIXTURES = Path(__file__).parent / "fixtures" / "microsoft-365"
BODY = (FIXTURES / "worldwide.json").read_bytes()
VERSION = (FIXTURES / "version.json").read_bytes()
NOW = datetime(2026, 5, 5, 6, 0, tzinfo=UTC)
NOTHING_KNOWN = SourceState()


def read(body: bytes, source: Source = WORLDWIDE) -> Reading:
    """What the parser makes of ``body``."""
    return parse_microsoft_365(source, Document(body, Provenance(url="https://h/e", fetched_at=NOW, digest="sha256:0")))


def refusal(body: bytes) -> tuple[str, ...]:
    """Why the parser refuses ``body``."""
    with pytest.raises(ParseError) as caught:
        read(body)
    return caught.value.reasons


def test_golden() -> None:
    """Every field of a set is read: names, addresses and free-text ports in canonical order, blank keys absent."""
    mail, teams, flow = sorted(read(BODY).endpoint_sets, key=lambda one: int(one.id.partition(":")[2]))
    assert mail == endpoint_set(
        "microsoft-365-worldwide",
        "2",
        service="Exchange",
        title="Exchange 2",
        cloud=Cloud.PUBLIC,
        clouds=(Cloud.PUBLIC, Cloud.USGOV),
        direction=Direction.OUTBOUND,
        prefixes=("13.107.6.152/31", "2603:1006::/40"),
        fqdns=("outlook.office365.com", "smtp.office365.com"),
        tcp_ports=("143", "587", "993", "995"),
        category="Allow",
        required=False,
        purpose="Mail programs that speak older protocols",
        attributes=Attributes(express_route=True, service_area="Exchange", service_area_display_name="Exchange Online"),
    )
    assert (teams.udp_ports, teams.tcp_ports, teams.fqdns) == (("3478-3479", "3480"), (), ())
    assert (teams.category, teams.required, teams.purpose) == ("Optimize", True, None)
    assert flow.fqdns == ("*.flow.microsoft.com", "*cdn.onenote.net", "autodiscover.*.onmicrosoft.com")
    assert (flow.id, flow.title, flow.prefixes) == ("microsoft-365-worldwide:153", "Common 153", ())


def test_records_are_sorted_by_id() -> None:
    """Records come in the order of their ids, whatever the order upstream wrote them in."""
    ids = [record.id for record in read(BODY).endpoint_sets]
    assert ids == sorted(ids)


@pytest.mark.parametrize(
    ("instance", "clouds"),
    [
        ("worldwide", (Cloud.PUBLIC, Cloud.USGOV)),
        ("usgov-dod", (Cloud.USGOV_DOD,)),
        ("usgov-gcchigh", (Cloud.USGOV_GCCHIGH,)),
        ("china", (Cloud.CHINA,)),
    ],
)
def test_clouds_of_an_instance(instance: str, clouds: tuple[Cloud, ...]) -> None:
    """A record is published for its instance's cloud; Worldwide's hold for GCC too (sources.md D2)."""
    records = read(BODY, source_named(SOURCES, f"microsoft-365-{instance}")).endpoint_sets
    assert {record.cloud for record in records} == {clouds[0]}
    assert {record.all_clouds for record in records} == {clouds}


def test_clouds_as_json() -> None:
    """Worldwide's records say the one cloud they are published for and every cloud they hold for."""
    record = msgspec.json.decode(msgspec.json.encode(read(BODY).endpoint_sets[0]))
    assert (record["cloud"], record["clouds"]) == ("public", ["public", "usgov"])


def edit(old: str, new: str) -> bytes:
    """The fixture with one text replaced."""
    assert old in BODY.decode()
    return BODY.decode().replace(old, new, 1).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"<html>" + b"x" * 300, "HTML"),
        (b"[]", "too small"),
        (b"[" + b" " * 300 + b"]", "only 0 endpoint sets"),
        (b"{" + b" " * 300 + b"}", "not a list"),
        (BODY[:-5], "not a list"),
        (edit('"id": 11,', '"id": 2,'), "endpoint set 2 is there twice"),
        (edit('"id": 11,', '"id": "11",'), "endpoint sets[1]"),
        (edit('"expressRoute": true,', '"expressRoute": "yes",'), "endpoint sets[0]"),
        (edit('"category": "Allow",', ""), "endpoint sets[0]"),
        (edit("143, 587", "143 or 587"), "endpoint set 2: '143 or 587' is not a port"),
        (edit("smtp.office365.com", "smtp office365.com"), "endpoint set 2:"),
        (edit("52.112.0.0/14", "52.112.0.0/9"), "endpoint set 11: '52.112.0.0/9' has host bits set"),
        (edit('"ips": [\n      "52.112.0.0/14"\n    ],\n', ""), "endpoint set 11: it has neither urls nor ips"),
        (edit('"udpPorts"', '"udpPort"'), "endpoint set 11: it has neither tcpPorts nor udpPorts"),
        (edit('"notes": "Mail programs that speak older protocols"', '"notes": null'), "endpoint sets[0]"),
    ],
)
def test_refused(body: bytes, reason: str) -> None:
    """What is not a whole list of endpoint sets is refused, saying why."""
    assert any(reason in one for one in refusal(body)), refusal(body)


def test_every_reason_is_listed() -> None:
    """Rows of a wrong shape and rows of wrong content are all named."""
    body = BODY.replace(b'"id": 153', b'"id": null').replace(b"52.112.0.0/14", b"52.112.0.0/9")
    assert len(refusal(body)) == 2


# --- fetching -------------------------------------------------------------------------------------


@pytest.fixture
async def server() -> AsyncIterator[UpstreamServer]:
    """The service, with version 2026043001."""
    async with UpstreamServer() as running:
        running.script("/version/Worldwide", Answer(VERSION, media_type="application/json"))
        running.script("/endpoints/Worldwide", Answer(BODY, media_type="application/json", etag='"1"'))
        yield running


@pytest.fixture
async def live() -> AsyncIterator[LiveUpstream]:
    """A client that may ask loopback alone."""
    settings = ClientSettings(attempts=1, min_interval_s=0, allowed_hosts=("127.0.0.1",), http_hosts=("127.0.0.1",))
    async with LiveUpstream(settings) as client:
        yield client


def served(server: UpstreamServer, instance: str = "Worldwide") -> Source:
    """The source on ``server``."""
    return structs.replace(WORLDWIDE, url=f"{server.url}/endpoints/{instance}")


async def test_fetch(server: UpstreamServer, live: LiveUpstream) -> None:
    """Both answers are asked under one GUID, which nothing remembers; version and date are the service's."""
    fetched = await served(server).read(live, NOTHING_KNOWN, NOW)
    assert fetched is not None
    provenance = fetched.provenance
    assert (provenance.url, provenance.fetched_at) == (f"{server.url}/endpoints/Worldwide", NOW)
    assert (provenance.upstream_version, provenance.upstream_at) == ("2026043001", datetime(2026, 4, 30, tzinfo=UTC))
    assert (provenance.media_type, provenance.etag) == ("application/json", '"1"')
    guids = {re.sub(r".*\?ClientRequestId=", "", path) for path in server.paths}
    assert [path.partition("?")[0] for path in server.paths] == ["/version/Worldwide", "/endpoints/Worldwide"]
    assert UUID(guids.pop()).version == 4
    assert not guids
    reading = WORLDWIDE.records(fetched)
    assert (reading.upstream_version, len(reading.endpoint_sets)) == ("2026043001", 3)


@pytest.mark.parametrize("known", ["2026043000", "2026043001", "2026050100", None])
@pytest.mark.parametrize("hours", [None, 0, 24, 25])
async def test_when_the_endpoints_are_asked(
    server: UpstreamServer, live: LiveUpstream, known: str | None, hours: int | None
) -> None:
    """The endpoints are asked for when the version is newer than the one last seen, or a day after they were read."""
    read_at = None if hours is None else NOW - timedelta(hours=hours)
    asked = known in (None, "2026043000") or hours in (None, 25)
    fetched = await served(server).read(live, SourceState(upstream_version=known, read_at=read_at), NOW)
    assert (fetched is not None) is asked
    assert len(server.asked) == (2 if asked else 1)


async def test_node_that_lags(server: UpstreamServer, live: LiveUpstream) -> None:
    """Endpoints that change under a version already seen are read a day later."""
    before = await served(server).read(live, NOTHING_KNOWN, NOW)
    server.script("/endpoints/Worldwide", Answer(edit("smtp.office365.com", "smtp2.office365.com")))
    seen = SourceState(upstream_version="2026043001", read_at=NOW)
    assert await served(server).read(live, seen, NOW + timedelta(hours=23)) is None
    after = await served(server).read(live, seen, NOW + timedelta(hours=24, seconds=1))
    assert before is not None
    assert after is not None
    assert WORLDWIDE.records(after).endpoint_sets != WORLDWIDE.records(before).endpoint_sets


async def test_instance_in_any_case(server: UpstreamServer, live: LiveUpstream) -> None:
    """The service writes instances in its own case."""
    server.script("/version/worldwide", Answer(VERSION))
    server.script("/endpoints/worldwide", Answer(BODY))
    assert await served(server, "worldwide").read(live, NOTHING_KNOWN, NOW)


@pytest.mark.parametrize(
    "version",
    [
        b"",
        b"[]",
        b"<html>Service Unavailable</html>",
        b'{"instance": "China", "latest": "2026043001"}',
        b'{"instance": "Worldwide", "latest": "20260430"}',
        b'{"instance": "Worldwide", "latest": 2026043001}',
        b'{"instance": "Worldwide"}',
    ],
)
async def test_no_version(server: UpstreamServer, live: LiveUpstream, version: bytes) -> None:
    """An answer that is not this instance's version stops the run before the endpoints are asked."""
    server.script("/version/Worldwide", Answer(version))
    with pytest.raises(ParseError):
        await served(server).read(live, NOTHING_KNOWN, NOW)
    assert len(server.asked) == 1


@pytest.mark.parametrize("url", ["{}/version/Worldwide", "{}/endpoints/", "{}/endpoints/a/b", "{}/endpoints/a?b=1"])
async def test_not_an_endpoints_address(server: UpstreamServer, live: LiveUpstream, url: str) -> None:
    """An address from which no version address follows is refused before anything is asked."""
    with pytest.raises(FetchError, match="/endpoints/<instance>"):
        await structs.replace(WORLDWIDE, url=url.format(server.url)).read(live, NOTHING_KNOWN, NOW)
    assert not server.asked


# --- real files -----------------------------------------------------------------------------------


def test_real_answers(corpus: Path) -> None:
    """Every stored answer of the service parses, with the ids, names and addresses it lists."""
    answers = sorted((corpus / "microsoft-365" / "worldwide").glob("*.json"))
    assert len(answers) >= 31
    for answer in answers:
        records = read(answer.read_bytes()).endpoint_sets
        assert len(records) >= WORLDWIDE.guard.min_endpoint_sets
        flow = next(record for record in records if record.id.endswith(":153"))
        assert {"*.flow.microsoft.com", "*.powerapps.com"} <= set(flow.fqdns), answer.name
        assert (flow.category, flow.required, flow.tcp_ports) == ("Default", True, ("443",))


def test_order_of_urls_is_no_change() -> None:
    """Urls that flip their order between two fetches make equal records (sources.md M1)."""
    flipped = edit(
        '"*.flow.microsoft.com",\n      "autodiscover.*.onmicrosoft.com"',
        '"autodiscover.*.onmicrosoft.com",\n      "*.flow.microsoft.com"',
    )
    assert read(flipped) == read(BODY)


async def test_error_bodies(corpus: Path, server: UpstreamServer, live: LiveUpstream) -> None:
    """Every body that really came back instead of an answer is refused, as version and as endpoints."""
    bodies = [path.read_bytes() for path in sorted((corpus / "errors").iterdir())]
    assert len(bodies) >= 13
    for body in bodies:
        refusal(body)
        server.script("/version/Worldwide", Answer(body))
        with pytest.raises(ParseError):
            await served(server).read(live, NOTHING_KNOWN, NOW)
        server.script("/version/Worldwide", Answer(VERSION))
        server.script("/endpoints/Worldwide", Answer(body))
        fetched = await served(server).read(live, NOTHING_KNOWN, NOW)
        assert fetched is not None
        with pytest.raises(ParseError):
            WORLDWIDE.records(fetched)
