"""The pages for people: sound, escaped, linked, and with the numbers that REST gives."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from catalog_service.api.app import create_app
from catalog_service.reader import Reader
from catalog_service.store import keys
from catalog_service.store.connect import Store
from catalog_service.sync.held import reject
from catalog_service.sync.run import run_source
from schema.endpoint_set import Attributes, endpoint_set
from schema.words import Cloud
from scrapers.demo import demo_folders, demo_sources
from scrapers.mirror import FolderMirror
from scrapers.sources import SOURCES
from tests.api_client import (
    PAGE,
    PAGE_HELD,
    START,
    TAGS,
    TAGS_1,
    application,
    away,
    catalog_client,
    client,
    commit,
    hold,
    published,
)
from tests.pages import BROWSER, check_sound, numbers_of, own_links, page, soup_of, text_of

MOST_OF_A_KIND = 20
CONNECTORS = f"{TAGS}:AzureConnectors"
HOSTILE = "<script>alert('x')</script>\"onload=\"x"
LONG = "w" * 3000


async def demo(store: Store, folder: Path) -> Starlette:
    """Return the application over the demo's three dates."""
    sources = demo_sources(SOURCES)
    now = datetime(2026, 5, 19, tzinfo=UTC)
    for _, upstream in demo_folders(folder):
        for source in sources:
            await run_source(source, FolderMirror(upstream), store, lambda: now)
    reader = Reader(store)
    await reader.refresh()
    return create_app(reader, tuple(source.info for source in sources), demo=True)


async def test_every_page_of_the_demo_is_sound_and_leads_nowhere_wrong(store: Store, tmp_path: Path) -> None:
    """From `/` on, every page says it is a demo, keeps what pages promise, and none of its links is broken."""
    seen, waiting, visited = {"/"}, ["/"], Counter[str]()
    async with client(await demo(store, tmp_path)) as opened:
        while waiting:
            path = waiting.pop(0)
            kind = path.split("/")[1].split("?")[0]
            if visited[kind] >= MOST_OF_A_KIND:
                continue
            visited[kind] += 1
            response = await opened.get(path, headers=BROWSER, follow_redirects=True)
            assert response.status_code == 200, (path, response.text[:400])
            if kind in {"v1", "graphql", "docs"}:
                continue
            soup = soup_of(response)
            check_sound(response, soup)
            assert "DEMO DATA" in text_of(soup.select_one(".demo")), path
            fresh = sorted(set(own_links(soup, response.url.raw_path.decode())) - seen)
            seen.update(fresh)
            waiting += fresh
    assert visited.keys() == {"", "versions", "diff", "endpoints", "lookup", "history", "v1", "graphql", "docs"}


async def test_the_overview_tells_each_source_as_rest_does(store: Store) -> None:
    """`/` has the state, the counts, what is held and the newest versions, with the numbers of REST."""
    await published(store)
    held = await hold(store, PAGE, PAGE_HELD, START)
    app, _ = await application(store)
    async with client(app) as opened:
        soup = await page(opened, "/")
        sources = (await opened.get("/v1/sources")).json()["items"]
    tables = soup.select("main table")
    rows = [one for one in tables[0].select("tbody tr") if "problem" not in (one.get("class") or ())]
    assert len(rows) == len(sources)
    for shown, told in zip(rows, sources, strict=True):
        cells = [text_of(cell) for cell in shown.select("td")]
        counts = told.get("counts", {})
        assert told["title"] in text_of(shown.select_one("th"))
        assert cells[0].startswith(told["status"])
        assert cells[1] == str(told.get("version", "none"))
        assert [numbers_of(cell) for cell in cells[3:6]] == [[counts[name]] if counts else [] for name in COUNTS]
    assert [text_of(one.select_one("th a")) for one in tables[1].select("tbody tr")] == ["3", "2", "1"]
    assert held.reasons[0] in text_of(soup.select_one(".cards"))
    assert soup.select_one(f"a[href='held/{held.id}']")


COUNTS = ("endpoint_sets", "prefixes", "fqdns")


