"""The command line: what it prints, what it exits with, and the processes it runs."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import structlog

from catalog_service.cli import exits
from catalog_service.cli.app import main
from catalog_service.cli.demo import prepare_demo
from catalog_service.cli.wiring import opened_store
from catalog_service.settings import load_settings
from catalog_service.store import keys
from scrapers.demo import demo_folders
from scrapers.source import synced
from scrapers.sources import SOURCES

SYNCED = synced(SOURCES)
NAMES = {source.name for source in SYNCED}
PAGE = "power-automate-ip-address-configuration"
TAGS = "azure-service-tags-public"
_WAIT_S = 30
_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only there the kernel ends a server with its owner")

Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings of the machine's own; logging is left as it was."""
    for name in [name for name in os.environ if name.startswith("CATALOG_")]:
        monkeypatch.delenv(name)
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def mirrors(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Mirror folders, one a date."""
    return tuple(folder for _, folder in demo_folders(tmp_path_factory.mktemp("mirrors")))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that every date of the demo was synced into as if it were real. To be read."""
    data_dir = tmp_path_factory.mktemp("filled")

    async def fill() -> None:
        settings = load_settings({"data_dir": str(data_dir)})
        async with opened_store(settings) as store:
            await prepare_demo(store, settings)
            await store.redis.delete(keys.DEMO)

    asyncio.run(fill())
    return data_dir


@pytest.fixture
def invoke(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Invoke:
    """Run the program in this process: its exit code, stdout, stderr."""

    def run(*arguments: object, data_dir: Path = tmp_path / "data") -> tuple[int, str, str]:
        code = main(["--data-dir", str(data_dir), *map(str, arguments)])
        return code, *capfd.readouterr()

    return run


def asked(invoke: Invoke, *arguments: object, data_dir: Path) -> Any:
    """Return the JSON that a command prints, alone on stdout, on its way to exit code 0."""
    code, out, err = invoke(*arguments, "--json", data_dir=data_dir)
    assert (code, err) == (exits.FINE, "")
    return json.loads(out)


# Sync and what it leaves


def assert_the_small_are_held(out: str) -> None:
    """Every source has its result: the demo's page is large enough for the real guard, its few tags are not."""
    results = {one["source"]: one["result"] for one in json.loads(out)}
    assert results.keys() == NAMES
    assert set(results.values()) == {"committed", "held"}
    assert (results[PAGE], results[TAGS]) == ("committed", "held")


def test_sync_publishes_holds_and_says_so(invoke: Invoke, mirrors: tuple[Path, ...]) -> None:
    """One outcome a source; what the guard holds decides the exit code; nothing new makes no version."""
    code, out, _ = invoke("sync", "--json", "--mirror", mirrors[0])
    assert_the_small_are_held(out)
    assert code == exits.HELD
    code, out, err = invoke("sync", PAGE, "--mirror", mirrors[0])
    assert (code, err) == (exits.FINE, "")
    assert "unchanged" in out


def test_sync_of_a_source_that_does_not_exist_asks_nobody(invoke: Invoke, mirrors: tuple[Path, ...]) -> None:
    """A misspelled name is told with the closest ones."""
    code, out, err = invoke("sync", PAGE, "azure-service-tags-publik", "--mirror", mirrors[0])
    assert (code, out) == (exits.NOT_FOUND, "")
    assert "did you mean azure-service-tags-public" in err


def test_sync_without_upstream_fails_and_publishes_nothing(invoke: Invoke, tmp_path: Path) -> None:
    """Every source is tried, each failure told; the catalogue stays as it was and the state says why."""
    (tmp_path / "empty").mkdir()
    code, out, _ = invoke("sync", "--json", "--mirror", tmp_path / "empty")
    assert code == exits.FAILED
    assert [(one["result"], one["code"]) for one in json.loads(out)] == [("failed", "FETCH_FAILED")] * len(SYNCED)
    assert asked(invoke, "versions", data_dir=tmp_path / "data") == {"items": [], "next": None}
    listed = asked(invoke, "sources", data_dir=tmp_path / "data")["items"]
    assert {one["name"] for one in listed if one["status"] == "failing"} == NAMES
    assert {one["status"] for one in listed if one["name"] not in NAMES} == {"archive"}


def test_a_mirror_that_is_no_folder_is_a_usage_error(invoke: Invoke, tmp_path: Path) -> None:
    """It is told once, not once a source."""
    code, _, err = invoke("sync", "--mirror", tmp_path / "absent")
    assert code == exits.USAGE
    assert err == f"error: the mirror {tmp_path / 'absent'} is not a folder\n"


def test_a_mirror_can_be_filled_and_read(invoke: Invoke, mirrors: tuple[Path, ...], tmp_path: Path) -> None:
    """What ``mirror`` copies serves a site without internet as the upstream would."""
    code, out, _ = invoke("mirror", tmp_path / "copy", "--mirror", mirrors[0], "--json")
    assert code == exits.FINE
    assert all(one["files"] for one in json.loads(out))
    code, out, _ = invoke("sync", PAGE, "--json", "--mirror", tmp_path / "copy")
    assert json.loads(out)[0]["result"] == "committed"
    (tmp_path / "empty").mkdir()
    code, out, _ = invoke("mirror", tmp_path / "copy", "--mirror", tmp_path / "empty")
    assert code == exits.FAILED
    assert out.count("failed") == len(SYNCED)


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """A static web server on loopback; gives its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""


def test_a_mirror_can_be_a_web_server(invoke: Invoke, mirrors: tuple[Path, ...]) -> None:
    """The same folder behind HTTP reads the same; no other host is asked."""
    with web_server(mirrors[0]) as url:
        _, out, _ = invoke("sync", "--json", "--mirror", url)
    assert_the_small_are_held(out)


def test_a_source_can_be_read_from_another_address(
    invoke: Invoke, mirrors: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address the operator wrote down is asked, without TLS if it says so."""
    name = "microsoft-365-worldwide"
    with web_server(mirrors[0] / "endpoints.office.com") as url:
        monkeypatch.setenv("CATALOG_ADDRESSES", json.dumps({name: f"{url}/endpoints/Worldwide"}))
        code, out, _ = invoke("sync", name, "--json")
    assert (code, json.loads(out)[0]["code"]) == (exits.HELD, "UNSAFE_CHANGESET")
    monkeypatch.setenv("CATALOG_ADDRESSES", '{"nobody": "http://127.0.0.1/"}')
    code, _, err = invoke("sync")
    assert code == exits.NOT_FOUND
    assert "'nobody'" in err


# Reads


def test_sources_tells_how_each_is(invoke: Invoke, filled: Path) -> None:
    """The same facts for people and machines."""
    listed = asked(invoke, "sources", data_dir=filled)["items"]
    assert [one["name"] for one in listed] == [source.name for source in SOURCES]
    code, out, _ = invoke("sources", data_dir=filled)
    assert code == exits.FINE
    for one, row in zip(listed, out.splitlines()[1:], strict=True):
        version = [str(one["version"])] if one["name"] in NAMES else []
        assert row.split()[:3] == [one["name"], one["status"], *version]


def test_regions_tells_every_spelling(invoke: Invoke, filled: Path) -> None:
    """People see a row an entry, machines the contract; --unknown leaves what the crosswalk lacks."""
    told = asked(invoke, "regions", data_dir=filled)
    code, out, _ = invoke("regions", data_dir=filled)
    assert code == exits.FINE
    codes = [one["code"] for one in (*told["geographies"], *told["regions"])]
    assert [line.split()[0] for line in out.splitlines()[1:]] == codes
    assert "centralfrance" in out
    unknown = asked(invoke, "regions", "--unknown", data_dir=filled)
    assert unknown == {"version": told["version"], "unknown": told["unknown"]}
    code, out, _ = invoke("regions", "--unknown", data_dir=filled)
    assert code == exits.FINE
    assert len(out.splitlines()) == 1 + len(told["unknown"])


def test_versions_are_newest_first_in_pages(invoke: Invoke, filled: Path) -> None:
    """Pages fit together, of all sources and of one."""
    everything = asked(invoke, "versions", "--limit", "1000", data_dir=filled)
    numbers = [one["version"] for one in everything["items"]]
    assert everything["next"] is None
    assert numbers == list(range(len(numbers), 0, -1))
    first = asked(invoke, "versions", "--limit", 5, data_dir=filled)
    second = asked(invoke, "versions", "--limit", 5, "--cursor", first["next"], data_dir=filled)
    assert first["items"] + second["items"] == everything["items"][:10]
    of_one = asked(invoke, "versions", "--source", PAGE, data_dir=filled)["items"]
    assert of_one == [one for one in everything["items"] if one["source"] == PAGE]
    assert len(of_one) == 3


def test_a_diff_is_the_contract_and_reverses(invoke: Invoke, filled: Path) -> None:
    """Backwards, what was added is removed; against itself there is nothing."""
    newest = asked(invoke, "versions", data_dir=filled)["items"][0]["version"]
    there = asked(invoke, "diff", 8, data_dir=filled)
    back = asked(invoke, "diff", newest, 8, data_dir=filled)
    assert list(there) == ["from", "to", "summary", "changes"]
    assert (there["from"], there["to"]) == (8, newest)
    summary, inverse = there["summary"], back["summary"]
    assert summary["prefixes_added"] == inverse["prefixes_removed"] > 0
    assert summary["fqdns_added"] == inverse["fqdns_removed"]
    assert [one["id"] for one in there["changes"]] == [one["id"] for one in back["changes"]]
    assert asked(invoke, "diff", newest, data_dir=filled)["changes"] == []


def test_a_diff_for_people_is_grouped_by_record(invoke: Invoke, filled: Path) -> None:
    """A block a record, a signed line a member, the counts of the contract."""
    told = asked(invoke, "diff", "latest~1", data_dir=filled)
    _, out, _ = invoke("diff", "latest~1", data_dir=filled)
    assert out.startswith(f"--- version {told['from']}\n+++ version {told['to']}\n")
    lines = out.splitlines()
    assert [line.split(" @@ ")[0][3:] for line in lines if line.startswith("@@ ")] == [
        one["id"] for one in told["changes"]
    ]
    for one in told["changes"]:
        for sign, members in (("+", one["prefixes_added"] + one["fqdns_added"]), ("-", one["prefixes_removed"])):
            assert {f"{sign} {member}" for member in members} <= set(lines)
    assert "\x1b" not in out
    _, out, _ = invoke("diff", "latest", data_dir=filled)
    assert out.splitlines()[-1] == "no differences"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("diff", "9999"), exits.NOT_FOUND),
        (("diff", "2 days ago"), exits.USAGE),
        (("versions", "--source", "nobody"), exits.NOT_FOUND),
        (("versions", "--limit", "0"), exits.USAGE),
        (("lookup", "not an address"), exits.USAGE),
        (("lookup", "203.0.113.77"), exits.NOT_FOUND),
        (("lookup", "20.0.0.1", "--at", "0.5"), exits.USAGE),
        (("export", "--cloud", "mars"), exits.USAGE),
        (("export", "--service", "NoSuchService"), exits.NOT_FOUND),
        (("export", "--source", "nobody"), exits.NOT_FOUND),
        (("held", "show", "0123456789ab"), exits.NOT_FOUND),
        (("held", "accept", "0123456789ab"), exits.NOT_FOUND),
        (("held", "reject", "0123456789ab"), exits.NOT_FOUND),
        (("nonsense",), exits.USAGE),
        (("sources", "--config", "/nonexistent/settings.toml"), exits.USAGE),
    ],
)
def test_an_exit_code_says_what_went_wrong(invoke: Invoke, filled: Path, arguments: tuple[str, ...], code: int) -> None:
    """A reason on stderr, no traceback, nothing on stdout."""
    got, out, err = invoke(*arguments, data_dir=filled)
    assert (got, out) == (code, "")
    assert err.strip()
    assert "Traceback" not in err


