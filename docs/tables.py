"""The tables of the README and of the docs, made from the code: ``python docs/tables.py [--check]``.

Between ``<!-- table: NAME -->`` and ``<!-- end -->`` stands what this prints, and ``make check`` fails where it
does not.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from catalog_service import metrics
from catalog_service.api.rest.routes import OPERATIONS
from catalog_service.catalog.scenarios import all_scenarios
from catalog_service.export.format import Limit
from catalog_service.export.formats import LISTED
from catalog_service.settings import PREFIX, Settings
from schema.guard import GuardLimits
from schema.words import EVERY_CLOUD, Kind
from scrapers.sources import SOURCES

_DOCS = Path(__file__).resolve().parent
FILES = (_DOCS.parent / "README.md", _DOCS / "observability.md")
_MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> int:
    """Write the tables into the files, or with --check say whether they are up to date."""
    outdated = 0
    for file in FILES:
        before = file.read_text(encoding="utf-8")
        after = _MARKED.sub(lambda found: found[1] + "\n".join(_TABLES[found[2]]()) + "\n" + found[3], before)
        if "--check" not in sys.argv:
            file.write_text(after, encoding="utf-8")
        elif before != after:
            print(f"{file.name} is out of date: run `make contracts`", file=sys.stderr)
            outdated = 1
    return outdated


def _sources() -> Iterator[str]:
    yield "| source | address | what it gives | asked every | held for a person |"
    yield "|---|---|---|---|---|"
    for source in SOURCES:
        asked = "archive" if source.archive else f"{source.interval_s // 3600} h"
        address = source.url.removeprefix("https://")
        yield f"| `{source.name}` | {address} | {source.gives} | {asked} | {_guarded(source.guard)} |"


def _guarded(limits: GuardLimits) -> str:
    """Return the limits in a few words: the band of records, then the shares that may go or come."""
    lost, sets, added = (
        f"{share:.0%}"
        for share in (
            limits.max_members_removed_share,
            limits.max_endpoint_sets_removed_share,
            limits.max_members_added_share,
        )
    )
    merely = "; any loss with nothing else" if limits.holds_mere_losses else ""
    band = f"not {limits.min_endpoint_sets} to {limits.max_endpoint_sets} records"
    most = f" (or {limits.max_endpoint_sets_removed})" if limits.max_endpoint_sets_removed else ""
    return f"{band}; over {lost} of members or {sets}{most} of records gone, {added} of members new{merely}"


def _settings() -> Iterator[str]:
    yield "| environment, or key in the TOML file | default | what |"
    yield "|---|---|---|"
    for name, field in Settings.model_fields.items():
        default = "" if field.default_factory or field.default is None else f"`{field.default}`"
        shown = "" if default == "``" else default
        yield f"| `{PREFIX}{name.upper()}`, `{name}` | {shown} | {field.description} |"


def _scenarios() -> Iterator[str]:
    yield "| scenario | question | nothing published for | a note for |"
    yield "|---|---|---|---|"
    for scenario in all_scenarios():
        without = ", ".join(f"`{cloud}`" for cloud in EVERY_CLOUD if scenario.sentence(cloud))
        noted = ", ".join(f"`{cloud}`" for cloud in EVERY_CLOUD if scenario.notes(cloud))
        yield f"| `{scenario.name}` | {scenario.question} | {without} | {noted} |"


def _formats() -> Iterator[str]:
    yield "| `format=` | what | wildcards in names | ranges | list name | entries at most |"
    yield "|---|---|---|---|---|---|"
    for one in LISTED:
        wildcards = f"{one.wildcards}" if Kind.FQDN in one.kinds else ""
        ranges, named = "yes" if one.ranges else "", f"{one.name_length} characters" if one.name_length else ""
        yield f"| `{one.name}` | {one.holds} | {wildcards} | {ranges} | {named} | {_entries(one.limit)} |"


def _addresses() -> Iterator[str]:
    yield "| address | what | parameters |"
    yield "|---|---|---|"
    for one in OPERATIONS:
        summary = inspect.getdoc(one.handle) or ""
        named = " ".join(f"`{parameter.name}`" for parameter in one.parameters if parameter.place == "query")
        method = "" if one.method == "GET" else f"{one.method} "
        yield f"| `{method}{one.path}` | {summary.partition(chr(10))[0].replace('``', '`')} | {named} |"


def _metrics() -> Iterator[str]:
    yield "| metric | type | labels | what |"
    yield "|---|---|---|---|"
    for one in metrics.COUNTED:
        family = next(iter(one.describe()))
        name = f"{family.name}_total" if family.type == "counter" else family.name
        yield _metric(name, family.type, one._labelnames, family.documentation)  # noqa: SLF001 - it tells them nowhere else
    for standing in metrics.STANDING:
        yield _metric(standing.name, "gauge, read at the scrape", standing.labels, standing.help)


def _metric(name: str, kind: str, labels: tuple[str, ...], what: str) -> str:
    return f"| `{name}` | {kind} | {' '.join(f'`{label}`' for label in labels)} | {what} |"


def _entries(limit: Limit | None) -> str:
    if limit is None:
        return ""
    size = f" or {limit.max_bytes:,} bytes" if limit.max_bytes else ""
    return f"{limit.entries:,}{size}: {limit.product} ({limit.source}; {limit.checked_on})"


_TABLES = {
    "addresses": _addresses,
    "formats": _formats,
    "metrics": _metrics,
    "scenarios": _scenarios,
    "sources": _sources,
    "settings": _settings,
}

if __name__ == "__main__":
    sys.exit(main())
