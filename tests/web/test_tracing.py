"""The Backend's part of a trace: the request's span, and what the job keeps of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app import create_app
from recto.settings import load_settings
from recto.tracing.opentelemetry import OtlpTracing
from recto.web.serving.database import db
from tests.web.clients import Program
from tests.web.conftest import add_user
from tests.web.hand_worker import HandWorker

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def app(folder: Path, exporter: InMemorySpanExporter) -> Iterator[Flask]:
    tracing = OtlpTracing("", "recto-backend", SimpleSpanProcessor(exporter))
    environ = {"RECTO_FILE_STORAGE_PATH": str(folder), "RECTO_FILE_STORAGE_MIN_FREE_BYTES": "0"}
    app = create_app(load_settings(environ), tracing)
    yield app
    tracing.stop()
    app.extensions["recto"].feed.stop()
    with app.app_context():
        db.engine.dispose()


def test_upload_below_a_callers_span_hands_its_own_to_the_worker(
    app: Flask, exporter: InMemorySpanExporter, worker: HandWorker
) -> None:
    program = Program(app, add_user(app, "ada").token)
    program.send_form(headers={"traceparent": PARENT, "X-Request-Id": "one"})
    (span,) = exporter.get_finished_spans()
    assert span.name == "POST /api/v1/jobs"
    assert span.parent is not None
    assert f"{span.parent.span_id:x}" == "b7ad6b7169203331"
    assert (span.attributes or {})["http.response.status_code"] == 202
    claim = worker.claim()
    assert span.context is not None
    assert claim.trace_parent == f"00-0af7651916cd43dd8448eb211c80319c-{span.context.span_id:016x}-01"


def test_span_of_a_bug_is_one_of_an_error_and_service_addresses_have_none(
    app: Flask, exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Program(app, add_user(app, "ada").token)
    for path in ("/healthz", "/readyz", "/metrics", "/nothing", "/static/css/base.css"):
        program.get(path)
    assert exporter.get_finished_spans() == ()

    def fail() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setitem(app.view_functions, "limits.get_limits", fail)
    program.get("/api/v1/limits")
    (span,) = exporter.get_finished_spans()
    assert (span.attributes or {})["error.type"] == "500"
    assert not span.status.is_ok
