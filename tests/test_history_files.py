"""Files of the past: found in folders, archives and git, dated, refused with a reason."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import zipfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from schema.errors import BadParameterError
from scrapers.history.files import opened_history

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def day(year: int, month: int, number: int) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("ServiceTags_Public_20240506.json", day(2024, 5, 6)),
        ("067_2020-02-24_9132c8c74c.md", day(2020, 2, 24)),
        ("017_2022-01-14_seed-id21181143112.md", day(2022, 1, 14)),
        ("endpoints_worldwide_2021-03-07.json", day(2021, 3, 7)),
        ("China_2018063000.json", day(2018, 6, 30)),
        ("page.2021_03_09.html", day(2021, 3, 9)),
        ("later_64663chars_id11047957704.md", None),
        ("ServiceTags_20241399.json", None),
        ("notes.md", None),
    ],
)
def test_the_day_stands_in_the_name(tmp_path: Path, name: str, at: datetime | None) -> None:
    """YYYY-MM-DD or YYYYMMDD, not digits of something else; a file without one is named with the reason."""
    (tmp_path / name).write_text("{}")
    with opened_history((tmp_path / name,), NOW) as history:
        assert [file.at for file in history.files] == ([at] if at else [])
        assert [one for one, _ in history.refused] == ([] if at else [name])


def test_files_of_one_day_keep_their_order(tmp_path: Path) -> None:
    """Each was valid for a time, in the order of their names."""
    for name in ("002_2020-02-24_b.md", "001_2020-02-24_a.md", "003_2020-02-23_c.md"):
        (tmp_path / name).write_text(name)
    with opened_history((tmp_path,), NOW) as history:
        assert [(Path(file.name).name[:3], file.at.second) for file in history.files] == [
            ("003", 0), ("001", 0), ("002", 1),
        ]  # fmt: skip


def test_archives_and_folders_are_read_through(tmp_path: Path) -> None:
    """A tar, a zip and a plain file in one folder; members keep their bytes and say where they are from."""
    folder = tmp_path / "past"
    folder.mkdir()
    (folder / "tags_20240101.json").write_bytes(b"one")
    (folder / ".tags_20240102.json").write_bytes(b"hidden")
    with tarfile.open(folder / "more.tar.xz", "w:xz") as archive:
        member = tarfile.TarInfo("../../tags_20240108.json")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"two"))
    with zipfile.ZipFile(folder / "rest.zip", "w") as packed:
        packed.writestr("inner/tags_20240115.json", b"three")
    with opened_history((folder,), NOW) as history:
        bodies = [file.document(day(2026, 1, 1)).body for file in history.files]
        assert bodies == [b"one", b"two", b"three"]
        assert history.files[1].name == "past/more.tar.xz/../../tags_20240108.json"
        provenance = history.files[0].document(day(2026, 1, 1)).provenance
        assert (provenance.url, provenance.upstream_at) == ("import:past/tags_20240101.json", day(2024, 1, 1))
        assert provenance.media_type == "application/json"
    assert sorted(one.name for one in folder.iterdir()) == [
        ".tags_20240102.json", "more.tar.xz", "rest.zip", "tags_20240101.json",
    ]  # fmt: skip


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The operator's error."""
    with pytest.raises(BadParameterError, match=r"past\.tar\.gz"), opened_history((tmp_path / "past.tar.gz",), NOW):
        pass


