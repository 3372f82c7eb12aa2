"""The chart is what it promises: ``python helm/check.py [--checkov PATH] [--update]``, in the group ``deploy-check``.

In: the chart, and a set of values a file in values/. Out: one line a fault, and code 1. Each set is linted and
rendered, compared with its golden, its objects held against Kubernetes' schemas, its queries against the program's
metrics, and everything against checkov; an upgrade keeps the secrets. No network beyond the loopback and no cluster.
``--update`` writes the dashboard and the goldens.
"""

from __future__ import annotations

import argparse
import difflib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python
import jsonschema
import kubernetes_validate
import yaml  # type: ignore[import-untyped]
from dashboard import dashboard_json
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from promql import known_metrics, query_faults
from upgrades import upgrade_faults
from yamllint import linter
from yamllint.config import YamlLintConfig

HERE = Path(__file__).resolve().parent
CHART = HERE / "catalog-service"
DASHBOARD = CHART / "files" / "dashboard.json"
SETS = tuple(sorted((HERE / "values").glob("*.yaml")))
RELEASE, NAMESPACE, KUBERNETES = "demo", "prod", "1.37"
LINT = YamlLintConfig("rules: {key-duplicates: enable, trailing-spaces: enable, anchors: enable}")
CUSTOM = ("monitoring.coreos.com/", "gateway.networking.k8s.io/")

_Object = dict[str, Any]

REFUSED: tuple[tuple[str, str], ...] = (
    ("replicas: 3", "replicas"),
    ("config: {log_levle: debug}", "log_levle"),
    ("config: {log_level: loud}", "log_level"),
    ("config: {port: 80}", "port"),
    ("config: {operator_token: not-in-a-config-map}", "operator_token"),
    ("config: {trusted_proxies: 10.0.0.0/8}", "trusted_proxies"),
    ("config: {webhook_networks: [10.0.0.1]}", "webhook_networks"),
    ("config: {grace_s: -1}", "grace_s"),
    ("config: {fresh_s: {microsoft-365-worldwide: 5}}", "fresh_s"),
    ("redis: {url: 'redis://user:password@redis:6379/0'}", "url"),
    ("redis: {url: 'http://redis:6379'}", "url"),
    ("redis: {url: 'redis+sentinel://sentinel:26379'}", "url"),
    ("image: {digest: latest}", "digest"),
    ("image: {pullPolicy: Sometimes}", "pullPolicy"),
    ("secrets: {encryptionKey: c2hvcnQ=}", "encryptionKey"),
    ("secrets: {operatorToken: short}", "operatorToken"),
    ("serve: {replicas: two}", "replicas"),
    ("serve: {service: {port: 0}}", "port"),
    ("sync: {mode: cron}", "mode"),
    ("sync: {sources: [azure-service-tags-public]}", "sources"),
    ("sync: {sources: [{name: azure-service-tags-public, schedule: hourly}]}", "schedule"),
    ("sync: {jobs: {startingDeadlineSeconds: 5}}", "startingDeadlineSeconds"),
    ("pod: {antiAffinity: always}", "antiAffinity"),
    ("pod: {userId: 0}", "userId"),
    ("ingress: {hosts: ['https://endpoints.contoso.example']}", "hosts"),
    ("networkPolicy: {redisPorts: []}", "redisPorts"),
    ("alerts: {overrides: {CatalogNoSuchAlert: {enabled: false}}}", "CatalogNoSuchAlert"),
    ("alerts: {overrides: {CatalogVersionHeld: {for: soon}}}", "for"),
    ("valkey: {maxmemory: much}", "maxmemory"),
)
"""Values that the schema refuses, and what it names."""


