"""A diff says the same in every format, whatever upstreams write into it."""

from __future__ import annotations

import csv
import io
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from catalog_service.catalog.compare import DiffFilter, compare
from catalog_service.catalog.diff import diff
from catalog_service.export.diffs.formats import DIFF_FORMATS, diff_format_named
from catalog_service.export.diffs.markdown import code
from catalog_service.export.diffs.table import HEADER
from catalog_service.views.diffs import Diff, by_service, diff_view
from schema.change import summarize
from schema.endpoint_set import EndpointSet
from schema.errors import BadParameterError
from schema.version import Point
from tests.records import contents, record

Content = tuple[EndpointSet, ...]
A, B, C = "20.0.0.0/24", "20.0.1.0/24", "2603:1000::/40"
NASTY = "=1+1\n+ 0.0.0.0/0\r@@ <script>alert(1)</script> `x` [y](http://z) @everyone |"


def diff_of(before: Content, after: Content, *, space: bool = False, missing: tuple[str, ...] = ()) -> Diff:
    """Return the published diff of two contents."""
    found = compare(diff(before, after), {one.id: one for one in after}, DiffFilter(), space=space)
    return diff_view(Point(3), Point(4), found, missing)


def rendered(name: str, shown: Diff) -> str:
    return diff_format_named(name).render(shown).decode()


SMALL = diff_of(
    (record("a", prefixes=(A, B), purpose="Relay"), record("gone", service="Sql", fqdns=("x.example.com",))),
    (record("a", prefixes=(A, C), required=True), record("new", prefixes=(B,), tcp_ports=("443",))),
    space=True,
    missing=("another-source",),
)


def test_text_is_a_unified_diff() -> None:
    """A heading, addresses and moves where they are known, then a block a record with a signed line a member."""
    assert rendered("text", SMALL) == (
        "--- version 3\n"
        "+++ version 4\n"
        "1 endpoint set added, 1 endpoint set removed, 1 endpoint set changed; +2 -1 prefixes, +0 -1 fqdns\n"
        "nothing in this is from another-source: of one of the two times nothing is known of it\n"
        "\n"
        "gained 309485009821345068724781056 IPv6 addresses:\n"
        "  2603:1000::/40\n"
        "lost no addresses\n"
        "\n"
        "moved:\n"
        "  20.0.1.0/24 from a-source:a to a-source:new\n"
        "\n"
        "@@ a-source:a @@ changed, +1 -1 prefixes; AddedIp;"
        " gained 309485009821345068724781056 IPv6 addresses, lost 256 IPv4 addresses\n"
        "- purpose: Relay\n"
        "+ required: true\n"
        "+ 2603:1000::/40\n"
        "- 20.0.1.0/24\n"
        "\n"
        "@@ a-source:gone @@ removed, +0 -1 fqdns; RemovedIpOrUrl; gained no addresses, lost no addresses\n"
        "- x.example.com\n"
        "\n"
        "@@ a-source:new @@ added, +1 -0 prefixes; MovedIpOrUrl; gained 256 IPv4 addresses, lost no addresses\n"
        "+ tcp_ports: 443\n"
        "+ 20.0.1.0/24\n"
    )


def test_noise_is_called_that() -> None:
    """A record that only says the same in other words is marked."""
    text = rendered("text", diff_of((record("a", purpose="Relay"),), (record("a", purpose="Relays"),)))
    assert "@@ a-source:a @@ changed; OtherNonPriorityChanges (wording only)\n" in text


def test_markdown_is_grouped_by_service() -> None:
    """One heading a source and service, one a record, and as many list items as the text has signed lines."""
    tokens = MarkdownIt().parse(rendered("markdown", SMALL))
    headings = [(token.tag, after.content) for token, after in pairwise(tokens) if token.type == "heading_open"]
    assert headings == [
        ("h1", "Changes from version 3 to version 4"),
        ("h2", "Addresses"),
        ("h2", "Moved"),
        ("h2", "`a-source`: `Sql`"),
        ("h3", "`a-source:gone`"),
        ("h2", "`a-source`: `Storage`"),
        ("h3", "`a-source:a`"),
        ("h3", "`a-source:new`"),
    ]
    items = [token.content for token in tokens if token.type == "inline" and token.level == 3]
    assert items == [
        "`2603:1000::/40`",
        "`20.0.1.0/24` from `a-source:a` to `a-source:new`",
        "removed `x.example.com`",
        "`purpose`: `Relay` → absent",
        "`required`: absent → `true`",
        "added `2603:1000::/40`",
        "removed `20.0.1.0/24`",
        "`tcp_ports`: absent → `443`",
        "added `20.0.1.0/24`",
    ]


