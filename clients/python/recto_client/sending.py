"""One request until it is answered: broken connections and answers that ask for patience are tried again.

That is safe for every request of this client: a GET changes nothing, cancelling and deleting twice is as once, and a document is sent with
an Idempotency-Key.
"""

import random
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final, TypeVar

import httpx

from recto_client.errors import Busy, DigestMismatch, NotReachable, RectoError, UnexpectedAnswer, problem_from

_T = TypeVar("_T")
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0
_SHARE_BY_CHANCE: Final = 0.5


class Sender:
    """Sends requests through `http`, each for at most `patience_s` from its first failure."""

    def __init__(
        self,
        http: httpx.Client,
        patience_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = http
        self._patience_s = patience_s
        self._clock = clock
        self._sleep = sleep

    def send(self, make: Callable[[], httpx.Request], take: Callable[[httpx.Response], _T]) -> _T:
        """What `take` makes of the answer, whose body is not read yet. `make` and `take` are called anew for every attempt.

        NotReachable, Busy or DigestMismatch where patience came to its end; Problem and UnexpectedAnswer at once.
        """
        until: float | None = None
        for pause_s in pauses():
            try:
                return self._attempt(make, take)
            except (Busy, DigestMismatch) as error:
                failure: RectoError = error
                pause_s = getattr(error, "retry_after_s", None) or pause_s
            except httpx.TransportError as error:
                failure = _not_reachable(error)
                failure.__cause__ = error
            except httpx.RequestError as error:  # redirects without end, a body that cannot be decoded
                raise UnexpectedAnswer(f"The answer cannot be followed ({error}). Check the address.") from error
            now = self._clock()
            until = now + self._patience_s if until is None else until
            if now + pause_s > until:
                raise failure
            self._sleep(pause_s)
        raise AssertionError("pauses never end")

    def _attempt(self, make: Callable[[], httpx.Request], take: Callable[[httpx.Response], _T]) -> _T:
        request = make()
        response = self._http.send(request, stream=True, follow_redirects=request.method == "GET")
        try:
            if response.status_code >= HTTPStatus.BAD_REQUEST:
                response.read()
                raise problem_from(response)
            return take(response)
        finally:
            response.close()


def json_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON object that the answer is. UnexpectedAnswer where it is none."""
    response.read()
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise UnexpectedAnswer(
            f"{response.url.copy_with(query=None)} does not answer as Recto does. Check the address."
        )
    return answer


def pauses() -> Iterator[float]:
    """Seconds between attempts, doubling up to half a minute; half of each by chance, so that many clients do not come back at once."""
    pause_s = _FIRST_PAUSE_S
    while True:
        yield pause_s * (1 - _SHARE_BY_CHANCE * random.random())  # nosec B311 # noqa: S311 - no secret
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _not_reachable(error: httpx.TransportError) -> NotReachable:
    address = str(error.request.url.copy_with(query=None, path="/"))
    return NotReachable(
        f"{address} does not answer ({str(error) or type(error).__name__}). Check the address, and that Recto runs."
    )
