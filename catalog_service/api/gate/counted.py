"""Requests as metrics: by the template of their route, never by what was asked, so that nobody makes labels up.

Called by `gate`, at the end of every request. A metric's children are kept: finding one costs more than counting.
"""

from __future__ import annotations

import functools
import logging

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import Scope

from catalog_service import metrics
from catalog_service.api.front import ROUTE
from catalog_service.tracing import Span, failed

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FAULT, _SLOW_S = 500, 1.0
_log = structlog.get_logger()
_level = logging.getLogger(__name__)


def count_request(scope: Scope, status: int, seconds: float | None, traced: Span) -> None:
    """Count a request that was answered with ``status`` after ``seconds``; None: it was a stream.

    ``traced`` is its span, which is told the same. One that failed or took over a second is logged for everybody.
    """
    route = getattr(scope.get(ROUTE), "path", metrics.OTHER)
    method = scope["method"] if scope["method"] in _METHODS else metrics.OTHER
    _requests(route, method, status).inc()
    if seconds is not None:
        _seconds(route).observe(seconds)
    traced.update_name(f"{method} {route}")
    traced.set_attribute("http.request.method", method)
    traced.set_attribute("http.route", route)
    traced.set_attribute("http.response.status_code", status)
    if status >= _FAULT:
        failed(str(status))
    if status >= _FAULT or (seconds or 0.0) >= _SLOW_S:
        _log.warning("request", method=method, route=route, status=status, seconds=seconds and round(seconds, 3))
    elif _level.isEnabledFor(logging.DEBUG):  # asking structlog takes forty times as long
        _log.debug("request", method=method, path=scope["path"], route=route, status=status, seconds=seconds)


@functools.lru_cache(1024)
def _requests(route: str, method: str, status: int) -> Counter:
    return metrics.HTTP_REQUESTS.labels(route, method, str(status))


@functools.lru_cache(256)
def _seconds(route: str) -> Histogram:
    return metrics.HTTP_SECONDS.labels(route)
