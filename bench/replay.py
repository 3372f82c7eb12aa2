"""``python -m bench.replay [--source NAME] [--all] CORPUS_DIR``: every file of every source's past, and its verdict.

A table in the order of the files: what each says, what it changes against the version published before it, and
what the spine (`catalog_service.sync.once`) makes of it: published, unchanged, stale (superseded content), held, or
refused, with every reason. Nothing is stored or fetched: it is the spine's own reading, diff and guard, in memory, with
the file's date as the clock.

What is held waits for a person. The person of this replay accepts what lasts, that is, when the next readable file
is nearer to the held content than to what is served (or there is no next one), and drops the rest.
``--all`` adds service tags and Microsoft 365 to the docs pages.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bench.corpus import Line, data_lines, docs_lines, opened_line, rendered
from catalog_service.catalog.diff import diff
from catalog_service.catalog.guard import shares
from catalog_service.catalog.snapshot import SourceContent
from catalog_service.sync.candidate import Candidate, compared, insists, is_stale, reasons_to_hold
from schema.change import Changeset, Summary, summarize
from schema.errors import ParseError
from schema.version import Counts, SourceState, Version, count
from scrapers.history.files import HistoricFile
from scrapers.source import Source

UNCHANGED, PUBLISHED, STALE, REFUSED = "unchanged", "published", "stale", "refused"
ACCEPTED, DROPPED = "held, lasts", "held, dropped"


class Outcome(Struct, frozen=True):
    """What became of one file. ``shares``: members removed, sets removed, members added, members moved."""

    file: str
    result: str
    counts: Counts | None = None
    tags: int = 0
    summary: Summary = Summary()
    shares: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    reasons: tuple[str, ...] = ()
    html: str = ""
    """What the same page as HTML gives: same (or refused too), or how it differs; empty where there is none."""


def replay(source: Source, files: tuple[HistoricFile, ...], *, html: bool = False) -> Iterator[Outcome]:
    """Yield what becomes of each of ``files``, oldest first; with ``html``, also how its other form compares."""
    past = _Past()
    for place, file in enumerate(files):
        try:
            candidate = compared(source, file.document(file.at), past.served)
        except ParseError as error:
            form = _html(source, file, None) if html else ""
            yield Outcome(file.name, REFUSED, reasons=error.reasons or (str(error),), html=form)
            continue
        result, reasons = past.judge(source, candidate, file.at)
        if result == ACCEPTED and not _lasts(source, past.served, candidate, files[place + 1 :]):
            result = DROPPED
        form = _html(source, file, candidate) if html else ""
        yield replace(_outcome(source, file, past.served, candidate, result, reasons), html=form)
        if result in {PUBLISHED, ACCEPTED}:
            past.publish(source, candidate, file.at)


class _Past:
    """What the store would know of one source."""

    def __init__(self) -> None:
        self.served: SourceContent | None = None
        self._versions: dict[str, int] = {}
        self._state = SourceState()

    def judge(self, source: Source, candidate: Candidate, at: datetime) -> tuple[str, tuple[str, ...]]:
        """Return the spine's verdict and its reasons; see `sync_once`."""
        if not candidate.changes:
            self._state = SourceState()
            return UNCHANGED, ()
        superseded = self._versions.get(candidate.digest)
        if is_stale(self.served, candidate, superseded) and not insists(candidate, self.served, self._state, at):
            self._state = SourceState(stale_since=self._state.stale_since or at)
            return STALE, (f"the content of version {superseded}",)
        reasons = reasons_to_hold(source, self.served, candidate, superseded)
        return (ACCEPTED if reasons else PUBLISHED), reasons

    def publish(self, source: Source, candidate: Candidate, at: datetime) -> None:
        """Serve ``candidate`` from now on."""
        number = self.served.version.version + 1 if self.served else 1
        provenance = candidate.provenance
        version = Version(
            version=number, source=source.name, fetched_at=at, committed_at=at, digest=candidate.digest,
            counts=count(candidate.records), summary=summarize(candidate.changes), url=source.url,
            document=provenance.digest, upstream_at=provenance.upstream_at,
        )  # fmt: skip
        self.served = SourceContent(version, candidate.records)
        self._versions[candidate.digest] = number
        self._state = SourceState()


