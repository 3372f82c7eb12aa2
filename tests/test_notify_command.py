"""The commands that serve and notify, where there are subscriptions: with their key, and without."""

from __future__ import annotations

import base64
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog_service.cli import exits
from catalog_service.cli.app import main
from catalog_service.store.connect import Store
from schema.event import Place
from tests.api_client import published, served_url
from tests.telling import KEY, subscribed, subscription

OTHER = base64.b64encode(b"x" * 32).decode()


class _Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.came.append(self.headers["webhook-id"])  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[http.server.ThreadingHTTPServer]:
    """A receiver; ``came`` is what it got."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hook) as server:
        server.came = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def url(
    redis_url: str, tmp_path: Path, hook: http.server.ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A Redis with a subscription, and three versions that nobody was told of."""
    port = hook.server_address[1]
    for name, value in (("HTTP", "true"), ("PORTS", str(port)), ("NETWORKS", "127.0.0.0/8")):
        monkeypatch.setenv(f"CATALOG_WEBHOOK_{name}", value)

    async def fill(store: Store) -> None:
        await store.queues.skip(Place(0))
        await subscribed(store, subscription("sub_a", f"http://127.0.0.1:{port}/hook"))
        await published(store)

    with served_url(redis_url, tmp_path, fill) as filled:
        yield filled


@pytest.mark.parametrize("command", ["run", "serve", "notify"])
@pytest.mark.parametrize("key", ["", OTHER])
def test_no_start_without_the_key(
    command: str, key: str, url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where there are subscriptions that the key does not open nothing starts, and the setting is named."""
    monkeypatch.setenv("CATALOG_ENCRYPTION_KEY", key)
    assert main([command, "--redis-url", url]) == exits.USAGE
    assert "CATALOG_ENCRYPTION_KEY" in capfd.readouterr().err


def test_notify_once(
    url: str, hook: http.server.ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`notify --once` tells what is due and ends; a second time there is nothing left to tell."""
    monkeypatch.setenv("CATALOG_ENCRYPTION_KEY", f"{OTHER},{KEY}")
    for _ in range(2):
        assert main(["notify", "--once", "--redis-url", url]) == exits.FINE, capfd.readouterr().err
    assert len(hook.came) == len(set(hook.came)) == 3  # type: ignore[attr-defined]


def test_no_key_is_needed_without_subscriptions(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A catalogue that nobody subscribed to is served and notified of without a key."""
    monkeypatch.delenv("CATALOG_ENCRYPTION_KEY", raising=False)
    with served_url(redis_url, tmp_path, published) as url:
        assert main(["notify", "--once", "--redis-url", url]) == exits.FINE
