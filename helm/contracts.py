"""What the chart says of its values, made from values.yaml and the program: ``python helm/contracts.py [--check]``.

In: values.yaml (defaults, and the comment above each as its description), the settings of the program, the names of
the alerts. Out: values.schema.json, which refuses whatever is no value, and the table in the chart's README.md.
``make contracts`` writes them, ``make check`` fails where they are out of date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from catalog_service.settings import Settings

CHART = Path(__file__).resolve().parent / "catalog-service"
MARKED = "<!-- table: values -->\n"
END = "<!-- end -->"

_Json = dict[str, Any]

_ELSEWHERE = {"redis_url", "redis_username", "redis_password", "redis_sentinel_username", "redis_sentinel_password"} | {
    *("redis_tls_ca", "redis_tls_cert", "redis_tls_key", "encryption_key", "operator_token", "smtp_url"),
    *("port", "metrics_port", "data_dir"),
}
"""Settings with values of their own, or that the chart decides."""

_NAME = r"[a-z0-9]([a-z0-9\-]*[a-z0-9])?"
_KEY = {"pattern": r"^[A-Za-z0-9._\-]*$"}
_SERVICE = {"maxLength": 63, "pattern": r"^([a-z]([a-z0-9\-]*[a-z0-9])?)?$"}
"""What a Service may be called (RFC 1035)."""
_OBJECT = {"maxLength": 253, "pattern": rf"^({_NAME}(\.{_NAME})*)?$"}
_PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
_OCTET = "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_V4 = rf"{_OCTET}(\.{_OCTET}){{3}}"
_NETWORK = {
    "type": "string",
    "pattern": rf"^({_V4}/([12]?[0-9]|3[0-2])|[0-9a-f]*:[0-9a-f:.]+/(1[01][0-9]|12[0-8]|[1-9]?[0-9]))$",
}
_NETWORK4_WITHIN = {"type": "string", "pattern": rf"^{_V4}/([1-9]|[12][0-9]|3[0-2])$"}
_NETWORK6_WITHIN = {"type": "string", "pattern": "^[23][0-9a-f]{3}:[0-9a-f:]+/([4-9]|[1-9][0-9]|1[01][0-9]|12[0-8])$"}
"""Networks that may be excepted from 0.0.0.0/0 and from 2000::/3."""
_DIGEST = {"pattern": "^(sha256:[0-9a-f]{64})?$"}
_TAG = {"pattern": r"^([A-Za-z0-9_][A-Za-z0-9._\-]{0,127})?$"}
_QUANTITY = {"pattern": "^[0-9]+(\\.[0-9]+)?(m|[kKMGT]i?)?$"}
_HOST = {"type": "string", "pattern": rf"^(\*\.)?{_NAME}(\.{_NAME})*$"}
_TCP = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_AT = rf"([^@/\s:,\[\]]+|\[[0-9a-fA-F:.]+\])(:{_TCP})?"
_REDIS = (
    rf"^(rediss?://{_AT}(/[0-9]+)?|rediss?\+sentinel://{_AT}(,{_AT})*/[^@/\s]+|rediss?\+cluster://{_AT}(,{_AT})*/?)?$"
)
_OVERRIDE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "enabled": {"type": "boolean"},
        "for": {"type": "string", "pattern": "^([0-9]+(ms|[smhdwy]))+$"},
        "severity": {"type": "string", "minLength": 1},
        "threshold": {"type": "number"},
    },
}
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_LABELS = {
    "type": "object",
    "additionalProperties": {
        "type": "string",
        "maxLength": 63,
        "pattern": r"^([A-Za-z0-9]([A-Za-z0-9._\-]*[A-Za-z0-9])?)?$",
    },
}
_ALERT_LABELS = {**_TEXTS, "propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"}}


def _needed_where(needed: str, **values: object) -> _Json:
    """Return the schema of a map whose list ``needed`` may not be empty where it has ``values``."""
    return {
        "if": {"properties": {name: {"const": value} for name, value in values.items()}},
        "then": {"properties": {needed: {"minItems": 1}}},
    }


_REFINED: dict[str, _Json] = {
    "nameOverride": {"maxLength": 63, "pattern": f"^({_NAME})?$"},
    "fullnameOverride": _SERVICE,
    **{f"{path}.existingSecret": _OBJECT for path in ("redis", "redis.tls", "secrets")},
    **dict.fromkeys(("serviceAccount.name", "pod.priorityClassName", "ingress.className"), _OBJECT),
    "image.repository": {"minLength": 1},
    "image.tag": _TAG,
    "image.digest": _DIGEST,
    "image.pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    "redis.url": {"pattern": _REDIS},
    **{f"redis.keys.{key}": _KEY for key in ("url", "username", "password", "sentinelUsername", "sentinelPassword")},
    **{f"redis.tls.{key}": _KEY for key in ("ca", "cert", "key")},
    "valkey.image.digest": _DIGEST,
    "valkey.image.tag": _TAG,
    "valkey.image": {
        "if": {"properties": {"digest": {"const": ""}}},
        "then": {"properties": {"tag": {"minLength": 1}}},
    },
    "valkey.password": {"pattern": "^([A-Za-z0-9]{16,})?$"},
    "valkey.maxmemory": {"pattern": "^[0-9]+(kb|mb|gb)$"},
    "valkey.storage.size": _QUANTITY,
    "valkey.storage.className": _OBJECT,
    **{f"secrets.keys.{key}": {**_KEY, "minLength": 1} for key in ("encryptionKey", "operatorToken", "smtpUrl")},
    "secrets.encryptionKey": {"pattern": "^([A-Za-z0-9+/]{43}=(,[A-Za-z0-9+/]{43}=)*)?$"},
    "secrets.operatorToken": {"pattern": "^([!-~]{16,})?$"},
    "secrets.smtpUrl": {"pattern": "^(smtps?://\\S+)?$"},
    "serve.autoscaling.min": {"minimum": 1},
    "serve.autoscaling.max": {"minimum": 1},
    "serve.autoscaling.cpu": {"minimum": 1, "maximum": 100},
    "serve.preStop_s": {"maximum": 300},
    "serve.service.type": {"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
    "serve.service.port": _PORT,
    "sync": _needed_where("sources", mode="cronjobs"),
    "sync.mode": {"enum": ["daemon", "cronjobs", "none"]},
    "sync.sources": {
        "items": {
            "type": "object",
            "additionalProperties": False,
            "required": ["name", "schedule"],
            "properties": {
                "name": {"type": "string", "pattern": f"^{_NAME}$", "description": "Name of the source."},
                "schedule": {"type": "string", "pattern": r"^\S+( \S+){4}$", "description": "When, as cron has it."},
            },
        }
    },
    "sync.jobs.activeDeadlineSeconds": {"minimum": 1},
    "sync.jobs.startingDeadlineSeconds": {"minimum": 10},  # a CronJob is looked at every 10 s: below, none is started
    "pod.antiAffinity": {"enum": ["", "soft", "hard"]},
    "pod.userId": {"type": ["integer", "null"], "minimum": 1},
    "ingress": _needed_where("hosts", enabled=True),
    "ingress.hosts": {"items": _HOST},
    "httpRoute": _needed_where("parentRefs", enabled=True),
    "httpRoute.parentRefs": {"items": {"type": "object", "required": ["name"]}},
    "httpRoute.hostnames": {"items": _HOST},
    "networkPolicy.redisPorts": {"items": _PORT, "minItems": 1},
    "networkPolicy.privateNetworks": {"items": _NETWORK4_WITHIN},
    "networkPolicy.privateNetworks6": {"items": _NETWORK6_WITHIN},
    "serviceMonitor.interval": {"pattern": "^[0-9]+(ms|s|m)$"},
    "serviceMonitor.scrapeTimeout": {"pattern": "^[0-9]+(ms|s|m)$"},
    "alerts.alertLabels": _ALERT_LABELS,
    "test.timeout_s": {"minimum": 1},
}
"""What a value has to be beyond the type of its default."""
_AS_IN_KUBERNETES = ("resources", "labels", "annotations", "nodeSelector", "affinity", "behavior", "timeouts")
"""Maps that go into an object as they are: Kubernetes says what may be in them."""


def main() -> int:
    """Write the files, or with --check say whether they are up to date."""
    schema = json.dumps(values_schema(), indent=2) + "\n"
    readme = (CHART / "README.md").read_text(encoding="utf-8")
    before, _, rest = readme.partition(MARKED)
    table = "\n".join(_table()) + "\n"
    readme = before + MARKED + table + END + rest.partition(END)[2]
    made = {CHART / "values.schema.json": schema, CHART / "README.md": readme}
    if "--check" in sys.argv:
        stale = [path.name for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
        if stale:
            print(f"{', '.join(stale)} of the chart: out of date, run `make contracts`", file=sys.stderr)
        return bool(stale)
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
    return 0


def values_schema() -> _Json:
    """Return the JSON Schema of the values; nothing that is not in values.yaml is let through."""
    described = _descriptions()
    schema = _of_map(_defaults(), described, "")
    schema["properties"]["config"] = {"description": described["config"], **_of_settings()}
    schema["properties"]["global"] = {"type": "object", "description": "Values of parent charts; not used here."}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of catalog-service", **schema}


def _defaults() -> _Json:
    values: _Json = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    return values


def _descriptions() -> dict[str, str]:
    """Return the comment above each key of values.yaml, by path (``serve.service.port``)."""
    described: dict[str, str] = {}
    comment: list[str] = []
    above: list[str] = []
    for line in (CHART / "values.yaml").read_text(encoding="utf-8").splitlines():
        text = line.strip()
        depth = (len(line) - len(line.lstrip())) // 2
        if text.startswith("#"):
            comment.append(text.removeprefix("#").strip())
            continue
        if ":" in text and not text.startswith(("-", "{")):
            above = [*above[:depth], text.partition(":")[0]]
            described[".".join(above)] = " ".join(comment)
        comment = []
    return described


def _of_map(values: _Json, described: dict[str, str], path: str) -> _Json:
    properties = {}
    for name, value in values.items():
        at = f"{path}.{name}".lstrip(".")
        schema = {**_of_value(value, name, described, at), **_REFINED.get(at, {})}
        properties[name] = {"description": text, **schema} if (text := described.get(at)) else schema
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _of_value(value: object, name: str, described: dict[str, str], path: str) -> _Json:
    match value:
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer", "minimum": 0}
        case str():
            return {"type": "string"}
        case list():
            return {"type": "array", "items": {"type": "object"}}
        case dict() if path == "alerts.overrides":
            return {"type": "object", "propertyNames": {"enum": list(_alerts())}, "additionalProperties": _OVERRIDE}
        case dict() if name in ("labels", "nodeSelector"):
            return _LABELS
        case dict() if name in ("annotations", "alertLabels"):
            return _TEXTS
        case dict() if name in _AS_IN_KUBERNETES:
            return {"type": "object"}
        case dict():
            return _of_map(value, described, path)
    raise TypeError(f"{path} has a default of no known type")


def _alerts() -> Iterator[str]:
    for rule in yaml.safe_load((CHART / "files" / "alerts.yaml").read_text(encoding="utf-8")):
        yield rule["alert"]


def _of_settings() -> _Json:
    known: _Json = Settings.model_json_schema()["properties"]
    properties = {name: _of_setting(schema) for name, schema in known.items() if name not in _ELSEWHERE}
    properties["webhook_networks"]["items"] = _NETWORK  # a NetworkPolicy is made of them
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _of_setting(schema: _Json) -> _Json:
    """Return the schema of a setting, without what is said of its being left out: a value that is not there is."""
    one, *_ = schema.get("anyOf", (schema,))
    kept = {name: value for name, value in one.items() if name not in ("title", "default", "description", "format")}
    return {"description": schema["description"], **kept}


def _table() -> Iterator[str]:
    yield "| value | default | what |"
    yield "|---|---|---|"
    described = _descriptions()
    for path, value in _leaves(_defaults(), ""):
        shown = json.dumps(value)
        shown = f"`{shown}`" if len(shown) < 60 else "see values.yaml"
        yield f"| `{path}` | {shown} | {described[path]} |"


def _leaves(values: _Json, path: str) -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        at = f"{path}.{name}".lstrip(".")
        if isinstance(value, dict) and value and name not in _AS_IN_KUBERNETES:
            yield from _leaves(value, at)
        else:
            yield at, value


if __name__ == "__main__":
    sys.exit(main())
