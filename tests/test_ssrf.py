"""The guard at the socket: what is refused never opens one, whatever the name server says and whenever it says it."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult
from aiohttp.tracing import Trace

from catalog_service.notify.client import Client
from catalog_service.notify.guard import GuardedConnector
from catalog_service.subscriptions.targets import Policy
from tests.receivers import NOW, Door, Names, failure, loopback, receiver
from tests.test_targets import REFUSED_URLS

PUBLIC = "8.8.8.8"
PUBLIC_V6 = "2606:4700::1111"
REFUSED_ADDRESSES = (
    "10.0.0.5",
    "172.16.0.1",
    "192.168.1.1",
    "127.0.0.1",
    "0.0.0.0",
    "100.64.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::a00:5",
    "64:ff9b:1::1",
    "2001:0:53aa:64c::1",
    "2002:a00:5::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
)


async def test_no_bad_form_opens_a_socket_or_asks_for_a_name() -> None:
    """Every bad form of an address is refused before a name is resolved or a socket made."""
    names, door = Names((PUBLIC,)), Door()
    async with Client(Policy(), resolve=names, opened=door) as client:
        for url in REFUSED_URLS:
            await failure(client, url)
    assert not names.asked
    assert not door.opened


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
@pytest.mark.parametrize("others", [(), (PUBLIC,), (PUBLIC, PUBLIC_V6)])
async def test_a_name_of_an_address_that_may_not_be_told_is_refused(address: str, others: tuple[str, ...]) -> None:
    """One address that may not be told among a name's answers, first or last, is enough for no socket at all."""
    for answer in ((address, *others), (*others, address)):
        names, door = Names(answer), Door()
        async with Client(Policy(), resolve=names, opened=door) as client:
            said = await failure(client, "https://hooks.contoso.example/s3cret")
        assert "refused" in said
        assert names.asked == ["hooks.contoso.example"]
        assert not door.opened
        assert address not in said, "what an internal name leads to is not for a subscriber to learn"


@pytest.mark.parametrize(("address"), [PUBLIC, PUBLIC_V6])
async def test_public_addresses_are_connected_to(address: str) -> None:
    """A name of a public address, and that address itself, get as far as a socket to that very address."""
    door = Door()
    async with Client(Policy(), resolve=Names((address,)), opened=door) as client:
        await failure(client, "https://hooks.contoso.example/")
        await failure(client, f"https://[{address}]/" if ":" in address else f"https://{address}/")
    assert door.opened == [address, address]


async def test_a_name_that_changes_is_refused_when_it_has_changed() -> None:
    """DNS rebinding: the first answer is public, the second private: the second attempt opens no socket."""
    names, door = Names((PUBLIC,), ("10.0.0.5",)), Door()
    async with Client(Policy(), resolve=names, opened=door) as client:
        assert "Connection refused" in await failure(client, "https://hooks.contoso.example/"), "by the door alone"
        assert door.opened == [PUBLIC]
        assert "private" in await failure(client, "https://hooks.contoso.example/")
    assert door.opened == [PUBLIC]
    assert len(names.asked) == 2


async def test_a_name_is_resolved_and_judged_again_for_each_new_connection() -> None:
    """After an answer that closes the connection the name is asked again, and refused if it moved inside."""

    async def handle(_: web.BaseRequest) -> web.Response:
        return web.Response(headers={"Connection": "close"})

    names, door = Names(("127.0.0.1",), ("127.0.0.1",), ("169.254.169.254",)), Door()
    async with receiver(handle) as port, Client(loopback(port), resolve=names, opened=door) as client:
        for _ in range(2):
            assert (await client.post(f"http://hooks.example:{port}/", b"{}", (), NOW)).status == 200
        assert "metadata" in await failure(client, f"http://hooks.example:{port}/")
    assert door.opened == ["127.0.0.1", "127.0.0.1"]
    assert len(names.asked) == 3


