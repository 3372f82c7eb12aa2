"""The pages of subscriptions: for operators alone, escaped, without a secret, and what the desk knows."""

from __future__ import annotations

import base64
from datetime import timedelta

import httpx
import pytest
from aiohttp import web
from bs4 import BeautifulSoup

from catalog_service.api.app import create_app
from catalog_service.cli.subscriptions import subscription as subscription_group
from catalog_service.notify.retry import SCHEDULE_S
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.subscriptions.wanted import NewFilter, NewSubscription, Replay, WantedFilter, read_wanted
from schema.access import Scope
from schema.event import EventType, Place
from schema.subscription import Channel, Digest, EventFilter, Every, Status, Weekday
from schema.words import Cloud, Family, Impact, Only
from tests.api_client import DAY, PAGE, SOURCES, START, TAGS, TAGS_1, application, client, commit, hold, published
from tests.api_client import PAGE_HELD as HELD
from tests.desks import desk_of
from tests.local_source import Clock
from tests.operators import TOKEN, basic, operator_actions, token_with
from tests.pages import BROWSER, check_sound, own_links, soup_of, text_of
from tests.telling import SECRET, Receiver, notifying, subscribed, subscription

HOSTILE = "<script>alert('x')</script>\"onload=\"x"
PATHS = ("/subscriptions", "/subscriptions/sub_a")


async def served(store: Store, *, token: str = TOKEN, demo: bool = False) -> httpx.AsyncClient:
    """A client of the catalogue as it is, which shows nothing."""
    reader = Reader(store)
    await reader.refresh()
    return client(create_app(reader, SOURCES, demo=demo, actions=operator_actions(store, token=token)))


async def opened(http: httpx.AsyncClient, path: str, *, status: int = 200) -> BeautifulSoup:
    """The page at ``path`` for an operator."""
    response = await http.get(path, headers={**BROWSER, "Authorization": basic(TOKEN)})
    assert response.status_code == status, response.text[:500]
    assert response.headers["cache-control"] == "no-store"
    soup = soup_of(response)
    check_sound(response, soup)
    return soup


async def tell(store: Store, receiver: Receiver, clock: Clock, *pauses_s: float) -> None:
    """Let a worker send what is due, and what is due after each of ``pauses_s``."""
    async with notifying(store, clock, (receiver.port,)) as notifier:
        await store.queues.skip(Place(0))
        await notifier.once()
        for pause_s in pauses_s:
            clock.forward(seconds=pause_s)
            await notifier.once()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "shown",
    [
        None,
        "Bearer of-somebody-else",
        TOKEN,
        f"Digest {TOKEN}",
        basic("of-somebody-else"),
        basic("", TOKEN),
        basic(""),
        "Basic",
        "Basic !",
        f"Basic {base64.b64encode(TOKEN.encode()).decode()}",
        f"Basic {base64.b64encode(bytes([255]) + b':' + TOKEN.encode()).decode()}",
        "Basic é",
    ],
)
async def test_nobody_sees_them_without_the_token(store: Store, path: str, shown: str | None) -> None:
    """401 in words, as a page, with what makes a browser ask for a password; nothing of them."""
    await subscribed(store, subscription("sub_a", "https://hooks.contoso.example/"))
    async with await served(store) as http:
        headers = [(b"accept", BROWSER["Accept"].encode())]
        headers += [(b"authorization", shown.encode())] if shown is not None else []
        response = await http.get(path, headers=headers)
    assert response.status_code == 401
    assert 'Basic realm="' in response.headers["www-authenticate"]
    assert response.headers["cache-control"] == "no-store"
    soup = soup_of(response)
    check_sound(response, soup)
    said = "any name and the token as the password" if shown is None else "token"
    assert said in text_of(soup.select_one(".note.warn"))
    assert "contoso" not in response.text
    assert TOKEN not in response.text


