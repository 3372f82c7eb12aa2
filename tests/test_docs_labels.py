"""Tabs, zones, folded sections, captions, bold lines and sentences over a table tell its cloud as headings do."""

from __future__ import annotations

import pytest

from schema.words import Cloud
from scrapers.docs.rules import PageRules
from scrapers.docs.sections import Section
from tests.docs_pages import document as markdown_document
from tests.docs_pages import records, refusal, source

RULES = PageRules("P", (Section("portal", "Portal", r"^services$"),))
HEAD = "| Domains | Protocols | Uses |\n|---|---|---|\n"
PUBLIC = f"{HEAD}| a.example.com | https | U |\n\n"
GOV = f"{HEAD}| a.example.us | https | U |\n\n"
HTML_HEAD = "<table>{}<tr><th>Domains</th><th>Protocols</th><th>Uses</th></tr><tr><td>{}</td><td>https</td><td>U</td></tr></table>"
GCCHIGH = Cloud.USGOV_GCCHIGH


def clouds(page: str) -> dict[str, tuple[str, tuple[Cloud, ...]]]:
    found = source(RULES).records(markdown_document(page)).endpoint_sets
    return {one.fqdns[0]: (one.category or "", one.all_clouds) for one in found}


@pytest.mark.parametrize(
    "marked",
    [
        f"# [Public](#tab/public)\n\n{PUBLIC}# [GCC High](#tab/gcch)\n\n{GOV}---\n",
        f'{PUBLIC}::: zone pivot="gcc-high"\n\n{GOV}::: zone-end\n',
        f"{PUBLIC}<details>\n<summary>GCC High</summary>\n\n{GOV}</details>\n",
        f"{PUBLIC}**GCC High endpoints:**\n\n{GOV}",
        f"{PUBLIC}{HTML_HEAD.format('<caption>GCC High</caption>', 'a.example.us')}\n",
        PUBLIC
        + "<div class='tabGroup'><ul role='tablist'><li><a role='tab' data-tab='x'>GCC High</a></li></ul>"
        + f"<section role='tabpanel' data-tab='x' hidden='hidden'>{HTML_HEAD.format('', 'a.example.us')}</section></div>\n",
        f"{PUBLIC}<div class='zone has-pivot' data-pivot='gcc-high'>{HTML_HEAD.format('', 'a.example.us')}</div>\n",
    ],
)
def test_a_label_tells_the_cloud_of_what_stands_in_it(marked: str) -> None:
    """The section stays the heading's, and what follows the label's end is public again."""
    page = f"# T\n\n## Services\n\n{marked}\n## Services\n\n{HEAD}| z.example.com | https | U |\n"
    assert clouds(page) == {
        "a.example.com": ("portal", (Cloud.PUBLIC,)),
        "a.example.us": ("portal", (GCCHIGH,)),
        "z.example.com": ("portal", (Cloud.PUBLIC,)),
    }


def test_other_labels_say_nothing() -> None:
    """Tabs of operating systems leave the section and the cloud as they are."""
    page = f"# T\n\n## Services\n\n# [Windows](#tab/windows)\n\n{PUBLIC}---\n\n**Note**\n\n{GOV}"
    assert set(clouds(page).values()) == {("portal", (Cloud.PUBLIC,))}


def test_tabs_without_an_end_are_refused() -> None:
    """A heading as high as theirs would stand in the last of them."""
    page = f"# T\n\n## Services\n\n# [China](#tab/china)\n\n{PUBLIC}## More\n\n{GOV}"
    (reason,) = refusal(RULES, page)
    assert reason == "the heading 'More' stands in tabs that no rule ends"


@pytest.mark.parametrize(
    "lead",
    [
        "The following endpoints are required for GCC High customers only.",
        "These are also needed for GCC:",
        "The GCC High portal and its endpoints:",
    ],
)
def test_a_sentence_for_another_cloud_right_before_a_table_is_refused(lead: str) -> None:
    """Its rows would be public."""
    (reason,) = refusal(RULES, f"# T\n\n## Services\n\n{lead}\n\n{PUBLIC}")
    assert "the sentence before the table" in reason


def test_a_sentence_for_the_heading_s_cloud_says_nothing_new() -> None:
    """It repeats what the heading states."""
    lead = "The following endpoints are required for GCC High customers only."
    (found,) = records(RULES, f"# T\n\n## Services\n\n### GCC High endpoints\n\n{lead}\n\n{GOV}")
    assert found.all_clouds == (GCCHIGH,)