def test_long_lists_are_folded_away() -> None:
    """More than twenty members stand behind their count, and are still items of a list."""
    many = tuple(f"20.0.{number}.0/24" for number in range(0, 60, 2))
    text = rendered("markdown", diff_of((), (record("a", prefixes=many),)))
    assert "<details><summary>30 added</summary>\n\n- added `20.0.0.0/24`" in text
    assert text.count("<details>") == text.count("</details>") == 1
    assert "<details>" not in rendered("markdown", SMALL)


def test_a_table_has_a_row_a_member_or_attribute() -> None:
    """What was added is current, what was removed previous; every row says which record and what of it."""
    rows = list(csv.DictReader(io.StringIO(rendered("csv", SMALL))))
    assert [(row["id"], row["field"], row["previous"], row["current"]) for row in rows] == [
        ("a-source:a", "prefix", "", C),
        ("a-source:a", "prefix", B, ""),
        ("a-source:a", "purpose", "Relay", ""),
        ("a-source:a", "required", "", "true"),
        ("a-source:gone", "fqdn", "x.example.com", ""),
        ("a-source:new", "prefix", "", B),
        ("a-source:new", "tcp_ports", "", "443"),
    ]
    first = {name: rows[0][name] for name in HEADER[:9]}
    assert first == {
        "source": "a-source",
        "service": "Storage",
        "id": "a-source:a",
        "cloud": "public",
        "region": "",
        "direction": "",
        "disposition": "Change",
        "impact": "AddedIp",
        "significance": "material",
    }


def test_a_record_without_anything_to_list_has_a_row() -> None:
    """One that came or went and holds neither members nor ports is not lost in a table."""
    rows = list(csv.DictReader(io.StringIO(rendered("csv", diff_of((), (record("a"),))))))
    assert [(row["id"], row["disposition"], row["field"]) for row in rows] == [("a-source:a", "Add", "")]


def test_nothing_upstream_writes_becomes_syntax() -> None:
    """Line ends, markup, mentions and formulas in a purpose stay a purpose in every format."""
    shown = diff_of((record("a"),), (record("a", purpose=NASTY, service=NASTY, title=NASTY),))
    signs = [line for line in rendered("text", shown).split("\n") if line.startswith(("+ ", "- ", "@@"))]
    assert len(signs) == 6  # the block, purpose, service twice, title twice
    assert "\r" not in rendered("text", shown)
    tokens = MarkdownIt().parse(rendered("markdown", shown))
    inside = [child for token in tokens if token.type == "inline" for child in token.children or ()]
    assert {child.type for child in inside} == {"text", "code_inline"}
    assert not any(token.type.startswith("html") for token in tokens)
    assert not any("script" in child.content or "@" in child.content for child in inside if child.type == "text")
    rows = list(csv.DictReader(io.StringIO(rendered("csv", shown))))
    assert {row["field"] for row in rows} == {"purpose", "service", "title"}
    assert all(row["current"].startswith("'=") and "\n" not in row["current"] for row in rows)


@given(st.text(alphabet=st.sampled_from("`` ax*<\n"), max_size=9))
def test_a_code_span_shows_what_it_holds(text: str) -> None:
    """Any text comes back out of its span, on one line."""
    (paragraph,) = [one for one in MarkdownIt().parse(f"x {code(text)} y") if one.type == "inline"]
    spans = [child.content for child in paragraph.children or () if child.type == "code_inline"]
    assert spans == [text.replace("\n", " ") or " "] or (not text.strip() and len(spans) == 1)


@given(contents, contents)
def test_every_format_tells_every_member(before: Content, after: Content) -> None:
    """Members in equal members out: of JSON, of a table, of the signed lines of a text, of the groups of services."""
    shown = diff_of(before, after)
    assert msgspec.json.decode(rendered("json", shown), type=Diff) == shown
    told = shown.summary
    members = told.prefixes_added + told.prefixes_removed + told.fqdns_added + told.fqdns_removed
    rows = csv.DictReader(io.StringIO(rendered("csv", shown)))
    assert sum(row["field"] in {"prefix", "fqdn"} for row in rows) == members
    lines = rendered("text", shown).split("\n")[3:]
    assert sum(line.startswith(("+ ", "- ")) and ": " not in line for line in lines) == members
    items = MarkdownIt().parse(rendered("markdown", shown))
    assert sum(one.type == "inline" and one.content.startswith(("added `", "removed `")) for one in items) == members
    groups = by_service(shown.changes)
    assert sorted((one for group in groups for one in group.changes), key=lambda one: one.id) == list(shown.changes)
    assert all(group.summary == summarize(group.changes) for group in groups)


def test_formats_are_found_by_name_alone() -> None:
    """A name that is none is refused with the names there are."""
    assert [one.name for one in DIFF_FORMATS] == ["json", "markdown", "text", "csv"]
    with pytest.raises(BadParameterError, match="'html' is not a format of diffs; there are json, markdown, text, csv"):
        diff_format_named("html")
