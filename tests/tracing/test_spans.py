"""Traces: off by default, and from an upload to its result where they are asked for."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from recto.errors import PageDamaged, SettingsError
from recto.tracing.opentelemetry import OtlpTracing
from recto.tracing.spans import NoTracing, readable_parent
from recto.tracing.start import start_tracing
from tests.conftest import JobTable
from tests.worker_loop import Loop, read_all

ROOT = Path(__file__).resolve().parents[2]
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracing(exporter: InMemorySpanExporter) -> Iterator[OtlpTracing]:
    tracing = OtlpTracing("", "recto-tests", SimpleSpanProcessor(exporter))
    yield tracing
    tracing.stop()


def test_no_endpoint_traces_nothing() -> None:
    tracing = start_tracing("", "recto-tests")
    assert isinstance(tracing, NoTracing)
    span = tracing.begin("job", PARENT, attempt=1)
    span.end("worker_lost")
    assert span.trace_parent is None
    tracing.stop()


def test_opentelemetry_is_not_loaded_unless_it_is_asked_for() -> None:
    program = "import app, recto.worker, recto.commands.run, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert not [
        name for name in done.stdout.split() if name.startswith(("opentelemetry", "recto.tracing.opentelemetry"))
    ]


def test_endpoint_without_the_packages_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "recto.tracing.opentelemetry", None)
    with pytest.raises(SettingsError, match="requirements-otel"):
        start_tracing("http://127.0.0.1:4318/v1/traces", "recto-tests")


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "x",
        PARENT.upper(),
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        PARENT[:-3],
        PARENT + "-more",
        "01" + PARENT[2:],
    ],
)
def test_context_that_is_none_begins_a_trace_of_its_own(given: str | None) -> None:
    assert readable_parent(given) is None


def test_span_lies_below_the_one_that_it_names(tracing: OtlpTracing, exporter: InMemorySpanExporter) -> None:
    span = tracing.begin("GET /x", readable_parent(PARENT), is_request=True, http__route="/x", request_id="one")
    below = tracing.begin("job", span.trace_parent, attempt=2)
    below.end("worker_lost", ending="QUEUED")
    span.end(http__response__status_code=200)
    job, request = exporter.get_finished_spans()
    assert job.context is not None
    assert request.context is not None
    assert job.parent is not None
    assert f"{request.context.trace_id:x}" == "af7651916cd43dd8448eb211c80319c"
    assert job.parent.span_id == request.context.span_id
    assert request.kind is SpanKind.SERVER
    assert dict(request.attributes or {}) == {
        "http.route": "/x",
        "recto.request_id": "one",
        "http.response.status_code": 200,
    }
    assert dict(job.attributes or {}) == {"recto.attempt": 2, "recto.ending": "QUEUED", "error.type": "worker_lost"}
    assert (request.status.is_ok, job.status.is_ok) == (True, False)


def test_attempt_and_its_work_belong_to_the_trace_of_the_upload(
    table: JobTable, ann: int, tracing: OtlpTracing, exporter: InMemorySpanExporter
) -> None:
    table.submit(ann, trace_parent=PARENT)
    loop = Loop(table, tracing=tracing)
    loop.run_until_idle(read_all(3, {2: PageDamaged("It is damaged.")}))
    spans = exporter.get_finished_spans()
    assert {f"{span.context.trace_id:x}" for span in spans if span.context} == {"af7651916cd43dd8448eb211c80319c"}
    assert sorted(span.name for span in spans) == ["job", "open", "page", "page", "page", "write"]
    job = spans[-1]
    assert job.context is not None
    assert {span.parent.span_id for span in spans[:-1] if span.parent} == {job.context.span_id}
    pages = {(span.attributes or {})["recto.page"]: span.status.is_ok for span in spans if span.name == "page"}
    assert pages == {1: True, 2: False, 3: True}
    assert (job.attributes or {})["recto.ending"] == "FINISHED"


def test_job_that_is_taken_away_ends_its_spans(
    table: JobTable, ann: int, tracing: OtlpTracing, exporter: InMemorySpanExporter
) -> None:
    uuid = table.submit(ann)
    loop = Loop(table, tracing=tracing)
    loop.step()
    table.do(table.jobs.cancel, ann, uuid)
    loop.step()
    opened, job = exporter.get_finished_spans()
    assert ((opened.attributes or {})["error.type"], (job.attributes or {})["error.type"]) == (
        "cancelled",
        "lease_lost",
    )


class _Collector(HTTPServer):
    """Takes OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken: list[ExportTraceServiceRequest] = []


class _Handler(BaseHTTPRequestHandler):
    server: _Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        pass


def test_spans_reach_the_endpoint_when_the_program_stops() -> None:
    collector = _Collector()
    serving = threading.Thread(target=collector.serve_forever)
    serving.start()
    try:
        tracing = start_tracing(f"http://127.0.0.1:{collector.server_port}/v1/traces", "recto-worker")
        tracing.begin("job", PARENT).end()
        tracing.stop()
    finally:
        collector.shutdown()
        serving.join()
        collector.server_close()
    (resource,) = collector.taken[0].resource_spans
    named = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
    assert named["service.name"] == "recto-worker"
    assert [span.name for span in resource.scope_spans[0].spans] == ["job"]


def test_documentation_names_the_spans_that_there_are() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8").partition("## Traces")[2]
    assert set(re.findall(r"[├└]── (\w+)", text)) == {"job", "open", "page", "write"}
