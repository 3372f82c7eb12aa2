"""Allowlists as files: what goes in comes out, and nothing is ever left out in silence."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest

from catalog_service.catalog.select import Filter
from catalog_service.catalog.snapshot import Snapshot, SourceContent
from catalog_service.catalog.view import Entry, View
from catalog_service.export.choose import chosen
from catalog_service.export.formats import FORMATS, LISTED, MEDIA_TYPES, render
from schema.change import Summary
from schema.endpoint_set import EndpointSet
from schema.errors import BadParameterError, NoMatchError
from schema.version import Counts, Version
from schema.words import Cloud, Direction, Kind
from tests.api_client import PAGE, PAGE_1, START, TAGS, TAGS_1, row, tag
from tests.device_lists import PARSERS, read


def content(source: str, number: int, records: tuple[EndpointSet, ...]) -> SourceContent:
    """Return a source's content as a snapshot holds it."""
    counts = Counts(len(records), 0, 0)
    version = Version(number, source, START, START, "sha256:0", counts, Summary(), "https://x.example/", "sha256:1")
    return SourceContent(version, records)


def seen(given_records: tuple[EndpointSet, ...]) -> View:
    """Return the view of these records, without scenarios."""
    return View(tuple(map(Entry, given_records)))


SNAPSHOT = Snapshot(2, (content(TAGS, 1, TAGS_1), content(PAGE, 2, PAGE_1)))

BOTH = tuple(one.name for one in LISTED if len(one.kinds) == 2)


def rendered(name: str, snapshot: Snapshot, view: View, kinds: tuple[Kind, ...] = ()) -> bytes:
    """Return the bytes of the whole list."""
    return render(name, snapshot, view, kinds).data


@pytest.mark.parametrize("name", BOTH)
def test_kinds_choose_the_members(name: str) -> None:
    """A kind keeps its members and leaves the others out."""
    both = seen(SNAPSHOT.endpoint_sets)
    assert read(name, rendered(name, SNAPSHOT, both, (Kind.FQDN,))).prefixes == ()
    assert read(name, rendered(name, SNAPSHOT, both, (Kind.PREFIX,))).fqdns == ()


def test_each_format_has_a_parser() -> None:
    """No format is without a reader in the tests, nor a reader without a format."""
    assert set(PARSERS) == set(FORMATS)


def test_each_format_has_a_media_type() -> None:
    """Formats and media types are listed in the same order; the plain ones are the first of their types."""
    by_name = dict(zip(FORMATS, MEDIA_TYPES, strict=True))
    assert {name: by_name[name] for name in ("txt", "csv", "json", "ndjson", "tfvars")} == {
        "txt": "text/plain",
        "csv": "text/csv",
        "json": "application/json",
        "ndjson": "application/x-ndjson",
        "tfvars": "application/json",
    }
    assert [FORMATS[MEDIA_TYPES.index(one)] for one in dict.fromkeys(MEDIA_TYPES)] == ["txt", "csv", "json", "ndjson"]


def test_text_is_lines_and_nothing_else() -> None:
    """The text has no header, no comment and no blank line, and ends in LF: devices take every line for an entry."""
    assert rendered("txt", SNAPSHOT, chosen(SNAPSHOT, Filter(services=("LogicApps",)))) == b"20.1.2.0/24\n"


def test_a_row_names_every_record_that_holds_the_member() -> None:
    """The csv says where each member comes from, ids separated by a space."""
    shared = (tag("A", "20.0.0.0/24"), tag("B", "20.0.0.0/24"))
    data = rendered("csv", Snapshot(1, (content(TAGS, 1, shared),)), seen(shared))
    assert data.decode() == f"member,kind,ids,via,scenarios\n20.0.0.0/24,prefix,{TAGS}:A {TAGS}:B,,\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_starts_a_formula(start: str) -> None:
    """A cell that a spreadsheet would compute gets an apostrophe; a comma or a quote is quoted."""
    odd = msgspec.structs.replace(tag("A"), id=f'{start}HYPERLINK("x",1)', fqdns=("a.example",))
    rows = list(csv.reader(io.StringIO(rendered("csv", SNAPSHOT, seen((odd,))).decode())))
    assert rows[1] == ["a.example", "fqdn", f"'{odd.id}", "", ""]