def main() -> int:
    """Check everything, or write what is generated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkov", type=Path, help="The program; without it nobody asks it.")
    parser.add_argument("--update", action="store_true", help="Write the dashboard and the goldens.")
    options = parser.parse_args()
    if options.update:
        DASHBOARD.write_text(dashboard_json(), encoding="utf-8")
    try:
        faults = [*_dashboard_faults(), *_schema_faults(), *upgrade_faults(CHART)]
        rendered = {values.stem: _rendered(values) for values in SETS}
    except helm_python.HelmError as error:
        sys.exit(f"the chart cannot be rendered: {error}")
    for name, text in rendered.items():
        faults += (f"{name}: {fault}" for fault in _faults(name, text, update=options.update))
    if options.checkov:
        faults += _checkov_faults(options.checkov, rendered)
    for fault in faults:
        print(fault, file=sys.stderr)
    asked = "checkov too" if options.checkov else "without checkov"
    print(f"chart: {len(rendered)} sets of values, {len(REFUSED)} refused values, {len(faults)} faults, {asked}")
    return bool(faults)


def _schema_faults() -> Iterator[str]:
    with helm_python.Chart.load(CHART) as chart:
        for values, named in REFUSED:
            try:
                chart.validate_schema(yaml.safe_load(values))
            except helm_python.HelmValuesError as error:
                if named not in str(error):
                    yield f"the schema refuses {values}, but does not name {named}: {error}"
            else:
                yield f"the schema lets {values} through"


def _rendered(values: Path) -> str:
    """Return the objects of a set as one text, in the order of their templates. Raises HelmError."""
    given = yaml.safe_load(values.read_text(encoding="utf-8"))
    with helm_python.Chart.load(CHART) as chart:
        texts = sorted(chart.render(given, name=RELEASE, namespace=NAMESPACE).items())
    objects = ((path, text.strip().removeprefix("---").strip()) for path, text in texts if path.endswith(".yaml"))
    return "".join(f"---\n# {path}\n{text}\n" for path, text in objects if text)


def _faults(name: str, text: str, *, update: bool) -> Iterator[str]:
    """Give what is wrong with one set."""
    given = yaml.safe_load((HERE / "values" / f"{name}.yaml").read_text(encoding="utf-8"))
    yield from (f"lint: {error}" for error in helm_python.lint(CHART, given, strict=True)["errors"])
    yield from (f"yamllint: {problem}" for problem in linter.run(text, LINT))
    for one in yaml.safe_load_all(text):
        called = f"{one['kind']} {one['metadata']['name']}"
        yield from (f"{called}: {fault}" for fault in _object_faults(one))
    yield from _golden_faults(name, text, update=update)


def _object_faults(one: _Object) -> Iterator[str]:
    if one["apiVersion"].startswith(CUSTOM):
        yield from _custom_faults(one)
    else:
        try:
            kubernetes_validate.validate(one, KUBERNETES, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{'.'.join(map(str, error.path))}: {error.message}"
    for pod in _pods(one):
        yield from _pod_faults(pod)
    for rule in (rule for group in one.get("spec", {}).get("groups", ()) for rule in group["rules"]):
        yield from (f"{rule['alert']} {fault}" for fault in query_faults(rule["expr"], known_metrics()))


def _custom_faults(one: _Object) -> Iterator[str]:
    """Give what the hand-kept schemas say: Kubernetes' own know no custom resources."""
    schema = yaml.safe_load((HERE / "crds.yaml").read_text(encoding="utf-8"))[one["kind"]]
    for error in jsonschema.Draft202012Validator(schema).iter_errors(one["spec"]):
        yield f"{error.json_path}: {error.message}"


def _pods(value: object) -> Iterator[_Object]:
    """Give every specification of a pod in an object."""
    match value:
        case {"containers": list()}:
            yield value  # type: ignore[misc]  # a mapping by the pattern
        case dict():
            for inner in value.values():
                yield from _pods(inner)


def _pod_faults(pod: _Object) -> Iterator[str]:
    """Give what keeps a pod from the restricted level, or would give it variables that are no settings of ours."""
    if pod.get("enableServiceLinks") is not False:
        yield "enableServiceLinks is not false: CATALOG_PORT=tcp://... would be read as a setting"
    if pod.get("automountServiceAccountToken") is not False:
        yield "the token of the service account is mounted"
    if not pod["securityContext"].get("runAsNonRoot") or "RuntimeDefault" not in str(pod["securityContext"]):
        yield "runs as root, or without a seccomp profile"
    for container in pod["containers"]:
        security = container["securityContext"]
        if security["allowPrivilegeEscalation"] or security["capabilities"] != {"drop": ["ALL"]}:
            yield f"{container['name']} may gain privileges"
        if not security["readOnlyRootFilesystem"] or container["resources"].keys() != {"requests", "limits"}:
            yield f"{container['name']} may write to its image, or has no requests or limits"


def _golden_faults(name: str, text: str, *, update: bool) -> Iterator[str]:
    """Give the difference to the golden; of the dashboard it has the place alone."""
    indented = "\n".join(f"    {line}" for line in DASHBOARD.read_text(encoding="utf-8").strip().splitlines())
    shown = text.replace(indented, f"    (files/{DASHBOARD.name})")
    golden = HERE / "goldens" / f"{name}.yaml"
    if update:
        golden.write_text(shown, encoding="utf-8")
    kept = golden.read_text(encoding="utf-8") if golden.exists() else ""
    lines = difflib.unified_diff(kept.splitlines(), shown.splitlines(), str(golden), "rendered", lineterm="", n=1)
    if difference := "\n".join(lines):
        yield f"is not its golden; `python helm/check.py --update` makes it so:\n{difference}"


def _dashboard_faults() -> Iterator[str]:
    """Give what is wrong with the dashboard: not what is made here, unknown to Grafana's types, bad queries."""
    text = DASHBOARD.read_text(encoding="utf-8")
    if text != dashboard_json():
        yield "files/dashboard.json is not what helm/dashboard.py makes: `python helm/check.py --update`"
    made = json.loads(text)
    if json.loads(JSONEncoder().encode(Dashboard.from_json(made))) != made:
        yield "files/dashboard.json holds what Grafana's types do not know"
    for panel in made["panels"]:
        for target in panel.get("targets", ()):
            query = target["expr"].replace("$__rate_interval", "5m").replace("$", "")
            yield from (f"dashboard, {panel['title']}: {fault}" for fault in query_faults(query, known_metrics()))


def _checkov_faults(checkov: Path, rendered: dict[str, str]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in rendered.items():
            Path(folder, f"{name}.yaml").write_text(text, encoding="utf-8")
        flags = ("--framework", "kubernetes", "--skip-download", "--compact", "--quiet", "--directory", folder)
        done = subprocess.run([checkov, *flags], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        yield f"checkov:\n{done.stdout}{done.stderr}"


if __name__ == "__main__":
    sys.exit(main())
