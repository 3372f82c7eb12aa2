"""The diff as a page: side by side, filtered, cut where it is long, and with the numbers that REST gives."""

from __future__ import annotations

from collections import Counter
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup, Tag
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_service.api.pages.folding import SourceGroup, folded
from catalog_service.store.connect import Store
from catalog_service.views.diffs import DiffEntry
from schema.words import Disposition, Impact, Significance
from tests.api_client import (
    DAY,
    PAGE,
    START,
    TAGS,
    application,
    catalog_client,
    client,
    commit,
    published,
    row,
    tag,
)
from tests.pages import BROWSER, numbers_of, page, soup_of, text_of

QUERIES = (
    "",
    f"source={TAGS}",
    "service=AzureConnectors",
    "cloud=usgov",
    "region=westeurope",
    "direction=outbound",
    "kind=fqdn",
    "family=6",
    "only=added",
    "impact=AddedIp,RemovedIpOrUrl",
    "material=yes",
    "source=&service=&cloud=&region=&direction=&kind=&family=&only=&impact=",
)


def members(article: Tag, side: str) -> list[str]:
    """Return what stands on one side of a record, its sign taken off."""
    signs = {"removed": "−", "added": "+"}
    shown = [text_of(one) for one in article.select(f".side.{side} li")]
    assert all(one.startswith(signs[side]) for one in shown)
    return [one[1:] for one in shown]


def records(soup: BeautifulSoup) -> dict[str, tuple[str, str, list[str], list[str]]]:
    """Return each record of the page: what happened, its impact, what it lost and gained; by title."""
    found = {}
    for article in soup.select("article"):
        tags = [text_of(one) for one in article.select("h4 .tag")]
        title = text_of(article.select_one("h4 a"))
        found[title] = (tags[0], tags[1], members(article, "removed"), members(article, "added"))
    return found


@pytest.mark.parametrize("query", QUERIES)
async def test_the_page_gives_what_rest_gives(store: Store, query: str) -> None:
    """The same records, members, impacts, counts and addresses under the same filters; empty fields ask for nothing."""
    asked = "" if query.startswith("source=&") else query
    async with catalog_client(store) as opened:
        soup = await page(opened, f"/diff/1...3?{query}")
        told = (await opened.get(f"/v1/diff/1...3?{asked}&space=yes".replace("?&", "?"))).json()
    assert records(soup) == {
        one["title"]: (
            one["disposition"],
            one["impact"],
            one["prefixes_removed"] + one["fqdns_removed"],
            one["prefixes_added"] + one["fqdns_added"],
        )
        for one in told["changes"]
    }
    shown = {text_of(one.select_one("a")): numbers_of(text_of(one))[-1] for one in soup.select(".total .impacts li")}
    assert shown == Counter(one["impact"] for one in told["changes"])
    if told["changes"]:
        gained, lost = (soup.select_one(f"[aria-labelledby=space] .side.{side}") for side in ("added", "removed"))
        assert gained
        assert lost
        for side, extent in ((gained, told["space"]["gained"]), (lost, told["space"]["lost"])):
            assert [text_of(one) for one in side.select("li a")] == extent["prefixes"]


async def test_the_summary_is_that_of_rest(store: Store) -> None:
    """What was added, removed and changed is counted as in the JSON."""
    async with catalog_client(store) as opened:
        total = (await page(opened, "/diff/0...3")).select_one(".total .counts")
        summary = (await opened.get("/v1/diff/0...3")).json()["summary"]
    assert numbers_of(text_of(total)) == [one for one in summary.values() if one]


async def test_a_diff_asked_for_in_words_has_a_link_that_lasts(store: Store) -> None:
    """latest~1...latest leads to 2...3, with its filters; so do a date and a label."""
    async with catalog_client(store) as opened:
        soup = await page(opened, f"/diff/latest~1...latest?source={TAGS}&cloud=")
        lasting = soup.select_one(".links a.button")
        assert lasting
        assert lasting["href"] == f"../diff/2...3?source={TAGS}"
        again = await page(opened, f"/diff/2...3?source={TAGS}")
        dated = await page(opened, f"/diff/{quote('2026-11-02T12:00:00+00:00')}...latest")
        link = dated.select_one(".links a.button")
        assert link
        await page(opened, str(link["href"]).removeprefix(".."))
    assert again.select_one(".links a.button") is None
    assert records(again) == records(soup)


