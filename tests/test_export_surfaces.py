"""Exports as they are asked for: over HTTP and on the command line, with the same bytes and the same counts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from catalog_service.cli import exits
from catalog_service.cli.app import main
from catalog_service.export.formats import FORMATS, format_named
from catalog_service.store.connect import Store
from catalog_service.sync.history import import_history
from scrapers.history.files import HistoricFile
from tests.api_client import DAY, START, TAGS, TAGS_1, catalog_client, commit, published, served_url
from tests.device_lists import addresses, read
from tests.local_source import Clock, body, local_source

PREFIXES = ("13.66.60.0/24", "13.66.60.64/26", "13.67.0.0/16", "20.60.0.0/16")
FQDNS = ("*.flow.microsoft.com", "make.powerautomate.com")


async def got(opened: httpx.AsyncClient, query: str) -> httpx.Response:
    response = await opened.get(f"/v1/allowlist?{query}")
    assert response.status_code == 200, response.text
    return response


@pytest.mark.parametrize("name", FORMATS)
async def test_every_format_is_served_with_its_counts(store: Store, name: str) -> None:
    """The file, its entries, what it lacks, its digest and its file name; HEAD says the same."""
    async with catalog_client(store) as opened:
        response = await got(opened, f"format={name}")
        head = await opened.head(f"/v1/allowlist?format={name}")
    found = read(name, response.content)
    format_ = format_named(name)
    lost = {"prefix": 0 if found.prefixes else len(PREFIXES), "fqdn": 0 if found.fqdns else len(FQDNS)}
    assert response.headers["x-catalog-entries"] == str(len(found.prefixes) + len(found.fqdns))
    expected = ", ".join(f"{reason}={count}" for reason, count in lost.items() if count)
    assert response.headers.get("x-catalog-dropped", "") == expected
    assert response.headers["x-content-sha256"] == hashlib.sha256(response.content).hexdigest()
    assert response.headers["content-disposition"] == f'inline; filename="catalog.{format_.extension}"'
    assert response.headers["content-type"].startswith(format_.media_type)
    assert response.headers["x-catalog-version"] == "3"
    for header in ("x-catalog-entries", "x-content-sha256", "etag"):
        assert head.headers[header] == response.headers[header]


async def test_the_list_is_cut_as_asked(store: Store) -> None:
    """Family, aggregate, ranges and name reach the file."""
    async with catalog_client(store) as opened:
        ranges = await got(opened, "format=panos-ip&ranges=range&at=1&family=4")
        fewest = await got(opened, "format=txt&aggregate=yes&kind=prefix")
        named = await got(opened, "format=nftables&name=ms-365&family=4")
        six = await got(opened, "format=json&family=6&at=1&kind=prefix")
    assert ranges.text == "13.66.60.0-13.66.60.255\n20.1.2.0-20.1.2.255\n"
    assert tuple(fewest.text.splitlines()) == tuple(map(str, addresses(PREFIXES)))
    assert read("nftables", named.content).names == ("ms-365_v4",)
    assert six.json()["prefixes"] == ["2603:1000::/40"]


async def test_a_list_over_the_limit_is_a_422_with_the_numbers(store: Store) -> None:
    """Nothing is cut in silence: the answer says how much is too much."""
    async with catalog_client(store) as opened:
        response = await opened.get("/v1/allowlist?format=panos-ip&limit=3")
    problem = response.json()
    assert (problem["code"], problem["parameter"]) == ("OVER_LIMIT", "overflow")
    assert (problem["entries"], problem["limit"], problem["over"], problem["aggregated"]) == (4, 3, 1, 3)
    assert (response.status_code, problem["status"]) == (422, 422)


async def test_an_overflow_is_told_in_headers_and_in_json(store: Store) -> None:
    """Cut off: a count. Split: which part of how many, and a Link to the next, of the same version."""
    async with catalog_client(store) as opened:
        cut = await got(opened, "format=txt&overflow=truncate&limit=5")
        json_ = (await got(opened, "format=json&overflow=truncate&limit=5")).json()
        first = await got(opened, "format=panos-ip&overflow=split&limit=3")
        await commit(store, TAGS, TAGS_1, START)
        link = first.headers["link"]
        assert link == '<?format=panos-ip&overflow=split&limit=3&at=3&part=2>; rel="next"'
        last = await opened.get(f"/v1/allowlist{link[1:].partition('>')[0]}")
    assert (cut.headers["x-catalog-entries"], cut.headers["x-catalog-truncated"]) == ("5", "1")
    assert (json_["truncated"], json_["fqdns"]) == (1, ["*.flow.microsoft.com"])
    assert (first.headers["x-catalog-part"], last.headers["x-catalog-part"]) == ("1/2", "2/2")
    assert (*first.text.split(), *last.text.split()) == PREFIXES
    assert "link" not in last.headers
    assert first.headers["content-disposition"] == 'inline; filename="catalog_1.txt"'


async def imported(store: Store, folder: Path, days: int, *prefixes: str) -> None:
    """Add what the tags were ``days`` before the first version."""
    path = folder / f"{days}.json"
    path.write_bytes(body({"LogicApps": list(prefixes)}))
    await import_history(local_source(TAGS), (HistoricFile(path.name, path, START - days * DAY),), store, Clock())


async def test_the_parts_of_a_labelled_list_are_of_one_state(store: Store, tmp_path: Path) -> None:
    """The Link names the number: a label that moves meanwhile, and who asked for the same before, change nothing."""
    await imported(store, tmp_path, 20, "20.1.0.0/24", "20.2.0.0/24", "20.3.0.0/24")
    await imported(store, tmp_path, 10, "20.4.0.0/24", "20.5.0.0/24", "20.6.0.0/24")
    await store.labels.set("then", 1, "ann", START)
    async with catalog_client(store) as opened:
        first = await got(opened, "overflow=split&limit=2&at=then")
        await store.labels.set("then", 2, "ann", START)
        last = await got(opened, first.headers["link"].partition("?")[2].partition(">")[0])
    assert "at=1&" in first.headers["link"]
    assert (first.text + last.text).split() == ["20.1.0.0/24", "20.2.0.0/24", "20.3.0.0/24"]


async def test_a_part_of_another_state_of_a_date_is_refused(store: Store, tmp_path: Path) -> None:
    """History that is imported between two parts may move entries from one to the other: begin anew."""
    await imported(store, tmp_path, 20, "20.1.0.0/24", "20.2.0.0/24", "20.3.0.0/24")
    async with catalog_client(store) as opened:
        first = await got(opened, f"overflow=split&limit=2&at={START.date() - 5 * DAY}")
        link = first.headers["link"].partition("?")[2].partition(">")[0]
        assert (await got(opened, link)).text.split() == ["20.3.0.0/24"]
        await imported(store, tmp_path, 10, "20.2.0.0/24", "20.3.0.0/24", "20.4.0.0/24")
        refused = await opened.get(f"/v1/allowlist?{link}")
    assert (refused.status_code, refused.json()["parameter"]) == (400, "of")


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("of=0123", "of"),
        ("format=panos-ip&family=5", "family"),
        ("format=panos-ip&family=4,6", "family"),
        ("family=", "family"),
        ("family=4&family=6", "family"),
        ("aggregate=1", "aggregate"),
        ("ranges=all", "ranges"),
        ("format=csv&ranges=range", "ranges"),
        ("overflow=cut", "overflow"),
        ("overflow=truncate", "overflow"),
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("limit=1e3", "limit"),
        ("limit=10000001", "limit"),
        ("limit=%C2%B2", "limit"),
        ("overflow=split&limit=2&part=0", "part"),
        ("overflow=split&limit=2&part=9", "part"),
        ("part=1", "part"),
        ("name=x", "name"),
        ("format=ipset&name=x%0Aadd", "name"),
        ("format=cisco-asa&name=x%20y", "name"),
        ("format=nftables&name=", "name"),
    ],
)
async def test_a_bad_option_is_named(store: Store, query: str, parameter: str) -> None:
    """Each is a 400 with the parameter to correct."""
    async with catalog_client(store) as opened:
        response = await opened.get(f"/v1/allowlist?{query}")
    assert (response.status_code, response.json()["parameter"]) == (400, parameter)


async def test_a_list_that_the_format_cannot_hold_is_no_match(store: Store) -> None:
    """Prefixes alone make no list of names."""
    async with catalog_client(store) as opened:
        response = await opened.get(f"/v1/allowlist?format=panos-url&source={TAGS}")
    problem = response.json()
    assert (response.status_code, problem["code"], problem["parameter"]) == (404, "NO_MATCH", "format")
    assert "prefix=4" in problem["detail"]


async def test_a_cut_by_the_devices_own_limit_is_not_kept_for_good(store: Store) -> None:
    """A release may know another number; one that the client gave lasts as long as the version."""
    async with catalog_client(store) as opened:
        own = await got(opened, "format=panos-ip&overflow=split&at=3")
        given = await got(opened, "format=panos-ip&overflow=split&limit=9&at=3")
        bytes_too = await got(opened, "format=fortigate-ip&overflow=split&limit=9&at=3")
    assert "immutable" not in own.headers["cache-control"]
    assert "immutable" in given.headers["cache-control"]
    assert "immutable" not in bytes_too.headers["cache-control"]


@pytest.fixture
def redis_url(redis_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of a store with the same catalogue."""
    with served_url(redis_url, tmp_path, published) as url:
        yield url


