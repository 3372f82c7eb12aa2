"""Traces by OpenTelemetry, where the operator wants them: what is being done is a span, sent by OTLP over HTTP.

In: names and facts of what is done, a request's headers. Out: spans to where the standard ``OTEL_*`` variables say.
Without the setting `tracing` a span is nothing, and costs nothing. Of an error its kind alone is told: messages may
quote addresses that are secret. Called by the gate, sync and notify; set up by the command line.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol, Self

from catalog_service.release import NAME, RELEASE
from schema.errors import BadParameterError

_FLUSH_S = 3.0
"""For how long the end of the process waits for the last spans to be taken."""
_PARENT = ("traceparent", "tracestate")

Value = str | int | float | bool
Headers = Iterable[tuple[bytes, bytes]]


class Span(Protocol):
    """What a block can tell of itself once it knows."""

    def set_attribute(self, key: str, value: Value, /) -> None: ...
    def update_name(self, name: str, /) -> None: ...


class _Nothing:
    """The span of a process that traces nothing; one for all."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def set_attribute(self, key: str, value: Value, /) -> None:
        """Do nothing."""

    def update_name(self, name: str, /) -> None:
        """Do nothing."""


_NOTHING = _Nothing()
_Begin = Callable[[str, str, dict[str, Value], Headers], AbstractContextManager[Span]]
_begin: _Begin | None = None


def span(name: str, **facts: Value) -> AbstractContextManager[Span]:
    """Give the span of a block, within the one around it; ``facts`` are its attributes, as ``catalog.<name>``."""
    return _NOTHING if _begin is None else _begin(name, "INTERNAL", facts, ())


def client_span(name: str, **facts: Value) -> AbstractContextManager[Span]:
    """Give the span of a block that asks or tells another service. What is sent says nothing of the trace."""
    return _NOTHING if _begin is None else _begin(name, "CLIENT", facts, ())


def server_span(name: str, headers: Headers) -> AbstractContextManager[Span]:
    """Give the span of a block that answers a request, within the trace that its ``traceparent`` names (W3C)."""
    return _NOTHING if _begin is None else _begin(name, "SERVER", {}, headers)


@contextlib.contextmanager
def tracing(*, on: bool) -> Iterator[None]:
    """Send traces for a block, where they are ``on``; at its end what is left is sent, for up to 3 s.

    Raises:
        BadParameterError: the extra is not installed.
    """
    global _begin
    if not on:
        yield
        return
    _begin, end = _set_up()
    try:
        yield
    finally:
        _begin = None
        ending = threading.Thread(target=end, daemon=True)  # a collector that is away must not hold up the process
        ending.start()
        ending.join(_FLUSH_S)


def trace_id() -> str:
    """Return the id of the trace that is on, 32 hex digits; empty without one."""
    if _begin is None:
        return ""
    from opentelemetry.trace import format_trace_id, get_current_span  # noqa: PLC0415 - an extra

    context = get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else ""


def failed(kind: str) -> None:
    """Mark the span that is on as failed; ``kind`` is what OpenTelemetry calls ``error.type``."""
    if _begin is None:
        return
    from opentelemetry.trace import Status, StatusCode, get_current_span  # noqa: PLC0415 - an extra

    span = get_current_span()
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))


def _set_up() -> tuple[_Begin, Callable[[], None]]:
    """Return how to begin a span, and how to end it all."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.trace import SpanKind  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415
    except ImportError as error:
        message = "tracing needs the extra `otel`: pip install 'catalog-service[otel]'"
        raise BadParameterError(message, parameter="tracing") from error
    named = {"service.name": os.environ.get("OTEL_SERVICE_NAME", NAME), "service.version": RELEASE}
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer, propagator = provider.get_tracer(NAME), TraceContextTextMapPropagator()

    @contextlib.contextmanager
    def begin(name: str, kind: str, facts: dict[str, Value], headers: Headers) -> Iterator[Span]:
        carrier = {key.decode("latin-1"): value.decode("latin-1") for key, value in headers}
        parent = propagator.extract({key: carrier[key] for key in _PARENT if key in carrier}) if carrier else None
        attributes = {f"catalog.{key}": value for key, value in facts.items()}
        with tracer.start_as_current_span(
            name, parent, SpanKind[kind], attributes, record_exception=False, set_status_on_exception=False
        ) as begun:
            try:
                yield begun
            except Exception as error:
                failed(type(error).__name__)
                raise

    return begin, provider.shutdown
