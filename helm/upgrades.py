"""An upgrade keeps the secrets that an install made, and restarts who reads one that was changed.

In: the chart. Out: what is wrong. The cluster is a server on the loopback that knows nothing but Secrets; Helm asks it
as it would a real one (`lookup`). Called by `check.py`.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import helm_python
import yaml  # type: ignore[import-untyped]

_Values = dict[str, dict[str, Any]]

_VALUES: _Values = {"valkey": {"enabled": True}}
_READERS = {
    "valkey.password": ("serve", "notify", "sync", "valkey"),
    "secrets.encryptionKey": ("serve", "notify"),
    "secrets.operatorToken": ("serve",),
    "secrets.smtpUrl": ("serve", "notify"),
}
"""Secrets that values may give, and the roles that read each."""
_RELEASE, _NAMESPACE = "demo", "prod"
_KEY_BYTES = 32
_RESOURCES: dict[str, object] = {
    "kind": "APIResourceList",
    "groupVersion": "v1",
    "resources": [
        {"name": "secrets", "singularName": "secret", "namespaced": True, "kind": "Secret", "verbs": ["get"]}
    ],
}

_Secrets = dict[str, dict[str, str]]
"""The data of each Secret, by name: Base64, as Kubernetes has it."""


def upgrade_faults(folder: Path) -> Iterator[str]:
    """Give a sentence for each secret that an upgrade would change, or that is the same in two installs."""
    installed, another = _installed(folder), _installed(folder)
    if _upgraded(folder, installed) != installed:
        yield "an upgrade makes new secrets: those of an install are not found again"
    for name, data in installed.items():
        yield from (f"{name}: {key} is the same in every install" for key in data if data[key] == another[name][key])
    yield from _rename_faults(folder, installed)
    yield from _restart_faults(folder)
    key = base64.b64decode(installed[f"{_RELEASE}-catalog-service-encryption"]["encryption-key"])
    if len(base64.b64decode(key, validate=True)) != _KEY_BYTES:
        yield f"the encryption key that is generated has not {_KEY_BYTES} bytes"


def _rename_faults(folder: Path, installed: _Secrets) -> Iterator[str]:
    """Give the keys of generated Secrets that can be renamed: what they hold would be generated anew."""
    for key in ("encryptionKey", "operatorToken"):
        try:
            _upgraded(folder, installed, {**_VALUES, "secrets": {"keys": {key: "renamed"}}})
        except helm_python.HelmError as error:
            if "has no key renamed" not in str(error):
                yield f"an upgrade that renames {key} fails otherwise: {error}"
        else:
            yield f"an upgrade that renames {key} makes a new one"


def _restart_faults(folder: Path) -> Iterator[str]:
    """Give the pods that a change of a given secret leaves as they are, and secrets that a pod template shows."""
    for path, readers in _READERS.items():
        first, second = (_pods(folder, path, letter * 43 + "=") for letter in "AB")
        yield from (
            f"{reader} is not restarted when {path} changes" for reader in readers if first[reader] == second[reader]
        )
        if "A" * 43 in str(first):
            yield f"a pod template shows {path}"


def _pods(folder: Path, path: str, secret: str) -> dict[str, object]:
    """Return the templates of the pods, by role."""
    part, _, name = path.partition(".")
    given = f"smtp://{secret}" if name == "smtpUrl" else secret.rstrip("=") if part == "valkey" else secret
    values = {part: {**_VALUES.get(part, {}), name: given}}
    with helm_python.Chart.load(folder) as chart:
        texts = chart.render({**_VALUES, **values}, name=_RELEASE, namespace=_NAMESPACE)
    objects = (one for path, text in texts.items() if path.endswith(".yaml") for one in yaml.safe_load_all(text) if one)
    kinds = ("Deployment", "StatefulSet")
    return {
        one["metadata"]["name"].rpartition("-")[2]: one["spec"]["template"] for one in objects if one["kind"] in kinds
    }


def _installed(folder: Path) -> _Secrets:
    with helm_python.Chart.load(folder) as chart:
        return _secrets(chart.render(_VALUES, name=_RELEASE, namespace=_NAMESPACE))


def _upgraded(folder: Path, there: _Secrets, values: _Values = _VALUES) -> _Secrets:
    with (
        _api_server(there) as kubeconfig,
        helm_python.Chart.load(folder) as chart,
        helm_python.Config(kubeconfig_content=kubeconfig, namespace=_NAMESPACE) as cluster,
    ):
        return _secrets(cluster.render(chart, values, name=_RELEASE, namespace=_NAMESPACE, is_upgrade=True))


def _secrets(rendered: Mapping[str, str]) -> _Secrets:
    texts = (text for path, text in rendered.items() if path.endswith(".yaml"))
    objects = (one for text in texts for one in yaml.safe_load_all(text) if one)
    return {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "Secret"}


@contextmanager
def _api_server(secrets: _Secrets) -> Iterator[str]:
    """Serve ``secrets`` for a block; gives the kubeconfig to reach them with."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = _answer(self.path.partition("?")[0], secrets)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield _kubeconfig(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(path: str, secrets: _Secrets) -> tuple[int, dict[str, object]]:
    folder, _, name = path.rpartition("/")
    if path == "/api/v1":
        return 200, _RESOURCES
    if folder == f"/api/v1/namespaces/{_NAMESPACE}/secrets" and name in secrets:
        metadata = {"name": name, "namespace": _NAMESPACE}
        return 200, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": secrets[name]}
    return 404, {"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}


def _kubeconfig(address: str) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "check",
        "clusters": [{"name": "check", "cluster": {"server": address}}],
        "users": [{"name": "check", "user": {}}],
        "contexts": [{"name": "check", "context": {"cluster": "check", "user": "check", "namespace": _NAMESPACE}}],
    }
    return json.dumps(config)
