"""The Backend's entry point: create_app(settings) makes the Flask application; `python app.py` serves it with gevent."""

if __name__ == "__main__":
    import gc

    from gevent import monkey

    monkey.patch_all()  # before anything else is imported, and nowhere else
    gc.disable()  # until it serves: what is imported stays, and looking for garbage in it takes a tenth of the start

import gc
import os
import signal
import socket
import ssl
import sys
import time
from datetime import timedelta
from functools import cache, partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import gevent
from flask import Flask, Response, g, request
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker
from werkzeug.middleware.proxy_fix import ProxyFix

import recto
from recto import accounts
from recto.changes import ChangeFeed
from recto.database.connections import engine_options, prepare_engine, upgrade_schema
from recto.errors import RectoError, SettingsError
from recto.file_storage.base import FileStorage
from recto.file_storage.opening import prepare_storage
from recto.jobs import Jobs, QueuePolicy
from recto.logs import configure_logging, get_logger
from recto.outbound.exchange import Outbound
from recto.outbound.guard import Guard
from recto.records.idempotency import IdempotencyKeys
from recto.records.retention import RetentionPolicy
from recto.settings import LimitsSettings, ServerSettings, Settings, load_settings
from recto.text_search.words import MOST_CHARACTERS, MOST_TERMS
from recto.tracing.spans import NoTracing, Tracing
from recto.tracing.start import start_tracing
from recto.users.sign_ins import SignInLimits
from recto.views.jobs import MOST_CHANGES
from recto.web import api, live, login, pages
from recto.web.admin import api as admin_api
from recto.web.admin import pages as admin_pages
from recto.web.downloads import page_images, results, selections
from recto.web.downloads.deriver import Deriver
from recto.web.downloads.links import LinkSigner
from recto.web.error_handlers import install_error_handlers
from recto.web.jobs import (
    batches_api,
    corrections_api,
    job_details_api,
    job_pages,
    reading_again,
    search_api,
    search_pages,
    tag_pages,
)
from recto.web.languages import errors_said, localised, page_language
from recto.web.languages.translations import install_translations
from recto.web.openapi import option_schema, reference
from recto.web.services import Services, WebLimits, install_services, services
from recto.web.serving import health, metrics
from recto.web.serving.database import Lane, db, in_thread
from recto.web.serving.metrics import install_request_counts
from recto.web.serving.modules import install_modules
from recto.web.serving.name_resolver import NameResolver
from recto.web.serving.rates import Rates, install_rates
from recto.web.serving.request_ids import install_request_ids
from recto.web.serving.server import RectoServer
from recto.web.serving.slow_clients import Patience
from recto.web.serving.static_files import install_static_files
from recto.web.serving.sub_path import SubPath
from recto.web.sign_in import access_api, sign_in_pages, sign_on
from recto.web.sign_in.authorisation_check import install_authorisation_check
from recto.web.sign_in.elsewhere import Elsewhere, SignOn
from recto.web.sign_in.first_admin import ensure_first_admin
from recto.web.sign_in.proxy_sign_in import ProxySignIn, parse_networks
from recto.web.sign_in.scraper import Scraper
from recto.web.sign_in.secret_key import load_secret_key
from recto.web.uploading import kind_check, limits_api, ocr_api, uploads_api
from recto.web.uploading.answers import (
    DocumentLimits,
    Limits,
    ListLimits,
    QueueLimits,
    RateLimits,
    ReadingLimits,
    UploadLimits,
    WaitingLimits,
)
from recto.web.uploading.known_languages import KnownLanguages
from recto.web.uploading.uploads import FORM_FIELDS_BYTES, RectoRequest, allow_batches, discard_incoming
from recto.web.waiting.held_requests import install_held_requests
from recto.web.waiting.live_reader import LiveReader
from recto.web.waiting.outlooks import Outlooks
from recto.web.waiting.twins import install_twins
from recto.web.webhooks import api as webhooks_api
from recto.web.webhooks.events import event_body
from recto.webhooks.deliveries import Deliveries
from recto.webhooks.sender import Connections, WebhookSender

