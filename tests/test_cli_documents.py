"""The commands on documents and on history: import, document, reparse."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog_service.cli import exits
from catalog_service.cli.app import main
from scrapers.demo import demo_folders

PAGE = "power-automate-ip-address-configuration"
ADDRESS = "learn.microsoft.com/en-us/power-automate/ip-address-configuration"

Say = Callable[..., tuple[int, bytes, str]]


@pytest.fixture
def said(capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Say:
    """Run the program on a data directory of the test's own: exit code, stdout, stderr."""

    def run(*arguments: str | Path) -> tuple[int, bytes, str]:
        capfdbinary.readouterr()
        code = main([*map(str, arguments), "--data-dir", str(tmp_path / "data")])
        output = capfdbinary.readouterr()
        return code, output.out, output.err.decode()

    return run


@pytest.fixture
def past(tmp_path: Path) -> Path:
    """An archive of the demo's page at its three dates, and a file without a date."""
    with tarfile.open(tmp_path / "past.tar.gz", "w:gz") as archive:
        for date, folder in demo_folders(tmp_path / "demo"):
            archive.add(folder / ADDRESS, f"page_{date}.html")
        archive.add(folder / ADDRESS, "page.html")
    return tmp_path / "past.tar.gz"


def test_history_is_imported_and_read_by_date(said: Say, past: Path) -> None:
    """Every dated file becomes a version; what cannot be is named and exits with 3; again, nothing is new."""
    code, out, _ = said("import", PAGE, past, "--json")
    done = json.loads(out)
    assert (code, [one["result"] for one in done]) == (exits.FAILED, ["imported", "imported", "imported", "refused"])
    assert "no date" in done[-1]["reasons"][0]
    assert [one["result"] for one in json.loads(said("import", PAGE, past, "--json")[1])][:3] == ["unchanged"] * 3
    versions = json.loads(said("versions", "--source", PAGE, "--json")[1])["items"]
    assert [(one["version"], one["upstream_at"][:10], one["imported"]) for one in versions] == [
        (3, "2026-05-18", True), (2, "2026-05-11", True), (1, "2026-05-04", True),
    ]  # fmt: skip
    difference = json.loads(said("diff", "2026-05-04", "2026-05-15", "--json")[1])
    assert (difference["from"], difference["to"]) == (1, 2)
    assert difference["to_as_of"].startswith("2026-05-15T23:59:59")
    assert difference["summary"] == versions[1]["summary"]
    assert said("lookup", "make.powerautomate.com", "--at", "2026-05-12")[0] == exits.FINE
    assert said("lookup", "make.powerautomate.com")[0] != exits.FINE


def test_history_that_is_not_there_is_a_clear_error(said: Say, tmp_path: Path) -> None:
    """A path that does not exist, named."""
    code, _, err = said("import", PAGE, tmp_path / "nothing.tar.xz")
    assert (code, "nothing.tar.xz is not there" in err) == (exits.USAGE, True)


def test_a_record_leads_to_its_document(said: Say, past: Path, tmp_path: Path) -> None:
    """The digest in the provenance gives the bytes that were fetched, on stdout or into a file; reparse reads them."""
    demo = past.parent / "demo" / "2026-05-04"
    assert said("sync", PAGE, "--mirror", demo)[0] == exits.FINE
    version = json.loads(said("versions", "--json")[1])["items"][0]
    page = (demo / ADDRESS).read_bytes()
    assert said("document", version["document"]) == (exits.FINE, page, "")
    assert said("document", version["document"][7:15], "--output", tmp_path / "page.html")[0] == exits.FINE
    assert (tmp_path / "page.html").read_bytes() == page
    about = json.loads(said("document", version["document"], "--json")[1])
    assert (about["source"], about["provenance"]["url"]) == (PAGE, f"https://{ADDRESS}")
    code, out, _ = said("reparse", PAGE)
    assert (code, b"unchanged" in out) == (exits.FINE, True)
    code, _, err = said("document", "0123456789")
    assert (code, "no document with this digest" in err) == (exits.NOT_FOUND, True)


def test_an_archive_is_never_asked(said: Say) -> None:
    """A closed cloud has no upstream: the way in is named."""
    code, _, err = said("sync", "azure-service-tags-germany")
    assert (code, "import" in err) == (exits.USAGE, True)
