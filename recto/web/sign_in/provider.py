"""Sign-in through an OpenID Connect provider: the only module that knows Authlib.

Authorisation code flow with PKCE (RFC 7636), state and nonce, which wait in the browser's signed session cookie. It asks the provider by `requests`, whose
sockets are gevent's where app.py is the program: other requests go on meanwhile. Loaded only where a provider is set.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask
from joserfc.errors import JoseError
from requests import RequestException
from werkzeug.wrappers import Response

from recto.errors import SignOnFailed, SignOnUnavailable
from recto.logs import get_logger
from recto.users.identities import Identity

_log = get_logger(__name__)
_T = TypeVar("_T")
_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Settings section [oidc]."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: str
    name_claim: str
    admin_claim: str
    admin_value: str


class Provider:
    """One provider, by its settings."""

    def __init__(self, app: Flask, settings: ProviderSettings) -> None:
        self._settings = settings
        self._client = OAuth(app).register(
            "provider",
            client_id=settings.client_id,
            client_secret=settings.client_secret or None,
            server_metadata_url=f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": settings.scopes,
                "code_challenge_method": "S256",
                "default_timeout": _TIMEOUT_S,
                # A client without a secret is a public one: PKCE alone proves that it is the same.
                "token_endpoint_auth_method": "client_secret_basic" if settings.client_secret else "none",
            },
        )

    @property
    def origin(self) -> str:
        """Scheme, host and port of the issuer, where forms may lead."""
        parts = urlsplit(self._settings.issuer)
        return f"{parts.scheme}://{parts.netloc}"

    def lead_there(self, callback: str) -> Response:
        """The answer that leads the browser to the provider. SignOnUnavailable."""
        self._check_issuer()
        answer: Response = self._asked(lambda: self._client.authorize_redirect(callback))
        return answer

    def returned_identity(self) -> Identity:
        """Who the provider says it is that comes back with the current request. SignOnFailed, SignOnUnavailable."""
        self._check_issuer()
        token = self._asked(self._client.authorize_access_token)
        claims: Mapping[str, Any] | None = token.get("userinfo")
        if not claims:
            raise SignOnFailed("The provider sent no ID token. Its client has to be one for OpenID Connect.")
        if not self._wanted_claims() <= set(claims):
            claims = self._with_user_info(claims, token)
        name = claims.get(self._settings.name_claim)
        if not isinstance(name, str) or not name:
            raise SignOnFailed(
                f"The provider sends no '{self._settings.name_claim}' to name you by. An administrator sets oidc.name_claim and oidc.scopes."
            )
        return Identity(self._settings.issuer, str(claims["sub"]), name, self._is_admin(claims))

    def sign_out_url(self, back_to: str) -> str | None:
        """Where the browser signs out of the provider too (OpenID Connect RP-Initiated Logout 1.0); None where there is no such place."""
        metadata = self._asked(self._client.load_server_metadata)
        address = metadata.get("end_session_endpoint")
        if not address or not address.startswith(f"{self.origin}/"):
            return None  # elsewhere, the pages' policy on forms would not let the browser go there
        url: str = self._client.create_logout_url(back_to, client_id=self._settings.client_id)["url"]
        return url

    def _check_issuer(self) -> None:
        named = self._asked(self._client.load_server_metadata).get("issuer")
        if named != self._settings.issuer:
            self._client.server_metadata.clear()  # asked anew next time: it may be mended there
            raise SignOnUnavailable(
                f"The provider calls itself '{named}', and oidc.issuer says '{self._settings.issuer}'. Both have to be the same, to the last slash."
            )

    def _wanted_claims(self) -> set[str]:
        return {self._settings.name_claim, self._settings.admin_claim} - {""}

    def _with_user_info(self, claims: Mapping[str, Any], token: Mapping[str, Any]) -> Mapping[str, Any]:
        """Many providers put only who it is into the ID token, and the rest where one has to ask for it."""
        if "userinfo_endpoint" not in self._client.server_metadata:
            return claims
        # It was issued a moment ago: without its lifetime, since Authlib takes one of a minute or less for over.
        fresh = {name: token[name] for name in ("access_token", "token_type")}
        info = self._asked(lambda: self._client.userinfo(token=fresh))
        if info.get("sub") != claims["sub"]:  # OpenID Connect Core 1.0, section 5.3.2
            raise SignOnFailed("The provider told of somebody else than who signed in. Begin again.")
        return {**info, **claims}

    def _is_admin(self, claims: Mapping[str, Any]) -> bool | None:
        if not self._settings.admin_claim:
            return None
        held = claims.get(self._settings.admin_claim, [])
        return self._settings.admin_value in (held if isinstance(held, list) else [held])

    def _asked(self, ask: Callable[[], _T]) -> _T:
        try:
            return ask()
        except RequestException as error:
            _log.warning("provider_unavailable", error=type(error).__name__)
            raise SignOnUnavailable(
                "The provider of sign-ins cannot be reached. Try again in a moment, or sign in with a password."
            ) from error
        except (OAuthError, JoseError, ValueError, KeyError) as error:
            _log.warning("sign_on_failed", error=type(error).__name__, said=getattr(error, "error", ""))
            raise SignOnFailed(
                "The sign-in at the provider was not completed, or took too long. Begin again on the sign-in page."
            ) from error
