"""Structured logs and Prometheus metrics. No personal text and no secret in either."""

import logging
import sys
from collections.abc import Mapping

import structlog
from prometheus_client import Counter, Gauge, Histogram

from media.quality import Line

REQUESTS = Histogram("nestcall_http_seconds", "HTTP requests", ["method", "route", "status"])
CONNECTIONS = Gauge("nestcall_connections", "WebSocket connections open now")
EVENTS = Counter("nestcall_events_total", "facts stored", ["kind"])
WRITES = Histogram("nestcall_write_seconds", "from asking for a write to its commit")
CALLS = Gauge("nestcall_calls", "calls running now")
TASKS = Gauge("nestcall_tasks", "asyncio tasks now: a call that leaves one behind shows here")
LOOP_LATE = Gauge("nestcall_loop_late_seconds", "median lateness of the event loop over three seconds")

_QUICK = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0)
RESPONSE = Histogram("nestcall_response_seconds", "end of her speech to our first sound", buckets=_QUICK)
TURN = Histogram("nestcall_turn_seconds", "parts of a response; they add up to it", ["part"], buckets=_QUICK)
BARGE_IN = Histogram("nestcall_barge_in_seconds", "onset of her speech to our silence", ["false"], buckets=_QUICK)
TROUBLE = Counter("nestcall_engine_trouble_total", "an engine failed in a call", ["part"])
MOS = Histogram(
    "nestcall_line_mos", "E-model estimate of 5 s of a line", ["end"], buckets=(1, 2, 2.5, 3, 3.5, 4, 4.3, 4.5)
)
LOSS = Histogram(
    "nestcall_line_loss_ratio", "packets lost, 5 s", ["end"], buckets=(0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
)
JITTER = Histogram("nestcall_line_jitter_seconds", "interarrival jitter, RFC 3550", ["end"], buckets=_QUICK)
ROUND_TRIP = Histogram("nestcall_line_round_trip_seconds", "between gateway and party", ["end"], buckets=_QUICK)


def turn(parts_ms: Mapping[str, float], response_ms: float) -> None:
    """One spoken turn's waterfall."""
    RESPONSE.observe(response_ms / 1000)
    for part, ms in parts_ms.items():
        TURN.labels(part).observe(ms / 1000)


def line(end: str, measured: Line) -> None:
    """`end`: up, down or page (gateway.calls.lines)."""
    MOS.labels(end).observe(measured.mos)
    LOSS.labels(end).observe(measured.loss)
    JITTER.labels(end).observe(measured.jitter)
    if measured.round_trip is not None:
        ROUND_TRIP.labels(end).observe(measured.round_trip)


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
