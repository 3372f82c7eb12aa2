"""The download centre's pages, in every form they had."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from schema.errors import ParseError
from scrapers.download_center import FileLink, file_link

PAGES = Path(__file__).parent / "fixtures" / "download-center"
PUBLIC = "https://download.microsoft.com/download/7/1/{}/ServiceTags_Public_{}.json"
PAGE = "https://www.microsoft.com/en-us/download/details.aspx?id=56519"
LOWER, UPPER = "d/71d86715-5596-4529-9b13-da13a5de5b63", "D/71D86715-5596-4529-9B13-DA13A5DE5B63"


OLD, NEW = PUBLIC.format(LOWER, "20260427"), PUBLIC.format(LOWER, "20260504")
SHAPES = (
    b'"dlcDetailsView": 5',
    b'"dlcDetailsView": "x", "error": 5',
    b'"dlcDetailsView": {"downloadFile": 5}',
    b'"dlcDetailsView": {"downloadFile": "x"}',
    b'"dlcDetailsView": {"downloadFile": {"url": "x"}, "error": ["x"]}',
    b'"dlcDetailsView": {"downloadFile": [5, null, [], {"url": 5}, {"url": "https://["}]}',
    b'"dlcDetailsView": {"downloadFile": [{"url": "https://h/x.json", "datePublished": {"day": 1}}]}',
    b'"dlcDetailsView": ' + b"[" * 100_000,
)
"""What the details form is not."""


def page(name: str) -> bytes:
    """A fixture's bytes."""
    return (PAGES / name).read_bytes()


def test_details_form() -> None:
    """The details form gives the newest file of the stem asked for, with both of its dates."""
    day = date(2026, 5, 4)
    wanted = FileLink(PUBLIC.format(LOWER, "20260504"), "ServiceTags_Public_20260504.json", day, day)
    assert file_link(page("details.html"), "Public", PAGE) == wanted
    assert file_link(b"\xef\xbb\xbf" + page("details.html"), "China", PAGE).named_on == date(2026, 5, 11)


def test_confirmation_form() -> None:
    """The older confirmation page names its file in a script, an anchor and an escaped refresh."""
    link = file_link(page("confirmation.html"), "Public", PAGE)
    assert link == FileLink(PUBLIC.format(UPPER, "20230102"), "ServiceTags_Public_20230102.json", date(2023, 1, 2))


def test_escaped_refresh_with_seven_digits() -> None:
    """An entity-escaped refresh is read; seven digits are a name and no date."""
    link = file_link(page("refresh.html"), "AzureGovernment", PAGE)
    assert link.url.startswith("https://download.microsoft.com/download/6/4/D/64DB03BF-895B-4173-A8B1-BA4AD5D4DF22/")
    assert (link.name, link.named_on) == ("ServiceTags_AzureGovernment_2024219.json", None)


def test_plain_links() -> None:
    """Among plain links, quoted or not, the newest of exactly this stem wins, wherever it stands."""
    assert file_link(page("plain.html"), "China", PAGE).name == "ServiceTags_China_20260504.json"


