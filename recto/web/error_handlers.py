"""Errors at the edge: application/problem+json (RFC 9457) for programs, a page for people."""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, g, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from recto.errors import CsrfRejected, NotSignedIn, RectoError, RequestTooSlow, UploadIncomplete, UploadTooLarge
from recto.logs import get_logger
from recto.web.answers import Problem
from recto.web.languages.errors_said import sentence_of
from recto.web.login import forget_user
from recto.web.services import services
from recto.web.uploading.uploads import body_too_large

_log = get_logger(__name__)
_NO_PAGE = "There is no page at this address. Your documents are on the start page."
_NEXT_STEP = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address. docs/api.md lists the addresses of the API.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take this method. The Allow header lists those it takes.",
    HTTPStatus.BAD_REQUEST: "The request could not be understood. Check its headers and its form against docs/api.md.",
}


def install_error_handlers(app: Flask) -> None:
    """Translate every error, each in one place."""
    app.register_error_handler(RectoError, _from_recto)
    app.register_error_handler(CSRFError, _from_csrf)
    app.register_error_handler(RequestEntityTooLarge, _from_too_large)
    app.register_error_handler(ClientDisconnected, _from_disconnected)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(Exception, _from_bug)


def _from_recto(error: RectoError) -> BaseResponse:
    if isinstance(error, NotSignedIn) and _wants_page():
        asked_for = (request.script_root + request.full_path).rstrip("?") if request.method == "GET" else ""
        return redirect(url_for("login.sign_in", next=asked_for))
    response = _answer(error.status, error.code, error.title, error.detail, error.members)
    if isinstance(error, NotSignedIn):
        response.headers["WWW-Authenticate"] = _challenge()
    if error.retryable:
        retry_after_s = error.members.get("retry_after_s", max(5, services().limits.retry_after_s))
        response.headers["Retry-After"] = str(retry_after_s)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("request_failed", code=error.code, detail=error.detail, path=quote(request.path))
    return response


def _challenge() -> str:
    """Says also whether a token was sent that is none (RFC 6750, section 3)."""
    return 'Bearer realm="Recto"' + (', error="invalid_token"' if "Authorization" in request.headers else "")


def _from_disconnected(error: ClientDisconnected) -> BaseResponse:
    """Werkzeug raises it for a body that breaks off, and while it handles the error of one that is too slow."""
    if isinstance(error.__context__, TimeoutError):
        slow = "The request arrived too slowly, and was given up. Send it again over a faster connection."
        return _from_recto(RequestTooSlow(slow))
    return _from_recto(
        UploadIncomplete("The request broke off before its announced end. Send it again, with the whole document.")
    )


def _from_csrf(_error: CSRFError) -> BaseResponse:
    return _from_recto(
        CsrfRejected(
            "The form has no valid CSRF token; it may be from before the last sign-in. Reload the page and try again."
        )
    )


def _from_too_large(_error: RequestEntityTooLarge) -> BaseResponse:
    """Werkzeug raises the same for a long body, for many form fields and for long ones."""
    is_short = request.content_length is not None and request.content_length <= (request.max_content_length or 0)
    if is_short:
        fields = "The form has too many fields, or too long ones. Send the document and its options, and nothing else."
        return _from_recto(UploadTooLarge(fields))
    return _from_recto(body_too_large())


def _from_http(error: HTTPException) -> BaseResponse:
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error.get_response()  # a redirect that werkzeug raised
    status = HTTPStatus(error.code)
    is_missing_page = status is HTTPStatus.NOT_FOUND and _wants_page()
    detail = _NO_PAGE if is_missing_page else _NEXT_STEP.get(status, error.description or status.description)
    # werkzeug's names: those of http.HTTPStatus changed in Python 3.13, and a code has to stay what it is.
    response = _answer(status, error.name.lower().replace(" ", "_"), error.name, detail, {})
    for name, value in error.get_headers():
        if name in ("Allow", "Content-Range", "Retry-After"):
            response.headers[name] = value
    return response


def _from_bug(error: Exception) -> BaseResponse:
    _log.error("request_crashed", path=quote(request.path), exc_info=error)
    detail = f"Something went wrong inside Recto. It was logged; tell your administrator the request id {g.request_id}."
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, RectoError.code, RectoError.title, detail, {})


def _answer(status: int, code: str, title: str, detail: str, members: dict[str, Any]) -> Response:
    if _wants_page():
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            forget_user()  # asking who it is may be what failed
        page = render_template("error.html", title=gettext(title), status=status, detail=sentence_of(code, detail))
        response = Response(page, status)
    else:
        problem = Problem(
            type=f"urn:recto:problem:{code}", title=title, status=status, detail=detail, code=code, **members
        )
        response = Response(problem.json_bytes(), status, mimetype="application/problem+json")
    return response


def _wants_page() -> bool:
    """Whether a person's browser asked for a page, outside the API."""
    is_program = request.path.startswith(("/api/", "/healthz", "/readyz", "/metrics"))
    return not is_program and request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
