"""Requests that were held for long: whether who made them may still have the answer. A sign-out ends long polls, too."""

import time
from typing import Final, cast

from flask import Flask, Response, current_app, g, request
from flask_login import current_user

from recto.errors import NotSignedIn, RectoError
from recto.web.login import SignedInUser, is_still_signed_in
from recto.web.waiting.fresh_answers import FreshAnswers

HELD_S: Final = 1.0
"""What took longer is asked about again before it is answered."""
_FRESH_S: Final = 0.5
"""One change may wake a thousand requests of one token: they are asked about once."""
_REMEMBERED: Final = 100
_KEY: Final = "recto_rechecks"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})


def still_holds(user: SignedInUser) -> bool:
    """Whether they are still signed in, by what is half a second old at most."""
    rechecks = cast(FreshAnswers[bool], current_app.extensions[_KEY])
    return rechecks.get(user.credential, lambda: is_still_signed_in(user))


def install_held_requests(app: Flask) -> None:
    """Ask again, before a request is answered that only reads and was held. One that changed something is answered as it is."""
    app.extensions[_KEY] = FreshAnswers[bool](_FRESH_S, _REMEMBERED)

    def check_again(response: Response) -> Response:
        recognised_s = g.get("recognised_s")
        if request.method not in _SAFE_METHODS or recognised_s is None or time.monotonic() - recognised_s < HELD_S:
            return response
        user: SignedInUser = current_user._get_current_object()  # noqa: SLF001 - the documented way to unwrap a LocalProxy
        try:
            if still_holds(user):
                return response
            failure: Exception = NotSignedIn(
                "The sign-in or the token has ended while the request was held. Sign in again."
            )
        except RectoError as error:  # raised here, it would pass the handlers of errors by
            failure = error
        response.close()
        return current_app.make_response(current_app.handle_user_exception(failure))

    app.after_request(check_again)