@pytest.mark.parametrize("path", PATHS)
async def test_who_has_the_token_sees_them(store: Store, path: str) -> None:
    """As a password of whatever name, or as a bearer token; nobody may keep the page."""
    await subscribed(store, subscription("sub_a", "https://hooks.contoso.example/"))
    async with await served(store) as http:
        for shown in (basic(TOKEN), basic(TOKEN, ""), f"bearer {TOKEN}", f"bAsIc {basic(TOKEN)[6:]}"):
            response = await http.get(path, headers={**BROWSER, "Authorization": shown})
            assert response.status_code == 200
            assert response.headers["cache-control"] == "no-store"
            assert "etag" not in response.headers
            assert "hooks.contoso.example" in response.text
            assert TOKEN not in response.text
        assert (await http.get(path, headers=BROWSER)).status_code == 401  # nothing was kept for others


@pytest.mark.parametrize("path", PATHS)
async def test_forbidden_where_a_token_is_of_no_use(store: Store, path: str) -> None:
    """A token without the scope and a demo are told so, with 403; no password is asked for."""
    plain, _ = await application(store)
    lesser = await token_with(store, Scope.OPERATE)
    async with (
        await served(store) as real,
        await served(store, demo=True) as demo,
        client(plain) as bare,
    ):
        for http, says, tokens in (
            (real, "this needs the scope subscribe; the token 'a program' has read, operate", (lesser,)),
            (bare, "this is a demo", ("", TOKEN)),
            (demo, "this is a demo", (TOKEN,)),
        ):
            for shown in map(basic, tokens):
                response = await http.get(path, headers={**BROWSER, "Authorization": shown})
                assert response.status_code == 403
                assert "www-authenticate" not in response.headers
                soup = soup_of(response)
                check_sound(response, soup)
                assert says in text_of(soup.select_one(".note.warn"))
        assert "subscriptions" not in [one["href"] for one in soup_of(await demo.get("/", headers=BROWSER)).select("a")]


async def test_rest_takes_no_password(store: Store) -> None:
    """A browser sends Basic along by itself, whoever makes it ask: what can change something takes no such thing."""
    async with await served(store) as http:
        for path in ("/v1/subscriptions", "/v1/subscriptions/sub_a"):
            assert (await http.get(path, headers={"Authorization": basic(TOKEN)})).status_code == 401


async def test_the_table_says_how_each_one_is(store: Store, receiver: Receiver) -> None:
    """Healthy, failing, disabled and paused ones, with what they are told, how, and what became of it."""
    clock = Clock()
    receiver.replies |= {"/down": [500], "/gone": [410]}
    every = Digest(Every.WEEKLY, "07:30", "Europe/Vienna", Weekday.FRIDAY)
    for made in (
        subscription("sub_a", receiver.url("/up"), settle_s=0, filter=EventFilter(sources=(TAGS,))),
        subscription("sub_b", receiver.url("/down"), settle_s=900),
        subscription("sub_c", receiver.url("/gone"), settle_s=90),
        subscription("sub_d", receiver.url("/up"), digest=every, status=Status.PAUSED),
    ):
        await subscribed(store, made)
    await published(store)
    await hold(store, PAGE, HELD, START)
    await tell(store, receiver, clock)
    async with await served(store) as http:
        soup = await opened(http, "/subscriptions")
    rows = [[text_of(cell) for cell in row.select("td")] for row in soup.select("tbody tr")]
    states, told, how, delivered, waiting, dead, _ = zip(*rows, strict=True)
    assert states[0] == "active healthy"
    assert states[1] == "active failing since 2026-11-23 12:00 the receiver answered 500"
    assert states[2].startswith("disabled the receiver answered 410")
    assert states[3].startswith("paused")
    assert told == (f"versions source {TAGS}", "versions", "versions", "versions")
    assert how == (
        "each version",
        "what a source changes within 15 min as one",
        "what a source changes within 90 s as one",
        "weekly digest, Friday at 07:30 Europe/Vienna",
    )
    assert delivered == ("2", "0", "0", "0")
    assert waiting[0] == "0"
    assert int(waiting[3]) == 3
    assert dead == ("0", "0", dead[2], "0")
    facts = {text_of(one.select_one("dt")): text_of(one.select_one("dd")) for one in soup.select(".facts > div")}
    assert facts == {"All": "4", "Active": "2", "Unverified": "0", "Paused": "1", "Disabled": "1", "Failing": "1"}


