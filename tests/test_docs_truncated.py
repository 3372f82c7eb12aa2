"""Markdown that was cut short is told by how it ends."""

from __future__ import annotations

import pytest

from schema.errors import ParseError
from scrapers.docs.reader import read_page

TABLE = "# Page\n\n| Domains | Protocols | Uses |\n| --- | --- | --- |\n"


@pytest.mark.parametrize(
    "end",
    [
        TABLE + "| a.example.com | https | Portal |",
        TABLE + "| a.example.com | https | Portal |\n",
        "# Page\n\nDomains | Uses\n--- | ---\na.example.com | Portal\n",
        "# Page\n\n- a.example.com\n",
        "# Page\n\nAllow these addresses.",
        "# Page\n\n[!INCLUDE[footer](includes/footer.md)]",
        "# Page\n\n- [Limits](limits.md)",
        "# Page\n\nText.\n\n## See also",
        "# Page\n\nIt ends in the line break of a word\n",
    ],
)
def test_a_whole_page_is_read(end: str) -> None:
    """It ends in a line break, a closed row, a sentence or a link."""
    assert read_page(end.encode(), "text/markdown").title == "Page"


@pytest.mark.parametrize(
    "end",
    [
        TABLE + "| a.example.com | https | Por",
        TABLE + "| a.example.com | https |",
        TABLE + "| a.example.com | https | Portal.",
        "# Page\n\nDomains | Uses\n--- | ---\na.example.c",
        "# Page\n\n## GCC Hi",
        "# Page\n\n- *.example.c",
        "# Page\n\n* *.example.",
        "# Page\n\nRefer to the addresses of AzureCloud.us",
        "---\ntitle: Page",
    ],
)
def test_a_page_that_ends_in_the_midst_of_something_is_refused(end: str) -> None:
    """A row, a bullet or a word without its end: a name could be another one by now."""
    with pytest.raises(ParseError) as refused:
        read_page(end.encode(), "text/markdown")
    assert "the document is truncated: it ends in" in refused.value.reasons[0]