async def test_a_program_still_gets_the_list_of_routes(store: Store) -> None:
    """`/` without a wish for HTML is JSON, and both say that Accept decides."""
    async with catalog_client(store) as opened:
        program, browser = await opened.get("/"), await opened.get("/", headers=BROWSER)
    assert program.json()["version"] == 3
    assert "Accept" in program.headers["vary"]
    assert "Accept" in browser.headers["vary"]


async def test_a_held_version_is_shown_with_what_it_would_change(store: Store) -> None:
    """`/held/{id}` gives the reasons and the changes, as /v1/held/{id} does."""
    await published(store)
    held = await hold(store, PAGE, PAGE_HELD, START)
    app, _ = await application(store)
    async with client(app) as opened:
        soup = await page(opened, f"/held/{held.id}")
        told = (await opened.get(f"/v1/held/{held.id}")).json()
    assert held.reasons[0] in text_of(soup.select_one("ul.warn"))
    assert [text_of(one.select_one(".tag")) for one in soup.select("article")] == [
        change["disposition"] for change in told["changes"]
    ]


async def test_a_version_that_was_turned_down_waits_for_nobody(store: Store) -> None:
    """The overview asks for a person while there is something to decide, and says who decided afterwards."""
    await published(store)
    held = await hold(store, PAGE, PAGE_HELD, START)
    app, _ = await application(store)
    async with client(app) as opened:
        waiting = text_of((await page(opened, "/")).select_one(".problem"))
        await reject(store, held.id, "ann", lambda: START)
        soup = await page(opened, "/")
    assert "waits for a person" in waiting
    assert "a person turned down" in text_of(soup.select_one(".problem"))
    assert "rejected by ann" in text_of(soup.select_one(".cards"))


async def test_versions_are_listed_filtered_and_paged(store: Store) -> None:
    """`/versions` lists what /v1/versions does; of a source, in pages; its forms lead to a diff."""
    for number in range(60):
        await commit(store, TAGS, TAGS_1[: 1 + number % 2], START)
    await commit(store, PAGE, PAGE_HELD, START)
    app, _ = await application(store)
    async with client(app) as opened:
        first = await page(opened, f"/versions?source={TAGS}&cursor=")
        more = first.select_one("a[rel=next]")
        assert more
        second = await page(opened, f"/{more['href']}")
        told = (await opened.get(f"/v1/versions?source={TAGS}")).json()["items"]
    listed = [int(text_of(one)) for soup in (first, second) for one in soup.select("tbody th a")]
    assert listed == list(range(60, 0, -1))
    assert listed[:50] == [one["version"] for one in told]
    assert second.select_one("a[rel=next]") is None
    assert first.select_one("form[action='diff'] input[name=from]")


async def test_a_label_is_shown_where_versions_are(store: Store) -> None:
    """A label set after the page was last fetched makes it another page."""
    async with catalog_client(store) as opened:
        before = await opened.get("/versions", headers=BROWSER)
        await store.labels.set("prod", 2, "ann", START)
        after = await opened.get("/versions", headers={**BROWSER, "If-None-Match": before.headers["etag"]})
        assert after.status_code == 200
        assert text_of(soup_of(after).select_one("ul.impacts .tag")) == "prod"


async def test_a_record_is_shown_whole_with_its_history(store: Store) -> None:
    """`/endpoints/{id}` has every member, where it comes from, a chart with its table, and its changes."""
    async with catalog_client(store) as opened:
        soup = await page(opened, f"/endpoints/{CONNECTORS}")
        old = await page(opened, f"/endpoints/{CONNECTORS}?at=1")
        told = (await opened.get(f"/v1/endpoints/{CONNECTORS}")).json()
    assert [text_of(one) for one in soup.select("ul.members")[0].select("li")] == told["prefixes"]
    assert "2603:1000::/40" in text_of(old.select("ul.members")[0])
    assert soup.select_one(f"a[href$='v1/documents/{told['provenance']['document']}']")
    assert soup.select_one(f"a[href='{told['provenance']['url']}']")
    drawing = soup.select_one("svg[role=img][aria-labelledby='chart-title chart-desc']")
    assert drawing
    assert drawing.select_one("title")
    assert drawing.select_one("path.line.prefixes")
    assert [[text_of(cell) for cell in one.select("td.num")] for one in soup.select("figure + details tbody tr")] == [
        ["2", "0"]
    ]
    assert [text_of(one) for one in soup.select("[aria-label=Changes] td .tag")] == ["changed", "came"]


