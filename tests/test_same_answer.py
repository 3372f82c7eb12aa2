"""REST, GraphQL, the command line and the pages give the same answer to the same question.

The questions are in `questions`. They are asked of this catalogue:

    1   azure-service-tags-public                 pruned, kept by its label `first`
    2   power-automate-ip-address-configuration   pruned
    3   microsoft-365-worldwide                   the oldest that is not pruned
    4   managed-connectors-outbound-ip-addresses
    5   azure-service-tags-public                 labelled `prod`
    6   power-automate-ip-address-configuration
    7   microsoft-365-worldwide
    8   azure-service-tags-public                 imported, of 2025-05-06
    9   azure-service-tags-public                 imported, of 2025-05-13
    10  azure-service-tags-public
    -   power-automate-ip-address-configuration   held
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import fields
from starlette.applications import Starlette

from catalog_service.api.app import create_app
from catalog_service.catalog.biography import Period, SeriesPoint
from catalog_service.catalog.conflict import Conflict
from catalog_service.catalog.regions import Regions
from catalog_service.cli import exits
from catalog_service.export.document import AllowlistView
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.sync.history import import_history
from catalog_service.views import biographies, diffs, lookups
from catalog_service.views.records import Record
from catalog_service.views.scenarios import ScenarioView
from catalog_service.views.sources import SourceView
from schema.endpoint_set import Attributes, endpoint_set
from schema.guard import GuardLimits
from schema.version import HeldVersion, Label, Version
from schema.words import Cloud, Direction
from scrapers.history.files import HistoricFile
from scrapers.sources import SOURCES
from tests.api_client import DAY, PAGE, START, TAGS, commit, hold, tag
from tests.catalogs import CONNECTORS, WORLDWIDE, row
from tests.local_source import Clock, body, local_source
from tests.questions import QUESTIONS
from tests.surface_pages import PAGES, told_problem
from tests.surfaces import EXITS, Asking, Question, asked_over, fields_of, plain, problem

OUT = Direction.OUTBOUND
BOTH = (Cloud.PUBLIC, Cloud.USGOV)
HTTPS = {"protocols": ["https"], "tcp_ports": ["443"]}
FLOW = ("*.flow.microsoft.com", "make.powerautomate.com")


TAGS_1 = (
    tag("AzureConnectors", "13.66.60.0/24", "2603:1000::/40"),
    tag("AzureConnectors.WestEurope", "13.66.60.64/26", region="westeurope"),
    tag("LogicApps", "20.1.2.0/24"),
    tag("Storage", "20.60.0.0/16", "20.61.0.0/16"),
)
TAGS_5 = (
    tag("AzureConnectors", "13.66.60.0/24", "13.67.0.0/16", number=2),
    *TAGS_1[1:3],
    tag("Storage", "20.60.0.0/16", number=2),
    tag("Storage.WestEurope", "20.61.0.0/16", region="westeurope"),
)
TAGS_10 = (
    tag("AzureConnectors", "13.66.60.0/25", "13.66.60.128/25", "13.67.0.0/16", number=3),
    tag("AzureConnectors.WestEurope", "13.66.60.64/26", "2603:1020::/48", region="westeurope"),
    tag("LogicApps", "20.1.2.0/24", number=2),
    tag("Storage.WestEurope", "20.61.0.0/16", region="westeurope"),
)
PAGE_2 = (
    row(PAGE, "connectors", category="connectors", service_tags=["AzureConnectors"], clouds=BOTH),
    row(PAGE, "flow", direction=OUT, fqdns=FLOW, clouds=BOTH, purpose="Needed to open flows.", **HTTPS),
)
PAGE_6 = (
    PAGE_2[0],
    row(PAGE, "flow", direction=OUT, fqdns=FLOW[1:], clouds=BOTH, purpose="Needed to open flows.", **HTTPS),
    row(PAGE, "storage", service_tags=["Storage"], heading=("Services", "Required")),
)
PAGE_HELD = PAGE_6[:1]


SETS = tuple(
    endpoint_set(
        WORLDWIDE,
        "1",
        service="Exchange",
        title="1",
        clouds=(Cloud.PUBLIC,),
        direction=OUT,
        prefixes=prefixes,
        fqdns=["outlook.office.com", "make.powerautomate.com"],
        tcp_ports=["80,443"],
        udp_ports=["443"],
        category="Optimize",
        required=True,
        attributes=Attributes(express_route=express_route, service_area="Exchange"),
    )
    for prefixes, express_route in ((["40.96.0.0/13"], True), (["40.96.0.0/13", "2603:1006::/40"], False))
)
REGIONS = (row(CONNECTORS, "europe", service="Managed connectors", region="europe", prefixes=["13.66.60.64/26"]),)
OLD = (
    (datetime(2025, 5, 6, tzinfo=UTC), {"Old": ["20.9.0.0/16"], "AzureConnectors": ["13.66.60.0/24"]}),
    (datetime(2025, 5, 13, tzinfo=UTC), {"AzureConnectors": ["13.66.60.0/24", "13.67.0.0/16"]}),
)


async def fill(store: Store, folder: Path) -> None:
    """Publish, import, label, hold and prune, as the module's docstring says."""
    live = (
        (TAGS, TAGS_1),
        (PAGE, PAGE_2),
        (WORLDWIDE, SETS[:1]),
        (CONNECTORS, REGIONS),
        (TAGS, TAGS_5),
        (PAGE, PAGE_6),
    )
    for number, (source, records) in enumerate((*live, (WORLDWIDE, SETS[1:]))):
        await commit(store, source, records, START + number * DAY)
    files = []
    for at, tags in OLD:
        path = folder / f"tags_{at:%Y%m%d}.json"
        path.write_bytes(body(tags))
        files.append(HistoricFile(path.name, path, at))
    limits = GuardLimits(min_endpoint_sets=1)
    outcomes = await import_history(local_source(TAGS, limits), tuple(files), store, Clock(START + 8 * DAY))
    assert [one.version for one in outcomes] == [8, 9]
    await commit(store, TAGS, TAGS_10, START + 9 * DAY)
    await store.labels.set("prod", 5, "ann", START + 9 * DAY)
    await store.labels.set("first", 1, "bob", START + 9 * DAY)
    await hold(store, PAGE, PAGE_HELD, START + 10 * DAY)
    assert (await store.retention.prune(6)).floor == 3


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """The four surfaces over that catalogue, in a Redis of this module. To be read."""
    directory = tmp_path_factory.mktemp("asked")

    async def application(store: Store) -> Starlette:
        await fill(store, directory)
        reader = Reader(store)
        await reader.refresh()
        return create_app(reader, tuple(one.info for one in SOURCES))

    with asked_over(directory, application) as asking:
        yield asking