@pytest.mark.parametrize("damage", ["cut tar", "cut zip", "encrypted zip", "empty tar"])
def test_a_damaged_archive_is_named_and_the_others_are_read(tmp_path: Path, damage: str) -> None:
    """What came out of it whole is read too."""
    (tmp_path / "tags_20240101.json").write_bytes(b"one")
    path = tmp_path / ("past.tar.gz" if "tar" in damage else "past.zip")
    if "tar" in damage:
        with tarfile.open(path, "w:gz") as archive:
            for day_, size in () if damage == "empty tar" else ((8, 3), (15, 100_000)):
                member = tarfile.TarInfo(f"tags_202401{day_:02}.json")
                member.size = size
                archive.addfile(member, io.BytesIO(os.urandom(size)))
    else:
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("tags_20240115.json", "three")
    whole = path.read_bytes()
    if damage == "encrypted zip":
        marked = bytearray(whole)
        marked[6] |= 1
        marked[whole.rindex(b"PK\x01\x02") + 8] |= 1
        path.write_bytes(marked)
    elif damage != "empty tar":
        path.write_bytes(whole[: -len(whole) // 3] if "tar" in damage else whole[:40])
    with opened_history((tmp_path,), NOW) as history:
        dates = [f"{file.at:%m%d}" for file in history.files]
        assert dates == (["0101", "0108"] if damage == "cut tar" else ["0101"])
        ((name, reason),) = history.refused
        assert name.endswith(path.name)
        assert reason


def test_a_file_past_the_limit_is_refused(tmp_path: Path) -> None:
    """Nothing larger than an answer may be is read."""
    (tmp_path / "tags_20240101.json").write_bytes(b"x" * 100)
    with opened_history((tmp_path,), NOW, max_bytes=99) as history:
        assert history.refused == ((f"{tmp_path.name}/tags_20240101.json", "it has more than 99 bytes"),)


def test_a_member_past_the_limit_is_not_even_unpacked(tmp_path: Path) -> None:
    """A small archive of a very large file costs no disk."""
    with zipfile.ZipFile(tmp_path / "past.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("tags_20240115.json", b"x" * (5 << 20))
    with opened_history((tmp_path / "past.zip",), NOW, max_bytes=1000) as history:
        assert history.refused == (("past.zip/tags_20240115.json", "it has more than 1000 bytes"),)


def test_a_day_that_lies_ahead_is_refused(tmp_path: Path) -> None:
    """History is not of tomorrow."""
    (tmp_path / "tags_20270101.json").write_bytes(b"x")
    with opened_history((tmp_path,), NOW) as history:
        assert history.refused == ((f"{tmp_path.name}/tags_20270101.json", "2027-01-01 lies ahead"),)


def test_a_name_of_any_bytes_is_told_as_text(tmp_path: Path) -> None:
    """It can be written down."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/tags_\xff_20240101.json")).write_bytes(b"x")
    with opened_history((tmp_path,), NOW) as history:
        assert history.files[0].name == f"{tmp_path.name}/tags_\ufffd_20240101.json"


def test_a_pages_git_history_is_what_its_main_line_had(tmp_path: Path) -> None:
    """Each commit of the first parents, through a rename, with its date and its commit as upstream's version."""

    git = partial(run_git, tmp_path)
    git("init", "-q")
    page = tmp_path / "old page.md"
    page.write_text("first\n" * 9)
    git("add", ".")
    git("commit", "-qm", "first")
    git("mv", "old page.md", "page.md")
    git("commit", "-qm", "renamed", at="2024-05-07T10:00:00+00:00")
    git("checkout", "-qb", "draft")
    (tmp_path / "page.md").write_text("draft\n" + "first\n" * 9)
    git("commit", "-qam", "a draft", at="2024-05-08T10:00:00+00:00")
    (tmp_path / "page.md").write_text("second\n" + "first\n" * 9)
    git("commit", "-qam", "second", at="2024-05-09T10:00:00+00:00")
    git("checkout", "-q", "main")
    git("merge", "-q", "--no-ff", "-m", "published", "draft", at="2024-05-10T10:00:00+00:00")
    head = git("rev-parse", "HEAD")
    with opened_history((tmp_path / "page.md",), NOW, git=True) as history:
        told = [(file.at, file.document(day(2026, 1, 1)).body[:6]) for file in history.files]
        assert told == [
            (datetime(2024, 5, 6, 8, tzinfo=UTC), b"first\n"),
            (datetime(2024, 5, 7, 10, tzinfo=UTC), b"first\n"),
            (datetime(2024, 5, 10, 10, tzinfo=UTC), b"second"),
        ]
        assert history.files[-1].upstream_version == head
    with (
        pytest.raises(BadParameterError, match="knows no commit"),
        opened_history((tmp_path / "no.md",), NOW, git=True),
    ):
        pass
    with pytest.raises(BadParameterError, match="git cannot read"), opened_history((Path("/x.md"),), NOW, git=True):
        pass


def test_commits_of_one_second_keep_their_order(tmp_path: Path) -> None:
    """The last one of them is what was valid then, whatever the file is called."""
    git = partial(run_git, tmp_path)
    git("init", "-q")
    page = tmp_path / ':a "page" .md'
    for number, second in ((1, 0), (2, 0), (3, 0), (4, 1)):
        page.write_text(f"{number}\n" * 9)
        git("--literal-pathspecs", "add", page.name)
        git("commit", "-qm", f"{number}", at=f"2024-05-06T10:00:0{second}+00:00")
    with opened_history((page,), NOW, git=True) as history:
        told = [(file.at.second, file.document(NOW).body[:1]) for file in history.files]
        assert told == [(0, b"1"), (1, b"2"), (2, b"3"), (3, b"4")]


def run_git(folder: Path, *words: str, at: str = "2024-05-06T10:00:00+02:00") -> str:
    """Run git in ``folder`` as if at ``at``; its output."""
    dates = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
    environment = {**dates, "HOME": str(folder), "PATH": os.environ["PATH"]}
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], check=True, capture_output=True, text=True, env=environment
    )
    return done.stdout.strip()
