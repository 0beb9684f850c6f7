"""Structured logs and Prometheus metrics. No personal text and no secret in either."""

import logging
import sys

import structlog
from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Histogram("nestcall_http_seconds", "HTTP requests", ["method", "route", "status"])
CONNECTIONS = Gauge("nestcall_connections", "WebSocket connections open now")
EVENTS = Counter("nestcall_events_total", "facts stored", ["kind"])
WRITES = Histogram("nestcall_write_seconds", "from asking for a write to its commit")


def set_up_logs(level: str) -> None:
    """JSON lines on stderr; readable ones on a terminal."""
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        # Module loggers look the configuration up at each line: a second `set_up_logs` (tests, reload) reaches them.
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(logging.WARNING, logging.getLevelNamesMapping()[level]), stream=sys.stderr)
