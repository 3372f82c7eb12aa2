"""Documents become pages by their content, and tell their own commit and date."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schema.errors import ParseError
from scrapers.docs.page import Page
from scrapers.docs.reader import read_page, upstream_facts

MARKDOWN = "---\ntitle: T\n---\n\n# T\n\n| Domains | Uses |\n|---|---|\n| *.a.example.com | é |\n"
HTML = (
    "<!DOCTYPE html><html><body><table><tr><th>Domains</th></tr><tr><td>*.a.example.com</td></tr></table></body></html>"
)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (MARKDOWN.encode(), "text/markdown"),
        (MARKDOWN.encode(), "text/html"),
        (MARKDOWN.encode("utf-8-sig"), "application/octet-stream"),
        (MARKDOWN.replace("\n", "\r\n").encode("utf-16"), "text/plain"),
        (MARKDOWN.split("---\n\n", 1)[1].encode(), "application/octet-stream"),
        (HTML.encode(), "text/html"),
        (HTML.encode(), "application/octet-stream"),
        (HTML.encode(), "text/markdown"),
    ],
)
def test_the_content_decides_the_form(body: bytes, media_type: str) -> None:
    """Front matter, encodings and a wrong media type make no difference to what is read."""
    assert [table.rows[0][0].text for table in read_page(body, media_type).tables] == ["*.a.example.com"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Error><Code>ServerBusy</Code></Error>", "XML"),
        (b"\x80\x81PNG", "not text"),
    ],
)
def test_what_is_no_page_is_refused(body: bytes, message: str) -> None:
    """Empty, XML and binary answers are errors."""
    with pytest.raises(ParseError, match=message):
        read_page(body, "text/html")


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (HTML.removesuffix("</html>"), "text/html"),
        (HTML.replace("<table>", "<!-- <table>"), "text/html"),
        (HTML.replace("<html>", "<html lang='en'><script>'</html>'</script>").removesuffix("</html>"), "text/html"),
        (MARKDOWN.replace("# T", "<!-- # T"), "text/markdown"),
    ],
)
def test_a_truncated_page_is_refused(body: str, media_type: str) -> None:
    """A document or a comment that begins and does not end has lost what follows."""
    with pytest.raises(ParseError, match="truncated") as refused:
        read_page(body.encode(), media_type)
    assert all("truncated: " in reason for reason in refused.value.reasons)
    assert len(refused.value.reasons) == 1


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ("<main><table><tr><th>Domains</th></tr></table>", "text/html"),
        (HTML.replace("<table>", "<!-- x --><!----><script>var a = '<!--';</script><table>"), "text/html"),
        (HTML.replace("</html>", "</HTML >\n"), "text/html"),
        (MARKDOWN.replace("# T", "Write `<!--` here. <!-- not\nthere -->\n\n# T"), "text/markdown"),
    ],
)
def test_a_fragment_and_a_closed_comment_are_whole(body: str, media_type: str) -> None:
    """Fragments need no end, scripts and code hold no comments."""
    assert len(read_page(body.encode(), media_type).tables) == 1


@pytest.mark.parametrize(
    ("metadata", "version", "at"),
    [
        ((), None, None),
        ((("git_commit_id", "a" * 40),), "a" * 40, None),
        ((("gitcommit", f"https://github.com/x/y/blob/{'b' * 40}/z.md"),), "b" * 40, None),
        ((("ms.date", "01/14/2022"),), None, None),
        (
            (("ms.date", "2022-01-14T00:00:00Z"), ("updated_at", "2022-02-01T08:30:00Z")),
            None,
            datetime(2022, 2, 1, 8, 30, tzinfo=UTC),
        ),
        ((("updated_at", "2017-02-18 06:16 PM"),), None, datetime(2017, 2, 18, 18, 16, tzinfo=UTC)),
        ((("updated_at", "soon"),), None, None),
    ],
)
def test_a_page_tells_its_commit_and_date(
    metadata: tuple[tuple[str, str], ...], version: str | None, at: datetime | None
) -> None:
    """All forms of commits and dates are read; what cannot be read is left out."""
    facts = upstream_facts(Page(title="T", metadata=metadata, blocks=()))
    assert (facts.version, facts.at) == (version, at)