async def test_the_form_of_two_versions_leads_to_their_diff(store: Store) -> None:
    """/diff?from=&to= asks for the last version; a date-time with an offset keeps its plus."""
    async with catalog_client(store) as opened:
        plain = await opened.get("/diff?from=&to=", headers=BROWSER)
        dated = await opened.get(
            "/diff", params={"from": "2026-11-02T12:00:00+00:00", "to": "3"}, headers=BROWSER, follow_redirects=True
        )
    assert plain.headers["location"] == "diff/latest~1...latest"
    assert dated.status_code == 200


async def test_the_filter_shows_what_is_asked(store: Store) -> None:
    """Each field holds its value, several of one field too, and sending the form again asks the same."""
    query = f"source={TAGS}&service=Storage,LogicApps&family=4&only=added&material=yes&cloud=public,usgov&tag=Storage"
    async with catalog_client(store) as opened:
        form = (await page(opened, f"/diff/1...3?{query}")).select_one("details.filter form")
    assert form
    chosen = {str(one["name"]): one.select_one("option[selected]") for one in form.select("select")}
    values = {name: str(one.get("value") or one.get_text()) for name, one in chosen.items() if one}
    assert values == {"source": TAGS, "cloud": "public,usgov", "family": "4", "only": "added"}
    typed = {str(one["name"]): one.get("value") for one in form.select("input:not([type=checkbox])")}
    assert typed == {"service": "LogicApps, Storage", "tag": "Storage", "region": ""}
    assert form.select_one("input[name=material][checked]")


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("impact_at_least=RemovedIpOrUrl", "impact_at_least", "RemovedIpOrUrl"),
        ("impact=AddedIp,AddedUrl,AddedIpAndUrl,AddedSubstituteUrl", "impact_at_least", "AddedIp"),
        ("impact_at_least=AddedUrl", "impact_at_least", "AddedIp"),
        ("impact_at_least=MovedIpOrUrl&impact=AddedIp,RemovedIpOrUrl", "impact", "AddedIp,RemovedIpOrUrl"),
    ],
)
async def test_impacts_are_shown_as_one_word_where_one_says_them(
    store: Store, query: str, name: str, value: str
) -> None:
    """The filter's form and the links on the page say the same as what was asked, as short as it can be said."""
    async with catalog_client(store) as opened:
        soup = await page(opened, f"/diff/1...3?{query}")
    form, lasting = soup.select_one("details.filter form"), soup.select_one(".links a")
    assert form
    assert lasting
    chosen = {str(one["name"]): one.select_one("option[selected]") for one in form.select("select")}
    assert {of: str(one.get("value") or one.get_text()) for of, one in chosen.items() if one} == {
        "family": "both",
        name: value,
    }
    assert str(lasting["href"]).partition("?")[2] == "&".join(f"{name}={one}" for one in value.split(","))


async def test_noise_and_moves_are_told_apart(store: Store) -> None:
    """A counter alone is noise, a prefix that goes to another record is a move, a split gains nothing."""
    before = (tag("A", "10.0.0.0/24"), tag("B", "20.0.0.0/24"), tag("C", "30.0.0.0/24"))
    after = (tag("A", number=1), tag("B", "20.0.0.0/25", "20.0.0.128/25"), tag("C", "10.0.0.0/24", "30.0.0.0/24"))
    await commit(store, TAGS, (*before, tag("D", "40.0.0.0/24")), START)
    await commit(store, TAGS, (*after, tag("D", "40.0.0.0/24", number=2)), START + DAY)
    app, _ = await application(store)
    async with client(app) as opened:
        soup = await page(opened, "/diff/1...2")
    noise = {
        text_of(one.select_one("h4 a")): text_of(one.select_one(".tag.noise")) for one in soup.select(".quiet article")
    }
    assert noise == {"B": "noise: space", "D": "noise: counter"}
    moves = [
        [text_of(cell) for cell in one.select("th, td")] for one in soup.select("[aria-labelledby=moves] tbody tr")
    ]
    assert moves == [["10.0.0.0/24", f"{TAGS}:A", f"{TAGS}:C"]]
    assert text_of(soup.select_one("[aria-labelledby=space]")).count("no address") == 2


