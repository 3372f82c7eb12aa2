"""Reading metrics as Prometheus does, for the tests of them."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def series_of(text: str) -> Series:
    """Return every sample of Prometheus's text by its name and labels."""
    return samples_of(text_string_to_metric_families(text))


def samples_of(families: Iterable[Metric]) -> Series:
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def value(series: Series, name: str, **labels: str) -> float:
    """Return one sample, 0 where there is none yet."""
    return series.get((name, frozenset(labels.items())), 0.0)


def names(series: Series) -> set[str]:
    return {name for name, _ in series}
