"""Addresses of webhooks as they are given: refused at once where they would never be called."""

from recto.errors import OptionInvalid
from recto.web.services import services


def check_webhook_url(url: str | None) -> None:
    """AddressRefused for an address that is never called, whatever its name resolves to; OptionInvalid where this Recto calls none."""
    if not services().limits.has_webhooks:
        raise OptionInvalid("This Recto calls no webhooks. An administrator can set outbound.webhooks.")
    if url is not None:
        services().outbound.guard.target(url)
