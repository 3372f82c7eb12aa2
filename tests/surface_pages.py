"""What a page says, and what REST says of it, in the same form: one pair of functions for each kind of page.

In: a page, or the body of REST's answer to the same question. Out: plain values to compare. Called by
`test_same_answer`. A page shows less than REST tells; all that it shows is compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from bs4 import BeautifulSoup, Tag

from tests.pages import numbers_of, text_of

Body = dict[str, Any]
Pair = tuple[Callable[[BeautifulSoup], object], Callable[[Body], object]]


def _rows(soup: BeautifulSoup | Tag, where: str) -> list[list[Tag]]:
    return [one.select("th, td") for one in soup.select(f"{where} tbody tr")]


def _texts(cells: list[Tag]) -> list[str]:
    return [text_of(cell) for cell in cells]


def _times(cell: Tag) -> list[str]:
    return [str(one["datetime"]).replace("+00:00", "Z") for one in cell.select("time")]


def _names(text: str, after: str) -> list[str]:
    return text.partition(after)[2].rstrip(".").split(", ") if after in text else []


def _facts(soup: BeautifulSoup) -> dict[str, str]:
    return {text_of(one): text_of(one.find_next_sibling("dd")) for one in soup.select("dl.fields dt")}


def _missing(soup: BeautifulSoup) -> list[str]:
    return _names(" ".join(text_of(one) for one in soup.select("main > .warn")), "nothing is had of ")


def _clouds(one: Body) -> list[str]:
    return one.get("clouds") or ([one["cloud"]] if "cloud" in one else [])


def _value(one: object) -> str:
    if one is None or isinstance(one, bool):
        return {None: "", True: "yes", False: "no"}[one]
    return ", ".join(one) if isinstance(one, list) else str(one)


# A diff, and a held version


def _records(soup: BeautifulSoup) -> Sequence[object]:
    return sorted(
        [
            text_of(one.select_one("h4")).partition(" ")[0],
            _texts(one.select("h4 .tag")),
            [_members(one, side) for side in ("removed", "added")],
            [_texts(row) for row in _rows(one, ".attributes")],
        ]
        for one in soup.select("article")
    )


def _members(article: Tag, side: str) -> list[str]:
    return [text_of(one)[1:] for one in article.select(f".side.{side} li")]


def _records_told(changes: list[Body]) -> Sequence[object]:
    return sorted(
        [
            one["title"].partition(" ")[0],
            _tags(one),
            [one["prefixes_removed"] + one["fqdns_removed"], one["prefixes_added"] + one["fqdns_added"]],
            [_attribute(said) for said in one["attributes"]],
        ]
        for one in changes
    )


def _attribute(said: Body) -> list[str]:
    return [said["name"].replace("_", " "), _value(said.get("previous")), _value(said.get("current"))]


def _tags(one: Body) -> list[str]:
    noise = [] if one["significance"] == "material" else [f"noise: {one['significance']}"]
    where = [one[name] for name in ("region", "direction") if name in one]
    return [one["disposition"], one["impact"], *noise, *where, *_clouds(one)]


def _diff(soup: BeautifulSoup) -> object:
    counts = soup.select_one(".total .counts")
    return {
        "records": _records(soup),
        "summary": [abs(one) for one in numbers_of(text_of(counts))] if counts else [],
        "impacts": dict(text_of(one).rsplit(" ", 1) for one in soup.select(".total .impacts li")),
        "moves": [
            [text_of(member), *([text_of(one) for one in ids.select("a")] for ids in both)]
            for member, *both in _rows(soup, "[aria-labelledby=moves]")
        ],
        "space": [
            [text_of(one) for one in soup.select(f"[aria-labelledby=space] .{side} li a")]
            for side in ("added", "removed")
        ],
        "missing": _missing(soup),
    }


def _diff_told(body: Body) -> object:
    return {
        "records": _records_told(body["changes"]),
        "summary": [one for one in body["summary"].values() if one],
        "impacts": {name: str(count) for name, count in Counter(one["impact"] for one in body["changes"]).items()},
        "moves": [[one["member"], one["from_ids"], one["to_ids"]] for one in body.get("moves", [])],
        "space": [body["space"][side]["prefixes"] for side in ("gained", "lost")],
        "missing": body.get("missing", []),
    }


def _held(soup: BeautifulSoup) -> object:
    return [[text_of(one) for one in soup.select("ul.warn li")], _records(soup)]


def _held_told(body: Body) -> object:
    return [body["held"]["reasons"], _records_told(body["changes"])]


# A lookup, of one or of many


def _lookup(soup: BeautifulSoup) -> object:
    if soup.select_one("[aria-label=Lines]"):
        return [_texts(row) for row in _rows(soup, "[aria-label=Lines]")]
    return {"matches": [_texts(row) for row in _rows(soup, "[aria-label=Matches]")], "missing": _missing(soup)}


def _lookup_told(body: Body) -> object:
    if "items" in body:
        return [_line(one) for one in body["items"]]
    return {"matches": [_match(one) for one in body["matches"]], "missing": body.get("missing", [])}


def _match(one: Body) -> list[str]:
    ports = " ".join(f"{name} {', '.join(one[f'{name}_ports'])}" for name in ("tcp", "udp") if f"{name}_ports" in one)
    where = [one.get("region", ""), " ".join(_clouds(one)), one.get("direction", ""), ports]
    return [_member(one), one["relation"], one["title"], one["service"], *where, one["source"]]


def _member(one: Body) -> str:
    return str(one.get("prefix") or one["fqdn"])


def _line(item: Body) -> list[str]:
    if "error" in item:
        return [item["query"], f"not understood {item['error']}"]
    if not item["matches"]:
        return [item["query"], "not listed"]
    first, count = item["matches"][0], len(item["matches"])
    how = f"listed {count} matches" if count > 1 else "listed"
    return [item["query"], how, _member(first), first["title"], first["source"]]


# A biography


def _history(soup: BeautifulSoup) -> object:
    return {
        "now": text_of(soup.select_one("main > .verdict strong")),
        "lives": [
            [*_texts([name, now]), _times(when), text_of(by)]
            for name, now, when, by in _rows(soup, "[aria-label='Table of times']")
        ],
        "events": [
            [*_times(at), text_of(deed), text_of(id_), text_of(version)]
            for at, deed, _, id_, version in _rows(soup, "[aria-label='What happened']")
        ],
        "known": [at for one in soup.select("[aria-labelledby=life] .hint") for at in _times(one)],
        "on": _that_day(soup),
        "missing": _missing(soup),
    }


def _that_day(soup: BeautifulSoup) -> list[object]:
    verdict, doubt = (soup.select_one(f"[aria-labelledby=life] .{name}") for name in ("verdict", "warn"))
    if verdict is None:
        return []
    unknown = text_of(doubt).partition(":")[0] if doubt else ""
    return [
        text_of(verdict).partition(",")[0],
        _times(verdict),
        [text_of(one) for one in verdict.select("a.name")],
        _names(unknown, "of that time of "),
    ]


def _history_told(body: Body) -> object:
    return {
        "now": "Listed" if body["listed"] else "Not listed",
        "lives": [
            [
                f"{one['name']} {one['relation']}",
                "listed" if one["listed"] else "not listed",
                [at for period in one["periods"] for at in (period["from"], period.get("until")) if at],
                _listed_by(one),
            ]
            for one in body["lives"]
        ],
        "events": [
            [
                one["at"],
                one["deed"] + " or before" * one.get("or_before", False),
                one["id"],
                str(one.get("version", "")),
            ]
            for one in reversed(body["events"])
        ],
        "known": list({one["since"][:10]: one["since"] for one in reversed(_by_since(body["known"]))}.values())[::-1],
        "on": _that_day_told(body.get("on")),
        "missing": body.get("missing", []),
    }


def _by_since(known: list[Body]) -> list[Body]:
    return sorted(known, key=lambda one: str(one["since"]))


def _listed_by(life: Body) -> str:
    gone = ", ".join(source for source in life["sources"] if source not in life["listed_by"])
    return ", ".join(life["listed_by"]) + (f"; before also {gone}" if life["listed_by"] and gone else gone)


def _that_day_told(on: Body | None) -> list[object]:
    if on is None:
        return []
    return ["Yes" if on["listed"] else "No", [on["at"]], [one["id"] for one in on["by"]], on.get("unknown", [])]


_FIELDS = ("Source", "Service", "Region", "TCP ports", "Protocols", "Category", "Purpose")
_ORIGIN = ("Upstream", "Heading", "Document", "Version", "First seen", "Last changed")


def _endpoint(soup: BeautifulSoup) -> object:
    said = {name: value for name, value in _facts(soup).items() if name in _FIELDS or name in _ORIGIN}
    return [
        said,
        *([text_of(one) for one in soup.select(f"[aria-labelledby={name}] > ul.members li")] for name in _LISTS),
    ]


_LISTS = {"prefixes": "prefixes", "names": "fqdns", "service-tags": "service_tags"}


def _endpoint_told(body: Body) -> object:
    origin = dict(body["provenance"])
    origin["upstream"], origin["heading"] = origin["url"], " › ".join(origin.get("heading", ()))
    for name in ("first_seen", "last_changed"):
        origin[name] = f"in version {origin[name]}"
    both = [(_FIELDS, body), (_ORIGIN, origin)]
    said = {label: _value(of.get(_key(label))) for labels, of in both for label in labels if of.get(_key(label))}
    return [said, *(body.get(name, []) for name in _LISTS.values())]


def _key(label: str) -> str:
    return label.lower().replace(" ", "_")


def _versions(soup: BeautifulSoup) -> object:
    return [
        [
            *(text_of(row[0]).split(" ")[:2]),
            text_of(row[1]),
            *_times(row[2]),
            _times(row[3]),
            [abs(one) for one in numbers_of(text_of(row[4]))],
            [numbers_of(text_of(one)) for one in row[5:]],
        ]
        for row in _rows(soup, "[aria-label^='Table: ']")
    ]


def _versions_told(body: Body) -> object:
    return [
        [
            str(one["version"]),
            *(["imported"] if one.get("imported") else []),
            one["source"],
            one["committed_at"],
            [one["upstream_at"]] if "upstream_at" in one else [],
            [count for count in one["summary"].values() if count],
            [[count] for count in one["counts"].values()],
        ]
        for one in body["items"]
    ]


def _sources(soup: BeautifulSoup) -> object:
    rows = [row for row in _rows(soup, "[aria-labelledby=sources]") if len(row) > 1]
    return [
        [
            *(text_of(row[0].select_one(".name")), text_of(row[1].select_one(".state")), text_of(row[2])),
            [numbers_of(text_of(one)) for one in row[4:7]],
        ]
        for row in rows
    ]


def _sources_told(body: Body) -> object:
    return [
        [
            f"{one['name']} · {one['cloud']}",
            one["status"],
            str(one.get("version", "none")),
            [[count] for count in one["counts"].values()] if "counts" in one else [[], [], []],
        ]
        for one in body["items"]
    ]


def _labels(soup: BeautifulSoup) -> object:
    return [text_of(one).partition(" set ")[0] for one in soup.select("[aria-labelledby=labels] li")]


def _labels_told(body: Body) -> object:
    return [f"{one['name']} version {one['version']}" for one in body["items"]]


def _waiting(soup: BeautifulSoup) -> object:
    return [[text_of(one.select_one("a")), _texts(one.select("ul li"))] for one in soup.select(".cards > li")]


def _waiting_told(body: Body) -> object:
    return [[one["source"], one["reasons"]] for one in body["items"]]


PAGES: dict[str, Pair] = {
    "diff": (_diff, _diff_told),
    "lookup": (_lookup, _lookup_told),
    "history": (_history, _history_told),
    "endpoints": (_endpoint, _endpoint_told),
    "versions": (_versions, _versions_told),
    "sources": (_sources, _sources_told),
    "labels": (_labels, _labels_told),
    "held": (_waiting, _waiting_told),
    "held/": (_held, _held_told),
}
"""By the beginning of REST's address."""


def told_problem(soup: BeautifulSoup) -> dict[str, str]:
    """Return what a page of an error says."""
    note = soup.select_one("main > .warn")
    return {**_facts(soup), "detail": text_of(note) if note else text_of(soup.select_one("h1"))}