def test_newest_falls_back_to_published_then_order() -> None:
    """Names without a date are compared by datePublished, and without that the first on the page wins."""
    old, new = "https://h/ServiceTags_Public_2026113.json", "https://h/ServiceTags_Public_2026118.json"
    files = f'{{"url":"{old}","datePublished":"1/13/2026 7:00:00 PM"}},{{"url":"{new}","datePublished":"1/20/2026"}}'
    details = f'<script>window.__DLCDetails__={{"dlcDetailsView":{{"downloadFile":[{files}]}}}}</script>'
    assert file_link(details.encode(), "Public", PAGE).url == new
    assert file_link(f'<a href="{old}"></a><a href="{new}"></a>'.encode(), "Public", PAGE).url == old


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
        b'<a href="https://h/ServiceTags_Public_20260504.json.zip">',
        b'<a href="https://h/ServiceTags_Public_202605041.json">',
        b'<a href="https://[/ServiceTags_Public_20260504.json">',
        b'<a href="mailto:ServiceTags_Public_20260504.json">',
        b'<b title="ServiceTags_Public_20260504.json">ServiceTags_Public_20260504.json</b>',
        b'<!-- <a href="https://h/ServiceTags_Public_20260504.json"> -->',
        b'<!-- never closed <a href="https://h/ServiceTags_Public_20260504.json">',
        *(b"<script>window.__DLCDetails__={%s}</script>" % shape for shape in SHAPES),
    ],
)
def test_no_link(body: bytes) -> None:
    """A page without a link to the file is refused, and the reason says what was looked for."""
    with pytest.raises(ParseError) as caught:
        file_link(body, "Public", PAGE)
    assert "ServiceTags_Public_<date>.json" in caught.value.reasons[0]
    assert "__DLCDetails__" in caught.value.reasons[0]


@pytest.mark.parametrize("shape", SHAPES)
def test_details_of_another_shape(shape: bytes) -> None:
    """A details form of another shape says nothing: the page's other links are read."""
    body = b'<script>window.__DLCDetails__={%s}</script><a href="%s">' % (shape, NEW.encode())
    assert file_link(body, "Public", PAGE) == FileLink(NEW, NEW.rpartition("/")[2], date(2026, 5, 4))


@pytest.mark.parametrize(
    "comment",
    ["<!-- {} -->", "<!--{}--!>", "<!--\n<script>\n{}</script>\n-->", "<!---->x<!-- {} -->", "<!--><!--{}-->"],
)
def test_comments_say_nothing(comment: str) -> None:
    """A newer link inside an HTML comment is not there."""
    body = f'{comment.format(NEW)}<a href="{OLD}">{comment.format(NEW)}'
    assert file_link(body.encode(), "Public", PAGE).url == OLD


def test_no_comment_in_a_script() -> None:
    """In a script the mark of a comment is text: what follows it is read."""
    body = f'<SCRIPT><!--\nvar downloadData={{base_0:{{url:"{NEW}"}}}}\n</script><a href="{OLD}">'
    assert file_link(body.encode(), "Public", PAGE).url == NEW


def test_https_comes_first() -> None:
    """A link over http is taken only where none over https leads to the files' host, whatever its place and date."""
    plain = NEW.replace("https:", "http:")
    assert file_link(f'<a href="{plain}"><a href="{OLD}">'.encode(), "Public", PAGE).url == OLD
    assert file_link(f'<a href="{plain}">'.encode(), "Public", PAGE).url == plain


@pytest.mark.parametrize(
    "foreign",
    [
        "https://evil.example/ServiceTags_Public_20270101.json",
        "https://evildownload.microsoft.com/ServiceTags_Public_20270101.json",
        "https://download.microsoft.com.evil.example/ServiceTags_Public_20270101.json",
        "https://download.microsoft.com@evil.example/ServiceTags_Public_20270101.json",
        "//evil.example/ServiceTags_Public_20270101.json",
    ],
)
def test_foreign_hosts_come_last(foreign: str) -> None:
    """A newer link to another host is taken only where none leads to the files' host; the client refuses it."""
    for body in (f'<a href="{foreign}"><a href="{OLD}">', f'<a href="{OLD}"><a href="{foreign}">'):
        assert file_link(body.encode(), "Public", PAGE).url == OLD
    alone = file_link(f'<a href="{foreign}">'.encode(), "Public", PAGE).url
    assert alone.removeprefix("https:") == foreign.removeprefix("https:")
    below = NEW.replace("https://", "https://cdn.")
    assert file_link(f'<a href="{OLD}"><a href="{below}">'.encode(), "Public", PAGE).url == below