async def test_a_lookup_answers_with_matches_and_since_when(store: Store) -> None:
    """`/lookup` gives the matches of REST in their order, when each was listed, and the answer to a date."""
    async with catalog_client(store) as opened:
        soup = await page(opened, "/lookup?q=13.66.60.65&on=2026-11-02T12:00:00Z&at=")
        told = (await opened.get("/v1/lookup?q=13.66.60.65")).json()["matches"]
        nothing = await page(opened, "/lookup?q=9.9.9.9")
        forms = await page(opened, "/lookup")
    assert [text_of(one) for one in soup.select("[aria-label=Matches] tbody th")] == [one["prefix"] for one in told]
    assert text_of(soup.select_one("section[aria-labelledby=life] .verdict")).startswith("Yes, it was listed")
    assert "never-read" in text_of(soup.select_one(".warn"))
    assert "Nothing that is had lists it" in text_of(nothing.select_one(".verdict.no"))
    assert len(forms.select("main form")) == 2


async def test_many_lines_are_looked_up_at_once(store: Store) -> None:
    """A few lines become an address to share, many are answered where they are; each is listed, not listed or wrong."""
    few = {"q": "make.powerautomate.com\r\n9.9.9.9\r\nno/thing\r\n", "at": ""}
    many = {"q": "\n".join(f"13.66.60.{number % 256}" for number in range(2500))}
    async with catalog_client(store) as opened:
        moved = await opened.post("/lookup", data=few, headers=BROWSER)
        assert moved.status_code == 303
        soup = await page(opened, f"/{moved.headers['location']}")
        long = await opened.post("/lookup", data=many, headers=BROWSER)
        nothing = await opened.post("/lookup", data={"q": " "}, headers=BROWSER)
    assert [text_of(one) for one in soup.select("td .tag")] == ["listed", "not listed", "not understood"]
    assert numbers_of(text_of(soup.select_one(".verdict")))[:3] == [1, 1, 1]
    cut = soup_of(long)
    check_sound(long, cut)
    assert numbers_of(text_of(cut.select_one(".verdict")))[:2] == [2500, 0]
    assert len(cut.select("tbody tr")) == 2000
    assert numbers_of(text_of(cut.select_one(".hidden-note")))[0] == 500
    assert nothing.status_code == 400


@pytest.mark.parametrize("line", ["é", "😀", "::1", "a"])
async def test_lines_become_an_address_only_where_one_can_hold_them(store: Store, line: str) -> None:
    """What an address would be too long for, once it is written as one, is answered where it was sent."""
    async with catalog_client(store) as opened:
        opened.follow_redirects = True
        for count in (10, 1000, 1900):
            answer = await opened.post("/lookup", data={"q": f"{line}\n" * count}, headers=BROWSER)
            assert (count, answer.status_code) == (count, 200)
            assert numbers_of(text_of(soup_of(answer).select_one("h1"))) == [count]
        dated = await opened.post("/lookup", data={"q": "9.9.9.9", "at": "9" * 20_000}, headers=BROWSER)
    assert dated.status_code == 400
    check_sound(dated, soup_of(dated))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"q=" + b"9" * 2_000_001, 413),
        (b"q=\xff\xfe", 400),
        (b"q=1&" * 1000, 400),
        (b"q=" + b"9.9.9.9%0A" * 10_001, 400),
        (b"q=9.9.9.9&at=never!", 303),
    ],
    ids=["too long", "no text", "too many fields", "too many lines", "few"],
)
async def test_a_body_without_end_or_sense_is_refused(store: Store, body: bytes, status: int) -> None:
    """As a page; a few lines lead to an address, which says what is wrong with them."""
    form = {"Content-Type": "application/x-www-form-urlencoded", **BROWSER}
    async with catalog_client(store) as opened:
        answer = await opened.post("/lookup", content=body, headers=form)
        assert answer.status_code == status
        if status == 303:
            await page(opened, f"/{answer.headers['location']}", status=400)
        else:
            check_sound(answer, soup_of(answer))


