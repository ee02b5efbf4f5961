"""Who makes a request: a person with a session cookie, or a program with a bearer token. CSRF protection for the former."""

import time
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Request, flash, g, redirect, render_template, request, session, url_for
from flask import Response as FlaskResponse
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_babel import gettext
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect
from gevent.lock import BoundedSemaphore
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from recto import accounts, audit
from recto.accounts import Account, Recognised
from recto.audit import Action, Event
from recto.errors import DatabaseBusy, IdentityUnknown, NotSignedIn, RectoError, UserDisabled
from recto.logs import get_logger
from recto.users import identities, sign_ins
from recto.users.identities import Identity
from recto.web.languages.errors_said import said
from recto.web.services import services
from recto.web.serving.database import in_thread, read, write
from recto.web.sign_in import first_admin
from recto.web.sign_in.audited import client_address, noted_by_user, write_noted
from recto.web.sign_in.authorisation import Access, access
from recto.web.sign_in.elsewhere import Elsewhere

blueprint = Blueprint("login", __name__)
login_manager = LoginManager()
csrf = CSRFProtect()
_log = get_logger(__name__)
_PASSWORD_CHECKS = BoundedSemaphore(2)
"""Each takes tens of milliseconds of one thread: a flood of them must leave the thread pool to the other requests."""
_SIGNED_OUT: Final = "signed_out"
"""In the address of the sign-in page: who has just signed out is not signed in again at once by a proxy."""
_PLACE: Final = "place"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class SignedInUser(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """The current user. Either `secret`, that of the session, or `token` is there; it is good for `scopes`."""

    def __init__(self, found: Recognised, secret: str | None = None, token: str | None = None) -> None:
        self.account = found.account
        self.scopes = found.scopes
        self.secret = secret
        self.token = token

    @property
    def credential(self) -> str:
        """What they are recognised by."""
        return self.secret or self.token or ""

    @property
    def name(self) -> str:
        """Name for the page."""
        return self.account.name

    @property
    def is_admin(self) -> bool:
        """Whether the user administers this Recto."""
        return self.account.is_admin

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie: the secret of the session's row, so that ending the row ends the sign-in."""
        return self.secret or ""


class _PageSessions(SecureCookieSessionInterface):
    """Renews the cookie's lifetime with pages only.

    Every answer that sets the cookie sets all of it as it was when the request came: a long poll that ends while a form is answered
    would take the form's message for the next page out of it again.
    """

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:  # noqa: ARG002 - Flask's signature
        """Whether the answer carries the cookie: where something in it changed, and with pages."""
        return session.modified or (session.permanent and request.blueprint == "pages")

    def save_session(self, app: Flask, session: SessionMixin, response: FlaskResponse) -> None:
        """But for static files: they say the same to everybody, and under `Vary: Cookie` a browser has them sent again with each new cookie."""
        if request.endpoint != "static":
            super().save_session(app, session, response)


def install_login(app: Flask) -> None:
    """Connect sessions, Flask-Login and CSRF protection."""
    app.session_interface = _PageSessions()
    login_manager.session_protection = None  # sessions are rows; ending one needs no guess from the address
    login_manager.init_app(app)
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # _check_csrf decides
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # as long as the session
    csrf.init_app(app)
    app.before_request(_check_csrf)


def signed_in() -> SignedInUser:
    """The current user; NotSignedIn where there is none. What they may do is checked before (authorisation_check.py)."""
    if not current_user.is_authenticated:
        raise NotSignedIn(
            "Send 'Authorization: Bearer TOKEN' with a token from the account page or `ocr_worker.py tokens create`, or sign in on the page."
        )
    user: SignedInUser = current_user._get_current_object()  # noqa: SLF001 - the documented way to unwrap a LocalProxy
    return user


def forget_user() -> None:
    """For the rest of this request nobody is signed in, and the database is not asked who it is."""
    g.nobody = True


def _check_csrf() -> None:
    """Every unsafe request that a cookie authenticates carries the token, JSON too; so does the sign-in form."""
    if request.method in _SAFE_METHODS:
        return
    by_cookie = current_user.is_authenticated and current_user.secret is not None
    if by_cookie or request.endpoint == "login.sign_in":
        csrf.protect()


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load_from_session(secret: str) -> SignedInUser | None:
    if "Authorization" in request.headers or g.get("nobody"):
        return None  # the token decides
    found = read(accounts.account_of_session, secret, services().limits.session_lifetime_s)
    if found is None or _is_named_otherwise(found.account):
        return None
    if found.is_stale:
        _note_use(accounts.touch_session, secret)
    g.recognised_s = time.monotonic()
    return SignedInUser(found, secret=secret)


def _is_named_otherwise(account: Account) -> bool:
    """Whether the proxy names somebody else as who this comes from: somebody signed out there, and in again."""
    named = _named_by_proxy()
    if named is None:
        return False
    named_account = read(identities.account_of_identity, named)
    return named_account is None or named_account.id != account.id


@login_manager.request_loader  # type: ignore[untyped-decorator]
def _load_from_token(current: Request) -> SignedInUser | None:
    authorization = current.authorization
    if g.get("nobody") or authorization is None or authorization.type != "bearer" or not authorization.token:
        return None
    found = read(accounts.account_of_token, authorization.token)
    if found is None:
        return None
    if found.is_stale:
        _note_use(accounts.touch_token, authorization.token)
    g.recognised_s = time.monotonic()
    return SignedInUser(found, token=authorization.token)


def is_still_signed_in(user: SignedInUser) -> bool:
    """Whether what the user was recognised by, at the beginning of the request, still holds."""
    if user.secret is not None:
        return read(accounts.account_of_session, user.secret, services().limits.session_lifetime_s) is not None
    return user.token is not None and read(accounts.account_of_token, user.token) is not None


def _note_use(touch: accounts.Touch, secret: str) -> None:
    try:
        write(touch, secret)
    except DatabaseBusy:
        _log.info("last_use_not_noted")  # the next request will; this one should not fail for it


@blueprint.route("/sign-in", methods=["GET", "POST"])
@access(Access.ANYBODY)
def sign_in() -> Response | str | tuple[str, int]:
    """The sign-in page, and what its form is sent to."""
    if request.method == "POST":
        return _check_sign_in()
    if current_user.is_authenticated:
        return redirect(url_for("pages.jobs"))
    target, named = request.args.get("next", ""), _named_by_proxy()
    if named and _SIGNED_OUT not in request.args:
        return sign_in_from_elsewhere(named, target, Elsewhere.PROXY)
    return _sign_in_page(target)


def _check_sign_in() -> Response | tuple[str, int]:
    """Check name and password and begin a session."""
    name, target = request.form.get("name", ""), request.form.get("next", "")
    try:
        account = account_of_password(name, request.form.get("password", ""), Action.SIGN_IN_REFUSED)
    except UserDisabled as shut_out:
        return _sign_in_page(target, said(shut_out), name), HTTPStatus.FORBIDDEN
    if account is None:
        _log.info("sign_in_refused", address=client_address())
        error = gettext("Name or password is wrong. Check both and try again.")
        return _sign_in_page(target, error, name), 401
    signed_in_event = Event(Action.SIGNED_IN, account.name, address=client_address())
    secret = write_noted(signed_in_event, accounts.sign_in, account, client_address(), request.user_agent.string)
    _begin_session(account, secret)
    first_admin.forget_password_file(services().first_password_file, account)
    return redirect(local_address(target))


def sign_in_from_elsewhere(identity: Identity, target: str, place: Elsewhere) -> Response:
    """Begin a session of the user whose identity this is, made now where there is none and the settings let it. IdentityUnknown, UserDisabled."""
    is_known = read(identities.account_of_identity, identity) is not None
    makes_user = not is_known and place in services().sign_on.creating
    password_hash = in_thread(identities.unguessable_password_hash) if makes_user else None
    signing_in = partial(identities.sign_in_identity, identity=identity, password_hash=password_hash)
    try:
        account, secret = write(signing_in, address=client_address(), user_agent=request.user_agent.string)
    except (IdentityUnknown, UserDisabled):
        refused = Event(Action.SIGN_IN_REFUSED, identity.name, identity.issuer, client_address())
        write(_note_refusal, refused, services().limits.audit_lifetime_s)
        raise
    _begin_session(account, secret)
    session[_PLACE] = place.value
    return redirect(local_address(target))


def _begin_session(account: Account, secret: str) -> None:
    session.clear()  # nothing of before the sign-in survives it
    login_user(SignedInUser(Recognised(account, is_stale=False, scopes=frozenset()), secret=secret))
    session.permanent = True


def _sign_in_page(target: str, error: str | None = None, name: str = "") -> str:
    sign_on = services().sign_on
    return render_template(
        "sign_in.html", next=target, error=error, name=name, provider=sign_on.title if sign_on.provider else None
    )


def _named_by_proxy() -> Identity | None:
    proxy = services().sign_on.proxy
    return proxy.named_identity() if proxy else None


def account_of_password(name: str, password: str, refusal: Action) -> Account | None:
    """Whose name and password these are, else None, which is noted as `refusal`. TooManySignIns where too many were wrong, UserDisabled
    where they are right and the user is shut out.

    A name that nobody has takes the same steps and the same time.
    """
    attempt_id = write(sign_ins.begin_attempt, services().sign_in_limits, name, client_address())
    try:
        with _PASSWORD_CHECKS:
            account = read(accounts.check_password, name, password)
    except UserDisabled:
        write(sign_ins.forget_attempt, attempt_id)
        write(_note_refusal, Event(refusal, name, address=client_address()), services().limits.audit_lifetime_s)
        raise
    if account is None:
        write(_note_refusal, Event(refusal, name, address=client_address()), services().limits.audit_lifetime_s)
    else:
        write(sign_ins.forget_attempt, attempt_id)
    return account


def _note_refusal(session: Session, event: Event, audit_lifetime_s: int) -> None:
    """A name that nobody has is left out: it may be a password in the wrong field."""
    known = accounts.has_user(session, event.user)
    audit.note(session, event if known else replace(event, user=""))
    audit.forget_old(session, audit_lifetime_s)


@blueprint.post("/sign-out")
@access(Access.PERSON)
def sign_out() -> Response:
    """End the session."""
    user = signed_in()
    if user.secret:
        write_noted(noted_by_user(Action.SIGNED_OUT), accounts.sign_out, user.secret)
    elsewhere = _where_to_sign_out_too()
    logout_user()
    session.clear()
    flash(gettext("You are signed out."), "success")
    return redirect(elsewhere or url_for("login.sign_in", signed_out="" if services().sign_on.proxy else None))


def _where_to_sign_out_too() -> str | None:
    """Where the browser goes on to, for a sign-in that was begun elsewhere: the next person at it would be let in without a question."""
    place, sign_on = session.get(_PLACE), services().sign_on
    if place == Elsewhere.PROXY and sign_on.proxy:
        return sign_on.proxy.sign_out_url or None
    if place == Elsewhere.PROVIDER and sign_on.provider:
        try:
            return sign_on.provider.sign_out_url(url_for("login.sign_in", _external=True))
        except RectoError as error:
            _log.warning("signed_out_here_alone", code=error.code)
    return None


def local_address(target: str) -> str:
    """`target` where it leads to this page's own paths, else the start page: no open redirect."""
    parts = urlsplit(target)
    is_local = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return target if is_local and "\\" not in target else url_for("pages.jobs")