def test_a_lookup_names_the_record_and_the_member(invoke: Invoke, filled: Path) -> None:
    """An exported prefix is found again, at the version asked for; no match is an answer and exit code 5."""
    prefixes = asked(invoke, "export", "--source", TAGS, data_dir=filled)["prefixes"]
    found = asked(invoke, "lookup", prefixes[0], data_dir=filled)
    assert prefixes[0] in [match.get("prefix") for match in found["matches"]]
    _, out, _ = invoke("lookup", prefixes[0], data_dir=filled)
    assert found["matches"][0]["id"] in out
    code, out, err = invoke("lookup", "203.0.113.77", "--json", data_dir=filled)
    assert (code, json.loads(out)["matches"]) == (exits.NOT_FOUND, [])
    assert "no endpoint set holds 203.0.113.77" in err


def test_every_export_lists_the_same_members(invoke: Invoke, filled: Path) -> None:
    """txt, csv and json differ in form alone; kinds and sources narrow them."""
    code, out, err = invoke("export", "--source", PAGE, "--json", data_dir=filled)
    listed = json.loads(out)
    assert code == exits.FINE
    assert "--resolve tags" in err
    members = listed["prefixes"] + listed["fqdns"]
    assert listed["prefixes"]
    assert listed["fqdns"]
    _, text, _ = invoke("export", "--source", PAGE, data_dir=filled)
    assert text.splitlines() == members
    _, table, _ = invoke("export", "--source", PAGE, "--format", "csv", data_dir=filled)
    assert [row.split(",")[0].lstrip("'") for row in table.splitlines()[1:]] == members
    names = asked(invoke, "export", "--source", PAGE, "--kind", "fqdn", data_dir=filled)
    assert (names["prefixes"], names["fqdns"]) == ([], listed["fqdns"])
    government = asked(invoke, "export", "--cloud", "usgov", "--cloud", "usgov-dod", data_dir=filled)
    assert set(government["fqdns"]) < set(asked(invoke, "export", data_dir=filled)["fqdns"])