def _lasts(
    source: Source, served: SourceContent | None, candidate: Candidate, following: tuple[HistoricFile, ...]
) -> bool:
    for file in following:
        try:
            then = source.records(file.document(file.at)).endpoint_sets
        except ParseError:
            continue
        before = served.endpoint_sets if served else ()
        return _weight(diff(candidate.records, then)) < _weight(diff(before, then))
    return True


def _weight(changes: Changeset) -> int:
    counts = summarize(changes)
    return len(changes) + sum(
        (counts.prefixes_added, counts.prefixes_removed, counts.fqdns_added, counts.fqdns_removed)
    )


def _outcome(
    source: Source,
    file: HistoricFile,
    served: SourceContent | None,
    candidate: Candidate,
    result: str,
    reasons: tuple[str, ...],
) -> Outcome:
    before = served.endpoint_sets if served else ()
    return Outcome(
        file.name,
        result,
        count(candidate.records),
        sum(len(record.service_tags) for record in candidate.records),
        summarize(candidate.changes),
        tuple(one.share for one in shares(source.guard, before, candidate.changes)),
        reasons,
    )


def _html(source: Source, file: HistoricFile, candidate: Candidate | None) -> str:
    page = rendered(file.path) if file.path.suffix == ".md" else None
    if page is None:
        return ""
    try:
        found = source.records(HistoricFile(page.name, page, file.at).document(file.at)).endpoint_sets
    except ParseError as error:
        return "refused too" if candidate is None else f"refused: {'; '.join(error.reasons) or error}"
    changes = diff(candidate.records if candidate else (), found)
    return f"{len(changes)} records differ" if changes else "same"


def main() -> None:
    arguments = _arguments()
    lines = [*docs_lines(arguments.corpus), *(data_lines(arguments.corpus) if arguments.all else ())]
    totals = [_shown(line) for line in lines if arguments.source in {None, line.source.name}]
    print("\n| source | line | files | published | unchanged | stale | held | refused | no change | html |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    print("\n".join(totals))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.replay", description=__doc__)
    parser.add_argument("--source", help="this source alone")
    parser.add_argument("--all", action="store_true", help="service tags and Microsoft 365 too")
    parser.add_argument("corpus", type=Path)
    return parser.parse_args()


def _shown(line: Line) -> str:
    """Print the table of one line and return its row in the totals."""
    print(f"\n## {line.source.name}: {line.name}\n")
    print(f"{'file':58} {'sets':>5} {'pref':>6} {'fqdn':>5} {'tags':>4}  {'sets +/-/~':>13} {'memb +/-':>13}  "
          f"{'removed':>7} {'sets':>6} {'added':>7} {'moved':>6}  verdict")  # fmt: skip
    outcomes = []
    with opened_line(line) as files:
        for one in replay(line.source, files, html=True):
            outcomes.append(one)
            print(_row(one), flush=True)
    return _total(line, outcomes)


def _row(one: Outcome) -> str:
    counts, made = one.counts or Counts(0, 0, 0), one.summary
    sets = f"+{made.endpoint_sets_added}/-{made.endpoint_sets_removed}/~{made.endpoint_sets_changed}"
    members = f"+{made.prefixes_added + made.fqdns_added}/-{made.prefixes_removed + made.fqdns_removed}"
    removed, sets_removed, added, moved = one.shares
    html = f" [html: {one.html}]" if one.html else ""
    reasons = "".join(f"\n      - {reason}" for reason in one.reasons)
    return (
        f"{one.file[-58:]:58} {counts.endpoint_sets:5} {counts.prefixes:6} {counts.fqdns:5} {one.tags:4}  {sets:>13} "
        f"{members:>13}  {removed:7.1%} {sets_removed:6.1%} {added:7.1%} {moved:6.1%}  {one.result}{html}{reasons}"
    )


def _total(line: Line, outcomes: list[Outcome]) -> str:
    results = Counter(one.result for one in outcomes)
    later = len(outcomes) - 1  # the first file can only be a version
    still = f"{results[UNCHANGED] / later:.0%}" if later > 0 else ""
    forms = Counter(one.html.partition(":")[0] for one in outcomes if one.html)
    html = ", ".join(f"{number} {form}" for form, number in sorted(forms.items()))
    held = f"{results[ACCEPTED]} lasted, {results[DROPPED]} dropped"
    return (
        f"| {line.source.name} | {line.name} | {len(outcomes)} | {results[PUBLISHED]} | {results[UNCHANGED]} "
        f"| {results[STALE]} | {held} | {results[REFUSED]} | {still} | {html} |"
    )


if __name__ == "__main__":
    main()