async def test_a_history_is_told_of_a_member_and_of_a_record(store: Store) -> None:
    """`/history` says since when, until when and by whom; of what left, too."""
    async with catalog_client(store) as opened:
        gone = await page(opened, "/history?q=20.1.2.0/24&on=")
        record = await page(opened, f"/history?q={TAGS}:LogicApps")
        never = await page(opened, "/history?q=nowhere.example")
        await page(opened, "/history")
    assert text_of(gone.select_one(".verdict")).startswith("Not listed now")
    assert [text_of(one) for one in gone.select("details .tag")] == ["left", "came"]
    assert [text_of(one) for one in record.select("details .tag")] == ["left", "came"]
    assert "Nothing ever listed it" in text_of(never.select_one("#main"))


HOSTILE_RECORD = endpoint_set(
    TAGS,
    "hostile",
    service=HOSTILE,
    title=f"{HOSTILE} \x07\u202e{LONG}",
    clouds=[Cloud.PUBLIC],
    prefixes=("13.66.60.0/24",),
    purpose=HOSTILE,
    attributes=Attributes(platform=HOSTILE),
    heading=(HOSTILE,),
)


async def test_upstreams_text_is_escaped_wherever_it_stands(store: Store) -> None:
    """A script, quotes and control characters in a record stay text on every page that shows it."""
    await commit(store, TAGS, (HOSTILE_RECORD,), START)
    app, _ = await application(store)
    paths = (
        "/diff/0...1",
        f"/endpoints/{HOSTILE_RECORD.id}",
        "/lookup?q=13.66.60.1",
        "/lookup?q=13.66.60.1%0A13.66.60.2",
        f"/history?q={HOSTILE_RECORD.id}",
    )
    async with client(app) as opened:
        for path in paths:
            soup = await page(opened, path)
            text = text_of(soup.select_one("body"))
            assert path.startswith("/history") or "<script>alert('x')</script>\"onload=\"x \ufffd\ufffdwww" in text, (
                path
            )
            assert "\x07" not in text
            assert "\u202e" not in text


@pytest.mark.parametrize("path", ["/lookup?q={}", "/history?q={}", "/versions?source={}", "/diff/{}...1", "/{}"])
async def test_what_is_asked_is_escaped(store: Store, path: str) -> None:
    """A query that is a script comes back as text, on a page of its error."""
    async with catalog_client(store) as opened:
        response = await opened.get(path.format(quote("<script>alert(1)</script>", safe="")), headers=BROWSER)
    assert response.status_code in {400, 404}
    check_sound(response, soup_of(response))


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/nowhere", 404, "no such page"),
        ("/diff/1...99", 404, "the newest is 3"),
        ("/diff/1", 400, "latest~1...latest"),
        ("/diff/1...3?cloud=mars", 400, "'mars' is not a cloud"),
        ("/diff/1...3?family=4&family=6", 400, "family"),
        ("/diff/1...3?colour=red", 400, "'colour' is not a parameter"),
        ("/diff/1...3?service=Nothing", 404, "Nothing"),
        (f"/endpoints/{TAGS}:nothing", 404, "no endpoint set"),
        ("/held/000000000000", 404, "held"),
        ("/versions?source=mars", 404, "no source is named 'mars'"),
        ("/versions?cursor=x", 400, "cursor"),
        ("/lookup?q=nothing/here", 400, "nothing/here"),
        ("/lookup?q=9.9.9.9&at=2024-13-45", 400, "2024-13-45"),
        ("/history?q=9.9.9.9&on=2024-13-45", 400, "2024-13-45"),
        ("/history?q=9.9.9.9&on=1999-01-01", 404, "1999"),
    ],
)
async def test_errors_are_pages_for_browsers_and_problems_for_programs(
    store: Store, path: str, status: int, says: str
) -> None:
    """The same status and sentence either way."""
    async with catalog_client(store) as opened:
        soup = await page(opened, path, status=status)
        problem = await opened.get(path)
    assert says in text_of(soup.select_one("main"))
    assert problem.status_code == status
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["detail"] in text_of(soup.select_one("main")) + " Not Found"


