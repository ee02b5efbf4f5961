"""The API of webhooks: where a user is told of the end of jobs, what messages are signed with, and what became of them."""

from functools import partial
from http import HTTPStatus
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request
from pydantic import ValidationError

from recto.audit import Action
from recto.errors import AddressRefused, DeliveryNotFound, JobNotFound, OptionInvalid
from recto.web import answers
from recto.web.login import signed_in
from recto.web.openapi.described import Reply, described
from recto.web.services import services
from recto.web.serving.database import read, write
from recto.web.sign_in.audited import noted_by_user, write_noted
from recto.web.sign_in.authorisation import Access, access
from recto.web.webhooks import answers as webhook_answers
from recto.web.webhooks.urls import check_webhook_url
from recto.webhooks import deliveries
from recto.webhooks import endpoints as webhooks
from recto.webhooks.deliveries import DeliveryView

blueprint = Blueprint("webhooks", __name__, url_prefix="/api/v1")
_TAG: Final = "Webhooks"
_MOST_BODY_BYTES: Final = 16 * 1024
_WEBHOOK: Final = Reply(200, "The webhook", (webhook_answers.Webhook,))


@blueprint.get("/webhook")
@access(Access.READ_AND_WRITE)
@described(_WEBHOOK, tag=_TAG)
def get_webhook() -> Response:
    """The user's webhook, without its secret."""
    return answers.answered(_body(signed_in().account.id, None))


@blueprint.put("/webhook")
@access(Access.READ_AND_WRITE)
@described(_WEBHOOK, problems=(OptionInvalid, AddressRefused), json_body=webhook_answers.WebhookAddress, tag=_TAG)
def put_webhook() -> Response:
    """Name the address that is called at the end of jobs submitted from now on. The secret is in the answer where it was made by this."""
    url = _given_url()
    check_webhook_url(url)
    user_id = signed_in().account.id
    secret = write_noted(noted_by_user(Action.WEBHOOK_SET), webhooks.set_url, user_id, url)
    return answers.answered(_body(user_id, secret))


@blueprint.delete("/webhook")
@access(Access.READ_AND_WRITE)
@described(Reply(204, "Nothing is sent any more"), tag=_TAG)
def delete_webhook() -> tuple[str, int]:
    """Remove address and secrets. Messages that were not received yet are given up."""
    write_noted(noted_by_user(Action.WEBHOOK_REMOVED), webhooks.remove, signed_in().account.id)
    return "", HTTPStatus.NO_CONTENT


@blueprint.post("/webhook/secret")
@access(Access.READ_AND_WRITE)
@described(Reply(200, "The webhook with its new secret", (webhook_answers.Webhook,)), tag=_TAG)
def post_webhook_secret() -> Response:
    """Make a new secret, shown this once. For a day messages are signed with the replaced one, too."""
    user_id = signed_in().account.id
    secret = write_noted(noted_by_user(Action.WEBHOOK_SECRET_MADE), webhooks.new_secret, user_id)
    return answers.answered(_body(user_id, secret))


@blueprint.get("/jobs/<uuid:uuid>/webhook-deliveries")
@access(Access.READ)
@described(Reply(200, "The messages", (webhook_answers.DeliveryList,)), problems=(JobNotFound,), tag=_TAG)
def get_webhook_deliveries(uuid: UUID) -> Response:
    """The messages about the job's end: what became of them, and when they are tried again."""
    found = read(deliveries.list_of_job, signed_in().account.id, str(uuid))
    return answers.answered(webhook_answers.DeliveryList(deliveries=[_delivery(one) for one in found]))


@blueprint.post("/jobs/<uuid:uuid>/webhook-deliveries/<delivery_id>/resend")
@access(Access.WRITE)
@described(
    Reply(202, "The message, which is sent next", (webhook_answers.Delivery,)),
    problems=(JobNotFound, DeliveryNotFound),
    tag=_TAG,
)
def resend_webhook_delivery(uuid: UUID, delivery_id: str) -> Response:
    """Send a message again at once, under its id, with all retries. One that waits for the job's end, or is being sent, stays as it is."""
    user_id = signed_in().account.id
    found = write(services().deliveries.resend, user_id, str(uuid), delivery_id)
    services().sender.wake()
    return answers.answered(_delivery(found), HTTPStatus.ACCEPTED)


def _given_url() -> str | None:
    request.max_content_length = _MOST_BODY_BYTES
    try:
        return webhook_answers.WebhookAddress.model_validate_json(request.get_data()).url
    except ValidationError as error:
        raise OptionInvalid('The body has to be JSON like {"url": "https://…"}, or {"url": null}.') from error


def _body(user_id: int, secret: str | None) -> webhook_answers.Webhook:
    view = read(webhooks.find, user_id)
    body = partial(
        webhook_answers.Webhook,
        url=view.url if view else None,
        created=view.created if view else None,
        previous_secret_until=view.previous_until if view else None,
    )
    return body(secret=secret) if secret else body()


def _delivery(view: DeliveryView) -> webhook_answers.Delivery:
    return webhook_answers.Delivery(
        id=view.id,
        type=view.event,
        url=view.url,
        status=view.status.value,
        attempts=view.attempts,
        last_attempt=view.last_attempt,
        last_status=view.last_status,
        error=answers.Reason(code=view.error_code, detail=view.error_detail or "") if view.error_code else None,
        next_attempt=view.next_attempt,
    )