async def test_a_filter_in_words(store: Store) -> None:
    """Every condition is said; of a saved filter its name too."""
    wanted = WantedFilter(
        types=(EventType.COMMITTED, EventType.HELD),
        services=("Storage", "Logic Apps"),
        tags=("AzureConnectors",),
        clouds=(Cloud.PUBLIC, Cloud.USGOV),
        family=Family.IPV4,
        only=Only.ADDED,
        impact_at_least=Impact.REMOVED_IP_OR_URL,
        material=True,
    )
    desk = desk_of(store)
    await desk.save_filter("plant", NewFilter(wanted), "ann")
    made = await desk.create(NewSubscription(Channel.EMAIL, "mailto:ops@contoso.example", saved_filter="plant"), "ann")
    async with await served(store) as http:
        soup = await opened(http, f"/subscriptions/{made.subscription.id}")
    terms = dict(zip(map(text_of, soup.select("dl.fields dt")), soup.select("dl.fields dd"), strict=True))
    assert [text_of(one) for one in terms["Told of"].select("p")] == ["filter plant:", "versions, held versions"]
    assert [text_of(one) for one in terms["Told of"].select("li")] == [
        "service Storage or Logic Apps",
        "service tag AzureConnectors",
        "cloud public or usgov",
        "impact at least RemovedIpOrUrl",
        "IPv4 prefixes alone",
        "only what is added",
        "without noise",
    ]
    assert "verify with that code" in text_of(soup.select_one(".note.warn"))
    assert "verify" in text_of(soup.select_one("section[aria-labelledby=orders] tbody"))


async def test_the_log_has_every_attempt_and_leads_to_the_diff(store: Store, receiver: Receiver) -> None:
    """Newest first, with status, time taken, error and answer of each attempt; what was given up is marked."""
    clock = Clock()

    async def busy(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503, text="come\r\nback")

    async def well(_: web.Request) -> web.StreamResponse:
        clock.forward(seconds=1)
        return web.Response(status=204)

    receiver.replies["/hook"] = [*[busy] * 10, well]
    await subscribed(store, subscription("sub_a", receiver.url()))
    await published(store)
    await tell(store, receiver, clock, *SCHEDULE_S)
    async with await served(store) as http:
        soup = await opened(http, "/subscriptions/sub_a")
        linked = [path for path in own_links(soup, "/subscriptions/sub_a") if path.startswith("/diff/")]
        statuses = [(await http.get(path, headers=BROWSER)).status_code for path in linked]
    log = soup.select(".deliveries > li")
    assert [text_of(one.select_one(".state")) for one in log] == ["delivered", "delivered", "dead"]
    assert linked == [f"/diff/2...3?source={TAGS}", f"/diff/1...2?source={PAGE}", f"/diff/0...1?source={TAGS}"]
    assert statuses == [200, 200, 200]
    dead = log[2]
    assert "unless it is replayed" in text_of(dead.select_one(".why"))
    assert len(dead.select("details .attempts > li")) == 10
    assert [one.get_text() for one in dead.select("pre")] == ["come\nback"] * 10
    assert "503" in text_of(dead.select_one("summary"))
    assert "the receiver answered 503" in text_of(dead.select_one(".attempts > li"))


