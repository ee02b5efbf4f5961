"""Tracing by OpenTelemetry (requirements-otel.txt): the only module that imports it. See recto/tracing/spans.py."""

from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from recto import __version__
from recto.tracing.spans import Attribute

_HEADER: Final = "traceparent"
_CONTEXTS: Final = TraceContextTextMapPropagator()


class OtlpTracing:
    """Implements Tracing: spans are sent together, every few seconds, by a thread of its own."""

    def __init__(self, endpoint: str, service: str, processor: SpanProcessor | None = None) -> None:
        """`processor` takes the spans instead of the endpoint."""
        resource = Resource.create({"service.name": service, "service.version": __version__})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter(endpoint)))
        self._tracer = self._provider.get_tracer("recto", __version__)

    def begin(self, name: str, parent: str | None, *, is_request: bool = False, **attributes: Attribute) -> "OtlpSpan":
        """See Tracing."""
        context = _CONTEXTS.extract({_HEADER: parent} if parent else {})
        kind = SpanKind.SERVER if is_request else SpanKind.INTERNAL
        return OtlpSpan(self._tracer.start_span(name, context, kind, _named(attributes)))

    def stop(self) -> None:
        """See Tracing."""
        self._provider.shutdown()


class OtlpSpan:
    """Implements Span."""

    def __init__(self, span: OtelSpan) -> None:
        self._span = span

    @property
    def trace_parent(self) -> str:
        """See Span."""
        context = self._span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def end(self, error: str | None = None, **attributes: Attribute) -> None:
        """See Span."""
        self._span.set_attributes(_named(attributes))
        if error is not None:
            self._span.set_attribute("error.type", error)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


def _named(attributes: dict[str, Attribute]) -> dict[str, Attribute]:
    """Ours have a prefix; those of HTTP are named as https://opentelemetry.io/docs/specs/semconv/http/http-spans/ has them."""
    return {name.replace("__", ".") if "__" in name else f"recto.{name}": value for name, value in attributes.items()}
