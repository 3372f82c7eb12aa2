"""Logging, configured once a process: structlog's and the libraries' lines alike, to stderr."""

from __future__ import annotations

import logging
import sys

import structlog

from catalog_service.cli.output import say
from catalog_service.tracing import trace_id

_NAME = "catalog-service"
_TELLTALE = "uvicorn.error"
"""At debug it logs each websocket's headers and messages whole, tokens among them."""
_CHATTY = (_TELLTALE, "uvicorn.access", "asyncio", "aiohttp", "stamina")


def configure_logs(level: str, log_format: str) -> None:
    """Log lines of ``level`` and above; ``log_format`` is console, json, or auto: console on a terminal."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.set_name(_NAME)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=_last(console=console), foreign_pre_chain=_shared())
    )
    root = logging.getLogger()
    root.handlers = [*(one for one in root.handlers if one.get_name() != _NAME), handler]
    root.setLevel(threshold)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING) if threshold > logging.DEBUG else threshold)
    logging.getLogger(_TELLTALE).setLevel(max(logging.getLogger(_TELLTALE).level, logging.INFO))


def tell(message: str, **facts: object) -> None:
    """Say ``message`` to a person at a terminal, or log it with its facts."""
    if sys.stderr.isatty():
        say(message)
    else:
        log = structlog.get_logger()
        (log.warning if facts.get("demo") else log.info)(message, **facts)


def _shared() -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        _within_trace,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _within_trace(
    _logger: structlog.typing.WrappedLogger, _method: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Name the trace that a line belongs to, where there is one."""
    if known := trace_id():
        line["trace_id"] = known
    return line


def _last(*, console: bool) -> list[structlog.typing.Processor]:
    """Return the end of the chain. Tracebacks are plain: values of locals may be secrets."""
    if console:
        plain = structlog.dev.plain_traceback
        renderer: structlog.typing.Processor = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=plain
        )
        return [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