async def test_what_others_write_is_escaped(store: Store, receiver: Receiver) -> None:
    """Descriptions, addresses, answers and what is asked for are text, whatever they hold."""

    async def hostile(_: web.Request) -> web.StreamResponse:
        return web.Response(status=400, text=f"</pre>{HOSTILE}\x00\u202e&amp;")

    receiver.replies["/hook"] = [hostile]
    await subscribed(store, subscription("sub_a", receiver.url(), description=HOSTILE))
    await subscribed(store, subscription("sub_b", f"https://x.example/{HOSTILE}?{HOSTILE}=1", status=Status.PAUSED))
    await published(store)
    await tell(store, receiver, Clock())
    async with await served(store) as http:
        table = await opened(http, "/subscriptions")
        one = await opened(http, "/subscriptions/sub_a")
        other = await opened(http, "/subscriptions/sub_b")
        for path in (
            "/subscriptions/<script>",
            "/subscriptions/sub_a?before=<script>",
            "/subscriptions?after=<script>",
        ):
            await opened(http, path, status=400 if "after" in path else 404)
        await opened(http, "/subscriptions?colour=<script>", status=400)
    assert text_of(table.select("tbody th .dim")[0]) == HOSTILE
    assert HOSTILE in text_of(table.select("tbody th .name")[2])
    assert text_of(one.select_one("main h1 + p")) == HOSTILE
    assert text_of(one.select_one("pre")) == f"</pre>{HOSTILE}\ufffd\ufffd&amp;"
    assert HOSTILE in text_of(other.select_one("h1"))


async def test_no_secret_is_on_a_page(store: Store) -> None:
    """Neither what signs, nor values of headers, nor what makes the address of a chat or a mailbox one."""
    clock = Clock()
    desk = desk_of(store, clock)
    hidden = [
        "whsec_",
        SECRET.removeprefix("whsec_"),
        "t0p-of-all",
        "T00/B00/XXX",
        "sig=hush",
        "ops@",
        "123:abc",
        TOKEN,
    ]
    wanted = (
        NewSubscription(Channel.WEBHOOK, "https://hooks.contoso.example/catalog?key=t0p-of-all"),
        NewSubscription(Channel.SLACK, "https://hooks.slack.com/services/T00/B00/XXX"),
        NewSubscription(Channel.TEAMS, "https://prod-1.westeurope.logic.azure.com/workflows/1?sig=hush"),
        NewSubscription(Channel.EMAIL, "mailto:ops@contoso.example"),
        NewSubscription(Channel.APPRISE, "tgram://123:abc/chat"),
    )
    made = []
    for one in wanted:
        made.append(await desk.create(one, "ann"))
        clock.forward(seconds=1)
    hidden += [one.secret for one in made if one.secret]
    async with await served(store) as http:
        for path in ("/subscriptions", *(f"/subscriptions/{one.subscription.id}" for one in made)):
            text = str(await opened(http, path))
            assert not [secret for secret in hidden if secret in text], path
        table = await opened(http, "/subscriptions")
    assert [text_of(one) for one in table.select("tbody th a.name")] == [
        "https://hooks.contoso.example/catalog?key=...",
        "https://hooks.slack.com/...",
        "https://prod-1.westeurope.logic.azure.com/...",
        "mailto:...@contoso.example",
        "tgram://...",
    ]


async def test_a_long_log_is_paged(store: Store, receiver: Receiver) -> None:
    """Each delivery is on one page, newest first; the last page leads to the newest."""
    await subscribed(store, subscription("sub_a", receiver.url()))
    for number in range(30):
        await commit(store, TAGS, TAGS_1[: 1 + number % 2], START + number * DAY)
    await tell(store, receiver, Clock())
    async with await served(store) as http:
        first = await opened(http, "/subscriptions/sub_a")
        older = first.select_one("a[rel=next]")
        assert older
        last = await opened(http, httpx.URL("http://x/subscriptions/sub_a").join(str(older["href"])).raw_path.decode())
    ids = [[text_of(one) for one in soup.select(".deliveries > li > .name")] for soup in (first, last)]
    assert [len(one) for one in ids] == [25, 5]
    assert len({*ids[0], *ids[1]}) == 30
    assert last.select_one("a[rel=next]") is None
    assert text_of(last.select_one(".pager a")) == "Newest"


