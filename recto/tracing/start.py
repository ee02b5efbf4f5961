"""Which tracing a process has: the one part that knows both what is traced and what sends it."""

from recto.errors import SettingsError
from recto.tracing.spans import NoTracing, Tracing


def start_tracing(endpoint: str, service: str) -> Tracing:
    """Tracing of this process to an OTLP/HTTP address such as http://127.0.0.1:4318/v1/traces; none where it is empty.

    SettingsError where it is wanted and OpenTelemetry is not installed.
    """
    if not endpoint:
        return NoTracing()
    try:
        from recto.tracing.opentelemetry import OtlpTracing
    except ModuleNotFoundError as error:
        raise SettingsError(
            "tracing.endpoint is set, and OpenTelemetry is not installed. Install it with `pip install -r requirements-otel.txt`, or leave the setting empty."
        ) from error
    return OtlpTracing(endpoint, service)