def test_an_export_is_written_whole_or_not_at_all(invoke: Invoke, filled: Path, tmp_path: Path) -> None:
    """A filter that cannot be meant, or that nothing passes, leaves the old file; a good one replaces it in its mode."""
    target = tmp_path / "allow.txt"
    target.write_text("before\n")
    target.chmod(0o640)
    code, _, _ = invoke("export", "--region", "atlantis", "-o", target, data_dir=filled)
    assert (code, target.read_text()) == (exits.USAGE, "before\n")
    code, _, _ = invoke("export", "--service", "Atlantis", "-o", target, data_dir=filled)
    assert (code, target.read_text()) == (exits.NOT_FOUND, "before\n")
    code, out, err = invoke("export", "-o", target, data_dir=filled)
    assert (code, out) == (exits.FINE, "")
    assert str(target) in err
    _, text, _ = invoke("export", data_dir=filled)
    assert target.read_text() == text
    assert target.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.glob(".*")) == []
    code, _, err = invoke("export", "-o", tmp_path / "absent" / "allow.txt", data_dir=filled)
    assert code == exits.FAILED
    assert "cannot be written" in err


def test_nothing_published_is_not_an_empty_allowlist(invoke: Invoke) -> None:
    """Before the first version there is no allowlist and no lookup, and they say so."""
    for arguments in (("export",), ("lookup", "20.0.0.1")):
        code, out, err = invoke(*arguments)
        assert (code, out, err) == (exits.NOT_FOUND, "", "error: nothing has been published yet\n")