async def test_a_program_is_answered_with_problems_under_its_own_paths() -> None:
    """A browser that opens REST or GraphQL gets what these answer, errors too."""
    app, _ = await _empty()
    async with client(app) as opened:
        for path in ("/v1/nowhere", "/assets/pages/nothing"):
            answer = await opened.get(path, headers=BROWSER)
            assert answer.headers["content-type"] == "application/problem+json", path


async def test_a_store_that_is_away_is_a_page_with_503() -> None:
    """A browser is told to come back."""
    app, _ = await _empty()
    async with client(app) as opened:
        response = await opened.get("/", headers=BROWSER)
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert "does not answer" in text_of(soup_of(response).select_one("main"))


@pytest.mark.parametrize("path", ["/lookup?q=13.66.60.1", f"/endpoints/{CONNECTORS}"])
async def test_what_is_in_memory_is_shown_without_its_past(store: Store, path: str) -> None:
    """Content that is damaged in the store takes the past away, and nothing of what is served now."""
    async with catalog_client(store) as opened:
        await page(opened, "/")
        for kept in (keys.KEYFRAMES, keys.CHANGESETS):
            await store.redis.hset(kept, mapping=dict.fromkeys(await store.redis.hkeys(kept), b"damaged"))
        soup = await page(opened, path)
        refused = await page(opened, f"{path}{'&' if '?' in path else '?'}at=nonsense", status=404)
    assert "13.66.60.0/24" in text_of(soup.select_one("main"))
    assert "cannot be read at the moment" in text_of(soup.select_one(".note.warn:last-of-type"))
    assert "nonsense" in text_of(refused.select_one("main"))


async def test_a_version_that_was_pruned_is_gone(store: Store) -> None:
    """410 with the nearest version kept; what is told of the past goes with it."""
    async with catalog_client(store) as opened:
        before = await opened.get("/history?q=20.1.2.0/24", headers=BROWSER)
        await store.retention.prune(1)
        soup = await page(opened, "/diff/1...3", status=410)
        after = await opened.get("/history?q=20.1.2.0/24", headers={**BROWSER, "If-None-Match": before.headers["etag"]})
        await page(opened, "/versions")
    assert "version 3" in text_of(soup.select_one("dl"))
    assert after.status_code == 200


async def _empty() -> tuple[Starlette, Reader]:
    reader = Reader(away())
    return create_app(reader, ()), reader


async def test_a_catalogue_without_versions_has_pages_that_say_so(store: Store) -> None:
    """Before the first sync nothing is shown as if it were nothing to allow."""
    app, _ = await application(store)
    async with client(app) as opened:
        overview = await page(opened, "/")
        assert "Nothing has been published yet" in text_of(overview.select_one("main"))
        assert not overview.select("main a[href^=diff]")
        assert "no version yet" in text_of((await page(opened, "/versions")).select_one("main"))
        await page(opened, "/lookup?q=9.9.9.9", status=503)


@pytest.mark.parametrize("path", ["/", "/versions", "/diff/1...3", "/lookup?q=13.66.60.1", f"/endpoints/{CONNECTORS}"])
async def test_a_page_that_did_not_change_is_not_sent_again(store: Store, path: str) -> None:
    """Its ETag brings 304; a browser asks each time."""
    async with catalog_client(store) as opened:
        first = await opened.get(path, headers=BROWSER)
        again = await opened.get(path, headers={**BROWSER, "If-None-Match": first.headers["etag"]})
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


async def test_pages_work_below_any_path(store: Store) -> None:
    """Every link is relative to where the service is mounted."""
    await published(store)
    app, _ = await application(store)
    async with client(Starlette(routes=[Mount("/inner", app)])) as opened:
        for path in ("/inner/", "/inner/versions", "/inner/diff/1...3", f"/inner/endpoints/{CONNECTORS}"):
            soup = await page(opened, path)
            assert all(one.startswith("/inner/") for one in own_links(soup, path)), path
        for path in ("/inner/endpoints/a%2Fb", "/inner/a/b", "/inner/diff/a%2Fb%2Fc...1"):
            soup = await page(opened, path, status=404)
            assert all(one.startswith("/inner/") for one in own_links(soup, path)), path