def test_the_command_writes_the_parts_of_a_list(
    redis_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each part is a file of its own, numbered before the extension; an older part too many is warned of."""
    target = tmp_path / "list.auto.tfvars.json"
    stale = tmp_path / "list-4.auto.tfvars.json"
    stale.write_text("{}")
    asked = ["--redis-url", redis_url, "export", "--format", "tfvars", "--overflow", "split", "--limit", "2"]
    assert main([*asked, "--name", "ms", "-o", str(target)]) == exits.FINE
    err = capfd.readouterr().err
    parts = [read("tfvars", (tmp_path / f"list-{part}.auto.tfvars.json").read_bytes()) for part in (1, 2, 3)]
    assert tuple(one for part in parts for one in (*part.prefixes, *part.fqdns)) == (*PREFIXES, *FQDNS)
    assert parts[1].names == ("ms_2_ipv4", "ms_2_ipv6", "ms_2_fqdns")
    assert not target.exists()
    assert f"{stale} is of an earlier list" in err
    assert main(asked) == exits.USAGE
    out, err = capfd.readouterr()
    assert (out, "3 parts" in err) == ("", True)
    assert main([*asked, "--part", "3"]) == exits.FINE
    assert read("tfvars", capfd.readouterr().out.encode()).fqdns == FQDNS


def test_parts_are_all_replaced_or_none(redis_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One that cannot be written leaves those before it as they were: together they are one list, old or new."""
    first, second = tmp_path / "list-1.txt", tmp_path / "list-2.txt"
    first.write_text("old")
    second.mkdir()
    asked = ["--redis-url", redis_url, "export", "--overflow", "split", "--limit", "2"]
    assert main([*asked, "-o", str(tmp_path / "list.txt")]) != exits.FINE
    assert f"{second} cannot be written" in capfd.readouterr().err
    assert (first.read_text(), sorted(tmp_path.iterdir())) == ("old", [first, second])


def test_the_command_says_what_it_leaves_out(redis_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Dropped and cut off are counted on stderr; the list alone is on stdout."""
    asked = ["--redis-url", redis_url, "export", "--format", "panos-ip"]
    assert main([*asked, "--overflow", "truncate", "--limit", "3"]) == exits.FINE
    out, err = capfd.readouterr()
    assert tuple(out.split()) == PREFIXES[:3]
    assert "panos-ip cannot hold it: fqdn=2" in err
    assert "1 entries over the limit are cut off; 3 are written" in err
    assert main([*asked, "--aggregate", "--ranges", "range", "--limit", "3"]) == exits.FINE
    assert capfd.readouterr().out == "13.66.60.0-13.66.60.255\n13.67.0.0-13.67.255.255\n20.60.0.0-20.60.255.255\n"


def test_the_command_refuses_a_list_over_the_limit(
    redis_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It writes nothing, and says the numbers."""
    target = tmp_path / "list.txt"
    asked = ["--redis-url", redis_url, "export", "--format", "fortigate-ip", "--limit", "3", "-o", str(target)]
    assert main(asked) != exits.FINE
    assert "4 entries, 1 over the limit of 3" in capfd.readouterr().err
    assert not target.exists()
    assert main([*asked, "--family", "6"]) != exits.FINE
    assert not target.exists()
