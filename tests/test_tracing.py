"""Traces: spans reach a collector by OTLP, within the trace of who asked, and cost nothing where nobody wants them."""

from __future__ import annotations

import sys
import threading
import timeit
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from catalog_service.api.app import create_app
from catalog_service.notify.notifier import Notifier
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.sync.run import run_source
from catalog_service.tracing import client_span, server_span, span, trace_id, tracing
from schema.errors import BadParameterError
from tests.api_client import SOURCES, START, TAGS, TAGS_1, away, catalog_client, client, commit
from tests.local_source import Clock, Shelf, body, local_source
from tests.telling import Receiver, subscribed, subscription

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector:
    """What came in by OTLP."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.spans]

    def one(self, name: str) -> Span:
        (found,) = (one for one in self.spans if one.name == name)
        return found


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector on loopback that the standard variables name."""
    made = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            made.requests.append(ExportTraceServiceRequest.FromString(sent))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield made
        server.shutdown()
        serving.join()


def attributes(span: Span) -> dict[str, object]:
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in span.attributes}


async def test_a_request_goes_on_with_its_trace(store: Store, collector: Collector) -> None:
    """A request is a server span with its route and status, within the trace that its traceparent names."""
    with tracing(on=True):
        async with catalog_client(store) as client:
            await client.get("/v1/endpoints/nothing", headers={"traceparent": PARENT})
            await client.get("/v1/sources")
    asked = collector.one("GET /v1/endpoints/{id}")
    assert (asked.trace_id.hex(), asked.parent_span_id.hex()) == tuple(PARENT.split("-")[1:3])
    assert asked.kind == Span.SPAN_KIND_SERVER
    assert attributes(asked) == {
        "http.request.method": "GET",
        "http.route": "/v1/endpoints/{id}",
        "http.response.status_code": 404,
    }
    assert collector.one("GET /v1/sources").trace_id != asked.trace_id
    named = {one.key: one.value.string_value for one in collector.requests[0].resource_spans[0].resource.attributes}
    assert named["service.name"] == "catalog-service"


async def test_a_sync_has_its_stages(store: Store, collector: Collector) -> None:
    """A run is a span with its result, and its stages are within it, those in threads too."""
    source, shelf = local_source(), Shelf()
    shelf.bodies[source.url] = body({"t1": ["20.1.0.0/16"]})
    with tracing(on=True):
        await run_source(source, shelf, store, Clock())
    run = collector.one("sync")
    assert attributes(run) == {"catalog.source": source.name, "catalog.result": "committed"}
    assert sorted(collector.names) == ["commit", "compare", "fetch", "parse", "sync"]
    stages = [one for one in collector.spans if one.name != "sync"]
    assert {(one.trace_id, one.parent_span_id) for one in stages} == {(run.trace_id, run.span_id)}


async def test_an_error_tells_its_kind_alone(store: Store, collector: Collector) -> None:
    """A stage that failed has the error's class and not its words, which may quote what is secret."""
    with tracing(on=True):
        await run_source(local_source(), Shelf(), store, Clock())
    fetch = collector.one("fetch")
    assert fetch.status.code == Status.STATUS_CODE_ERROR
    assert attributes(fetch) == {"error.type": "FetchError"}
    assert (fetch.status.message, list(fetch.events)) == ("", [])
    assert "upstream.invalid" not in str(collector.requests)


async def test_a_delivery_is_told_and_tells_nothing(
    store: Store, receiver: Receiver, notifier: Notifier, collector: Collector
) -> None:
    """An attempt is a client span; its receiver gets no traceparent, and the trace not the receiver's address."""
    await subscribed(store, subscription("sub_a", receiver.url("/hook/T0KEN")))
    await commit(store, TAGS, TAGS_1, START)
    with tracing(on=True):
        await notifier.once()
    told, (received,) = collector.one("delivery"), receiver.received
    assert told.kind == Span.SPAN_KIND_CLIENT
    assert attributes(told) == {"catalog.delivery": received.id, "catalog.channel": "webhook", "catalog.sent": True}
    assert "traceparent" not in received.headers
    assert "T0KEN" not in str(collector.requests)


def test_lines_can_be_found_by_their_trace(collector: Collector) -> None:
    """Within a span its trace is known, to be logged; outside there is none."""
    with tracing(on=True):
        assert trace_id() == ""
        with server_span("GET", [(b"traceparent", PARENT.encode())]):
            assert trace_id() == PARENT.split("-")[1]
    assert trace_id() == ""
    assert collector.names == ["GET"]


def test_off_it_costs_nothing(collector: Collector) -> None:
    """Without the setting spans are one object that does nothing, in less than two microseconds, and nothing is sent."""

    def traced() -> None:
        with span("sync", source="a") as begun:
            begun.set_attribute("result", "committed")

    with tracing(on=False):
        best_s = min(timeit.repeat(traced, number=1000, repeat=20)) / 1000
        assert span("a") is client_span("b") is server_span("c", ())
    assert best_s < 2e-6
    assert collector.requests == []


def test_a_collector_that_is_away_holds_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be sent is given up after a few seconds at the end, and fails nobody meanwhile."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    began_s = timeit.default_timer()
    with tracing(on=True), span("sync"):
        pass
    assert timeit.default_timer() - began_s < 10


def test_the_extra_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where OpenTelemetry is not installed the error names the setting and what to install."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(BadParameterError, match=r"catalog-service\[otel\]") as caught, tracing(on=True):
        pass
    assert caught.value.facts["parameter"] == "tracing"


async def test_a_fault_of_ours_is_an_error_of_the_span(collector: Collector) -> None:
    """A 5xx is an error with its status as the type, as OpenTelemetry's HTTP conventions have it; a 4xx is none."""
    with tracing(on=True):
        async with client(create_app(Reader(away()), SOURCES)) as http:
            assert (await http.get("/readyz")).status_code == 503
            assert (await http.get("/nothing")).status_code == 404
    failed, refused = collector.one("GET /readyz"), collector.one("GET other")
    assert failed.status.code == Status.STATUS_CODE_ERROR
    assert attributes(failed)["error.type"] == "503"
    assert refused.status.code == Status.STATUS_CODE_UNSET
    assert "error.type" not in attributes(refused)
