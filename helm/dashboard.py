"""The Grafana dashboard that the chart carries, made of the panels in dashboard.yaml with Grafana's own types.

In: dashboard.yaml. Out: the text of files/dashboard.json. Called by `check.py`, which compares the two and writes the
file. Queries are kept to one release by the dashboard's variables ``namespace`` and ``job``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.common import ReduceDataOptions, VizLegendOptions
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat as Format

_ROWS = Path(__file__).resolve().parent / "dashboard.yaml"
_SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
_RELEASE = 'namespace="$namespace", job="$job"'

_Panel = timeseries.Panel | stat.Panel | table.Panel
_KINDS: dict[str, type[_Panel]] = {"graph": timeseries.Panel, "number": stat.Panel, "rows": table.Panel}


def dashboard_json() -> str:
    """Return the dashboard as the text of its file."""
    made = (
        build.Dashboard("Endpoint catalogue")
        .uid("endpoint-catalogue")
        .description("Sources, versions, the API, deliveries and the store of one release of the endpoint catalogue.")
        .tags(["catalog-service"])
        .time("now-6h", "now")
        .refresh("1m")
        .timezone("utc")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .with_variable(build.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(_values_of("namespace", "catalog_build_info"))
        .with_variable(_values_of("job", 'catalog_build_info{namespace="$namespace"}'))
    )
    number = 0
    for row in yaml.safe_load(_ROWS.read_text(encoding="utf-8")):
        made = made.with_row(build.Row(row["row"]).id(number := number + 1))
        for panel in row["panels"]:
            made = made.with_panel(_panel(panel).id(number := number + 1))
    return JSONEncoder(sort_keys=True, indent=1).encode(made.build()) + "\n"


def _values_of(label: str, series: str) -> build.QueryVariable:
    return (
        build.QueryVariable(label)
        .datasource(_SOURCE)
        .query(f"label_values({series}, {label})")
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
    )


def _panel(drawn: dict[str, Any]) -> _Panel:
    show, queries = drawn.get("show", "graph"), drawn["queries"]
    panel: _Panel = _KINDS[show]().title(drawn["title"]).datasource(_SOURCE).height(8).span(drawn.get("width", 8))
    panel = panel.unit(drawn.get("unit", "none"))
    for letter, (legend, expression) in zip("ABCDEFGH", queries.items(), strict=False):
        target = prometheus.Dataquery().expr(expression.replace("<selector>", _RELEASE)).legend_format(legend)
        target = target.ref_id(letter).range() if show == "graph" else target.ref_id(letter).instant()
        panel = panel.with_target(target.format(Format.TABLE if show == "rows" else Format.TIME_SERIES))
    match panel:
        case timeseries.Panel():
            return panel.min(0).fill_opacity(10).legend(_legend())
        case stat.Panel():
            return panel.reduce_options(ReduceDataOptions().calcs(["lastNotNull"])).thresholds(_none_is_good())
        case table.Panel():
            return _one_row_a_source(panel, tuple(queries))


def _legend() -> VizLegendOptions:
    listed = VizLegendOptions().display_mode(common.LegendDisplayMode.LIST)
    return listed.placement(common.LegendPlacement.BOTTOM).show_legend(show_legend=True)


def _none_is_good() -> build.ThresholdsConfig:
    steps = [dashboard.Threshold(color="green"), dashboard.Threshold(value=1, color="red")]
    return build.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps)


def _one_row_a_source(panel: table.Panel, names: tuple[str, ...]) -> table.Panel:
    """Return the panel with its queries side by side, joined by their source, each column named after its query."""
    times = ("Time", *(f"Time {number}" for number, _ in enumerate(names, 1)))
    columns = {f"Value #{letter}": name for letter, name in zip("ABCDEFGH", names, strict=False)}
    options = {"excludeByName": dict.fromkeys(times, True), "renameByName": columns}
    joined = dashboard.DataTransformerConfig(id_val="joinByField", options={"byField": "source", "mode": "outer"})
    named = dashboard.DataTransformerConfig(id_val="organize", options=options)
    return panel.with_transformation(joined).with_transformation(named)
