"""Docs pages in Markdown, and the law that Markdown and HTML give the same names whatever their form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrapers.docs.cells import read_names
from scrapers.docs.html import page_from_html
from scrapers.docs.markdown import page_from_markdown
from scrapers.docs.page import BulletList, Paragraph, Table

BREAKS = ("<br />", "<br/>", "<br>", "<BR>", "</br>", "</b>", " <br> ", ", ", " and ")

_label = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
_name = st.builds(
    lambda star, labels, end: ".".join((star, *labels, end)).strip("."),
    st.sampled_from(("", "*", "*-files", "*cdn", "a.*.b")),
    st.lists(_label, min_size=2, max_size=3),
    st.sampled_from(("com", "net", "us", "cn")),
)
_written = st.tuples(_name, st.booleans())
_cell = st.lists(st.tuples(_written, st.sampled_from(BREAKS)), min_size=1, max_size=5)


def only_table(markdown: str) -> Table:
    (table,) = page_from_markdown(markdown).tables
    return table


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def paragraphs(markdown: str) -> list[str]:
    return [block.text.text for block in page_from_markdown(markdown).blocks if isinstance(block, Paragraph)]


@given(cells=st.lists(_cell, min_size=1, max_size=4), trailing=st.booleans(), outer=st.booleans(), code=st.booleans())
def test_names_survive_every_way_of_writing_them(
    cells: list[list[tuple[tuple[str, bool], str]]], trailing: bool, outer: bool, code: bool
) -> None:
    """A table of names, with any breaks, escapes, code spans and pipes, reads back as the same names."""
    written = [_write_cell(cell, code=code) + ("<br />" if trailing else "") for cell in cells]
    rows = ["Domains | Protocols", "--- | ---", *(f"{text} | https" for text in written)]
    markdown = "\n".join(f"| {row} |" for row in rows) if outer else "\n".join(rows)
    html = "<table><thead><tr><th>Domains</th><th>Protocols</th></tr></thead><tbody>" + "".join(
        f"<tr><td>{_as_html(text)}</td><td>https</td></tr>" for text in written
    )
    expected = [tuple(dict.fromkeys(name for (name, _), _ in cell)) for cell in cells]
    for table in (only_table(markdown), *page_from_html(f"{html}</tbody></table>").tables):
        assert [read_names(row[0]).fqdns for row in table.rows] == expected


def _write_cell(cell: list[tuple[tuple[str, bool], str]], *, code: bool) -> str:
    text = ""
    for position, ((name, escaped), separator) in enumerate(cell):
        spelled = f"`{name}`" if code else name.replace("*", r"\*") if escaped else name
        text += (separator if position else "") + spelled
    return text


def _as_html(text: str) -> str:
    return text.replace(r"\*", "*").replace("`", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("allow *.a.example.com and *.b.example.com", "allow *.a.example.com and *.b.example.com"),
        (
            "http://*.crm#.dynamics.com and https://*.crm#.dynamics.com",
            "http://*.crm#.dynamics.com and https://*.crm#.dynamics.com",
        ),
        (r"endpoint **\*.servicebus.windows.net**, others", "endpoint *.servicebus.windows.net, others"),
        ("endpoint ***.servicebus.windows.net**, others", "endpoint *.servicebus.windows.net, others"),
        ("both *connector actions* and **LogicApps** count", "both connector actions and LogicApps count"),
        ("see *this*. Next *one*.", "see this. Next one."),
        ("code `*.x.example.com` and `a * b`", "code *.x.example.com and a * b"),
        (r"escaped \*asterisks\* stay", "escaped *asterisks* stay"),
    ],
)
def test_stars_of_names_are_not_emphasis(text: str, shown: str) -> None:
    """Stars of host names stay; emphasis, bold and code in prose stay what they are."""
    assert paragraphs(text) == [shown]


def test_spans_are_kept() -> None:
    """Bold, emphasized and code spans of a paragraph are known."""
    (block,) = page_from_markdown("*connector actions* need the **AzureConnectors** or `LogicApps` tag").blocks
    assert isinstance(block, Paragraph)
    assert (block.text.emphases, block.text.bolds, block.text.codes) == (
        ("connector actions",),
        ("AzureConnectors",),
        ("LogicApps",),
    )


def test_front_matter_becomes_metadata() -> None:
    """Fields are read over blank lines, comments and lists; the body begins after them (sources.md D1.34)."""
    page = page_from_markdown(
        "---\ntitle: 'A page'\n\nms.date: 01/14/2022\n#customer intent: as a ...\nsearch.app: \n  - Flow\n---\n\n# Heading\n\nText\n"
    )
    assert page.title == "Heading"
    assert page.meta("title") == "A page"
    assert page.meta("ms.date") == "01/14/2022"
    assert page.meta("search.app") is None
    assert [type(block) for block in page.blocks] == [Paragraph]


@pytest.mark.parametrize(
    ("include", "missing"),
    [
        ("[!INCLUDE[footer-include](../includes/footer-banner.md)]", ()),
        ("[!INCLUDE [cc-rebrand](includes/cc-rebrand.md)]", ()),
        ("[!INCLUDE [cc-data-platform-banner](x.md)]", ()),
        ("[!INCLUDE [endpoints](includes/more.md)]", ("includes/more.md",)),
        ("[!include[table](includes/a.md)] [!INCLUDE [b](ip-ranges.md)]", ("includes/a.md", "ip-ranges.md")),
        ("[!INCLUDE [desktop-flows](includes/desktop-flows-runtime.md)]", ("includes/desktop-flows-runtime.md",)),
        ("[!INCLUDE [allow](includes/gcc-high.md)]", ("includes/gcc-high.md",)),
        ("[!INCLUDE [note](includes/region-note.md)]", ("includes/region-note.md",)),
        ("[!INCLUDE [sku](../includes/logic-apps-sku-consumption.md)] [!INCLUDE [x](preview-note.md)]", ()),
        ("Use [!INCLUDE [pn_product](../includes/pn-product.md)] now", ()),
        ("[!INCLUDE [sharepoint-detailed-docs](includes/sharepoint-detailed-docs.md)]", ()),
    ],
)
def test_the_page_knows_what_it_takes_from_elsewhere(include: str, missing: tuple[str, ...]) -> None:
    """Included files are not in the page; only footers, banners and notes hold no endpoints (sources.md D1.32)."""
    assert page_from_markdown(f"# T\n\nText\n\n{include}\n").includes == missing


def test_directives_of_the_platform_are_not_text() -> None:
    """Includes, images, alert marks and tab headings vanish; what an alert says stays."""
    markdown = (
        "# T\n\n## Section\n\n[!INCLUDE[footer](includes/f.md)]\n\n"
        ':::image type="content" source="a.png" alt-text="b":::\n\n> [!NOTE]\n> Said here.\n\n'
        "### [Portal](#tab/portal)\n\nIn the tab.\n"
    )
    page = page_from_markdown(markdown)
    assert [(block.headings, block.text.text) for block in page.blocks if isinstance(block, Paragraph)] == [
        (("Section",), "Said here."),
        (("Section",), "In the tab."),
    ]


@pytest.mark.parametrize(
    "markdown",
    [
        "| A | B |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |",
        "A | B\n--- | ---\n1 | 2\n3 | 4",
        "A | B\n--- | ---\n| 1 | 2 |\n| 3 | 4 |",
        "|A | B\n|--- | ---\n|1 | 2\n|3 | 4",
        "| A | B |\r\n|---|:-:|\r\n| 1 | 2 |\r\n| 3 | 4\r\n",
        "## Heading\n| A | B |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n## Next",
        "Text right before.\n| A | B |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\nText",
        "||||\n|---|---|---|\n| A | B |\n| 1 | 2 |\n|||\n| 3 | 4 |\n|||",
        "| A | B |\n|---|\n| 1 | 2 |\n| 3 | 4 |",
    ],
)
def test_every_form_of_pipes_is_one_table(markdown: str) -> None:
    """Outer, leading, missing and unbalanced pipes and empty rows make no difference (sources.md D1.17, D1.20)."""
    table = only_table(markdown)
    assert [cell.text for cell in table.header if cell.lines] == ["A", "B"]
    assert [[text for text in row if text] for row in texts(table)] == [["1", "2"], ["3", "4"]]


def test_a_cell_beyond_the_header_is_kept() -> None:
    """GFM would drop it without a word (sources.md D1.18)."""
    assert texts(only_table("A | B\n--- | ---\n1 | 2 | extra\n3")) == [["1", "2", "extra"], ["3", "", ""]]


def test_an_escaped_pipe_is_text() -> None:
    """``\\|`` ends no cell."""
    assert texts(only_table("| A | B |\n|---|---|\n| a \\| b | 2 |")) == [["a | b", "2"]]


def test_a_second_header_in_the_body_begins_a_second_table() -> None:
    """Header and separator rows inside a table are no data (sources.md D1.19)."""
    markdown = "| A | B |\n|---|---|\n| 1 | 2 |\n| A | B |\n| --- | --- |\n| 3 | 4 |"
    tables = page_from_markdown(markdown).tables
    assert [[cell.text for cell in table.header] for table in tables] == [["A", "B"], ["A", "B"]]
    assert [texts(table) for table in tables] == [[["1", "2"]], [["3", "4"]]]


def test_characters_without_width_are_dropped() -> None:
    """Zero-width spaces in header cells do not hide a column (sources.md D1.36)."""
    assert [cell.text for cell in only_table("|\u200b A | \ufeffB\u200b |\n|---|---|\n| 1 | 2 |").header] == ["A", "B"]


def test_lists_know_the_paragraph_before_them() -> None:
    """The sentence that announces a list is its lead, but only under the same heading; a nested list has its bullet."""
    blocks = page_from_markdown("# T\n\nAllow:\n- `a.example.com` (a)\n- b\n  - nested\n\n## Next\n\n- c\n").blocks
    lists = [block for block in blocks if isinstance(block, BulletList)]
    assert [(bullets.lead, [item.text for item in bullets.items]) for bullets in lists] == [
        ("Allow:", ["a.example.com (a)", "b"]),
        ("b", ["nested"]),
        ("", ["c"]),
    ]
