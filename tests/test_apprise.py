"""apprise: what it sends in its child process, and that nothing else leaves it."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from catalog_service.notify.channels.apprise import Apprise, apprise_installed
from catalog_service.subscriptions.targets import Policy
from schema.errors import DeliveryError
from tests.certificates import certified
from tests.messages import PAGE, committed, entry, ping
from tests.receivers import loopback, receiver

pytestmark = pytest.mark.skipif(not apprise_installed(), reason="the extra apprise is not installed")

SECRET = "s3cret"


class Service:
    """A service on loopback that keeps what it gets."""

    def __init__(self, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.status, self.headers = status, headers
        self.got: list[tuple[str, bytes]] = []
        self.logins: list[str | None] = []

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.got.append((request.path, await request.read()))
        self.logins.append(request.headers.get("Authorization"))
        return web.Response(status=self.status, headers=self.headers)


@asynccontextmanager
async def listener() -> AsyncIterator[tuple[int, list[object]]]:
    """A port of loopback that must not be connected to, and who did."""
    came: list[object] = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer.get_extra_info("peername"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], came


async def refused(policy: Policy, url: str) -> str:
    with pytest.raises(DeliveryError) as caught:
        await Apprise(policy).send(url, ping())
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.facts)
    return str(caught.value)


async def test_sent() -> None:
    """A message arrives with its title, its text and the page, at a name as at an address that may be told."""
    service = Service()
    async with receiver(service.handle) as port:
        for host in ("127.0.0.1", "localhost"):
            await Apprise(loopback(port)).send(f"json://{host}:{port}/{SECRET}", committed(entry()))
    (path, body), again = service.got
    assert (path, again) == (f"/{SECRET}", (path, body))
    told = json.loads(body)
    assert told["title"] == "Endpoint catalogue: version 42, a-source"
    assert "* Storage.WestUS: changed, +1 -2 prefixes; AddedIp" in told["message"]
    assert PAGE in told["message"]


async def test_no_proxy_and_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxy is not used, nor the passwords of a home directory."""
    service = Service()
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login me password {SECRET}")
    (tmp_path / ".netrc").chmod(0o600)
    async with receiver(service.handle) as port, listener() as (proxy, came):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
        monkeypatch.setenv("HOME", str(tmp_path))
        await Apprise(loopback(port, proxy)).send(f"json://127.0.0.1:{port}/", ping())
    assert service.logins == [None]
    assert came == []


@pytest.mark.parametrize("status", [400, 503])
async def test_service_fails(status: int) -> None:
    """A service that does not take it is an error with its status, without the address."""
    service = Service(status)
    async with receiver(service.handle) as port:
        with pytest.raises(DeliveryError) as caught:
            await Apprise(loopback(port)).send(f"json://me:{SECRET}@127.0.0.1:{port}/{SECRET}", ping())
    assert str(caught.value) == f"the service did not take it: HTTP {status}"
    assert caught.value.facts["status"] == status
    assert len(service.got) == 1


async def test_redirect() -> None:
    """A redirect is a failure and is not followed, whatever the address asks for."""
    async with listener() as (elsewhere, came):
        service = Service(307, {"Location": f"http://127.0.0.1:{elsewhere}/"})
        async with receiver(service.handle) as port:
            url = f"json://127.0.0.1:{port}/?redirect=yes&retry=1"
            await refused(loopback(port, elsewhere), url)
    assert came == []
    assert service.got


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0.0.0.0"],
)
async def test_loopback_is_refused(host: str) -> None:
    """However loopback is spelled, and by whatever name it is reached, nothing connects to it."""
    async with listener() as (port, came):
        told = await refused(Policy(http=True, ports=(port,)), f"json://{host}:{port}/{SECRET}")
    assert told.startswith("refused: ")
    assert came == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("json://169.254.169.254/latest/s3cret", "169.254.169.254 is a link-local or metadata address"),
        ("json://168.63.129.16/s3cret", "168.63.129.16 is Azure's platform address"),
        ("json://10.0.0.1/", "10.0.0.1 is a private address"),
        ("jsons://127.0.0.1:6379/", "port 6379 may not be told"),
        ("rsyslog://127.0.0.1:80/", "127.0.0.1 is a loopback address"),
        ("rsyslog://localhost:80/", "localhost is no IP address"),
        ("mailto://me:s3cret@127.0.0.1:80/?from=a@b.example&to=a@b.example", "127.0.0.1 is a loopback address"),
        ("syslog://", "syslog.openlog is not for sending"),
        ("fcm://project/device?keyfile=/etc/hostname", "only files of the libraries are read"),
    ],
)
async def test_refused(url: str, why: str) -> None:
    """What is not public, has an odd port, or is this machine itself is refused in words."""
    assert await refused(Policy(http=True), url) == f"refused: {why}"