async def test_many_subscriptions_are_paged(store: Store) -> None:
    """A hundred a page, oldest first."""
    for number in range(105):
        at = START + timedelta(minutes=number)
        made = subscription(f"sub_{number:03}", "https://hooks.contoso.example/", status=Status.PAUSED)
        await subscribed(
            store, type(made)(**{**{n: getattr(made, n) for n in made.__struct_fields__}, "created_at": at})
        )
    async with await served(store) as http:
        first = await opened(http, "/subscriptions")
        newer = first.select_one("a[rel=next]")
        assert newer
        last = await opened(http, f"/{newer['href']}")
    assert [len(soup.select("tbody tr")) for soup in (first, last)] == [100, 5]
    assert text_of(last.select("tbody th .name")[1]) == "sub_100"
    assert last.select_one("a[rel=next]") is None


async def test_an_empty_desk_says_so(store: Store) -> None:
    """Neither a table without rows nor a log without entries."""
    await subscribed(store, subscription("sub_a", "https://hooks.contoso.example/"))
    async with await served(store) as http:
        assert "Nothing was sent yet" in text_of((await opened(http, "/subscriptions/sub_a")).select_one("main"))
        await store.redis.flushall()
        assert "Nobody is subscribed yet" in text_of((await opened(http, "/subscriptions")).select_one("main"))


async def test_pages_lead_to_feeds_of_what_they_show(store: Store) -> None:
    """A reader finds the feed of everything, of a source, and of what a comparison keeps; each is there."""
    await published(store)
    async with await served(store) as http:
        for path, feed in (
            ("/", "/v1/feed.atom"),
            ("/versions", "/v1/feed.atom"),
            (f"/versions?source={TAGS}", f"/v1/feed.atom?source={TAGS}"),
            ("/diff/1...3?cloud=public&material=yes", "/v1/feed.atom?cloud=public&material=yes"),
        ):
            response = await http.get(path, headers=BROWSER)
            found = soup_of(response).select_one("head link[rel=alternate][type='application/atom+xml']")
            assert found
            assert response.url.join(str(found["href"])).raw_path.decode() == feed
            assert (await http.get(feed)).headers["content-type"].startswith("application/atom+xml")
        home = soup_of(await http.get("/", headers=BROWSER)).select_one("section[aria-labelledby=told]")
    assert home
    assert [one["href"] for one in home.select("a")] == [
        "subscriptions",
        *(f"v1/feed.{format_}" for format_ in ("atom", "rss", "json")),
        "v1/calendar.ics",
    ]


async def test_the_orders_it_shows_are_taken(store: Store) -> None:
    """The command line reads each command, and REST has each address, for who shows a bearer token alone."""
    await subscribed(store, subscription("sub_a", "https://hooks.contoso.example/", status=Status.UNVERIFIED))
    async with await served(store) as http:
        soup = await opened(http, "/subscriptions/sub_a")
        rows = [row.select("code") for row in soup.select("section[aria-labelledby=orders] tbody tr")]
        for command, order, *body in rows:
            name, verb, *given = text_of(command).removeprefix("catalog-service ").split()
            assert name == "subscription"
            subscription_group.commands[verb].make_context(verb, given)
            method, address = text_of(order).split()
            assert (await http.request(method, httpx.URL(address).path)).status_code == 401
            if verb == "replay":
                read_wanted(text_of(body[0]).encode(), Replay)
    assert [text_of(command).split()[2] for command, *_ in rows] == [
        "verify",
        "test",
        "pause",
        "resume",
        "replay",
        "replay",
    ]
