"""The OpenAPI document: what it says is what the service does; and the page that shows it."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import msgspec
import pytest

from catalog_service.api.openapi import openapi_document
from catalog_service.api.rest.routes import OPERATIONS
from catalog_service.store.connect import Store
from schema.access import Scope
from tests.api_client import PAGE, catalog_client
from tests.operators import operator_client

DOCUMENT: dict[str, Any] = msgspec.json.decode(openapi_document())
EXAMPLES = {
    "/v1/feed.{format}": "/v1/feed.atom",
    "/v1/endpoints/{id}": f"/v1/endpoints/{PAGE}:flow",
    "/v1/versions/{spec}": "/v1/versions/latest",
    "/v1/diff/{span}": "/v1/diff/1...latest",
    "/v1/lookup": "/v1/lookup?q=13.66.60.65",
    "/v1/allowlist": "/v1/allowlist?scenario=connectors&cloud=public&partial=yes&format=csv",
    "/v1/history": "/v1/history?q=13.66.60.65",
}


def test_every_operation_is_described() -> None:
    """Each method of each address, with the parameters it declares, a summary and its problems."""
    described = {(path, method.upper()) for path, several in DOCUMENT["paths"].items() for method in several}
    assert described == {(one.path, one.method) for one in OPERATIONS}
    for one in OPERATIONS:
        found = DOCUMENT["paths"][one.path][one.method.lower()]
        assert [each["name"] for each in found["parameters"]] == [each.name for each in one.parameters]
        assert found["summary"]
        assert {str(one.status), "400", "default", *map(str, one.problems)} <= found["responses"].keys()
        assert ("requestBody" in found) == bool(one.takes or one.body is not None)
    assert len({each["operationId"] for path in DOCUMENT["paths"].values() for each in path.values()}) == len(
        OPERATIONS
    )


def test_every_reference_leads_somewhere() -> None:
    """No `$ref` of the document names what is not there."""
    references = set(re.findall(r'"\$ref": "#/components/([^"]+)"', openapi_document().decode()))
    assert references
    for reference in references:
        section, _, name = reference.partition("/")
        assert name in DOCUMENT["components"][section], reference


OF_HTTP = {"content-type", "x-content-type-options", "referrer-policy"}
READ = [one.path for one in OPERATIONS if one.method == "GET" and one.scope is Scope.READ and one.path != "/v1/whoami"]


@pytest.mark.parametrize("path", [path for path in READ if "digest" not in path and "/held/" not in path])
async def test_answers_have_the_headers_described(store: Store, path: str) -> None:
    """Every header of an answer is described but those of HTTP itself, and what all answers have is there."""
    described = {name.lower() for name in DOCUMENT["paths"][path]["get"]["responses"]["200"]["headers"]}
    async with operator_client(store) as opened:
        response = await opened.get(EXAMPLES.get(path, path), headers={"Accept-Encoding": "identity"})
    assert response.status_code == 200, response.text
    if path == "/v1/events":  # a stream, which nobody keeps
        assert response.headers.keys() - described == OF_HTTP | {"x-accel-buffering"}
        return
    assert {"etag", "cache-control", "vary"} <= response.headers.keys() & described
    assert response.headers.keys() - described == OF_HTTP | {"content-length"}


@pytest.mark.parametrize("path", ["/v1/endpoints", "/v1/allowlist", "/v1/conflicts"])
async def test_every_word_described_is_taken(store: Store, path: str) -> None:
    """A word that the document lists is understood, whatever the answer."""
    parameters = [
        (one["name"], one["schema"].get("items", one["schema"])) for one in DOCUMENT["paths"][path]["get"]["parameters"]
    ]
    described = [(name, word) for name, schema in parameters for word in schema.get("enum", ())]
    assert described
    async with catalog_client(store) as opened:
        for name, word in described:
            response = await opened.get(path, params={name: word})
            # Some contradict each other, which is told otherwise than a word that nobody knows.
            assert response.status_code != 400 or "known" not in response.json(), response.text


async def test_the_document_is_served_as_committed(store: Store) -> None:
    """The same bytes as the contract, with an ETag."""
    async with catalog_client(store) as opened:
        first = await opened.get("/openapi.json")
        again = await opened.get("/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    assert first.content == openapi_document()
    assert (first.headers["content-type"], again.status_code) == ("application/json", 304)


@pytest.mark.parametrize("demo", [False, True])
async def test_the_page_needs_nobody_else(store: Store, demo: bool) -> None:
    """Everything is inside: no other origin is allowed, each script and sheet by its digest; a demo says so."""
    async with catalog_client(store, demo=demo) as opened:
        page = await opened.get("/docs", headers={"Accept-Encoding": "gzip"})
    policy = page.headers["content-security-policy"]
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-encoding"] == "gzip"
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"https?:", policy)
    assert not re.search(r"<(script|link|img|iframe)[^>]*(src|href)=[\"']?(https?:|//)", page.text)
    for tag in ("script", "style"):
        parts = re.findall(f"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL)
        assert len(parts) == 2
        for part in parts:
            digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy
    assert ("DEMO DATA" in page.text) == demo
