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
from objects import api_faults
from promql import known_metrics, query_faults
from refused import EDGES, REFUSED, UNFIT, refused_faults, shown_faults
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


def main() -> int:
    """Check everything, or write what is generated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkov", type=Path, help="The program; without it nobody asks it.")
    parser.add_argument("--update", action="store_true", help="Write the dashboard and the goldens.")
    options = parser.parse_args()
    if options.update:
        DASHBOARD.write_text(dashboard_json(), encoding="utf-8")
    try:
        faults = [*_dashboard_faults(), *_blind_faults(), *_edge_faults()]
        faults += (fault for check in (refused_faults, shown_faults, upgrade_faults) for fault in check(CHART))
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
    refused = len(REFUSED) + len(UNFIT)
    print(f"chart: {len(rendered)} sets of values, {refused} refused values, {len(faults)} faults, {asked}")
    return bool(faults)


def _blind_faults() -> Iterator[str]:
    """Give the objects of broken.yaml in which the checks below do not find what is wrong."""
    for broken in yaml.safe_load((HERE / "broken.yaml").read_text(encoding="utf-8")):
        told = list(_objects_faults([broken["object"]] * 2))
        if not any(broken["said"] in fault for fault in told):
            yield f"nobody says '{broken['said']}' of {broken['object']}, but: {told}"


def _edge_faults() -> Iterator[str]:
    for name, values in EDGES:
        with helm_python.Chart.load(CHART) as chart:
            texts = chart.render(yaml.safe_load(values), name=name, namespace=NAMESPACE)
        objects = [
            one for path, text in texts.items() if path.endswith(".yaml") for one in yaml.safe_load_all(text) if one
        ]
        yield from (f"{name}, {values}: {fault}" for fault in api_faults(objects))


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
    yield from _objects_faults([*yaml.safe_load_all(text)])
    yield from _golden_faults(name, text, update=update)


def _objects_faults(objects: list[_Object]) -> Iterator[str]:
    yield from api_faults(objects)
    for one in objects:
        yield from (f"{one['kind']} {one['metadata']['name']}: {fault}" for fault in _object_faults(one))


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