def test_an_unknown_format_is_refused() -> None:
    """A format nobody renders is a bad parameter."""
    with pytest.raises(BadParameterError):
        render("xlsx", SNAPSHOT, seen(SNAPSHOT.endpoint_sets), ())


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(services=("Nothing",)),
        Filter(clouds=(Cloud.CHINA,)),
        Filter(sources=(TAGS,), directions=(Direction.INBOUND,)),
    ],
)
def test_a_filter_without_a_match_is_an_error(wanted: Filter) -> None:
    """An empty list is never an answer."""
    with pytest.raises(NoMatchError):
        chosen(SNAPSHOT, wanted)


@pytest.mark.parametrize(
    ("wanted", "parameter"),
    [
        (Filter(services=("AzureConnectors", "LogicAps")), "service"),
        (Filter(regions=("westeurope", "japaneast")), "region"),
        (Filter(services=("Nope",)), "service"),
        (Filter(services=("Nope",), sources=(TAGS,)), "service"),
        (Filter(sources=(TAGS, "azure-service-tags-publik")), "source"),
    ],
)
def test_a_misspelled_word_beside_good_ones_is_an_error(wanted: Filter, parameter: str) -> None:
    """A list that would be short for a misspelled word is refused, and the word named."""
    with pytest.raises(NoMatchError) as refused:
        chosen(SNAPSHOT, wanted)
    assert refused.value.facts["parameter"] == parameter
    assert str(refused.value.facts["value"]) in str(refused.value)


def test_a_region_that_nobody_knows_is_a_bad_parameter() -> None:
    """It may be misspelled: the error says where the known ones stand."""
    with pytest.raises(BadParameterError, match="catalog-service regions") as refused:
        chosen(SNAPSHOT, Filter(regions=("westeurope", "westeuropa")))
    assert refused.value.facts["value"] == "westeuropa"


def test_references_that_nobody_asked_to_resolve_are_told() -> None:
    """The row's own members make a list; the tags it names are not in it, and the view says so."""
    found = chosen(SNAPSHOT, Filter(sources=(PAGE,)))
    assert [(one.by, one.tag, one.unasked, one.unread) for one in found.unresolved] == [
        (f"{PAGE}:references", "AzureConnectors", True, False),
        (f"{PAGE}:references", "LogicApps", True, False),
    ]
    assert [one.tag for one in chosen(SNAPSHOT, Filter(sources=(PAGE, TAGS))).unresolved] == []
    assert chosen(SNAPSHOT, Filter(sources=(PAGE,), kinds=(Kind.FQDN,))).unresolved == ()
    assert chosen(SNAPSHOT, Filter(sources=(PAGE,), resolve=True)).unresolved == ()


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(sources=(PAGE,), kinds=(Kind.PREFIX,)),
        Filter(services=("references",)),
        Filter(services=("references",), kinds=(Kind.SERVICE_TAG,)),
    ],
)
def test_a_list_of_references_alone_says_how_to_have_their_prefixes(wanted: Filter) -> None:
    """Nothing to list, and the error names ``resolve=tags``."""
    with pytest.raises(NoMatchError, match="resolve=tags"):
        render("txt", SNAPSHOT, chosen(SNAPSHOT, wanted), wanted.kinds)


def test_a_row_of_the_table_names_the_tags_that_hold_the_member() -> None:
    """A record resolved by two tags credits each prefix to the one it came from; its own to none."""
    both = msgspec.structs.replace(PAGE_1[1], prefixes=("20.9.9.0/24",))
    snapshot = Snapshot(2, (content(TAGS, 1, TAGS_1), content(PAGE, 2, (both,))))
    data = rendered("csv", snapshot, chosen(snapshot, Filter(sources=(PAGE,), resolve=True)))
    vias = {one["member"]: one["via"] for one in csv.DictReader(io.StringIO(data.decode()))}
    assert vias == {
        "13.66.60.0/24": f"{TAGS}:AzureConnectors",
        "20.1.2.0/24": f"{TAGS}:LogicApps",
        "20.9.9.0/24": "",
        "2603:1000::/40": f"{TAGS}:AzureConnectors",
    }


def test_records_without_members_of_the_kind_are_an_error() -> None:
    """Records that only refer to service tags make no list of prefixes."""
    only_references = (row("references", service_tags=("LogicApps",)),)
    with pytest.raises(NoMatchError):
        render("txt", SNAPSHOT, seen(only_references), (Kind.PREFIX,))