ANSWERED = tuple(one for one in QUESTIONS if one.status == 200)
REFUSED = tuple(one for one in QUESTIONS if one.status != 200)


def of(questions: tuple[Question, ...], surface: str) -> pytest.MarkDecorator:
    """Return the mark that asks each of ``questions`` that ``surface`` has."""
    asked = [one for one in questions if getattr(one, surface) is not None]
    return pytest.mark.parametrize("question", [pytest.param(one, id=one.name) for one in asked])


PUBLISHED: dict[str, type[Struct]] = {
    "Allowlist": AllowlistView,
    "Attributes": Attributes,
    "Biography": biographies.Biography,
    "BulkLookup": lookups.BulkLookup,
    "Change": diffs.DiffEntry,
    "Conflict": Conflict,
    "Diff": diffs.Diff,
    "EndpointSet": Record,
    "HeldVersion": HeldVersion,
    "HistoryEvent": biographies.Event,
    "KnownSince": biographies.KnownSince,
    "Label": Label,
    "Life": biographies.Life,
    "Listing": biographies.Listing,
    "Lookup": lookups.Lookup,
    "LookupItem": lookups.LookupItem,
    "Match": lookups.MatchView,
    "Period": Period,
    "PlainChange": diffs.ChangeView,
    "Regions": Regions,
    "Scenario": ScenarioView,
    "SeriesPoint": SeriesPoint,
    "Source": SourceView,
    "ThatDay": biographies.ThatDay,
    "Version": Version,
}
CUT = {"dropped", "part", "parts", "truncated"}
"""How a file of an allowlist was cut: GraphQL has no files."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_graphql_has_the_fields_of_rest(name: str) -> None:
    """None is left out, even one that no answer of the table has."""
    own = {field.encode_name for field in fields(PUBLISHED[name])}
    assert fields_of(name) == own - (CUT if name == "Allowlist" else set())


@of(ANSWERED, "graphql")
def test_graphql_says_what_rest_says(asking: Asking, question: Question) -> None:
    """Every field of either is in the other, with the same value."""
    assert plain(asking.graphql(question)) == plain(asking.rest(question).json())


@of(ANSWERED, "cli")
def test_a_command_says_what_rest_says(asking: Asking, question: Question, capfd: pytest.CaptureFixture[str]) -> None:
    """``--json`` is REST's answer but for the cursor; a file in any format is REST's, byte for byte."""
    told = asking.rest(question)
    code, out, err = asking.command(question, capfd)
    assert code == exits.FINE, err
    if told.headers["content-type"] == "application/json":
        assert plain(json.loads(out)) == plain(told.json())
    else:
        assert out == told.text


@of(ANSWERED, "html")
def test_a_page_says_what_rest_says(asking: Asking, question: Question) -> None:
    """All that a page shows of an answer is as REST tells it."""
    kind, rest_of = question.rest.removeprefix("/v1/").partition("?")[0].partition("/")[::2]
    shown, told = PAGES["held/" if kind == "held" and rest_of else kind]
    assert shown(asking.page(question)) == told(asking.rest(question).json())


@of(REFUSED, "graphql")
def test_graphql_refuses_as_rest_does(asking: Asking, question: Question) -> None:
    """The same code, the same sentence, the same facts; the parameter by its own name."""
    assert asking.graphql(question) == problem(asking.rest(question))


@of(REFUSED, "cli")
def test_a_command_refuses_as_rest_does(asking: Asking, question: Question, capfd: pytest.CaptureFixture[str]) -> None:
    """The same sentence on stderr, nothing on stdout, and the exit code of that kind of error."""
    told = asking.rest(question)
    code, out, err = asking.command(question, capfd)
    assert (code, out) == (EXITS[told.status_code], "")
    assert err.splitlines()[0] == f"error: {told.json()['detail']}"


@of(REFUSED, "html")
def test_a_page_refuses_as_rest_does(asking: Asking, question: Question) -> None:
    """The same status, code, parameter and sentence."""
    told = asking.rest(question).json()
    shown = told_problem(asking.page(question))
    assert shown["Status"] == f"{told['status']} {told['code']}"
    assert (shown.get("Parameter"), shown["detail"]) == (told.get("parameter"), told["detail"])
    assert shown.get("Nearest kept") == (f"version {told['nearest']}" if "nearest" in told else None)
