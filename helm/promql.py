"""Queries ask for what there is: PromQL is parsed, and its metrics and labels are those of the program.

In: an expression. Out: what is wrong with it. The metrics are read off the text of catalog_service/metrics.py, so that
this needs none of the program's dependencies. Called by `check.py` for alert rules and the dashboard.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import promql_parser as promql

_METRICS = Path(__file__).resolve().parents[1] / "catalog_service" / "metrics.py"
_OF_TARGETS = {"namespace", "job", "pod", "role", "instance"}
"""Labels that a scrape gives to every series; ``role`` comes from the chart's ServiceMonitor."""
_ELSEWHERE = {
    "kube_deployment_status_replicas_ready": frozenset({"deployment"}),  # kube-state-metrics
    **dict.fromkeys(("process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"), frozenset()),
}
"""What others measure: prometheus_client's ProcessCollector, and the cluster."""

Labels = frozenset[str]


def known_metrics() -> Mapping[str, Labels]:
    """Return every series that may be asked for, with its own labels."""
    known: dict[str, Labels] = dict(_ELSEWHERE)
    for call in ast.walk(ast.parse(_METRICS.read_text(encoding="utf-8"))):
        match call:
            case ast.Call(func=ast.Name(id=kind), args=[ast.Constant(value=str(name)), _, *others]):
                labels = frozenset(ast.literal_eval(others[0])) if others else frozenset[str]()
                if kind == "Histogram":
                    known |= {f"{name}_sum": labels, f"{name}_count": labels, f"{name}_bucket": labels | {"le"}}
                else:
                    known[name] = labels
    return known


def query_faults(query: str, known: Mapping[str, Labels]) -> Iterator[str]:
    """Give a sentence for each thing that is wrong with ``query``."""
    try:
        parsed = promql.parse(query)
    except ValueError as error:
        yield f"is no PromQL: {error}"
        return
    for selector in _selectors(parsed):
        labels = known.get(selector.name or "")
        if labels is None:
            yield f"asks for {selector.name}, which nobody measures"
            continue
        asked = {matcher.name for matcher in selector.matchers.matchers}
        yield from (f"{selector.name} has no label {name}" for name in sorted(asked - labels - _OF_TARGETS))
    yield from _aggregation_faults(parsed, known)


def _aggregation_faults(parsed: object, known: Mapping[str, Labels]) -> Iterator[str]:
    for part in _parts(parsed):
        if isinstance(part, promql.AggregateExpr) and part.modifier:
            there = _OF_TARGETS.union(*(known.get(one.name or "", ()) for one in _selectors(part.expr)))
            yield from (f"nothing below `by` has a label {name}" for name in sorted(set(part.modifier.labels) - there))


def _selectors(parsed: object) -> Iterator[promql.VectorSelector]:
    yield from (part for part in _parts(parsed) if isinstance(part, promql.VectorSelector))


def _parts(parsed: object) -> Iterator[object]:
    """Give every part of an expression, itself first."""
    yield parsed
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        if (inner := getattr(parsed, name, None)) is not None:
            yield from _parts(inner)
    for argument in getattr(parsed, "args", None) or ():
        yield from _parts(argument)
