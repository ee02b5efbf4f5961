"""How often sign-ins, new tokens and uploads may be asked for (Flask-Limiter): the table below, in settings section [limits].

Counted in this process's memory: a Backend counts for itself. Sign-ins that failed are counted in the database beside it, by all
Backends together (recto/users/sign_ins.py).
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from flask import Flask, request
from flask_limiter import Limiter, RequestLimit
from flask_login import current_user

from recto.errors import TooManyRequests
from recto.users.sign_ins import address_group


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests in that time; 0 for no limit."""

    sign_ins_per_minute: int
    tokens_per_hour: int
    uploads_per_minute: int


def install_rates(app: Flask, rates: Rates) -> None:
    """Limit the addresses of the application that the settings limit. Call when all of them are registered."""
    limiter = Limiter(_by_user, app=app, storage_uri="memory://", strategy="moving-window")
    _limit(app, limiter, rates.sign_ins_per_minute, "minute", ("login.sign_in",), _by_address)
    _limit(app, limiter, rates.tokens_per_hour, "hour", ("pages.create_token",), _by_user)
    _limit(
        app,
        limiter,
        rates.uploads_per_minute,
        "minute",
        (
            "api.create_job",
            "api.retry_job",
            "ocr_api.read_document",
            "ocr_api.put_document",
            "batches.create_batch",
            "uploads.create_upload",
            "pages.upload",
            "pages.read_anew",
        ),
        _by_user,
    )


def _limit(
    app: Flask, limiter: Limiter, most: int, span: str, endpoints: tuple[str, ...], key: Callable[[], str]
) -> None:
    """The endpoints share one count."""
    if not most:
        return
    limited = limiter.shared_limit(
        f"{most} per {span}", scope=endpoints[0], key_func=key, methods=["POST", "PUT"], on_breach=_refuse
    )
    for endpoint in endpoints:
        view: Callable[..., Any] = app.view_functions[endpoint]
        app.view_functions[endpoint] = limited(view)


def _refuse(breached: RequestLimit) -> NoReturn:
    rate, wait_s = breached.limit, max(1, math.ceil(breached.reset_at - time.time()))
    raise TooManyRequests(
        f"This Recto takes {rate.amount:,} of these requests a {rate.GRANULARITY.name}. Wait {wait_s:,} seconds and send this one again.",
        retry_after_s=wait_s,
    )


def _by_address() -> str:
    return address_group(request.remote_addr or "")


def _by_user() -> str:
    """Who is signed in, so that an office behind one address is not one client; anybody else by address."""
    return f"user {current_user.account.id}" if current_user.is_authenticated else _by_address()
