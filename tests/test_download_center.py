"""The download centre's pages, in every form they had."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from schema.errors import ParseError
from scrapers.download_center import FileLink, file_link

PAGES = Path(__file__).parent / "fixtures" / "download-center"
PUBLIC = "https://download.microsoft.com/download/7/1/{}/ServiceTags_Public_{}.json"
LOWER, UPPER = "d/71d86715-5596-4529-9b13-da13a5de5b63", "D/71D86715-5596-4529-9B13-DA13A5DE5B63"


def page(name: str) -> bytes:
    """A fixture's bytes."""
    return (PAGES / name).read_bytes()


def test_details_form() -> None:
    """The details form gives the newest file of the stem asked for, with both of its dates."""
    day = date(2026, 5, 4)
    wanted = FileLink(PUBLIC.format(LOWER, "20260504"), "ServiceTags_Public_20260504.json", day, day)
    assert file_link(page("details.html"), "Public") == wanted
    assert file_link(b"\xef\xbb\xbf" + page("details.html"), "China").named_on == date(2026, 5, 11)


def test_confirmation_form() -> None:
    """The older confirmation page names its file in a script, an anchor and an escaped refresh."""
    link = file_link(page("confirmation.html"), "Public")
    assert link == FileLink(PUBLIC.format(UPPER, "20230102"), "ServiceTags_Public_20230102.json", date(2023, 1, 2))


def test_escaped_refresh_with_seven_digits() -> None:
    """An entity-escaped refresh is read; seven digits are a name and no date."""
    link = file_link(page("refresh.html"), "AzureGovernment")
    assert link.url.startswith("https://download.microsoft.com/download/6/4/D/64DB03BF-895B-4173-A8B1-BA4AD5D4DF22/")
    assert (link.name, link.named_on) == ("ServiceTags_AzureGovernment_2024219.json", None)


def test_plain_links() -> None:
    """Among plain links, quoted or not, the newest of exactly this stem wins, wherever it stands."""
    assert file_link(page("plain.html"), "China").name == "ServiceTags_China_20260504.json"


def test_newest_falls_back_to_published_then_order() -> None:
    """Names without a date are compared by datePublished, and without that the first on the page wins."""
    old, new = "https://h/ServiceTags_Public_2026113.json", "https://h/ServiceTags_Public_2026118.json"
    files = f'{{"url":"{old}","datePublished":"1/13/2026 7:00:00 PM"}},{{"url":"{new}","datePublished":"1/20/2026"}}'
    details = f'<script>window.__DLCDetails__={{"dlcDetailsView":{{"downloadFile":[{files}]}}}}</script>'
    assert file_link(details.encode(), "Public").url == new
    assert file_link(f'<a href="{old}"></a><a href="{new}"></a>'.encode(), "Public").url == old


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>nothing here</html>",
        page("plain.html"),
        b'<script>window.__DLCDetails__={"dlcDetailsView": broken</script>',
        b'<script>window.__DLCDetails__={"dlcDetailsView": []}</script>',
        b'<a href="https://h/ServiceTags_Public_202605.json">',
        b'<a href="ftp://h/ServiceTags_Public_20260504.json">',
        b'<a href="https://h/ServiceTags_Public_20260504.zip">',
    ],
)
def test_no_link(body: bytes) -> None:
    """A page without a link to the file is refused, and the reason says what was looked for."""
    with pytest.raises(ParseError) as caught:
        file_link(body, "Public")
    assert "ServiceTags_Public_<date>.json" in caught.value.reasons[0]
    assert "__DLCDetails__" in caught.value.reasons[0]


def test_the_page_says_why() -> None:
    """The page's own error is quoted."""
    with pytest.raises(ParseError, match="We looked for this download and lost it") as caught:
        file_link(page("error.html"), "Public")
    assert len(caught.value.reasons) == 2


def test_captured_pages(corpus: Path) -> None:
    """Every captured page of the download centre names its file."""
    captured = sorted((corpus / "html").glob("download-*.html"))
    assert len(captured) >= 3
    for one in captured:
        link = file_link(one.read_bytes(), "Public")
        assert link.url.startswith(f"https://download.microsoft.com/download/7/1/{UPPER}/ServiceTags_Public_20000")
        assert link.named_on is None
