"""The id that joins an answer, an audit event and the log lines of one request."""

import structlog
from opentelemetry import trace


def current_trace_id() -> str:
    """The trace of the current span; without tracing, the id of the request; else empty."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        return trace.format_trace_id(context.trace_id)
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