async def test_attributes_stand_before_and_after(store: Store) -> None:
    """A changed field has its previous and its current value in columns of their own."""
    await commit(store, PAGE, (row("flow", "a.example.com"),), START)
    await commit(store, PAGE, (row("flow", "a.example.com", service_tags=("LogicApps",)),), START + DAY)
    app, _ = await application(store)
    async with client(app) as opened:
        soup = await page(opened, "/diff/1...2")
    cells = [[text_of(cell) for cell in one.select("th, td")] for one in soup.select("table.attributes tbody tr")]
    assert cells == [["service tags", "", "LogicApps"]]


async def test_a_very_large_diff_stays_usable_and_says_what_it_leaves_out(store: Store) -> None:
    """30,000 prefixes fit a page of less than 1.5 MB; what is shown and what is said to be hidden make the whole."""
    prefixes = tuple(f"{10 + number // 65536}.{number // 256 % 256}.{number % 256}.0/24" for number in range(30_000))
    several = tuple(
        tag(f"Tag{part}.r{n}", *prefixes[part * 3000 + n :: 10][:300]) for part in range(10) for n in range(10)
    )
    await commit(store, TAGS, (tag("Huge", *prefixes), *several), START)
    app, _ = await application(store)
    async with client(app) as opened:
        response = await opened.get("/diff/0...1", headers=BROWSER)
        assert len(response.content) < 1_500_000
        soup = soup_of(response)
        alone = soup.select_one("article .hidden-note a")
        assert alone
        one = await page(opened, str(alone["href"]).removeprefix(".."))
        as_csv = await opened.get(str(soup.select("article .hidden-note a")[1]["href"]).removeprefix(".."))
    total = numbers_of(text_of(soup.select_one(".total .counts")))
    shown = sum(len(members(article, "added")) for article in soup.select("article"))
    hidden = sum(numbers_of(text_of(note))[0] for note in soup.select("article .hidden-note"))
    assert shown + hidden == total[1]
    assert len(one.select("article")) == 1
    assert len(one.select("article li")) > len(soup.select("article")[0].select("li"))
    assert as_csv.status_code == 200


def entry(number: int, removed: int, added: int, significance: Significance) -> DiffEntry:
    """Return a change of a record with so many members on either side."""
    service = f"S{number % 7}"
    return DiffEntry(
        id=f"{TAGS}:{service}.{number:05}",
        disposition=Disposition.CHANGE,
        source=TAGS if number % 2 else PAGE,
        service=service,
        title=f"{service}.{number}",
        impact=Impact.ADDED_IP,
        significance=significance,
        prefixes_added=tuple(map(str, range(added))),
        prefixes_removed=(),
        fqdns_added=(),
        fqdns_removed=tuple(map(str, range(removed))),
        attributes=(),
    )


SIZES = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 40), st.sampled_from(Significance)), max_size=40)


@settings(max_examples=40)
@given(SIZES, st.integers(1, 30))
def test_nothing_is_left_out_silently(sizes: list[tuple[int, int, Significance]], copies: int) -> None:
    """For every service and record: what is shown and what is said to be hidden are all there is."""
    changes = tuple(entry(n, *size) for n, size in enumerate(sizes * copies))
    found = folded(changes)
    assert sum(count for _, count in found.impacts) == len(changes)
    for source in found.sources:
        check_source(source, changes)
    hidden = any(one.hidden for source in found.sources for one in source.services)
    assert not (found.whole and hidden)


def check_source(source: SourceGroup, changes: tuple[DiffEntry, ...]) -> None:
    """Check the services of one source against all changes."""
    for service in source.services:
        own = [one for one in changes if (one.source, one.service) == (source.source, service.service)]
        shown = (*service.material, *service.noise)
        assert len(shown) + service.hidden == len(own)
        assert service.noise_count == sum(one.significance is not Significance.MATERIAL for one in own)
        for one in shown:
            assert len(one.removed) + one.removed_hidden == len(one.entry.fqdns_removed)
            assert len(one.added) + one.added_hidden == len(one.entry.prefixes_added)


async def test_nothing_changed_is_said(store: Store) -> None:
    """A diff of a version with itself, and a filter that keeps nothing, say so."""
    await published(store)
    app, _ = await application(store)
    async with client(app) as opened:
        same = await page(opened, "/diff/3...3")
        none = await page(opened, "/diff/1...3?impact=ChangedIsExpressRoute")
    assert "Nothing changed" in text_of(same.select_one(".total"))
    assert none.select_one(".total a[href='../diff/1...3']")