_log = get_logger(__name__)
_EVERY_IPV4_ADDRESS = "0.0.0.0"  # nosec B104 # noqa: S104 - compared, not bound
_ROOMS = (
    api,
    job_details_api,
    search_api,
    results,
    ocr_api,
    batches_api,
    job_pages,
    corrections_api,
    page_images,
    live,
    webhooks_api,
    uploads_api,
    access_api,
    admin_api,
    limits_api,
    health,
    metrics,
    login,
    sign_on,
    pages,
    reading_again,
    search_pages,
    selections,
    tag_pages,
    kind_check,
    sign_in_pages,
    admin_pages,
    page_language,
    reference,
    localised,
    errors_said,
)
_CONTENT_SECURITY_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
)


def create_app(settings: Settings, tracing: Tracing | None = None) -> Flask:
    """The application, with its database at the newest schema and its secret in place. Spans go to `tracing`."""
    folder = settings.file_storage.path
    storage = prepare_storage(settings.file_storage.setup, gevent.get_hub)
    secret_key = load_secret_key(folder / "secret_key", settings.server.secret_key)
    app = Flask("recto.web")
    app.request_class = RectoRequest
    app.config.update(_flask_settings(settings), SECRET_KEY=secret_key)
    engine = _prepared_database(app)
    install_services(app, _services(app, settings, engine, storage, secret_key))
    install_request_ids(app, tracing or NoTracing())
    install_request_counts(app)
    app.before_request(_note_start)
    app.before_request(allow_batches)
    for room in _ROOMS:
        app.register_blueprint(room.blueprint)
    _install_checks(app, settings.limits)
    install_modules(app)
    install_translations(app)
    app.context_processor(lambda: {"version": recto.__version__})
    app.after_request(_finish_response)
    install_held_requests(app)
    app.teardown_request(discard_incoming)
    install_twins(app)
    _place_behind_proxies(app, settings)
    return app


def _prepared_database(app: Flask) -> Engine:
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    prepare_engine(engine)
    upgrade_schema(engine)
    return engine


def _install_checks(app: Flask, limits: LimitsSettings) -> None:
    """What a request passes before its view, in this order."""
    install_static_files(app)
    install_authorisation_check(app)
    login.install_login(app)
    install_error_handlers(app)
    install_rates(app, Rates(limits.sign_ins_per_minute, limits.tokens_per_hour, limits.uploads_per_minute))


def _services(app: Flask, settings: Settings, engine: Engine, storage: FileStorage, secret_key: bytes) -> Services:
    server, limits = settings.server, settings.limits
    feed = ChangeFeed(engine, settings.database.watch_interval_s, in_thread)
    certificates = cache(ssl.create_default_context)  # reading them takes 30 ms, which many a Backend never needs
    outbound = Outbound(Guard(NameResolver(), settings.outbound.allow_list), certificates)
    deliveries = Deliveries()
    connections = Connections(engine, in_thread, partial(in_thread, lane=Lane.WRITE))
    return Services(
        jobs=Jobs(
            QueuePolicy(**settings.queue.model_dump()),
            retention=RetentionPolicy(settings.retention.default_s, settings.retention.longest_s),
        ),
        idempotency_keys=IdempotencyKeys(server.idempotency_lifetime_s),
        storage=storage,
        feed=feed,
        live=LiveReader(storage),
        links=LinkSigner(secret_key),
        deriver=Deriver(storage, settings.worker.time_limits, settings.ocr.max_page_px),
        outlooks=Outlooks(),
        outbound=outbound,
        deliveries=deliveries,
        sender=WebhookSender(connections, deliveries, outbound, feed, partial(event_body, app, server.base_path)),
        limits=_web_limits(settings),
        published_limits=_published_limits(settings),
        sign_in_limits=SignInLimits(
            limits.sign_in_failures_per_name, limits.sign_in_failures_per_address, limits.sign_in_window_s
        ),
        allowed_origins=frozenset(server.allowed_origins.lower().split()),
        default_languages=settings.ocr.languages,
        known_languages=KnownLanguages(),
        sign_on=_sign_on(app, settings),
        scraper=Scraper(settings.metrics.loopback, settings.metrics.token),
        first_password_file=settings.file_storage.path / "first_password",
    )


