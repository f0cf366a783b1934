"""OpenTelemetry: the SDK makes a span for each request; here they find their way out, where one is configured."""

from collections.abc import Callable, Mapping

from mcp_daan import __version__
from mcp_daan.errors import InvalidArguments

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def exporting(environment: Mapping[str, str]) -> bool:
    """Whether spans are to go somewhere."""
    off = (
        environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none"
    )
    return not off and any(environment.get(name) for name in ENDPOINTS)


def export_spans(environment: Mapping[str, str]) -> Callable[[], None]:
    """Send spans to the endpoint that OpenTelemetry's own variables name; gives what sends the last ones.

    Raises InvalidArguments when one is named and the extra `otel` is not installed.
    """
    if not exporting(environment):
        return lambda: None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise InvalidArguments(
            "An OpenTelemetry endpoint is configured, and its exporter is not installed.",
            advice="Run `pip install 'mcp-daan[otel]'`, or unset OTEL_EXPORTER_OTLP_ENDPOINT.",
        ) from None
    from opentelemetry import trace

    named = {"service.version": __version__}
    if "OTEL_SERVICE_NAME" not in environment:
        named["service.name"] = "mcp-daan"
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider.shutdown