@pytest.mark.parametrize(
    ("page_url", "url", "taken"),
    [
        ("http://copies.example:81/tags.html", "http://copies.example:82/ServiceTags_Public_20260511.json", True),
        ("https://copies.example/tags.html", "https://copies.example/ServiceTags_Public_20260511.json", True),
        ("https://copies.example/tags.html", "http://copies.example/ServiceTags_Public_20260511.json", False),
        ("http://copies.example/tags.html", "http://others.example/ServiceTags_Public_20260511.json", False),
    ],
)
def test_own_host_of_a_copied_page(page_url: str, url: str, *, taken: bool) -> None:
    """On a page that an operator points to, its own host is as good as the files' host, over the page's own scheme."""
    assert file_link(f'<a href="{NEW}"><a href="{url}">'.encode(), "Public", page_url).url == (url if taken else NEW)


@pytest.mark.parametrize(
    ("markup", "page_url", "url"),
    [
        (f'<a href="{NEW.removeprefix("https:")}">', PAGE, NEW),
        (f'downloadData={{base_0:{{url:"{NEW.removeprefix("https:")}"}}}}', PAGE, NEW),
        ('<a href="/d/ServiceTags_Public_20260504.json">', PAGE, "https://www.microsoft.com/d/{}"),
        ("<a HREF = '../d/ServiceTags_Public_20260504.json'>", "http://h/a/b/c", "http://h/a/d/{}"),
        ("<a href=ServiceTags_Public_20260504.json>", "http://h:8/a/", "http://h:8/a/{}"),
        (
            '{"name":"ServiceTags_Public_20260504.json","url":"\\/d\\/ServiceTags_Public_20260504.json"}',
            "http://h/a",
            "http://h/d/{}",
        ),
    ],
)
def test_relative_links(markup: str, page_url: str, url: str) -> None:
    """Links without a scheme or a host count from the page's own address."""
    assert file_link(markup.encode(), "Public", page_url).url == url.format("ServiceTags_Public_20260504.json")


@pytest.mark.parametrize(
    "markup",
    [
        '<a href="{}?sv=1&amp;sig=a%2Fb%3D&amp;copy=1#part">',
        '<a href="{}?sv=1&sig=a%2Fb%3D&copy=1">',
        '&lt;meta content="0;url={}?sv=1&amp;amp;sig=a%2Fb%3D&amp;amp;copy=1" /&gt;',
        '<script>x={{"url":"{}?sv=1\\u0026sig=a%2Fb%3D\\u0026copy=1"}}</script>',
    ],
)
def test_query_is_kept(markup: str) -> None:
    """A link's query is part of it, however the page writes its ampersands."""
    assert file_link(markup.format(NEW).encode(), "Public", PAGE).url == f"{NEW}?sv=1&sig=a%2Fb%3D&copy=1"


def test_published_with_a_query() -> None:
    """A file of the details form has its date whatever its address looks like."""
    file = '{"url":"\\/d\\/ServiceTags_Public_2026113.json?a=1\\u0026b=2","datePublished":"1/13/2026 7:00:00 PM"}'
    details = f'<script>window.__DLCDetails__={{"dlcDetailsView":{{"downloadFile":[{file}]}}}}</script>'
    link = file_link(details.encode(), "Public", "https://copies.example/")
    assert link.url == "https://copies.example/d/ServiceTags_Public_2026113.json?a=1&b=2"
    assert (link.named_on, link.published_on) == (None, date(2026, 1, 13))


def test_the_page_says_why() -> None:
    """The page's own error is quoted."""
    with pytest.raises(ParseError, match="We looked for this download and lost it") as caught:
        file_link(page("error.html"), "Public", PAGE)
    assert len(caught.value.reasons) == 2


def test_captured_pages(corpus: Path) -> None:
    """Every captured page of the download centre names its file."""
    captured = sorted((corpus / "html").glob("download-*.html"))
    assert len(captured) >= 3
    for one in captured:
        link = file_link(one.read_bytes(), "Public", PAGE)
        assert link.url.startswith(f"https://download.microsoft.com/download/7/1/{UPPER}/ServiceTags_Public_20000")
        assert link.named_on is None