def _web_limits(settings: Settings) -> WebLimits:
    server, outbound = settings.server, settings.outbound
    return WebLimits(
        server.max_upload_bytes,
        server.max_batch_documents,
        server.max_batch_bytes,
        server.max_wait_s,
        server.retry_after_s,
        server.link_lifetime_s,
        server.session_lifetime_s,
        settings.log.audit_lifetime_s,
        outbound.webhooks,
        outbound.document_urls,
        outbound.document_timeout_s,
        settings.file_storage.upload_lifetime_s,
    )


def _sign_on(app: Flask, settings: Settings) -> SignOn:
    oidc, proxy = settings.oidc, settings.proxy_sign_in
    provider = None
    if oidc.issuer:
        # A tenth of a second that only those wait who need it.
        from recto.web.sign_in.provider import Provider, ProviderSettings

        named = ("issuer", "client_id", "client_secret", "scopes", "name_claim", "admin_claim", "admin_value")
        provider = Provider(app, ProviderSettings(**{name: getattr(oidc, name) for name in named}))
    in_front = None
    if proxy.header:
        trusted = parse_networks(proxy.trusted_addresses)
        in_front = ProxySignIn(proxy.header, trusted, proxy.groups_header, proxy.admin_group, proxy.sign_out_url)
    creating = {Elsewhere.PROVIDER: oidc.create_users, Elsewhere.PROXY: proxy.create_users}
    return SignOn(provider, oidc.title, in_front, frozenset(place for place, makes in creating.items() if makes))


def _published_limits(settings: Settings) -> Limits:
    return Limits(
        upload=_upload_limits(settings),
        document=DocumentLimits(
            max_pages=settings.ocr.max_pages,
            max_page_px=settings.ocr.max_page_px,
            max_document_px=settings.ocr.max_document_px,
            max_languages=option_schema.MOST_LANGUAGES,
        ),
        rates=_rate_limits(settings.limits),
        queue=QueueLimits.model_validate(settings.queue, from_attributes=True),
        waiting=WaitingLimits.model_validate(settings.server, from_attributes=True),
        reading=ReadingLimits.model_validate(settings.worker, from_attributes=True),
        lists=ListLimits(
            max_jobs=api.MOST_JOBS,
            max_pages=job_pages.MOST_PAGES,
            max_changes=MOST_CHANGES,
            max_search_characters=MOST_CHARACTERS,
            max_search_terms=MOST_TERMS,
        ),
    )


def _upload_limits(settings: Settings) -> UploadLimits:
    server, limits = settings.server, settings.limits
    return UploadLimits(
        max_bytes=server.max_upload_bytes,
        max_batch_documents=server.max_batch_documents,
        max_batch_bytes=server.max_batch_bytes,
        direct=bool(settings.file_storage.url),
        min_bytes_per_s=limits.min_body_bytes_per_s,
        header_timeout_s=limits.header_timeout_s,
        body_timeout_s=limits.body_timeout_s,
    )


def _rate_limits(limits: LimitsSettings) -> RateLimits:
    return RateLimits(
        uploads_per_minute=limits.uploads_per_minute or None,
        tokens_per_hour=limits.tokens_per_hour or None,
        sign_ins_per_minute=limits.sign_ins_per_minute or None,
    )


def _flask_settings(settings: Settings) -> dict[str, Any]:
    server = settings.server
    return {
        "MAX_CONTENT_LENGTH": server.max_upload_bytes + FORM_FIELDS_BYTES,
        "MAX_FORM_MEMORY_SIZE": FORM_FIELDS_BYTES,
        "PERMANENT_SESSION_LIFETIME": timedelta(seconds=server.session_lifetime_s),
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_NAME": "recto_session",
        "SESSION_COOKIE_PATH": f"{server.base_path}/",
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": server.secure_cookies,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(settings.database_url, settings.database.busy_timeout_s),
    }


