"""Values that are refused, and values that are not but are easily rendered wrongly.

In: the chart. Out: what is let through, told without naming what is wrong, or not said. Called by `check.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import helm_python
import yaml  # type: ignore[import-untyped]

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
    ("valkey: {image: {tag: ''}}", "tag"),
    ("redis: {url: 'redis://redis:65536/0'}", "url"),
    ("fullnameOverride: Foo_Bar", "fullnameOverride"),
    ("nameOverride: catalog.", "nameOverride"),
    ("image: {tag: 'a:b'}", "tag"),
    ("ingress: {enabled: true}", "hosts"),
    ("httpRoute: {enabled: true}", "parentRefs"),
    ("httpRoute: {parentRefs: [{namespace: gateways}]}", "parentRefs"),
    ("sync: {mode: cronjobs, sources: []}", "sources"),
    ("networkPolicy: {privateNetworks: [0.0.0.0/0]}", "privateNetworks"),
    ("networkPolicy: {privateNetworks6: ['fd00::/8']}", "privateNetworks6"),
    ("config: {webhook_networks: [10.0.0.256/8]}", "webhook_networks"),
    ("alerts: {alertLabels: {tier: 1}}", "alertLabels"),
    ("alerts: {alertLabels: {a-b: c}}", "a-b"),
    ("pod: {labels: {team: net ops}}", "labels"),
    ("pod: {annotations: {scrape: true}}", "annotations"),
)
"""Values that the schema refuses, and what it names."""

UNFIT: tuple[tuple[str, str], ...] = (
    ("{}", "a Redis is needed"),
    ("redis: {keys: {url: u}}", "redis.keys.url is a key of redis.existingSecret"),
    ("redis: {url: 'redis://r', keys: {url: u}}", "redis.keys.url is a key of redis.existingSecret"),
    ("redis: {url: 'redis://r', keys: {username: u}}", "redis.keys.username is a key of redis.existingSecret"),
    ("redis: {url: 'redis://r', keys: {password: p}}", "redis.keys.password is a key of redis.existingSecret"),
    ("redis: {url: 'redis://r', keys: {sentinelPassword: p}}", "redis.keys.sentinelPassword is a key of"),
    ("redis: {url: 'rediss://r', tls: {cert: c, key: k}}", "redis.tls.cert needs redis.tls.existingSecret"),
    ("redis: {url: 'rediss://r', tls: {existingSecret: s, key: k}}", "redis.tls.key needs"),
    (
        "{valkey: {enabled: true}, secrets: {existingSecret: s, smtpUrl: 'smtp://m'}}",
        "secrets.smtpUrl would be ignored",
    ),
    (
        "{valkey: {enabled: true}, serve: {autoscaling: {enabled: true, min: 5, max: 2}}}",
        "min (5) is more than max (2)",
    ),
    (
        "{valkey: {enabled: true}, sync: {sources: [{name: a, schedule: 1 * * * *}, {name: a, schedule: 2 * * * *}]}}",
        "sync.sources names a twice",
    ),
    ("valkey: {enabled: true}", "begin with a letter"),
)
"""Values that the templates refuse, where a schema cannot, and what they say first; of a release named 1."""

_LONG = f"{'a' * 39}-b-{'c' * 20}-d"
EDGES: tuple[tuple[str, str], ...] = (
    ("my.app", "valkey: {enabled: true}"),
    ("a" * 37 + "-" * 5 + "b", "valkey: {enabled: true}"),
    ("demo", f"{{valkey: {{enabled: true}}, image: {{tag: '{'1' * 62}-1'}}}}"),
    (
        "demo",
        f"{{valkey: {{enabled: true}}, sync: {{mode: cronjobs, sources: [{{name: {_LONG}, schedule: 1 * * * *}}]}}}}",
    ),
)
"""Releases and values that may be, and whose names and labels have to be cut."""

SHOWN: tuple[tuple[str, str, str], ...] = (
    ("redis: {url: 'rediss://r:6380/0'}", "networkpolicy.yaml", "- port: 6380"),
    ("redis: {url: 'redis+sentinel://a,b:26380/n'}", "networkpolicy.yaml", "- port: 26380"),
    (
        "{redis: {url: 'redis+sentinel://a/n'}, networkPolicy: {redisPorts: [7000]}}",
        "networkpolicy.yaml",
        "- port: 26379",
    ),
    ("redis: {url: 'redis+cluster://a:7000,b:7001'}", "networkpolicy.yaml", "- port: 7000\n        - port: 7001"),
    ("{redis: {url: 'redis://[::1]'}, networkPolicy: {redisPorts: [7000]}}", "networkpolicy.yaml", "- port: 6379"),
    ("redis: {existingSecret: s, keys: {url: u}}", "NOTES.txt", "networkPolicy.redisPorts alone"),
    ("{valkey: {enabled: true}, serve: {service: {type: LoadBalancer}}}", "NOTES.txt", "networkPolicy.httpFrom names"),
    ("{valkey: {enabled: true}, serve: {service: {type: NodePort}}}", "NOTES.txt", "networkPolicy.httpFrom names"),
    (
        "{valkey: {enabled: true}, ingress: {enabled: true, hosts: [a.example]}}",
        "NOTES.txt",
        "spite of ingress.enabled",
    ),
    (
        "{valkey: {enabled: true}, httpRoute: {enabled: true, parentRefs: [{name: g}]}}",
        "NOTES.txt",
        "of httpRoute.enabled",
    ),
)
"""Values, a template, and what it says for them."""


def refused_faults(folder: Path) -> Iterator[str]:
    """Give a sentence for each value that is let through, or is refused without being named."""
    with helm_python.Chart.load(folder) as chart:
        for values, named in REFUSED:
            try:
                chart.validate_schema(yaml.safe_load(values))
            except helm_python.HelmValuesError as error:
                if named not in str(error):
                    yield f"the schema refuses {values}, but does not name {named}: {error}"
            else:
                yield f"the schema lets {values} through"
        for values, named in UNFIT:
            try:
                chart.render(yaml.safe_load(values), name="1")
            except helm_python.HelmError as error:
                if named not in str(error):
                    yield f"the templates refuse {values}, but do not say {named}: {error}"
            else:
                yield f"the templates let {values} through"


def shown_faults(folder: Path) -> Iterator[str]:
    """Give a sentence for each template that does not say what it should."""
    with helm_python.Chart.load(folder) as chart:
        for values, template, text in SHOWN:
            said = chart.render(yaml.safe_load(values), name="demo", namespace="prod")
            if text not in said[f"{chart.name}/templates/{template}"]:
                yield f"{template} does not say {text} for {values}"
