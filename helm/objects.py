"""What an API server refuses, or nobody would reach, though schemas let it through.

In: the objects of a release. Out: what is wrong with them. Called by `check.py`, for each set of values and for the
objects of broken.yaml.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Any

_Object = dict[str, Any]

_PART = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_NAME = re.compile(rf"{_PART}(\.{_PART})*")
_SERVICE = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_LONGEST = {"Service": 63, "CronJob": 52}
_LABEL = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_IMAGE = re.compile(r"[^\s:@]+(:[0-9]+/[^\s:@]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64})")
_CUSTOM_LABELS = ("PrometheusRule",)
"""Kinds with labels of their own below ``spec``, which are not Kubernetes'."""


def api_faults(objects: Sequence[_Object]) -> Iterator[str]:
    """Give a sentence for each thing that is wrong with an object, or with two of them together."""
    called = Counter(_called(one) for one in objects)
    yield from (f"{name} is there {count} times" for name, count in called.items() if count > 1)
    for one in objects:
        yield from (f"{_called(one)}: {fault}" for fault in (*_name_faults(one), *_value_faults(one, one["kind"])))
    yield from _locked_out(objects)


def _called(one: _Object) -> str:
    return f"{one['kind']} {one['metadata']['name']}"


def _name_faults(one: _Object) -> Iterator[str]:
    kind, name = one["kind"], one["metadata"]["name"]
    if not (_SERVICE if kind == "Service" else _NAME).fullmatch(name) or len(name) > _LONGEST.get(kind, 253):
        yield "has no name that it may have"


def _value_faults(value: object, at: str) -> Iterator[str]:
    """Give what is wrong with a value, or with one inside it."""
    match value:
        case None:
            yield f"{at} is null"
        case {"cidr": str(cidr), "except": [*excepted]}:
            yield from (f"{at}: {one} is not inside {cidr}" for one in excepted if not _inside(one, cidr))
        case {"minReplicas": int(least), "maxReplicas": int(most)} if least > most:
            yield f"{at}: minReplicas is more than maxReplicas"
        case dict():
            for name, inner in value.items():
                if name in ("labels", "matchLabels") and not at.startswith(_CUSTOM_LABELS):
                    yield from _label_faults(inner, f"{at}.{name}")
                if name == "image" and not _IMAGE.fullmatch(str(inner)):
                    yield f"{at}.image {inner} is none"
                yield from _value_faults(inner, f"{at}.{name}")
        case list():
            for number, inner in enumerate(value):
                yield from _value_faults(inner, f"{at}[{number}]")


def _label_faults(labels: _Object, at: str) -> Iterator[str]:
    for name, value in labels.items():
        if not isinstance(value, str) or not _LABEL.fullmatch(value):
            yield f"{at}: {name} cannot be {value!r}"


def _inside(network: str, cidr: str) -> bool:
    """Return whether ``network`` is a part of ``cidr``, and not all of it."""
    inner, outer = ip_network(network), ip_network(cidr)
    return inner != outer and inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _locked_out(objects: Sequence[_Object]) -> Iterator[str]:
    """Give the gateways that a route names in a namespace which no NetworkPolicy lets in."""
    let_in = str([one["spec"].get("ingress") for one in objects if one["kind"] == "NetworkPolicy"])
    for route in (one for one in objects if one["kind"] == "HTTPRoute"):
        for parent in route["spec"]["parentRefs"] or ():
            namespace = parent.get("namespace", route["metadata"].get("namespace"))
            own = namespace == route["metadata"].get("namespace")
            if not own and f"'kubernetes.io/metadata.name': '{namespace}'" not in let_in:
                yield f"{_called(route)}: its gateway in namespace {namespace} is let in by no NetworkPolicy"