async def test_a_connection_kept_alive_stays_with_the_address_that_was_judged() -> None:
    """While a connection is kept alive no name is asked and no socket made."""

    async def handle(_: web.BaseRequest) -> web.Response:
        return web.Response()

    names, door = Names(("127.0.0.1",), ("10.0.0.5",)), Door()
    async with receiver(handle) as port, Client(loopback(port), resolve=names, opened=door) as client:
        for _ in range(5):
            assert (await client.post(f"http://hooks.example:{port}/", b"{}", (), NOW)).status == 200
    assert door.opened == ["127.0.0.1"]
    assert len(names.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_answers(status: int) -> None:
    """A redirect, inside or elsewhere, is an answer like any other and is never followed."""
    paths = []

    async def handle(request: web.BaseRequest) -> web.Response:
        paths.append(request.path)
        return web.Response(status=status, headers={"Location": dict(request.query)["to"]})

    names, door = Names(), Door()
    async with receiver(handle) as port, Client(loopback(port), resolve=names, opened=door) as client:
        for location in ("http://169.254.169.254/", "http://10.0.0.5/", f"http://127.0.0.1:{port}/other", "/other"):
            answer = await client.post(f"http://127.0.0.1:{port}/hook?to={location}", b"{}", (), NOW)
            assert answer.status == status
    assert paths == ["/hook"] * 4
    assert set(door.opened) == {"127.0.0.1"}


async def test_our_own_ports_and_redis_are_refused() -> None:
    """A port that listens on an allowed network is not connected to unless it is an allowed port."""
    asked = []

    async def handle(request: web.BaseRequest) -> web.Response:
        asked.append(request.path)
        return web.Response()

    door = Door()
    policy = Policy(http=True, networks=("127.0.0.0/8",))
    async with receiver(handle) as port, Client(policy, resolve=Names(("127.0.0.1",)), opened=door) as client:
        for inner in (port, 6379, 8000, 25):
            for host in ("127.0.0.1", "hooks.example"):
                assert "port" in await failure(client, f"http://{host}:{inner}/")
    assert not asked
    assert not door.opened


class OneWall(GuardedConnector):
    """The connector without its look at what names resolve to."""

    async def _resolve_host(self, host: str, port: int, traces: Sequence[Trace] | None = None) -> list[ResolveResult]:
        return await aiohttp.TCPConnector._resolve_host(self, host, port, traces)


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
async def test_the_socket_is_a_wall_of_its_own(address: str) -> None:
    """Without the look at names, and for literals that no resolver is asked about, no socket is made either."""
    door = Door()
    connector = OneWall(Policy(http=True), Names((address,)), door, None)
    async with aiohttp.ClientSession(connector=connector) as session:
        for host in ("hooks.example", f"[{address}]" if ":" in address else address):
            if "%" not in host:
                with pytest.raises(aiohttp.ClientConnectorError, match="refused"):
                    await session.post(f"http://{host}/")
    assert not door.opened


async def test_the_socket_is_a_wall_for_ports() -> None:
    """A port that may not be told is refused at the socket even if the form of the address was never looked at."""
    door = Door()
    async with aiohttp.ClientSession(connector=OneWall(Policy(), Names((PUBLIC,)), door, None)) as session:
        with pytest.raises(aiohttp.ClientConnectorError, match="port 6379"):
            await session.post("http://hooks.example:6379/")
    assert not door.opened


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxy variables, which would take the connection past the guard, are not looked at."""
    proxied = []

    async def proxy(request: web.BaseRequest) -> web.Response:
        proxied.append(request.path)
        return web.Response(status=418)

    async def handle(_: web.BaseRequest) -> web.Response:
        return web.Response(status=204)

    async with receiver(proxy) as elsewhere, receiver(handle) as port:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{elsewhere}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{elsewhere}")
        async with Client(loopback(port, elsewhere)) as client:
            assert (await client.post(f"http://127.0.0.1:{port}/", b"{}", (), NOW)).status == 204
        door = Door()
        async with Client(loopback(port, elsewhere), resolve=Names(("10.0.0.5",)), opened=door) as client:
            assert "private" in await failure(client, f"http://hooks.example:{port}/")
    assert not proxied
    assert not door.opened


async def test_the_guard_holds_with_certificates_of_our_own() -> None:
    """A TLS context changes which certificates are believed, not which addresses are connected to."""
    door = Door()
    client = Client(Policy(), resolve=Names(("10.0.0.5",)), opened=door, tls=ssl.create_default_context())
    async with client:
        assert "private" in await failure(client, "https://hooks.contoso.example/")
    assert not door.opened
