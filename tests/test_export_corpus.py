"""Exports of real data: a week of all service tags, read back from every format that holds addresses."""

from __future__ import annotations

import pytest

from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot
from catalog_service.export.choose import chosen
from catalog_service.export.format import Format
from catalog_service.export.formats import LISTED, render
from catalog_service.export.options import PLAIN, Options, Overflow, Ranges
from schema.errors import OverLimitError
from schema.words import Family, Kind
from tests.catalogs import PUBLIC_TAGS, SEED, WORLDWIDE
from tests.conftest import CORPUS
from tests.device_lists import addresses, read
from tests.test_scenarios_corpus import PAGES, archived, content

ADDRESSES = tuple(one for one in LISTED if Kind.PREFIX in one.kinds)
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus of real upstream data here")


@pytest.fixture(scope="module")
def week() -> Snapshot:
    """All service tags of a week in 2025, Microsoft 365 and the seed page."""
    page = next((CORPUS / "docs").glob(PAGES[SEED])).read_bytes()
    worldwide = next((CORPUS / "microsoft-365" / "worldwide").glob("*.json")).read_bytes()
    return Snapshot(
        3,
        (
            content(1, PUBLIC_TAGS, archived(PUBLIC_TAGS), "application/json"),
            content(2, SEED, page, "text/markdown"),
            content(3, WORLDWIDE, worldwide, "application/json"),
        ),
    )


@pytest.mark.parametrize("format_", LISTED, ids=lambda one: one.name)
def test_everything_comes_back(week: Snapshot, format_: Format) -> None:
    """Of 50,000 prefixes and all names, each is in the file or counted as dropped."""
    found = chosen(week, Filter())
    prefixes = {prefix for record in week.endpoint_sets for prefix in record.prefixes}
    fqdns = {fqdn for record in week.endpoint_sets for fqdn in record.fqdns}
    file = render(format_.name, week, found, (), Options(limit=1_000_000))
    written = read(format_.name, file.data)
    dropped = {one.reason.value: one.count for one in file.cut.dropped}
    assert len(prefixes) > 50_000
    assert len(written.prefixes) + dropped.get("prefix", 0) == len(prefixes)
    assert len(written.fqdns) + dropped.get("fqdn", 0) + dropped.get("wildcard", 0) == len(fqdns)
    assert prefixes.issuperset(written.prefixes)
    assert fqdns.issuperset(written.fqdns)


@pytest.mark.parametrize("ranges", Ranges)
def test_an_aggregate_of_everything_is_the_same_addresses(week: Snapshot, ranges: Ranges) -> None:
    """A tenth of the entries, and not an address more or less."""
    file = render("panos-ip", week, chosen(week, Filter()), (), Options(aggregate=True, ranges=ranges))
    written = read("panos-ip", file.data).prefixes
    prefixes = {prefix for record in week.endpoint_sets for prefix in record.prefixes}
    assert len(written) < len(prefixes) / 10
    assert addresses(written) == addresses(prefixes)


def test_everything_is_too_much_for_a_small_firewall(week: Snapshot) -> None:
    """More than 50,000 addresses are refused; split, each part fits; aggregated, the whole does."""
    found = chosen(week, Filter())
    with pytest.raises(OverLimitError, match="which fits"):
        render("panos-ip", week, found, (), PLAIN)
    parts = [render("panos-ip", week, found, (), Options(overflow=Overflow.SPLIT, part=part)) for part in (1, 2)]
    assert [one.cut.parts for one in parts] == [2, 2]
    assert parts[0].cut.entries == 50_000
    assert render("panos-ip", week, found, (), Options(overflow=Overflow.AGGREGATE)).cut.entries < 50_000
    one_family = render("ipset", week, found, (), Options(family=Family.IPV4))
    assert read("ipset", one_family.data).names == ("catalog-v4",)
