"""An OpenID Connect provider in this process that says whatever a test wants it to, also what no provider should."""

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

Claims = dict[str, Any]


@dataclass
class FakeProvider:
    """`change` may alter the ID token's claims; `user_info` is what its endpoint says; `signing_key` what signs. `asked` are the forms that came to /token."""

    change: Callable[[Claims], Claims] = lambda claims: claims
    user_info: Claims = field(default_factory=lambda: {"sub": "s-1", "preferred_username": "grace"})
    issuer_says: str = ""
    has_id_token: bool = True
    asked: list[dict[str, str]] = field(default_factory=list)
    ends_sessions_at: str = "/end"

    def __post_init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.signing_key = self.key
        self.given: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.provider = self  # type: ignore[attr-defined]
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def let_in(self, address: str) -> str:
        """Sign somebody in at the address where the browser was led; where it is led back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = f"code-{len(self.given)}"
        self.given[code] = asked
        return f"{urlsplit(asked['redirect_uri']).path}?code={code}&state={asked['state']}"

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, Claims]:
        if path == "/.well-known/openid-configuration":
            return 200, self._metadata()
        if path == "/jwks":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        if path == "/me":
            return 200, self.user_info
        return self._token(form)

    def _metadata(self) -> Claims:
        return {
            "issuer": self.issuer_says or self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/me",
            "end_session_endpoint": self.ends_sessions_at
            if self.ends_sessions_at.startswith("http")
            else self.issuer + self.ends_sessions_at,
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _token(self, form: dict[str, str]) -> tuple[int, Claims]:
        self.asked.append(form)
        begun = self.given.pop(form.get("code", ""), None)
        if begun is None or not _proves(form.get("code_verifier", ""), begun.get("code_challenge", "")):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "s-1",
            "aud": "recto",
            "iat": now,
            "exp": now + 60,
            "nonce": begun["nonce"],
        }
        answer: Claims = {"access_token": "a", "token_type": "Bearer", "expires_in": 60}
        if self.has_id_token:
            answer["id_token"] = jwt.encode(
                {"alg": "RS256", "kid": self.signing_key.kid}, self.change(claims), self.signing_key
            )
        return 200, answer


def _proves(verifier: str, challenge: str) -> bool:
    """RFC 7636, section 4.6."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode() == challenge


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._send({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._send({name: values[0] for name, values in parse_qs(body).items()})

    def _send(self, form: dict[str, str]) -> None:
        status, answer = self.server.provider.answer(urlsplit(self.path).path, form)  # type: ignore[attr-defined]
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        pass
