"""The page of approval e-mail: goldens of two eras in both forms, clouds, what is refused, and every real page."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema.words import US_GOVERNMENT, Cloud, Direction
from scrapers.pages.approval_email import RULES
from tests.docs_pages import CORPUS, FIXTURES, FORMS, by_key, golden, keyed, needs_corpus, records, refusal

PAGES = FIXTURES / "approval-email"
REAL = sorted((CORPUS / "docs" / "power-automate-approvals-email").glob("*.md"))
HTML = CORPUS / "learn-html" / "power-automate-approvals-email"
OLD, NEW = ((PAGES / f"{era}.md").read_text() for era in ("2020", "2023"))


@pytest.mark.parametrize("era", ["2020", "2023"])
@pytest.mark.parametrize("form", FORMS)
def test_a_page_gives_its_golden_records(era: str, form: str) -> None:
    """Each era's page gives exactly the records written down for it, as HTML and as Markdown."""
    assert records(RULES, PAGES / f"{era}{form}") == golden(PAGES / f"{era}.json")


def test_mail_comes_in_and_no_port_is_made_up() -> None:
    """Every record is inbound; the page names neither protocol nor port, and neither do they."""
    for record in records(RULES, NEW):
        assert (record.direction, record.protocols, record.tcp_ports) == (Direction.INBOUND, (), ())


def test_the_sentence_says_more_than_its_heading() -> None:
    """ "For GCC and GCC High" under "GCC (Government)" is both; three clouds under "Sovereign Clouds" are three."""
    old, new = records(RULES, OLD), records(RULES, NEW)
    assert {one.all_clouds for one in old} == {(Cloud.PUBLIC,), (Cloud.USGOV, Cloud.USGOV_GCCHIGH), (Cloud.CHINA,)}
    assert {one.all_clouds for one in new} == {(Cloud.PUBLIC,), US_GOVERNMENT, (Cloud.CHINA,)}


def test_an_spf_record_is_one_record_of_all_its_addresses() -> None:
    """Single addresses and blocks of an SPF string are prefixes, IPv6 too (sources.md D1.31)."""
    page = NEW.replace(" ~all", " ip6:2a01:111:f400::/48 ~all")
    commercial = by_key(RULES, page)["commercial:public"]
    assert commercial.prefixes == (
        "20.98.194.68/30", "20.118.139.208/30", "52.165.175.144/32", "52.244.206.214/32", "2a01:111:f400::/48",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (NEW.replace("ip4:52.165.175.144", "include:spf.example.com"), "'include:spf.example.com' beside its addresses"),
        (NEW.replace("ip4:52.165.175.144", "ip4:52.165.175"), "is not an address"),
        (OLD.replace("- 131.253.121.52", "- some others"), "'some others'"),
        (OLD.replace("- 103.9.8.121\n- 42.159.163.81\n", ""), "'Approval e-mail, China' is missing"),
        (NEW.partition("```output")[0] + NEW.rpartition("```")[2], "'Approval e-mail, commercial' is missing"),
        (OLD + "\n## GCC High\n\nFrom 20.1.2.3 and 20.1.2.4.\n", "names 20.1.2.3, 20.1.2.4"),
        (OLD + "\nIn addition, mail may come from 20.1.2.3.\n", "names 20.1.2.3"),
        (OLD.replace("## China", "## Somewhere else"), "in which direction traffic goes"),
        (OLD.replace("For GCC and GCC High", "For 21Vianet"), "its uses are for china"),
    ],
)  # fmt: skip
def test_a_page_that_cannot_be_read_whole_is_refused(page: str, reason: str) -> None:
    """Addresses that stand elsewhere, junk in a list, a missing section and an unknown one refuse the page."""
    assert any(reason in said for said in refusal(RULES, page))


@needs_corpus
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem[:3])
def test_every_real_page_is_read_whole(path: Path) -> None:
    """Both pages at hand give three records with every address written in them, the same as HTML."""
    found = records(RULES, path)
    assert found == records(RULES, HTML / f"{path.stem}.html")
    sizes = {key.partition(":")[0]: len(one.prefixes) for key, one in keyed(found).items()}
    expected = {
        "001": {"commercial": 5, "us-government": 2, "china": 6},
        "003": {"commercial": 25, "us-government": 2, "china": 2},
    }
    assert sizes == expected[path.stem[:3]]
