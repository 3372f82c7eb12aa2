"""Pages as a browser asks for them: fetched, read, and held to what every page promises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx
from bs4 import BeautifulSoup, Tag

from catalog_service.api.pages.page import CONTENT_SECURITY_POLICY

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def page(client: httpx.AsyncClient, path: str, *, status: int = 200) -> BeautifulSoup:
    """Return the page at ``path``, which answers with ``status`` and is sound."""
    response = await client.get(path, headers=BROWSER)
    assert response.status_code == status, (path, response.status_code, response.text[:500])
    soup = soup_of(response)
    check_sound(response, soup)
    return soup


def soup_of(response: httpx.Response) -> BeautifulSoup:
    """Return a page to look into."""
    return BeautifulSoup(response.text, "lxml")


def check_sound(response: httpx.Response, soup: BeautifulSoup) -> None:
    """Check the policy, that nothing is inline or foreign, and what a screen reader needs."""
    path = response.url.path
    assert response.headers["content-type"] == "text/html; charset=utf-8", path
    assert response.headers["content-security-policy"] == CONTENT_SECURITY_POLICY, path
    for element in elements(soup):
        assert element.name not in {"script", "style", "iframe", "object", "base"}, path
        assert not [name for name in element.attrs if name.startswith("on") or name == "style"], (path, element)
    loaded = [str(one.get("href") or one.get("src")) for one in soup.select("link, img, source")]
    assert loaded
    assert all(is_own(response.url, address) for address in loaded), path
    assert len(soup.select("h1")) == 1, path
    assert soup.select_one("html[lang] head title"), path
    for landmark in ("header", "nav[aria-label]", "main#main", "footer", "a.skip[href='#main']"):
        assert soup.select_one(landmark), (path, landmark)
    ids = [str(one["id"]) for one in soup.select("[id]")]
    assert len(ids) == len(set(ids)), path
    named = {name for one in soup.select("[aria-labelledby]") for name in str(one["aria-labelledby"]).split()}
    assert named <= set(ids), path
    assert all(one.get("scope") in {"col", "row"} for one in soup.select("th")), path
    for field in soup.select("input:not([type=hidden]), select, textarea"):
        assert field.find_parent("label"), (path, field)


def elements(soup: BeautifulSoup) -> Iterator[Tag]:
    """Yield every element."""
    yield from (one for one in soup.find_all(True) if isinstance(one, Tag))


def is_own(page_url: httpx.URL, address: str) -> bool:
    """Tell whether ``address``, on the page at ``page_url``, leads to the same host."""
    return urlsplit(urljoin(str(page_url), address)).netloc == page_url.netloc.decode()


def own_links(soup: BeautifulSoup, path: str) -> Iterator[str]:
    """Yield the addresses of this service that the page at ``path`` leads to, absolute and without fragments."""
    for link in soup.select("a[href]"):
        address = urldefrag(urljoin(f"http://catalog.test{path}", str(link["href"]))).url
        if urlsplit(address).netloc == "catalog.test":
            yield address.removeprefix("http://catalog.test")


def text_of(found: Tag | None) -> str:
    """Return the text of an element that is there, white space made single."""
    assert found is not None
    return re.sub(r"\s+", " ", found.get_text()).strip()


def numbers_of(text: str) -> list[int]:
    """Return the numbers in ``text``, thousands apart or not; what was removed is negative."""
    return [int(one.replace(",", "").replace("−", "-")) for one in re.findall(r"−?\d[\d,]*", text)]