@pytest.mark.parametrize("url", ["dbus://", "file:///etc/s3cret", "s3cret"])
async def test_no_service(url: str) -> None:
    """What apprise cannot send to from here is told apart from what was refused."""
    assert await refused(Policy(http=True), url) == "apprise knows no such service, or more is needed"


async def test_no_tls() -> None:
    """Where http is not allowed, services are told through TLS alone, whatever the port."""
    async with listener() as (port, came):
        policy = Policy(ports=(port,), networks=("127.0.0.0/8",))
        assert await refused(policy, f"json://127.0.0.1:{port}/") == "refused: it would be sent without TLS"
    assert came == []


async def test_untrusted_certificate(tmp_path: Path) -> None:
    """A certificate that is not trusted is refused."""
    server_tls, _ = certified(tmp_path)
    service = Service()
    async with receiver(service.handle, server_tls) as port:
        policy = Policy(ports=(port,), networks=("127.0.0.0/8",))
        assert await refused(policy, f"jsons://127.0.0.1:{port}/{SECRET}") == (
            "the service did not take it: apprise says no more"
        )
    assert service.got == []


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux alone")
async def test_packed_answer() -> None:
    """An answer that unpacks to gigabytes fails in the child, which is bounded: the service goes on."""
    packed = gzip.compress(bytes(16 << 20)) * 64

    async def handle(_: web.BaseRequest) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    async with receiver(handle) as port:
        await refused(loopback(port), f"json://127.0.0.1:{port}/{SECRET}")


async def test_hanging_service() -> None:
    """A service that does not answer is given up after the timeout, and the child does not stay."""
    asked, gone = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()
        gone.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(DeliveryError, match="took longer than 2 s"):
            await Apprise(loopback(port), timeout_s=2).send(f"json://127.0.0.1:{port}/?rto=60", ping())
        await asyncio.wait_for(gone.wait(), 10)
    assert asked.is_set()


CONFINED = """
import os, socket, subprocess, sys, tempfile
from catalog_service.notify.channels.confinement import confine
from catalog_service.subscriptions.targets import Policy
port = int(sys.argv[1])
refusals = confine(Policy(http=True, ports=(port,)))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
acts = {
    "connect": lambda: socket.create_connection(("127.0.0.1", port)),
    "connect by name": lambda: socket.socket().connect(("localhost", port)),
    "connect_ex": lambda: socket.socket().connect_ex(("127.0.0.1", port)),
    "IPv6": lambda: socket.socket(socket.AF_INET6).connect(("::1", port)),
    "mapped": lambda: socket.socket(socket.AF_INET6).connect(("::ffff:127.0.0.1", port)),
    "unix": lambda: socket.socket(socket.AF_UNIX).connect("/nowhere"),
    "sendto": lambda: udp.sendto(b"x", ("127.0.0.1", port)),
    "sendmsg": lambda: udp.sendmsg([b"x"], [], 0, ("127.0.0.1", port)),
    "Popen": lambda: subprocess.run(["true"]),
    "system": lambda: os.system("true"),
    "fork": os.fork,
    "write": lambda: open("written", "w"),
    "os.open": lambda: os.open("written", os.O_WRONLY | os.O_CREAT),
    "temporary": lambda: tempfile.NamedTemporaryFile(dir="."),
    "read": lambda: open(__file__ if "__file__" in globals() else "/etc/hostname"),
    "remove": lambda: os.remove("kept"),
}
for name, act in acts.items():
    try:
        act()
    except PermissionError:
        continue
    print(name)
print(len(refusals) >= len(acts), os.listdir("."))
"""


async def test_confinement(tmp_path: Path) -> None:
    """A confined process connects, sends, starts, writes, reads and removes nothing, by whatever call."""
    (tmp_path / "kept").touch()
    async with listener() as (port, came):
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CONFINED, str(port)),
            stdout=subprocess.PIPE,
            cwd=tmp_path,
            env={"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": os.environ["PATH"]},
        )
        said, _ = await asyncio.wait_for(child.communicate(), 60)
    assert said.decode() == "True ['kept']\n"
    assert came == []