def _place_behind_proxies(app: Flask, settings: Settings) -> None:
    hops = settings.server.trusted_proxies
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops)  # type: ignore[method-assign]
    if settings.server.base_path:
        app.wsgi_app = SubPath(app.wsgi_app, settings.server.base_path)  # type: ignore[method-assign]


def _note_start() -> None:
    g.started_s = time.monotonic()


def _finish_response(response: Response) -> Response:
    headers = response.headers
    forms = " ".join(["'self'", *services().sign_on.form_targets])
    headers.setdefault("Content-Security-Policy", _CONTENT_SECURITY_POLICY.format(forms=forms))
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers.setdefault("Cache-Control", "no-store")
    if request.endpoint != "static":
        # The query is left out: a signed link is a key. Quoted: a path may hold what moves a terminal's cursor.
        took_s = round(time.monotonic() - g.get("started_s", time.monotonic()), 3)
        # What was merely read is not worth a line each: a thousand waiting clients may be answered at once.
        is_plain_read = request.method in ("GET", "HEAD") and response.status_code < HTTPStatus.BAD_REQUEST
        log = _log.debug if is_plain_read else _log.info
        log("request", method=request.method, path=quote(request.path), status=response.status_code, took_s=took_s)
    return response


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then let running requests end."""
    tracing = start_tracing(settings.tracing.endpoint, "recto-backend")
    app = create_app(settings, tracing)
    server = _listening(app, settings)
    address = _address(server, settings.server)
    with app.app_context():
        sessions = sessionmaker(db.engine)
    admin, folder = settings.admin, settings.file_storage.path
    in_thread(accounts.prepare_checks)
    in_thread(lambda: ensure_first_admin(sessions, admin.username, admin.password, address, folder / "first_password"))
    parts: Services = app.extensions["recto"]
    if settings.outbound.webhooks:
        parts.sender.start()
    _log.info("backend_ready", address=address)
    gc.freeze()  # what is there from now on to the end: no collection need look through it
    gc.enable()
    _wait_for_signal()
    _log.info("backend_stopping")
    parts.feed.stop()
    parts.deriver.stop()
    stops = (parts.sender.stop, server.stop_gently)  # side by side: neither takes the other's time
    gevent.joinall([gevent.spawn(stop, settings.server.stop_timeout_s) for stop in stops], raise_error=True)
    tracing.stop()


def _listening(app: Flask, settings: Settings) -> RectoServer:
    host, port, limits = settings.server.host, settings.server.port, settings.limits
    patience = Patience(limits.header_timeout_s, limits.body_timeout_s, limits.min_body_bytes_per_s)
    server = RectoServer((host, port), app, patience)
    try:
        server.start()
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on {host}:{port}: {error.strerror}. Choose another RECTO_SERVER_PORT."
        ) from error
    # Connections inherit it. Without it, a kept-alive answer waits some 40 ms for the client's delayed acknowledgement (RFC 896).
    server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return server


def _address(server: RectoServer, settings: ServerSettings) -> str:
    """Where a browser on this machine finds it."""
    shown_host = "localhost" if settings.host in (_EVERY_IPV4_ADDRESS, "::") else settings.host
    return f"http://{shown_host}:{server.server_port}{settings.base_path}/"


def _wait_for_signal() -> None:
    stopped = gevent.event.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stopped.set)
    stopped.wait()


def main() -> int:
    """Exit status: 0 after a stop, 78 (EX_CONFIG) for wrong settings, 1 for anything else that prevents the start."""
    try:
        settings = load_settings(os.environ)
        configure_logging(settings.log.level, settings.log.format)
        serve(settings)
    except RectoError as error:
        sys.stderr.write(f"Recto cannot start. {error.detail}\n")
        return os.EX_CONFIG if isinstance(error, SettingsError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
