"""What the request handlers work with: made once by app.py from the settings, and handed over here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from flask import Flask, current_app

from recto.changes import ChangeFeed
from recto.file_storage.base import FileStorage
from recto.jobs import Jobs
from recto.outbound.exchange import Outbound
from recto.records.idempotency import IdempotencyKeys
from recto.users.sign_ins import SignInLimits
from recto.web.downloads.deriver import Deriver
from recto.web.downloads.links import LinkSigner
from recto.web.sign_in.elsewhere import SignOn
from recto.web.sign_in.scraper import Scraper
from recto.web.uploading.answers import Limits
from recto.web.uploading.known_languages import KnownLanguages
from recto.web.waiting.live_reader import LiveReader
from recto.web.waiting.outlooks import Outlooks
from recto.webhooks.deliveries import Deliveries
from recto.webhooks.sender import WebhookSender

_KEY: Final = "recto"


@dataclass(frozen=True, slots=True)
class WebLimits:
    """The numbers of the settings that requests need. Seconds, bytes."""

    max_upload_bytes: int
    max_batch_documents: int
    max_batch_bytes: int
    max_wait_s: float
    retry_after_s: int
    link_lifetime_s: int
    session_lifetime_s: int
    audit_lifetime_s: int
    has_webhooks: bool
    has_document_urls: bool
    document_timeout_s: float
    upload_lifetime_s: int


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of this Backend."""

    jobs: Jobs
    idempotency_keys: IdempotencyKeys
    storage: FileStorage
    feed: ChangeFeed
    live: LiveReader
    links: LinkSigner
    deriver: Deriver
    outlooks: Outlooks
    outbound: Outbound
    deliveries: Deliveries
    sender: WebhookSender
    limits: WebLimits
    published_limits: Limits
    sign_in_limits: SignInLimits
    allowed_origins: frozenset[str]
    default_languages: str
    known_languages: KnownLanguages
    scraper: Scraper
    sign_on: SignOn
    first_password_file: Path
    arriving_keys: set[tuple[int, str]] = field(default_factory=set)
    """User ids and idempotency keys of requests that have not recorded what they bring."""


def install_services(app: Flask, services: Services) -> None:
    """Make the parts known to the application's requests."""
    app.extensions[_KEY] = services


def services() -> Services:
    """The parts of the application that handles the current request."""
    return cast(Services, current_app.extensions[_KEY])
