"""GET /metrics: the figures of the Database, those of the store's disk, and what this Backend alone knows."""

from collections.abc import Iterator
from functools import partial
from typing import Final, cast

from flask import Blueprint, Flask, Response, current_app, request
from prometheus_client import CollectorRegistry, Counter, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric

from recto.metrics import metrics_of, read_figures
from recto.web.services import services
from recto.web.serving.database import Lane, in_thread, read
from recto.web.sign_in.authorisation import Access, access

blueprint = Blueprint("metrics", __name__)
_KEY: Final = "recto_request_counts"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestCounts:
    """Requests of this process by route and status. A route is a rule of the URL map: what clients make up has no label of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._requests = Counter(
            "recto_http_requests", "Answers of this Backend", ("method", "route", "status"), registry=self.registry
        )
        ProcessCollector(registry=self.registry)

    def count(self, status_code: int) -> None:
        """Take note of the answer to the current request."""
        route = request.url_rule.rule if request.url_rule else "(none)"
        method = request.method if request.method in _METHODS else "(other)"
        self._requests.labels(method, route, str(status_code)).inc()


def install_request_counts(app: Flask) -> None:
    """Count every answer."""
    app.extensions[_KEY] = RequestCounts()

    def count(response: Response) -> Response:
        count_answer(response.status_code)
        return response

    app.after_request(count)


def count_answer(status_code: int) -> None:
    """Take note of the answer to the current request."""
    cast(RequestCounts, current_app.extensions[_KEY]).count(status_code)


class _Now:
    """A collector of metrics that were just read."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


@blueprint.get("/metrics")
@access(Access.METRICS)
def metrics() -> Response:
    """What an operator watches: the queue, jobs, pages, Workers, requests and room. docs/metrics.md says what each means."""
    figures = read(read_figures)
    space = in_thread(services().storage.space, Lane.DISK)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Now([*metrics_of(figures, space), _waiters()]))
    counts = cast(RequestCounts, current_app.extensions[_KEY])
    body = generate_latest(registry) + in_thread(partial(generate_latest, counts.registry))
    return Response(body, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _waiters() -> Metric:
    waiters = GaugeMetricFamily("recto_waiters", "Requests that wait for a change, in this Backend")
    waiters.add_metric([], services().feed.waiter_count)
    return waiters
