"""A user's webhook: where messages about the end of jobs go, and the secrets that they are signed with (https://www.standardwebhooks.com).

Every function takes a session whose transaction was begun for writing and leaves the commit to its caller; `find` only reads.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, null, select, update
from sqlalchemy.orm import Session

from models import DeliveryStatus, User, Webhook, WebhookDelivery
from recto.database.connections import NowMicroseconds, utc

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what secrets begin with
_SECRET_BYTES: Final = 32
PREVIOUS_LIFETIME_S: Final = 24 * 3600
"""How long messages are signed with the replaced secret, too: receivers take the new one in their own time."""
REMOVED: Final = "webhook_removed"


@dataclass(frozen=True, slots=True)
class WebhookView:
    """A webhook without its secrets. `url` is None where only jobs name addresses."""

    url: str | None
    created: datetime
    previous_until: datetime | None


def find(session: Session, user_id: int) -> WebhookView | None:
    """The user's webhook; None where there is none."""
    row = session.get(Webhook, user_id)
    if row is None:
        return None
    return WebhookView(
        row.url, utc(row.created_us), None if row.previous_until_us is None else utc(row.previous_until_us)
    )


def set_url(session: Session, user_id: int, url: str | None) -> str | None:
    """Have jobs that are submitted from now on told of at this address. Gives the secret where it was made by this, and None else."""
    _one_at_a_time(session, user_id)
    if session.get(Webhook, user_id) is None:
        secret = _new_secret()
        _insert(session, user_id, secret, url)
        return secret
    session.execute(update(Webhook).where(Webhook.user_id == user_id).values(url=url))
    return None


def new_secret(session: Session, user_id: int) -> str:
    """A new secret. The one that it replaces signs, too, for PREVIOUS_LIFETIME_S."""
    _one_at_a_time(session, user_id)
    secret = _new_secret()
    until = NowMicroseconds() + PREVIOUS_LIFETIME_S * 1_000_000
    replaced = update(Webhook).where(Webhook.user_id == user_id)
    values = {"previous_secret": Webhook.secret, "previous_until_us": until, "secret": secret}
    if session.execute(replaced.values(values).returning(Webhook.user_id)).first() is None:
        _insert(session, user_id, secret, None)
    return secret


def remove(session: Session, user_id: int) -> None:
    """Remove webhook and secrets. What was still to be sent is not."""
    session.execute(delete(Webhook).where(Webhook.user_id == user_id))
    mine = WebhookDelivery.user_id == user_id
    session.execute(delete(WebhookDelivery).where(mine, WebhookDelivery.status == DeliveryStatus.WAITING))
    given_up = {
        "status": DeliveryStatus.GIVEN_UP,
        "next_attempt_us": null(),
        "token": null(),
        "error_code": REMOVED,
        "error_detail": "You removed the webhook before the message was received.",
    }
    session.execute(
        update(WebhookDelivery).where(mine, WebhookDelivery.status == DeliveryStatus.PENDING).values(given_up)
    )


def _one_at_a_time(session: Session, user_id: int) -> None:
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))


def _insert(session: Session, user_id: int, secret: str, url: str | None) -> None:
    values = {"user_id": user_id, "url": url, "secret": secret, "created_us": NowMicroseconds()}
    session.execute(insert(Webhook).values(values))


def _new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