# Held versions


def test_a_person_decides_about_a_held_version(invoke: Invoke, mirrors: tuple[Path, ...], tmp_path: Path) -> None:
    """list, show, accept, reject: the accepted one is published in a name, the rejected one never held again."""
    data_dir = tmp_path / "data"
    invoke("sync", "--mirror", mirrors[0])
    held = {one["source"]: one for one in asked(invoke, "held", "list", data_dir=data_dir)["items"]}
    wanted, unwanted = held[TAGS], held["azure-service-tags-china"]
    _, table, _ = invoke("held", "list")
    assert wanted["id"] in table
    shown = asked(invoke, "held", "show", wanted["id"], data_dir=data_dir)
    assert shown["held"] == wanted
    assert len(shown["changes"]) == wanted["summary"]["endpoint_sets_added"]
    _, text, _ = invoke("held", "show", wanted["id"])
    assert wanted["reasons"][0] in text
    published = asked(invoke, "held", "accept", wanted["id"], "--by", "a person", data_dir=data_dir)
    assert (published["source"], published["accepted_by"]) == (TAGS, "a person")
    rejected = asked(invoke, "held", "reject", unwanted["id"], "--by", "a person", data_dir=data_dir)
    assert {**unwanted, "rejected_by": "a person", "rejected_at": rejected["rejected_at"]} == rejected
    code, out, _ = invoke("sync", TAGS, unwanted["source"], "--mirror", mirrors[0], "--json")
    assert (code, [one["result"] for one in json.loads(out)]) == (exits.FINE, ["unchanged", "rejected"])
    left = {one["source"]: one.get("rejected_by") for one in asked(invoke, "held", "list", data_dir=data_dir)["items"]}
    assert left == {name: None for name in held if name != TAGS} | {unwanted["source"]: "a person"}


