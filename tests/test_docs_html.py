"""Docs pages in HTML: the frames of two eras, hidden panels, breaks and damaged cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema.errors import ParseError
from scrapers.docs.html import page_from_html
from scrapers.docs.page import BulletList, Page, Paragraph

TABLE = "<table><thead><tr><th>Domains</th><th>Uses</th></tr></thead><tbody>{}</tbody></table>"
FIXTURES = Path(__file__).parent / "fixtures" / "power-automate"


def row(domains: str, uses: str = "Uses") -> str:
    return f"<tr><td>{domains}</td><td>{uses}</td></tr>"


def lines(cell: str) -> tuple[str, ...]:
    (table,) = page_from_html(TABLE.format(row(cell))).tables
    return table.rows[0][0].lines


def said(page: Page) -> list[str]:
    return [block.text.text for block in page.blocks if isinstance(block, Paragraph)]


@pytest.mark.parametrize("spelling", ["<br />", "<br/>", "<br>", "<BR>", "</br>", "</b>", "</BR >", " <br> "])
def test_all_spellings_of_a_break_part_names(spelling: str) -> None:
    """No spelling glues two names into one (sources.md D1.1)."""
    assert lines(f"login.microsoft.com{spelling}login.windows.net") == ("login.microsoft.com", "login.windows.net")


def test_an_end_of_bold_that_closes_bold_is_no_break() -> None:
    """Only a ``</b>`` that closes nothing stands for a break."""
    assert lines("<b>login</b>.microsoft.com</b>login.windows.net") == ("login.microsoft.com", "login.windows.net")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("a.example.com<br />b.example.com<br />", ("a.example.com", "b.example.com")),
        (" </li><li>a.example.com<br/></li><li>b.example.com ", ("a.example.com", "b.example.com")),
        ("<ul><li>a.example.com</li><li>b.example.com</li></ul>", ("a.example.com", "b.example.com")),
        ("<p>a.example.com</p><p>b.example.com</p>", ("a.example.com", "b.example.com")),
        ("<div>a.example.com</div>b.example.com", ("a.example.com", "b.example.com")),
        ("a.example.com<sup>1</sup>", ("a.example.com",)),
        ("<a href='https://x.example'>a.example.com</a>", ("a.example.com",)),
        ("<code>*.a.example.com</code>", ("*.a.example.com",)),
        ("a.example.com<!-- b.example.com -->", ("a.example.com",)),
        ("https<span>://</span>a.example.com", ("https://a.example.com",)),
        ("<code>a.example.com</code><code>b.example.com</code>", ("a.example.com b.example.com",)),
        ("<b>a.example.com</b><b>b.example.com</b>", ("a.example.com b.example.com",)),
        ("<span>a.example.com</span><span>b.example.com</span>", ("a.example.com b.example.com",)),
        ("<span>a.exam</span><span>.b.example.com</span>", ("a.exam.b.example.com",)),
        ("<a>a.example.com</a><a>b.example.com</a>.", ("a.example.com b.example.com.",)),
        ("<details><summary>a.example.com</summary>b.example.com</details>", ("a.example.com", "b.example.com")),
        ("a.exam\u200bple.com", ("a.example.com",)),
        ("a.example.com\n  b.example.com&nbsp;", ("a.example.com b.example.com",)),
        ("<span>a.x.com</span><span class='sxs-lookup'><span>a.x.com</span></span>", ("a.x.com", "a.x.com")),
    ],
)
def test_lines_of_a_cell(cell: str, expected: tuple[str, ...]) -> None:
    """Blocks and breaks part lines, footnote marks and comments are not text."""
    assert lines(cell) == expected


def test_the_frame_of_2025_is_not_read_as_the_article() -> None:
    """The title comes from the first div.content, the article from the next; the rest of the frame is silent."""
    page = page_from_html((FIXTURES / "2022-01.html").read_text())
    assert page.title == "IP address configuration"
    assert page.meta("markdown_url") == (
        "https://learn.microsoft.com/en-us/power-automate/ip-address-configuration?accept=text/markdown"
    )
    assert {block.headings for block in page.blocks} == {
        (),
        ("Connectors",),
        ("Required services",),
        ("Desktop flows services required for runtime",),
    }
    assert not any("sign in" in text or "helpful" in text for text in said(page))


def test_headings_of_the_frame_are_skipped_even_inside_the_article() -> None:
    """A heading whose id begins with ms-- names no section, and hidden private text is not read."""
    page = page_from_html(
        "<main><h1>T</h1><h2>Section</h2><h2 id='ms--in-this-article'>In this article</h2>"
        "<div unauthorized-private-section hidden><p>Sign in</p></div><p>Text</p>"
        "<div id='site-user-feedback-footer'><h2>Feedback</h2><p>Helpful?</p></div></main>"
    )
    assert [(block.headings, said(page)) for block in page.blocks] == [(("Section",), ["Text"])]


def test_the_frame_of_2017_has_its_title_outside_the_article() -> None:
    """docs.microsoft.com put the h1 before div.content, and alerts had a title of their own."""
    page = page_from_html(
        "<html><head><title>Other</title></head><body><main><div class='container'><div id='sidebar'><p>Menu</p></div>"
        "<div id='main' role='main'><div style='display:none'><p>Disclaimer</p></div><h1>Limits</h1><div>"
        "<div class='content'><h2>Services</h2><div class='alert'><h5>Note</h5><p>Mind this.</p></div>"
        f"{TABLE.format(row('a.example.com'))}</div></div></div></div></main></body></html>"
    )
    assert page.title == "Limits"
    assert said(page) == ["Mind this."]
    assert [block.headings for block in page.blocks] == [("Services",), ("Services",)]


def test_hidden_tab_panels_are_read() -> None:
    """Rows of a panel that is not shown first are not lost (sources.md D4)."""
    page = page_from_html(
        "<main><div class='content'><h1>T</h1></div><div class='content'><h2>Names</h2><div class='tabGroup'>"
        "<ul role='tablist'><li><a>Public</a></li><li><a>China</a></li></ul>"
        f"<section role='tabpanel'>{TABLE.format(row('a.example.com'))}</section>"
        f"<section role='tabpanel' aria-hidden='true' hidden='hidden'>{TABLE.format(row('b.example.cn'))}</section>"
        "</div></div></main>"
    )
    assert [table.rows[0][0].text for table in page.tables] == ["a.example.com", "b.example.cn"]
    assert not [block for block in page.blocks if isinstance(block, BulletList)]


def test_headings_make_a_path() -> None:
    """A heading ends all headings of its level and below; levels may be skipped."""
    page = page_from_html("<h1>T</h1><p>0</p><h2>A</h2><h4>B</h4><p>1</p><h3>C</h3><p>2</p><h2>D</h2><p>3</p>")
    assert [block.headings for block in page.blocks] == [(), ("A", "B"), ("A", "C"), ("D",)]


def test_tables_inside_lists_and_tables_are_read_apart() -> None:
    """A nested table is a table of its own, and not the text of what holds it."""
    inner = TABLE.format(row("a.example.com"))
    page = page_from_html(f"<ol><li>First{inner}</li></ol>{TABLE.format(row(f'outer{inner}'))}")
    assert [table.rows[0][0].text for table in page.tables] == ["a.example.com", "outer", "a.example.com"]


def test_text_between_blocks_is_a_paragraph() -> None:
    """Bare text is not lost."""
    assert said(page_from_html("<div>Before <b>the</b> table<table></table>after</div>")) == [
        "Before the table",
        "after",
    ]


def test_code_blocks_keep_their_lines() -> None:
    """A fence is a paragraph of its lines."""
    (block,) = page_from_html("<pre><code>v=spf1 ip4:20.118.139.208/30\n~all</code></pre>").blocks
    assert isinstance(block, Paragraph)
    assert block.text.lines == ("v=spf1 ip4:20.118.139.208/30", "~all")


def test_merged_cells_and_second_languages_are_known() -> None:
    """What a parser must refuse, it can see."""
    merged = page_from_html("<table><tr><th>A</th></tr><tr><td rowspan='2'>1</td></tr></table>")
    assert merged.tables[0].merged
    assert page_from_html("<p><span>a</span><span class='sxs-lookup'>b</span></p>").bilingual
    plain = page_from_html(TABLE.format(row("a.example.com")))
    assert not plain.bilingual
    assert not plain.tables[0].merged


@pytest.mark.parametrize("levels", [200, 5_000])
def test_elements_without_a_bottom_are_refused(levels: int) -> None:
    """Reading them would take for ever or end in the midst of a call; a page has nothing like it."""
    with pytest.raises(ParseError) as refused:
        page_from_html("<div>" * levels)
    assert "more than 100 deep" in refused.value.reasons[0]
