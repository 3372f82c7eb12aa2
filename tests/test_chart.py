"""What the chart repeats of the program is what the program says. Its own checks are `make check-deploy`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from catalog_service.settings import Settings, load_settings
from scrapers.source import synced
from scrapers.sources import SOURCES

HELM = Path(__file__).resolve().parents[1] / "helm"
GOLDENS = sorted((HELM / "goldens").glob("*.yaml"))


def test_the_cronjobs_of_the_chart_ask_every_source_at_its_interval() -> None:
    """By default there is a CronJob for each source that is synced, as often as the daemon would ask it, each at a minute of its own."""
    values = yaml.safe_load((HELM / "catalog-service" / "values.yaml").read_text(encoding="utf-8"))
    planned = {one["name"]: one["schedule"].split(" ", 1) for one in values["sync"]["sources"]}
    hours = {3600: "* * * *", 6 * 3600: "*/6 * * *"}
    assert {name: rest for name, (_, rest) in planned.items()} == {
        source.name: hours[source.interval_s] for source in synced(SOURCES)
    }
    assert len({minute for minute, _ in planned.values()}) == len(planned)


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.stem)
def test_the_program_takes_the_settings_that_the_chart_gives(
    golden: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The environment of every pod of the program is one of valid settings, and says each thing once."""
    objects = list(yaml.safe_load_all(golden.read_text(encoding="utf-8")))
    settings = {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "ConfigMap"}
    pods = [container for one in objects for container in _containers(one) if container["name"] in _ROLES]
    assert {pod["name"] for pod in pods} == _ROLES
    certificate = tmp_path / "pem"
    certificate.touch()
    for pod in pods:
        given = dict(settings[pod["envFrom"][0]["configMapRef"]["name"]])
        for variable in pod["env"]:
            assert variable["name"] not in given, "said twice"
            given[variable["name"]] = variable.get("value") or _SECRETS[variable["name"]]
        given |= dict.fromkeys((name for name in given if name.startswith("CATALOG_REDIS_TLS_")), str(certificate))
        with monkeypatch.context() as environment:
            for name, value in given.items():
                assert name == "HOME" or name.removeprefix("CATALOG_").lower() in Settings.model_fields
                environment.setenv(name, value)
            loaded = load_settings({})
        assert loaded.redis_url
        assert loaded.host == "0.0.0.0"
        assert (loaded.operator_token != "") == (pod["name"] == "serve")
        assert (loaded.encryption_key != "") == (pod["name"] != "sync")


def test_every_alert_has_its_place_in_the_runbook() -> None:
    """docs/operations.md has a heading for each alert: its address is the one that the alert shows."""
    alerts = yaml.safe_load((HELM / "catalog-service" / "files" / "alerts.yaml").read_text(encoding="utf-8"))
    runbook = (HELM.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    headings = {line.lstrip("#").strip() for line in runbook.splitlines() if line.startswith("#")}
    assert {alert["alert"] for alert in alerts} <= headings


_ROLES = {"serve", "notify", "sync"}
_SECRETS = {
    "CATALOG_REDIS_USERNAME": "catalog",
    "CATALOG_REDIS_PASSWORD": "no secret",
    "CATALOG_REDIS_SENTINEL_PASSWORD": "no secret",
    "CATALOG_ENCRYPTION_KEY": "A" * 43 + "=",
    "CATALOG_SMTP_URL": "smtp://mail.contoso.example:587",
    "CATALOG_OPERATOR_TOKEN": "not-a-real-token",
}


def _containers(value: object) -> Iterator[dict[str, Any]]:
    match value:
        case {"containers": list() as containers}:
            yield from containers
        case dict():
            for inner in value.values():
                yield from _containers(inner)