def test_demo_data_is_marked_wherever_it_is_read_and_nothing_real_joins_it(
    invoke: Invoke, mirrors: tuple[Path, ...], tmp_path: Path
) -> None:
    """The mark is in the store: commands say so on stderr, and none that writes goes on."""
    data_dir = tmp_path / "demo"

    async def fill() -> None:
        settings = load_settings({"data_dir": str(data_dir)})
        async with opened_store(settings) as store:
            await prepare_demo(store, settings)

    asyncio.run(fill())
    for arguments in (("export",), ("lookup", "20.31.125.192"), ("sources",), ("held", "list")):
        assert "DEMO DATA" in invoke(*arguments, data_dir=data_dir)[2]
    for writing in (("sync", "--mirror", str(mirrors[0])), ("run", "--port", "0")):
        code, out, err = invoke(*writing, data_dir=data_dir)
        assert (code, out) == (exits.FAILED, "")
        assert "holds the demo's data" in err


# Flags, settings, faults


def test_flags_may_stand_before_and_after_the_command(
    filled: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later one counts, either beats the environment, and that beats the file."""
    config = tmp_path / "catalog.toml"
    config.write_text(f'data_dir = "{filled}"\n')
    other = str(tmp_path / "other")

    def found(*arguments: str) -> int:
        assert main(list(arguments)) == exits.FINE
        return len(json.loads(capfd.readouterr().out)["items"])

    everything = found("--config", str(config), "versions", "--json", "--limit", "1000")
    assert everything > 0
    monkeypatch.setenv("CATALOG_DATA_DIR", other)
    assert found("--json", "--config", str(config), "versions") == 0
    monkeypatch.setenv("CATALOG_CONFIG", str(config))
    assert found("--json", "--data-dir", str(filled), "versions", "--limit", "1000") == everything
    assert found("--json", "--data-dir", other, "versions", "--data-dir", str(filled), "--limit", "1000") == everything


def test_verbose_shows_where_an_error_was_raised(invoke: Invoke, filled: Path) -> None:
    """The traceback is for those who ask."""
    code, _, err = invoke("diff", "9999", "--verbose", data_dir=filled)
    assert code == exits.NOT_FOUND
    assert "Traceback" in err


def test_an_unreachable_redis_is_one_clear_line(invoke: Invoke) -> None:
    """The operator sees what does not answer."""
    with closed_port() as port:
        code, out, err = invoke("--redis-url", f"redis://127.0.0.1:{port}/0", "sources")
    assert (code, out) == (exits.FAILED, "")
    assert err.startswith("error: Redis does not answer")


def test_help_tells_the_exit_codes(capfd: pytest.CaptureFixture[str]) -> None:
    """What scripts rely on is documented where they are written."""
    assert main(["--help"]) == exits.FINE
    out = capfd.readouterr().out
    for code in (exits.FAILED, exits.HELD, exits.NOT_FOUND, exits.IN_USE, exits.INTERRUPTED):
        assert f"  {code} " in out


def test_a_reader_that_went_away_is_no_error(filled: Path) -> None:
    """``export | head`` ends quietly."""
    reading, writing = os.pipe()
    os.close(reading)
    with started("--data-dir", str(filled), "export", "--kind", "prefix", stdout=writing) as process:
        os.close(writing)
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(_WAIT_S) == exits.BROKEN_PIPE


@_LINUX
def test_an_interrupted_command_is_quiet_and_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a fetch: 130, no traceback, the embedded server gone."""
    data_dir = tmp_path / "data"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        addresses = {PAGE: f"http://127.0.0.1:{silent.getsockname()[1]}/page"}
        environment = {"CATALOG_ADDRESSES": json.dumps(addresses)}
        with started("sync", PAGE, "--data-dir", str(data_dir), environment=environment) as process:
            silent.settimeout(_WAIT_S)
            connection, _ = silent.accept()
            with connection:
                server = server_of(data_dir)
                process.send_signal(signal.SIGINT)
                assert process.wait(_WAIT_S) == exits.INTERRUPTED
            assert process.stderr is not None
            assert process.stderr.read() == ""
            assert ends(server)


# The service as a process


@contextmanager
def started(
    *arguments: str, stdout: int = subprocess.DEVNULL, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """The program as a process of its own, killed at the latest when the block ends."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CATALOG_")}
    command = [sys.executable, "-m", "catalog_service", *arguments]
    with subprocess.Popen(
        command, stdout=stdout, stderr=subprocess.PIPE, text=True, env={**clean, **(environment or {})}
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of this machine that refuses connections."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for the line with which a service says that it serves."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        event = json.loads(line)
        if "graphiql" in event:
            return dict(event)
    pytest.fail(f"it ended: {''.join(seen)}")


def get(url: str) -> tuple[int, dict[str, str], Any]:
    """Return status, headers (names in lower case) and JSON."""
    try:
        with urlopen(Request(url), timeout=_WAIT_S) as answer:
            return answer.status, _lower(answer.headers.items()), json.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, _lower(error.headers.items()), json.loads(error.read())


def _lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def server_of(data_dir: Path) -> int:
    """Return a pidfd of the embedded server."""
    return os.pidfd_open(json.loads((data_dir / "server.json").read_bytes())["pid"])


def ends(pidfd: int) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    gone = bool(poll.poll(_WAIT_S * 1000))
    os.close(pidfd)
    return gone


@pytest.fixture
def data_dir(invoke: Invoke, mirrors: tuple[Path, ...], tmp_path: Path) -> Path:
    """A data directory of this test, with one version."""
    invoke("sync", PAGE, "--mirror", mirrors[0])
    return tmp_path / "data"


@_LINUX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_serves_and_ends_in_order(data_dir: Path, mirrors: tuple[Path, ...], number: signal.Signals) -> None:
    """Ready at once with what is known; asked to stop, it exits with 0 and leaves no server behind."""
    arguments = ("run", "--port", "0", "--data-dir", str(data_dir), "--mirror", str(mirrors[0]))
    with started(*arguments) as process:
        event = told(process)
        status, headers, body = get(f"{event['url']}/readyz")
        assert (status, body["version"]) == (200, 1)
        assert "x-catalog-demo" not in headers
        assert event["data"] == str(data_dir)
        server = server_of(data_dir)
        process.send_signal(number)
        assert process.wait(_WAIT_S) == exits.FINE
        assert ends(server)


@_LINUX
def test_a_command_beside_the_service_joins_its_store(
    invoke: Invoke, data_dir: Path, mirrors: tuple[Path, ...]
) -> None:
    """What ``sync`` commits beside ``serve`` is served; a second service on the directory is refused."""
    with started("serve", "--port", "0", "--data-dir", str(data_dir)) as process:
        url = told(process)["url"]
        server = (data_dir / "server.json").read_bytes()
        code, out, _ = invoke("sync", PAGE, "--json", "--mirror", mirrors[1])
        assert (code, json.loads(out)[0]["version"]) == (exits.FINE, 2)
        deadline = time.monotonic() + _WAIT_S
        while get(f"{url}/v1/versions/2")[0] != 200:  # it follows the commit within moments
            assert time.monotonic() < deadline
        assert asked(invoke, "versions", data_dir=data_dir)["items"][0]["version"] == 2
        assert (data_dir / "server.json").read_bytes() == server
        code, _, err = invoke("serve", "--port", "0", data_dir=data_dir)
        assert code == exits.IN_USE
        assert f"error: another service runs on {data_dir}" in err
        process.terminate()
        assert process.wait(_WAIT_S) == exits.FINE


@_LINUX
def test_a_killed_service_leaves_no_server_and_starts_again(data_dir: Path, mirrors: tuple[Path, ...]) -> None:
    """kill -9 ends the embedded server too; the next start serves what was there."""
    arguments = ("run", "--port", "0", "--data-dir", str(data_dir), "--mirror", str(mirrors[0]))
    with started(*arguments) as process:
        told(process)
        server = server_of(data_dir)
        process.kill()
        assert ends(server)
    with started(*arguments) as process:
        assert get(f"{told(process)['url']}/readyz")[2]["version"] == 1


def unreachable(port: int) -> dict[str, str]:
    addresses = {source.name: f"http://127.0.0.1:{port}/" for source in SOURCES}
    return {"CATALOG_ADDRESSES": json.dumps(addresses), "CATALOG_FETCH_ATTEMPTS": "1"}


def test_the_demo_is_marked_and_apart(invoke: Invoke, tmp_path: Path) -> None:
    """Where no upstream answers and nothing was synced, the flag gives the demo, and the real catalogue stays empty."""
    data_dir = tmp_path / "data"
    arguments = ("run", "--demo-if-unreachable", "--port", "0", "--data-dir", str(data_dir))
    with closed_port() as port, started(*arguments, environment=unreachable(port)) as process:
        event = told(process)
        assert event["demo"] is True
        assert event["data"] == f"{data_dir}-demo"
        status, headers, body = get(f"{event['url']}/v1/versions?limit=100")
        assert (status, headers["x-catalog-demo"]) == (200, "true")
        assert {one["source"] for one in body["items"]} == NAMES
        process.terminate()
        assert process.wait(_WAIT_S) == exits.FINE
    assert asked(invoke, "versions", data_dir=data_dir)["items"] == []


def test_without_the_flag_there_is_never_a_demo(tmp_path: Path) -> None:
    """The product alone is not ready until it has real content."""
    with (
        closed_port() as port,
        started("run", "--port", "0", "--data-dir", str(tmp_path / "data"), environment=unreachable(port)) as process,
    ):
        event = told(process)
        status, headers, _ = get(f"{event['url']}/readyz")
        assert (status, event["demo"]) == (503, False)
        assert "x-catalog-demo" not in headers
    assert not (tmp_path / "data-demo").exists()


def test_a_catalogue_with_content_is_served_whatever_upstream_does(data_dir: Path) -> None:
    """The demo never stands in for what was synced before."""
    arguments = ("run", "--demo-if-unreachable", "--port", "0", "--data-dir", str(data_dir))
    with closed_port() as port, started(*arguments, environment=unreachable(port)) as process:
        event = told(process)
        assert event["demo"] is False
        assert get(f"{event['url']}/readyz")[2]["version"] == 1


def test_a_port_that_is_taken_is_one_clear_line(invoke: Invoke) -> None:
    """It is told before the store is opened."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = invoke("serve", "--port", port)
    assert code == exits.FAILED
    assert err == f"error: cannot serve on 127.0.0.1 port {port}: Address already in use\n"
