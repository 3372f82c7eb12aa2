"""Build the demo's mirror folders out of the data files beside this module.

In: a date of the demo. Out: the answers that every default address gives on that date, by address,
in upstream's own formats. Every fact is one line of a data file, and a line that ends in ``from 2``
or ``until 3`` (as a comment) appears on the second date or is gone on the third.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from scrapers.pages.sources import DOCS_PAGES
from scrapers.source import Source

FIRST = date(2026, 5, 4)
STEPS = 3

_HERE = Path(__file__).parent
_MARK = re.compile(r"\s*(?:#|<!--)\s*(from|until) (\d)\s*(?:-->)?$")
_AREAS = {
    "Common": "Microsoft 365 Common and Office Online",
    "Exchange": "Exchange Online",
    "SharePoint": "SharePoint Online and OneDrive for Business",
    "Skype": "Microsoft Teams",
}
_DOWNLOADS = {
    "Public": (56519, "7/1/d/71d86715-5596-4529-9b13-da13a5de5b63"),
    "AzureGovernment": (57063, "6/4/d/64db03bf-895b-4173-a8b1-ba4ad5d4df22"),
    "China": (57062, "9/d/0/9d03b7e2-4b80-4bf3-9b91-da8c7d3ee9f9"),
}


def day(step: int) -> date:
    """Return the date of a step, 1 to `STEPS`; a week lies between two."""
    return FIRST + timedelta(weeks=step - 1)


def answers(step: int) -> Iterator[tuple[str, bytes]]:
    """Yield every address of the demo and what it answers at ``step``."""
    yield from _service_tags(step)
    yield from _microsoft_365(step)
    for page in DOCS_PAGES:
        yield from _docs_page(step, page)


def _service_tags(step: int) -> Iterator[tuple[str, bytes]]:
    for cloud, (page_id, folder) in _DOWNLOADS.items():
        on = day(step)
        name = f"ServiceTags_{cloud}_{on:%Y%m%d}.json"
        url = f"https://download.microsoft.com/download/{folder}/{name}"
        published = f"{on.month}/{on.day}/{on.year} 7:00:00 PM"
        file = {"isPrimary": "True", "name": name, "url": url, "datePublished": published}
        details = json.dumps({"dlcDetailsView": {"downloadTitle": f"Service Tags, {cloud}", "downloadFile": [file]}})
        page = _text("download-page.html").replace("{{details}}", details)
        yield f"https://www.microsoft.com/en-us/download/details.aspx?id={page_id}", page.encode()
        yield url, _json({"changeNumber": 390 + step, "cloud": cloud, "values": _tags(step, cloud)})


def _tags(step: int, cloud: str) -> list[dict[str, Any]]:
    """Return the tags of a cloud; a tag's own number counts the steps at which its prefixes changed."""
    history = [_tag_lines(past, cloud) for past in range(1, step + 1)]
    tags = []
    for heading, prefixes in history[-1].items():
        name, region, region_id, service, features = heading.split()
        seen = [past[heading] for past in history if heading in past]
        changes = sum(before != after for before, after in pairwise(seen))
        properties = {
            "changeNumber": 1 + changes,
            "region": region.strip("-"),
            "regionId": int(region_id),
            "platform": "Azure",
            "systemService": service.strip("-"),
            "addressPrefixes": list(prefixes),
            "networkFeatures": None if features == "-" else features.split(","),
        }
        tags.append({"name": name, "id": name, "properties": properties})
    return tags


def _tag_lines(step: int, cloud: str) -> dict[str, tuple[str, ...]]:
    """Return the prefixes of each tag's heading line, at ``step``."""
    section = _text("service-tags.txt", step).partition(f"[{cloud}]\n")[2].partition("\n[")[0]
    tags: dict[str, tuple[str, ...]] = {}
    heading = ""
    for line in section.splitlines():
        if line.startswith(" "):
            tags[heading] += tuple(line.split())
        else:
            heading = line.strip()
            tags[heading] = ()
    return tags


def _microsoft_365(step: int) -> Iterator[tuple[str, bytes]]:
    for instance, sets in _instances(step).items():
        latest = max(past for past in range(1, step + 1) if past == 1 or _changed(past, instance))
        version = {"instance": instance, "latest": f"{day(latest):%Y%m%d}00"}
        yield f"https://endpoints.office.com/version/{instance}", _json(version)
        named = [one | {"serviceAreaDisplayName": _AREAS[one["serviceArea"]]} for one in sets]
        yield f"https://endpoints.office.com/endpoints/{instance}", _json(named)


def _instances(step: int) -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(_text("microsoft-365.toml", step))


def _changed(step: int, instance: str) -> bool:
    return _instances(step)[instance] != _instances(step - 1)[instance]


def _docs_page(step: int, page: Source) -> Iterator[tuple[str, bytes]]:
    """Yield a page in both of its forms, out of the data file with the source's name."""
    on = day(step)
    markdown = _text(f"{page.name}.md", step).replace("{{us_date}}", f"{on:%m/%d/%Y}")
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown.split("---\n", 2)[2])
    title, _, body = _with_ids(rendered).partition("</h1>")
    name = title.partition(">")[2]
    filled = {"url": page.url, "date": on.isoformat(), "name": name, "title": title + "</h1>", "body": body}
    html = _text("learn-page.html")
    for key, value in filled.items():
        html = html.replace("{{" + key + "}}", value)
    yield page.url, html.encode()
    yield f"{page.url}?accept=text/markdown", markdown.encode()


def _with_ids(rendered: str) -> str:
    """Give headings the ids that the site derives from their words."""
    return re.sub(r"<(h\d)>(.*?)</h\d>", _heading, rendered)


def _heading(found: re.Match[str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", found[2].lower()).strip("-")
    return f'<{found[1]} id="{slug}">{found[2]}</{found[1]}>'


def _text(name: str, step: int | None = None) -> str:
    """Return a data file; with a step, the lines of that step without their marks."""
    text = (_HERE / name).read_text(encoding="utf-8")
    if step is None:
        return text
    lines = ((line, _MARK.search(line)) for line in text.splitlines())
    return "".join(f"{_MARK.sub('', line)}\n" for line, mark in lines if mark is None or _lives(mark, step))


def _lives(mark: re.Match[str], step: int) -> bool:
    return step >= int(mark[2]) if mark[1] == "from" else step < int(mark[2])


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2).encode()
